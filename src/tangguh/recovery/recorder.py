"""What the ladder's gates are judged by: ends of payments inside a scope and outside it. Pure.

Kept in memory, newest last. After a restart it begins anew, and gates without enough of it are
inconclusive: the ladder waits, it does not guess.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Final

import msgspec

from tangguh.guard.scope import Facts, Scope
from tangguh.guard.window import TECHNICAL, End, Seen

_SEEN_MAX: Final = 200_000
_ENDED: Final = TECHNICAL | {End.PAID, End.DECLINED}


class Stats(msgspec.Struct, frozen=True):
    """Counts of ended payments, and the 99th percentile of seconds to a clear end."""

    ended: int = 0
    paid: int = 0
    technical: int = 0
    declined: int = 0
    unanswered: int = 0
    p99_seconds: float | None = None

    @property
    def success(self) -> float | None:
        """Paid, of those whose end was not the payee's or the payer's own no."""
        asked = self.paid + self.technical
        return self.paid / asked if asked else None

    @property
    def declined_share(self) -> float | None:
        """Those the network or payee declined, of those that ended."""
        return self.share(self.declined)

    def share(self, count: int) -> float | None:
        """So many of those that ended."""
        return count / self.ended if self.ended else None


class Load(msgspec.Struct, frozen=True):
    """How many commands the book had taken and turned away by a moment."""

    at: datetime
    taken: int
    shed: int


class _Ended(msgspec.Struct, frozen=True, gc=False):
    """An end as it is kept: without the payment's id, which no gate asks for."""

    at: datetime
    facts: Facts
    end: End
    seconds: float


class Recorder:
    """Remembers the ends of payments, and how busy the book was. ``ends_max`` of them at most."""

    def __init__(self, ends_max: int = _SEEN_MAX) -> None:
        self._seen: deque[_Ended] = deque(maxlen=ends_max)
        self._loads: deque[Load] = deque(maxlen=10_000)

    def see(self, seen: Seen) -> None:
        """Remember one end."""
        if seen.end in _ENDED:
            self._seen.append(_Ended(seen.at, _lean(seen.facts), seen.end, seen.seconds))

    def note_load(self, load: Load) -> None:
        """Remember how busy the book is."""
        self._loads.append(load)

    def inside(self, scope: Scope, since: datetime, let_in: frozenset[int] | None = None) -> Stats:
        """What ended in a scope since; ``let_in`` narrows it to these accounts."""
        return _stats(
            [
                one
                for one in self._since(since)
                if scope.covers(one.facts) and (let_in is None or one.facts.account in let_in)
            ]
        )

    def outside(self, scope: Scope, since: datetime) -> Stats:
        """The control cohort: what ended elsewhere in the same time."""
        return _stats([one for one in self._since(since) if not scope.covers(one.facts)])

    def shed_since(self, since: datetime) -> tuple[float, int] | None:
        """The share of commands turned away since, and of how many; None: nobody has counted."""
        loads = [load for load in self._loads if load.at >= since]
        if len(loads) < 2:
            return None
        first, last = loads[0], loads[-1]
        shed, taken = last.shed - first.shed, last.taken - first.taken
        return shed / max(shed + taken, 1), shed + taken

    def _since(self, since: datetime) -> list[_Ended]:
        found = []
        for one in reversed(self._seen):
            if one.at < since:
                break
            found.append(one)
        return found


def _lean(facts: Facts) -> Facts:
    """The same facts with texts that are kept once however often they come again.

    Each order brings its own copy of the name of its payee, device and partner.
    """
    return msgspec.structs.replace(
        facts,
        partner=_once(facts.partner),
        payee=_once(facts.payee),
        terminal=_once(facts.terminal),
        device=_once(facts.device),
        version=_once(facts.version),
    )


_TEXTS_MAX: Final = 50_000
_texts: dict[str, str] = {}


def _once(text: str) -> str:
    """The same text as it was kept before. Not interned: in Python 3.12 that is for ever."""
    if len(_texts) >= _TEXTS_MAX:
        _texts.clear()
    return _texts.setdefault(text, text)


def _stats(seen: list[_Ended]) -> Stats:
    times = sorted(one.seconds for one in seen if one.end in {End.PAID, End.DECLINED})
    p99 = times[min(len(times) - 1, len(times) * 99 // 100)] if times else None
    return Stats(
        ended=len(seen),
        paid=sum(1 for one in seen if one.end is End.PAID),
        technical=sum(1 for one in seen if one.end in TECHNICAL),
        declined=sum(1 for one in seen if one.end is End.DECLINED),
        unanswered=sum(1 for one in seen if one.end is End.UNANSWERED),
        p99_seconds=p99,
    )
