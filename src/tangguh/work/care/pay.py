"""People pay a customer for a case: proposed by one, signed by another, paid and answered once."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from tangguh.access.acts import Act, refuse_amount, refuse_begin
from tangguh.access.approval import Change
from tangguh.access.people import Staff
from tangguh.core.outcome import Refusal, Refused
from tangguh.disputes.case import Outcome
from tangguh.disputes.complaints import Complaints
from tangguh.disputes.paying import PayForCase
from tangguh.payments.desk import Desk
from tangguh.payments.people.changes import Carry
from tangguh.work.control.carrying import signers
from tangguh.work.control.room import ControlRoom

KIND: Final = str(Act.CARE_PAY)


class Payout(msgspec.Struct, frozen=True, kw_only=True):
    """What two people sign: whom, how much, for which case, why."""

    case_id: str
    number: str
    account: int
    amount_minor: int
    why: str
    payment_id: str = ""


class Payouts:
    """Pays customers of the bank's own money, by two people."""

    def __init__(self, desk: Desk, room: ControlRoom, complaints: Complaints) -> None:
        self._desk = desk
        self._room = room
        self._complaints = complaints
        room.carriers[KIND] = self.carry

    async def propose(
        self, by: Staff, case_id: UUID, account: int, amount_minor: int, why: str
    ) -> Change | Refused:
        """Propose it. Refuses CASE_NOT_FOUND, ORDER_INVALID (why), AMOUNT_NOT_POSITIVE and
        AMOUNT_TOO_LARGE; whose the account is, is judged where the money moves.
        """
        if refused := refuse_begin(Act.CARE_PAY, by) or refuse_amount(Act.CARE_PAY, amount_minor):
            return refused
        case = await self._complaints.store.find(case_id)
        if case is None:
            return Refused(Refusal.CASE_NOT_FOUND, "case", "there is no such case")
        if not why.strip():
            return Refused(Refusal.ORDER_INVALID, "why", "say why")
        payout = Payout(
            case_id=str(case.id),
            number=case.number,
            account=account,
            amount_minor=amount_minor,
            why=why,
            payment_id=str(case.payment_id) if case.payment_id is not None else "",
        )
        return await self._room.propose(by, KIND, case.number, msgspec.to_builtins(payout))

    async def carry(self, change: Change) -> Refused | None:
        """Pay it and answer the case, once."""
        payout = msgspec.json.decode(change.payload, type=Payout)
        pay = PayForCase(
            case_id=UUID(payout.case_id),
            account=payout.account,
            amount_minor=payout.amount_minor,
            by=",".join(signers(change)),
        )
        done = await self._desk.decide(
            Carry(change_id=change.id, payload=change.payload, command=pay)
        )
        if isinstance(done, Refused):
            return done
        answered = await self._complaints.answer(
            pay.case_id, Outcome.PAID_BY_BANK, payout.why, pay.by
        )
        return answered if isinstance(answered, Refused) else None
