"""Every money invariant of the bank on one snapshot: the ledger's, the payments', the chain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec

from tangguh.audit.journal import JournalPlan
from tangguh.db.pool import Connection
from tangguh.db.queries import Queries
from tangguh.ledger import proof as ledger_proof
from tangguh.ledger.checks.look import Invariant, looked
from tangguh.ledger.plans import LEDGER_JOURNALS, ROW_SEALS
from tangguh.ledger.shelf import ShelfPlan
from tangguh.payments.checks.rows import wrong_payments
from tangguh.payments.checks.sealed import rows_not_as_sealed, sealed
from tangguh.payments.plans import PAYMENT_JOURNALS, PAYMENT_SHELVES

PROOF: Final = Queries("tangguh.payments", "proof.sql")
PRODUCTS: Final = Queries("tangguh.customers", "proof.sql")
TARIFF_PROOF: Final = Queries("tangguh.payments", "proof_tariff.sql")
"""Fees, discounts and creditors by what was in force at each payment's instant."""

_SHOWN_MAX: Final = 5


class Proof(msgspec.Struct, frozen=True):
    """The outcome: whether everything holds, each invariant, and the size of what was proved.

    ``passed`` only when each was looked at and holds. The sizes are None when they are unreadable.
    """

    passed: bool
    invariants: list[Invariant]
    accounts: int | None
    entries: int | None


async def prove(
    connection: Connection,
    book_id: int,
    journals_beside: tuple[JournalPlan, ...] = (),
    shelves_beside: Sequence[ShelfPlan[Any, Any]] = (),
) -> Proof:
    """Check every invariant of one book in one read-only snapshot.

    ``journals_beside``: further append-only tables that are in the book's hash chain.
    ``shelves_beside``: further tables of which the chain has digests.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        # Every query here reads whole tables. On a table PostgreSQL has no statistics of yet it
        # would choose nested loops, and a proof of minutes would take hours.
        await connection.execute("SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '256MB'")
        invariants = await ledger_proof.prove(
            connection, book_id, ledger_proof.PROOF, ledger_proof.LEDGER_INVARIANTS
        )
        for queries in (PROOF, TARIFF_PROOF, PRODUCTS):
            invariants += await ledger_proof.prove(connection, book_id, queries, queries.names())
        journals = (*LEDGER_JOURNALS, *PAYMENT_JOURNALS, *journals_beside)
        invariants.append(await ledger_proof.prove_chain(connection, book_id, journals))
        # These look rows up one by one.
        await connection.execute("SET LOCAL enable_nestloop = on")
        plans = sealed((*PAYMENT_SHELVES, *shelves_beside))
        for name, look in (
            ("payments_are_as_their_events_left_them", _payments(connection, book_id)),
            ("sealed_rows_are_as_the_chain_left_them", _sealed(connection, book_id, plans)),
        ):
            invariants.append(await looked(connection, name, look))
        counted = await ledger_proof.counts(connection, book_id)
    accounts, entries = counted or (None, None)
    passed = all(one.holds is True for one in invariants)
    return Proof(passed, invariants, accounts, entries)


def _payments(connection: Connection, book_id: int) -> Callable[[], Awaitable[str]]:
    async def look() -> str:
        """FROM payments JOIN payment_events"""
        wrong = await wrong_payments(connection, book_id, _SHOWN_MAX)
        return "; ".join(f"payment {payment_id}: {what}" for payment_id, _, what in wrong)

    return look


def _sealed(
    connection: Connection, book_id: int, plans: Sequence[ShelfPlan[Any, Any]]
) -> Callable[[], Awaitable[str]]:
    async def look() -> str:
        wrong = await rows_not_as_sealed(connection, book_id, plans)
        return "; ".join(f"{table} {key}: {what}" for table, key, what in wrong[:_SHOWN_MAX])

    tables = (ROW_SEALS.table, *(plan.table for plan in plans))
    look.__doc__ = " ".join(f"FROM {table}" for table in tables)
    return look
