"""What a client may assert in an order: the one list, for every kind of client. Pure.

Everything that is not here is looked up or decided in the book: the payee's account and its kind,
fees, discounts, tariffs, expiries, roles, what a bill comes to. An order that says more than its
sender may say is refused as a whole (ADR-0027).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from tangguh.core.client import Client
from tangguh.core.order import CreditOrder, Origin, PaymentOrder, RefundOrder
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import (
    ATM_ACQUIRER,
    ATM_BILL,
    ATM_CARDLESS,
    ATM_CASH,
    ATM_TRANSFER_CARDS,
    ATM_TRANSFER_ONUS,
    BILL,
    CARD_CASH,
    IN_BIFAST,
    IN_CARDS,
    IN_QRIS,
    QRIS_CPM,
    QRIS_OFFUS,
    QRIS_ONUS,
    QRIS_SERVER,
    QRIS_TOURIST,
    SERVICES,
    SPEND_CARD,
    TOPUP,
    TOPUP_CARD,
    TOPUP_SERVER,
    TOPUP_TOURIST,
    TRANSFER_BIFAST,
    TRANSFER_CARDS,
    TRANSFER_ONUS,
)


class Asserts(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of client may say.

    ``orders`` and ``brings`` are services it may order and by which it may bring money. ``says``
    are the fields of an order, beyond those every order has, that it may fill. ``advises``: it may
    tell of money that is gone already, in these services.
    """

    orders: frozenset[str] = frozenset()
    brings: frozenset[str] = frozenset()
    says: frozenset[str] = frozenset()
    advises: frozenset[str] = frozenset()


OF_THE_BANK: Final = ":"
"""Stands in the keys that the bank makes of what machines and networks send, and in no customer's:
nobody takes the name of a ride, of a code, or of a reversal before it comes."""

_BY_CUSTOMER: Final = frozenset(
    {
        TRANSFER_ONUS,
        TRANSFER_BIFAST,
        TRANSFER_CARDS,
        QRIS_OFFUS,
        QRIS_ONUS,
        QRIS_SERVER,
        QRIS_TOURIST,
        TOPUP_CARD,
        TOPUP_SERVER,
        TOPUP_TOURIST,
        *TOPUP.values(),
        *BILL.values(),
    }
)
_CUSTOMER: Final = Asserts(
    orders=_BY_CUSTOMER, says=frozenset({"tip_minor", "note", "debtor_name", "reason"})
)

MAY_ASSERT: Final[Mapping[Client, Asserts]] = {
    Client.DEVICE: _CUSTOMER,
    Client.BROWSER: _CUSTOMER,
    Client.TERMINAL: Asserts(
        orders=frozenset(
            {ATM_CASH, ATM_CARDLESS, ATM_ACQUIRER, ATM_TRANSFER_ONUS, ATM_TRANSFER_CARDS, ATM_BILL}
        ),
        says=frozenset({"network_reference", "note", "by_network", "once"}),
    ),
    Client.CARD_SWITCH: Asserts(
        orders=frozenset({CARD_CASH}),
        brings=frozenset({IN_CARDS}),
        says=frozenset({"network_reference", "note", "sender_name", "sender_bank",
                        "sender_account", "by_network"}),
        advises=frozenset({CARD_CASH}),
    ),
    Client.QRIS_SWITCH: Asserts(
        orders=frozenset({QRIS_CPM}),
        brings=frozenset({IN_QRIS}),
        says=frozenset({"network_reference", "tip_minor", "note", "sender_bank", "merchant_id",
                        "bill", "original"}),
    ),
    Client.HUB: Asserts(
        brings=frozenset({IN_BIFAST}),
        says=frozenset({"note", "sender_name", "sender_bank", "sender_account", "original"}),
    ),
    Client.OPERATOR: Asserts(
        orders=frozenset({SPEND_CARD}), says=frozenset({"note"}), advises=frozenset({SPEND_CARD})
    ),
    Client.STAFF: Asserts(),
    Client.WATCH: Asserts(),
    Client.BANK: Asserts(
        orders=frozenset(name for name, one in SERVICES.items() if one.direction == "out"),
        says=frozenset({"note", "debtor_name"}),
    ),
}  # fmt: skip

NETWORK_OF_RAIL: Final[Mapping[str, Client]] = {
    "bifast": Client.HUB,
    "iso8583": Client.CARD_SWITCH,
    "qris": Client.QRIS_SWITCH,
}
"""Who brings money by each rail."""

_PAYMENT_SAYS: Final = (
    "tip_minor", "note", "debtor_name", "network_reference", "by_network", "once",
)  # fmt: skip
_CREDIT_SAYS: Final = (
    "tip_minor", "sender_name", "sender_bank", "sender_account", "note", "original",
    "merchant_id", "bill", "network_reference",
)  # fmt: skip
_MAY_NOT_SAY: Final[Mapping[Client, tuple[str, ...]]] = {
    client: tuple(name for name in _PAYMENT_SAYS if name not in may.says)
    for client, may in MAY_ASSERT.items()
}


def refuse_payment(origin: Origin, order: PaymentOrder, *, advice: bool) -> Refused | None:
    """What this client may not order at all. Refuses ORDER_INVALID naming the field."""
    may = MAY_ASSERT[origin.client]
    if may is _CUSTOMER and OF_THE_BANK in order.idempotency_key:
        return _beyond(origin.client, "idempotency_key")
    if order.service not in may.orders:
        return _beyond(origin.client, "service")
    if advice and order.service not in may.advises:
        return _beyond(origin.client, "advice")
    return _refuse_fields(origin.client, order, _MAY_NOT_SAY[origin.client])


def refuse_credit(order: CreditOrder) -> Refused | None:
    """What this network may not bring. Refuses ORDER_INVALID naming the field."""
    client = NETWORK_OF_RAIL.get(order.rail)
    if client is None or order.service not in MAY_ASSERT[client].brings:
        return Refused(Refusal.ORDER_INVALID, "service", "no such money comes by this network")
    says = MAY_ASSERT[client].says
    return _refuse_fields(client, order, tuple(one for one in _CREDIT_SAYS if one not in says))


def refuse_refund(order: RefundOrder, *, is_bank: bool, forced: bool) -> Refused | None:
    """A customer gives back a sum and says why; how it goes back only the bank says."""
    if is_bank:
        return None
    said = {"with_fee": order.with_fee, "returned_as": order.returned_as, "claims": order.claims,
            "forced": forced}  # fmt: skip
    beyond = next((name for name, value in said.items() if value), "")
    return _beyond(Client.DEVICE, beyond) if beyond else None


def _refuse_fields(
    client: Client, order: PaymentOrder | CreditOrder, beyond: tuple[str, ...]
) -> Refused | None:
    for name in beyond:
        if getattr(order, name):
            return _beyond(client, name)
    return None


def _beyond(client: Client, field: str) -> Refused:
    return Refused(Refusal.ORDER_INVALID, field, f"not for a {client.replace('_', ' ')} to say")
