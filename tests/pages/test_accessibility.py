"""Every page, by axe: no finding above minor; every link of every page leads somewhere.

The suite looks at a phone; every other setting (desk, dark, 200 % text, scripts off) is a drill.
A page that is added must be looked at too: the walk is compared with the bank's own list of pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Browser
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, compile_path

from pages.eyes import MATRIX, PHONE, Eyes, Setting, eyes
from pages.harness import (
    ACCOUNT_OF,
    OPEN_CODE,
    Site,
    confirm,
    log_in,
    review_qris,
    review_transfer,
    sees,
    type_login,
)
from pages.test_banner import trouble
from pages.test_reports import KEY, bank, struk, subscription_of
from pages.test_status_page import busy, files_of
from post_office import post_settings
from rails.harness import Keys, sim_settings
from serving import served
from tangguh.core.clock import SystemClock
from tangguh.core.outcome import Accepted, Declined, Refusal, Unanswered
from tangguh.core.service import TRANSFER_BIFAST
from tangguh.customers.crew import enrol_crew
from tangguh.customers.seed import DEMO_PIN
from tangguh.customers.seed import PEOPLE as SHOPS_BEGIN
from tangguh.notices.subscribers import confirm_token, unsubscribe_token
from tangguh.sim.process import World
from tangguh.status.site.pages import render_missing
from tangguh.status.site.view import Seen, Silence
from tangguh.web.pages import PAGES
from unit.status.drafts import NOW, all_well, shown, told

__all__ = ["bank"]

pytestmark = pytest.mark.browser

SHOPKEEPER = SHOPS_BEGIN + 1
STREAMS_AND_FILES = {
    "/payments/{id}/events",  # a stream
    "/payments/{id}/again",  # leads to a review
    "/demo/codes/{file}",
    "/reports/{id}/files/{file}/{page}.jpg",
    "/reports/{id}/letter.pdf",
    "/report/track/files/{file}/{page}.jpg",
    "/report/track/letter.pdf",
}
"""What a GET gives that is no page to read; their links are opened all the same."""

settings = pytest.mark.parametrize(
    "setting",
    [PHONE, *(pytest.param(one, marks=pytest.mark.drill) for one in MATRIX)],
    ids=lambda one: f"{one.width}-{'script' if one.script else 'no script'}-{len(one.looks)}",
)


def plain(*, needs_login: bool) -> list[str]:
    """Pages that anybody can open by their path alone."""
    return sorted(
        page.path
        for page in PAGES
        if page.get is not None and page.needs_login == needs_login and "{" not in page.path
        and page.path not in STREAMS_AND_FILES
    )  # fmt: skip


def unseen(seen: dict[str, int]) -> set[str]:
    """Pages of the bank that the walk never came to."""
    wanted = {page.path for page in PAGES if page.get is not None} - STREAMS_AND_FILES
    return {path for path in wanted if not any(compile_path(path)[0].match(one) for one in seen)}


@settings
async def test_every_page_of_the_bank_is_clear_to_everybody(
    site: Site, browser: Browser, uploads: Path, setting: Setting
) -> None:
    """From the log-in to the answer of a complaint, at work and out of order."""
    async with eyes(browser, site.url, setting) as one:
        await of_strangers(one, site)
        await of_customers(one, site)
        await of_trouble(one, site, uploads)
        await of_shops(one)
        await of_staff(one, site)
    assert not one.found, "\n".join(one.found)
    assert unseen(one.seen) == set()


async def of_strangers(one: Eyes, site: Site) -> None:
    page = one.page
    for path in (*plain(needs_login=False), "/nowhere"):
        await one.goto(path)
    for code in ("limit_per_day", "insufficient_funds"):
        await one.goto(f"/problems/{code}")
    await page.goto("/")
    await page.fill("#phone", "08110000001")
    await page.fill("#pin", "111111")
    await page.click("main button.button")
    await page.wait_for_selector(".trouble, [role=alert]")
    await one.look()
    await page.goto("/report")
    await page.click("main button.button")
    await one.look()
    await page.select_option("#about", index=1)
    await page.fill("#text", "Saya mengirim Rp250.000 dan belum sampai.")
    await page.fill("#contact", "08119990001")
    await page.click("main button.button")
    number, code = await page.inner_text("#number"), await page.inner_text("#code")
    await one.look()
    await page.context.clear_cookies()
    await page.goto("/report/track")
    await page.fill("#number", number)
    await page.fill("#code", code)
    await page.click("main button.button")
    await sees(page, number)
    await one.look()
    await page.goto("/subscribe")
    await page.check("input[name='g:qris']", force=True)
    await page.fill("#address", "a@bank.example")
    await page.click("main button.button")
    await one.look()
    wish = await subscription_of(site.bank)
    await one.goto(f"/subscribe/confirm?token={confirm_token(KEY, wish)}")
    await page.click("main button.button")
    await one.look()
    [agreed] = await site.bank.care.notices.subscribers_of(["mobile.qris.offus"])
    await one.goto(f"/unsubscribe?token={unsubscribe_token(KEY, agreed.person.id)}")
    await one.goto("/unsubscribe?token=x")
    await one.follow()


async def of_customers(one: Eyes, site: Site) -> None:
    page, paper = one.page, site.paper
    await log_in(page)
    await one.goto("/home")
    await one.goto("/pay")
    await page.fill("#code", OPEN_CODE)
    await page.click("form[data-code] button.button")
    await page.wait_for_url("**/pay/amount?**")
    await one.look()
    await review_qris(page)
    await one.look()
    await confirm(page, "111111")
    await one.look()
    for outcome in (
        Accepted("RRN1"), Declined(Refusal.PARTNER_DECLINED, "51"), Unanswered("silent"),
    ):  # fmt: skip
        paper.will("send", outcome)
        await review_qris(page, str(25_000 + len(one.seen) * 100))
        await confirm(page)
        await page.wait_for_url(re.compile(r"/payments/[0-9a-f-]+$"))
        await one.look()
    await one.goto("/transfer")
    await page.fill("#to", str(ACCOUNT_OF[2]))
    await page.click("main button.button")
    await page.wait_for_url("**/transfer/amount?**")
    await one.look()
    await review_transfer(page, ACCOUNT_OF[2], "150000", "Makan siang")
    await one.look()
    await confirm(page)
    await sees(page, "Berhasil")
    for path in (*plain(needs_login=True),
                 "/to/wallet/gopay", "/to/bill/prepaid"):  # fmt: skip
        await one.goto(path)
    await page.goto("/transfer")
    await page.fill("#to", str(ACCOUNT_OF[2]))
    site.clock.advance(16 * 60)  # longer than a session rests
    await page.click("main button.button")
    await one.look()
    await type_login(page, 1, DEMO_PIN)
    await page.wait_for_url("**/resume?**")
    await one.look()
    for path in ("/cash", "/show"):
        await page.goto(path)
        if not await page.locator("#pin").count():
            await one.look()  # a device that is new shows no code for any sum
            continue
        if await page.locator("#amount").count():
            await page.fill("#amount", "100000")
        await page.fill("#pin", "290325")
        await page.click("main button.button")
        await one.look()


async def of_trouble(one: Eyes, site: Site, uploads: Path) -> None:
    page = one.page
    await page.goto("/payments")
    await page.click("text=Menunggu kepastian >> nth=0")
    await page.click("#report")
    await sees(page, "Laporkan")
    await one.look()
    await page.click("main button.button")
    await page.set_input_files("#file", struk(uploads))
    await page.click("#files button.button")
    await sees(page, "Berkas diterima")
    await one.look()
    await one.goto("/reports/new")
    await page.click("main button.button")
    await one.look()
    await trouble(site)
    for path in ("/home", "/services", "/to/bank"):
        await one.goto(path)
    site.clock.advance(300)
    await site.bank.care.word.round()
    await one.goto("/notices")
    await one.follow()


async def of_shops(one: Eyes) -> None:
    page = one.page
    await page.context.clear_cookies()
    await log_in(page, 2)
    await page.click("main >> text=Rp150.000 >> nth=0")
    await one.look()
    await page.click("#refund")
    await one.look()
    await page.fill("#amount", "40000")
    await page.click("main button.button")
    await page.wait_for_url("**/review?**")
    await one.look()
    await one.follow()
    await page.context.clear_cookies()
    await log_in(page, SHOPKEEPER)
    await one.goto("/shops")
    await one.goto("/shops/TGH000000000")
    await page.fill("#amount", "50000")
    await page.click("main button.button")
    await one.look()
    await one.follow()


async def of_staff(one: Eyes, site: Site) -> None:
    page = one.page
    tokens = await enrol_crew(site.bank.staff)
    await one.goto("/staff")
    assert page.url.endswith("/staff/login")
    await page.fill("#token", tokens["staff:6"])
    await page.click("main button.button")
    await page.wait_for_selector(".queue a")
    await one.look()
    await page.click(".queue a >> nth=0")
    await page.wait_for_url("**/staff/queue/*")
    await one.look()
    await one.follow()


def days() -> dict[str, Callable[[], Seen]]:
    """Days of the status page."""
    quiet = msgspec.structs.replace(
        busy(), now=NOW + timedelta(minutes=9), silence=Silence.DOWN, silent_since=NOW
    )
    return {
        "busy": busy,
        "well": lambda: shown(told(all_well()), NOW + timedelta(seconds=2)),
        "away": lambda: quiet,
        "never": lambda: shown(None, silence=Silence.SHORT),
    }


@settings
@pytest.mark.parametrize(
    "day",
    [name if name == "busy" else pytest.param(name, marks=pytest.mark.drill) for name in days()],
)
async def test_the_status_page_is_clear_to_everybody(
    browser: Browser, setting: Setting, day: str
) -> None:
    """Busy, well, without the bank, before the first word; stories and ninety days."""
    seen = days()[day]()
    files = files_of(seen) | {"nowhere.html": render_missing(seen)}
    paths = ["/index.html", "/en/index.html", "/history/index.html", "/nowhere.html"]
    paths += [f"/history/{TRANSFER_BIFAST}.html"] if seen.status else []
    paths += [f"/incident/{one.id}.html" for one in seen.stories[:1]]

    async def serve(request: Request) -> Response:
        file = files.get(request.path_params["path"])
        if file is None:
            return Response("", 404)
        return Response(file.content, headers={"content-type": file.content_type})

    routes = [Route("/{path:path}", serve)]
    async with served(Starlette(routes=routes)) as url, eyes(browser, url, setting) as one:
        for path in paths:
            await one.goto(path)
        await one.follow()
    assert not one.found, "\n".join(one.found)


@settings
async def test_the_networks_and_the_post_are_clear_to_everybody(
    browser: Browser, tmp_path: Path, setting: Setting
) -> None:
    """Demo pages that are made by scripts: without them they still say what they are."""
    whole = msgspec.structs.replace(
        sim_settings(Keys(tmp_path), tmp_path), post=post_settings(tmp_path, tmp_path)
    )
    async with World(whole, SystemClock()) as world:
        async with eyes(browser, world.addresses.control, setting) as one:
            await one.goto(world.addresses.control + "/")
            if setting.script:
                one.drawn.add(one.page.url)
                places = await one.page.locator("a[href^='#']").evaluate_all(
                    "(all) => all.map((one) => one.getAttribute('href')).filter((one) => one !== '#')"
                )
                assert "#qris" in places
                for place in places:
                    await one.page.click(f"a[href='{place}']")
                    await one.look()
                    back = one.page.locator("#back a")
                    if await back.is_visible():  # wide screens keep the list beside the network
                        await back.click()
            await one.goto(world.addresses.control + "/post")
            await one.follow()
    assert not one.found, "\n".join(one.found)
