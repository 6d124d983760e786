"""The card switch's door: our cards at others' terminals, transfers to our accounts, advices.

What the switch asks is decided by the same book as everything else, in one step: an approval is
posted before it is answered. A repeat gets the first answer; a reversal undoes it once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
import structlog

from tangguh.core.errors import TangguhError
from tangguh.core.order import PaymentOrder, ToCash
from tangguh.core.outcome import Accepted, Declined, Refused
from tangguh.core.service import CARD_CASH, IN_CARDS
from tangguh.customers import store as customers
from tangguh.customers.cards import Card
from tangguh.db.pool import Pool
from tangguh.ledger import statement
from tangguh.payments import store as payments
from tangguh.payments.decide import Accept
from tangguh.payments.desk import Desk
from tangguh.payments.incoming.receiving import Receiving
from tangguh.rails.iso8583 import hsm, required
from tangguh.rails.iso8583.inbound import (
    CardAsked,
    balance_answer,
    card_in,
    credit_in,
    name_answer,
    reversal_in,
)
from tangguh.rails.iso8583.message import Message, masked_pan, reply_to
from tangguh.work import codes
from tangguh.work.cards import CardOffice
from tangguh.work.reversals import take_back, undo

log = structlog.get_logger("work.issuer")

RAIL = "iso8583"


class IssuerDoor:
    """Answers the switch's requests; ``handle`` is what the rail's link is given."""

    def __init__(
        self, desk: Desk, pool: Pool, book_id: int, office: CardOffice, receiving: Receiving
    ) -> None:
        self._desk = desk
        self._pool = pool
        self._book_id = book_id
        self._office = office
        self._receiving = receiving

    async def handle(self, request: Message) -> Message | None:
        """The answer; None when there is none yet, so that the switch asks again."""
        findings = required.judge(request)
        if findings:
            log.warning("issuer.refused", mti=request.mti, field=findings[0].field)
            return reply_to(request, codes.FORMAT)
        try:
            return await self._dispatch(request)
        except TangguhError as trouble:
            log.warning("issuer.failed", mti=request.mti, why=str(trouble))
            # Not decided, or not known: a reversal will come and find out.
            return reply_to(request, codes.MALFUNCTION) if request.mti[1] == "2" else None

    async def _dispatch(self, request: Message) -> Message | None:
        if request.mti[1] == "4":
            return await self._reverse(request)
        kind = required.kind_of(request)
        if kind == required.TRANSFER:
            return await self._credit(request)
        if kind == required.TRANSFER_INQUIRY:
            return await self._name(request)
        handlers: dict[str, Callable[[Message, CardAsked], Awaitable[Message]]] = {
            required.CASH: self._cash,
            required.BALANCE: self._balance,
        }
        asked = card_in(request)
        if asked is None or kind not in handlers:
            return reply_to(request, codes.INVALID)
        return await handlers[kind](request, asked)

    async def _cash(self, request: Message, asked: CardAsked) -> Message:
        if asked.advice:
            card: Card | str = await self._office.find(asked.pan) or codes.NO_SUCH_CARD
        else:
            card = await self._office.admit(request, asked.pan, hsm.ZPK)
        if isinstance(card, str):
            return reply_to(request, card)
        order = cash_order(card, asked)
        decided = await self._desk.decide(Accept(order, self._desk.rules, asked.advice))
        if isinstance(decided, Refused):
            return reply_to(request, codes.code_of_refusal(decided.code))
        code = codes.code_of_payment(decided.payment)
        return reply_to(request, code, {38: approval_of(decided.payment.id.hex)})

    async def _balance(self, request: Message, asked: CardAsked) -> Message:
        card = await self._office.admit(request, asked.pan, hsm.ZPK)
        if isinstance(card, str):
            return reply_to(request, card)
        account = await statement.balance(self._pool, self._book_id, card.account_id)
        if account is None:
            return reply_to(request, codes.NO_RECORD)
        return balance_answer(request, account.available_minor)

    async def _credit(self, request: Message) -> Message:
        incoming = credit_in(request, RAIL, IN_CARDS)
        if incoming is None:
            return reply_to(request, codes.FORMAT)
        named = msgspec.structs.replace(incoming, reference=settled_name(incoming.reference))
        said = await self._receiving.announce(named, at_once=True)
        match said:
            case Accepted():
                return reply_to(request, codes.APPROVED)
            case Declined(reason):
                return reply_to(request, codes.code_of_refusal(reason))
            case _:
                return reply_to(request, codes.MALFUNCTION)

    async def _name(self, request: Message) -> Message:
        text = request.get(103)
        account_id = int(text) if text.isdigit() and len(text) <= 16 else 0
        owner = await customers.owner_of(self._pool, self._book_id, account_id)
        if owner is None:
            return reply_to(request, "76")
        return name_answer(request, owner.full_name)

    async def _reverse(self, request: Message) -> Message | None:
        asked = reversal_in(request)
        if asked is None:
            return reply_to(request, codes.FORMAT)
        if asked.kind == required.TRANSFER:
            return reply_to(request, await self._reverse_credit(asked.original))
        pan = request.get(2)
        card = await self._office.find(pan)
        if card is None:
            log.warning("issuer.reversal_of_unknown_card", card=masked_pan(pan))
            return reply_to(request, codes.NO_RECORD)
        stand_in = placeholder(card, asked.original, CARD_CASH, asked.amount_minor)
        code = await take_back(self._desk, stand_in, asked.dispensed_minor)
        return None if code is None else reply_to(request, code)

    async def _reverse_credit(self, reference: str) -> str:
        """The other bank takes its transfer back: even money that was spent, as an overdraft."""
        wire = f"in:{settled_name(reference)}"
        credit = await payments.find_by_wire(self._pool, self._book_id, RAIL, wire)
        if credit is None:
            return codes.NO_RECORD
        return await undo(self._desk, credit, credit.refundable_minor, forced=True)


def cash_order(card: Card, asked: CardAsked) -> PaymentOrder:
    """Our card at another bank's terminal: the order, under the switch's own reference."""
    return PaymentOrder(
        customer_id=card.customer_id,
        idempotency_key=asked.reference,
        service=CARD_CASH,
        debtor=card.account_id,
        payee=ToCash(
            terminal=asked.terminal,
            acquirer=asked.acquirer,
            location=asked.location,
            trace=asked.trace,
            rrn=asked.rrn,
            card=masked_pan(asked.pan),
        ),
        amount_minor=asked.amount_minor,
        network_reference=settled_name(asked.reference),
    )


def settled_name(reference: str) -> str:
    """What the switch's settlement file calls a request: DE7, STAN and RRN without the acquirer."""
    return "".join(reference.split("-")[1:])


def placeholder(card: Card, reference: str, service: str, amount_minor: int) -> PaymentOrder:
    """An order in place of one that has not come: the right customer and key, nothing else."""
    return PaymentOrder(
        customer_id=card.customer_id,
        idempotency_key=reference,
        service=service,
        debtor=card.account_id,
        payee=ToCash(terminal="", acquirer=""),
        amount_minor=amount_minor,
    )


def approval_of(text: str) -> str:
    """DE38: six digits that name the approval."""
    return f"{int(text[-12:], 16) % 1_000_000:06d}"
