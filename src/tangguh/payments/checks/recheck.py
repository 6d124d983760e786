"""Looking again at what was written long ago: a part of the chain, and the rows it speaks of.

A part is some batches. Their rows are hashed anew; then every payment, account and sealed row that
they speak of is compared with what the chain says it became. Reads only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from tangguh.audit.journal import JournalPlan, Row
from tangguh.audit.walk import Head, walk
from tangguh.core.clock import Clock, business_date
from tangguh.db.pages import MAYBE_UNREADABLE, UNREADABLE
from tangguh.db.pool import Connection
from tangguh.ledger import proof as ledger_proof
from tangguh.ledger.checks.pulse import Broken
from tangguh.ledger.plans import ACCOUNT_TERMS, ROW_SEALS
from tangguh.ledger.proof import breaks_among, can_be_partial
from tangguh.ledger.shelf import ShelfPlan
from tangguh.payments import proof as payments_proof
from tangguh.payments.checks.rows import Told, wrong_among, wrong_open
from tangguh.payments.checks.sealed import SealedKeys, rows_not_as_sealed
from tangguh.payments.plans import EVENTS

_OPEN_MAX: Final = 2_000
_BY_PAYMENT: Final = tuple(
    name
    for name in can_be_partial(payments_proof.PROOF)
    if "ANY($2::uuid[])" in payments_proof.PROOF[name]
)
_BY_DEBTOR: Final = tuple(
    name for name in can_be_partial(payments_proof.PROOF) if name not in _BY_PAYMENT
)
_WHOLE: Final = (
    *((payments_proof.PRODUCTS, name) for name in payments_proof.PRODUCTS.names()),
    (payments_proof.PROOF, "advances_add_up"),
    (payments_proof.PROOF, "advances_are_counted_by_account"),
    (payments_proof.PROOF, "every_float_equals_its_purses"),
    (ledger_proof.PROOF, "only_advices_overdraw"),
    (ledger_proof.PROOF, "the_book_is_in_rupiah"),
)
_BY_ACCOUNT: Final = tuple(can_be_partial(ledger_proof.PROOF))


class Trouble(msgspec.Struct, frozen=True):
    """Something broken, and the batch that speaks of it: where to look again."""

    batch_no: int
    broken: Broken


class Part(msgspec.Struct, frozen=True):
    """What was found in some batches. ``end`` is the last link that is there."""

    end: Head
    troubles: list[Trouble]


class _Spoken:
    """Which rows the links of a part speak of, and in which batch."""

    def __init__(self) -> None:
        self.payments: dict[UUID, Told] = {}
        self.accounts: dict[int, int] = {}
        self.keys = SealedKeys(set)

    def note(self, batch_no: int, table: str, rows: Sequence[Row]) -> None:
        """One batch's rows of one table."""
        if table == EVENTS.table:
            for payment_id, seq, _, _, state, _, _, *digest in rows:
                self.payments[payment_id] = Told(
                    batch_no, seq, state, digest[0] if digest else None
                )
        elif table == ACCOUNT_TERMS.table:
            self.accounts |= dict.fromkeys((row[0] for row in rows), batch_no)
        elif table == ROW_SEALS.table:
            for row in rows:
                self.keys[row[0]].add(row[1])


