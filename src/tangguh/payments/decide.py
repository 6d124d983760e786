"""The decisions about payments: accept an order, conclude what a rail said. Pure.

They run inside the book's writer, after every earlier decision and before every later one, so
what they check still holds when the money is held: nothing slips in between (ADR-0005).
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Final, assert_never
from uuid import UUID

import msgspec

from tangguh.core.assertions import refuse_payment
from tangguh.core.cash import refuse_notes
from tangguh.core.errors import InvariantBroken
from tangguh.core.order import Origin, PaymentOrder, RefundOrder, ToAccount, ToCash, ToMerchant
from tangguh.core.outcome import (
    Accepted,
    Declined,
    NotSent,
    Outcome,
    Refusal,
    Refused,
    Unanswered,
)
from tangguh.core.service import SERVICES
from tangguh.core.text import shown
from tangguh.customers.terms import MERCHANTS
from tangguh.guard.board import Stopped
from tangguh.ledger import chart
from tangguh.ledger.account import Account, AccountState
from tangguh.ledger.book import Book
from tangguh.ledger.chart import Kind
from tangguh.ledger.command import Key
from tangguh.ledger.hold import HoldState
from tangguh.payments.gates.facts import NO_ORIGIN
from tangguh.payments.gates.judge import count, gate_keys, judge, percent
from tangguh.payments.incoming import contradiction
from tangguh.payments.incoming.names import is_taken, name_keys, take_name
from tangguh.payments.incoming.suspense import keep_in_suspense, receive_refund
from tangguh.payments.limits.usage import (
    forget_use,
    refuse_usage,
    tier_of,
    undone_keys,
    usage_keys,
    use_limit,
)
from tangguh.payments.merchant.bill import bill_key, refuse_bill, settle_bill
from tangguh.payments.merchant.shop import discount_of, merchant_of, refuse_shop, shop_of
from tangguh.payments.payment import Decided, Payment, State, network_said
from tangguh.payments.plans import (
    PAID_ONCE,
    PAYMENTS,
    SEQUENCES,
    PaidOnce,
    Sequence,
    key_of,
)
from tangguh.payments.record import beside, keys_of_idempotency, record, record_refused, repeated
from tangguh.payments.redress.advance import advance_keys, owe, repay
from tangguh.payments.redress.arbiter import FACTS, way_of
from tangguh.payments.redress.rows import REDRESS
from tangguh.payments.redress.way import end_way
from tangguh.payments.rules import Rules, next_inquiry_at, refuse_amount, refuse_unwritable
from tangguh.payments.terms.creditors import refuse_creditor
from tangguh.payments.terms.entries import creditor_of, entries_of, parts_of
from tangguh.rails.rail import NO_FACTS, Facts

PARKED_SECONDS_MAX: Final = 4 * 3600
"""So long a payment may wait for a closed gate with its money reserved; then it is given back."""


class Accept(msgspec.Struct, frozen=True, gc=False):
    """Decide one order: refuse it, post it at once (inside the bank), or hold its money.

    ``forced``: the order is an advice, which tells of money that is gone already: no gate, no limit
    and no balance can refuse it, only an account that is not there. ``origin`` is for the guard.
    ``hold_id``: money set aside for this very order, by a cash code; released as it is posted.
    """

    names_keys_at_once: ClassVar[bool] = False

    order: PaymentOrder
    rules: Rules
    forced: bool = False
    origin: Origin = NO_ORIGIN
    hold_id: UUID | None = None

    @property
    def takes_new_money(self) -> bool:
        """Whether it can be refused for want of room: an advice tells of what is gone already."""
        return not self.forced

    def keys(self, book: Book) -> list[Key]:
        order, debtor = self.order, self.order.debtor
        keys = keys_of_idempotency(book, key_of(order))
        keys += name_keys(order)
        keys += gate_keys(book, order, self.origin)
        keys += (("accounts", debtor), ("accounts", chart.FEES))
        keys += usage_keys(book, self.rules, debtor, order.service, book.today)
        merchant = merchant_of(order)
        if merchant:
            keys.append((MERCHANTS.name, merchant))
        creditor = creditor_of(order, shop_of(book, order) if merchant else None)
        if creditor is not None:
            keys.append(("accounts", creditor))
        keys += [("accounts", one) for one in beside(debtor, creditor or 0, order)]
        key = bill_key(order)
        if key is not None:
            keys.append(("merchant_bills", key))
        if order.once:
            keys.append((PAID_ONCE.name, order.once))
        if self.hold_id is not None:
            keys.append(("holds", self.hold_id))
        way = self.rules.ways.get(order.service)
        if way is not None and way.naming is not None:
            keys.append(("wire_sequences", (way.rail, book.today)))
        return keys

    def decide(self, book: Book) -> Decided | Refused:
        """The payment, new or as it was decided before.

        Refused as a value for what its sender may not say, for IDEMPOTENCY_KEY_REUSED and for sums
        no book can write; every other refusal is written down as a payment in state ``refused``,
        so that the same key gets the same answer for ever.
        """
        order = self.order
        if refused := refuse_payment(self.origin, order, advice=self.forced):
            return refused
        if refused := refuse_unwritable(order.amount_minor, order.tip_minor):
            return refused
        known = repeated(book, order)
        if known is not None:
            return known
        if not order.by_network and is_taken(book, order):
            told = "its network has called another payment so"
            return Refused(Refusal.IDEMPOTENCY_KEY_REUSED, "network_reference", told)
        payment = self._draft(book)
        stopped = None if self.forced else judge(book, order, self.origin)
        if refused := self._refuse(book, payment, stopped):
            return record_refused(book, payment, refused)
        if stopped is None:
            count(book, order, self.origin)
        return self._carry_out(book, payment, parked=stopped is not None)

    def _draft(self, book: Book) -> Payment:
        """The payment before anything is decided; it becomes a row in whatever state it ends."""
        order = self.order
        service = SERVICES.get(order.service)
        tier = tier_of(book, order.debtor)
        shop = shop_of(book, order)
        return Payment(
            id=book.ids.next(book.now),
            kind="payment",
            customer_id=order.customer_id,
            service=order.service,
            rail=service.rail if service else "",
            state=State.HELD,
            debtor=order.debtor,
            creditor=creditor_of(order, shop) or 0,
            amount_minor=order.amount_minor,
            tip_minor=order.tip_minor,
            fee_minor=self.rules.fee_of(order.service, tier),
            currency=order.currency,
            order=order,
            business_date=book.today,
            accepted_at=book.now,
            discount_minor=discount_of(self.rules, order, shop),
        )

    def _may_wait(self) -> bool:
        """Whether it can be taken now and sent later: somebody at an app can, a till cannot."""
        service = SERVICES[self.order.service]
        return service.channel == "mobile" and not self.rules.settles_inside(service.id)

    def _refuse(self, book: Book, payment: Payment, stopped: Stopped | None) -> Refused | None:
        """The first refusal by precedence, but for what only the book's own verbs can see."""
        order = self.order
        if isinstance(order.payee, ToMerchant) and (
            refused := refuse_shop(order, shop_of(book, order))
        ):
            return refused
        if payment.creditor == 0:
            return Refused(Refusal.ORDER_INVALID, "service", "this service cannot pay this payee")
        if order.service not in self.rules.ways:
            return Refused(Refusal.SERVICE_CLOSED, "service", "its rail is not connected")
        if refused := refuse_amount(order.amount_minor, order.currency):
            return refused
        notes = isinstance(order.payee, ToCash) and order.payee.vault
        if notes and (refused := refuse_notes(order.amount_minor)):
            return refused
        debtor = book.accounts.get(order.debtor)
        if debtor is None or debtor.owner_id != order.customer_id:
            # Another customer's account looks the same as none: numbers cannot be probed.
            return Refused(Refusal.ACCOUNT_NOT_FOUND, "from_account", "no such account of yours")
        creditor = book.accounts.get(payment.creditor)
        if refused := refuse_creditor(order.service, creditor):
            return refused
        if creditor is None or (isinstance(order.payee, ToAccount) and creditor.owner_id == 0):
            return Refused(Refusal.PAYEE_NOT_FOUND, "to", "there is no such account at this bank")
        if refused := _refuse_debtor(order, debtor):
            return refused
        if payment.debtor == payment.creditor:
            return Refused(Refusal.ACCOUNTS_MUST_BE_DIFFERENT, "to", "this is the same account")
        if self.forced:
            return None
        if debtor.state is not AccountState.OPEN:
            return Refused(Refusal.ACCOUNT_CLOSED, "from_account", f"it is {debtor.state}")
        if creditor.state is AccountState.CLOSED:
            return Refused(Refusal.PAYEE_ACCOUNT_CLOSED, "to", "the payee's account is closed")
        if order.once and book.shelf(PAID_ONCE).get(order.once) is not None:
            return Refused(Refusal.IDEMPOTENCY_KEY_REUSED, "once", "this has paid before")
        if self.hold_id is not None and not is_held(book, self.hold_id):
            return Refused(Refusal.HOLD_ALREADY_VOIDED, "once", "its code was cancelled or is over")
        if self.rules.limit_of(order.service, debtor.tier) is None:
            return Refused(Refusal.SERVICE_CLOSED, "service", "no limit is set for it")
        if stopped is not None and not (stopped.parks and self._may_wait()):
            return stopped.refused
        of_limits = percent(book, order, self.origin)
        if refused := refuse_usage(book, self.rules, payment, of_limits):
            return refused
        if refused := refuse_bill(book, order, payment.amount_minor):
            return refused
        return self._refuse_room(payment, creditor)

    def _refuse_room(self, payment: Payment, creditor: Account) -> Refused | None:
        """What the far account cannot take: a full purse, or more than our deposit there."""
        if creditor.kind is Kind.PARTNER and creditor.posted_minor + payment.to_payee_minor > 0:
            return Refused(Refusal.PARTNER_FLOAT, "to", "our deposit with this partner is used up")
        if creditor.kind is Kind.PURSE:
            limit = self.rules.limit_of(payment.service, creditor.tier)
            most = limit.balance_max_minor if limit is not None else None
            if most is not None and creditor.posted_minor + payment.to_payee_minor > most:
                return Refused(
                    Refusal.PURSE_LIMIT, "amount", f"it may hold at most {most} minor units"
                )
        return None

    def _carry_out(self, book: Book, payment: Payment, *, parked: bool) -> Decided:
        order, way = self.order, self.rules.ways[payment.service]
        inside = way.settles_inside or self.forced or isinstance(order.payee, ToMerchant)
        payment = self._named(book, payment)
        kind = "advice" if self.forced else "payment"
        if self.hold_id is not None:
            book.void_hold(self.hold_id)
        moved = (
            book.post(payment.id, kind, entries_of(payment), forced=self.forced)
            if inside
            else book.hold(payment.id, payment.debtor, payment.total_minor)
        )
        if isinstance(moved, Refused):
            return record_refused(book, payment, moved)
        use_limit(book, self.rules, payment, payment.to_payee_minor)
        if order.once:
            book.shelf(PAID_ONCE).put(order.once, PaidOnce(order.once, payment.id))
        if inside:
            settle_bill(book, order, payment.id)
            done = payment.to(State.POSTED, book.now, network_reference=payment.reference)
            return record(book, done, "posted")
        if parked:
            until = book.now + timedelta(seconds=PARKED_SECONDS_MAX)
            waits = msgspec.structs.replace(payment, state=State.PARKED, resolve_at=until, events=1)
            return record(book, waits, "parked")
        due = book.now + timedelta(seconds=way.send_timeout_seconds)
        held = msgspec.structs.replace(payment, resolve_at=due, events=1)
        return record(book, held, "held")

    def _named(self, book: Book, payment: Payment) -> Payment:
        """The payment with the reference its network will know it by, where ids are not used.

        A name that is another's already is not given again: settlement finds what has none.
        """
        way = self.rules.ways[payment.service]
        if self.order.network_reference:
            wire = take_name(book, self.order, payment.id)
            return msgspec.structs.replace(payment, wire=wire)
        if way.naming is None or way.settles_inside:
            return payment
        sequences, key = book.shelf(SEQUENCES), (way.rail, book.today)
        before = sequences.get(key)
        number = before.last + 1 if before is not None else 1
        sequences.put(key, Sequence(*key, number))
        return msgspec.structs.replace(
            payment, wire=way.naming(number, payment.accepted_at, self.order)
        )


