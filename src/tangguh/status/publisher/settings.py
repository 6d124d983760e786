"""What the publisher is told: whom it believes, where it keeps, serves and pushes the page."""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tangguh.core.errors import Misconfigured
from tangguh.db.objects import ObjectSettings


class PublisherSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``public_key_path`` (Ed25519, PEM) verifies what ``snapshot_url`` gives.

    ``directory`` is where the page's files lie, ``memory_path`` an SQLite file of what is known.
    ``targets``: further directories or buckets. ``public_url``: where readers find the page; feeds
    name it. The bank is said to be silent after ``silent_seconds``, down after ``down_seconds``.
    Other times: between two looks at the bank, to wait for its answer, between two pushes to a
    target, between two renderings of the history; ``refresh_seconds``: when a browser's script
    asks again; without scripts the reader does.
    """

    snapshot_url: str
    public_key_path: str
    directory: str
    memory_path: str
    host: str = "127.0.0.1"
    port: int = 0
    public_url: str = ""
    targets: tuple[ObjectSettings, ...] = ()
    look_seconds: float = 2.0
    timeout_seconds: float = 2.0
    silent_seconds: float = 10.0
    down_seconds: float = 60.0
    push_seconds: float = 15.0
    history_seconds: float = 60.0
    refresh_seconds: int = 20


def key_of(settings: PublisherSettings) -> Ed25519PublicKey:
    """The bank's key. Raises Misconfigured."""
    path = settings.public_key_path
    try:
        key = load_pem_public_key(Path(path).read_bytes())
    except (OSError, ValueError) as fault:
        raise Misconfigured(f"public_key_path: no readable key at {path}") from fault
    if not isinstance(key, Ed25519PublicKey):
        raise Misconfigured(f"public_key_path: the key at {path} is not Ed25519")
    return key
