"""Our ATMs' door: cash for our cards and others', balance, transfers, bills, PIN, cash by code.

The terminal's own reference is the idempotency key, so a repeat gives no second note and a reversal
finds what it reverses. Another bank's card goes to the switch: its PIN block is translated for it
and neither that nor the stripe is ever written down.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

import msgspec
import structlog

from tangguh.core.cash import refuse_notes
from tangguh.core.client import Client
from tangguh.core.errors import TangguhError
from tangguh.core.order import Origin, Payee, PaymentOrder, ToAccount, ToBank, ToBiller, ToCash
from tangguh.core.outcome import Accepted, Declined, Refusal, Refused
from tangguh.core.service import (
    ATM_ACQUIRER,
    ATM_BILL,
    ATM_CARDLESS,
    ATM_CASH,
    ATM_TRANSFER_CARDS,
    ATM_TRANSFER_ONUS,
)
from tangguh.customers import codes as one_time
from tangguh.customers import store as customers
from tangguh.customers.cards import Card
from tangguh.db.pool import Pool
from tangguh.ledger import chart, statement
from tangguh.payments import flow
from tangguh.payments import store as payments
from tangguh.payments.checks.find import FindOrdered
from tangguh.payments.decide import Accept, Conclude
from tangguh.payments.desk import Desk
from tangguh.payments.incoming.receive import THE_NETWORK
from tangguh.payments.payment import Decided, Payment, State
from tangguh.rails.banks import OUR_CODE
from tangguh.rails.iso8583 import hsm, required
from tangguh.rails.iso8583.fields import ASCII, Dialect, amount_text
from tangguh.rails.iso8583.inbound.address import addressee_of
from tangguh.rails.iso8583.inbound.asked import (
    CardAsked,
    balance_answer,
    card_in,
    name_answer,
    reversal_in,
)
from tangguh.rails.iso8583.inbound.money import is_in_rupiah
from tangguh.rails.iso8583.inbound.original import is_of_now, original_at_terminal, terminal_name
from tangguh.rails.iso8583.message import Message, masked_pan, not_now, reply_to
from tangguh.rails.iso8583.outbound.orders import CardData
from tangguh.rails.iso8583.rail import Iso8583Rail
from tangguh.rails.rail import Asked, Enquirer, Found
from tangguh.work import codes
from tangguh.work.cards import CardOffice
from tangguh.work.issuer import approval_of
from tangguh.work.reversals import take_back

log = structlog.get_logger("work.terminals")

_ORIGIN: Final = Origin(client=Client.TERMINAL)
_BILLER, _CUSTOMER, _INQUIRY = 10, 20, 36
_BILLERS: Final = {"10001": "electricity"}
"""What our machines sell, by the biller's service number."""

Served = Callable[[Message, CardAsked, Card], Awaitable[Message]]


