"""Where one thing can be said in two ways and both are, the bank asks; it never chooses silently."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from browsing import Tab, tabs
from tangguh.app import Bank
from tangguh.rails.rail import Asked, Found


@pytest.fixture
async def make_tab(bank: Bank) -> AsyncIterator[Any]:
    async with tabs(bank) as make:
        yield make


async def test_an_account_and_an_alias_are_asked_about(make_tab: Any) -> None:
    """Both stay as they were typed, and the other one alone is taken."""
    tab: Tab = await make_tab(1)
    both = {"bank": "014", "account_no": "0149990001", "proxy": "081234567890", "amount": "75000"}
    asked = await tab.send("/to/bank", both)
    assert asked.status == 422
    assert "Mana yang dituju?" in asked.text
    assert 'value="0149990001"' in asked.text
    assert 'value="081234567890"' in asked.text
    for left in ("account_no", "proxy"):
        sent = await tab.send("/to/bank", both | {left: ""})
        assert sent.leads_to.startswith("/review?"), left


async def test_a_sum_that_is_not_the_bills_is_asked_about(
    bank: Bank, make_tab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bill says how much; another sum beside it is a question, not nothing."""
    enquirer = bank.desk.enquirer("billers")
    assert enquirer is not None

    async def owed(asked: Asked) -> Found:
        return Found(payee=asked.payee, name="PENERIMA UJI", amount_minor=31_250_000)

    monkeypatch.setattr(enquirer, "look_up", owed)
    tab: Tab = await make_tab(1)
    bill = {"number": "14512340001", "amount": "50000"}
    asked = await tab.send("/to/bill/water", bill)
    assert asked.status == 422
    assert "sebesar Rp312.500" in asked.text
    for amount in ("", "312500"):
        sent = await tab.send("/to/bill/water", bill | {"amount": amount})
        assert sent.leads_to.startswith("/review?"), sent.text