class Conclude(msgspec.Struct, frozen=True, gc=False):
    """Write down what a rail said of a payment or refund. Whoever asks second changes nothing."""

    names_keys_at_once: ClassVar[bool] = False

    payment_id: UUID
    outcome: Outcome
    rules: Rules
    facts: Facts = NO_FACTS

    def keys(self, book: Book) -> list[Key]:
        keys: list[Key] = [("payments", self.payment_id)]
        payment = book.shelf(PAYMENTS).rows.get(self.payment_id)
        if payment is None:
            return keys
        keys += (
            ("holds", payment.id),
            ("accounts", payment.debtor),
            ("accounts", payment.creditor),
            ("accounts", chart.FEES),
            ("accounts", chart.SUSPENSE),
        )
        also = beside(payment.debtor, payment.creditor, payment.order)
        keys += [("accounts", account_id) for account_id in also]
        if payment.kind == "payment":
            day = payment.business_date
            keys += usage_keys(book, self.rules, payment.debtor, payment.service, day)
        if payment.advanced_minor:
            keys += advance_keys(payment.debtor, payment.id)
        if payment.original_id is not None:
            keys += (("payments", payment.original_id), (REDRESS.name, payment.original_id))
            original = book.shelf(PAYMENTS).rows.get(payment.original_id)
            if original is not None and original.advanced_minor:
                keys += advance_keys(original.debtor, original.id)
            if original is not None and _undoes(payment):
                keys += undone_keys(book, self.rules, original)
        return keys

    def decide(self, book: Book) -> Decided | Refused:
        """The payment after it. Refuses PAYMENT_NOT_FOUND.

        An outcome that contradicts how the payment ended, or that names another amount or account
        (``facts``), is not booked as if it agreed: it becomes an event in the payment's timeline,
        from which it gets an owner. What a network settled otherwise than it had announced waits in
        suspense.
        """
        payment = book.shelf(PAYMENTS).get(self.payment_id)
        if payment is None:
            return Refused(Refusal.PAYMENT_NOT_FOUND, "payment_id", "there is no such payment")
        if not payment.is_open:
            return self._too_late(book, payment)
        match self.outcome:
            case Accepted(reference) if contradiction.differing(payment, self.facts):
                return self._in_doubt(book, payment, _as_told(reference))
            case Accepted(reference, receipt):
                return self._post(book, payment, _as_told(reference), _as_told(receipt))
            case Declined(reason, code):
                told = Refused(reason, "", network_said(_as_told(code)))
                return self._give_up(book, payment, told)
            case NotSent(why):
                unreachable = Refused(Refusal.PARTNER_UNREACHABLE, "", _as_told(why))
                return self._give_up(book, payment, unreachable)
            case Unanswered(why):
                return self._wait(book, payment, _as_told(why))
            case _:
                assert_never(self.outcome)

    def _post(self, book: Book, payment: Payment, reference: str, receipt: str) -> Decided:
        done = payment.to(State.POSTED, book.now, network_reference=reference)
        if payment.kind == "refund":
            where = receive_refund(book, payment)
            _change_original(book, payment, self.rules, refunded=True)
            return record(book, done, "posted", where)
        paid_for, also = parts_of(payment)
        kind = "credit" if payment.kind == "credit" else "payment"
        moved = book.post_hold(payment.id, payment.id, kind, paid_for, also=also)
        if not isinstance(moved, Refused):
            owe(book, payment, self.rules.redress)
            return record(book, done, "posted", receipt)
        if payment.kind == "credit":
            return record(book, done, "posted", keep_in_suspense(book, payment, moved))
        raise InvariantBroken(f"the network has paid {payment.id} and the book: {moved.code}")

    def _in_doubt(self, book: Book, payment: Payment, reference: str) -> Decided:
        detail = contradiction.told(self.outcome, payment, self.facts)
        if payment.kind == "credit":
            kept = payment.to(State.POSTED, book.now, network_reference=reference)
            why = Refused(Refusal.ORDER_INVALID, contradiction.differing(payment, self.facts))
            keep_in_suspense(book, payment, why)
            return record(book, kept, contradiction.EVENT, detail)
        way = self.rules.ways[payment.service]
        due = next_inquiry_at(way, payment.accepted_at, payment.attempts, book.now)
        waiting = payment.to(State.UNANSWERED, book.now, resolve_at=due)
        return record(book, waiting, contradiction.EVENT, detail)

    def _give_up(self, book: Book, payment: Payment, refused: Refused) -> Decided:
        if payment.kind == "refund":
            _change_original(book, payment, self.rules, refunded=False)
        else:
            voided = book.void_hold(payment.id)
            if isinstance(voided, Refused):
                raise InvariantBroken(f"the hold of {payment.id} cannot be voided: {voided.code}")
            if payment.kind == "payment":
                use_limit(book, self.rules, payment, -payment.to_payee_minor)
            payment = repay(book, payment, payment.advanced_minor, "the payment did not happen")
        over = payment.to(State.VOIDED, book.now, refused=refused)
        return record(book, over, "voided", refused.detail)

    def _wait(self, book: Book, payment: Payment, why: str) -> Decided:
        way = self.rules.ways[payment.service]
        due = next_inquiry_at(way, payment.accepted_at, payment.attempts, book.now)
        waiting = payment.to(State.UNANSWERED, book.now, resolve_at=due)
        return record(book, waiting, "unanswered", why)

    def _too_late(self, book: Book, payment: Payment) -> Decided:
        told = self.outcome
        if isinstance(told, Unanswered) or not contradiction.contradicts(payment, told, self.facts):
            return Decided(payment, repeated=True)
        if payment.is_told_enough:
            return Decided(payment, repeated=True)
        noted = msgspec.structs.replace(payment, events=payment.events + 1)
        said = record(
            book, noted, contradiction.EVENT, contradiction.told(told, payment, self.facts)
        )
        return msgspec.structs.replace(said, repeated=True)


