"""Pictures of every page for the documentation; taken only when TANGGUH_PICTURES is 1.

Phone and desktop, light; the main ones dark and in English too. Each page is also checked for
what a picture cannot show: nothing wider than its screen.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Browser, Page

from pages.harness import (
    ACCOUNT_OF,
    OPEN_CODE,
    Site,
    confirm,
    log_in,
    review_qris,
    review_transfer,
    sees,
)
from pages.test_shut_services import shut
from tangguh.core.outcome import Accepted, Declined, Refusal, Unanswered
from tangguh.customers.seed import DEMO_PIN
from tangguh.customers.seed import PEOPLE as SHOPS_BEGIN

SHOPKEEPER = SHOPS_BEGIN + 1

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        os.environ.get("TANGGUH_PICTURES") != "1", reason="set TANGGUH_PICTURES=1 to take pictures"
    ),
]

SIZES = {"phone": (390, 844), "desktop": (1280, 800)}


class Camera:
    """Takes small PNGs of one page in one size."""

    def __init__(self, page: Page, folder: Path, size: str) -> None:
        self.page = page
        self._folder = folder
        self._size = size

    async def take(self, name: str) -> None:
        """Save what the page shows, in few colours: it is flat design, not a photograph."""
        width, least = SIZES[self._size]
        height = await self.page.evaluate("document.documentElement.scrollHeight")
        # The whole page as one tall screen, so that the bar at the bottom is at the bottom.
        await self.page.set_viewport_size({"width": width, "height": max(height, least)})
        raw = await self.page.screenshot(animations="disabled")
        await self.page.set_viewport_size({"width": width, "height": least})
        picture = Image.open(io.BytesIO(raw)).convert("RGB").quantize(128, dither=Image.Dither.NONE)
        self._folder.mkdir(parents=True, exist_ok=True)
        picture.save(self._folder / f"{name}-{self._size}.png", optimize=True)


@pytest.mark.parametrize("size", SIZES)
async def test_pictures_of_every_page(
    site: Site, browser: Browser, pictures: Path, size: str
) -> None:
    """Walk through the app once and take each page."""
    width, height = SIZES[size]
    context = await browser.new_context(
        base_url=site.url,
        locale="id-ID",
        viewport={"width": width, "height": height},
        has_touch=size == "phone",
        is_mobile=size == "phone",
    )
    camera = Camera(await context.new_page(), pictures, size)
    page = camera.page
    await page.goto("/")
    await camera.take("login")
    await log_in(page)
    await _paying(site, camera)
    await _transferring(camera)
    await _others(camera)
    await _ends(site, camera)
    await _shut(site, camera)
    for path, name in (
        ("/home", "home"),
        ("/history", "history"),
        ("/payments", "payments"),
        ("/problems/insufficient_funds", "problem"),
        ("/nowhere", "not-found"),
    ):
        await page.goto(path)
        await camera.take(name)
    await _dark_and_english(camera)
    await context.clear_cookies()
    await log_in(page, SHOPKEEPER)
    await page.goto("/shops/TGH000000000")
    await camera.take("shop")
    await context.close()


async def _paying(site: Site, camera: Camera) -> None:
    page = camera.page
    await page.goto("/pay")
    await camera.take("pay")
    await page.fill("#code", OPEN_CODE.replace("JEPARA", "JAPARA"))
    await page.click("form[data-code] button.button")
    await camera.take("pay-refused")
    await page.fill("#code", OPEN_CODE)
    await page.click("form[data-code] button.button")
    await page.wait_for_url("**/pay/amount?**")
    await page.fill("#amount", "25000")
    await camera.take("pay-amount")
    await page.click("main button.button")
    await page.wait_for_url("**/review?**")
    await camera.take("review")
    await confirm(page)
    await sees(page, "Berhasil")
    await camera.take("payment-done")


async def _transferring(camera: Camera) -> None:
    page = camera.page
    await page.goto("/transfer")
    await page.fill("#to", str(ACCOUNT_OF[2]))
    await page.click("main button.button")
    await page.wait_for_url("**/transfer/amount?**")
    await camera.take("transfer-amount")
    await review_transfer(page, ACCOUNT_OF[2], "150000", "Makan siang")
    await camera.take("transfer-review")
    await confirm(page, "111111")
    await camera.take("wrong-pin")
    await confirm(page)
    await sees(page, "Berhasil")
    await page.goto("/transfer")
    await camera.take("transfer")


async def _others(camera: Camera) -> None:
    page = camera.page
    for path, name in (
        ("/services", "services"),
        ("/to/bank", "to-bank"),
        ("/to/wallet/gopay", "to-wallet"),
        ("/to/bill/prepaid", "to-bill"),
        ("/cash", "cash"),
    ):
        await page.goto(path)
        await camera.take(name)
    await page.goto("/to/bank")
    await page.select_option("#bank", "014")
    await page.fill("#account_no", "0149990001")
    await page.fill("#amount", "75000")
    await page.click("main button.button")
    await page.wait_for_url("**/review?**")
    await camera.take("bank-review")
    await page.goto("/show")
    await page.fill("#pin", DEMO_PIN)
    await page.click("main button.button")
    await camera.take("show-code")


async def _shut(site: Site, camera: Camera) -> None:
    await shut(site)
    for path, name in (
        ("/home", "home-shut"),
        ("/services", "services-shut"),
        ("/to/bank", "to-bank-shut"),
    ):
        await camera.page.goto(path)
        await camera.take(name)


async def _ends(site: Site, camera: Camera) -> None:
    page = camera.page
    site.paper.will(
        "send", Declined(Refusal.PARTNER_DECLINED, "4035000"), Unanswered("silent"), Accepted("R")
    )
    await review_qris(page, "30000")
    await confirm(page)
    await sees(page, "Batal, dana dikembalikan")
    await camera.take("payment-released")
    site.clock.advance(700)
    await review_qris(page, "50000")
    await confirm(page)
    await sees(page, "Menunggu kepastian")
    site.paper.will("inquire", Unanswered("silent"))
    site.clock.advance(11)
    await site.bank.resolver.round()
    site.clock.advance(33)
    await site.bank.resolver.round()
    await page.reload()
    await camera.take("payment-unanswered")


async def _dark_and_english(camera: Camera) -> None:
    page = camera.page
    await page.click("button[name=language]")
    await page.wait_for_selector("html[lang=en]")
    await page.emulate_media(color_scheme="dark")
    for path, name in (("/home", "home"), ("/payments", "payments"), ("/pay", "pay")):
        await page.goto(path)
        await camera.take(f"{name}-dark-en")
    await page.goto("/home")
    await page.click("#unsettled a.row")
    await camera.take("payment-unanswered-dark-en")
