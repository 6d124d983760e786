"""A code for cash: its money is held, a reload repeats nothing, and it can be given up."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from browsing import Tab, tabs
from machines import machines_of
from stories import ANA, RUPIAH, account_of, balance, proved
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.errors import StoreUnavailable
from tangguh.customers.seed import DEMO_PIN
from tangguh.payments.preview import Preview
from tangguh.rails.iso8583 import hsm

SUM = 100_000 * RUPIAH
_DIGITS = re.compile(r'id="cash-code">(\d{4}) (\d{4})<')


@pytest.fixture
async def make_tab(bank: Bank) -> AsyncIterator[Any]:
    async with tabs(bank) as make:
        yield make


@pytest.fixture
async def tab(make_tab: Any) -> Tab:
    return await make_tab(ANA)


async def made(tab: Tab, key: str = "k1", amount: str = "100.000", pin: str = DEMO_PIN) -> str:
    """Make a code; the address of its page."""
    await tab.open("/cash")
    sent = await tab.send("/cash", {"key": key, "amount": amount, "pin": pin})
    assert sent.status == 303, sent.text
    return sent.leads_to


async def digits(tab: Tab, path: str) -> str:
    """The digits the page shows; empty when it shows none."""
    found = _DIGITS.search((await tab.open(path)).text)
    return "".join(found.groups()) if found else ""


async def held(bank: Bank) -> int:
    return (await balance(bank, await account_of(bank, ANA))).held_minor


async def test_its_money_is_held_and_a_reload_shows_the_same_code(bank: Bank, tab: Tab) -> None:
    """The page is an address of its own: no form is sent again, no second code, no second hold."""
    path = await made(tab)
    assert await held(bank) == SUM
    first = await digits(tab, path)
    assert len(first) == 8
    assert await digits(tab, path) == first
    assert await made(tab) == path
    assert await held(bank) == SUM
    listed = (await tab.open("/cash")).text
    assert "Uangnya ditahan" in listed
    assert first[:4] not in re.sub(r"\s", "", listed).replace("&nbsp;", "")
    await proved(bank)


async def test_the_digits_are_shown_to_who_gave_the_pin(tab: Tab, make_tab: Any) -> None:
    """From the list, and in another session, the PIN is asked for first; a wrong one shows none."""
    path = await made(tab)
    first = await digits(tab, path)
    bare = path.partition("?")[0]
    other = await make_tab(ANA)
    assert await digits(tab, bare) == ""
    assert await digits(other, path) == ""
    wrong = await other.send(bare, {"pin": "000001"})
    assert (wrong.status, _DIGITS.search(wrong.text)) == (422, None)
    again = await other.send(bare, {"pin": DEMO_PIN})
    assert await digits(other, again.leads_to) == first
    stranger = await make_tab(2)
    assert (await stranger.open(path)).status == 404


async def test_a_code_given_up_pays_nobody_and_frees_its_money(bank: Bank, tab: Tab) -> None:
    path = await made(tab)
    code = await digits(tab, path)
    gone = await tab.send(path.partition("?")[0] + "/cancel", {})
    assert (gone.status, gone.leads_to) == (303, "/cash")
    assert await held(bank) == 0
    machines = await machines_of(bank)
    request = machines.ask("94", SUM, hsm.TPK, de48=code)
    assert await machines.at_ours(request) == "14"
    assert "Uangnya ditahan" not in (await tab.open("/cash")).text
    await proved(bank)


async def test_the_machine_takes_what_was_held_once(bank: Bank, tab: Tab) -> None:
    """Also when nothing else is left on the account; a collected code cannot be given up."""
    account = await account_of(bank, ANA)
    before = await balance(bank, account)
    path = await made(tab)
    code = await digits(tab, path)
    machines = await machines_of(bank)
    request = machines.ask("94", SUM, hsm.TPK, de48=code)
    assert await machines.at_ours(request) == "00"
    after = await balance(bank, account)
    assert (after.posted_minor, after.held_minor) == (before.posted_minor - SUM, 0)
    again = machines.ask("94", SUM, hsm.TPK, de48=code)
    assert await machines.at_ours(again) != "00"
    assert (await tab.send(path.partition("?")[0] + "/cancel", {})).status == 404
    assert (await balance(bank, account)).posted_minor == after.posted_minor
    await proved(bank)


async def test_a_code_nobody_used_lets_its_money_go(bank: Bank, tab: Tab, clock: HandClock) -> None:
    await made(tab)
    clock.advance(30 * 60)
    await bank.resolver.round()
    assert await held(bank) == 0
    await proved(bank)


@pytest.mark.parametrize("amount", ["70.000", "12.345"])
async def test_what_no_note_pays_is_refused_before_the_pin(
    bank: Bank, tab: Tab, amount: str
) -> None:
    await tab.open("/cash")
    sent = await tab.send("/cash", {"key": "k1", "amount": amount, "pin": "000001"})
    assert sent.status == 422
    assert "kelipatan Rp50.000" in sent.text
    assert await held(bank) == 0


async def test_more_than_is_there_makes_no_code(bank: Bank, tab: Tab) -> None:
    """What one code holds, another cannot promise."""
    has = (await balance(bank, await account_of(bank, ANA))).available_minor
    most = has // SUM * SUM
    await made(tab, amount=str(most // RUPIAH)[:16])
    await tab.open("/cash")
    sent = await tab.send("/cash", {"key": "k2", "amount": "100.000", "pin": DEMO_PIN})
    assert sent.status == 422
    assert await held(bank) == most


async def test_home_has_a_line_for_a_living_code(bank: Bank, tab: Tab, clock: HandClock) -> None:
    """The sum, until when, and the way to it; gone when it is given up, or over."""
    before = (await tab.open("/home")).text
    assert "/cash/" not in before
    path = (await made(tab)).partition("?")[0]
    shown = (await tab.open("/home")).text
    assert f'href="{path}"' in shown
    line = re.sub(r"<[^>]*>", " ", shown.partition(f'href="{path}"')[2].partition("</a>")[0])
    assert "Rp100.000" in line
    assert "12.30 WIB" in line
    assert 'id="cash-code"' not in shown, "digits are shown to who gave the PIN"
    await tab.send(f"{path}/cancel", {})
    assert "/cash/" not in (await tab.open("/home")).text
    await made(tab, "k2")
    clock.advance(31 * 60)
    other = await tab.open("/home")
    assert "/cash/" not in other.text


async def test_codes_are_listed_and_given_up_by_the_api(bank: Bank, make_phone: Any) -> None:
    """What is held for which code, without its digits; another's is not there."""
    phone, stranger = await make_phone(ANA), await make_phone(2)
    account = str(await account_of(bank, ANA))
    asked = {"kind": "cash", "from_account": account, "amount": "100000.00"}
    made_now = await phone.order("/v1/codes", asked, key="c-1")
    assert made_now.status == 201, made_now.raw
    listed = await phone.ask("GET", "/v1/codes")
    (one,) = listed.body["codes"]
    assert one["amount"] == "100000.00"
    assert one["from_account"] == account
    assert one["expires_at"] == made_now.body["expires_at"]
    assert made_now.body["code"] not in str(listed.body)
    assert (await stranger.ask("GET", "/v1/codes")).body == {"codes": []}
    path = f"/v1/codes/{one['id']}"
    assert (await stranger.ask("DELETE", path)).code == "not_found"
    assert await held(bank) == SUM
    assert (await phone.ask("DELETE", path)).status == 204
    assert await held(bank) == 0
    assert (await phone.ask("DELETE", path)).code == "not_found"
    assert (await phone.ask("GET", "/v1/codes")).body == {"codes": []}
    machines = await machines_of(bank)
    request = machines.ask("94", SUM, hsm.TPK, de48=made_now.body["code"])
    assert await machines.at_ours(request) == "14"
    await proved(bank)


