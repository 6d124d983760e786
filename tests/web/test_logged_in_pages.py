"""What a logged-in stranger or a careless link can do to pages that people are logged in to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from browsing import Tab, tabs
from paper import PaperRail
from serving import Phone, credentials
from stories import PutTier, account_of
from tangguh.access.session import Kind
from tangguh.app import Bank
from tangguh.core.service import TRANSFER_ONUS
from tangguh.customers import merchants
from tangguh.customers.demo import pass_holder
from tangguh.customers.seed import DEMO_PIN
from tangguh.ledger.account import AccountState
from tangguh.rails.qris.shop import static_text
from tangguh.web.api.services import as_shop
from unit.rails.qris.payloads import VALID

V5 = VALID["V5"].payload

AT_CUT_OFF = "936009990000000003"
"""A shop that is paid at the cut-off."""


@pytest.fixture
async def make_tab(bank: Bank) -> AsyncIterator[Any]:
    async with tabs(bank) as make:
        yield make


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "http://a:x", "null", "//", "\\"])
async def test_an_origin_that_is_none_is_foreign(make_tab: Any, origin: str) -> None:
    """Whatever a browser or a script says it comes from: refused, never an error of ours."""
    tab = await make_tab(1)
    sent = await tab.send("/language", {"language": "en"}, Origin=origin)
    assert sent.status == 403


@pytest.mark.parametrize("leads", ["http://[", "//[", "//[x", "/\\[", "https://evil.example", "["])
async def test_a_link_that_leads_nowhere_still_logs_in(make_tab: Any, leads: str) -> None:
    """A log-in page opened by such a link: the person is logged in and at home."""
    tab: Tab = await make_tab(None)
    sent = await tab.send("/", credentials(1) | {"next": leads})
    assert (sent.status, sent.leads_to) == (303, "/home")
    tab = await make_tab(1)
    spoken = await tab.send("/language", {"language": "en", "next": leads})
    assert (spoken.status, spoken.leads_to) == (303, "/home")


async def sold(bank: Bank, payer: Phone) -> tuple[str, int]:
    """A sale of a shop that is paid at the cut-off: the payment's id, the shopkeeper."""
    shop = await merchants.by_pan(bank.pool, bank.book_id, AT_CUT_OFF)
    assert shop is not None
    code = static_text(as_shop(shop))
    paid = await payer.pay(
        {"kind": "qris", "from_account": payer.account, "qr": code, "amount": "50000.00"}
    )
    assert paid.body["state"] == "posted"
    return paid.body["id"], shop.customer_id


async def test_a_shop_paid_at_the_cut_off_sees_its_sales(
    phone: Phone, make_phone: Any, make_tab: Any, bank: Bank
) -> None:
    """What waits for the cut-off was received by the shop: it looks at it, and gives it back."""
    sale, keeper = await sold(bank, phone)
    shop = await merchants.by_pan(bank.pool, bank.book_id, AT_CUT_OFF)
    assert shop is not None
    shop_id = shop.merchant_id
    shop_phone = await make_phone(keeper)
    assert (await shop_phone.ask("GET", f"/v1/payments/{sale}")).status == 200
    tab = await make_tab(keeper)
    page = await tab.open(f"/payments/{sale}")
    assert page.status == 200
    assert f"/payments/{sale}/refund" in page.text
    assert "Dananya masuk ke rekening Anda pada batas waktu berikutnya" in page.text
    assert "Sudah masuk rekening Anda" not in page.text
    assert "QRIS masuk" in (await tab.open(f"/shops/{shop_id}")).text
    asked = await tab.send(f"/payments/{sale}/refund", {"amount": "20.000", "reason": "retur"})
    assert asked.status == 303
    done = await tab.send("/review", {"order": asked.sealed(), "pin": DEMO_PIN})
    assert done.status == 303
    assert (await phone.ask("GET", f"/v1/payments/{sale}")).body["refunded"] == "20000.00"
    given = (await phone.ask("GET", "/v1/accounts/" + phone.account + "/entries")).body["entries"]
    payer = await make_tab(1)
    assert (await payer.open(f"/payments/{given[0]['payment_id']}/refund")).status == 409
    stranger = await make_tab(7)
    assert (await stranger.open(f"/payments/{sale}")).status == 404
    assert (await stranger.open(f"/payments/{sale}/refund")).status == 404


