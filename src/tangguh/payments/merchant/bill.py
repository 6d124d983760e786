"""Dynamic codes of our own merchants: each is a bill that is paid once, whoever pays it. Pure.

The bill is a row of the book, so that of two payers of one code the second is refused in the same
step that would have moved the money.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

import msgspec

from tangguh.core.order import CreditOrder, PaymentOrder, ToMerchant
from tangguh.core.outcome import Refusal, Refused
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.payments.payment import Order
from tangguh.payments.plans import BILLS, Bill, BillKey
from tangguh.payments.rules import QRIS_TRANSACTION_MAX_MINOR


class MakeBill(msgspec.Struct, frozen=True):
    """Write a bill of a merchant: the amount in minor units, and until when it may be paid."""

    names_keys_at_once: ClassVar[bool] = True

    merchant_id: str
    bill_no: str
    amount_minor: int
    expires_at: datetime

    def keys(self, _book: Book) -> Iterable[Key]:
        return [("merchant_bills", (self.merchant_id, self.bill_no))]

    def decide(self, book: Book) -> Bill | Refused:
        """The bill; asked for again while it may be paid, as it was made, with its own time.

        Refuses AMOUNT_NOT_POSITIVE, LIMIT_PER_TRANSACTION (more than one payment may be),
        BILL_PAID, and IDEMPOTENCY_KEY_REUSED (the number is taken).
        """
        if self.amount_minor <= 0:
            return Refused(Refusal.AMOUNT_NOT_POSITIVE, "amount", "a bill is at least one sen")
        if self.amount_minor > QRIS_TRANSACTION_MAX_MINOR:
            return Refused(Refusal.LIMIT_PER_TRANSACTION, "amount", "more than QRIS may carry")
        asked = Bill(self.merchant_id, self.bill_no, self.amount_minor, self.expires_at)
        known = book.shelf(BILLS).get((self.merchant_id, self.bill_no))
        if known is None:
            book.shelf(BILLS).put((self.merchant_id, self.bill_no), asked)
            return asked
        if known.amount_minor == self.amount_minor:
            if known.paid_by is not None:
                return Refused(Refusal.BILL_PAID, "bill_no", "this bill was paid")
            if book.now < known.expires_at:
                return known
        return Refused(Refusal.IDEMPOTENCY_KEY_REUSED, "bill_no", "this number has another bill")


def bill_key(order: Order) -> BillKey | None:
    """The bill an order pays, if it pays one of ours."""
    payee = order.payee if isinstance(order, PaymentOrder) else order
    if isinstance(payee, _WITH_BILLS) and payee.bill:
        return payee.merchant_id, payee.bill
    return None


_WITH_BILLS: Final = (ToMerchant, CreditOrder)


def refuse_bill(book: Book, order: Order, amount_minor: int) -> Refused | None:
    """Refuses BILL_NOT_FOUND, BILL_PAID, BILL_EXPIRED, and an amount that is not the bill's."""
    key = bill_key(order)
    if key is None:
        return None
    bill = book.shelf(BILLS).get(key)
    if bill is None:
        return Refused(Refusal.BILL_NOT_FOUND, "qr", "the code's bill is not one of ours")
    if bill.paid_by is not None:
        return Refused(Refusal.BILL_PAID, "qr", "this code was paid before")
    if book.now >= bill.expires_at:
        return Refused(Refusal.BILL_EXPIRED, "qr", "the code's time is over")
    if amount_minor != bill.amount_minor:
        return Refused(
            Refusal.QR_AMOUNT_DIFFERS, "amount", f"the bill is {bill.amount_minor} minor units"
        )
    return None


def settle_bill(book: Book, order: Order, payment_id: UUID) -> None:
    """The bill is paid by this payment."""
    key = bill_key(order)
    if key is not None:
        bill = book.shelf(BILLS).get(key)
        if bill is not None:
            book.shelf(BILLS).put(key, msgspec.structs.replace(bill, paid_by=payment_id))
