"""Pictures of the pages on which people are told and heard; taken as in test_pictures."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Browser, BrowserContext

from pages.harness import Site, log_in, sees
from pages.test_banner import trouble
from pages.test_pictures import SIZES, Camera
from pages.test_pictures import pytestmark as pictures_only
from pages.test_reports import bank, notices_settings, struk, unanswered
from pages.test_status_page import Open, busy, open_site
from tangguh.customers.crew import enrol_crew
from tangguh.status.site.view import Silence
from unit.status.drafts import NOW

__all__ = ["bank", "notices_settings", "open_site"]

pytestmark = pictures_only


async def context_of(browser: Browser, url: str, size: str) -> BrowserContext:
    width, height = SIZES[size]
    return await browser.new_context(
        base_url=url,
        locale="id-ID",
        viewport={"width": width, "height": height},
        has_touch=size == "phone",
        is_mobile=size == "phone",
    )


@pytest.mark.parametrize("size", SIZES)
async def test_pictures_of_being_heard(
    site: Site, browser: Browser, pictures: Path, uploads: Path, size: str
) -> None:
    """A report from the payment to the staff's desk; the forms for everybody."""
    context = await context_of(browser, site.url, size)
    camera = Camera(await context.new_page(), pictures, size)
    page = camera.page
    tokens = await enrol_crew(site.bank.staff)
    await page.goto("/report")
    await camera.take("public-report")
    await page.goto("/subscribe")
    await camera.take("subscribe")
    await log_in(page)
    await unanswered(page, site)
    await page.click("#report")
    await sees(page, "Laporkan")
    await camera.take("report")
    await page.click("main button.button")
    await sees(page, "Menunggu jawaban jaringan")
    await page.set_input_files("#file", struk(uploads))
    await page.click("#files button.button")
    await sees(page, "Berkas diterima")
    await page.locator(".thumbs img").scroll_into_view_if_needed()
    await page.wait_for_function("document.querySelector('.thumbs img').complete")
    await camera.take("report-case")
    await trouble(site)
    await page.goto("/home")
    await camera.take("home-incident")
    site.clock.advance(300)
    await site.bank.care.word.round()
    await page.goto("/notices")
    await camera.take("notices")
    await page.goto("/reports/new")
    await page.check("input[value=other]", force=True)
    await page.fill("#text", "Kartu saya tertelan di ATM.")
    await page.click("main button.button")
    site.clock.advance(12 * 24 * 3600)
    await page.goto("/staff/login")
    await page.fill("#token", tokens["staff:6"])
    await page.click("main button.button")
    await page.wait_for_selector(".queue a")
    await camera.take("queue")
    await page.click(".queue a >> nth=0")
    await sees(page, "petugas memutuskan")
    await camera.take("queue-case")
    await context.close()


@pytest.mark.parametrize("size", SIZES)
async def test_pictures_of_the_status_page(open_site: Open, pictures: Path, size: str) -> None:
    """A busy day, one story of it, and the bank away."""
    width, _ = SIZES[size]
    seen = busy()
    dead = msgspec.structs.replace(
        seen, now=NOW + timedelta(minutes=9), silence=Silence.DOWN, silent_since=NOW
    )
    for name, day, path in (
        ("status", seen, "/index.html"),
        ("status-story", seen, f"/incident/{seen.ongoing[0].id}.html"),
        ("status-dead", dead, "/index.html"),
    ):
        page = await open_site(day, path, width)
        await Camera(page, pictures, size).take(name)