class TerminalDoor:
    """Answers our ATMs; ``handle`` is what the listening port is given."""

    def __init__(
        self,
        desk: Desk,
        pool: Pool,
        book_id: int,
        office: CardOffice,
        switch: Iso8583Rail | None,
        billers: Enquirer | None,
        dialect: Dialect = ASCII,
    ) -> None:
        """``switch`` None: others' cards and other banks are not served; ``billers`` likewise.

        ``dialect``: how our machines write amounts.
        """
        self._dialect = dialect
        self._desk = desk
        self._pool = pool
        self._book_id = book_id
        self._office = office
        self._switch = switch
        self._billers = billers
        self._by_card: dict[str, Served] = {
            required.CASH: self._cash,
            required.BALANCE: self._balance,
            required.TRANSFER_INQUIRY: self._whose,
            required.TRANSFER: self._transfer,
            required.BILL_INQUIRY: self._owed,
            required.BILL: self._bill,
            required.PIN_CHANGE: self._new_pin,
        }

    async def handle(self, request: Message) -> Message | None:
        """The answer; None when there is none yet, so that the terminal asks again."""
        findings = required.judge(request)
        if findings:
            log.warning("terminal.refused", mti=request.mti, field=findings[0].field)
            return reply_to(request, codes.FORMAT)
        try:
            if request.mti[1] == "4":
                return await self._reverse(request)
            if request.mti[1] != "2" or request.mti[2] == "2":
                # Our machines ask, and pay out when they are told to: nothing is held for them.
                return reply_to(request, codes.NOT_PERMITTED)
            return await self._serve(request)
        except TangguhError as trouble:
            log.warning("terminal.failed", mti=request.mti, why=str(trouble))
            return not_now(request, codes.MALFUNCTION)

    async def _serve(self, request: Message) -> Message:
        now = self._desk.clock.now()
        if not is_of_now(request, now):
            return reply_to(request, codes.INVALID)
        asked = card_in(request, terminal_name(request, now), self._dialect)
        if asked is None:
            return reply_to(request, codes.FORMAT)
        if vault_of(asked.terminal) == 0 or not is_in_rupiah(request):
            return reply_to(request, codes.INVALID)
        if asked.kind in {required.CASH, required.CARDLESS} and refuse_notes(asked.money.minor):
            return reply_to(request, codes.INVALID_AMOUNT)
        if asked.kind == required.CARDLESS:
            return await self._cardless(request, asked)
        if not self._office.is_ours(asked.pan):
            return await self._foreign_cash(request, asked)
        if asked.kind not in self._by_card:
            return reply_to(request, codes.INVALID)
        card = await self._office.admit(request, asked.pan, hsm.TPK)
        if isinstance(card, str):
            return reply_to(request, card)
        return await self._by_card[asked.kind](request, asked, card)

    # ---- our own cards -----------------------------------------------------------------------

    async def _cash(self, request: Message, asked: CardAsked, card: Card) -> Message:
        payee = _notes(asked, masked_pan(asked.pan))
        return await self._pay(request, _order(card, asked, ATM_CASH, payee))

    async def _balance(self, request: Message, _asked: CardAsked, card: Card) -> Message:
        account = await statement.balance(self._pool, self._book_id, card.account_id)
        if account is None:
            return reply_to(request, codes.NO_RECORD)
        return balance_answer(request, account.available_minor, self._dialect)

    async def _whose(self, request: Message, asked: CardAsked, card: Card) -> Message:
        bank, account = bank_in(request), request.get(103)
        if bank is None:
            return reply_to(request, codes.FORMAT)
        if bank == OUR_CODE:
            owner = await customers.owner_of(self._pool, self._book_id, _number(account))
            return name_answer(request, owner.full_name) if owner else reply_to(request, "76")
        if self._switch is None:
            return reply_to(request, codes.NO_ROUTE)
        found = await self._switch.look_up(
            Asked(
                reference=asked.reference,
                payee=ToBank(bank=bank, account=account),
                amount_minor=asked.money.minor,
                debtor_account=card.account_id,
                debtor_name="",
                asked_at=self._desk.clock.now(),
            )
        )
        if isinstance(found, Declined):
            return reply_to(request, codes.code_of_refusal(found.reason))
        if not isinstance(found, Found):
            return reply_to(request, codes.INOPERATIVE)
        return name_answer(request, found.name)

    async def _transfer(self, request: Message, asked: CardAsked, card: Card) -> Message:
        bank, account = bank_in(request), request.get(103)
        if bank is None:
            return reply_to(request, codes.FORMAT)
        if bank == OUR_CODE:
            order = _order(card, asked, ATM_TRANSFER_ONUS, ToAccount(_number(account)))
        else:
            payee = ToBank(bank=bank, account=account, name=asked.data[:30].strip())
            order = _order(card, asked, ATM_TRANSFER_CARDS, payee)
        return await self._pay(request, order)

    async def _owed(self, request: Message, asked: CardAsked, card: Card) -> Message:
        payee = _biller_in(asked.data)
        if self._billers is None or not payee.biller:
            return reply_to(request, codes.NOT_PERMITTED)
        found = await self._billers.look_up(
            Asked(
                reference=f"{asked.acquirer}{asked.terminal}{asked.rrn}",
                payee=payee,
                amount_minor=asked.money.minor,
                debtor_account=card.account_id,
                debtor_name="",
                asked_at=self._desk.clock.now(),
            )
        )
        if isinstance(found, Declined):
            return reply_to(request, codes.code_of_refusal(found.reason))
        if not isinstance(found, Found):
            return reply_to(request, codes.INOPERATIVE)
        bill = found.payee.bill if isinstance(found.payee, ToBiller) else ""
        told = f"{asked.data[: _BILLER + _CUSTOMER]:<30}{bill:<36.36}{found.name:<30.30}"
        owed = amount_text(found.amount_minor or 0, self._dialect) or ""
        return reply_to(request, codes.APPROVED, {4: owed, 48: told})

    async def _bill(self, request: Message, asked: CardAsked, card: Card) -> Message:
        payee = _biller_in(asked.data)
        if not payee.biller:
            return reply_to(request, codes.NOT_PERMITTED)
        return await self._pay(request, _order(card, asked, ATM_BILL, payee))

    async def _new_pin(self, request: Message, asked: CardAsked, card: Card) -> Message:
        return reply_to(
            request, await self._office.change_pin(asked.pan, card, asked.new_pin_block)
        )

    # ---- without our card --------------------------------------------------------------------

    async def _cardless(self, request: Message, asked: CardAsked) -> Message:
        """A code from the app, for the very sum it was made for; it pays once."""
        text = asked.data.strip()
        now = self._desk.clock.now()
        code = await one_time.find_any(self._pool, self._book_id, text, one_time.CASH)
        if code is None or (
            now >= code.expires_at
            and await self._desk.decide(FindOrdered(THE_NETWORK, asked.reference)) is None
        ):
            return reply_to(request, codes.NO_SUCH_CARD)
        if code.amount_minor is not None and code.amount_minor != asked.money.minor:
            return reply_to(request, codes.INVALID_AMOUNT)
        order = PaymentOrder(
            customer_id=code.customer_id,
            idempotency_key=asked.reference,
            service=ATM_CARDLESS,
            debtor=code.account_id,
            payee=_notes(asked, ""),
            amount_minor=asked.money.minor,
            by_network=True,
            once=f"cash:{one_time.digest(self._pool, text)}",
        )
        return await self._pay(request, order, code.hold_id)

    async def _foreign_cash(self, request: Message, asked: CardAsked) -> Message:
        """Another bank's card: the switch decides, and owes us what we pay out."""
        if self._switch is None or asked.kind != required.CASH:
            return reply_to(request, codes.NOT_PERMITTED)
        accepted = await self._accept_foreign(asked)
        if isinstance(accepted, Refused):
            return reply_to(request, codes.code_of_refusal(accepted.code))
        payment, approval = accepted.payment, ""
        if not accepted.repeated and payment.is_open:
            card = CardData(
                pan=asked.pan,
                track_2=request.get(35),
                pin_block=asked.pin_block,
                pin_key=hsm.TPK,
            )
            self._switch.carry(payment.reference, card)
            outcome = await flow.dispatch(self._desk, payment)
            concluded = await self._desk.decide(Conclude(payment.id, outcome, self._desk.rules))
            if isinstance(concluded, Refused):
                return reply_to(request, codes.MALFUNCTION)
            payment = concluded.payment
            approval = outcome.receipt if isinstance(outcome, Accepted) else ""
        elif payment.state is State.POSTED:
            approval = await self._approval_of(payment)
        more = {38: approval} if approval else {}
        return reply_to(request, codes.code_of_issuer(payment), more)

    async def _accept_foreign(self, asked: CardAsked) -> Decided | Refused:
        """The withdrawal, new or as it was decided before.

        A card number is sealed otherwise each time, so a repeat is known by what is sealed in it.
        """
        order = self._foreign_order(asked)
        accepted = await self._desk.decide(Accept(order, self._desk.rules, origin=_ORIGIN))
        if not isinstance(accepted, Refused) or accepted.code is not Refusal.IDEMPOTENCY_KEY_REUSED:
            return accepted
        known = await self._desk.decide(FindOrdered(THE_NETWORK, order.idempotency_key))
        first = known.order if known is not None else None
        if known is None or not isinstance(first, PaymentOrder):
            return accepted
        if not isinstance(first.payee, ToCash) or not isinstance(order.payee, ToCash):
            return accepted
        if self._office.security.open_sealed(first.payee.sealed_pan) != asked.pan:
            return accepted
        payee = msgspec.structs.replace(order.payee, sealed_pan=first.payee.sealed_pan)
        same = msgspec.structs.replace(order, payee=payee) == first
        return Decided(known, repeated=True) if same else accepted

    async def _approval_of(self, payment: Payment) -> str:
        """The issuer's approval (DE38), from the payment's timeline."""
        lines = await payments.timeline(self._pool, self._book_id, payment.id)
        return next((line.detail for line in lines if line.what == "posted"), "")

    def _foreign_order(self, asked: CardAsked) -> PaymentOrder:
        sealed = self._office.security.seal(asked.pan)
        return PaymentOrder(
            customer_id=THE_NETWORK,
            idempotency_key=asked.reference,
            service=ATM_ACQUIRER,
            debtor=chart.SETTLEMENT_CARDS,
            payee=_notes(asked, masked_pan(asked.pan), sealed),
            amount_minor=asked.money.minor,
            by_network=True,
        )

    # ---- both --------------------------------------------------------------------------------

    async def _pay(
        self, request: Message, order: PaymentOrder, hold_id: UUID | None = None
    ) -> Message:
        decided = await flow.pay(self._desk, order, _ORIGIN, hold_id)
        if isinstance(decided, Refused):
            return reply_to(request, codes.code_of_refusal(decided.code))
        payment = decided.payment
        more = {38: approval_of(payment.id.hex)}
        return reply_to(request, codes.code_of_payment(payment), more)

    async def _reverse(self, request: Message) -> Message | None:
        original = original_at_terminal(request, self._desk.clock.now())
        asked = reversal_in(request, original, self._dialect)
        if asked is None:
            return reply_to(request, codes.FORMAT)
        code = await take_back(self._desk, self._office, asked, self._dialect)
        return reply_to(request, code) if code is not None else None


