"""Paying beyond the bank, and shops, in a real browser: names before the PIN, codes, takings."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page

from pages.harness import OPEN_CODE, PEOPLE, Site, confirm, log_in, sees
from tangguh.core.format import sums_meant
from tangguh.core.outcome import Accepted
from tangguh.customers.demo import purse_of
from tangguh.customers.seed import DEMO_PIN
from tangguh.customers.seed import PEOPLE as SHOPS_BEGIN

pytestmark = pytest.mark.browser

GOLDEN = json.loads((Path(__file__).parent.parent / "unit" / "core" / "golden.json").read_text())


@pytest.fixture
async def page(visitor: Callable[..., Awaitable[Page]]) -> Page:
    """A phone of nobody in particular."""
    return await visitor()


SHOPKEEPER = SHOPS_BEGIN + 1


async def test_the_name_is_seen_before_the_pin_is_asked(site: Site, page: Page) -> None:
    """Another bank's account: the network's name for it stands on the review, and is paid."""
    await log_in(page)
    await page.goto("/services")
    await page.click("text=Transfer BI-FAST")
    await page.select_option("#bank", "014")
    await page.fill("#account_no", "0149990001")
    await page.fill("#amount", "75000")
    await page.click("main button.button")
    await page.wait_for_url("**/review?**")
    await sees(page, "PENERIMA UJI", "BCA", "Rp2.500", "Rp77.500")
    assert "Rp75.000" in await page.inner_text(".review .total")
    await confirm(page)
    await page.wait_for_url("**/payments/**")
    await sees(page, "Berhasil", "PENERIMA UJI", "BCA")
    assert (await site.payments(1))[0].service == "mobile.transfer.bifast"


async def test_what_is_missing_is_said_beside_its_field(site: Site, page: Page) -> None:
    """No account, no amount, an unknown number: said at once, nothing asked of anybody."""
    await log_in(page)
    await page.goto("/to/bank")
    await page.fill("#amount", "75000")
    await page.click("main button.button")
    await sees(page, "Pilih bank dan tulis nomor rekening")
    await page.goto("/to/emoney")
    await page.fill("#number", "111122223333")
    await page.fill("#amount", "50000")
    await page.click("main button.button")
    await sees(page, "Tidak ada uang elektronik dengan nomor ini")
    assert not await site.payments(1)


async def test_a_power_token_is_on_the_payments_page(site: Site, page: Page) -> None:
    """Fixed sums to choose from; the token stands where the customer looks for it."""
    site.paper.will("send", Accepted("B0001", "12345678901234567890"))
    await log_in(page)
    await page.goto("/to/bill/prepaid")
    await page.fill("#number", "14512340001")
    await page.select_option("#amount", "50000")
    await page.click("main button.button")
    await page.wait_for_url("**/review?**")
    await confirm(page)
    await sees(page, "Token", "12345678901234567890")


async def test_e_money_is_topped_up_by_its_number(site: Site, page: Page) -> None:
    """Only the last digits of somebody's e-money are shown; the money is there at once."""
    number = purse_of("touristpass", 2, 0).number
    await log_in(page)
    await page.goto("/to/emoney")
    await page.fill("#number", number)
    await page.fill("#amount", "60000")
    await page.click("main button.button")
    await page.wait_for_url("**/review?**")
    assert number not in await page.inner_text("main")
    await confirm(page)
    await sees(page, "Berhasil")
    proof = await site.bank.prove()
    assert proof.passed


async def test_cash_without_a_card_needs_the_pin(site: Site, page: Page) -> None:
    """A wrong PIN makes no code; the right one makes eight digits, good once."""
    await log_in(page)
    await page.goto("/cash")
    await page.fill("#amount", "100000")
    await page.fill("#pin", "111111")
    await page.click("main button.button")
    await sees(page, "PIN tidak cocok")
    await page.fill("#amount", "100000")
    await page.fill("#pin", DEMO_PIN)
    await page.click("main button.button")
    shown = await page.inner_text("#cash-code")
    assert re.fullmatch(r"\d{4} \d{4}", shown)


