"""BI-FAST as the payer's bank: enquiry, credit transfer, status request, over one hub.

Message flow: pacs.008 (010 by account, 110 by proxy) answered by pacs.002; pacs.028 while nobody
knows. The EndToEndId is the same in all of them (``ids``). An answer that speaks of another
payment or amount than ours is no answer: Unanswered.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Final

import structlog

from tangguh.core.clock import Clock
from tangguh.core.known import Tristate, known_as
from tangguh.core.money import IDR
from tangguh.core.order import ToBank
from tangguh.core.outcome import Accepted, Declined, NotSent, Outcome, Refusal, Unanswered
from tangguh.rails.banks import BANKS, BY_BIC
from tangguh.rails.bifast import address, codes, ids, proxy, session, status, transfer
from tangguh.rails.bifast.absence import Absences
from tangguh.rails.bifast.grammar import proprietary
from tangguh.rails.bifast.grammar.tree import Branch
from tangguh.rails.bifast.ids import Numbers
from tangguh.rails.bifast.line import Line
from tangguh.rails.bifast.message import CLEAR, ISO, Message
from tangguh.rails.bifast.settings import BifastSettings, hub_key_of, private_key_of
from tangguh.rails.bifast.status import Reject, StatusReport
from tangguh.rails.bifast.transfer import CreditTransfer, Party
from tangguh.rails.link import Health
from tangguh.rails.rail import (
    NO_FACTS,
    Asked,
    Capabilities,
    Facts,
    Found,
    Instruction,
    Question,
    Refunding,
)

log = structlog.get_logger("rails.bifast")

_OTHER_PAYMENT: Final = Unanswered("answer speaks of another payment")
_OTHER_AMOUNT: Final = Unanswered("answer speaks of another amount")
_BROKEN_RULES: Final = Unanswered("answer breaks the rules of its message")


class BifastRail:
    """Carries transfers of our customers to accounts and proxies at other banks."""

    name = "bifast"

    def __init__(
        self, settings: BifastSettings, clock: Clock, source: random.Random | None = None
    ) -> None:
        """Raises Misconfigured when the address, the BIC or a key cannot be used."""
        self._settings = settings
        self._clock = clock
        self._numbers = Numbers(source)
        self._absences = Absences(settings.not_found_apart_seconds)
        key, hub_key = private_key_of(settings), hub_key_of(settings)
        self._transfers = Line(settings, settings.total_timeout_seconds, key, hub_key, clock)
        self._questions = Line(settings, settings.question_timeout_seconds, key, hub_key, clock)

    @property
    def health(self) -> Health:
        """What the link that carries transfers has seen."""
        return self._transfers.health

    def capabilities(self) -> Capabilities:
        """How long a send may take (a duplicate is looked up at once) and when to inquire."""
        settings = self._settings
        return Capabilities(
            settles_inside=False,
            send_timeout_seconds=settings.total_timeout_seconds + settings.question_timeout_seconds,
            inquiry_delays_seconds=settings.inquiry_delays_seconds,
        )

    async def look_up(self, asked: Asked) -> Found | Declined | NotSent | Unanswered:
        """The name behind an account (pacs.008, 510) or a proxy (prxy.003). Moves nothing."""
        payee = asked.payee
        if not isinstance(payee, ToBank):
            return Declined(Refusal.ORDER_INVALID)
        if payee.proxy_type:
            return await self._resolve(payee)
        if payee.bank not in BANKS or not payee.account:
            return Declined(Refusal.FAR_ACCOUNT_NOT_FOUND)
        return await self._enquire(asked, payee)

    async def send(self, instruction: Instruction) -> Outcome:
        """Pay once. "Duplicate" means that the hub has the first one: that one is looked up."""
        payee = instruction.payee
        if not isinstance(payee, ToBank):
            return Declined(Refusal.ORDER_INVALID)
        if instruction.currency != IDR:
            return Declined(Refusal.CURRENCY_NOT_SUPPORTED)
        if payee.bank not in BANKS or not payee.account:
            return Declined(Refusal.FAR_ACCOUNT_NOT_FOUND)
        asked = self._transfer_of(instruction, payee)
        answer = await self._transfers.ask(
            self._message(
                transfer.DEFINITION, CLEAR, asked.end_to_end_id, transfer.document_of(asked)
            ),
            status.REPORT,
            instruction.authorisation,
        )
        outcome = self._judge_transfer(answer, asked)
        if outcome == Unanswered(codes.DUPLICATE):
            return await self.inquire(instruction)
        return outcome

    async def inquire(self, instruction: Instruction) -> Outcome:
        """Ask what became of it (pacs.028). Never NotSent: an unasked question says nothing."""
        payee = instruction.payee
        if not isinstance(payee, ToBank):
            return Declined(Refusal.ORDER_INVALID)
        asked = self._transfer_of(instruction, payee)
        report = await self._ask_status(asked.end_to_end_id, asked.transaction_id)
        if not isinstance(report, StatusReport):
            return report
        outcome = codes.outcome_of_transfer(report, asked.end_to_end_id)
        outcome = _disagreement(report, outcome, asked) or outcome
        if outcome == Unanswered(codes.NOT_FOUND):
            self._absences.note(asked.end_to_end_id, self._clock.monotonic())
        else:
            self._absences.forget(asked.end_to_end_id)
        return outcome

    async def reverse(self, instruction: Instruction) -> Outcome:
        """There is nothing to cancel with: only "not found" twice, far enough apart, is a no.

        The first was noted by ``inquire`` (nothing noted: it is asked now). Before
        ``not_found_apart_seconds`` have passed since, nothing is asked; after that, the inquiry
        that led here, or one made now, is the second.
        """
        payee = instruction.payee
        if not isinstance(payee, ToBank):
            return Declined(Refusal.ORDER_INVALID)
        reference = ids.end_to_end_id(instruction, payee, self._settings.bic)
        now = self._clock.monotonic()
        if not self._absences.is_final(reference, now):
            if not self._absences.may_be_final(reference, now):
                return Unanswered(codes.NOT_FOUND)
            outcome = await self.inquire(instruction)
            if not self._absences.is_final(reference, self._clock.monotonic()):
                return outcome
        return Declined(Refusal.NEVER_ARRIVED, codes.ORIGINAL_NOT_FOUND)

    async def refund(self, refunding: Refunding) -> Outcome:
        """Not by this network: a payee gives back by a transfer of their own (type 011)."""
        return Declined(Refusal.PAYMENT_NOT_REFUNDABLE)

    async def inquire_refund(self, refunding: Refunding) -> Outcome:
        """As ``refund``: there never was one."""
        return Declined(Refusal.PAYMENT_NOT_REFUNDABLE)

    async def inquire_incoming(self, reference: str) -> tuple[Outcome, Facts]:
        """What became of a credit announced to us, whose notice is late. Only ACSC is money."""
        report = await self._ask_status(reference, "")
        if not isinstance(report, StatusReport):
            return report, NO_FACTS
        outcome = codes.outcome_of_settlement(report, report.settlement or reference)
        return outcome, address.facts_of(report, self._settings.bic)

    async def register(self, registration: proxy.Registration) -> Outcome:
        """Register or change a proxy of a customer of ours. Accepted carries the hub's number."""
        if not proxy.is_proxy(registration.proxy_type, registration.proxy):
            return Declined(Refusal.ORDER_INVALID)
        kind = ids.REGISTER if registration.verb == proxy.NEW else ids.MAINTAIN
        number = self._message_number(kind)
        document = proxy.document_of_registration(registration, number, self._clock.now())
        answer = await self._questions.ask(
            self._fresh(proxy.REGISTRATION, ISO, kind, document), proxy.REGISTERED
        )
        if isinstance(answer, NotSent | Unanswered):
            return answer
        if isinstance(answer, Reject):
            return codes.outcome_of_reject(answer)
        found = proxy.read_registered(answer.document)
        if found.original != number:
            return Unanswered("answer speaks of another message")
        if found.status == proxy.ACCEPTED:
            return Accepted(found.registration or registration.registration)
        return codes.outcome_of_reason(found.reason)

    async def sign_on(self) -> Outcome:
        """Begin to take part. Accepted carries the hub's reason."""
        return await self._session(proprietary.SIGN_ON)

    async def sign_off(self) -> Outcome:
        """Cease to take part; the hub then refuses transfers to us."""
        return await self._session(proprietary.SIGN_OFF)

    async def echo(self) -> Outcome:
        """Is the hub there?"""
        return await self._session(proprietary.ECHO)

    def questions(self) -> Mapping[str, Question]:
        """The hub has an echo of its own."""
        return {"": self._is_there}

    async def _is_there(self) -> Tristate:
        return known_as(isinstance(await self.echo(), Accepted))

    async def close(self) -> None:
        """Let go of connections."""
        await self._transfers.close()
        await self._questions.close()

    # ---- questions -------------------------------------------------------------------------

    async def _enquire(
        self, asked: Asked, payee: ToBank
    ) -> Found | Declined | NotSent | Unanswered:
        now, bic = self._clock.now(), self._settings.bic
        sequence = self._numbers.next()
        enquiry = CreditTransfer(
            kind=ids.ENQUIRY,
            message_id=ids.message_number(now, bic, ids.ENQUIRY, sequence),
            created_at=now,
            end_to_end_id=ids.business_number(now, bic, ids.ENQUIRY, sequence),
            transaction_id=ids.message_number(now, bic, ids.ENQUIRY, sequence),
            amount_minor=asked.amount_minor,
            debtor=Party(name=asked.debtor_name, account=str(asked.debtor_account), bank=bic),
            creditor=Party(account=payee.account, bank=BANKS[payee.bank].bic),
        )
        answer = await self._questions.ask(
            self._message(
                transfer.DEFINITION, CLEAR, enquiry.end_to_end_id, transfer.document_of(enquiry)
            ),
            status.REPORT,
        )
        report = _report_of(answer, enquiry.message_id)
        if not isinstance(report, StatusReport):
            return report
        if report.end_to_end_id != enquiry.end_to_end_id:
            return _OTHER_PAYMENT
        outcome = codes.outcome_of_transfer(report, enquiry.end_to_end_id)
        if not isinstance(outcome, Accepted):
            return outcome
        if report.creditor_account not in ("", payee.account):
            return _OTHER_PAYMENT
        if not report.creditor_name:
            return Unanswered("answer names nobody")
        return Found(
            payee=ToBank(
                bank=payee.bank,
                account=payee.account,
                name=report.creditor_name,
                inquiry=enquiry.end_to_end_id,
            ),
            name=report.creditor_name,
        )

    async def _resolve(self, payee: ToBank) -> Found | Declined | NotSent | Unanswered:
        if not proxy.is_proxy(payee.proxy_type, payee.proxy):
            return Declined(Refusal.ALIAS_NOT_FOUND)
        now, bic = self._clock.now(), self._settings.bic
        number = self._message_number(ids.RESOLVE)
        document = proxy.document_of_look_up(payee.proxy_type, payee.proxy, bic, number, now)
        answer = await self._questions.ask(
            self._fresh(proxy.LOOK_UP, ISO, ids.RESOLVE, document), proxy.LOOKED_UP
        )
        if isinstance(answer, NotSent | Unanswered):
            return answer
        if isinstance(answer, Reject):
            return _no_accepted(codes.outcome_of_reject(answer))
        found = proxy.read_looked_up(answer.document)
        if (found.original, found.proxy) != (number, payee.proxy):
            return Unanswered("answer speaks of another message")
        if found.status != proxy.ACCEPTED:
            return _no_accepted(codes.outcome_of_reason(found.reason))
        bank = BY_BIC.get(found.bank)
        if bank is None or not found.account or not found.name:
            return Unanswered("answer names no account we can reach")
        return Found(
            payee=ToBank(
                bank=bank.code,
                account=found.account,
                name=found.name,
                proxy_type=payee.proxy_type,
                proxy=payee.proxy,
                inquiry=number,
            ),
            name=found.name,
        )

    async def _ask_status(self, reference: str, transaction_id: str) -> StatusReport | Unanswered:
        number = self._message_number(ids.STATUS)
        request = status.StatusRequest(
            message_id=number,
            created_at=self._clock.now(),
            end_to_end_id=reference,
            transaction_id=transaction_id,
        )
        document = status.document_of_request(request)
        answer = await self._questions.ask(
            self._fresh(status.REQUEST, CLEAR, ids.STATUS, document), status.REPORT
        )
        if isinstance(answer, NotSent):
            return Unanswered(answer.why)
        if isinstance(answer, Reject):
            # Of the question, not of the payment.
            return Unanswered("status request was rejected")
        report = _report_of(answer, number)
        if isinstance(report, StatusReport):
            return report if report.end_to_end_id == reference else _OTHER_PAYMENT
        return report if isinstance(report, Unanswered) else _BROKEN_RULES

    async def _session(self, function: str) -> Outcome:
        number = self._message_number(ids.STATUS)
        ask = session.SessionAsk(
            message_id=number,
            function=function,
            instruction_id=number,
            bank=self._settings.bic,
        )
        document = session.document_of_ask(ask, self._clock.now())
        answer = await self._questions.ask(
            self._fresh(session.ASK, ISO, ids.STATUS, document), session.ANSWER
        )
        if isinstance(answer, NotSent | Unanswered):
            return answer
        if isinstance(answer, Reject):
            return codes.outcome_of_reject(answer)
        found = session.read_answer(answer.document)
        if (found.original, found.function) != (number, function):
            return Unanswered("answer speaks of another message")
        if found.status == proxy.ACCEPTED:
            return Accepted(found.reason)
        return codes.outcome_of_reason(found.reason)

    # ---- messages --------------------------------------------------------------------------

    def _transfer_of(self, instruction: Instruction, payee: ToBank) -> CreditTransfer:
        bic, kind = self._settings.bic, ids.kind_of(payee)
        reference = ids.end_to_end_id(instruction, payee, bic)
        bank = BANKS.get(payee.bank)
        return CreditTransfer(
            kind=kind,
            message_id=ids.message_number_of(reference),
            created_at=self._clock.now(),
            end_to_end_id=reference,
            transaction_id=ids.transaction_id(instruction.payment_id),
            amount_minor=instruction.amount_minor + instruction.tip_minor,
            debtor=Party(
                name=instruction.debtor_name, account=str(instruction.debtor_account), bank=bic
            ),
            creditor=Party(name=payee.name, account=payee.account, bank=bank.bic if bank else ""),
            proxy_type=payee.proxy_type,
            proxy=payee.proxy,
            note=instruction.note,
        )

    def _message(self, definition: str, service: str, number: str, document: Branch) -> Message:
        return Message(
            sender=self._settings.bic,
            recipient=self._settings.hub_bic,
            number=number,
            definition=definition,
            service=service,
            created_at=self._clock.now(),
            document=document,
        )

    def _fresh(self, definition: str, service: str, kind: str, document: Branch) -> Message:
        now, bic = self._clock.now(), self._settings.bic
        number = ids.business_number(now, bic, kind, self._numbers.next())
        return self._message(definition, service, number, document)

    def _message_number(self, kind: str) -> str:
        now, bic = self._clock.now(), self._settings.bic
        return ids.message_number(now, bic, kind, self._numbers.next())

    def _judge_transfer(
        self, answer: Message | Reject | NotSent | Unanswered, asked: CreditTransfer
    ) -> Outcome:
        if isinstance(answer, NotSent | Unanswered):
            return answer
        report = _report_of(answer, asked.message_id)
        if isinstance(report, StatusReport):
            if alarm := codes.alarm_of(report.reason):
                log.warning("bifast.alarm", who=alarm, code=report.reason)
            if report.end_to_end_id != asked.end_to_end_id:
                return _OTHER_PAYMENT
            outcome = codes.outcome_of_transfer(report, asked.end_to_end_id)
            return _disagreement(report, outcome, asked) or outcome
        return report


