"""How many connections a listener holds, from whom, and which of them makes room.

An attacker with one address cannot take every place: their own idle connections go first. When
all places are taken the one that has been idle longest goes, whoever holds it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from tangguh.listeners.limits import ListenerSettings
from tangguh.listeners.proxies import Proxies, source_of

log = structlog.get_logger("tangguh.listeners")

_SAY_EVERY: Final = 1_000


class Place:
    """One connection's place. ``cut`` ends the connection at once."""

    __slots__ = ("cut", "is_over", "source")

    def __init__(self, source: str, cut: Callable[[], None]) -> None:
        self.source = source
        self.cut = cut
        self.is_over = False


class Connections:
    """Every connection of one listener."""

    def __init__(self, settings: ListenerSettings, proxies: Proxies | None = None) -> None:
        self._settings = settings
        self._proxies = proxies or Proxies(())
        self._held: dict[str, int] = {}
        self._idle: dict[str, dict[Place, None]] = {}
        self._oldest: dict[Place, None] = {}
        self._count = 0
        self.refused = 0
        self.cut_idle = 0

    @property
    def count(self) -> int:
        """How many there are."""
        return self._count

    def admit(self, host: str, cut: Callable[[], None]) -> Place | None:
        """A place for a new connection, idle until told otherwise; None when there is none.

        A trusted proxy speaks for many: it is not held to the number of one source.
        """
        source = source_of(host)
        most = self._settings.connections_per_source_max
        if (
            not self._proxies.trusts(host)
            and self._held.get(source, 0) >= most
            and not self._make_room(self._idle.get(source))
        ):
            self._refuse(source)
            return None
        if self._count >= self._settings.connections_max and not self._make_room(self._oldest):
            self._refuse(source)
            return None
        place = Place(source, cut)
        self._count += 1
        self._held[source] = self._held.get(source, 0) + 1
        self.rest(place)
        return place

    def rest(self, place: Place) -> None:
        """Nothing is asked over it now."""
        if place.is_over:
            return
        self._idle.setdefault(place.source, {})[place] = None
        self._oldest[place] = None

    def work(self, place: Place) -> None:
        """A request is in hand: it is not cut to make room."""
        idle = self._idle.get(place.source)
        if idle is not None:
            idle.pop(place, None)
            if not idle:
                del self._idle[place.source]
        self._oldest.pop(place, None)

    def leave(self, place: Place) -> None:
        """The connection is over. May be said twice."""
        if place.is_over:
            return
        place.is_over = True
        self.work(place)
        self._count -= 1
        left = self._held[place.source] - 1
        if left:
            self._held[place.source] = left
        else:
            del self._held[place.source]

    def _make_room(self, idle: dict[Place, None] | None) -> bool:
        if not idle:
            return False
        place = next(iter(idle))
        self.cut_idle += 1
        self.leave(place)
        place.cut()
        return True

    def _refuse(self, source: str) -> None:
        if self.refused % _SAY_EVERY == 0:
            log.warning("listener.full", source=source, held=self._count)
        self.refused += 1
