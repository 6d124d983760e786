"""One SNAP partner of a rail: how it is reached, who we are to it, and how SNAP writes money.

What wallets and billers share. Whether a payment that a partner does not know may still arrive is
answered here once: every request carries its own time, and a partner refuses one that is older than
its clock skew; so what it does not know after that time it will never carry out.
"""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from tangguh.core.clock import Clock
from tangguh.core.errors import Misconfigured
from tangguh.core.outcome import NotSent, Unanswered
from tangguh.rails import signature, snap
from tangguh.rails.link import Link, LinkSettings
from tangguh.rails.rail import Instruction
from tangguh.rails.snap_amount import names_other

NOT_FOUND: Final = "not_found"
"""Why an inquiry is Unanswered when the partner does not know the payment (yet)."""

EXCHANGES_PER_SEND: Final = 4
"""At worst: a token, the payment, another token when the first was refused, the payment again."""


class SnapPartnerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one partner is reached. ``private_key_path`` is our RSA key in PEM.

    ``lost_after_seconds``: a payment the partner does not know after so long was never received
    and never will be (its clock skew, by contract, and a margin). ``inquiry_delays_seconds`` counts
    from the send; the last delay repeats. ``preset`` names a partner's way (``PRESETS``);
    ``path_prefix``, ``paths`` (by service code) and ``signature`` change it in part.
    """

    url: str = ""
    client_id: str = ""
    client_secret: str = ""
    private_key_path: str = ""
    partner_id: str = ""
    channel_id: str = ""
    connections_max: int = 16
    waiting_max: int = 32
    wait_timeout_seconds: float = 1.0
    connect_timeout_seconds: float = 2.0
    total_timeout_seconds: float = 10.0
    reply_bytes_max: int = 64 * 1024
    preset: str = ""
    path_prefix: str = ""
    paths: dict[str, str] = {}
    signature: Literal["", "symmetric", "asymmetric"] = ""
    lost_after_seconds: float = 600.0
    inquiry_delays_seconds: tuple[float, ...] = (5.0, 15.0, 60.0, 120.0, 300.0, 610.0, 900.0)

    def __repr__(self) -> str:
        return f"SnapPartnerSettings(url={self.url!r}, partner_id={self.partner_id!r}, ...)"


PRESETS: Final[dict[str, snap.Manner]] = {
    "snap": snap.Manner(),
    # DANA's own client: whole paths under /rest, each call signed with RSA, no token.
    "dana": snap.Manner(
        paths={
            "37": "/rest/v1.0/emoney/account-inquiry",
            "38": "/rest/v1.0/emoney/topup",
            "39": "/rest/v1.0/emoney/topup-status",
        },
        asymmetric=True,
    ),
}
"""How partners speak SNAP that do not speak it as the standard's examples do."""


def manner_of(name: str, settings: SnapPartnerSettings) -> snap.Manner:
    """The partner's way: the preset, changed as its settings say. Raises Misconfigured."""
    preset = PRESETS.get(settings.preset or "snap")
    if preset is None:
        raise Misconfigured(f"{name}.preset: one of {', '.join(sorted(PRESETS))}")
    for path in (settings.path_prefix, *settings.paths.values()):
        if path and (not path.startswith("/") or path.endswith("/") or "?" in path):
            raise Misconfigured(f"{name}: {path!r} is no path: it begins with / and ends without")
    return snap.Manner(
        prefix=settings.path_prefix or urlsplit(settings.url).path.rstrip("/") or preset.prefix,
        paths={**preset.paths, **settings.paths},
        asymmetric=settings.signature == "asymmetric" if settings.signature else preset.asymmetric,
    )


class SnapPartner:
    """Signed calls to one partner over its own connections: a slow one slows nobody else."""

    def __init__(
        self,
        name: str,
        settings: SnapPartnerSettings,
        clock: Clock,
        source: random.Random | None = None,
    ) -> None:
        """Raises Misconfigured when the address, the identity or the key cannot be used."""
        self.settings = settings
        self._clock = clock
        self.link = Link(_link_settings(settings), clock)
        self.caller = snap.Caller(
            self.link,
            _credentials(name, settings),
            clock,
            snap.ExternalIds(clock, source),
            manner_of(name, settings),
        )

    def is_lost(self, instruction: Instruction) -> bool:
        """Whether a payment the partner does not know now will never be carried out."""
        age = self._clock.now() - instruction.accepted_at
        return age > timedelta(seconds=self.settings.lost_after_seconds)

    async def close(self) -> None:
        """Let go of connections."""
        await self.link.close()
        await self.caller.close()


def asked(answer: snap.Answer | NotSent | Unanswered) -> snap.Answer | Unanswered:
    """NotSent of a question is about that message, and must never free a payment."""
    return Unanswered(answer.why) if isinstance(answer, NotSent) else answer


def disagreement(
    answer: snap.Answer,
    instruction: Instruction,
    reference_field: str,
    amount_field: str = "amount",
) -> Unanswered | None:
    """What an answer does say about reference and amount must be what we asked."""
    if answer.fields.get(reference_field, instruction.reference) != instruction.reference:
        return Unanswered("answer speaks of another reference")
    if names_other(answer.fields, amount_field, instruction.amount_minor):
        return Unanswered("answer speaks of another amount")
    return None


def _origin_of(url: str) -> str:
    """The address without its path: that is signed, so it belongs to every path (``manner_of``)."""
    parts = urlsplit(url)
    return url if parts.query or parts.fragment else parts._replace(path="").geturl()


def _link_settings(settings: SnapPartnerSettings) -> LinkSettings:
    return LinkSettings(
        url=_origin_of(settings.url),
        connections_max=settings.connections_max,
        waiting_max=settings.waiting_max,
        wait_timeout_seconds=settings.wait_timeout_seconds,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        total_timeout_seconds=settings.total_timeout_seconds,
        reply_bytes_max=settings.reply_bytes_max,
    )


def _credentials(name: str, settings: SnapPartnerSettings) -> snap.Credentials:
    needed = ("client_id", "client_secret", "private_key_path", "partner_id", "channel_id")
    missing = [field for field in needed if not getattr(settings, field)]
    if missing:
        raise Misconfigured(f"{name}: not set: {', '.join(missing)}")
    return snap.Credentials(
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        partner_id=settings.partner_id,
        channel_id=settings.channel_id,
        private_key=signature.load_private_key(Path(settings.private_key_path)),
    )