async def test_what_waits_for_the_cut_off_is_no_account_to_name_or_pay(
    phone: Phone, make_tab: Any, bank: Bank
) -> None:
    """The number behind it is the bank's own: nobody is told a name for it."""
    shop = await merchants.by_pan(bank.pool, bank.book_id, AT_CUT_OFF)
    assert shop is not None
    tab = await make_tab(1)
    asked = await tab.send("/transfer", {"to": str(shop.waiting_id)})
    assert asked.status == 422
    paid = await phone.pay(phone.transfer(str(shop.waiting_id)))
    assert paid.body["refusal"]["code"] == "payee_not_found"


async def test_a_live_page_ends_with_its_session(
    phone: Phone, bank: Bank, make_tab: Any, paper: PaperRail
) -> None:
    """Who has logged out is told nothing more of a payment, on no page that is still open."""
    paper.gate = asyncio.Event()
    order = {"kind": "qris", "from_account": phone.account, "qr": V5, "amount": "15000.00"}
    bank.door.settings = msgspec.structs.replace(bank.door.settings, answer_seconds=0.0)
    paid = await phone.pay(order)
    assert paid.status == 202
    tab: Tab = await make_tab(1)
    async with tab.stream(f"/payments/{paid.body['id']}/events") as events:
        async with asyncio.timeout(5):
            while not (await events.readline()).startswith(b"data:"):
                pass
            await tab.send("/logout", {})
            paper.gate.set()
            rest = await events.read()
    assert b"event: payment" not in rest


async def test_a_session_is_not_found_again_after_the_log_out(bank: Bank) -> None:
    """A look-up that began before the log-out and ends after it keeps nothing."""
    for _ in range(20):
        opened = await bank.sessions.open(1, Kind.BROWSER)
        looks = [asyncio.create_task(bank.sessions.find(opened.token)) for _ in range(5)]
        await asyncio.sleep(0)
        await bank.sessions.end(opened.session)
        await asyncio.gather(*looks)
        assert await bank.sessions.find(opened.token) is None


async def test_a_purse_is_shown_its_own_limits(bank: Bank, make_tab: Any) -> None:
    """A pass of somebody who has not shown who they are pays at most Rp 2 million, not ten."""
    holder = pass_holder(1).customer_id
    shop = await merchants.by_pan(bank.pool, bank.book_id, AT_CUT_OFF)
    assert shop is not None
    tab = await make_tab(holder)
    page = await tab.open(f"/pay/amount?{urlencode({'code': static_text(as_shop(shop))})}")
    assert page.status == 200
    assert "Rp2.000.000" in page.text
    assert "Rp10.000.000" not in page.text


async def test_a_fee_of_one_tier_can_be_paid(bank: Bank, make_tab: Any) -> None:
    """What the page shows is what this account pays: no question about a changed fee for ever."""
    rules = bank.door.desk.rules
    account = await account_of(bank, 1)
    await bank.writer.decide(PutTier(account, AccountState.OPEN, "private"))
    fees = rules.fees_minor | {f"{TRANSFER_ONUS}/private": 50_000}
    bank.door.desk.rules = msgspec.structs.replace(rules, fees_minor=fees)
    tab = await make_tab(1)
    to = (await tab.send("/transfer", {"to": str(await account_of(bank, 2))})).sealed("to")
    order = (await tab.send("/transfer/amount", {"to": to, "amount": "10.000"})).sealed()
    shown = await tab.open(f"/review?{urlencode({'order': order})}")
    assert "Rp500" in shown.text
    done = await tab.send("/review", {"order": order, "pin": DEMO_PIN})
    assert done.status == 303
