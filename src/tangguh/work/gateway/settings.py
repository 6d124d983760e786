"""What the gateway is told: who posts to it, whose leave it asks for, and where the hub is."""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tangguh.core import authorisation
from tangguh.core.errors import Misconfigured
from tangguh.rails.bifast.message import HUB


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys are PEM. ``connector_public_key_path`` (RSA) is whose messages are taken: the bank's;
    ``private_key_path`` (RSA) is the participant's at the hub, which nobody else has;
    ``authorisation_public_key_path`` (Ed25519) is the ledger's.

    ``url`` is the hub's origin. ``memory_path``: an SQLite file of references that were let out.
    ``require_authorisation`` false switches ring 1 off, for rehearsals of what it prevents.
    ``orders_public_key_path`` (Ed25519): who may order a closure; empty: nobody.
    """

    url: str
    connector_public_key_path: str
    private_key_path: str
    authorisation_public_key_path: str
    memory_path: str
    require_authorisation: bool = True
    orders_public_key_path: str = ""
    path: str = "/bifast/messages"
    host: str = "127.0.0.1"
    port: int = 0
    bic: str = "TGUHIDJ1"
    hub_bic: str = HUB
    connections_max: int = 64
    waiting_max: int = 256
    wait_timeout_seconds: float = 1.0
    connect_timeout_seconds: float = 2.0
    total_timeout_seconds: float = 25.0
    reply_bytes_max: int = 64 * 1024
    clock_skew_max_seconds: float = 60.0


def ed25519_at(path: str, name: str) -> Ed25519PublicKey:
    """The public key in a file. Raises Misconfigured."""
    try:
        pem = Path(path).read_bytes()
    except OSError as error:
        raise Misconfigured(f"gateway.{name}: {path or 'not set'}: {error.strerror}") from error
    return authorisation.load_public(pem, path)
