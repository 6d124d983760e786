"""The bank's advance: its own money to the payer while nobody knows, and the way back of it. Pure.

An advance never makes two of one sum: the hold stays, and whatever gives the payer's own money back
(a void, a refund, a return, a chargeback) first repays the advance, in the same step of the book.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import ClassVar, Final
from uuid import UUID, uuid5

import msgspec

from tangguh.core.errors import InvariantBroken
from tangguh.core.order import PaymentOrder
from tangguh.core.outcome import Refusal, Refused
from tangguh.guard.closure import SignalClass
from tangguh.ledger import chart
from tangguh.ledger.account import Account, AccountState
from tangguh.ledger.book import Book
from tangguh.ledger.chart import Kind
from tangguh.ledger.command import Key
from tangguh.ledger.posting import Entry
from tangguh.payments.gates.facts import facts_of
from tangguh.payments.gates.judge import GATES, THE_BOARD
from tangguh.payments.payment import Decided, Payment, State
from tangguh.payments.plans import PAYMENTS
from tangguh.payments.record import record
from tangguh.payments.redress.policy import RedressPolicy
from tangguh.payments.redress.rows import (
    ADVANCED,
    REDRESS,
    Advance,
    Redress,
    count_advance,
    keep,
    redress_of,
)

_POSTING: Final = UUID("61647661-6e63-5700-8000-000000000001")
_HOLDERS: Final = frozenset({Kind.CUSTOMER, Kind.MERCHANT, Kind.PURSE})


def advance_keys(account: int, payment_id: UUID) -> Iterator[Key]:
    """What moving an advance reads."""
    yield REDRESS.name, payment_id
    yield ADVANCED.name, account
    yield "accounts", account
    yield "accounts", chart.ADVANCES
    product = chart.product_of(account)
    if product:
        yield "accounts", chart.FLOAT_OF_PRODUCT[product]
        yield "accounts", chart.MEMO_OF_PRODUCT[product]


def entries_between(account: int, own: int, minor: int) -> tuple[Entry, ...]:
    """So much from one of the bank's own accounts to a customer's; negative is the way back.

    A purse is a memorandum beside its float, which takes the money (ADR-0013).
    """
    product = chart.product_of(account)
    if not product:
        return (own, -minor), (account, minor)
    memo, pool = chart.MEMO_OF_PRODUCT[product], chart.FLOAT_OF_PRODUCT[product]
    return (own, -minor), (pool, minor), (memo, -minor), (account, minor)


class _OnPayment(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided about one payment's advance."""

    names_keys_at_once: ClassVar[bool] = False

    payment_id: UUID

    def keys(self, book: Book) -> Iterable[Key]:
        yield "payments", self.payment_id
        yield GATES.name, THE_BOARD
        if book.is_loaded("payments", self.payment_id):
            payment = book.shelf(PAYMENTS).get(self.payment_id)
            if payment is not None:
                yield from advance_keys(payment.debtor, payment.id)
                yield "accounts", chart.LOSSES


