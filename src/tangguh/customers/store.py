"""Reading and enrolling customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from tangguh.db.pool import Pool, Record
from tangguh.db.queries import Queries
from tangguh.ledger.chart import Kind

CUSTOMERS: Final = Queries("tangguh.customers", "customers.sql")


class Customer(msgspec.Struct, frozen=True):
    """A person or company. ``phone`` is E.164 without the plus; ``language`` is id or en."""

    customer_id: int
    phone: str
    full_name: str
    language: str


class Held(msgspec.Struct, frozen=True):
    """An account a customer has, with its balances in minor units."""

    account_id: int
    product: str
    posted_minor: int
    held_minor: int
    floor_minor: int
    state: str
    tier: str = ""

    @property
    def available_minor(self) -> int:
        """What may be spent now."""
        return self.posted_minor - self.held_minor - self.floor_minor


class Owner(msgspec.Struct, frozen=True):
    """Whose account a number is. ``waits``: what is on it is theirs at the next cut-off."""

    customer_id: int
    full_name: str
    product: str
    waits: bool = False


async def enrol(
    pool: Pool, book_id: int, people: Sequence[Customer], accounts: Sequence[tuple[int, int, str]]
) -> None:
    """Add customers and their accounts (customer id, account id, product). Repeats do nothing."""
    async with pool.transaction() as connection:
        await connection.execute(
            CUSTOMERS["add_customers"],
            book_id,
            [person.customer_id for person in people],
            [person.phone for person in people],
            [person.full_name for person in people],
            [person.language for person in people],
        )
        await connection.execute(
            CUSTOMERS["add_customer_accounts"],
            book_id,
            [customer_id for customer_id, _, _ in accounts],
            [account_id for _, account_id, _ in accounts],
            [product for _, _, product in accounts],
        )


async def by_phone(pool: Pool, book_id: int, phone: str) -> Customer | None:
    """Who has this phone number, or None."""
    return _customer(await pool.fetchrow(CUSTOMERS["customer_of_phone"], book_id, phone))


async def find(pool: Pool, book_id: int, customer_id: int) -> Customer | None:
    """One customer, or None."""
    return _customer(await pool.fetchrow(CUSTOMERS["customer"], book_id, customer_id))


async def accounts_of(pool: Pool, book_id: int, customer_id: int) -> list[Held]:
    """A customer's accounts with balances."""
    rows = await pool.fetch(CUSTOMERS["accounts_of_customer"], book_id, customer_id)
    return [
        Held(
            row["account_id"],
            row["product"],
            row["posted_minor"],
            row["held_minor"],
            row["floor_minor"] or 0,
            row["state"],
            row["tier"],
        )
        for row in rows
    ]


async def owner_of(pool: Pool, book_id: int, account_id: int) -> Owner | None:
    """Whose account a number is, or None."""
    row = await pool.fetchrow(CUSTOMERS["owner_of_account"], book_id, account_id)
    return Owner(row["customer_id"], row["full_name"], row["product"]) if row is not None else None


async def receiver_of(pool: Pool, book_id: int, account_id: int) -> Owner | None:
    """Whose the money on an account is: its owner's, or the merchant's for whom it waits there.

    Not for whom a customer may pay: what waits for a cut-off is no account of theirs.
    """
    row = await pool.fetchrow(CUSTOMERS["receiver_at_account"], book_id, account_id)
    if row is None:
        return None
    return Owner(row["customer_id"], row["full_name"], "", row["kind"] == Kind.PAYABLE)


async def set_language(pool: Pool, book_id: int, customer_id: int, language: str) -> None:
    """Remember the language a customer reads (id or en)."""
    await pool.fetch(CUSTOMERS["set_language"], book_id, customer_id, language)


async def demo_people(pool: Pool, book_id: int, count_max: int) -> list[Record]:
    """The seeded customers with accounts and balances."""
    return await pool.fetch(CUSTOMERS["demo_customers"], book_id, count_max)


def _customer(row: Record | None) -> Customer | None:
    if row is None:
        return None
    return Customer(row["customer_id"], row["phone"], row["full_name"], row["language"])