class Recheck:
    """Looks at parts of one book."""

    def __init__(
        self,
        book_id: int,
        journals: Sequence[JournalPlan],
        shelves: Sequence[ShelfPlan[Any, Any]],
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._book_id = book_id
        self._journals = journals
        self._shelves = shelves

    async def part(self, connection: Connection, first: int, last: int) -> Part:
        """Look at the batches from ``first`` to ``last``. Inside a transaction.

        What cannot be read is trouble like any other, of the first batch of the part. Raises what
        kept it from looking.
        """
        troubles: list[Trouble] = []
        for is_second in (False, True):
            spoken, end, troubles = _Spoken(), Head(last), []
            try:
                async with connection.transaction():
                    end, troubles = await self._links(connection, first, last, spoken)
                async with connection.transaction():
                    troubles += await self._rows(connection, first, spoken)
            except MAYBE_UNREADABLE as error:
                if not is_second and not isinstance(error, UNREADABLE):
                    continue  # PostgreSQL has no word for it: asked again it tells
                # Also a key that was made up, which PostgreSQL cannot even compare.
                told = f"batches {first} to {last}: {error}"
                troubles.append(Trouble(first, Broken("row.unreadable", told)))
            return Part(end, troubles)
        return Part(Head(last), troubles)

    async def open_payments(self, connection: Connection) -> list[Broken]:
        """Open payments that are not what the chain says: somebody is about to act on them."""
        wrong = await wrong_open(connection, self._book_id, _OPEN_MAX)
        return [Broken("row.differs", f"payment {one}: {what}") for one, _, what in wrong]

    async def whole(self, connection: Connection) -> list[Broken]:
        """What only the whole book can say; each rule is one query over small tables."""
        found: list[Broken] = []
        for queries, name in _WHOLE:
            rows = await connection.fetch(f"{queries[name]}\nLIMIT 5", self._book_id)
            if rows:
                told = "; ".join(ledger_proof.describe(row) for row in rows)
                found.append(Broken("row.differs", f"{name}: {told}"))
        return found

    async def _links(
        self, connection: Connection, first: int, last: int, spoken: _Spoken
    ) -> tuple[Head, list[Trouble]]:
        end = Head(first - 1)
        troubles: list[Trouble] = []
        async for link in walk(connection, self._book_id, self._journals, first, last):
            end = link.head
            if link.wrong:
                troubles.append(Trouble(end.batch_no, Broken("chain.broken", link.wrong)))
            for table, rows in link.streams:
                spoken.note(end.batch_no, table, rows)
        return end, troubles

    async def _rows(self, connection: Connection, first: int, spoken: _Spoken) -> list[Trouble]:
        troubles = await self._accounts(connection, spoken.accounts)
        troubles += await self._payments(connection, spoken.payments)
        for table, key, what in await rows_not_as_sealed(
            connection, self._book_id, self._shelves, spoken.keys
        ):
            troubles.append(Trouble(first, Broken("row.differs", f"{table} {key}: {what}")))
        return troubles

    async def _accounts(self, connection: Connection, accounts: dict[int, int]) -> list[Trouble]:
        found: list[Trouble] = []
        for name in _BY_ACCOUNT if accounts else ():
            for row in await breaks_among(
                connection, self._book_id, ledger_proof.PROOF, name, accounts
            ):
                account = row["account_id"]
                told = f"account {account}: {name}"
                found.append(Trouble(accounts[account], Broken("row.differs", told, (account,))))
        return found

    async def _payments(self, connection: Connection, told: dict[UUID, Told]) -> list[Trouble]:
        if not told:
            return []
        payments = {payment_id: event.batch_no for payment_id, event in told.items()}
        found = [
            Trouble(payments[payment_id], Broken("row.differs", f"payment {payment_id}: {what}"))
            for payment_id, _, what in await wrong_among(connection, self._book_id, told)
        ]
        for name in _BY_PAYMENT:
            for row in await breaks_among(
                connection, self._book_id, payments_proof.PROOF, name, payments
            ):
                payment_id = row.get("payment_id") or row.get("hold_id")
                what = f"payment {payment_id}: {name}"
                found.append(Trouble(payments[payment_id], Broken("row.differs", what)))
        return found + await self._limits(connection, payments)

    async def _limits(self, connection: Connection, payments: dict[UUID, int]) -> list[Trouble]:
        """What the payers of today's payments have used of their limits."""
        rows = await connection.fetch(
            "SELECT debtor, min(payment_id::text)::uuid AS payment_id FROM payments"
            " WHERE book_id = $1 AND payment_id = ANY($2::uuid[]) AND kind = 'payment'"
            " AND business_date >= $3 GROUP BY debtor",
            self._book_id,
            list(payments),
            business_date(self._clock.now()),
        )
        debtors = {row["debtor"]: payments[row["payment_id"]] for row in rows}
        found = []
        for name in _BY_DEBTOR if debtors else ():
            for row in await breaks_among(
                connection, self._book_id, payments_proof.PROOF, name, debtors
            ):
                account = row.get("account_id") or row.get("debtor")
                told = f"account {account}: {name}"
                found.append(Trouble(debtors[account], Broken("row.differs", told, (account,))))
        return found
