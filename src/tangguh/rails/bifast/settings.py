"""How this bank reaches the BI-FAST hub and how patient it is. Seconds throughout."""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from tangguh.core.errors import Misconfigured
from tangguh.rails import signature
from tangguh.rails.banks import BY_BIC
from tangguh.rails.bifast.grammar.codec import Wire
from tangguh.rails.bifast.message import HUB
from tangguh.rails.link import LinkSettings


class BifastSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``private_key_path`` and ``hub_public_key_path`` are RSA keys in PEM: every message each way
    is signed. ``url`` is scheme, host and port; ``path`` where messages are posted.
    ``gateway_public_key_path``: the key of the gateway that stands at ``url`` in the hub's place;
    empty: none does, and nobody's "not forwarded" is believed.

    ``inquiry_delays_seconds`` count from the send, the last repeats: at most three status requests
    in the first two hours. ``not_found_apart_seconds``: so long after the first "original not
    found" a second one is final (``BifastRail.reverse``). ``incoming_delays_seconds`` are for an
    announced credit without its notice. Questions have a link, and a patience, of their own.
    """

    url: str = ""
    path: str = "/bifast/messages"
    private_key_path: str = ""
    hub_public_key_path: str = ""
    gateway_public_key_path: str = ""
    bic: str = "TGUHIDJ1"
    hub_bic: str = HUB
    wire: Wire = "json"
    connections_max: int = 32
    waiting_max: int = 64
    wait_timeout_seconds: float = 1.0
    connect_timeout_seconds: float = 2.0
    total_timeout_seconds: float = 25.0
    question_timeout_seconds: float = 5.0
    reply_bytes_max: int = 64 * 1024
    inquiry_delays_seconds: tuple[float, ...] = (90.0, 600.0, 7200.0)
    not_found_apart_seconds: float = 500.0
    incoming_delays_seconds: tuple[float, ...] = (60.0, 120.0, 180.0)
    clock_skew_max_seconds: float = 300.0


def private_key_of(settings: BifastSettings) -> RSAPrivateKey:
    """Our key. Raises Misconfigured when it is not set or cannot be read."""
    if not settings.private_key_path:
        raise Misconfigured("bifast: not set: private_key_path")
    return signature.load_private_key(Path(settings.private_key_path))


def hub_key_of(settings: BifastSettings) -> RSAPublicKey:
    """The hub's key. Raises Misconfigured when it is not set or cannot be read."""
    if not settings.hub_public_key_path:
        raise Misconfigured("bifast: not set: hub_public_key_path")
    return signature.load_public_key(Path(settings.hub_public_key_path))


def gateway_key_of(settings: BifastSettings) -> RSAPublicKey | None:
    """The gateway's key; None when there is no gateway. Raises Misconfigured."""
    path = settings.gateway_public_key_path
    return signature.load_public_key(Path(path)) if path else None


def link_settings(settings: BifastSettings, timeout_seconds: float) -> LinkSettings:
    """A link to the hub. Raises Misconfigured for a BIC that no bank of the table has."""
    if settings.bic not in BY_BIC:
        raise Misconfigured("bifast: bic is not in rails/banks.py")
    return LinkSettings(
        url=settings.url,
        connections_max=settings.connections_max,
        waiting_max=settings.waiting_max,
        wait_timeout_seconds=settings.wait_timeout_seconds,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        total_timeout_seconds=timeout_seconds,
        reply_bytes_max=settings.reply_bytes_max,
    )