async def test_a_code_that_was_collected_cannot_be_given_up_by_the_api(
    bank: Bank, make_phone: Any
) -> None:
    phone = await make_phone(ANA)
    account = str(await account_of(bank, ANA))
    asked = {"kind": "cash", "from_account": account, "amount": "100000.00"}
    code = (await phone.order("/v1/codes", asked, key="c-1")).body["code"]
    (one,) = (await phone.ask("GET", "/v1/codes")).body["codes"]
    machines = await machines_of(bank)
    assert await machines.at_ours(machines.ask("94", SUM, hsm.TPK, de48=code)) == "00"
    assert (await phone.ask("DELETE", f"/v1/codes/{one['id']}")).code == "not_found"
    assert (await phone.ask("GET", "/v1/codes")).body == {"codes": []}
    await proved(bank)


@pytest.mark.parametrize("kind", ["cash", "qris"])
async def test_no_code_is_made_while_the_book_cannot_be_asked(
    bank: Bank, make_phone: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Not knowing whether the account may pay is no leave to make a code that says it may."""
    phone = await make_phone(ANA)
    decide = bank.desk.decide

    async def mute(command: Any) -> Any:
        if isinstance(command, Preview):
            raise StoreUnavailable("nobody answers")
        return await decide(command)

    monkeypatch.setattr(bank.desk, "decide", mute)
    account = str(await account_of(bank, ANA))
    asked = {"kind": kind, "from_account": account, "amount": "100000.00"}
    made = await phone.order("/v1/codes", asked, key="c-1")
    assert made.status == 503, made.raw
    assert await bank.pool.fetch("SELECT 1 FROM one_time_codes") == []
    assert await held(bank) == 0
