"""Word to customers of what becomes of their money and their complaints.

Whoever waits hears that we wait with them; whoever waited hears the end. A payment that an incident
has told its owner of is not told of again: one message a matter, not two.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from tangguh.core.bounded import Recent
from tangguh.core.clock import Clock
from tangguh.core.errors import TangguhError
from tangguh.core.ids import Ids
from tangguh.core.order import PaymentOrder, ToAccount
from tangguh.core.service import SERVICES
from tangguh.core.supervision import beat
from tangguh.customers import store as customers
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.disputes.case import Case, Outcome
from tangguh.disputes.complaints import BANK
from tangguh.disputes.letters import words_of
from tangguh.notices.desk import Notices, to_customer
from tangguh.notices.notice import Notice, Urgency, Via
from tangguh.payments import store as payments
from tangguh.payments.payment import Payment, State, next_word_at, words_due
from tangguh.payments.plans import read_payment
from tangguh.payments.redress.clock import redress_of
from tangguh.work.care.missed import Happened, Missed
from tangguh.work.incidents.affected import Affected

log = structlog.get_logger("care.word")

_QUERIES: Final = Queries("tangguh.work.incidents", "incidents.sql")
_CHANNELS: Final = (Via.IN_APP, Via.PUSH, Via.SMS)
_PER_ROUND: Final = 500
_ROUND_SECONDS: Final = 1.0
_LEFT_MAX: Final = 20_000
_OLDEST: Final = UUID(int=0)
_READ_ON_SECONDS: Final = 60.0
_OF_REDRESS: Final = {"advanced": "provisional_given", "late_paid": "compensation_paid"}
_OF_CASE: Final = {
    "opened": "case_received",
    "decided": "case_decided",
    "papers_asked": "case_needs_papers",
    "extended": "case_extended",
}
_TOLD_BY_INCIDENT: Final = frozenset({"payment_waiting", "payment_sent", "payment_back"})
"""What the messages of an incident tell too; the word at a promised time nobody else tells."""
_WAITS_MAX: Final = 50_000
_WAITS_AGE_MAX: Final = timedelta(hours=1)
_END: Final = {State.VOIDED: "payment_back", State.POSTED: "payment_sent"}

Left = tuple[str, Payment | Case]
"""What is still to be told: which word, and of what."""


class Word:
    """Tells customers. One per book.

    What is heard is told within a round. What was heard and could not be told, as by a process that
    died, is read on in the book every ``read_on_seconds``, from the last batch that is told.
    """

    def __init__(
        self,
        notices: Notices,
        affected: Affected,
        pool: Pool,
        book_id: int,
        clock: Clock,
        ids: Ids,
        *,
        waiting_seconds: float,
        read_on_seconds: float = _READ_ON_SECONDS,
    ) -> None:
        self._notices = notices
        self._affected = affected
        self._pool = pool
        self._book_id = book_id
        self._clock = clock
        self._ids = ids
        self._waiting = timedelta(seconds=waiting_seconds)
        self._left: asyncio.Queue[Left] = asyncio.Queue(_LEFT_MAX)
        self._after = _OLDEST
        self._waits: Recent[UUID, int] = Recent(_WAITS_MAX, _WAITS_AGE_MAX)
        self._missed = Missed(pool, book_id)
        self._read_on_every = timedelta(seconds=read_on_seconds)
        self._read_on_at = clock.now()

    # ---- what is heard; none of it blocks ----------------------------------------------------

    def see_payment(self, payment: Payment) -> None:
        """A payment changed: its owner may be owed a word."""
        for word in _words_of_payment(payment):
            self._put(word, payment)

    def see_redress(self, what: str, payment: Payment) -> None:
        """The clock of money back did something."""
        if what in _OF_REDRESS:
            self._put(_OF_REDRESS[what], payment)

    def see_case(self, what: str, case: Case) -> None:
        """A case took a step."""
        word = _word_of_case(what, case)
        if word:
            self._put(word, case)

    def _put(self, word: str, about: Payment | Case) -> None:
        if self._left.full():  # the book has it, and it is read on there
            log.warning("care.word_left_to_the_book", word=word, id=str(about.id))
            self._read_on_at = self._clock.now()
            return
        self._left.put_nowait((word, about))

    # ---- what is told --------------------------------------------------------------------------

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            beat()
            try:
                await self.round()
            except TangguhError as trouble:
                log.warning("care.round_failed", why=str(trouble))
                self._read_on_at = self._clock.now()
            await self._clock.sleep(_ROUND_SECONDS)

    async def round(self) -> int:
        """Tell what is left to tell, and whoever waits since long enough; how many are new."""
        left = [self._left.get_nowait() for _ in range(min(self._left.qsize(), _PER_ROUND))]
        told = await self._tell(left) + await self._tell_waiting()
        if self._clock.now() >= self._read_on_at:
            told += await self._read_on()
            self._read_on_at = self._clock.now() + self._read_on_every
        return told

    async def _read_on(self) -> int:
        told = 0
        async for some in self._missed.read_on():
            told += await self._tell([one for happened in some for one in _left_of(happened)])
        return told

    async def _tell(self, left: Sequence[Left]) -> int:
        made = [await self._notice(word, about) for word, about in left]
        told = await self._notices.tell([one for one in made if one is not None])
        for refused in told.refused.values():
            log.error("care.refused", field=refused.field, why=refused.detail)
        return len(told.new)

    async def _tell_waiting(self) -> int:
        """Everybody whose payment waits: that it does, and at each promised time the next one.

        From the oldest again once all have been looked at.
        """
        now = self._clock.now()
        rows = await self._pool.fetch(
            _QUERIES["waiting_payments"],
            self._book_id,
            now - self._waiting,
            self._after,
            _PER_ROUND,
        )
        found: Sequence[Payment] = [read_payment(row) for row in rows]
        self._after = found[-1].id if len(found) == _PER_ROUND else _OLDEST
        due = [(one, words_due(one, now)) for one in found]
        left = [(one, number) for one, number in due if self._waits.get(one.id, now) != number]
        told = await self._tell([(_waiting_word(one, number), one) for one, number in left])
        for one, number in left:
            self._waits.keep(one.id, number, now)
        return told

    async def _notice(self, word: str, about: Payment | Case) -> Notice | None:
        if isinstance(about, Case):
            return await self._of_case(word, about)
        return await self._of_payment(word, about)

    async def _of_payment(self, word: str, payment: Payment) -> Notice | None:
        if not word:
            return None
        about = payment
        if payment.kind == "refund" and payment.original_id is not None:
            original = await payments.find(self._pool, self._book_id, payment.original_id)
            about = original or payment
        if word in _TOLD_BY_INCIDENT and await self._affected.is_told_by_incident(payment.id):
            return None
        customer = await customers.find(self._pool, self._book_id, about.customer_id)
        if customer is None:
            return None
        now = self._clock.now()
        service = SERVICES.get(about.service)
        language = customer.language
        values: dict[str, Any] = {
            "service": _name(service, language) if service else about.service,
            "payee": await self._payee(about, language),
            "amount": payment.to_payee_minor,
            "total": payment.total_minor,
            "at": (payment.concluded_at or now).isoformat(),
            "by": (next_word_at(payment, now) or now).isoformat(),
        }
        step = word
        match word:
            case "payment_still_waiting" | "payment_still_parked":
                step = f"{word}-{words_due(payment, now)}"
            case "provisional_given":
                if not payment.advanced_minor:  # it is settled already
                    return None
                values["amount"], values["at"] = payment.advanced_minor, now.isoformat()
            case "provisional_taken":
                redress = (await redress_of(self._pool, self._book_id, [payment.id])).get(
                    payment.id
                )
                due = redress.take_back_at if redress is not None else None
                if due is None:
                    return None
                values["amount"], values["by"] = payment.advanced_minor, due.isoformat()
            case "compensation_paid":
                redress = (await redress_of(self._pool, self._book_id, [payment.id])).get(
                    payment.id
                )
                if redress is None or not redress.late_minor:
                    return None
                values["amount"], values["at"] = redress.late_minor, now.isoformat()
                step = f"{word}-{redress.late_days}"
            case "payment_sent":
                token = await payments.token_of(self._pool, self._book_id, payment)
                if token:
                    word, values["token"] = "payment_sent_token", token
            case "refund_back":
                step = f"{word}-{payment.id}"
            case _:
                pass
        return self._made(
            about.customer_id, language, f"payment:{about.id}", step, word, values, now
        )

    async def _of_case(self, word: str, case: Case) -> Notice | None:
        payment = None
        if case.payment_id is not None:
            payment = await payments.find(self._pool, self._book_id, case.payment_id)
            is_own = case.channel == BANK and word == "case_received"
            if is_own and await self._affected.is_told_by_incident(case.payment_id):
                return None
        template = word
        tables = words_of(case.language)
        words = tables["notice"]
        now = self._clock.now()
        values: dict[str, Any] = {
            "case": case.number,
            "money_is": words[_money_is(payment)],
            "by": case.due_at.isoformat(),
            "papers": case.why,
            "decision": words[str(case.outcome)] if case.outcome is not None else "",
        }
        if word == "case_decided":
            values["by"] = case.act_by.isoformat()
            values["money_is"] = tables["decided"][str(case.outcome)]
            values["objection"] = tables["objection"]["over" if case.has_objected else "may"]
            if back_minor := _back_minor(case, payment):
                template, values["amount"] = "case_decided_back", back_minor
            if case.outcome is Outcome.PAID_BY_BANK:
                template = "case_decided_paid"
            if case.outcome is Outcome.TOKEN_GIVEN and payment is not None:
                token = await payments.token_of(self._pool, self._book_id, payment)
                if token:
                    template, values["token"] = "case_decided_token", token
        step = f"{word}-{case.events}"
        return self._made(
            case.customer_id, case.language, f"case:{case.id}", step, template, values, now
        )

    def _made(
        self,
        customer_id: int,
        language: str,
        matter: str,
        step: str,
        template: str,
        values: dict[str, Any],
        now: datetime,
    ) -> Notice:
        needs = self._notices.needs_of(template, language)
        return Notice(
            id=self._ids.next(),
            to=to_customer(customer_id, language),
            matter=matter,
            step=step,
            template=template,
            values={name: values[name] for name in needs},
            channels=_CHANNELS,
            made_at=now,
            urgency=Urgency.NOW,
        )

    async def _payee(self, payment: Payment, language: str) -> str:
        order = payment.order
        if not isinstance(order, PaymentOrder):
            return "bank" if language == "id" else "the bank"
        payee = order.payee
        if isinstance(payee, ToAccount):
            owner = await customers.owner_of(self._pool, self._book_id, payee.account_id)
            return owner.full_name if owner is not None else str(payee.account_id)
        for field in ("merchant_name", "name", "location", "number", "terminal"):
            text = getattr(payee, field, "")
            if text:
                return str(text)
        service = SERVICES.get(payment.service)
        return _name(service, language) if service else ""


def _waiting_word(payment: Payment, number: int) -> str:
    """What is told of a payment that waits, ``number`` promised times on; empty: nothing yet.

    Whoever ordered while the service was closed was told on the page.
    """
    if payment.state is State.PARKED:
        return "payment_still_parked" if number else ""
    return "payment_still_waiting" if number else "payment_waiting"


def _words_of_payment(payment: Payment) -> list[str]:
    """What its owner is told once a payment has ended; nothing if it was answered at once."""
    words = []
    if payment.kind == "payment" and payment.attempts and payment.state in _END:
        words.append(_END[payment.state])
    if payment.kind == "refund" and payment.state is State.POSTED:
        words.append("refund_back")
    if payment.advanced_minor and payment.state is State.POSTED:
        words.append("provisional_taken")
    return words


def _word_of_case(what: str, case: Case) -> str:
    """Which step of a case is told; empty for what only the bank needs to know."""
    is_told_by_incident = case.incident_id is not None and case.channel == BANK
    return "" if is_told_by_incident or not case.customer_id else _OF_CASE.get(what, "")


def _left_of(happened: Happened) -> list[Left]:
    """What the book's log says, as it would have been heard."""
    about = happened.about
    if isinstance(about, Case):
        word = _word_of_case(happened.what, about)
        return [(word, about)] if word else []
    if happened.what in _OF_REDRESS:
        return [(_OF_REDRESS[happened.what], about)]
    return [(word, about) for word in _words_of_payment(about)]


def _name(service: Any, language: str) -> str:
    return str(service.name_id if language == "id" else service.name_en)


def _money_is(payment: Payment | None) -> str:
    """Which sentence says where the money of a case is."""
    if payment is None:
        return "no_payment"
    if payment.is_open:
        return "held"
    if payment.state in {State.VOIDED, State.REFUSED, State.REFUNDED}:
        return "with_you"
    return "gone"


def _back_minor(case: Case, payment: Payment | None) -> int:
    """What the decision brought back to the account."""
    if payment is None or case.outcome is None:
        return 0
    if str(case.outcome) in ("came_back", "claimed"):
        return payment.to_payee_minor
    return payment.total_minor if str(case.outcome) == "money_free" else 0
