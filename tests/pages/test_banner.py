"""The banner: an incident at the top of the app, with its next word, without a script too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page

from pages.harness import Site, log_in
from tangguh.guard.closure import SignalClass
from tangguh.guard.scope import Scope
from tangguh.payments.gates.change import Close
from tangguh.status.incident import Incident

pytestmark = pytest.mark.browser


async def trouble(site: Site) -> Incident:
    """Outgoing BI-FAST is closed, and the desk has looked."""
    closure = site.bank.guardian.draft(
        scope=Scope(rail="bifast", direction="out"),
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
