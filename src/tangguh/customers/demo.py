"""What the demo's people have beside accounts: cards, e-money, shops with QRIS codes. Test data.

Everything follows from the seed's people, so the same seed gives the same cards and codes; filling
twice changes nothing.
"""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID, uuid5

from tangguh.core.errors import Misconfigured
from tangguh.core.outcome import Refused
from tangguh.customers import cards, merchants, purses, store
from tangguh.customers.cards import Card
from tangguh.customers.purses import UNREGISTERED, Purse
from tangguh.customers.seed import DEMO_PIN, PEOPLE, SHOPS, demo
from tangguh.customers.store import Customer
from tangguh.customers.terms import Merchant
from tangguh.db.pool import Pool
from tangguh.ledger import chart
from tangguh.ledger.command import Post
from tangguh.ledger.writer import Decider
from tangguh.rails.iso8583 import hsm
from tangguh.rails.iso8583.hsm import Hsm
from tangguh.rails.iso8583.outbound.orders import account_pan

OUR_NNS: Final = "93600999"
"""The demo bank's number in the national numbering: invented."""
CARD_HOLDERS: Final = 12
CARD_EXPIRES: Final = "3012"
PASS_HOLDERS: Final = 2
FIRST_PASS_HOLDER: Final = 900
_EMONEY_CARDS: Final = 8
_SERVER_PURSES: Final = 8
FIRST_PURSE_HOLDER: Final = 20
"""Where among the people those with server e-money begin."""
_EXPIRES: Final = date(2031, 12, 31)
_STOCK: Final = UUID("73746f63-6b69-5700-8000-000000000001")
_WALLET_DEPOSIT_MINOR: Final = 1_000_000_000_00
_CASSETTE_MINOR: Final = 400_000_000_00
_NOSTRO_MINOR: Final = 50_000_000_000_00
_CRITERIA: Final = ("UMI", "UMI", "UKE", "UME", "URE", "UMI", "UKE", "UMI")
_CATEGORIES: Final = ("5812", "5814", "5462", "5912", "7538", "7210", "5942", "5411")


def card_number(account_id: int) -> str:
    """The number of the card of a demo account."""
    return account_pan(OUR_NNS, account_id)


def purse_of(product: str, number: int, customer_id: int) -> Purse:
    """The demo's purses: numbered from 1 within their product."""
    digit = {"server": 1, "touristpass": 2, "card": 3}[product]
    account_id = (30 + digit) * 1_000_000_000 + number
    pending_id = 34_000_000_000 + number if product == "card" else 0
    printed = f"{OUR_NNS}{digit}{number:07d}"
    return Purse(
        account_id=account_id,
        pending_id=pending_id,
        product=product,
        number=printed,
        customer_id=customer_id,
        expires_on=_EXPIRES,
    )


def pass_holder(number: int) -> Customer:
    """Who holds the demo's tourist passes: no account, no name, English first."""
    return Customer(
        FIRST_PASS_HOLDER + number, f"62811009{number:04d}", f"Pass Holder {number}", "en"
    )


def merchant_of(shop: int, customer: Customer, account_id: int) -> Merchant:
    """The shop as a QRIS merchant. Every second one is paid at the cut-off."""
    waits = shop % 2 == 1
    return Merchant(
        merchant_id=f"TGH{shop:09d}",
        account_id=account_id,
        waiting_id=20_000_000_000 + account_id % 1_000_000_000 if waits else 0,
        customer_id=customer.customer_id,
        nmid=f"ID10260{shop:08d}",
        pan=f"{OUR_NNS}{shop:010d}",
        name=customer.full_name.upper()[:25],
        city="JAKARTA PUSAT",
        postal_code="10110",
        category_code=_CATEGORIES[shop % len(_CATEGORIES)],
        criteria=_CRITERIA[shop % len(_CRITERIA)],
    )


async def fill_products(
    book: Decider, pool: Pool, book_id: int, seed: int, security: Hsm | None
) -> list[Customer]:
    """Shops, purses, stocks, and cards when there is a security module. Gives the pass holders."""
    people, accounts, _ = demo(seed)
    await _fill_stocks(book)
    for shop in range(SHOPS):
        owner, account_id = people[PEOPLE + shop], accounts[PEOPLE + shop][1]
        await merchants.enrol(book, merchant_of(shop, owner, account_id))
    holders = await _fill_purses(book, pool, book_id, people)
    if security is not None:
        for number in range(CARD_HOLDERS):
            customer_id, account_id, _ = accounts[number]
            await cards.issue(pool, book_id, _card(security, customer_id, account_id))
    return holders


async def _fill_purses(
    book: Decider, pool: Pool, book_id: int, people: list[Customer]
) -> list[Customer]:
    holders = [pass_holder(number) for number in range(1, PASS_HOLDERS + 1)]
    owned: list[tuple[Purse, str, str]] = []
    for number in range(1, _SERVER_PURSES + 1):
        purse = purse_of("server", number, people[FIRST_PURSE_HOLDER + number - 1].customer_id)
        owned.append((purse, "Uang Elektronik", ""))
    for number, holder in enumerate(holders, start=1):
        tier = UNREGISTERED if number == 1 else ""
        owned.append((purse_of("touristpass", number, holder.customer_id), "Tourist Pass", tier))
    owned += [
        (purse_of("card", number, people[number - 1].customer_id), "", "")
        for number in range(1, _EMONEY_CARDS + 1)
    ]
    for purse, _, tier in owned:
        await purses.issue(book, pool, book_id, purse, tier)
    shown = [(one.customer_id, one.account_id, title) for one, title, _ in owned if title]
    await store.enrol(pool, book_id, holders, shown)
    return holders


async def _fill_stocks(book: Decider) -> None:
    """Notes in the cassettes, deposits with the wallets, our account at the settlement bank."""
    moves = [
        (account_id, chart.VAULT, _WALLET_DEPOSIT_MINOR)
        for account_id in chart.PARTNER_OF_WALLET.values()
    ]
    moves += [
        (chart.ATM_VAULT_MIN + number, chart.VAULT, _CASSETTE_MINOR)
        for number in range(1, chart.ATMS_MAX + 1)
    ]
    moves.append((chart.NOSTRO, chart.EQUITY, _NOSTRO_MINOR))
    for to, source, minor in moves:
        entries = ((to, -minor), (source, minor))
        posted = await book.decide(Post(uuid5(_STOCK, str(to)), "opening", entries, "Saldo awal"))
        if isinstance(posted, Refused):
            raise Misconfigured(f"the demo cannot be stocked: {posted.detail}")


def _card(security: Hsm, customer_id: int, account_id: int) -> Card:
    pan = card_number(account_id)
    block = security.encrypt_pin(DEMO_PIN, pan, hsm.TPK)
    value = security.pin_value(block, pan, key=hsm.TPK)
    if value is None:
        raise Misconfigured("the security module does not read its own PIN block")
    return Card(
        card_token=security.token(pan),
        sealed_pan=security.seal(pan),
        last_four=pan[-4:],
        expires=CARD_EXPIRES,
        account_id=account_id,
        customer_id=customer_id,
        pvv=value,
    )
