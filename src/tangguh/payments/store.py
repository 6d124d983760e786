"""Reading payments from PostgreSQL: lists, timelines, what is due. Only the writer writes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec

from tangguh.core.service import BILL
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.payments.payment import Order, Payment, State
from tangguh.payments.plans import SQL, key_of, read_payment
from tangguh.payments.tariff import Change

PAYMENTS: Final = Queries(*SQL)
NEWEST: Final = UUID(int=2**128 - 1)
"""The cursor before the newest payment."""


class Event(msgspec.Struct, frozen=True):
    """One line of a payment's timeline: a server time, the state after it, and why."""

    seq: int
    at: datetime
    state: State
    what: str
    detail: str


async def find(pool: Pool, book_id: int, payment_id: UUID) -> Payment | None:
    """One payment, or None."""
    row = await pool.fetchrow(PAYMENTS["find_payment"], book_id, payment_id)
    return read_payment(row) if row is not None else None


async def find_by_key(pool: Pool, book_id: int, order: Order) -> Payment | None:
    """The payment that an order's key made, whatever was ordered with it; or None."""
    rows = await pool.fetch(PAYMENTS["load_order_keys"], book_id, [key_of(order)])
    return await find(pool, book_id, rows[0]["payment_id"]) if rows else None


async def find_by_wire(pool: Pool, book_id: int, rail: str, wire: str) -> Payment | None:
    """The payment a network's reference names, or None."""
    row = await pool.fetchrow(PAYMENTS["find_by_wire"], book_id, rail, wire)
    return read_payment(row) if row is not None else None


async def of_customer(
    pool: Pool, book_id: int, customer_id: int, before: UUID = NEWEST, count_max: int = 50
) -> list[Payment]:
    """A customer's payments, newest first, before a cursor (a payment's id)."""
    rows = await pool.fetch(
        PAYMENTS["payments_of_customer"], book_id, customer_id, before, count_max
    )
    return [read_payment(row) for row in rows]


async def open_of_customer(pool: Pool, book_id: int, customer_id: int) -> list[Payment]:
    """Those whose end nobody knows yet."""
    rows = await pool.fetch(PAYMENTS["open_payments_of_customer"], book_id, customer_id, 50)
    return [read_payment(row) for row in rows]


async def timeline(pool: Pool, book_id: int, payment_id: UUID) -> list[Event]:
    """What happened to a payment, in order."""
    rows = await pool.fetch(PAYMENTS["events_of_payment"], book_id, payment_id)
    return [
        Event(row["seq"], row["at"], State(row["state"]), row["what"], row["detail"])
        for row in rows
    ]


def receipt_of(events: list[Event]) -> str:
    """What the payee gave: kept with the line of the timeline in which it was paid."""
    return next((event.detail for event in events if event.what == "posted"), "")


async def token_of(pool: Pool, book_id: int, payment: Payment) -> str:
    """The power token a biller gave for a payment; empty for any other service, or before it."""
    if payment.service != BILL["prepaid"]:
        return ""
    return receipt_of(await timeline(pool, book_id, payment.id))


async def refunds(pool: Pool, book_id: int, payment_id: UUID) -> list[Payment]:
    """The refunds of one payment, oldest first."""
    rows = await pool.fetch(PAYMENTS["refunds_of_payment"], book_id, payment_id)
    return [read_payment(row) for row in rows]


async def to_resolve(pool: Pool, book_id: int, now: datetime, count_max: int) -> list[Payment]:
    """Open payments whose time to be looked at has come, the longest overdue first."""
    rows = await pool.fetch(PAYMENTS["payments_to_resolve"], book_id, now, count_max)
    return [read_payment(row) for row in rows]


async def used_today(pool: Pool, book_id: int, account_id: int, service: str, today: date) -> int:
    """What an account has used of a service's or channel's limit on a day, in minor units.

    A month's use stands under ``service:month`` and the first of the month.
    """
    row = await pool.fetchrow(PAYMENTS["used_today"], book_id, account_id, service, today)
    return int(row["used_minor"]) if row is not None else 0


async def every_payment(pool: Pool, book_id: int) -> list[Payment]:
    """All payments of a book, oldest first. For drills: it reads the whole table."""
    rows = await pool.fetch(PAYMENTS["every_payment"], book_id)
    return [read_payment(row) for row in rows]


async def tariff_changes(pool: Pool, book_id: int) -> list[Change]:
    """Every change of limits and fees, oldest first."""
    rows = await pool.fetch(PAYMENTS["tariff_changes"], book_id)
    return [
        Change(
            at=row["at"],
            kind=row["kind"],
            name=row["name"],
            value=row["value_json"],
            changed_by=row["changed_by"],
            approved_by=row["approved_by"],
            reason=row["reason"],
        )
        for row in rows
    ]
