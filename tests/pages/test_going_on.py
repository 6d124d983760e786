"""Nothing is lost on the way: languages, sessions in use, forms sent too late, the way back."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from pages.harness import (
    ACCOUNT_OF,
    PEOPLE,
    Site,
    confirm,
    log_in,
    review_transfer,
    sees,
    type_login,
)
from pages.test_reports import bank, cases, notices_settings
from tangguh.customers.seed import DEMO_PIN

__all__ = ["bank", "notices_settings"]

pytestmark = pytest.mark.browser

_MINUTES_10 = 10 * 60
_MINUTES_16 = 16 * 60


async def test_the_language_chosen_at_the_log_in_stays_after_it(visitor) -> None:
    """It becomes the customer's; a browser that only prefers a language changes nothing."""
    page = await visitor(language="id-ID")
    await page.goto("/")
    await page.click("button[name=language]")
    await sees(page, "Mobile number")
    await type_login(page, 1, DEMO_PIN)
    await page.wait_for_url("**/home")
    await sees(page, f"Hello, {PEOPLE[0].full_name}")
    assert await page.get_attribute("html", "lang") == "en"
    other = await visitor(language="id-ID")
    await log_in(other)
    await sees(other, "Hello,")


async def test_a_session_in_use_goes_on_and_one_at_rest_ends(site: Site, visitor) -> None:
    page = await visitor()
    await log_in(page)
    for _ in range(4):
        site.clock.advance(_MINUTES_10)
        await page.goto("/transfer")
        await expect(page.locator("#to")).to_be_visible()
    site.clock.advance(_MINUTES_16)
    await page.goto("/transfer")
    await sees(page, "Sesi Anda sudah berakhir.")


