"""How much a stranger may ask of a listener before it is known who they are. Pure.

Bytes and seconds throughout. An operation that needs more than ``SMALL`` declares its own ``Limit``
beside its route (``limited``), so that what is not declared is small.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeVar

import msgspec

T = TypeVar("T")

_FIELD: Final = "tangguh_limit"
_BYTES_PER_SECOND_MIN: Final = 64 * 1024
_BODY_SECONDS: Final = 10.0


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """What one operation may cost.

    ``body_bytes_max`` of a request; ``seconds`` from its last header until its answer is handed
    over, the body's own time not counted; ``nesting_max`` of brackets in each other, whatever the
    body says it is: 0 for files, which nobody reads as JSON.
    """

    body_bytes_max: int = 64 * 1024
    seconds: float = 15.0
    nesting_max: int = 32

    @property
    def body_seconds(self) -> float:
        """How long the whole body may take to come: a slow line's time, no more."""
        return _BODY_SECONDS + self.body_bytes_max / _BYTES_PER_SECOND_MIN


SMALL: Final = Limit()
"""What holds where nothing is declared."""


class ListenerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One listener's bounds, the same for every kind of it.

    ``head_seconds`` for a request's whole head, from the connection or from its first byte;
    ``idle_seconds`` between two requests; ``connections_max`` in all: above it the connection that
    has been idle longest makes room, and above that of one source its own does.
    """

    connections_max: int = 4096
    connections_per_source_max: int = 512
    head_bytes_max: int = 16 * 1024
    headers_max: int = 100
    head_seconds: float = 10.0
    idle_seconds: float = 5.0


def limited(route: T, limit: Limit, methods: Iterable[str] = ()) -> T:
    """The route, with the limit it declares for these methods; for all of its own when none."""
    setattr(route, _FIELD, (limit, frozenset(methods)))
    return route


def limit_of(route: object) -> tuple[Limit, frozenset[str]] | None:
    """What a route declares and for which methods (empty: all), or None."""
    found: tuple[Limit, frozenset[str]] | None = getattr(route, _FIELD, None)
    return found
