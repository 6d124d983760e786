"""How this bank reaches its card switch: address, codes, keys, patience."""

from __future__ import annotations

from datetime import time

import msgspec

from tangguh.core.errors import Misconfigured
from tangguh.rails.iso8583 import hsm
from tangguh.rails.iso8583.fields import Amount, Bitmap, Dialect, Text
from tangguh.rails.iso8583.framing.presets import Framing, framing_of
from tangguh.rails.iso8583.line import LineSettings
from tangguh.rails.iso8583.link import LinkSettings
from tangguh.rails.iso8583.message import FRAME_BYTES_MAX
from tangguh.rails.iso8583.outbound.orders import Origin

_LINK_KEYS = (hsm.ZPK, hsm.SEAL)


class Iso8583Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``institution`` is our code at the switch (DE32, DE33); ``pan_prefix`` our eight digits of
    the national numbering. ``keys`` by the names of ``hsm``, in hex; ``key_window_seconds``: how
    long the key before a change is still understood. ``with_mac`` asks for one in DE64/128 of every
    financial message and needs the key ``mak``.

    ``framing``: a preset of ``framing.presets`` (plain, ascii, bcd, tpdu, base24 and others), or
    its parts. ``response_codes`` and ``reversal_codes`` amend the tables of ``codes`` for this
    peer. ``cut_over``: Jakarta time (HH:MM) from which DE15 is the next day. Timeouts in seconds.
    ``inquiry_delays_seconds`` counts from the send; the last delay repeats.
    """

    host: str = "127.0.0.1"
    port: int = 0
    institution: str = ""
    pan_prefix: str = ""
    terminal: str = "APP00001"
    acceptor: str = ""
    location: str = ""
    cut_over: str = "23:00"
    keys: dict[str, str] = {}
    key_window_seconds: float = 300.0
    with_mac: bool = True
    text: Text = "ascii"
    bitmap: Bitmap = "hex"
    amount: Amount = "implied_decimals"
    framing: str | Framing = "plain"
    frame_bytes_max: int = FRAME_BYTES_MAX
    in_flight_max: int = 64
    handling_max: int = 64
    connect_timeout_seconds: float = 5.0
    reply_timeout_seconds: float = 30.0
    echo_seconds: float = 120.0
    echo_timeout_seconds: float = 60.0
    backoff_first_seconds: float = 0.5
    backoff_max_seconds: float = 30.0
    response_codes: dict[str, str] = {}
    reversal_codes: dict[str, str] = {}
    inquiry_delays_seconds: tuple[float, ...] = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0)

    def __repr__(self) -> str:
        return f"Iso8583Settings({self.host}:{self.port}, institution={self.institution!r}, ...)"


def check(settings: Iso8583Settings) -> None:
    """Raises Misconfigured when something is not set that has no default."""
    needed = {name: getattr(settings, name) for name in ("host", "port", "institution")}
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise Misconfigured(f"iso8583: not set: {', '.join(missing)}")
    if len(settings.pan_prefix) != 8 or not settings.pan_prefix.isdecimal():
        raise Misconfigured("iso8583: pan_prefix is eight digits")
    framing_of(settings.framing)
    if settings.location and len(settings.location) != 40:
        raise Misconfigured("iso8583: location is 40 characters: 25 name, 13 city, 2 country")


def check_keys(settings: Iso8583Settings) -> None:
    """Raises Misconfigured when the software module would lack a key the link needs."""
    wanted = (*_LINK_KEYS, hsm.MAK) if settings.with_mac else _LINK_KEYS
    missing = [name for name in wanted if name not in settings.keys]
    if missing:
        raise Misconfigured(f"iso8583: keys not set: {', '.join(missing)}")


def dialect_of(settings: Iso8583Settings) -> Dialect:
    """The link's habits."""
    return Dialect(text=settings.text, bitmap=settings.bitmap, amount=settings.amount)


def origin_of(settings: Iso8583Settings) -> Origin:
    """Who asks. Raises Misconfigured when the cut-over is no time of day."""
    try:
        cut_over = time.fromisoformat(settings.cut_over)
    except ValueError:
        raise Misconfigured("iso8583: cut_over is HH:MM") from None
    return Origin(
        institution=settings.institution,
        pan_prefix=settings.pan_prefix,
        terminal=settings.terminal,
        acceptor=settings.acceptor,
        location=settings.location,
        cut_over=cut_over,
        dialect=dialect_of(settings),
    )


def link_settings_of(settings: Iso8583Settings) -> LinkSettings:
    """What the link needs of them."""
    return LinkSettings(
        host=settings.host,
        port=settings.port,
        institution=settings.institution,
        line=LineSettings(
            dialect=dialect_of(settings),
            framing=settings.framing,
            frame_bytes_max=settings.frame_bytes_max,
            in_flight_max=settings.in_flight_max,
            handling_max=settings.handling_max,
            reply_timeout_seconds=settings.reply_timeout_seconds,
            mac_key=hsm.MAK if settings.with_mac else "",
        ),
        connect_timeout_seconds=settings.connect_timeout_seconds,
        sign_on_timeout_seconds=settings.reply_timeout_seconds,
        echo_seconds=settings.echo_seconds,
        echo_timeout_seconds=settings.echo_timeout_seconds,
        backoff_first_seconds=settings.backoff_first_seconds,
        backoff_max_seconds=settings.backoff_max_seconds,
    )