class GiveAdvance(_OnPayment, frozen=True, kw_only=True):
    """Give the payer the bank's money: an unanswered payment that is old enough, or one in dispute.

    ``by``: ``bank`` for the clock, a case or people otherwise. ``disputed``: it was posted, and the
    bank claims it back; then only what the payee got is advanced.
    """

    policy: RedressPolicy
    by: str = "bank"
    disputed: bool = False

    def decide(self, book: Book) -> Decided | Refused:
        """The payment with ``advanced_minor``; given before: as it is (``repeated``).

        Refuses PAYMENT_NOT_FOUND, and ADVANCE_NOT_POSSIBLE naming the rule; a refusal that will
        not change by waiting is kept, so that nobody asks every second.
        """
        payment = book.shelf(PAYMENTS).get(self.payment_id)
        if payment is None:
            return Refused(Refusal.PAYMENT_NOT_FOUND, "payment_id", "there is no such payment")
        if payment.advanced_minor:
            return Decided(payment, repeated=True)
        redress = redress_of(book, payment.id, payment.debtor)
        account = book.accounts.get(payment.debtor)
        why = self._why_not_now(book, payment)
        if why:
            return Refused(Refusal.ADVANCE_NOT_POSSIBLE, "payment_id", why)
        minor = self._disputed_minor(payment) if self.disputed else payment.total_minor
        why = self._why_not(book, payment, redress, account, minor)
        if why:
            keep(
                book,
                msgspec.structs.replace(redress, advance=Advance.REFUSED, why_not=why),
                "advance_refused",
                by=self.by,
            )
            return Refused(Refusal.ADVANCE_NOT_POSSIBLE, "payment_id", why)
        return self._give(book, payment, redress, minor)

    def _disputed_minor(self, payment: Payment) -> int:
        """What the payee got and has not come back, claimed already or not."""
        return payment.to_payee_minor - payment.refunded_minor

    def _why_not_now(self, book: Book, payment: Payment) -> str:
        if self.disputed:
            is_out = payment.state is State.POSTED and self._disputed_minor(payment) > 0
            return "" if is_out else f"it is {payment.state}: nothing is disputed"
        if payment.kind != "payment" or payment.state is not State.UNANSWERED:
            return f"it is {payment.state}: only an unanswered payment is advanced"
        return "" if book.now >= self.policy.advance_due(payment) else "it is not old enough"

    def _why_not(
        self, book: Book, payment: Payment, redress: Redress, account: Account | None, minor: int
    ) -> str:
        if redress.advance in {Advance.SETTLED, Advance.WRITTEN_OFF}:
            return "it was advanced before"
        if redress.came_back_by:
            return f"it came back by a {redress.came_back_by}"
        if account is None or account.kind not in _HOLDERS:
            return "no customer of ours paid it"
        if account.state is not AccountState.OPEN:
            return f"the account is {account.state}"
        if minor > self.policy.advance_max_minor:
            return f"above {self.policy.advance_max_minor} minor units"
        has = book.shelf(ADVANCED).get(payment.debtor)
        if has is not None and has.count >= self.policy.advances_per_account_max:
            return f"the account has {has.count} advances"
        if has is not None and has.minor + minor > self.policy.advances_minor_max:
            return f"above {self.policy.advances_minor_max} minor units for one account"
        return "the account is under suspicion" if _is_suspect(book, payment) else ""

    def _give(self, book: Book, payment: Payment, redress: Redress, minor: int) -> Decided:
        entries = entries_between(payment.debtor, chart.ADVANCES, minor)
        posted = book.post(book.ids.next(), "advance", entries, note=f"payment {payment.id}")
        if isinstance(posted, Refused):
            raise InvariantBroken(f"an advance cannot be posted: {posted.code}")
        count_advance(book, payment.debtor, 1, minor)
        given = msgspec.structs.replace(
            redress, advance=Advance.GIVEN, advance_minor=minor, advanced_at=book.now
        )
        keep(book, given, "advanced", minor, self.by)
        after = msgspec.structs.replace(payment, advanced_minor=minor, events=payment.events + 1)
        return record(book, after, "advanced", str(minor))


def repay(book: Book, payment: Payment, minor: int, why: str) -> Payment:
    """The payer's own money has just come back: take so much of the advance from it, at once.

    Must run in the step that credited the payer, so the money is there; no freeze can keep it.
    """
    minor = min(minor, payment.advanced_minor)
    if minor <= 0:
        return payment
    return _take(book, payment, minor, why)


def owe(book: Book, payment: Payment, policy: RedressPolicy) -> Payment:
    """The payment turned out paid: the advance is the bank's again, after a notice."""
    if not payment.advanced_minor:
        return payment
    redress = redress_of(book, payment.id, payment.debtor)
    due = book.now + timedelta(seconds=policy.notice_seconds)
    owed = msgspec.structs.replace(redress, advance=Advance.OWED, take_back_at=due)
    keep(book, owed, "advance_owed", payment.advanced_minor)
    return payment


