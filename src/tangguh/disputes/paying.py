"""The bank's own money for a case: to its own customer, within a cap, once; judged as it moves.

Who signed was judged before; what they signed is judged here again, in the step of the book that
moves it. Pure decision.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar
from uuid import UUID

import msgspec

from tangguh.access.acts import Act, refuse_amount
from tangguh.core.outcome import Refusal, Refused
from tangguh.disputes.case import Case
from tangguh.disputes.rows import CASES
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.ledger.posting import Posting
from tangguh.payments.plans import PAYMENTS
from tangguh.payments.redress.goodwill import PayGoodwill


class PayForCase(msgspec.Struct, frozen=True, kw_only=True):
    """Pay so much (minor units) to an account of the case's own customer."""

    names_keys_at_once: ClassVar[bool] = False

    case_id: UUID
    account: int
    amount_minor: int
    by: str

    def keys(self, book: Book) -> Iterable[Key]:
        yield CASES.name, self.case_id
        if book.is_loaded(CASES.name, self.case_id):
            case = book.shelf(CASES).get(self.case_id)
            if case is not None:
                yield from self._pay(case).keys(book)

    def decide(self, book: Book) -> Posting | Refused:
        """The posting; asked for again: the same. A case is paid once, so the cap is the case's.

        Refuses CASE_NOT_FOUND, CASE_STEP_NOT_ALLOWED (it is closed), AMOUNT_NOT_POSITIVE,
        AMOUNT_TOO_LARGE (above the act's cap, or what the payment cost), ACCOUNT_NOT_FOUND (it is
        not the customer's), WAY_BACK_TAKEN (paid otherwise before), and what a posting refuses.
        """
        case = book.shelf(CASES).get(self.case_id)
        if case is None:
            return Refused(Refusal.CASE_NOT_FOUND, "case", "there is no such case")
        pay = self._pay(case)
        known = book.postings.get(pay.posting_id)
        if known is not None:
            same = dict(known.entries).get(self.account) == self.amount_minor
            taken = Refused(Refusal.WAY_BACK_TAKEN, "case", "it has been paid, otherwise")
            return known if same else taken
        if refused := self._refuse(book, case):
            return refused
        return pay.decide(book)

    def _refuse(self, book: Book, case: Case) -> Refused | None:
        if not case.is_open:
            return Refused(Refusal.CASE_STEP_NOT_ALLOWED, "state", f"it is {case.state}")
        if refused := refuse_amount(Act.CARE_PAY, self.amount_minor):
            return refused
        account = book.accounts.get(self.account)
        if account is None or account.owner_id != case.customer_id:
            # Another customer's account looks the same as none.
            return Refused(Refusal.ACCOUNT_NOT_FOUND, "account", "the case's customer has no such")
        payment = book.shelf(PAYMENTS).get(case.payment_id) if case.payment_id is not None else None
        if payment is not None and self.amount_minor > payment.total_minor:
            return Refused(Refusal.AMOUNT_TOO_LARGE, "amount", "more than the payment cost")
        return None

    def _pay(self, case: Case) -> PayGoodwill:
        return PayGoodwill(
            case_id=case.id,
            number=case.number,
            account=self.account,
            amount_minor=self.amount_minor,
            by=self.by,
            payment_id=case.payment_id,
        )
