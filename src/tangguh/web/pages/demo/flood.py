"""The flood at the till: many customers pay one shop at once, by the customers' own door."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from tangguh.access.consent import Consent
from tangguh.access.session import Kind, Session
from tangguh.core.errors import Ambiguous, Overloaded, StoreUnavailable
from tangguh.core.order import PaymentOrder
from tangguh.core.outcome import Refused
from tangguh.customers import merchants
from tangguh.customers import store as customers
from tangguh.customers.seed import DEMO_PIN, PEOPLE
from tangguh.rails.qris.shop import static_text
from tangguh.web.api.services import as_shop
from tangguh.web.door import Door
from tangguh.web.login import prove_again
from tangguh.web.orders import qris_order, shop_order

PAYERS: Final = 12
EACH: Final = 25
TICK_SECONDS: Final = 0.25
AMOUNT: Final = "1000.00"


class Count(msgspec.Struct):
    """How far the flood is. ``unknown``: orders whose end the door could not tell at once."""

    ordered: int = 0
    paid: int = 0
    refused: int = 0
    turned_away: int = 0
    unknown: int = 0
    whole: int = PAYERS * EACH
    is_over: bool = False


class Payer(msgspec.Struct, frozen=True):
    """A customer who has said yes with their PIN, and the account they pay from."""

    session: Session
    consent: Consent
    account: int


async def flood(door: Door, count: Count) -> None:
    """Pay the first shop from a dozen customers, Rp1.000 each time, a dozen every quarter second.

    Every customer opens a session and gives their PIN once; every order takes the way of an order
    of the app, is refused or turned away as one, and is counted.
    """
    try:
        shop = (await merchants.of_customer(door.pool, door.book_id, PEOPLE + 1))[0]
        payload = static_text(as_shop(shop))
        payers = [await _payer(door, number) for number in range(1, PAYERS + 1)]
        under_way: set[asyncio.Task[None]] = set()
        for _ in range(EACH):
            for payer in payers:
                order = _order(door, payer, payload)
                under_way.add(
                    asyncio.create_task(_pay(door, payer, shop_order(order, shop), count))
                )
                count.ordered += 1
            await door.clock.sleep(TICK_SECONDS)
        await asyncio.gather(*under_way)
        for payer in payers:
            await door.sessions.end(payer.session)
    finally:
        count.is_over = True


async def _payer(door: Door, customer_id: int) -> Payer:
    opened = await door.sessions.open(customer_id, Kind.BROWSER)
    consent = await prove_again(door, opened.session, DEMO_PIN)
    held = await customers.accounts_of(door.pool, door.book_id, customer_id)
    return Payer(opened.session, consent, held[0].account_id)


def _order(door: Door, payer: Payer, payload: str) -> PaymentOrder:
    order = qris_order(
        customer_id=payer.consent.customer_id,
        key=door.ids.next().hex,
        debtor=payer.account,
        payload=payload,
        amount=AMOUNT,
        tip=None,
        note="",
    )
    assert isinstance(order, PaymentOrder)  # our own shop's code, and an amount
    return order


async def _pay(door: Door, payer: Payer, order: PaymentOrder, count: Count) -> None:
    try:
        decided = await door.pay(payer.consent, order)
    except Ambiguous:
        count.unknown += 1
    except (Overloaded, StoreUnavailable):
        count.turned_away += 1
    else:
        if isinstance(decided, Refused) or decided.payment.came_to_nothing:
            count.refused += 1
        elif decided.payment.is_open:
            count.unknown += 1
        else:
            count.paid += 1
