"""What the watch is told: its own keys, its own way to the feed and to the book, whom it orders."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tangguh.core.errors import Misconfigured
from tangguh.rails import signature

RAIL: Final = "bifast"


class WatchSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys are PEM. ``private_key_path`` (Ed25519) is the watch's own: it signs its questions to
    the hub and its orders. ``hub_public_key_path`` (RSA) verifies the statement.

    ``dsn`` is of a role that can read ``watched_payments`` and nothing else (``db.roles``).
    ``memory_path``: an SQLite file of what was matched. ``closes`` false only says what it would
    do. ``unmatched_max``: so many outflows that nothing explains close the rail.
    ``silent_seconds_max``: a feed that says nothing for so long is said to be silent.
    ``exposure_max_minor``: more than this on the settlement account is said; None: never.
    ``again_seconds``: so long after an order new findings make no other one.
    """

    url: str
    private_key_path: str
    hub_public_key_path: str
    dsn: str
    gateway_url: str
    bank_url: str
    memory_path: str
    host: str = "127.0.0.1"
    port: int = 0
    book_id: int = 1
    closes: bool = True
    unmatched_max: int = 1
    wait_seconds: float = 10.0
    rows_max: int = 500
    pause_seconds: float = 0.05
    look_again_seconds: float = 0.2
    silent_seconds_max: float = 30.0
    again_seconds: float = 2.0
    exposure_max_minor: int | None = None


def key_of(settings: WatchSettings) -> Ed25519PrivateKey:
    """The watch's key. Raises Misconfigured, without a word of its content."""
    path = settings.private_key_path
    try:
        key = load_pem_private_key(Path(path).read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise Misconfigured(f"private_key_path: no readable key at {path}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(f"private_key_path: the key at {path} is not Ed25519")
    return key


def hub_key_of(settings: WatchSettings) -> RSAPublicKey:
    """The hub's key. Raises Misconfigured."""
    return signature.load_public_key(Path(settings.hub_public_key_path))
