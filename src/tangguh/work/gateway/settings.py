"""What the gateway is told: who posts to it, whose leave it asks for, and where the hub is."""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tangguh.core import authorisation
from tangguh.core.errors import Misconfigured
from tangguh.rails.bifast.message import HUB


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keys are PEM. ``connector_public_key_path`` (RSA) is whose messages are taken: the bank's;
    ``private_key_path`` (RSA) is the participant's at the hub, which nobody else has;
    ``authorisation_public_key_path`` (Ed25519) is the ledger's.

    ``url`` is the hub's origin. ``memory_path``: an SQLite file of references that were let out.
    ``require_authorisation`` false switches ring 1 off, for rehearsals of what it prevents.
    ``orders_public_key_path`` (Ed25519): the watch, who may order a closure; empty: nobody.

    ``bank_url`` is where the bank's board of closures is asked for, signed with
    ``edge_private_key_path`` (Ed25519, this gateway's own); ``snapshot_public_key_path`` (Ed25519)
    is the bank's, of ``book_id``. ``closures_path``: a file of what is closed. Empty: not asked.

    ``amount_max_minor`` is the rail's own limit of one transfer; the other two are what may leave
    within any minute. They hold also for whoever owns the bank, the ledger's key and all.
    """

    url: str
    connector_public_key_path: str
    private_key_path: str
    authorisation_public_key_path: str
    memory_path: str
    require_authorisation: bool = True
    orders_public_key_path: str = ""
    bank_url: str = ""
    edge_private_key_path: str = ""
    snapshot_public_key_path: str = ""
    closures_path: str = ""
    book_id: int = 1
    snapshot_wait_seconds: float = 10.0
    amount_max_minor: int = 250_000_000 * 100
    per_minute_max: int = 3_000
    amount_per_minute_max_minor: int = 50_000_000_000 * 100
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


def ed25519_key_at(path: str, name: str) -> Ed25519PrivateKey:
    """The private key in a file. Raises Misconfigured, without a word of its content."""
    try:
        key = load_pem_private_key(Path(path).read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise Misconfigured(f"{name}: no readable private key at {path or 'no path'}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(f"{name}: the private key at {path} is not Ed25519")
    return key
