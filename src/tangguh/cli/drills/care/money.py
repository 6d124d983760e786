"""Whose money is where at the end: balances, the bank's advances, and what settlement listed.

The networks' own books say what people bought and what came back; nothing here decides what is
right.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final

import msgspec

from tangguh.cli.drills.report import Notes, Report, oracles_with, verdict
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.ending import Ending
from tangguh.cli.drills.settling import back_office, settle
from tangguh.cli.household import Household
from tangguh.core.clock import Clock
from tangguh.db.pool import Pool
from tangguh.ledger import chart
from tangguh.payments.redress.rows import REDRESS, Redress
from tangguh.settlement.breaks import Break
from tangguh.settlement.store import open_breaks

_BALANCES: Final = (
    "SELECT account_id, posted_minor, held_minor FROM accounts"
    " WHERE book_id = $1 AND account_id = ANY($2::bigint[])"
)
_REDRESS: Final = (
    "SELECT payment_id, account_id, advance, advance_minor, advanced_at, take_back_at, why_not,"
    " late_days, late_minor, chargeback, came_back_by FROM redress WHERE book_id = $1"
)
_HAPPENED: Final = (
    "SELECT what, count(*) AS times FROM redress_events WHERE book_id = $1 GROUP BY what"
)
_UNDECIDED: Final = (
    "SELECT count(*) AS rows FROM payments AS p WHERE p.book_id = $1 AND p.state = 'unanswered'"
    " AND p.kind = 'payment' AND NOT EXISTS (SELECT 1 FROM redress AS r"
    " WHERE r.book_id = p.book_id AND r.payment_id = p.payment_id"
    " AND (r.advance <> 'none' AND (r.advance <> 'refused' OR r.late_days > 0)))"
)
"""Unanswered payments that have neither the bank's advance nor what it pays for waiting."""
_GAINED: Final = (
    "SELECT p.payment_id, sum(e.amount_minor)::bigint AS minor FROM payments AS p"
    " JOIN postings AS po ON po.book_id = p.book_id AND (po.posting_id = p.payment_id"
    "   OR po.note = 'payment ' || p.payment_id AND po.kind <> 'compensation'"
    "   OR po.posting_id IN (SELECT r.payment_id FROM payments AS r"
    "                         WHERE r.book_id = p.book_id AND r.original_id = p.payment_id))"
    " JOIN entries AS e ON e.book_id = po.book_id AND e.posting_id = po.posting_id"
    "  AND e.account_id = p.debtor"
    " WHERE p.book_id = $1 AND p.kind = 'payment' GROUP BY p.payment_id"
    " HAVING sum(e.amount_minor) > 0"
)
"""Payments whose payer has more than before: the money came back by more than one way."""


class Has(msgspec.Struct, frozen=True):
    """What stands on one account, in minor units."""

    posted_minor: int
    held_minor: int


class Whereabouts:
    """Reads the book beside the bank."""

    def __init__(self, pool: Pool, book_id: int, clock: Clock) -> None:
        self._pool = pool
        self._book_id = book_id
        self._clock = clock

    @classmethod
    async def of(cls, household: Household, clock: Clock) -> Whereabouts:
        """The book of a household; ``close`` it."""
        pool = await Pool.open(household.dsn, size_max=1)
        return cls(pool, household.settings.book.book_id, clock)

    async def close(self) -> None:
        """Let go of the database."""
        await self._pool.close()

    async def balances(self, accounts: Iterable[int]) -> dict[int, Has]:
        """What stands on these accounts."""
        rows = await self._pool.fetch(_BALANCES, self._book_id, list(accounts))
        return {row["account_id"]: Has(row["posted_minor"], row["held_minor"]) for row in rows}

    async def advances_minor(self) -> int:
        """What the bank has out in advances."""
        return -(await self.balances([chart.ADVANCES]))[chart.ADVANCES].posted_minor

    async def redress(self) -> list[Redress]:
        """What was done about payments."""
        rows = await self._pool.fetch(_REDRESS, self._book_id)
        return [REDRESS.read(row)[1] for row in rows]

    async def happened(self) -> dict[str, int]:
        """How often each thing was done about payments."""
        rows = await self._pool.fetch(_HAPPENED, self._book_id)
        return {row["what"]: row["times"] for row in sorted(rows, key=lambda one: one["what"])}

    async def gained(self) -> int:
        """How many payments have left their payer with more than before."""
        return len(await self._pool.fetch(_GAINED, self._book_id))

    async def until_looked_after(self, seconds_max: float) -> bool:
        """Whether, in time, everybody who waits has an advance or is paid for waiting."""
        return await self._until(seconds_max, self._is_looked_after)

    async def until_advances_are(self, minor: int, seconds_max: float) -> bool:
        """Whether, in time, no more than this is out in advances."""

        async def is_so() -> bool:
            return await self.advances_minor() <= minor

        return await self._until(seconds_max, is_so)

    async def _is_looked_after(self) -> bool:
        row = await self._pool.fetchrow(_UNDECIDED, self._book_id)
        return row is not None and row["rows"] == 0

    async def _until(self, seconds_max: float, is_so: Any) -> bool:
        deadline = self._clock.monotonic() + seconds_max
        while self._clock.monotonic() < deadline:
            if await is_so():
                return True
            await self._clock.sleep(0.1)
        return False


async def settled(
    household: Household, control: str, days: Iterable[date], now: datetime
) -> list[Break]:
    """Settle every cycle of a stopped bank's days; the breaks that are open then."""
    async with back_office(household.dsn, now) as office:
        async for _ in settle(office, control, sorted(set(days))):
            pass
        return await open_breaks(office.pool, office.book_id)


def report_of_money(
    drill: str,
    seed: int,
    card: Card,
    ending: Ending,
    notes: Notes,
    *,
    sometimes: dict[str, bool],
    measures: dict[str, Any],
    plan: str,
) -> Report:
    """The report of a drill that has no picture."""
    oracles = oracles_with(card, ending.proof)
    broken = [one.name for one in ending.proof.invariants if not one.holds]
    measures = measures | {"payments": len(ending.payments), "broken": broken}
    passed = verdict(oracles, sometimes, ending.proof)
    return Report(
        drill, seed, passed, oracles, sometimes, measures, notes.moments, card.lines, plan
    )
