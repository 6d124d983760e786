"""The clock of money back: looks at what is due and has the book decide, round after round.

Nothing is kept in memory between rounds, so a restart forgets nothing; each decision is made once
in the book however often it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from tangguh.core.errors import TangguhError
from tangguh.core.listeners import Listeners
from tangguh.core.outcome import Refused
from tangguh.core.supervision import beat
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.payments import store as payments
from tangguh.payments.desk import Desk
from tangguh.payments.payment import Payment
from tangguh.payments.redress.advance import GiveAdvance, TakeBack
from tangguh.payments.redress.late import PayLate
from tangguh.payments.redress.policy import RedressPolicy
from tangguh.payments.redress.rows import REDRESS, Redress

log = structlog.get_logger("payments.redress")
_QUERIES: Final = Queries("tangguh.payments.redress", "redress.sql")

Told = Callable[[str, Payment], None]
"""Called with what was done (advanced, advance_refused, advance_back, late_paid) and the payment.

Must not block.
"""


class RedressClock:
    """Works through what is due until stopped. One per book."""

    def __init__(self, desk: Desk, pool: Pool, book_id: int, policy: RedressPolicy) -> None:
        self._desk = desk
        self._pool = pool
        self._book_id = book_id
        self.policy = policy
        self._told = Listeners[[str, Payment]]()

    def tell(self, told: Told) -> None:
        """Have somebody told of everything that was done."""
        self._told.add(told)

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            beat()
            try:
                await self.round()
            except TangguhError as trouble:
                log.warning("redress.round_failed", why=str(trouble))
            await self._desk.clock.sleep(self.policy.round_seconds)

    async def round(self) -> int:
        """Do everything that is due now, up to the most per round; how many things were done."""
        now, policy, most = self._desk.clock.now(), self.policy, self.policy.per_round_max
        old_enough = now - timedelta(seconds=policy.advance_after_seconds)
        late = now - timedelta(seconds=policy.late_after_seconds)
        done = 0
        for payment_id in await self._due("to_advance", old_enough, most):
            give = GiveAdvance(payment_id=payment_id, policy=policy)
            answer = await self._desk.decide(give)
            done += self._did("advanced", answer)
            if isinstance(answer, Refused):
                await self._tell_refused(payment_id)
        for payment_id in await self._due("to_take_back", now, most):
            take = TakeBack(payment_id=payment_id, policy=policy)
            done += self._did("advance_back", await self._desk.decide(take))
        for payment_id in await self._due("to_pay_late", late, policy.late_days_max, most):
            pay = PayLate(payment_id=payment_id, policy=policy)
            done += self._did("late_paid", await self._desk.decide(pay))
        return done

    async def _tell_refused(self, payment_id: UUID) -> None:
        """The limit is over for this one too, though the bank cannot advance it."""
        payment = await payments.find(self._pool, self._book_id, payment_id)
        if payment is not None and payment.is_open:
            self._told.tell("advance_refused", payment)

    async def _due(self, query: str, *values: object) -> list[UUID]:
        rows = await self._pool.fetch(_QUERIES[query], self._book_id, *values)
        return [row["payment_id"] for row in rows]

    def _did(self, what: str, answer: object) -> int:
        if isinstance(answer, Refused):
            log.info("redress.refused", what=what, why=answer.detail)
            return 0
        payment = getattr(answer, "payment", None)
        if payment is None or getattr(answer, "repeated", True):
            return 0
        self._told.tell(what, payment)
        return 1


async def redress_of(pool: Pool, book_id: int, payment_ids: list[UUID]) -> dict[UUID, Redress]:
    """What was done about some payments, by payment."""
    rows = await pool.fetch(_QUERIES["redress_of_payments"], book_id, payment_ids)
    return dict(REDRESS.read(row) for row in rows)
