"""The card switch's door: our cards at others' terminals, transfers to our accounts, advices.

What the switch asks is decided by the same book as everything else, in one step: an approval is
posted before it is answered. A repeat gets the first answer; a reversal undoes it once. What is not
for this bank, or not in its money, is refused before the book is asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
import structlog

from tangguh.core.client import Client
from tangguh.core.errors import TangguhError
from tangguh.core.known import Tristate
from tangguh.core.money import IDR
from tangguh.core.order import Origin, PaymentOrder, ToCash
from tangguh.core.outcome import Accepted, Declined, Refused
from tangguh.core.service import CARD_CASH, IN_CARDS
from tangguh.customers import store as customers
from tangguh.customers.cards import Card
from tangguh.db.pool import Pool
from tangguh.ledger import statement
from tangguh.payments.checks.find import FindOrdered
from tangguh.payments.decide import Accept, Conclude
from tangguh.payments.desk import Desk
from tangguh.payments.incoming.doubt import Doubt
from tangguh.payments.incoming.forbid import is_forbidden
from tangguh.payments.incoming.receive import THE_NETWORK
from tangguh.payments.incoming.receiving import Receiving
from tangguh.payments.payment import State
from tangguh.rails.banks import OUR_CODE
from tangguh.rails.iso8583 import hsm, required
from tangguh.rails.iso8583.codes import took_place
from tangguh.rails.iso8583.fields import ASCII, Dialect
from tangguh.rails.iso8583.inbound.address import is_for
from tangguh.rails.iso8583.inbound.asked import (
    CardAsked,
    balance_answer,
    card_in,
    credit_in,
    name_answer,
    reversal_in,
)
from tangguh.rails.iso8583.inbound.original import is_of_now, original_at_switch, switch_name
from tangguh.rails.iso8583.message import Message, is_request, masked_pan, not_now, reply_to
from tangguh.rails.rail import Facts
from tangguh.work import codes
from tangguh.work.cards import CardOffice
from tangguh.work.reversals import take_back

log = structlog.get_logger("work.issuer")

_ACKNOWLEDGED = {Tristate.NO: codes.APPROVED, Tristate.UNKNOWN: codes.FORMAT}
"""Of a no there is nothing to post, and nothing to object to. A code in no table is an error."""
_BETWEEN_ACCOUNTS = frozenset({required.TRANSFER, required.TRANSFER_INQUIRY})
_MOVING = frozenset({required.TRANSFER, required.CASH, required.PURCHASE})
_ORIGIN = Origin(client=Client.CARD_SWITCH)


class IssuerDoor:
    """Answers the switch's requests; ``handle`` is what the rail's link is given."""

    def __init__(
        self,
        desk: Desk,
        pool: Pool,
        book_id: int,
        office: CardOffice,
        receiving: Receiving,
        dialect: Dialect = ASCII,
    ) -> None:
        """``dialect``: how this link writes amounts."""
        self._desk = desk
        self._pool = pool
        self._book_id = book_id
        self._office = office
        self._receiving = receiving
        self._dialect = dialect

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
            return not_now(request, codes.MALFUNCTION)

    async def _dispatch(self, request: Message) -> Message | None:
        now = self._desk.clock.now()
        if request.mti[1] == "4":
            original = original_at_switch(request, now)
            asked = reversal_in(request, original, self._dialect)
            if asked is None:
                return reply_to(request, codes.FORMAT)
            code = await take_back(self._desk, self._office, asked, self._dialect)
            return reply_to(request, code) if code is not None else None
        kind = required.kind_of(request)
        if not is_for(request, OUR_CODE, must_say=kind in _BETWEEN_ACCOUNTS):
            log.warning("issuer.not_for_us", mti=request.mti, kind=kind)
            return reply_to(request, codes.NO_ROUTE)
        if request.mti[1] == "1" and kind in _MOVING:
            # Nothing is held for an authorisation, so none is given: its completion would be a
            # second payment.
            return reply_to(request, codes.NOT_PERMITTED)
        if is_request(request) and not is_of_now(request, now):
            return reply_to(request, codes.INVALID)
        name = switch_name(request, now)
        if kind == required.TRANSFER:
            return await self._credit(request, name)
        if kind == required.TRANSFER_INQUIRY:
            return await self._name(request)
        return await self._of_card(request, kind, name)

    async def _of_card(self, request: Message, kind: str, name: str) -> Message:
        handlers: dict[str, Callable[[Message, CardAsked], Awaitable[Message]]] = {
            required.CASH: self._cash,
            required.BALANCE: self._balance,
        }
        asked = card_in(request, name, self._dialect)
        if asked is None:
            return reply_to(request, codes.FORMAT)
        if kind not in handlers or asked.money.currency != IDR:
            return reply_to(request, codes.INVALID)
        return await handlers[kind](request, asked)

    async def _cash(self, request: Message, asked: CardAsked) -> Message:
        if asked.advice:
            if (posted := took_place(asked.code)) is not Tristate.YES:
                return await self._not_posted(request, asked.reference, posted)
            card: Card | str = await self._office.find(asked.pan) or codes.NO_SUCH_CARD
        else:
            card = await self._office.admit(request, asked.pan, hsm.ZPK)
        if isinstance(card, str):
            return reply_to(request, card)
        order = cash_order(card, asked)
        decided = await self._desk.decide(Accept(order, self._desk.rules, asked.advice, _ORIGIN))
        if asked.advice and await self._is_told_otherwise(asked.reference, asked.money.minor):
            return reply_to(request, codes.APPROVED)
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
        return balance_answer(request, account.available_minor, self._dialect)

    async def _credit(self, request: Message, name: str) -> Message:
        if request.mti[:3] == "022" and (posted := took_place(request.get(39))) is not Tristate.YES:
            return await self._not_posted(request, name, posted)
        incoming = credit_in(request, name, IN_CARDS, self._dialect)
        if incoming is None:
            return reply_to(request, codes.FORMAT)
        if incoming.currency != IDR:
            return reply_to(request, codes.INVALID)
        said = await self._receiving.announce(incoming, at_once=True)
        if request.mti[:3] == "022" and await self._is_told_otherwise(name, incoming.amount_minor):
            return reply_to(request, codes.APPROVED)
        match said:
            case Accepted():
                return reply_to(request, codes.APPROVED)
            case Declined(reason):
                return reply_to(request, codes.code_of_refusal(reason))
            case _:
                return reply_to(request, codes.MALFUNCTION)

    async def _is_told_otherwise(self, name: str, minor: int) -> bool:
        """Whether an advice says that what the book refused took place: it is taken note of.

        Such a word, and one of another sum than is left after a reversal, is kept with the payment
        and gets an owner: the money is gone, and no answer of ours brings it back.
        """
        known = await self._desk.decide(FindOrdered(THE_NETWORK, name))
        if known is None or is_forbidden(known):
            return False
        if known.refunded_minor:
            if minor != known.to_payee_minor - known.refunded_minor:
                await self._desk.decide(Doubt(payment_id=known.id, taken_minor=minor))
            return False
        told, facts = Accepted(name), Facts(amount_minor=minor)
        await self._desk.decide(Conclude(known.id, told, self._desk.rules, facts))
        return known.state is State.REFUSED

    async def _not_posted(self, request: Message, name: str, posted: Tristate) -> Message:
        """An advice of something that did not take place: if our book has it, somebody is told."""
        if posted is Tristate.NO:
            known = await self._desk.decide(FindOrdered(THE_NETWORK, name))
            if known is not None and known.state is State.POSTED:
                await self._desk.decide(Doubt(payment_id=known.id, taken_minor=0))
        return reply_to(request, _ACKNOWLEDGED[posted])

    async def _name(self, request: Message) -> Message:
        text = request.get(103)
        account_id = int(text) if text.isdigit() and len(text) <= 16 else 0
        owner = await customers.owner_of(self._pool, self._book_id, account_id)
        if owner is None:
            return reply_to(request, "76")
        return name_answer(request, owner.full_name)


def cash_order(card: Card, asked: CardAsked) -> PaymentOrder:
    """Our card at another bank's terminal: the order, under the switch's own name of it."""
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
            merchant=asked.merchant,
            paid_out=asked.paid_out or msgspec.UNSET,
        ),
        amount_minor=asked.money.minor,
        currency=asked.money.currency,
        network_reference=asked.settled,
        by_network=True,
    )


def approval_of(text: str) -> str:
    """DE38: six digits that name the approval."""
    return f"{int(text[-12:], 16) % 1_000_000:06d}"