class TakeBack(_OnPayment, frozen=True, kw_only=True):
    """Take back an owed advance whose notice is over, as far as the account has money."""

    policy: RedressPolicy

    def decide(self, book: Book) -> Decided | Refused:
        """The payment; ``repeated`` when nothing could be taken. Refuses PAYMENT_NOT_FOUND and
        ADVANCE_NOT_POSSIBLE (nothing is owed, or not yet).
        """
        payment = book.shelf(PAYMENTS).get(self.payment_id)
        if payment is None:
            return Refused(Refusal.PAYMENT_NOT_FOUND, "payment_id", "there is no such payment")
        redress = redress_of(book, payment.id, payment.debtor)
        due = redress.take_back_at
        if redress.advance is not Advance.OWED or due is None or book.now < due:
            return Refused(Refusal.ADVANCE_NOT_POSSIBLE, "payment_id", "nothing is due")
        account = book.accounts.get(payment.debtor)
        floor = account.floor_minor if account is not None else None
        has = account.available_minor - (floor or 0) if account is not None else 0
        minor = min(max(has, 0), payment.advanced_minor)
        if minor and account is not None and account.state is AccountState.OPEN:
            return Decided(_take(book, payment, minor, "after notice"))
        given = redress.advanced_at or due
        if book.now >= given + timedelta(days=self.policy.write_off_days):
            return self._write_off(book, payment, redress)
        later = book.now + timedelta(seconds=self.policy.retry_seconds)
        book.shelf(REDRESS).put(payment.id, msgspec.structs.replace(redress, take_back_at=later))
        return Decided(payment, repeated=True)

    def _write_off(self, book: Book, payment: Payment, redress: Redress) -> Decided:
        minor = payment.advanced_minor
        entries = ((chart.LOSSES, -minor), (chart.ADVANCES, minor))
        posted = book.post(book.ids.next(), "write_off", entries, note=f"payment {payment.id}")
        if isinstance(posted, Refused):
            raise InvariantBroken(f"an advance cannot be written off: {posted.code}")
        count_advance(book, payment.debtor, -1, -minor)
        keep(
            book,
            msgspec.structs.replace(redress, advance=Advance.WRITTEN_OFF, take_back_at=None),
            "advance_written_off",
            minor,
        )
        after = msgspec.structs.replace(payment, advanced_minor=0, events=payment.events + 1)
        return record(book, after, "advance_kept", str(minor))


def _take(book: Book, payment: Payment, minor: int, why: str) -> Payment:
    entries = entries_between(payment.debtor, chart.ADVANCES, -minor)
    posting_id = uuid5(_POSTING, f"{payment.id}:{payment.events}")
    note = f"payment {payment.id}"
    posted = book.post(posting_id, "advance_back", entries, note=note, forced=True)
    if isinstance(posted, Refused):
        raise InvariantBroken(f"the advance of {payment.id} cannot be taken: {posted.code}")
    left = payment.advanced_minor - minor
    count_advance(book, payment.debtor, 0 if left else -1, -minor)
    redress = redress_of(book, payment.id, payment.debtor)
    if not left:
        redress = msgspec.structs.replace(redress, advance=Advance.SETTLED, take_back_at=None)
    keep(book, redress, "advance_back", minor, why)
    after = msgspec.structs.replace(payment, advanced_minor=left, events=payment.events + 1)
    return record(book, after, "advance_back", str(minor)).payment


def _is_suspect(book: Book, payment: Payment) -> bool:
    """Whether a closure for abuse is over the account: then people decide, not the clock."""
    if not isinstance(payment.order, PaymentOrder):
        return True
    gates = book.shelf(GATES).get(THE_BOARD)
    return gates is not None and any(
        closure.signal_class is SignalClass.ABUSE
        for closure in gates.covering(facts_of(payment.order))
    )
