"""A row that is kept is given again only for what it was made of."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import msgspec

from tangguh.audit.chain import digest
from tangguh.core.order import PaymentOrder, ToAccount
from tangguh.core.service import TRANSFER_ONUS
from tangguh.payments.payment import Payment, State
from tangguh.payments.plans import PAYMENTS, key_and_digest

ORDER = PaymentOrder(
    customer_id=1,
    idempotency_key="k",
    service=TRANSFER_ONUS,
    debtor=1,
    payee=ToAccount(2),
    amount_minor=100,
)
PAYMENT = Payment(
    id=UUID(int=7),
    kind="payment",
    customer_id=1,
    service=TRANSFER_ONUS,
    rail="onus",
    state=State.HELD,
    debtor=1,
    creditor=2,
    amount_minor=100,
    tip_minor=0,
    fee_minor=0,
    currency="IDR",
    order=ORDER,
    business_date=date(2026, 3, 20),
    accepted_at=datetime(2026, 3, 20, tzinfo=UTC),
)


def test_a_changed_payment_or_order_never_gets_the_row_of_the_one_before() -> None:
    assert PAYMENTS.to_row is not None
    first = key_and_digest(PAYMENT)
    assert key_and_digest(PAYMENT) == first
    ended = msgspec.structs.replace(PAYMENT, state=State.POSTED)
    assert key_and_digest(ended) != first
    assert key_and_digest(ended) == ("1:k", digest(PAYMENTS.to_row(ended)))
    other = msgspec.structs.replace(ORDER, idempotency_key="other", amount_minor=1)
    changed = msgspec.structs.replace(PAYMENT, order=other)
    assert key_and_digest(changed)[0] == "1:other"
    assert '"amount_minor":1' in PAYMENTS.to_row(changed)[13]
    assert key_and_digest(PAYMENT) == first
