"""What the bank pays for being late: a sum for each day begun after the limit, unasked. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final
from uuid import UUID, uuid5

import msgspec

from tangguh.core.errors import InvariantBroken
from tangguh.core.outcome import Refusal, Refused
from tangguh.ledger import chart
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.payments.payment import Decided, Payment
from tangguh.payments.plans import PAYMENTS
from tangguh.payments.record import record
from tangguh.payments.redress.advance import advance_keys, entries_between
from tangguh.payments.redress.policy import RedressPolicy
from tangguh.payments.redress.rows import REDRESS, keep, redress_of

_POSTING: Final = UUID("6c617465-0000-5700-8000-000000000001")


class PayLate(msgspec.Struct, frozen=True, kw_only=True):
    """Pay for every day begun that has not been paid for yet. Paid twice: never (one id a day)."""

    names_keys_at_once: ClassVar[bool] = False

    payment_id: UUID
    policy: RedressPolicy

    def keys(self, book: Book) -> Iterable[Key]:
        yield "payments", self.payment_id
        if not book.is_loaded("payments", self.payment_id):
            return
        payment = book.shelf(PAYMENTS).get(self.payment_id)
        if payment is not None:
            yield REDRESS.name, payment.id
            yield "accounts", chart.COMPENSATIONS
            yield from advance_keys(owed_to(payment), payment.id)

    def decide(self, book: Book) -> Decided | Refused:
        """The payment; ``repeated`` when nothing is owed. Refuses PAYMENT_NOT_FOUND.

        Nothing is owed while the customer has the bank's advance: then they are not waiting.
        """
        payment = book.shelf(PAYMENTS).get(self.payment_id)
        if payment is None:
            return Refused(Refusal.PAYMENT_NOT_FOUND, "payment_id", "there is no such payment")
        redress = redress_of(book, payment.id, owed_to(payment))
        days = self.policy.days_late(payment, book.now) - redress.late_days
        if days <= 0 or payment.advanced_minor or not self.policy.late_day_minor:
            return Decided(payment, repeated=True)
        to = owed_to(payment)
        account = book.accounts.get(to)
        if account is None or to <= chart.OWN_ACCOUNT_MAX:
            return Decided(payment, repeated=True)
        minor = days * self.policy.late_day_minor
        posted = book.post(
            uuid5(_POSTING, f"{payment.id}:{redress.late_days + days}"),
            "compensation",
            entries_between(to, chart.COMPENSATIONS, minor),
            note=f"payment {payment.id}",
            forced=True,
        )
        if isinstance(posted, Refused):
            raise InvariantBroken(f"a compensation cannot be posted: {posted.code}")
        keep(
            book,
            msgspec.structs.replace(
                redress,
                late_days=redress.late_days + days,
                late_minor=redress.late_minor + minor,
            ),
            "late_paid",
            minor,
        )
        after = msgspec.structs.replace(payment, events=payment.events + 1)
        return record(book, after, "late_paid", str(minor))


def owed_to(payment: Payment) -> int:
    """Whose money is late: the payer's; of a refund that is under way, the payer's again."""
    return payment.creditor if payment.kind == "refund" else payment.debtor