def is_held(book: Book, hold_id: UUID) -> bool:
    """Whether the money of a hold is still set aside."""
    hold = book.holds.get(hold_id)
    return hold is not None and hold.state is HoldState.HELD


def _refuse_debtor(order: PaymentOrder, debtor: Account) -> Refused | None:
    """Purses pay only through their own services, and what waits for a cut-off pays nothing."""
    service = SERVICES[order.service]
    spends_purse = service.channel == "emoney" and ".topup." not in service.id
    product = chart.product_of(debtor.account_id)
    if (spends_purse and product != service.partner) or (product and not spends_purse):
        return Refused(Refusal.ORDER_INVALID, "from_account", "this account pays another way")
    if debtor.kind is Kind.PAYABLE:
        return Refused(Refusal.ACCOUNT_CLOSED, "from_account", "it is paid out at the cut-off")
    return None


def _change_original(book: Book, refund: Payment, rules: Rules, *, refunded: bool) -> None:
    if refund.original_id is None:
        raise InvariantBroken(f"refund {refund.id} names no original")
    original = book.shelf(PAYMENTS).get(refund.original_id)
    if original is None:
        raise InvariantBroken(f"the original of refund {refund.id} is not there")
    if refunded:
        original = repay(book, original, refund.amount_minor, "it came back")
        if _undoes(refund):
            forget_use(book, rules, original, refund.amount_minor)
    elif isinstance(refund.order, RefundOrder) and refund.order.claims:
        owe(book, original, rules.redress)
    end_way(book, original, refund, came_back=refunded)
    after = original.with_refund(
        refunding_change=-refund.amount_minor,
        refunded_change=refund.amount_minor if refunded else 0,
        at=book.now,
    )
    record(book, after, "refunded" if refunded else "refund_called_off", refund.reference)


def _undoes(refund: Payment) -> bool:
    """Whether money comes back because the payment, or a part of it, did not take place."""
    return isinstance(refund.order, RefundOrder) and way_of(refund.order) in FACTS


def _as_told(text: str) -> str:
    """A network's words as they can be kept: any network may write anything into its fields."""
    return shown(text, _TOLD_LENGTH_MAX)


_TOLD_LENGTH_MAX: Final = 200