async def test_a_shop_sees_its_payment_at_the_counter(site: Site, page: Page) -> None:
    """A dynamic code for a bill is paid by a customer of the bank; the shop sees it."""
    await log_in(page, SHOPKEEPER)
    await page.goto("/shops")
    await page.click("main a.row")
    await sees(page, "0 pembayaran hari ini")
    await page.fill("#amount", "18000")
    await page.click("main form button.button")
    await sees(page, "Rp18.000")
    shop = page.url
    code = await page.get_attribute("img.qr-picture", "src") or ""
    assert code.startswith("data:image/svg+xml")
    bank = site.bank
    row = await bank.pool.fetchrow("SELECT bill_no FROM merchant_bills")
    assert row is not None
    await page.goto(shop)
    assert PEOPLE[SHOPKEEPER - 1].full_name.upper()[:25] in await page.inner_text("main")


@pytest.mark.parametrize("size", [(390, 844), (1280, 800)])
async def test_nothing_is_wider_than_the_screen(
    site: Site, page: Page, size: tuple[int, int]
) -> None:
    """Every new page fits a phone and a desktop."""
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await log_in(page, SHOPKEEPER)
    shop = "/shops/TGH000000000"
    pages = ["/services", "/to/bank", "/to/wallet/gopay", "/to/bill/prepaid", "/to/bill/water",
             "/to/emoney", "/cash", "/show", "/shops", shop]  # fmt: skip
    for path in pages:
        await page.goto(path)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size[0], path


async def test_what_is_typed_or_pasted_as_an_amount_is_what_the_server_reads(visitor) -> None:
    """Nothing a person puts into the field becomes another sum on the way, by key or by paste."""
    page = await visitor()
    await log_in(page)
    await page.goto("/cash")
    field = page.locator("#amount")
    for text, meant in GOLDEN["typed"]:
        for how in ("keys", "paste"):
            await field.fill("")
            if how == "keys":
                await field.press_sequentially(text)
            else:
                await field.focus()
                await page.keyboard.insert_text(text)
            shown = await field.input_value()
            assert sums_meant(shown[:20]) in {tuple(meant), ()}, (how, text, shown)
            assert bool(meant) == bool(sums_meant(shown)), (how, text, shown)


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [("2500.00", "Rp2.500", "Rp250.000"), ("25,000", "Rp25", "Rp25.000")],
)
async def test_an_amount_that_could_be_two_sums_is_asked_about(
    site: Site, visitor, text: str, first: str, second: str
) -> None:
    page = await visitor()
    await log_in(page)
    await page.goto("/pay")
    await page.fill("#code", OPEN_CODE)
    await page.click("form[data-code] button.button")
    await page.wait_for_url("**/pay/amount?**")
    await page.locator("#amount").focus()
    await page.keyboard.insert_text(text)
    await page.click("main button.button")
    await sees(page, f"dapat berarti {first} atau {second}")
    assert await page.input_value("#amount") == text
    await page.fill("#amount", "25.000")
    await page.click("main button.button")
    await page.wait_for_url("**/review?**")
    await sees(page, "Rp25.000")


async def test_what_they_get_the_fee_and_the_total_are_three_words(site: Site, page: Page) -> None:
    """Rp 50.000 to another bank costs Rp 2.500: nobody is told that Rp 52.500 reached them."""
    await log_in(page)
    await page.goto("/to/bank")
    await page.select_option("#bank", "014")
    await page.fill("#account_no", "0149990001")
    await page.fill("#amount", "50000")
    await page.click("main button.button")
    await page.wait_for_url("**/review?**")
    await sees(page, "Kirim Rp50.000", "Rp2.500", "Rp52.500")
    await confirm(page)
    await page.wait_for_url("**/payments/*")
    assert "Rp50.000" in await page.inner_text(".state .total")
    await sees(page, "Berhasil", "Total didebit", "Rp52.500")
    await page.goto("/payments")
    await sees(page, "termasuk biaya Rp2.500")
