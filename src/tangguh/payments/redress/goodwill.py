"""The bank pays a customer of its own money because of a case: two people, once. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final
from uuid import UUID, uuid5

import msgspec

from tangguh.core.outcome import Refusal, Refused
from tangguh.ledger import chart
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.ledger.posting import Posting
from tangguh.payments.payment import State
from tangguh.payments.plans import PAYMENTS
from tangguh.payments.redress.advance import entries_between
from tangguh.payments.redress.arbiter import WayBack
from tangguh.payments.redress.rows import REDRESS, keep, redress_of

_POSTING: Final = UUID("676f6f64-0000-5700-8000-000000000001")


class PayGoodwill(msgspec.Struct, frozen=True, kw_only=True):
    """Pay so much to an account for a case. ``payment_id``: the payment it is about, if any."""

    names_keys_at_once: ClassVar[bool] = True

    case_id: UUID
    number: str
    account: int
    amount_minor: int
    by: str
    payment_id: UUID | None = None

    @property
    def posting_id(self) -> UUID:
        """One for a case, so that it is paid once."""
        return uuid5(_POSTING, self.case_id.hex)

    def keys(self, _book: Book) -> Iterable[Key]:
        keys: list[Key] = [
            ("postings", self.posting_id),
            ("accounts", self.account),
            ("accounts", chart.COMPENSATIONS),
        ]
        product = chart.product_of(self.account)
        if product:
            keys.append(("accounts", chart.FLOAT_OF_PRODUCT[product]))
            keys.append(("accounts", chart.MEMO_OF_PRODUCT[product]))
        if self.payment_id is not None:
            keys += [("payments", self.payment_id), (REDRESS.name, self.payment_id)]
        return keys

    def decide(self, book: Book) -> Posting | Refused:
        """The posting; asked for again: the same. Refuses AMOUNT_NOT_POSITIVE, ACCOUNT_NOT_FOUND,
        WAY_BACK_TAKEN (the payer has that payment's money already), what a posting refuses.
        """
        known = book.postings.get(self.posting_id)
        if known is not None:
            return known
        if self.amount_minor <= 0:
            return Refused(Refusal.AMOUNT_NOT_POSITIVE, "amount", "at least one sen")
        account = book.accounts.get(self.account)
        if account is None or self.account <= chart.OWN_ACCOUNT_MAX:
            return Refused(Refusal.ACCOUNT_NOT_FOUND, "account", "no customer has it")
        if refused := self._refuse_way(book):
            return refused
        entries = entries_between(self.account, chart.COMPENSATIONS, self.amount_minor)
        posted = book.post(self.posting_id, "goodwill", entries, note=f"case {self.number}")
        if isinstance(posted, Posting) and self.payment_id is not None:
            redress = redress_of(book, self.payment_id, self.account)
            paid = msgspec.structs.replace(redress, came_back_by=str(WayBack.GOODWILL))
            keep(book, paid, "came_back", self.amount_minor, self.by)
        return posted

    def _refuse_way(self, book: Book) -> Refused | None:
        """A payment that came back, is coming back or may still do so is not paid again."""
        if self.payment_id is None:
            return None
        payment = book.shelf(PAYMENTS).get(self.payment_id)
        if payment is None:
            return Refused(Refusal.PAYMENT_NOT_FOUND, "payment_id", "there is no such payment")
        back = payment.refunded_minor + payment.refunding_minor + payment.advanced_minor
        came_by = redress_of(book, payment.id, payment.debtor).came_back_by
        if back or came_by or payment.state is not State.POSTED:
            return Refused(Refusal.WAY_BACK_TAKEN, "payment_id", "it is on another way back")
        return None
