"""The banner: an incident at the top of the app, with its next word, without a script too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import Page

from pages.harness import Site, confirm, log_in, review_qris, sees
from tangguh.core.outcome import Accepted, Refused, Unanswered
from tangguh.guard.board import Board
from tangguh.guard.closure import SignalClass, State
from tangguh.guard.scope import Scope
from tangguh.payments.decide import Conclude
from tangguh.payments.gates.change import ChangeClosure, Close, ReadBoard
from tangguh.status.incident import Incident

pytestmark = pytest.mark.browser


async def trouble(site: Site, rail: str = "bifast") -> Incident:
    """What goes out by a rail is closed, and the desk has looked."""
    closure = site.bank.guardian.draft(
        scope=Scope(rail=rail, direction="out"),
        signal_class=SignalClass.INTEGRITY,
        reason="unmatched_outflow",
        cause="x",
        evidence="{}",
        made_by="watch",
        message=("x", "x"),
    )
    await site.bank.desk.decide(Close(closure=closure))
    await site.bank.care.incidents.round()
    (incident,) = site.bank.care.incidents.open
    return incident


@pytest.mark.parametrize(("width", "script"), [(360, True), (1280, True), (360, False)])
async def test_an_incident_is_at_the_top_of_the_app_once_with_its_next_word(
    site: Site,
    visitor: Callable[..., Awaitable[Page]],
    width: int,
    script: bool,
    tmp_path: Path,
) -> None:
    await trouble(site)
    page = await visitor(width=width, script=script)
    await log_in(page)
    banner = page.locator(".banner")
    assert await banner.count() == 1
    assert await banner.get_attribute("open") is None
    await banner.locator("summary").click()
    text = await banner.inner_text()
    assert "BI-FAST" in text
    assert "Kabar berikutnya paling lambat" in text
    assert await page.locator(".notice.wait").count() == 0
    if script:
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.screenshot(path=str(tmp_path / f"banner-{width}.png"))


async def test_a_word_that_is_late_says_so(
    site: Site, visitor: Callable[..., Awaitable[Page]]
) -> None:
    await trouble(site)
    site.clock.advance(16 * 60)
    page = await visitor(language="en-GB")
    await log_in(page, 7)
    await page.click(".banner summary")
    assert "has not come" in await page.locator(".banner").inner_text()


async def test_what_is_over_leaves_the_top_of_the_app_and_stays_readable(
    site: Site, visitor: Callable[..., Awaitable[Page]]
) -> None:
    """Whose payment was in it reads the end that day and the next; nothing is promised any more."""
    site.paper.will("send", Unanswered("silent"))
    page = await visitor()
    await log_in(page)
    await review_qris(page, "25.000")
    await confirm(page)
    payment = page.url.partition("/payments/")[2].partition("?")[0]
    incident = await trouble(site, "qris")
    await later(site, 12)
    await page.goto("/home")
    assert await page.locator(".banner").count() == 1
    desk = site.bank.desk
    lift = ChangeClosure(
        closure_id=desk_closure(await desk.decide(ReadBoard())),
        to=State.FALSE_POSITIVE,
        what="false_positive",
        by=("staff:1", "staff:3"),
    )
    assert not isinstance(await desk.decide(lift), Refused)
    await desk.decide(Conclude(UUID(payment), Accepted("RRN9"), desk.rules))
    for _ in range(4):
        await later(site, 301)
    assert list(site.bank.care.incidents.open) == []
    await log_in(page)
    await page.goto("/home")
    assert await page.locator(".banner, .alerts").count() == 0
    await page.goto("/notices")
    await sees(page, "Rp25.000")
    first = await page.locator(".told-you").first.inner_text()
    assert "Kabar berikutnya" not in first
    site.clock.advance(86_400)
    await log_in(page)
    await page.goto("/notices")
    assert "20 Mar" in await page.locator(".told-you time").first.inner_text()
    assert (await page.locator(".told-you p.prose").first.inner_text()) in first
    await page.goto(f"/payments/{payment}")
    await sees(page, "Berhasil")
    assert incident.updates[-1].texts["id"].headline not in await page.inner_text("main")


async def later(site: Site, seconds: float) -> None:
    """So much later, the desk looks again."""
    site.clock.advance(seconds)
    await site.bank.care.probes.ask_all()
    await site.bank.care.incidents.round()


def desk_closure(board: Board) -> UUID:
    """The one closure in force."""
    (one,) = board.closures
    return one.id
