"""Finds the truth of the unanswered: inquire by the rail's own schedule, then post or void.

The list of what is owed a look is the payments' own ``resolve_at``, promised in the batch that
held the money, so a crash between any two lines of the walk leaves its payment on this list.
A payment still ``held`` after its send time-out counts as unanswered, never as not sent: the
crash may have come after the send (ADR-0005).
"""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec
import structlog

from tangguh.core.errors import TangguhError
from tangguh.core.marks import always
from tangguh.core.order import RefundOrder
from tangguh.core.outcome import NotSent, Outcome, Unanswered
from tangguh.core.supervision import beat
from tangguh.db.pool import Pool
from tangguh.ledger.expiry import expire_due
from tangguh.payments import store
from tangguh.payments.checks.find import Find
from tangguh.payments.decide import Conclude
from tangguh.payments.desk import Desk, instruction_of, refunding_of
from tangguh.payments.gates.parked import release
from tangguh.payments.payment import Payment, State
from tangguh.rails.rail import NO_FACTS, Announcing, Facts

log = structlog.get_logger("payments.resolver")

NOT_FOUND: Final = "not_found"
"""What a rail's inquiry says when the network has never seen the reference."""


class ResolverSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the resolver works through its list."""

    round_seconds: float = 0.5
    payments_per_round_max: int = 200
    inquiries_at_once_max: int = 16


class Resolver:
    """Works through the list until stopped. One per book."""

    def __init__(self, desk: Desk, pool: Pool, book_id: int, settings: ResolverSettings) -> None:
        self._desk = desk
        self._pool = pool
        self._book_id = book_id
        self._settings = settings
        self._at_once = asyncio.Semaphore(settings.inquiries_at_once_max)

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            beat()
            try:
                found = await self.round()
            except TangguhError as trouble:
                log.warning("resolver.round_failed", why=str(trouble))
                found = 0
            if found < self._settings.payments_per_round_max:
                await self._desk.clock.sleep(self._settings.round_seconds)

    async def round(self) -> int:
        """Look once at everything that is due; return how many payments that was.

        Holds with an expiry of their own, which no payment looks after, are released here too.
        """
        due = await store.to_resolve(
            self._pool, self._book_id, self._desk.clock.now(), self._settings.payments_per_round_max
        )
        async with asyncio.TaskGroup() as group:
            for payment in due:
                group.create_task(self._resolve_bounded(payment))
        most = self._settings.payments_per_round_max
        now = self._desk.clock.now()
        await expire_due(self._desk, self._pool, self._book_id, now, most)
        return len(due)

    async def _resolve_bounded(self, payment: Payment) -> None:
        async with self._at_once:
            try:
                await resolve(self._desk, payment)
            except TangguhError as trouble:
                log.warning("resolver.failed", payment=str(payment.id), why=str(trouble))
            except Exception:
                # A rail must not raise. One that does loses this look, not everybody's resolver.
                log.exception("resolver.broken", payment=str(payment.id))
                always("rail.returns", holds=False, detail=payment.rail)


async def resolve(desk: Desk, payment: Payment) -> None:
    """Ask the network about one open payment and write down what it says.

    NotSent is then about the question, the cancel or the repeat; what was sent before may have
    arrived, so to the payment it is no answer at all. A parked one was never sent: it is released
    or given back.
    """
    if payment.state is State.PARKED:
        await release(desk, payment)
        return
    facts = NO_FACTS
    way = _way_of(payment)
    if way == "credit":
        outcome, facts = await _ask_of_credit(desk, payment)
    else:
        outcome = await _ASK[way](desk, payment)
    if isinstance(outcome, NotSent):
        outcome = Unanswered(outcome.why)
    await desk.decide(Conclude(payment.id, outcome, desk.rules, facts))


async def ask(desk: Desk, payment: Payment) -> Outcome:
    """A network that never saw it may still get it: only after it agreed to cancel is it no."""
    rail, instruction = desk.rail_of(payment), instruction_of(payment)
    outcome = await rail.inquire(instruction)
    if isinstance(outcome, Unanswered) and outcome.why == NOT_FOUND:
        return await rail.reverse(instruction)
    return outcome


async def _ask_of_refund(desk: Desk, refund: Payment) -> Outcome:
    """A refund the network has never seen is asked for again: the reference makes that safe."""
    original = await desk.decide(Find(refund.original_of_refund))
    rail, refunding = desk.rail_of(refund), refunding_of(refund, original)
    outcome = await rail.inquire_refund(refunding)
    if isinstance(outcome, Unanswered) and outcome.why == NOT_FOUND:
        return await rail.refund(refunding)
    return outcome


async def _ask_of_credit(desk: Desk, credit: Payment) -> tuple[Outcome, Facts]:
    """Money that was announced and not settled: only the network or its file can say."""
    rail = desk.rail_of(credit)
    if not isinstance(rail, Announcing):
        return Unanswered("this network is not asked about credits"), NO_FACTS
    return await rail.inquire_incoming(credit.reference.removeprefix("in:"))


def _way_of(payment: Payment) -> str:
    """A refund the network brings (a return) is asked about as what it is: an incoming credit."""
    brought = isinstance(payment.order, RefundOrder) and payment.order.returned_as
    return "credit" if brought else payment.kind


_ASK: Final = {"payment": ask, "refund": _ask_of_refund}
