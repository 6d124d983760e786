"""What may leave by a device that is still new: large sums wait, also when they are cut in pieces.

Whoever takes over an account does it with a new device, at night, and in a hurry. So on one known
for less than a day everything ordered since the customer's first new device became known counts
together, codes too: one more device is no new allowance. Counted in
memory by the one process that takes orders, from what the book has; reserved before an order is
handed on, so that many at once are not each the first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

import msgspec

from tangguh.access.devices import Devices
from tangguh.access.session import Session
from tangguh.core.clock import Clock
from tangguh.core.ids import first_at
from tangguh.core.money import format_decimal
from tangguh.core.outcome import Refusal, Refused
from tangguh.customers import codes
from tangguh.db.pool import Pool
from tangguh.payments.limits.spent import spent_since

_CUSTOMERS_MAX: Final = 10_000


class Place(msgspec.Struct):
    """A sum kept free for one order. ``give_back`` when the order took none of it."""

    minor: int
    is_given_back: bool = False

    def give_back(self) -> None:
        """It was refused, or had been paid before."""
        self.is_given_back = True


class _Spent(msgspec.Struct):
    since: datetime
    minor: int
    reserved: int = 0


class Cooling:
    """The new devices of one door."""

    def __init__(self, pool: Pool, book_id: int, clock: Clock, devices: Devices) -> None:
        self._pool = pool
        self._book_id = book_id
        self._clock = clock
        self._devices = devices
        self._spent: OrderedDict[int, _Spent] = OrderedDict()

    def is_cooling(self, session: Session) -> bool:
        """Whether the session's device became known so lately that large sums wait."""
        known_at = session.device_known_at
        if known_at is None:
            return False
        age = (self._clock.now() - known_at).total_seconds()
        return age < self._devices.settings.cooling_seconds

    @asynccontextmanager
    async def place(self, session: Session, minor: int) -> AsyncIterator[Place | Refused]:
        """Room for an order of so much, or LIMIT_PER_TRANSACTION; kept unless given back."""
        most, known_at = self._devices.settings.cooling_minor, session.device_known_at
        if known_at is None or not self.is_cooling(session):
            yield Place(minor)
            return
        if minor > most:
            yield self._refused(most)
            return
        spent = await self._spent_by(session.customer_id, known_at)
        if minor > self._left(spent):
            await self._read_again(session.customer_id, spent)
        if minor > self._left(spent):
            yield self._refused(self._left(spent))
            return
        spent.reserved += minor
        place = Place(minor)
        try:
            yield place
        finally:
            spent.reserved -= minor
            if not place.is_given_back:
                spent.minor += minor

    async def left_where_short(self, session: Session, minor: int) -> int | None:
        """What may still leave on a new device where ``minor`` would not fit. None: it fits."""
        known_at = session.device_known_at
        if known_at is None or not self.is_cooling(session):
            return None
        spent = await self._spent_by(session.customer_id, known_at)
        left = self._left(spent)
        if minor > left:
            await self._read_again(session.customer_id, spent)
            left = self._left(spent)
        return max(left, 0) if minor > left else None

    def _left(self, spent: _Spent) -> int:
        return self._devices.settings.cooling_minor - spent.minor - spent.reserved

    async def _spent_by(self, customer_id: int, known_at: datetime) -> _Spent:
        known = self._fresh(customer_id, known_at)
        if known is not None:
            return known
        since = min(known_at, await self._devices.first_new(customer_id) or known_at)
        minor = await self._read(customer_id, since)
        known = self._fresh(customer_id, known_at)  # of another order, which read at the same time
        if known is None:
            known = self._spent[customer_id] = _Spent(since, minor)
        self._spent.move_to_end(customer_id)
        while len(self._spent) > _CUSTOMERS_MAX:
            self._spent.popitem(last=False)
        return known

    def _fresh(self, customer_id: int, known_at: datetime) -> _Spent | None:
        """What is counted since a device that is still new, and was before this one was known."""
        known = self._spent.get(customer_id)
        if known is None or known.since > known_at:
            return None
        age = (self._clock.now() - known.since).total_seconds()
        return known if age < self._devices.settings.cooling_seconds else None

    async def _read_again(self, customer_id: int, spent: _Spent) -> None:
        """What came back meanwhile may be spent again; not while anything is under way."""
        before = spent.minor
        minor = await self._read(customer_id, spent.since)
        if not spent.reserved and spent.minor == before:
            spent.minor = minor

    async def _read(self, customer_id: int, since: datetime) -> int:
        pool, book_id, now = self._pool, self._book_id, self._clock.now()
        paid = await spent_since(pool, book_id, customer_id, first_at(since))
        return paid + await codes.open_minor(pool, book_id, customer_id, since, now)

    def _refused(self, left: int) -> Refused:
        why = f"this device is new: at most {format_decimal(max(left, 0))} more on its first day"
        return Refused(Refusal.LIMIT_PER_TRANSACTION, "amount", why)