def bank_in(request: Message) -> str | None:
    """The payee's bank, ours where none is named; None when two are."""
    addressee = addressee_of(request)
    if not addressee:
        return OUR_CODE if addressee == "" else None
    return f"{addressee:0>3}"


def vault_of(terminal: str) -> int:
    """The cassette's account of one of our terminals (ATM00001 ...); 0 when it is not ours."""
    digits = terminal.removeprefix("ATM")
    number = int(digits) if digits.isdecimal() and len(digits) == 5 else 0
    return chart.ATM_VAULT_MIN + number if 1 <= number <= chart.ATMS_MAX else 0


def _order(card: Card, asked: CardAsked, service: str, payee: Payee) -> PaymentOrder:
    return PaymentOrder(
        customer_id=card.customer_id,
        idempotency_key=asked.reference,
        service=service,
        debtor=card.account_id,
        payee=payee,
        amount_minor=asked.money.minor,
        by_network=True,
    )


def _notes(asked: CardAsked, card: str, sealed: str = "") -> ToCash:
    return ToCash(
        terminal=asked.terminal,
        acquirer=OUR_CODE,
        vault=vault_of(asked.terminal),
        location=asked.location,
        trace=asked.trace,
        rrn=asked.rrn,
        card=card,
        sealed_pan=sealed,
        merchant=asked.merchant,
    )


def _biller_in(data: str) -> ToBiller:
    """DE48 of a bill: biller (10), customer number (20), then what our inquiry's answer added."""
    inquiry = data[_BILLER + _CUSTOMER : _BILLER + _CUSTOMER + _INQUIRY].strip()
    return ToBiller(
        biller=_BILLERS.get(data[:_BILLER].strip(), ""),
        customer_no=data[_BILLER : _BILLER + _CUSTOMER].strip(),
        bill=inquiry,
        name=data[_BILLER + _CUSTOMER + _INQUIRY :].strip(),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else 0
