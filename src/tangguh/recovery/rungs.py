"""The rungs of the ladder as data: who is let in, for how much, how long, and who must agree. Pure.

A closed scope is opened again one rung at a time and never two. Only a fault of health (class C)
with little collateral has a fast lane; what touched money or control has none, and none is skipped.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec

from tangguh.access.people import Role
from tangguh.core.money import MINOR_MAX
from tangguh.guard.closure import SignalClass

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_RUPIAH: Final = 100

FAST_LANE_COLLATERAL_PERMILLE_MAX: Final = 50
"""Above one twentieth of normal traffic inside the scope, people look first."""


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """How far a scope is open: who is let in and for how much.

    ``permille`` of the customers, by hash; ``staff_in``: staff and volunteers too. Limits count
    ``limits_permille`` of the normal ones, and no payment exceeds ``amount_max_minor``.
    ``payments_max``: so many payments in all, while probing.
    """

    permille: int = 0
    staff_in: bool = False
    limits_permille: int = 500
    amount_max_minor: int | None = None
    payments_max: int | None = None

    @property
    def is_closed(self) -> bool:
        """Whether nobody is let in."""
        return self.permille == 0 and not self.staff_in

    def limit_of(self, limit_minor: int) -> int:
        """What is left of a normal limit here."""
        scaled = limit_minor * self.limits_permille // 1000
        return min(scaled, MINOR_MAX if self.amount_max_minor is None else self.amount_max_minor)


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of reopening. ``seconds`` and ``sample``: the least to stay and to have seen here.

    ``roles`` must agree before it is entered; ``tight``: judged by half the usual slack.
    """

    number: int
    name: str
    exposure: Exposure = Exposure()
    seconds: int = 0
    sample: int = 0
    roles: tuple[Role, ...] = ()
    tight: bool = False


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast a rehearsal goes: minutes and samples are multiplied by these. 1 is real life."""

    time_scale: float = 1.0
    sample_scale: float = 1.0

    def __post_init__(self) -> None:
        for scale in (self.time_scale, self.sample_scale):
            if not 0 < scale <= 1:
                raise ValueError("a pace only makes minutes and samples smaller: above 0, up to 1")

    @property
    def is_rehearsal(self) -> bool:
        """Whether this is not real life. Whoever shows a climb shows this too."""
        return self != REAL

    def seconds(self, seconds: float) -> float:
        """So many seconds at this pace."""
        return seconds * self.time_scale

    def sample(self, count: int) -> int:
        """So many payments at this pace; never none where one was asked for."""
        return math.ceil(count * self.sample_scale)

    def words(self) -> str:
        """What is said beside every step of a rehearsal; empty in real life."""
        if not self.is_rehearsal:
            return ""
        return f"rehearsal: time x{self.time_scale:g}, samples x{self.sample_scale:g}"


REAL: Final = Pace()

_IC, _RAIL = Role.INCIDENT_COMMANDER, Role.RAIL_OWNER
_RISK, _CISO, _RECON = Role.RISK_OFFICER, Role.CISO, Role.RECON_OWNER
_CLOSED: Final = Exposure()


def _half_limits(permille: int, amount_max_minor: int | None = None) -> Exposure:
    return Exposure(permille=permille, staff_in=True, amount_max_minor=amount_max_minor)


_CANARY: Final = _half_limits(1, 100_000 * _RUPIAH)
_ALL: Final = Exposure(permille=1000, staff_in=True, limits_permille=1000)

HELD, EXPLAINED, MATCHED, REHEARSED, CANARY = range(5)
OPEN_LOW, OPEN, WATCH = 9, 10, 11

LADDER: Final[tuple[Rung, ...]] = (
    Rung(number=HELD, name="held"),
    Rung(number=EXPLAINED, name="explained", roles=(_IC,)),
    Rung(number=MATCHED, name="matched", roles=(_RECON,)),
    Rung(number=REHEARSED, name="rehearsed", seconds=10 * _MINUTE),
    Rung(number=CANARY, name="canary", exposure=_CANARY, seconds=5 * _MINUTE, sample=200,
         roles=(_IC, _RAIL)),
    Rung(number=5, name="one_percent", exposure=_half_limits(10), seconds=5 * _MINUTE, sample=500),
    Rung(number=6, name="five_percent", exposure=_half_limits(50), seconds=10 * _MINUTE,
         sample=1000),
    Rung(number=7, name="quarter", exposure=_half_limits(250), seconds=15 * _MINUTE, sample=1000,
         roles=(_IC,)),
    Rung(number=8, name="half", exposure=_half_limits(500), seconds=15 * _MINUTE, sample=1000,
         roles=(_IC, _RISK)),
    Rung(number=OPEN_LOW, name="open_low", exposure=_half_limits(1000), seconds=_HOUR, sample=1000),
    Rung(number=OPEN, name="open", exposure=_ALL, sample=1000, roles=(_IC, _RISK)),
    Rung(number=WATCH, name="watch", exposure=_ALL, seconds=24 * _HOUR, sample=1000, tight=True),
)  # fmt: skip
"""R0 to R11. A rung's sample never falls below that of the rung under it once many are in."""

FAST_LANE: Final[tuple[Rung, ...]] = (
    Rung(number=0, name="held", seconds=_MINUTE),
    Rung(number=1, name="probing", seconds=_MINUTE, sample=10,
         exposure=Exposure(permille=100, staff_in=True, limits_permille=1000, payments_max=10)),
    Rung(number=2, name="tenth", seconds=_MINUTE, sample=10,
         exposure=Exposure(permille=100, staff_in=True, limits_permille=1000)),
    Rung(number=3, name="half", seconds=_MINUTE, sample=10,
         exposure=Exposure(permille=500, staff_in=True, limits_permille=1000)),
    Rung(number=4, name="open", seconds=_MINUTE, sample=10, exposure=_ALL),
)  # fmt: skip
"""For a network that was slow or away: a minute each, and nobody is asked."""


def has_fast_lane(signal_class: SignalClass, collateral_permille: int) -> bool:
    """Whether this scope may open by itself. Never after a signal about money or control."""
    is_health = signal_class is SignalClass.HEALTH
    return is_health and 0 <= collateral_permille <= FAST_LANE_COLLATERAL_PERMILLE_MAX


def approvals_for(
    rung: Rung, signal_class: SignalClass, *, cause_known: bool, without_restore: bool = False
) -> tuple[Role, ...]:
    """The roles that must agree before this rung, each a different person.

    Nobody alone accepts a cause that is not known, or one that lies with the bank's own people; nor
    that it goes on without a backup that was seen to restore.
    """
    if rung == LADDER[MATCHED] and without_restore:
        return (_RECON, _RISK)
    if rung != LADDER[EXPLAINED]:
        return rung.roles
    if cause_known and signal_class is not SignalClass.CONTROL:
        return rung.roles
    return (_IC, _RISK, _CISO)


def fastest_seconds(lane: tuple[Rung, ...], to: int) -> int:
    """The least time from held until the rung numbered ``to`` is entered, if all goes well."""
    return sum(rung.seconds for rung in lane[:to])
