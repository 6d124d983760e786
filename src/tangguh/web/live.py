"""Tells whoever is looking at a payment that it has changed. In memory, for this process only.

A watcher that misses a change loses nothing: the page asks the book whenever it connects.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from tangguh.core.errors import Overloaded
from tangguh.payments.payment import Payment


class Live:
    """Who watches which payment: so many at once, and so many of one customer."""

    def __init__(self, streams_max: int, each_max: int) -> None:
        self._streams_max = streams_max
        self._each_max = each_max
        self._each: dict[int, int] = {}
        self._watchers: dict[UUID, set[asyncio.Event]] = {}
        self._streams = 0
        self.closing = False

    def tell(self, payment: Payment) -> None:
        """Wake everybody who watches this payment, or the one it refunds."""
        for payment_id in (payment.id, payment.original_id):
            if payment_id is not None:
                for event in self._watchers.get(payment_id, ()):
                    event.set()

    def close(self) -> None:
        """Wake everybody for the last time."""
        self.closing = True
        for events in self._watchers.values():
            for event in events:
                event.set()

    @asynccontextmanager
    async def watching(self, payment_id: UUID, customer_id: int) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever the payment changes.

        Raises Overloaded when the customer, or everybody together, watches enough already.
        """
        mine = self._each.get(customer_id, 0)
        if self._streams >= self._streams_max or mine >= self._each_max:
            raise Overloaded("too many pages are watching payments")
        event = asyncio.Event()
        self._streams += 1
        self._each[customer_id] = mine + 1
        self._watchers.setdefault(payment_id, set()).add(event)
        try:
            yield event
        finally:
            self._streams -= 1
            if self._each[customer_id] > 1:
                self._each[customer_id] -= 1
            else:
                del self._each[customer_id]
            watchers = self._watchers[payment_id]
            watchers.discard(event)
            if not watchers:
                del self._watchers[payment_id]
