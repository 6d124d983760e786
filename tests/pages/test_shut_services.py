"""A closed service in a real browser: it stays where it was, and says why before any PIN."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from playwright.async_api import Browser, Page

from pages.harness import Site, log_in, sees
from tangguh.guard.closure import Allowance, Closure
from tangguh.guard.scope import Scope
from tangguh.payments.gates.change import Close
from unit.guard.test_closure import closure

pytestmark = pytest.mark.browser

WORDS = (
    "Transfer BI-FAST keluar ditutup sementara untuk melindungi uang nasabah. Saldo Anda tercatat."
)


async def shut(site: Site, **changes: object) -> Closure:
    """Close BI-FAST outgoing from now on."""
    now = site.clock.now()
    one = closure(
        id=site.bank.ids.next(),
        scope=Scope(rail="bifast", direction="out"),
        made_at=now,
        expires_at=now + timedelta(minutes=30),
        next_word_at=now + timedelta(minutes=15),
        message_id=WORDS,
        message_en="Outgoing BI-FAST is closed for now to protect customers' money.",
        **changes,
    )
    done = await site.bank.desk.decide(Close(closure=one))
    assert isinstance(done, Closure), done
    site.clock.advance(1)
    return done


@pytest.fixture
async def page(visitor: Callable[..., Awaitable[Page]]) -> Page:
    return await visitor()


async def test_it_stays_in_the_menu_with_its_reason(site: Site, page: Page) -> None:
    """Not vanished: named, closed, why, and the way to others."""
    await log_in(page)
    await shut(site)
    await page.goto("/services")
    await sees(page, "Transfer BI-FAST", "Ditutup sementara", WORDS, "Transfer online")
    await page.goto("/home")
    await sees(page, "Transfer BI-FAST", WORDS)


async def test_it_is_known_before_the_pin_is_asked(site: Site, page: Page) -> None:
    """On the first page of the transfer: why, by when there is news, what works now."""
    await log_in(page)
    await shut(site)
    await page.goto("/to/bank")
    await sees(page, WORDS, "Kabar berikutnya paling lambat", "Yang dapat dipakai sekarang")
    assert await page.locator("#pin").count() == 0
    assert await page.locator("#account_no").count() == 0, "nobody fills in a form for nothing"


async def test_open_in_part_says_so(site: Site, page: Page) -> None:
    await log_in(page)
    await shut(site, allowance=Allowance(amount_max_minor=10_000_000))
    await page.goto("/services")
    await sees(page, "Dibuka bertahap")


async def test_nothing_is_said_when_nothing_is_shut(site: Site, page: Page) -> None:
    await log_in(page)
    await page.goto("/home")
    assert await page.get_by_text("Ditutup sementara").count() == 0


async def test_it_is_read_without_scripts(site: Site, browser: Browser) -> None:
    """The words are in the page itself."""
    context = await browser.new_context(
        base_url=site.url, java_script_enabled=False, locale="id-ID"
    )
    page = await context.new_page()
    await log_in(page)
    await shut(site)
    await page.goto("/services")
    await sees(page, "Ditutup sementara", WORDS)
    await context.close()


async def test_what_was_shut_meanwhile_is_said_on_the_review_before_the_pin(
    site: Site, page: Page
) -> None:
    """Somebody stands at the review while BI-FAST is closed: the reason, and what works instead."""
    await log_in(page)
    await page.goto("/to/bank")
    await page.select_option("#bank", "014")
    await page.fill("#account_no", "0149990001")
    await page.fill("#amount", "50000")
    await page.click("main button.button")
    await page.wait_for_url("**/review?**")
    assert await page.locator("#pin").count() == 1
    await shut(site)
    await page.reload()
    await sees(page, WORDS, "Kabar berikutnya paling lambat", "Yang dapat dipakai sekarang")
    assert await page.locator("#pin").count() == 0
