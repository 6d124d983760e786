"""Fills a demo bank from a seed: people, shops, accounts and opening balances. Test data only.

Who there is comes from ``tangguh.demo``. The same seed fills the same bank; filling it twice
changes nothing, because every posting's id comes from its account.
"""

from __future__ import annotations

import asyncio
import random
from typing import Final
from uuid import UUID, uuid5

from tangguh.core.errors import Misconfigured
from tangguh.core.outcome import Refused
from tangguh.customers import store
from tangguh.customers.store import Customer
from tangguh.db.pool import Pool
from tangguh.demo import people as town
from tangguh.ledger import chart
from tangguh.ledger.chart import Kind
from tangguh.ledger.command import OpenAccount, Post
from tangguh.ledger.writer import Decider
from tangguh.notices.notice import Via

PEOPLE: Final = town.PEOPLE
SHOPS: Final = 8
DEMO_PIN: Final = "290325"
"""Every seeded customer's PIN. A bank that is not a demo is never seeded."""

_OPENING: Final = UUID("6f70656e-696e-5700-8000-000000000001")
_SAVINGS: Final = "Tabungan Tangguh"
_SHOP_ACCOUNT: Final = "Giro Usaha"

_SHOPS: Final = (
    "Warung Bu Ratna", "Kopi Sudut Kota", "Toko Roti Melati", "Apotek Sehat Selalu",
    "Bengkel Maju Jaya", "Laundry Kilat", "Toko Buku Cendekia", "Sayur Segar Pak Hadi",
)  # fmt: skip


async def open_own_accounts(book: Decider) -> None:
    """Open the accounts every book has. A repeat changes nothing."""
    # All at once, for the writer puts into one batch what comes together.
    await asyncio.gather(
        *(
            book.decide(OpenAccount(account_id, kind))
            for account_id, kind in chart.OWN_ACCOUNTS.items()
        )
    )


async def fill(book: Decider, pool: Pool, book_id: int, seed: int) -> list[Customer]:
    """Enrol the demo's people and shops and give them money from the vault."""
    people, accounts, openings = demo(seed)
    opened = await asyncio.gather(
        *(
            book.decide(
                OpenAccount(
                    account_id,
                    Kind.MERCHANT if product == _SHOP_ACCOUNT else Kind.CUSTOMER,
                    customer_id,
                )
            )
            for customer_id, account_id, product in accounts
        )
    )
    posted = await asyncio.gather(
        *(
            book.decide(
                Post(
                    uuid5(_OPENING, f"{seed}:{account_id}"),
                    "opening",
                    ((chart.VAULT, -sum_minor), (account_id, sum_minor)),
                    "Setoran awal",
                )
            )
            for account_id, sum_minor in openings.items()
        )
    )
    for answer in (*opened, *posted):
        if isinstance(answer, Refused):
            raise Misconfigured(f"the demo cannot be filled: {answer.detail}")
    await store.enrol(pool, book_id, people, accounts)
    return people


def demo(seed: int) -> tuple[list[Customer], list[tuple[int, int, str]], dict[int, int]]:
    """The demo's people, their accounts (customer id, account id, product), opening sums."""
    source = random.Random(seed)  # noqa: S311 - test data, to be the same for the same seed
    people: list[Customer] = []
    accounts: list[tuple[int, int, str]] = []
    openings: dict[int, int] = {}
    drawn = town.names(source)
    for number in range(1, PEOPLE + SHOPS + 1):
        is_shop = number > PEOPLE
        name = _SHOPS[number - PEOPLE - 1] if is_shop else drawn[number - 1]
        phone = town.phone_of(number)
        people.append(Customer(number, phone, name, "en" if number % 7 == 0 else "id"))
        account_id = chart.CUSTOMER_ACCOUNT_MIN + 100_000_000 + number * 10 + 1
        accounts.append((number, account_id, _SHOP_ACCOUNT if is_shop else _SAVINGS))
        rupiah = source.choice((350_000, 1_250_000, 2_400_000, 5_000_000, 8_750_000, 25_000_000))
        openings[account_id] = rupiah * 100
    return people, accounts, openings


def addresses_of(person: Customer) -> tuple[tuple[Via, str], ...]:
    """Where a seeded person can be reached: the number they log in with, and an e-mail address."""
    # Nobody can own a name under .example (RFC 2606). The demo's own post takes what is sent.
    name = ".".join(person.full_name.lower().split())
    return (Via.SMS, person.phone), (Via.EMAIL, f"{name}@post.example")
