"""Money that comes to us: a network announces a credit, and settles it or not. Pure decision.

An announced credit is a payment of kind ``credit``, held on the network's settlement account, so
that a settlement notice, a status inquiry and the settlement file all conclude it like any other.
A network whose approval is itself the settlement (a card switch) is credited at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar

import msgspec

from tangguh.core.assertions import refuse_credit
from tangguh.core.order import CreditOrder
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import SERVICES
from tangguh.customers.terms import MERCHANTS
from tangguh.ledger import chart
from tangguh.ledger.account import AccountState
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.payments.gates.judge import gate_keys, judge
from tangguh.payments.incoming.names import name_keys, take_name
from tangguh.payments.merchant.bill import bill_key, refuse_bill, settle_bill
from tangguh.payments.merchant.shop import discount_of, merchant_of, refuse_shop, shop_of
from tangguh.payments.payment import Decided, Payment, State
from tangguh.payments.plans import key_of
from tangguh.payments.record import beside, keys_of_idempotency, record, record_refused, repeated
from tangguh.payments.rules import Rules, refuse_amount, refuse_unwritable
from tangguh.payments.terms.creditors import refuse_creditor
from tangguh.payments.terms.entries import entries_of

THE_NETWORK = 0
"""``customer_id`` of a credit: no customer of ours ordered it."""


class ReceiveCredit(msgspec.Struct, frozen=True):
    """Decide an announced credit: refuse it, reserve it, or credit it at once.

    ``at_once``: the network's word is also its settlement. ``wait_seconds``: otherwise, when the
    resolver first asks what became of it.
    """

    names_keys_at_once: ClassVar[bool] = False

    order: CreditOrder
    rules: Rules
    at_once: bool = False
    wait_seconds: float = 60.0

    def keys(self, book: Book) -> Iterable[Key]:
        order = self.order
        yield from keys_of_idempotency(book, key_of(order))
        yield from name_keys(order)
        merchant = merchant_of(order)
        if merchant:
            yield MERCHANTS.name, merchant
        yield "accounts", order.creditor
        yield "accounts", chart.SETTLEMENT_OF_RAIL[order.rail]
        for account_id in beside(0, order.creditor, order):
            yield "accounts", account_id
        key = bill_key(order)
        if key is not None:
            yield "merchant_bills", key
        yield from gate_keys(book, order)

    def decide(self, book: Book) -> Decided | Refused:
        """The credit, new or as it was decided before; refused ones are kept as such.

        Refuses (in the payment) AMOUNT_NOT_POSITIVE, CURRENCY_NOT_SUPPORTED, PAYEE_NOT_FOUND,
        PAYEE_ACCOUNT_CLOSED, PURSE_LIMIT; as a value IDEMPOTENCY_KEY_REUSED (the network's
        reference came before with other content), sums no book can write, and what its network
        may not say.
        """
        order = self.order
        if refused := refuse_credit(order):
            return refused
        if refused := refuse_unwritable(order.amount_minor, order.tip_minor):
            return refused
        known = repeated(book, order)
        if known is not None:
            return known
        credit = self._draft(book)
        if refused := self._refuse(book, credit):
            return record_refused(book, credit, refused)
        if self.at_once:
            moved = book.post(credit.id, "credit", entries_of(credit))
            if isinstance(moved, Refused):
                return record_refused(book, credit, moved)
            settle_bill(book, order, credit.id)
            done = credit.to(State.POSTED, book.now, network_reference=order.idempotency_key)
            return record(book, done, "posted")
        held = book.hold(credit.id, credit.debtor, credit.total_minor)
        if isinstance(held, Refused):
            return record_refused(book, credit, held)
        due = book.now + timedelta(seconds=self.wait_seconds)
        waiting = msgspec.structs.replace(credit, resolve_at=due, events=1)
        return record(book, waiting, "announced")

    def _draft(self, book: Book) -> Payment:
        order, credit_id = self.order, book.ids.next()
        return Payment(
            id=credit_id,
            kind="credit",
            customer_id=THE_NETWORK,
            service=order.service,
            rail=SERVICES[order.service].rail,
            state=State.HELD,
            debtor=chart.SETTLEMENT_OF_RAIL[order.rail],
            creditor=order.creditor,
            amount_minor=order.amount_minor,
            tip_minor=order.tip_minor,
            fee_minor=0,
            currency=order.currency,
            order=order,
            business_date=book.today,
            accepted_at=book.now,
            wire=take_name(book, order, credit_id)
            or f"in:{order.idempotency_key.partition(':')[2]}",
            discount_minor=discount_of(self.rules, order, shop_of(book, order)),
        )

    def _refuse(self, book: Book, credit: Payment) -> Refused | None:
        if refused := refuse_amount(credit.amount_minor, credit.currency):
            return refused
        if refused := refuse_shop(self.order, shop_of(book, self.order)):
            return refused
        creditor = book.accounts.get(credit.creditor)
        if refused := refuse_creditor(credit.service, creditor):
            return refused
        if creditor is not None and creditor.state is AccountState.CLOSED:
            return Refused(Refusal.PAYEE_ACCOUNT_CLOSED, "to", "the payee's account is closed")
        if refused := refuse_bill(book, self.order, credit.amount_minor):
            return refused
        if credit.service not in self.rules.ways:
            return Refused(Refusal.SERVICE_CLOSED, "service", "its rail is not connected")
        if self.order.original:
            # Our own money coming back is never kept out.
            return None
        stopped = judge(book, self.order)
        return stopped.refused if stopped is not None else None
