"""What pages are like for everybody: narrow screens, large text, no script, no mouse, no colour."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Page

from pages.harness import (
    ACCOUNT_OF,
    Site,
    confirm,
    log_in,
    review_qris,
    review_transfer,
    sees,
)
from plain_words import unread
from tangguh.core.outcome import Accepted, Declined, Refusal, Unanswered

pytestmark = pytest.mark.browser

GOLDEN = json.loads((Path(__file__).parent.parent / "unit" / "core" / "golden.json").read_text())
OUTSIDE = (
    "/",
    "/demo",
    "/report",
    "/report/track",
    "/subscribe",
    "/problems/limit_per_day",
    "/nowhere",
)
INSIDE = (
    "/home",
    "/pay",
    "/transfer",
    "/history",
    "/payments",
    "/reports",
    "/reports/new",
    "/notices",
)

_UNNAMED = """() => [...document.querySelectorAll('a, button, input:not([type=hidden]), textarea')]
  .filter((one) => one.checkVisibility())
  .filter((one) => !(one.textContent.trim() || one.labels?.length || one.ariaLabel))
  .map((one) => one.outerHTML)"""
_WIDE = """() => [...document.querySelectorAll('main *, header *')]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => `${one.tagName}.${one.className}`).slice(0, 12)"""
_SMALL = """() => [...document.querySelectorAll('button, .button, .tabs a, .tiles a, .row, input')]
  .filter((one) => one.checkVisibility() && !one.closest('.picker') && !one.matches('.copy'))
  .map((one) => [one.getBoundingClientRect(), one.outerHTML])
  .filter(([box]) => box.height < 47.5 || box.width < 44)
  .map(([box, html]) => `${box.width}x${box.height} ${html}`)"""


async def fits(page: Page) -> None:
    """Nothing is wider than the screen."""
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, (page.url, await page.evaluate(_WIDE))


async def is_accessible(page: Page) -> None:
    """One first heading, names on every control, targets for thumbs, a language."""
    assert await page.locator("h1").count() == 1, page.url
    assert await page.evaluate(_UNNAMED) == [], page.url
    assert await page.evaluate(_SMALL) == [], page.url
    assert await page.get_attribute("html", "lang") in ("id", "en")


async def test_every_page_fits_a_narrow_phone_and_is_operable(site: Site, visitor) -> None:
    """320 pixels wide, in both languages, without sideways scrolling."""
    page = await visitor(width=320, height=640)
    for path in OUTSIDE:
        await page.goto(path)
        await fits(page)
        await is_accessible(page)
    await log_in(page, 7)
    site.paper.will("send", Unanswered("silent"))
    await review_qris(page, "50000")
    await fits(page)
    await is_accessible(page)
    await confirm(page)
    await sees(page, "Awaiting confirmation")
    await fits(page)
    await is_accessible(page)
    devices = site.bank.door.devices
    devices.settings = msgspec.structs.replace(devices.settings, cooling_minor=10**12)
    await review_transfer(page, ACCOUNT_OF[2], "24000000", "x" * 100)
    await fits(page)
    for path in INSIDE:
        await page.goto(path)
        await fits(page)
        await is_accessible(page)


async def test_text_can_be_twice_as_large(visitor) -> None:
    """At 200 % everything is still there and still fits."""
    page = await visitor(width=390)
    await log_in(page)
    for path in INSIDE:
        await page.goto(path)
        await page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")
        await fits(page)


_BAR = """() => [...document.querySelectorAll('.tabs a')].flatMap((one) => {
  const box = one.getBoundingClientRect(), label = one.querySelector('span').getBoundingClientRect();
  const inside = label.left >= box.left && label.right <= box.right && label.bottom <= box.bottom
    && box.left >= 0 && box.right <= innerWidth && box.bottom <= innerHeight;
  return inside ? [] : [one.textContent.trim()];
})"""


@pytest.mark.parametrize("width", [320, 360, 390])
async def test_the_bar_below_fits_large_text(site: Site, visitor, width: int) -> None:
    """Each label inside its tab, in both languages; at 200 % a bar still leaves the page its place."""
    page = await visitor(width=width, height=700)
    await log_in(page)
    for language in ("id", "en"):
        await page.goto("/home")
        if language == "en":
            async with page.expect_navigation():
                await page.click("button[name=language]")
        for size in ("100%", "200%"):
            await page.evaluate(f"document.documentElement.style.fontSize = '{size}'")
            assert await page.evaluate(_BAR) == [], (width, size)
            bar = await page.locator(".tabs").bounding_box()
            assert bar is not None
            assert bar["height"] <= 96, (width, size, bar)
            await fits(page)


async def test_the_main_path_needs_no_script(site: Site, visitor) -> None:
    """Log in, pay, watch it: the page has a link to look again and tells the truth each time."""
    page = await visitor(script=False)
    site.paper.will("send", Unanswered("silent"))
    await log_in(page)
    await review_qris(page, "25.000")
    await confirm(page)
    await sees(page, "Menunggu kepastian", "Kabar paling lambat pukul 12.15 WIB")
    site.paper.will("inquire", Accepted("RRN9"))
    site.clock.advance(30)
    await site.bank.resolver.round()
    await page.click("#look")
    await sees(page, "Berhasil", "Ref. RRN9")


async def test_the_whole_payment_can_be_made_with_a_keyboard(visitor) -> None:
    """Enter sends each step, and focus is never lost behind the bar."""
    page = await visitor()
    await page.goto("/")
    await page.locator("#phone").press_sequentially("08110000001")
    await page.keyboard.press("Tab")
    await page.keyboard.type("290325")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/home")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await page.goto("/transfer")
    await page.focus("#to")
    await page.keyboard.type(str(ACCOUNT_OF[2]))
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/transfer/amount?**")
    await page.focus("#amount")
    await page.keyboard.type("15000")
    assert await page.input_value("#amount") == "15.000"
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/review?**")
    await page.focus("#pin")
    await page.keyboard.type("290325")
    await page.keyboard.press("Enter")
    await sees(page, "Berhasil")


async def test_the_balance_can_be_hidden(visitor) -> None:
    """One press hides it, from screen readers too, and it stays hidden in this tab."""
    page = await visitor()
    await log_in(page)
    await page.click("[data-conceal]")
    assert not await page.locator(".balance .secret").is_visible()
    await page.goto("/pay")
    await page.goto("/home")
    assert not await page.locator(".balance .secret").is_visible()
    await page.click("[data-conceal]")
    assert await page.locator(".balance .secret").is_visible()


async def test_the_browser_writes_money_and_times_like_the_server(visitor) -> None:
    """The same golden cases, in the other language of the house."""
    page = await visitor()
    await page.goto("/")
    written = await page.evaluate(
        """async (golden) => {
            const { money, instant, typing } = await import('/static/format.js');
            return {
                money: golden.money.map(([minor]) => money(minor)),
                instant: golden.instant.map(([at]) => [instant(at, 'id'), instant(at, 'en')]),
                typing: golden.typing.map(([text]) => typing(text)),
            };
        }""",
        GOLDEN,
    )
    assert written["money"] == [case[1] for case in GOLDEN["money"]]
    assert written["instant"] == [case[1:] for case in GOLDEN["instant"]]
    assert written["typing"] == [case[1] for case in GOLDEN["typing"]]


async def test_pages_are_light(visitor) -> None:
    """The first page with everything it loads is far below the 200 KB of E38."""
    page = await visitor()
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(int(answer.headers.get("content-length", 0))))
    await page.goto("/", wait_until="networkidle")
    assert 0 < sum(sizes) < 60_000


_VISIBLE = (
    "() => [...document.querySelectorAll('main, header')].map((one) => one.innerText).join(' ')"
)
_CODES = "() => document.querySelectorAll('.code, code, pre, .money-field').forEach((one) => one.remove())"


async def reads(page: Page, *, codes: bool = False) -> list[str]:
    """What a person could not read on a page. ``codes``: what is shown as a code may be one."""
    if not codes:
        await page.evaluate(_CODES)
    return [f"{page.url}: {one}" for one in unread(await page.evaluate(_VISIBLE))]


async def test_no_page_shows_what_only_a_machine_reads(site: Site, visitor) -> None:
    """Every page, with money that moved, waits, was refused, and a payment that had a fee."""
    page = await visitor()
    found: list[str] = []
    await page.goto("/")
    for path in OUTSIDE:
        await page.goto(path)
        if path not in ("/demo", "/problems/limit_per_day"):
            found += await reads(page)
    await log_in(page)
    await review_transfer(page, ACCOUNT_OF[2], "150000")
    found += await reads(page)
    await page.go_back()
    await review_transfer(page, ACCOUNT_OF[2], "150000")
    await confirm(page)
    await page.wait_for_url("**/payments/*")
    paid = page.url
    site.paper.will("send", Unanswered("timeout"))
    await review_qris(page, "25000")
    await confirm(page)
    await page.wait_for_url("**/payments/*")
    waits = page.url
    site.paper.will("send", Declined(Refusal.PARTNER_DECLINED, "51"))
    await review_qris(page, "26000")
    await confirm(page)
    await page.wait_for_url("**/payments/*")
    refused = page.url
    for path in (*INSIDE, "/services", "/shops", "/cash", "/show", paid, waits, refused):
        await page.goto(path)
        found += await reads(page)
    assert found == []
