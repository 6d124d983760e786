"""Whose payments an incident touched, and what became of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from tangguh.core.clock import Clock
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.ledger import chart
from tangguh.payments.payment import Payment
from tangguh.payments.plans import read_payment
from tangguh.status.incident import Incident, Money

INCIDENTS: Final = Queries("tangguh.work.incidents", "incidents.sql")
_BEFORE: Final = timedelta(minutes=15)
"""The trouble was there before it was noticed: payments of this time before it count too."""
_PAYMENTS_MAX: Final = 100_000


class Heap(msgspec.Struct, frozen=True):
    """One person's payments in an incident. Sums in minor units, with tip and fee.

    ``open_since``: when each that is open was accepted.
    """

    customer_id: int
    language: str
    affected: int
    affected_minor: int
    open: int
    open_minor: int
    came_back: int
    came_back_minor: int
    arrived: int
    arrived_minor: int
    open_since: tuple[datetime, ...] = ()


class Affected:
    """Finds and counts them, for one book."""

    def __init__(self, pool: Pool, book_id: int, clock: Clock, old_enough_seconds: float) -> None:
        self._pool = pool
        self._book_id = book_id
        self._clock = clock
        self._old_enough = timedelta(seconds=old_enough_seconds)

    async def sweep(self, incident: Incident) -> list[Heap]:
        """Keep whoever is touched now, while the service is not restored; everybody's heaps."""
        now = self._clock.now()
        if incident.restored_at is None:
            await self._pool.fetch(
                INCIDENTS["sweep"],
                self._book_id,
                incident.id,
                list(incident.components),
                incident.begun_at - _BEFORE,
                now - self._old_enough,
                now,
                chart.PROBES,
            )
        rows = await self._pool.fetch(INCIDENTS["heaps"], self._book_id, incident.id)
        return [
            Heap(
                row["customer_id"],
                row["language"] or "id",
                row["affected"],
                row["affected_minor"],
                row["open"],
                row["open_minor"],
                row["came_back"],
                row["came_back_minor"],
                row["arrived"],
                row["arrived_minor"],
                tuple(row["open_since"] or ()),
            )
            for row in rows
        ]

    async def payments(self, incident_id: UUID) -> list[Payment]:
        """Every payment an incident touched."""
        rows = await self._pool.fetch(
            INCIDENTS["payments_of_incident"], self._book_id, incident_id, _PAYMENTS_MAX
        )
        return [read_payment(row) for row in rows]

    async def is_told_by_incident(self, payment_id: UUID) -> bool:
        """Whether an incident tells this payment's owner of it."""
        row = await self._pool.fetchrow(INCIDENTS["incident_of_payment"], self._book_id, payment_id)
        return row is not None


def money_of(heaps: list[Heap], now: datetime) -> Money:
    """All heaps together."""
    return Money(
        affected=sum(one.affected for one in heaps),
        affected_minor=sum(one.affected_minor for one in heaps),
        open=sum(one.open for one in heaps),
        open_minor=sum(one.open_minor for one in heaps),
        came_back=sum(one.came_back for one in heaps),
        came_back_minor=sum(one.came_back_minor for one in heaps),
        arrived=sum(one.arrived for one in heaps),
        arrived_minor=sum(one.arrived_minor for one in heaps),
        counted_at=now,
    )
