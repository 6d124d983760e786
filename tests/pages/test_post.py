"""Everybody's phone in a real browser: empty, with messages, narrow and wide, and hostile words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Browser, Page, expect

from pages.harness import Watched, watch
from pages.test_appearance import fits, is_accessible
from post_office import MESSAGE, PHONE, READER, Office, office, post_settings
from rails.harness import Keys, sim_settings
from serving import served
from tangguh.core.clock import SystemClock
from tangguh.sim.control import Control
from tangguh.sim.healing import Healing
from tangguh.sim.post.books import MessageRow, State, Way, reference_of
from tangguh.sim.process import World

pytestmark = pytest.mark.browser

HOSTILE = (
    '<script>document.title = "taken"</script><img src=x onerror="document.title = 1">'
    " javascript:alert(1) https://bank.example/a?b=<b>&c. &amp;"
)


class Window:
    """The page, the post behind it, and what the browser complained about."""

    def __init__(self, page: Page, desk: Office, watched: Watched) -> None:
        self.page, self.desk, self.watched = page, desk, watched

    def take(
        self, key: str, via: Way, to: str, words: str, *, title: str = "", state: State = "arrived"
    ) -> None:
        row = MessageRow(
            via=via, key=key, reference=reference_of(via, key), recipient=to, sender="TANGGUH",
            title=title, words=words, state=state, taken_at="2026-03-20T05:00:00+00:00",
        )  # fmt: skip
        self.desk.post.ledger.take(row)

    async def look(self) -> None:
        """What the page does every two seconds anyway, now."""
        await self.page.dispatch_event("#via", "change")


@pytest.fixture
async def window(browser: Browser, tmp_path: Path) -> AsyncIterator[Window]:
    async with office(tmp_path, tmp_path) as desk:
        networks = {"post": desk.post}
        control = Control(networks, Healing(networks, desk.clock), [], desk.clock)
        async with served(control.app) as url:
            context = await browser.new_context(
                base_url=url, viewport={"width": 390, "height": 844}
            )
            context.set_default_timeout(8_000)
            page = await context.new_page()
            watched = watch(page)
            await page.goto("/post")
            yield Window(page, desk, watched)
            await context.close()
    assert watched.complaints == []


async def test_the_page_is_read_on_a_phone_and_on_a_desk(window: Window) -> None:
    """Empty it says what to do; then the newest first, one card a message, with what is special."""
    page = window.page
    await expect(page.locator("#count")).to_contain_text("Nothing yet.")
    await fits(page)
    await is_accessible(page)
    window.take("1", "email", READER, "Buka tautan.\n\nSalam.", title="Konfirmasi langganan")
    window.take("2", "sms", PHONE, MESSAGE.sms, state="lost")
    window.take("3", "sms", PHONE, "Rp25.000 diterima. " + "x" * 200)
    window.take("3", "sms", PHONE, "Rp25.000 diterima. " + "x" * 200)
    await window.look()
    cards = page.locator("#messages li")
    await expect(cards).to_have_count(3)
    await expect(page.locator("#count")).to_have_text("3 of 3, the newest first")
    await expect(cards.nth(0)).to_contain_text("sent 2 times")
    await expect(cards.nth(1)).to_contain_text("lost on its way")
    await expect(cards.nth(2).locator("h2")).to_have_text("Konfirmasi langganan")
    await expect(cards.nth(2).locator(".words")).to_have_count(2)
    await expect(cards.nth(2).locator("time")).to_contain_text("12:00:00 WIB")
    for width in (320, 390, 1280):
        await page.set_viewport_size({"width": width, "height": 844})
        await fits(page)
        await is_accessible(page)
    await cards.nth(2).locator("button").click()
    await expect(cards).to_have_count(1)
    await expect(page.locator("#to")).to_have_value(READER)
    await page.fill("#to", "0811")
    await expect(page.locator("#count")).to_have_text("Nothing for this reader yet.")


async def test_hostile_words_stay_words(window: Window) -> None:
    """Scripts and pictures are shown as they were written; only web addresses are links."""
    page = window.page
    window.take("1", "email", f"{HOSTILE}@x", HOSTILE, title=HOSTILE)
    await window.look()
    card = page.locator("#messages li")
    await expect(card.locator("h2")).to_have_text(HOSTILE)
    await expect(card.locator(".words")).to_have_text(HOSTILE)
    assert await card.locator("script, img").count() == 0
    links = await card.locator("a").evaluate_all("all => all.map(one => one.href)")
    assert links == ["https://bank.example/a?b="]
    assert await page.title() == "Tangguh: the post"
    # Were it a script all the same, the policy would not let it run.
    ran = await page.evaluate(
        """() => { const it = document.createElement("script"); it.textContent = "window.ran = 1";
                   document.body.append(it); return window.ran ?? 0; }"""
    )
    assert ran == 0
    assert "Content Security Policy" in window.watched.complaints.pop()


async def test_the_networks_page_leads_to_the_post(browser: Browser, tmp_path: Path) -> None:
    settings = msgspec.structs.replace(
        sim_settings(Keys(tmp_path), tmp_path), post=post_settings(tmp_path, tmp_path)
    )
    async with World(settings, SystemClock()) as world:
        page = await browser.new_page()
        await page.goto(world.addresses.control)
        await page.click("#post a")
        await expect(page.locator("h1")).to_have_text("The post")
        await expect(page.locator("#count")).to_contain_text("Nothing yet.")
        await page.click("text=The networks")
        await expect(page.locator("h1")).to_have_text("The networks")
        await page.close()


async def test_a_post_that_is_gone_says_so(window: Window) -> None:
    page = window.page
    await expect(page.locator("#count")).to_contain_text("Nothing yet.")
    await page.route("**/networks/post/books?*", lambda route: route.abort())
    await window.look()
    await expect(page.locator("#trouble")).to_have_text("The post does not answer.")
    await page.unroute("**/networks/post/books?*")
    await window.look()
    await expect(page.locator("#trouble")).to_have_text("")
    window.watched.complaints.clear()
