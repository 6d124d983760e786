"""What a network has settled and an account cannot take: kept in suspense for its owner. Pure."""

from __future__ import annotations

from tangguh.core.errors import InvariantBroken
from tangguh.core.outcome import Refused
from tangguh.ledger import chart
from tangguh.ledger.book import Book
from tangguh.payments.payment import Payment
from tangguh.payments.terms.entries import entries_of


def receive_refund(book: Book, refund: Payment) -> str:
    """Book a refund the network has confirmed; if the customer cannot take it, in suspense."""
    moved = book.post(refund.id, "refund", entries_of(refund))
    if not isinstance(moved, Refused):
        return ""
    entries = ((refund.debtor, -refund.amount_minor), (chart.SUSPENSE, refund.amount_minor))
    kept = book.post(refund.id, "refund", entries, note=f"for account {refund.creditor}")
    if isinstance(kept, Refused):
        raise InvariantBroken(f"the network refunded {refund.id} and the book: {kept.code}")
    return f"in suspense: {moved.code}"


def keep_in_suspense(book: Book, credit: Payment, why: Refused) -> str:
    """A credit that was settled and cannot reach its account: kept for its owner, with the note."""
    entries = ((chart.SUSPENSE, credit.to_payee_minor),)
    kept = book.post_hold(
        credit.id, credit.id, "credit", entries, note=f"for account {credit.creditor}"
    )
    if isinstance(kept, Refused):
        raise InvariantBroken(f"the network settled {credit.id} and the book: {kept.code}")
    return f"in suspense: {why.code}"
