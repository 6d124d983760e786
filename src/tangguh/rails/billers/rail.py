"""Bills: what is owed, the payment, and what became of it, by SNAP virtual account.

Message flow: inquiry (24), payment (25) under our own paymentRequestId, status (26) while
unanswered. There is no cancel: a payment the biller does not know after its clock skew has passed
was never received (see ``snap_partner``). A bill that is paid already is a no only when the biller
does not know our own payment of it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tangguh.core.clock import Clock
from tangguh.core.known import Tristate
from tangguh.core.order import ToBiller
from tangguh.core.outcome import Accepted, Declined, NotSent, Outcome, Refusal, Unanswered
from tangguh.rails import signature, snap
from tangguh.rails.billers import codes
from tangguh.rails.billers.biller import Biller
from tangguh.rails.billers.electricity import POSTPAID, PREPAID
from tangguh.rails.billers.school import SCHOOL
from tangguh.rails.billers.tax import TAX
from tangguh.rails.billers.va import VIRTUAL_ACCOUNT
from tangguh.rails.billers.water import WATER
from tangguh.rails.link import Health
from tangguh.rails.rail import Asked, Capabilities, Found, Instruction, Question, Refunding
from tangguh.rails.snap_amount import amount_of
from tangguh.rails.snap_partner import (
    EXCHANGES_PER_SEND,
    NOT_FOUND,
    SnapPartner,
    SnapPartnerSettings,
    asked,
)

BILLERS: Final[Mapping[str, Biller]] = {
    biller.name: biller for biller in (POSTPAID, PREPAID, WATER, TAX, SCHOOL, VIRTUAL_ACCOUNT)
}
_NOBODYS_NUMBER: Final = "000000"
_CHANNEL: Final = "6019"
"""The channel code of a mobile app."""


class BillersRail:
    """Carries bill payments to the biller aggregator it is connected to."""

    name = "billers"

    def __init__(
        self, settings: SnapPartnerSettings, clock: Clock, source: random.Random | None = None
    ) -> None:
        """Raises Misconfigured when the partner is not set up."""
        self._partner = SnapPartner("billers", settings, clock, source)

    @property
    def health(self) -> Health:
        """What the link has seen."""
        return self._partner.link.health

    def questions(self) -> Mapping[str, Question]:
        """SNAP has no echo: the aggregator is asked about a payment nobody made."""
        return {"": self._is_there}

    async def _is_there(self) -> Tristate:
        body = {**VIRTUAL_ACCOUNT.numbers(_NOBODYS_NUMBER), "inquiryRequestId": "PROBE"}
        return await self._partner.caller.is_there(codes.STATUS, "paymentRequestId", body)

    def capabilities(self) -> Capabilities:
        """How long a send may take and when to inquire."""
        settings = self._partner.settings
        return Capabilities(
            settles_inside=False,
            # A bill that is said to be paid is asked about once more within the send.
            send_timeout_seconds=(EXCHANGES_PER_SEND + 1) * settings.total_timeout_seconds,
            inquiry_delays_seconds=settings.inquiry_delays_seconds,
        )

    async def look_up(self, asked_for: Asked) -> Found | Declined | NotSent | Unanswered:
        """What is owed, by whom. Declined: BILL_NOT_FOUND, BILL_PAID, BILL_EXPIRED."""
        payee = asked_for.payee
        biller = BILLERS.get(payee.biller) if isinstance(payee, ToBiller) else None
        if biller is None or not isinstance(payee, ToBiller):
            return Declined(Refusal.ORDER_INVALID, "biller")
        if refused := biller.refuse(payee.customer_no, asked_for.amount_minor):
            return refused
        numbers = biller.numbers(payee.customer_no)
        body: dict[str, Any] = {
            **numbers,
            "inquiryRequestId": asked_for.reference,
            "trxDateInit": signature.timestamp_of(asked_for.asked_at),
            "channelCode": _CHANNEL,
        }
        if asked_for.amount_minor:  # so that what the biller would not take is known at once
            body["amount"] = amount_of(asked_for.amount_minor)
        answer = await self._partner.caller.call(codes.INQUIRY, body)
        if not isinstance(answer, snap.Answer):
            return answer
        bill = codes.bill_of(answer, numbers["virtualAccountNo"])
        if not isinstance(bill, codes.BillFound):
            return bill
        complete = msgspec.structs.replace(payee, name=bill.name, bill=asked_for.reference)
        owed = ("owed", amount_of(bill.owed_minor)["value"])
        return Found(
            payee=complete,
            name=bill.name,
            amount_minor=bill.total_minor,
            lines=(("biller", biller.title), *bill.lines, owed),
        )

    async def send(self, instruction: Instruction) -> Outcome:
        """Pay once. After an Unanswered, inquire: a repeat's outcome is its own."""
        payee = instruction.payee
        biller = BILLERS.get(payee.biller) if isinstance(payee, ToBiller) else None
        if biller is None or not isinstance(payee, ToBiller):
            return Declined(Refusal.ORDER_INVALID)
        if instruction.tip_minor:
            return Declined(Refusal.ORDER_INVALID, "tip")
        if refused := biller.refuse(payee.customer_no, instruction.amount_minor):
            return refused
        body = {
            **biller.numbers(payee.customer_no),
            "virtualAccountName": payee.name,
            "paymentRequestId": instruction.reference,
            "paidAmount": amount_of(instruction.amount_minor, instruction.currency),
            "trxDateTime": signature.timestamp_of(instruction.accepted_at),
            "channelCode": _CHANNEL,
            "flagAdvise": "N",
            "additionalInfo": {"inquiryRequestId": payee.bill},
        }
        answer = await self._partner.caller.call(codes.PAYMENT, body)
        if not isinstance(answer, snap.Answer):
            return answer
        if answer.case == codes.PAID_BILL:
            return await self._paid_by_whom(instruction)
        outcome = codes.outcome_of_payment(answer)
        return _disagreement(answer, instruction, outcome) or outcome

    async def inquire(self, instruction: Instruction) -> Outcome:
        """What became of a payment. Never NotSent: a question unasked says nothing of money."""
        payee = instruction.payee
        biller = BILLERS.get(payee.biller) if isinstance(payee, ToBiller) else None
        if biller is None or not isinstance(payee, ToBiller):
            return Unanswered("no such biller")
        body = {
            **biller.numbers(payee.customer_no),
            "inquiryRequestId": payee.bill,
            "paymentRequestId": instruction.reference,
        }
        answer = asked(await self._partner.caller.call(codes.STATUS, body))
        if not isinstance(answer, snap.Answer):
            return answer
        outcome = codes.outcome_of_status(answer)
        return _disagreement(answer, instruction, outcome) or outcome

    async def reverse(self, instruction: Instruction) -> Outcome:
        """There is no cancel: what the biller does not know once it is too late never was."""
        outcome = await self.inquire(instruction)
        if not _is_not_found(outcome):
            return outcome
        if self._partner.is_lost(instruction):
            return Declined(Refusal.NEVER_ARRIVED, NOT_FOUND)
        return outcome

    async def refund(self, refunding: Refunding) -> Outcome:
        """A paid bill is the biller's to give back, not ours to ask for."""
        return Declined(Refusal.PAYMENT_NOT_REFUNDABLE, refunding.reference)

    async def inquire_refund(self, refunding: Refunding) -> Outcome:
        """What ``refund`` would say."""
        return Declined(Refusal.PAYMENT_NOT_REFUNDABLE, refunding.reference)

    async def close(self) -> None:
        """Let go of connections."""
        await self._partner.close()

    async def _paid_by_whom(self, instruction: Instruction) -> Outcome:
        """The bill is paid: by us, when our copy came twice, or by somebody else."""
        outcome = await self.inquire(instruction)
        if _is_not_found(outcome) or isinstance(outcome, Declined):
            return Declined(Refusal.BILL_PAID, codes.PAID_BILL)
        return outcome


def _number_of(instruction: Instruction) -> str:
    payee = instruction.payee
    biller = BILLERS.get(payee.biller) if isinstance(payee, ToBiller) else None
    if biller is None or not isinstance(payee, ToBiller):
        return ""
    return biller.numbers(payee.customer_no)["virtualAccountNo"]


def _is_not_found(outcome: Outcome) -> bool:
    return isinstance(outcome, Unanswered) and outcome.why == NOT_FOUND


def _disagreement(
    answer: snap.Answer, instruction: Instruction, outcome: Outcome
) -> Unanswered | None:
    """What a yes says about reference, bill and amount must be what we asked.

    An inconsistent request (404/18) reads as a yes too: to whatever was asked first.
    """
    if not isinstance(outcome, Accepted):
        return None
    told = codes.reference_told(answer)
    if told and told != instruction.reference:
        return Unanswered("answer speaks of another payment")
    number = codes.number_told(answer)
    if number and number != _number_of(instruction):
        return Unanswered("answer speaks of another bill")
    if codes.tells_another_amount(answer, instruction.amount_minor):
        return Unanswered("answer speaks of another amount")
    return None
