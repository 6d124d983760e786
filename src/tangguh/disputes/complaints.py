"""The complaints desk: opens cases, looks at the bank's own evidence, acts on it, keeps the clock.

Every method may be called again: a case is opened once for its id, a payment has one open case, and
a step that was decided on what is no longer so is refused by the book and looked at again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

import msgspec
import structlog

from tangguh.core.errors import TangguhError
from tangguh.core.ids import Ids
from tangguh.core.listeners import Listeners
from tangguh.core.order import RefundOrder
from tangguh.core.outcome import Declined, NotSent, Refusal, Refused, Unanswered
from tangguh.core.supervision import beat
from tangguh.disputes.case import About, Case, CaseState, Outcome, open_case
from tangguh.disputes.evidence.locker import Locker
from tangguh.disputes.rows import MoveCase, OpenCase
from tangguh.disputes.steps import (
    Answer,
    AskPapers,
    Attach,
    Extend,
    LookAgain,
    Object,
    PapersCame,
    Step,
    Tick,
    ToStaff,
    ToWaiting,
)
from tangguh.disputes.store import CaseStore, text_hash
from tangguh.disputes.verdict import AskNetwork, AskStaff, Decide, Seen, Verdict, Wait, judge
from tangguh.payments import flow
from tangguh.payments.checks.find import FindOrdered
from tangguh.payments.desk import Desk
from tangguh.payments.payment import Decided, Payment, State
from tangguh.payments.redress.advance import GiveAdvance
from tangguh.payments.refund import THE_BANK, AcceptRefund
from tangguh.payments.resolver import ask

log = structlog.get_logger("disputes")

BANK: Final = "bank"
_ROUND_SECONDS: Final = 1.0
_PER_ROUND: Final = 200
_WAIT_SECONDS: Final = 2.0
"""So long a person waits for what a network says; the case itself waits as long as it takes."""
_ASKING_AT_ONCE: Final = 8
_CLOSE_SECONDS: Final = 5.0
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no I, L, O or U, so that a number can be read aloud."""

Look = Callable[[UUID | None], Awaitable[Seen]]
"""What the bank knows of a payment; of none: of itself."""
Told = Callable[[str, Case], None]
"""Called with what happened (opened, decided, papers_asked, ...) and the case. Must not block."""


