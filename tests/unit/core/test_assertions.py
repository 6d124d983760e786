"""The one list of what a client may assert: complete, and kept by whoever reads an order."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from tangguh.core.assertions import (
    _CREDIT_SAYS,
    _PAYMENT_SAYS,
    MAY_ASSERT,
    NETWORK_OF_RAIL,
    refuse_credit,
    refuse_payment,
    refuse_refund,
)
from tangguh.core.client import Client
from tangguh.core.order import CreditOrder, Origin, PaymentOrder, RefundOrder, ToAccount
from tangguh.core.service import CARD_CASH, IN_BIFAST, IN_QRIS, SERVICES, TRANSFER_ONUS

ALWAYS = {
    "customer_id",
    "idempotency_key",
    "service",
    "debtor",
    "payee",
    "amount_minor",
    "currency",
}
CREDIT_ALWAYS = {"rail", "idempotency_key", "service", "creditor", "amount_minor", "currency"}
ORDER = PaymentOrder(
    customer_id=1, idempotency_key="k", service=TRANSFER_ONUS, debtor=11, payee=ToAccount(12),
    amount_minor=100,
)  # fmt: skip


def test_every_kind_of_client_has_its_row() -> None:
    """One that is added later without a row would be a KeyError, not a yes."""
    assert set(MAY_ASSERT) == set(Client)
    assert set(NETWORK_OF_RAIL.values()) <= set(Client)


def test_every_field_of_an_order_is_judged() -> None:
    """A field that is added later is in the list of what somebody may say, or in every order."""
    assert set(PaymentOrder.__struct_fields__) == ALWAYS | set(_PAYMENT_SAYS)
    assert set(CreditOrder.__struct_fields__) == CREDIT_ALWAYS | set(_CREDIT_SAYS)


def test_no_order_names_a_discount_a_fee_or_an_account_of_a_merchant() -> None:
    """What decides about money is no part of what a client sends."""
    fields = {one.name for one in msgspec.structs.fields(PaymentOrder)}
    fields |= {one.name for one in msgspec.structs.fields(CreditOrder)}
    assert not {name for name in fields if "mdr" in name or "fee" in name or "discount" in name}


def test_every_service_that_moves_money_is_somebodys() -> None:
    """Outgoing ones may be ordered, incoming ones brought, by one kind of client beside the bank."""
    others = [may for client, may in MAY_ASSERT.items() if client is not Client.BANK]
    for service in SERVICES.values():
        if service.direction == "out":
            assert any(service.id in may.orders for may in others), service.id
        if service.direction == "in":
            assert sum(service.id in may.brings for may in others) == 1, service.id


@pytest.mark.parametrize("client", list(Client))
@pytest.mark.parametrize("service", sorted(SERVICES))
def test_each_service_with_each_client(client: Client, service: str) -> None:
    """Only the table's combination passes; an advice only where it may tell of one."""
    order = msgspec.structs.replace(ORDER, service=service)
    may = MAY_ASSERT[client]
    refused = refuse_payment(Origin(client=client), order, advice=False)
    assert (refused is None) == (service in may.orders)
    advised = refuse_payment(Origin(client=client), order, advice=True)
    assert (advised is None) == (service in may.advises)


@pytest.mark.parametrize("client", [Client.STAFF, Client.WATCH, Client.HUB])
def test_who_orders_nothing_orders_nothing(client: Client) -> None:
    """People of the bank act by the table of acts; the watch closes; the hub only brings."""
    assert MAY_ASSERT[client].orders == frozenset()


@pytest.mark.parametrize(
    ("client", "more", "field"),
    [
        (Client.DEVICE, {"network_reference": "R"}, "network_reference"),
        (Client.BROWSER, {"network_reference": "R"}, "network_reference"),
        (Client.DEVICE, {"by_network": True}, "by_network"),
        (Client.DEVICE, {"once": "cash:1"}, "once"),
        (Client.DEVICE, {"idempotency_key": "ride:9360:1"}, "idempotency_key"),
        (Client.BROWSER, {"idempotency_key": "cpm:1"}, "idempotency_key"),
        (Client.CARD_SWITCH, {"service": CARD_CASH, "tip_minor": 1}, "tip_minor"),
        (Client.CARD_SWITCH, {"service": CARD_CASH, "debtor_name": "X"}, "debtor_name"),
    ],
)
def test_an_order_that_says_more_than_its_sender_may(
    client: Client, more: dict[str, object], field: str
) -> None:
    """Refused as a whole, naming the field."""
    order = msgspec.structs.replace(ORDER, **more)
    refused = refuse_payment(Origin(client=client), order, advice=False)
    assert refused is not None
    assert refused.field == field


def test_a_network_brings_only_its_own_money() -> None:
    """The hub brings no QRIS payments, and names no merchant."""
    honest = CreditOrder(
        rail="bifast", idempotency_key="bifast:1", service=IN_BIFAST, creditor=11, amount_minor=1
    )
    assert refuse_credit(honest) is None
    for more, field in (
        ({"service": IN_QRIS}, "service"),
        ({"rail": "qris"}, "service"),
        ({"rail": "nowhere"}, "service"),
        ({"merchant_id": "TGH000000001"}, "merchant_id"),
        ({"bill": "INV"}, "bill"),
        ({"tip_minor": 1}, "tip_minor"),
    ):
        refused = refuse_credit(msgspec.structs.replace(honest, **more))
        assert refused is not None
        assert refused.field == field


@pytest.mark.parametrize(
    "more", [{"with_fee": True}, {"returned_as": "R"}, {"claims": True}, {"forced": True}]
)
def test_a_customer_says_how_much_and_why_and_nothing_else(more: dict[str, object]) -> None:
    """How money goes back is the bank's to say."""
    forced = bool(more.pop("forced", False))
    plain = RefundOrder(requested_by=1, idempotency_key="r", payment_id=UUID(int=1), amount_minor=1)
    order = msgspec.structs.replace(plain, **more)
    assert refuse_refund(order, is_bank=False, forced=forced) is not None
    assert refuse_refund(order, is_bank=True, forced=forced) is None
    assert refuse_refund(plain, is_bank=False, forced=False) is None