def _report_of(
    answer: Message | Reject | NotSent | Unanswered, message_id: str
) -> StatusReport | Declined | NotSent | Unanswered:
    """The status report an answer holds, when it answers the message with this MsgId."""
    if isinstance(answer, NotSent | Unanswered):
        return answer
    if isinstance(answer, Reject):
        if alarm := codes.alarm_of(answer.reason):
            log.warning("bifast.alarm", who=alarm, code=answer.reason)
        return _no_accepted(codes.outcome_of_reject(answer))
    report = status.read_report(answer.document, answer.created_at)
    if not isinstance(report, StatusReport):
        return _BROKEN_RULES
    if report.original_message_id != message_id:
        return Unanswered("answer speaks of another message")
    return report


def _no_accepted(outcome: Outcome) -> Declined | NotSent | Unanswered:
    """A reason alone is never a yes; this says so to whoever reads the types."""
    return _BROKEN_RULES if isinstance(outcome, Accepted) else outcome


def _disagreement(
    report: StatusReport, outcome: Outcome, asked: CreditTransfer
) -> Unanswered | None:
    """A yes must speak of our amount, any answer of our payment where it names one."""
    if report.transaction_id not in ("", asked.transaction_id):
        return _OTHER_PAYMENT
    if report.amount_minor is None and not isinstance(outcome, Accepted):
        return None
    if report.amount_minor != asked.amount_minor:
        return _OTHER_AMOUNT
    if report.creditor_account not in ("", asked.creditor.account):
        return _OTHER_PAYMENT
    return None
