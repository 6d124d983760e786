"""Money back to the customer by a new posting, never more than was posted. Pure decision.

Several refunds of one payment may be on their way; what they reserve together is kept in the
payment itself, in the writer, so parallel requests cannot give back more than there was.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar, Final

import msgspec

from tangguh.core.assertions import refuse_refund
from tangguh.core.order import RefundOrder
from tangguh.core.outcome import Refusal, Refused
from tangguh.ledger import chart
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.ledger.posting import Entry
from tangguh.payments.limits.usage import forget_use, undone_keys
from tangguh.payments.merchant.payouts import PAYOUTS, money_of_sale
from tangguh.payments.merchant.shop import is_own_sale
from tangguh.payments.payment import Decided, Payment, State
from tangguh.payments.plans import PAYMENTS, key_of
from tangguh.payments.record import beside, keys_of_idempotency, record, repeated
from tangguh.payments.redress.advance import advance_keys, repay
from tangguh.payments.redress.arbiter import FACTS, way_of
from tangguh.payments.redress.way import end_way, refuse_by_way, take_way, way_keys
from tangguh.payments.rules import Rules
from tangguh.payments.terms.entries import entries_of

THE_BANK: Final = 0
"""``requested_by`` of the bank itself: a partner's refund notice or an operator."""


class AcceptRefund(msgspec.Struct, frozen=True):
    """Decide a refund: refuse it, post it at once (inside the bank), or reserve it and ask.

    ``forced``: the network has reversed it already, or never had it: nobody is asked, and the
    payee's balance cannot refuse.
    """

    names_keys_at_once: ClassVar[bool] = False

    order: RefundOrder
    rules: Rules
    forced: bool = False

    def keys(self, book: Book) -> Iterable[Key]:
        order = self.order
        yield from keys_of_idempotency(book, key_of(order))
        yield "payments", order.payment_id
        if book.is_loaded("payments", order.payment_id):
            original = book.shelf(PAYMENTS).get(order.payment_id)
            if original is not None:
                yield from way_keys(book, original)
                if self._undoes:
                    yield from undone_keys(book, self.rules, original)
                if original.advanced_minor:
                    yield from advance_keys(original.debtor, original.id)
                yield "accounts", original.creditor
                yield "accounts", original.debtor
                yield PAYOUTS.name, original.creditor
                if book.is_loaded(PAYOUTS.name, original.creditor):
                    yield "accounts", money_of_sale(book, original)
                yield "accounts", chart.FEES
                for account_id in beside(original.creditor, original.debtor, order):
                    yield "accounts", account_id

    def decide(self, book: Book) -> Decided | Refused:
        """The refund, new or as decided before.

        Refuses ORDER_INVALID (more than a customer may say), IDEMPOTENCY_KEY_REUSED,
        PAYMENT_NOT_FOUND (also another's payment),
        AMOUNT_NOT_POSITIVE, PAYMENT_NOT_REFUNDABLE, WAY_BACK_TAKEN, REFUND_EXCEEDS_PAYMENT (the
        arbiter: ``redress.arbiter``), and what a posting refuses (the payee may have spent the
        money). A refused refund is not kept: the payee may ask again with the same key once there
        is money.
        """
        order = self.order
        is_bank = order.requested_by == THE_BANK
        if refused := refuse_refund(order, is_bank=is_bank, forced=self.forced):
            return refused
        known = repeated(book, order)
        if known is not None:
            return known
        original = book.shelf(PAYMENTS).get(order.payment_id)
        if original is None or not self._may_refund(book, original):
            return Refused(Refusal.PAYMENT_NOT_FOUND, "payment_id", "there is no such payment")
        if refused := refuse_by_way(book, original, order, forced=self.forced):
            return refused
        return self._carry_out(book, original)

    @property
    def _undoes(self) -> bool:
        """Whether the network tells that it did not take place, other than a payee giving back."""
        return way_of(self.order, forced=self.forced) in FACTS

    def _may_refund(self, book: Book, original: Payment) -> bool:
        """The payee may give back what they got; the bank may on a network's word.

        What came in is no payment of ours: a return of it would take it from whoever got it.
        """
        if self.order.requested_by == THE_BANK:
            return original.kind == "payment" or not self.order.returned_as
        if original.kind != "payment":
            return False
        payee = book.accounts.get(original.creditor)
        return payee is not None and payee.owner_id == self.order.requested_by

    def _carry_out(self, book: Book, original: Payment) -> Decided | Refused:
        way = self.rules.ways[original.service]
        refund = _draft(book, original, self.order)
        inside = way.settles_inside or is_own_sale(original.order)
        if inside or original.kind == "credit" or self.forced:
            entries = self._entries(original, refund)
            moved = book.post(refund.id, "refund", entries, forced=self.forced)
            if isinstance(moved, Refused):
                return moved
            original = take_way(book, original, refund, forced=self.forced)
            original = repay(book, original, refund.amount_minor, "it came back")
            self._tell_original(book, original, refund, at_once=True)
            end_way(book, original, refund, came_back=True)
            if self._undoes:
                forget_use(book, self.rules, original, refund.amount_minor)
            done = refund.to(State.POSTED, book.now, network_reference=refund.reference)
            return record(book, done, "posted")
        original = take_way(book, original, refund, forced=self.forced)
        self._tell_original(book, original, refund, at_once=False)
        due = book.now + timedelta(seconds=way.send_timeout_seconds)
        return record(book, msgspec.structs.replace(refund, resolve_at=due, events=1), "held")

    def _entries(self, original: Payment, refund: Payment) -> tuple[Entry, ...]:
        """The refund's entries; with the fee when nothing of the payment took place."""
        entries = entries_of(refund)
        whole = original.refunded_minor + refund.amount_minor == original.to_payee_minor
        if not (self.order.with_fee and whole and original.fee_minor):
            return entries
        fee = original.fee_minor
        return (*entries, (chart.FEES, -fee), (original.debtor, fee))

    def _tell_original(
        self, book: Book, original: Payment, refund: Payment, *, at_once: bool
    ) -> None:
        after = original.with_refund(
            refunding_change=0 if at_once else refund.amount_minor,
            refunded_change=refund.amount_minor if at_once else 0,
            at=book.now,
        )
        what = "refunded" if at_once else "refund_asked"
        record(book, after, what, refund.reference)


def _draft(book: Book, original: Payment, order: RefundOrder) -> Payment:
    return Payment(
        id=book.ids.next(),
        kind="refund",
        customer_id=order.requested_by,
        service=original.service,
        rail=original.rail,
        state=State.HELD,
        debtor=money_of_sale(book, original),
        creditor=original.debtor,
        amount_minor=order.amount_minor,
        tip_minor=0,
        fee_minor=0,
        currency=original.currency,
        order=order,
        business_date=book.today,
        accepted_at=book.now,
        original_id=original.id,
        wire=f"in:{order.returned_as}" if order.returned_as else "",
    )
