"""Stories of coming in and going out: tries left, locks with a time, languages, sessions."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from pages.harness import PEOPLE, Site, log_in, review_qris, sees, type_login

pytestmark = pytest.mark.browser


async def test_logging_in_shows_the_balance_with_its_time(visitor) -> None:
    """Two fields, one button; home has the available balance as of now."""
    page = await visitor()
    await log_in(page)
    await sees(page, f"Halo, {PEOPLE[0].full_name}", "Rp1.250.000", "per 12.00 WIB", "Setoran awal")
    cookies = {one["name"]: one for one in await page.context.cookies()}
    token = cookies["tangguh_session"]
    assert token["httpOnly"]
    assert token["sameSite"] == "Strict"


async def test_password_managers_know_the_fields(visitor) -> None:
    """Autocomplete names the fields, and nothing forbids pasting."""
    page = await visitor()
    await page.goto("/")
    assert await page.get_attribute("#phone", "autocomplete") == "username"
    assert await page.get_attribute("#pin", "autocomplete") == "current-password"


async def test_a_wrong_pin_on_a_known_browser_tells_the_tries_left(site: Site, visitor) -> None:
    """A stranger is told nothing of tries; whoever logged in here before is."""
    page = await visitor()
    await page.goto("/")
    await type_login(page, 3, "111111")
    await sees(page, "Nomor atau PIN tidak cocok.")
    assert "Sisa percobaan" not in await page.inner_text("main")
    await type_login(page, 3, "290325")
    await sees(page, f"Halo, {PEOPLE[2].full_name}")
    await page.context.clear_cookies(name="tangguh_session")
    await page.goto("/")
    for left in (4, 3, 2, 1, 0):
        await type_login(page, 3, "111111")
        await sees(page, f"Sisa percobaan: {left}.")


async def test_the_language_can_be_changed_before_and_after_logging_in(visitor) -> None:
    """The first page follows the browser; the customer's own choice stays with the customer."""
    page = await visitor(language="en-GB")
    await page.goto("/")
    await sees(page, "Log in", "Mobile number")
    await page.click("button[name=language]")
    await sees(page, "Nomor ponsel")
    await log_in(page)
    await page.click("button[name=language]")
    await sees(page, f"Hello, {PEOPLE[0].full_name}", "Available balance", "as of 12:00 WIB")
    assert await page.get_attribute("html", "lang") == "en"
    other = await visitor(language="id-ID")
    await log_in(other)
    await sees(other, "Hello,")


async def test_an_ended_session_leads_back_to_the_same_page(site: Site, visitor) -> None:
    """A kind word, and after logging in again the page that was wanted."""
    page = await visitor()
    await log_in(page)
    site.clock.advance(16 * 60)
    await page.goto("/transfer")
    await sees(page, "Sesi Anda sudah berakhir.")
    await type_login(page, 1, "290325")
    await page.wait_for_url("**/transfer")


async def test_a_form_sent_after_the_session_ended_sends_nothing(site: Site, visitor) -> None:
    """The page says that nothing was sent and the balance is as it was."""
    page = await visitor()
    await log_in(page)
    await review_qris(page, "25000")
    site.clock.advance(16 * 60)
    await page.fill("#pin", "290325")
    await page.click("main button.button")
    await sees(page, "Tidak ada yang terkirim dan saldo Anda tidak berkurang.")
    assert await site.payments(1) == []


async def test_logging_out_ends_the_session(visitor) -> None:
    """The cookie is gone and the pages are closed."""
    page = await visitor()
    await log_in(page)
    await page.click("text=Keluar")
    await sees(page, "Anda sudah keluar.")
    await page.goto("/home")
    await expect(page.locator("#pin")).to_be_visible()


async def test_the_demo_page_leads_into_the_bank(visitor) -> None:
    """A stranger finds somebody to be, logs in and reaches the code they chose."""
    page = await visitor()
    await page.goto("/")
    await page.click("text=Ini bank contoh")
    await sees(page, PEOPLE[0].full_name, "290325", "Donat Contoh")
    await page.click(".sample a >> nth=0")
    await type_login(page, 1, "290325")
    await page.wait_for_url("**/pay?**")
    assert (await page.input_value("#code")).startswith("000201")