class Complaint(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says. ``case_id`` is the caller's, so that saying it twice is once.

    ``customer_id`` 0 with an ``address``: somebody without an account; ``code`` is what they follow
    it with. ``by``: who of the staff took it down, else the person themselves.
    """

    case_id: UUID
    customer_id: int
    about: About
    text: str
    channel: str
    language: str = "id"
    payment_id: UUID | None = None
    incident_id: UUID | None = None
    address: str = ""
    code: str = ""
    by: str = ""


class Complaints:
    """The desk of one book."""

    def __init__(self, desk: Desk, store: CaseStore, locker: Locker, ids: Ids, look: Look) -> None:
        self.store = store
        self.locker = locker
        self._desk = desk
        self._ids = ids
        self._look = look
        self._told = Listeners[[str, Case]]()
        self._waiting: set[UUID] = set()
        self._changed: set[UUID] = set()
        self._at_once = asyncio.Semaphore(_ASKING_AT_ONCE)
        self._examining: dict[UUID, asyncio.Task[Case | Refused]] = {}
        desk.watch(self._see)

    async def start(self) -> None:
        """Remember the payments that cases wait for. Before the first round of a process."""
        self._waiting |= await self.store.waited_for()

    def tell(self, told: Told) -> None:
        """Have somebody told of every step."""
        self._told.add(told)

    # ---- what people do --------------------------------------------------------------------------

    async def open(self, said: Complaint) -> Case | Refused:
        """Take a complaint and look at it at once; the case as it stands then.

        An open case for the same payment is the answer instead of a second one; what was written
        is added to it. Refuses PAYMENT_NOT_FOUND (also another's), and IDEMPOTENCY_KEY_REUSED for
        an id that cannot be had.
        """
        seen = await self._look(said.payment_id)
        if said.payment_id is not None and not _is_theirs(seen.payment, said.customer_id):
            return Refused(Refusal.PAYMENT_NOT_FOUND, "payment_id", "there is no such payment")
        now = self._desk.clock.now()
        drafted = open_case(
            case_id=said.case_id,
            number=number_of(said.case_id, now),
            customer_id=said.customer_id,
            about=said.about,
            channel=said.channel,
            language=said.language,
            text_sha256=text_hash(said.text),
            now=now,
            payment_id=said.payment_id,
            incident_id=said.incident_id,
        )
        by = said.by or _by(said.customer_id, said.channel)
        known = await self.store.find(said.case_id)
        opened = await self._desk.decide(OpenCase(case=drafted, by=by))
        if isinstance(opened, Refused):
            return opened
        if said.text:
            await self.store.write(said.case_id, opened.id, now, by, said.text)
        if said.address:
            await self.store.add_contact(opened.id, said.address, said.code)
        if known is not None or opened.id != said.case_id:
            return opened
        self._tell("opened", opened)
        examined = await self._examine_soon(opened, seen)
        if not isinstance(examined, Case):
            # It has moved meanwhile, as by a second click, or a network takes its time: it is here.
            return await self.store.find(opened.id) or opened
        return examined

    async def attach(self, case: Case, content: bytes, by: str) -> Case | Refused:
        """Take one file for a case. Refuses EVIDENCE_REFUSED and CASE_STEP_NOT_ALLOWED."""
        if case.state is CaseState.CLOSED:
            return Refused(Refusal.CASE_STEP_NOT_ALLOWED, "state", "it is closed")
        evidence = await self.locker.take(content)
        if isinstance(evidence, Refused):
            return evidence
        moved = await self.step(case.id, Attach(evidence), by)
        if isinstance(moved, Case) and moved.state is CaseState.NEEDS_PAPERS:
            return await self.step(case.id, PapersCame(), by)
        return moved

    async def write(self, case: Case, text: str, by: str) -> Case | Refused:
        """Add to a case what its person wrote: to a decided one it is an objection.

        Refuses CASE_STEP_NOT_ALLOWED, and keeps nothing, once nobody will read it any more.
        """
        if case.state is CaseState.CLOSED or (
            case.state is CaseState.DECIDED and case.has_objected
        ):
            return Refused(Refusal.CASE_STEP_NOT_ALLOWED, "state", "it has its last answer")
        message_id = self._ids.next()
        await self.store.write(message_id, case.id, self._desk.clock.now(), by, text)
        if case.state is CaseState.DECIDED:
            return await self.step(case.id, Object(), by)
        if case.state is CaseState.NEEDS_PAPERS:
            return await self.step(case.id, PapersCame(), by)
        return case

    async def answer(
        self, case_id: UUID, outcome: Outcome, why: str, by: str, was: int | None = None
    ) -> Case | Refused:
        """People decide. Money that this moves is moved by its own act of two people before."""
        return await self.step(case_id, Answer(outcome, why, by), by, was)

    async def ask_papers(self, case_id: UUID, what: str, by: str) -> Case | Refused:
        """Ask the person for papers; the answer's clock starts again when they are here."""
        return await self.step(case_id, AskPapers(what), by)

    async def extend(self, case_id: UUID, why: str, by: str) -> Case | Refused:
        """Ten working days more; the person is told."""
        return await self.step(case_id, Extend(why), by)

    async def step(
        self, case_id: UUID, step: Step, by: str, was: int | None = None
    ) -> Case | Refused:
        """Take one step and tell of it."""
        moved = await self._desk.decide(MoveCase(case_id=case_id, step=step, by=by, was=was))
        if isinstance(moved, Case) and not isinstance(step, LookAgain | Tick):
            self._tell(str(step.__struct_config__.tag), moved)
        return moved

    # ---- what the bank does by itself ------------------------------------------------------------

    async def examine(self, case: Case, seen: Seen | None = None) -> Case | Refused:
        """Look at the bank's own evidence and do what follows from it."""
        if case.state not in {CaseState.RECEIVED, CaseState.WAITING}:
            return case
        if seen is None:
            seen = await self._look(case.payment_id)
        now = self._desk.clock.now()
        match judge(case, seen, self._desk.rules.redress, now):
            case Decide(outcome, why):
                return await self.step(case.id, Answer(outcome, why, BANK), BANK, case.events)
            case Wait(until, why):
                if case.payment_id is not None:
                    self._waiting.add(case.payment_id)
                is_first = case.state is CaseState.RECEIVED
                step = ToWaiting(until, why) if is_first else LookAgain(until, why)
                return await self.step(case.id, step, BANK, case.events)
            case AskNetwork(why):
                return await self._ask_network(case, seen.payment, why)
            case AskStaff(why):
                return await self.step(case.id, ToStaff(why), BANK, case.events)

    async def _examine_soon(
        self, case: Case, seen: Seen | None = None, wait_seconds: float | None = None
    ) -> Case | Refused | None:
        """As ``examine``; None when it takes longer than a person waits. It then goes on by itself.

        What it asks of a network may move money there, so it is never broken off.
        """
        if case.id in self._examining:
            return None
        wait_seconds = _WAIT_SECONDS if wait_seconds is None else wait_seconds
        task = asyncio.create_task(self._examine_in_turn(case, seen), name="examining")
        self._examining[case.id] = task
        task.add_done_callback(partial(self._examined, case.id))
        done, _ = await asyncio.wait({task}, timeout=wait_seconds)
        return task.result() if done else None

    async def _examine_in_turn(self, case: Case, seen: Seen | None) -> Case | Refused:
        async with self._at_once:
            return await self.examine(case, seen)

    def _examined(self, case_id: UUID, task: asyncio.Task[Case | Refused]) -> None:
        self._examining.pop(case_id, None)
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.warning("disputes.examining_failed", case=str(case_id), why=type(fault).__name__)

    async def close(self) -> None:
        """Give what is being asked the time to come to its end; the next process asks again."""
        if self._examining:
            await asyncio.wait(self._examining.values(), timeout=_CLOSE_SECONDS)

    async def verdict(self, case: Case) -> Verdict:
        """What the bank's own evidence says of it at this moment; nothing is done about it."""
        seen = await self._look(case.payment_id)
        return judge(case, seen, self._desk.rules.redress, self._desk.clock.now())

    async def round(self) -> int:
        """Look at every case whose payment has moved or whose time is over; how many."""
        looked = 0
        until = self._desk.clock.monotonic() + _WAIT_SECONDS
        changed, self._changed = self._changed, set()
        for payment_id in changed:
            for case in await self.store.of_payment(payment_id):
                if case.state is CaseState.WAITING:
                    await self._examine_soon(case, wait_seconds=self._left(until))
                    looked += 1
        for case in await self.store.due(self._desk.clock.now(), _PER_ROUND):
            if case.state in {CaseState.RECEIVED, CaseState.WAITING}:
                await self._examine_soon(case, wait_seconds=self._left(until))
            else:
                await self._tick(case)
            looked += 1
        return looked

    def _left(self, until: float) -> float:
        """One slow network keeps a round waiting once, not once for each of its cases."""
        return max(until - self._desk.clock.monotonic(), 0.0)

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            beat()
            try:
                await self.round()
            except TangguhError as trouble:
                log.warning("disputes.round_failed", why=str(trouble))
            await self._desk.clock.sleep(_ROUND_SECONDS)

    # ---- inside ----------------------------------------------------------------------------------

    async def _tick(self, case: Case) -> None:
        moved = await self.step(case.id, Tick(), BANK, case.events)
        if isinstance(moved, Case) and moved.events != case.events:
            self._tell(str(moved.state), moved)

    async def _ask_network(self, case: Case, payment: Payment | None, why: str) -> Case | Refused:
        """Debited and listed nowhere. The network agrees that it never was: money back for good."""
        assert payment is not None
        outcome = await ask(self._desk, payment)
        if isinstance(outcome, Declined):
            order = RefundOrder(
                requested_by=THE_BANK,
                idempotency_key=f"case:{case.id.hex}",
                payment_id=payment.id,
                amount_minor=payment.refundable_minor,
                reason=why,
                with_fee=True,
            )
            back = await self._desk.decide(AcceptRefund(order, self._desk.rules, forced=True))
            if not isinstance(back, Refused):
                step: Step = Answer(Outcome.CAME_BACK, why, BANK)
                return await self.step(case.id, step, BANK, case.events)
        if isinstance(outcome, Unanswered | NotSent):
            await self._advance(case, payment)
        return await self.step(case.id, ToStaff(why), BANK, case.events)

    async def claim(self, case: Case, why: str, by: str) -> Case | Refused:
        """People claim it from the network for its payer: the bank's advance, a chargeback.

        Asked for again after the bank died in between, it is the same claim. Refuses
        PAYMENT_NOT_REFUNDABLE for what never left the bank (nobody's account is emptied by a
        claim), what the arbiter refuses, and what ended the claim at once (PARTNER_DECLINED,
        WAY_BACK_TAKEN).
        """
        seen = await self._look(case.payment_id)
        payment = seen.payment
        if payment is None:
            return Refused(Refusal.PAYMENT_NOT_FOUND, "payment_id", "the case names no payment")
        if seen.is_inside:
            return Refused(Refusal.PAYMENT_NOT_REFUNDABLE, "payment_id", "it never left the bank")
        key = f"claim:{case.id.hex}"
        # Not by a repeat of the order: what is left to claim is less once there is a claim.
        claim = await self._desk.decide(FindOrdered(THE_BANK, key))
        if claim is None:
            order = RefundOrder(
                requested_by=THE_BANK,
                idempotency_key=key,
                payment_id=payment.id,
                amount_minor=payment.refundable_minor,
                reason=why,
                claims=True,
            )
            claimed = await flow.refund(self._desk, order)
            if isinstance(claimed, Refused):
                return claimed
            claim = claimed.payment
        if claim.state is State.VOIDED:
            ended_by = claim.refusal or Refusal.PARTNER_DECLINED
            return Refused(ended_by, "payment_id", claim.refusal_detail)
        if claim.is_open:
            await self._advance(case, payment)
        return await self.step(case.id, Answer(Outcome.CLAIMED, why, by), by, case.events)

    async def _advance(self, case: Case, payment: Payment) -> Decided | Refused:
        give = GiveAdvance(
            payment_id=payment.id,
            policy=self._desk.rules.redress,
            by=f"case:{case.number}",
            disputed=True,
        )
        return await self._desk.decide(give)

    def _see(self, payment: Payment) -> None:
        """Called for every payment of the bank: most of them nobody has complained of."""
        if payment.id in self._waiting and not payment.is_open:
            self._waiting.discard(payment.id)
            self._changed.add(payment.id)

    def _tell(self, what: str, case: Case) -> None:
        self._told.tell(what, case)


def number_of(case_id: UUID, at: datetime) -> str:
    """What people are told: ``TG25-7K3M-9QXD``. From the id's random part: it cannot be guessed."""
    rest = case_id.int & ((1 << 40) - 1)
    letters = "".join(_ALPHABET[(rest >> (5 * place)) & 31] for place in reversed(range(8)))
    return f"TG{at.year % 100:02d}-{letters[:4]}-{letters[4:]}"


def _by(customer_id: int, channel: str) -> str:
    return f"customer:{customer_id}" if customer_id else channel


def _is_theirs(payment: Payment | None, customer_id: int) -> bool:
    """Their own payment; the public form (customer 0) names none."""
    return payment is not None and customer_id != 0 and payment.customer_id == customer_id
