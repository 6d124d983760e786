"""Every money invariant of the bank on one snapshot: the ledger's, the payments', the chain."""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.audit.journal import JournalPlan
from tangguh.db.pool import Connection
from tangguh.db.queries import Queries
from tangguh.ledger import proof as ledger_proof
from tangguh.ledger.plans import LEDGER_JOURNALS
from tangguh.ledger.proof import Invariant
from tangguh.payments.plans import PAYMENT_JOURNALS

PROOF: Final = Queries("tangguh.payments", "proof.sql")


class Proof(msgspec.Struct, frozen=True):
    """The outcome: whether everything holds, each invariant, and the size of what was proved."""

    passed: bool
    invariants: list[Invariant]
    accounts: int
    entries: int


async def prove(
    connection: Connection, book_id: int, journals_beside: tuple[JournalPlan, ...] = ()
) -> Proof:
    """Check every invariant of one book in one read-only snapshot.

    ``journals_beside``: further append-only tables that are in the book's hash chain.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        # Every query here reads whole tables. On a table PostgreSQL has no statistics of yet it
        # would choose nested loops, and a proof of minutes would take hours.
        await connection.execute("SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '256MB'")
        invariants = await ledger_proof.prove(
            connection, book_id, ledger_proof.PROOF, ledger_proof.LEDGER_INVARIANTS
        )
        invariants += await ledger_proof.prove(connection, book_id, PROOF, PROOF.names())
        journals = (*LEDGER_JOURNALS, *PAYMENT_JOURNALS, *journals_beside)
        invariants.append(await ledger_proof.prove_chain(connection, book_id, journals))
        accounts, entries = await ledger_proof.counts(connection, book_id)
    return Proof(all(one.holds for one in invariants), invariants, accounts, entries)
