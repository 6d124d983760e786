"""Mending a break, and clearing suspense: decisions signed by two people. Pure.

The posting and the act with both names are written in one batch of the book. The posting's id comes
from the break, so a break is repaired once, whatever the list of breaks says.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final
from uuid import UUID, uuid5

import msgspec

from tangguh.audit.trail import Remember
from tangguh.core.outcome import Refusal, Refused
from tangguh.ledger import chart
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.ledger.posting import Entry, Posting
from tangguh.payments.payment import Payment
from tangguh.payments.plans import PAYMENTS
from tangguh.payments.redress.arbiter import WayBack
from tangguh.payments.redress.rows import REDRESS, keep, redress_of
from tangguh.settlement.breaks import Break, repair_id_of, subject_of
from tangguh.settlement.signed import Signed

_CLEARING: Final = UUID("73657474-6c65-5700-8000-000000000006")
REPAIRED: Final = "break.repaired"
"""The act beside a repair."""


class RepairBreak(msgspec.Struct, frozen=True, kw_only=True):
    """Post what repairs a break. ``entries`` are usually ``Break.entries``."""

    names_keys_at_once: ClassVar[bool] = False

    broken: Break
    entries: tuple[Entry, ...]
    signed: Signed

    @property
    def posting_id(self) -> UUID:
        """The repair's id."""
        return repair_id_of(self.broken.break_id)

    def keys(self, book: Book) -> Iterable[Key]:
        yield "postings", self.posting_id
        for account_id, _ in self.entries:
            yield "accounts", account_id
        payment_id = self.broken.payment_id
        if payment_id is not None:
            yield "payments", payment_id
            yield REDRESS.name, payment_id

    def decide(self, book: Book) -> Posting | Refused:
        """The posting; the same repair by the same people again is the first answer.

        Refuses ORDER_INVALID naming ``by``, ``approved_by``, ``reason``, ``entries`` (not the
        break's sum, or through another account of ours with a network) or ``break`` (repaired
        before), WAY_BACK_TAKEN (its payer has the money already), and what a posting refuses.
        """
        if refused := self.signed.refused() or self._refuse_entries():
            return refused
        note = f"{subject_of(self.broken.break_id)} {self.signed.by}, {self.signed.approved_by}"
        known = book.postings.get(self.posting_id)
        if known is not None:
            same = sorted(known.entries) == sorted(self.entries) and known.note == note
            return known if same else _refuse("break", "it was repaired before")
        if refused := self._refuse_way(book):
            return refused
        posted = book.post(self.posting_id, "repair", self.entries, note=note)
        if isinstance(posted, Posting):
            self._take_way(book)
            told = self.signed.as_told(
                kind=self.broken.kind, posting_id=self.posting_id, entries=self.entries
            )
            subject = subject_of(self.broken.break_id)
            Remember(f"staff:{self.signed.by}", REPAIRED, subject, told).decide(book)
        return posted

    def _paid_back(self, book: Book) -> Payment | None:
        """The payment whose payer this repair gives money to, if it does."""
        payment_id = self.broken.payment_id
        payment = book.shelf(PAYMENTS).get(payment_id) if payment_id is not None else None
        if payment is None or payment.kind != "payment":
            return None
        gets = any(to == payment.debtor and amount > 0 for to, amount in self.entries)
        return payment if gets else None

    def _refuse_way(self, book: Book) -> Refused | None:
        payment = self._paid_back(book)
        if payment is None:
            return None
        other = payment.refunded_minor or payment.refunding_minor or payment.advanced_minor
        if not other:
            return None
        return Refused(Refusal.WAY_BACK_TAKEN, "entries", "its payer has the money by another way")

    def _take_way(self, book: Book) -> None:
        payment = self._paid_back(book)
        if payment is not None:
            redress = redress_of(book, payment.id, payment.debtor)
            by = msgspec.structs.replace(redress, came_back_by=str(WayBack.REPAIR))
            keep(book, by, "came_back", self.broken.difference_minor, self.signed.by)

    def _refuse_entries(self) -> Refused | None:
        account, difference = self.broken.account_id, self.broken.difference_minor
        moved = sum(amount for to, amount in self.entries if to == account)
        if moved != difference:
            return _refuse("entries", f"account {account} is to move by {difference}, not {moved}")
        rest = {to for to, _ in self.entries if to != account}
        if any(to <= chart.OWN_ACCOUNT_MAX and to != chart.SUSPENSE for to in rest):
            return _refuse("entries", "a repair goes to suspense or to a customer")
        return None


class ClearSuspense(msgspec.Struct, frozen=True, kw_only=True):
    """Give one suspended sum to the account it belongs to, once. ``posting_id`` suspended it."""

    names_keys_at_once: ClassVar[bool] = False

    posting_id: UUID
    to: int
    signed: Signed

    def keys(self, _book: Book) -> Iterable[Key]:
        yield "postings", self.posting_id
        yield "postings", clearing_id_of(self.posting_id)
        yield "accounts", self.to
        yield "accounts", chart.SUSPENSE

    def decide(self, book: Book) -> Posting | Refused:
        """Refuses ORDER_INVALID (signatures; cleared before), POSTING_NOT_FOUND, and what a
        posting refuses (what a customer owes may be more than they have).
        """
        if refused := self.signed.refused():
            return refused
        suspended = book.postings.get(self.posting_id)
        minor = suspended_in(suspended) if suspended is not None else 0
        if minor == 0 or self.to == chart.SUSPENSE:
            return Refused(Refusal.POSTING_NOT_FOUND, "posting_id", "it put nothing in suspense")
        entries = ((chart.SUSPENSE, -minor), (self.to, minor))
        clearing = clearing_id_of(self.posting_id)
        note = f"suspense of {self.posting_id} {self.signed.by}, {self.signed.approved_by}"
        known = book.postings.get(clearing)
        if known is not None:
            same = sorted(known.entries) == sorted(entries) and known.note == note
            return known if same else _refuse("posting_id", "it was cleared before")
        posted = book.post(clearing, "clearing", entries, note=note)
        if isinstance(posted, Posting):
            told = self.signed.as_told(to=self.to, amount_minor=minor)
            subject = f"posting:{self.posting_id}"
            Remember(f"staff:{self.signed.by}", "suspense.cleared", subject, told).decide(book)
        return posted


def clearing_id_of(posting_id: UUID) -> UUID:
    """The id of the posting that clears what another put in suspense."""
    return uuid5(_CLEARING, posting_id.hex)


def suspended_in(posting: Posting) -> int:
    """What a posting put in suspense: positive is somebody's money, negative is owed to us."""
    return sum(amount for account, amount in posting.entries if account == chart.SUSPENSE)


def _refuse(field: str, rule: str) -> Refused:
    return Refused(Refusal.ORDER_INVALID, field, rule)
