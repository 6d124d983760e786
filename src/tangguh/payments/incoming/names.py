"""The names networks give payments, each for one payment of a rail. Pure.

PostgreSQL keeps them apart too (``payment_of_wire_reference``), but only says so when the whole
batch is written: a network that gives one name twice would hold up everybody else's payments.
Asked only where the name is not the idempotency key itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from tangguh.core.order import CreditOrder, PaymentOrder
from tangguh.core.service import SERVICES
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.ledger.shelf import ShelfPlan

NameKey = tuple[str, str]
"""(rail, the network's name as it stands in ``Payment.wire``)."""


def _arrays(keys: Sequence[NameKey]) -> tuple[list[Any], ...]:
    rails, names = zip(*keys, strict=True)
    return list(rails), list(names)


NAMES: Final[ShelfPlan[NameKey, UUID]] = ShelfPlan(
    name="wire_names",
    sql=("tangguh.payments", "payments.sql"),
    load="load_wire_names",
    key_arrays=_arrays,
    read=lambda row: ((row["rail"], row["wire_reference"]), row["payment_id"]),
    rows_max=20_000,
)
"""Which payment each name means. Written as a column of the payment; here for looking it up."""


def name_keys(order: PaymentOrder | CreditOrder) -> Iterable[Key]:
    """What ``take_name`` reads; nothing for an order whose network gave it no name of its own."""
    if order.network_reference and order.service in SERVICES:  # an unknown one is refused anyway
        yield NAMES.name, _key_of(order)


def is_taken(book: Book, order: PaymentOrder | CreditOrder) -> bool:
    """Whether the name its network gave it means another payment."""
    if not order.network_reference:
        return False
    return book.shelf(NAMES).get(_key_of(order)) is not None


def take_name(book: Book, order: PaymentOrder | CreditOrder, payment_id: UUID) -> str:
    """The name as ``Payment.wire`` has it, from now on this payment's; empty when it is taken."""
    if not order.network_reference or is_taken(book, order):
        return ""
    key = _key_of(order)
    book.shelf(NAMES).put(key, payment_id)
    return key[1]


def _key_of(order: PaymentOrder | CreditOrder) -> NameKey:
    """What came in is told from what went out, whatever numbers the two sides count in."""
    came_in = "in:" if isinstance(order, CreditOrder) else ""
    return SERVICES[order.service].rail, f"{came_in}{order.network_reference}"
