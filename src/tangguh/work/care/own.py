"""The bank complains for its customers: a payment that stayed unanswered is a case without a tap.

Who was debited for a payment nobody confirms has a number and a clock by themselves (E27). The case
comes with the advance or with its refusal, which is when the bank's own limit is over.
"""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID, uuid5

import structlog

from tangguh.core.clock import Clock
from tangguh.core.errors import TangguhError
from tangguh.core.outcome import Refused
from tangguh.core.supervision import beat
from tangguh.customers import store as customers
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.disputes.case import About
from tangguh.disputes.complaints import BANK, Complaint, Complaints
from tangguh.payments.payment import Payment
from tangguh.payments.plans import read_payment

log = structlog.get_logger("care.own")

_CASE: Final = UUID("6f776e00-0000-5700-8000-000000000001")
_QUERIES: Final = Queries("tangguh.work.care", "care.sql")
_LEFT_MAX: Final = 20_000
_ROUND_SECONDS: Final = 1.0
_LIMIT_OVER: Final = frozenset({"advanced", "advance_refused"})


class OwnCases:
    """Opens them. One per book; a case is opened once for its payment, whoever asks."""

    def __init__(self, complaints: Complaints, pool: Pool, book_id: int, clock: Clock) -> None:
        self._complaints = complaints
        self._pool = pool
        self._book_id = book_id
        self._clock = clock
        self._left: asyncio.Queue[Payment] = asyncio.Queue(_LEFT_MAX)
        self._is_behind = False

    def see_redress(self, what: str, payment: Payment) -> None:
        """The limit of an unanswered payment is over. Must not block."""
        if what in _LIMIT_OVER and payment.customer_id:
            if self._left.full():  # the book has it, and it is taken up from there
                self._is_behind = True
                return
            self._left.put_nowait(payment)

    async def start(self) -> int:
        """Take up what was heard and not opened, as by a process that died; how many there were."""
        self._is_behind = False
        rows = await self._pool.fetch(_QUERIES["limit_over_without_case"], self._book_id)
        for row in rows:
            payment = read_payment(row)
            self.see_redress("advanced", payment)
        return len(rows)

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            beat()
            try:
                await self.round()
            except TangguhError as trouble:
                log.warning("care.own_round_failed", why=str(trouble))
                self._is_behind = True
            await self._clock.sleep(_ROUND_SECONDS)

    async def round(self) -> int:
        """Open a case for each payment whose limit is over; how many."""
        if self._is_behind:
            await self.start()
        opened = 0
        while not self._left.empty():
            payment = self._left.get_nowait()
            customer = await customers.find(self._pool, self._book_id, payment.customer_id)
            said = Complaint(
                case_id=uuid5(_CASE, payment.id.hex),
                customer_id=payment.customer_id,
                about=About.FAILED_DEBITED,
                text="",
                channel=BANK,
                language=customer.language if customer is not None else "id",
                payment_id=payment.id,
            )
            opened += not isinstance(await self._complaints.open(said), Refused)
        return opened
