"""Whose account a number is: looked up so often and no oftener, by whatever way it comes out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from browsing import tabs
from serving import Phone
from stories import account_of
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.customers import store as customers

OTHERS = range(2, 50)


@pytest.fixture
async def make_tab(bank: Bank) -> AsyncIterator[Any]:
    async with tabs(bank) as make:
        yield make


async def order_to_everybody(bank: Bank, phone: Phone, amount: str) -> list[str]:
    """A transfer to each of the others; the payments' ids."""
    found = []
    for one in OTHERS:
        order = phone.transfer(str(await account_of(bank, one)), amount)
        paid = await phone.pay(order, key=f"to-{one}")
        assert paid.status == 201
        found.append(paid.body["id"])
    return found


async def names_of(bank: Bank) -> set[str]:
    found = [await customers.find(bank.pool, bank.book_id, one) for one in OTHERS]
    return {one.full_name for one in found if one is not None}


@pytest.mark.parametrize("amount", ["9999999999.00", "0.01"])
async def test_payments_are_no_way_to_collect_names(
    phone: Phone, bank: Bank, make_tab: Any, amount: str
) -> None:
    """Orders that cannot be paid, or of one sen each, tell no more names than looking them up."""
    made = await order_to_everybody(bank, phone, amount)
    told = {(await phone.ask("GET", f"/v1/payments/{one}")).body["to"]["name"] for one in made}
    tab = await make_tab(1)
    pages = [(await tab.open(f"/payments/{one}")).text for one in made]
    pages += [(await tab.open(f"/payments/{one}/again")).text for one in made]
    pages += [(await tab.open(path)).text for path in ("/payments", "/history", "/transfer")]
    told |= {name for name in await names_of(bank) if any(name in text for text in pages)}
    assert len(told - {""}) <= bank.door.settings.name_checks_burst


async def test_a_payee_one_has_looked_up_keeps_the_name(
    phone: Phone, bank: Bank, clock: HandClock
) -> None:
    """The same payment looked at a hundred times is one name."""
    paid = await phone.pay(phone.transfer(str(await account_of(bank, 2)), "1000.00"))
    for _ in range(60):
        again = await phone.ask("GET", f"/v1/payments/{paid.body['id']}")
        assert again.body["to"]["name"]


async def test_a_name_that_is_not_told_is_a_number(phone: Phone, bank: Bank, make_tab: Any) -> None:
    """The payment's page still says where the money went."""
    made = await order_to_everybody(bank, phone, "0.01")
    tab = await make_tab(1)
    pages = [(await tab.open(f"/payments/{one}")) for one in made]
    assert {page.status for page in pages} == {200}
    numbers = [str(await account_of(bank, one)) for one in OTHERS]
    shown = [number for number, page in zip(numbers, pages, strict=True) if number in page.text]
    assert len(shown) == len(OTHERS) - bank.door.settings.name_checks_burst
