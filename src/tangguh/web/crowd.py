"""When more orders come than the book can decide: who is turned away, and what they may be told.

"Too much to do" says of one asking that it did nothing. Whoever asks for the second time, since
they heard no answer, wants to know of the order: it may have been paid when they first asked. So
before anybody is told that nothing moved, the book is asked for their key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tangguh.core.clock import Clock
from tangguh.core.errors import Ambiguous, Overloaded, StoreUnavailable, TangguhError
from tangguh.core.outcome import Refused
from tangguh.core.spread import Spread
from tangguh.db.pool import Pool
from tangguh.ledger.writer import Writer
from tangguh.payments import store
from tangguh.payments.payment import Decided, Order
from tangguh.payments.plans import OrderKey, key_of
from tangguh.payments.record import answer_again
from tangguh.web.settings import WebSettings

_LOOK_SECONDS: Final = 2.0


class _Asking:
    """One order being asked for: counted while inside. No generator, it is on every payment."""

    __slots__ = ("_asking", "_key")

    def __init__(self, asking: dict[OrderKey, int], key: OrderKey) -> None:
        self._asking, self._key = asking, key

    def __enter__(self) -> Callable[[], bool]:
        self._asking[self._key] = self._asking.get(self._key, 0) + 1
        return self._is_alone

    def __exit__(self, *_: object) -> None:
        left = self._asking[self._key] - 1
        if left:
            self._asking[self._key] = left
        else:
            del self._asking[self._key]

    def _is_alone(self) -> bool:
        return self._asking[self._key] == 1


class Crowd:
    """The orders under way at one door."""

    def __init__(self, pool: Pool, book_id: int, writer: Writer, clock: Clock) -> None:
        self._pool = pool.within(_LOOK_SECONDS)
        self._book_id = book_id
        self._writer = writer
        self._spread = Spread(clock)
        self._asking: dict[OrderKey, int] = {}

    def must_have_room(self, settings: WebSettings) -> None:
        """Raises Overloaded when too many wait for the book, or the first has waited too long."""
        writer = self._writer
        if writer.queued > settings.queued_commands_max or (
            writer.waited > settings.queued_seconds_max
        ):
            raise Overloaded(f"{writer.queued} commands are waiting for the book")

    def asking(self, order: Order) -> _Asking:
        """While an order is asked for; tells whether its key is asked for only once just now."""
        return _Asking(self._asking, key_of(order))

    async def answer(
        self, order: Order, error: Overloaded | StoreUnavailable, is_alone: Callable[[], bool]
    ) -> Decided | Refused:
        """What an order got before, when it could not be decided now.

        Raises ``error``, with a time to come back, when its key has paid nothing; Ambiguous when
        nobody can tell.
        """
        if isinstance(error, Ambiguous) or not is_alone():
            raise self._later(Ambiguous()) from error
        try:
            payment = await store.find_by_key(self._pool, self._book_id, order)
        except StoreUnavailable as blind:
            raise self._later(Ambiguous()) from blind
        if payment is not None:
            return answer_again(payment, order)
        if not is_alone():
            raise self._later(Ambiguous()) from error  # asked for again while we looked
        raise self._later(error)

    def _later(self, error: TangguhError) -> TangguhError:
        """The error with a time to come back that nobody else was told."""
        each = self._writer.waited / max(self._writer.queued, 1)
        error.retry_after_seconds = self._spread.seconds(each)
        return error