async def test_however_much_it_is_used_a_session_has_a_last_hour(site: Site, visitor) -> None:
    page = await visitor()
    await log_in(page)
    for _ in range(12 * 60 // 14):
        site.clock.advance(14 * 60)
        assert (await page.request.get("/notices", max_redirects=0)).status == 200
    site.clock.advance(14 * 60)
    assert (await page.request.get("/notices", max_redirects=0)).status == 303


async def test_who_types_for_long_is_not_logged_out(site: Site, visitor) -> None:
    """The page tells the bank; what it says is the new end."""
    page = await visitor()
    await page.clock.install()
    await log_in(page)
    await page.goto("/reports/new")
    for _ in range(3):
        site.clock.advance(_MINUTES_10)
        await page.clock.fast_forward(_MINUTES_10 * 1000)
        async with page.expect_response("**/stay") as answer:
            await page.type("#text", "Kartu saya ")
        assert (await answer.value).status == 200
    await page.check("input[value=other]", force=True)
    await page.click("main button.button")
    await page.wait_for_url(re.compile(r"/reports/[0-9a-f-]{36}$"))


async def test_a_report_sent_too_late_goes_on_after_the_log_in(site: Site, visitor) -> None:
    """What was written is there; nothing was sent meanwhile, and it is sent once."""
    page = await visitor(script=False)
    await log_in(page)
    await page.goto("/reports/new")
    await page.check("input[value=other]", force=True)
    await page.fill("#text", "Kartu saya tertelan di Jepara.")
    site.clock.advance(_MINUTES_16)
    await page.click("main button.button")
    await sees(page, "Tidak ada yang terkirim", "Yang Anda isi masih ada")
    assert await cases(site) == []
    await type_login(page, 1, DEMO_PIN)
    await page.wait_for_url("**/resume?**")
    await sees(page, "Kartu saya tertelan di Jepara.")
    await page.click("main button.button")
    await page.wait_for_url(re.compile(r"/reports/[0-9a-f-]{36}$"))
    [case] = await cases(site)
    [said] = await site.bank.care.complaints.store.messages(case.id)
    assert said.body == "Kartu saya tertelan di Jepara."


async def test_a_payment_whose_session_ended_is_reviewed_again(site: Site, visitor) -> None:
    """From the amount and from the PIN alike; the PIN is asked for anew, and it is paid once."""
    page = await visitor()
    await log_in(page)
    await review_transfer(page, ACCOUNT_OF[2], "150000", "makan")
    site.clock.advance(_MINUTES_16)
    await confirm(page)
    await sees(page, "Tidak ada yang terkirim dan saldo Anda tidak berkurang.")
    assert await site.payments(1) == []
    await type_login(page, 1, DEMO_PIN)
    await page.wait_for_url("**/review?**")
    await sees(page, "Rp150.000", PEOPLE[1].full_name, "makan")
    assert await page.input_value("#pin") == ""
    await confirm(page)
    await page.wait_for_url("**/payments/**")
    await sees(page, "Berhasil")
    assert len(await site.payments(1)) == 1

    await page.goto("/transfer")
    await page.fill("#to", str(ACCOUNT_OF[2]))
    await page.click("main button.button")
    await page.wait_for_url("**/transfer/amount?**")
    await page.fill("#amount", "70000")
    site.clock.advance(_MINUTES_16)
    await page.click("main button.button")
    await type_login(page, 1, DEMO_PIN)
    await page.wait_for_url("**/resume?**")
    await page.click("main button.button")
    await page.wait_for_url("**/review?**")
    await sees(page, "Rp70.000", PEOPLE[1].full_name)


async def test_another_customer_does_not_get_the_form(site: Site, visitor) -> None:
    page = await visitor()
    await log_in(page)
    await page.goto("/reports/new")
    await page.check("input[value=other]", force=True)
    await page.fill("#text", "Rahasia saya.")
    site.clock.advance(_MINUTES_16)
    await page.click("main button.button")
    await type_login(page, 3, DEMO_PIN)
    await page.wait_for_url("**/home")
    assert "Rahasia" not in await page.content()
    assert await cases(site) == []


async def back_is_a_page(page: Page) -> None:
    """The browser's back shows one of our pages and asks nothing."""
    await page.go_back()
    assert not page.url.startswith("chrome-error:")
    await expect(page.locator("main h1").first).to_be_visible()


async def test_back_after_a_corrected_error_shows_the_page(visitor) -> None:
    """Log-in, transfer, amount, PIN: each answer to a form has an address of its own."""
    page = await visitor()
    await page.goto("/")
    await type_login(page, 1, "111111")
    await sees(page, "Nomor atau PIN tidak cocok.")
    await type_login(page, 1, DEMO_PIN)
    await page.wait_for_url("**/home")
    await page.goto("/transfer")
    await page.fill("#to", "12")
    await page.click("main button.button")
    await sees(page, "angka")
    await page.fill("#to", str(ACCOUNT_OF[2]))
    await page.click("main button.button")
    await page.wait_for_url("**/transfer/amount?**")
    await page.fill("#amount", "999999999")
    await page.click("main button.button")
    await page.wait_for_url("**/transfer/amount?**shown=**")
    told = await page.inner_text(".told")
    await page.fill("#amount", "50000")
    await page.click("main button.button")
    await page.wait_for_url("**/review?**")
    await page.fill("#pin", "111111")
    await page.click("main button.button")
    await sees(page, "PIN tidak cocok")
    await confirm(page)
    await page.wait_for_url("**/payments/**")
    await back_is_a_page(page)
    await page.goto(page.url)
    await page.goto("/history")
    await page.go_back()
    await page.go_back()
    for _ in range(5):
        await back_is_a_page(page)
    assert told


async def test_the_answer_to_a_form_is_shown_to_its_session_alone(site: Site, visitor) -> None:
    page = await visitor()
    await log_in(page)
    await page.goto("/transfer")
    await page.fill("#to", "12")
    await page.click("main button.button")
    await page.wait_for_url("**/transfer?shown=**")
    address = page.url
    await page.reload()
    await expect(page.locator(".told")).to_be_visible()
    other = await visitor()
    await log_in(other, 3)
    await other.goto(address)
    await expect(other.locator(".told")).to_have_count(0)
    site.clock.advance(_MINUTES_10)
    await page.reload()
    site.clock.advance(_MINUTES_10)
    await page.reload()
    site.clock.advance(_MINUTES_10 + 60)
    await page.reload()
    await expect(page.locator(".told")).to_have_count(0)
    await expect(page.locator("#to")).to_be_visible()
