"""Stories of notices on a device: agreed to with one press, silent about sums, ended with another."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, expect

from notice_peers import Browser, HttpPeer, http_peer, vapid_key
from pages.harness import Site, log_in
from pages.test_appearance import fits, is_accessible
from paper import PaperRail, paper_rails
from tangguh.access.pin import PinSettings
from tangguh.app import Bank
from tangguh.config import Settings
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.notices.desk import to_customer
from tangguh.notices.notice import Notice, Urgency, Via
from tangguh.notices.settings import NoticesSettings, PushSettings
from tangguh.web.settings import WebSettings

pytestmark = pytest.mark.browser

KEY, _ = vapid_key()
# A browser built without its vendor's keys has no push service; this is what one would give.
SERVICE = """(given) => {
  let agreed = null;
  const made = {
    endpoint: given.endpoint,
    toJSON: () => ({...given, expirationTime: null}),
    unsubscribe: async () => { agreed = null; localStorage.removeItem("agreed"); return true; },
  };
  if (localStorage.getItem("agreed")) agreed = made;
  PushManager.prototype.getSubscription = async () => agreed;
  PushManager.prototype.subscribe = async (asked) => {
    if (asked.applicationServerKey.length !== 65 || !asked.userVisibleOnly) throw new Error("no");
    localStorage.setItem("agreed", "yes");
    return agreed = made;
  };
}"""


@pytest.fixture
async def peer() -> AsyncIterator[HttpPeer]:
    async with http_peer(otherwise=201) as found:
        yield found


@pytest.fixture
async def bank(dsn: str, clock: HandClock, ids: Ids, paper: PaperRail) -> AsyncIterator[Bank]:
    """The demo bank, which pushes."""
    push = PushSettings(vapid_private_key=KEY, contact="mailto:a@bank.example", allow_private=True)
    settings = Settings(
        web=WebSettings(demo=True, requests_burst=2_000),
        pin=PinSettings(memory_kib=1024, passes=1),
        notices=NoticesSettings(push=push),
    )
    opened = await Bank.open(settings, dsn, rails=paper_rails(paper), clock=clock, ids=ids)
    await opened.fill_demo(seed=1)
    yield opened
    await opened.close()


async def device(visitor: Any, given: Browser, *, may: bool = True, **more: Any) -> Page:
    """A browser with a push service, whose owner says yes to notices, or has said no."""
    page: Page = await visitor(**more)
    if may:
        await page.context.grant_permissions(["notifications"])
    await page.add_init_script(f"({SERVICE})({given.address})")
    return page


async def stands(page: Page, state: str) -> None:
    """What the page says of this device is that, and nothing else."""
    await expect(page.locator(f".push p[data-when={state}]")).to_be_visible()
    await expect(page.locator(".push p:visible")).to_have_count(1)


async def push_to(bank: Bank, customer_id: int, clock: HandClock) -> None:
    """A notice by push only, brought by the bank's own sender."""
    notice = Notice(
        id=bank.ids.next(),
        to=to_customer(customer_id, "id"),
        matter="payment:019583a7-0000-7000-8000-000000000001",
        step=f"told-{clock.now().timestamp()}",
        template="payment_back",
        values={
            "service": "QRIS", "payee": "KOPI CONTOH", "total": 5_400_000,
            "at": clock.now().isoformat(),
        },
        channels=(Via.IN_APP, Via.PUSH),
        made_at=clock.now(),
        urgency=Urgency.NOW,
    )  # fmt: skip
    told = await bank.care.notices.tell([notice])
    assert told.refused == {}
    await bank.care.notices.sender.round()


async def test_one_press_and_the_device_is_told_without_sums(
    site: Site, visitor: Any, peer: HttpPeer
) -> None:
    """E33: what stands on a locked screen holds no amounts; it opens what it is about."""
    given = Browser(peer)
    page = await device(visitor, given)
    await log_in(page)
    await page.goto("/notices")
    await stands(page, "off")
    await fits(page)
    await is_accessible(page)
    await page.click("#push-on")
    await stands(page, "on")
    await push_to(site.bank, 1, site.clock)
    said = given.read()
    assert "54" not in json.dumps(said["title"])
    shown = await deliver(page, json.dumps(said))
    assert [one["title"] for one in shown] == [said["title"]]
    assert shown[0]["body"] == "Buka aplikasi untuk selengkapnya."
    assert shown[0]["path"] == "/payments/019583a7-0000-7000-8000-000000000001"
    await page.reload()
    await stands(page, "on")
    await page.click("#push-off")
    await stands(page, "off")
    before = len(peer.requests)
    site.clock.advance(60)
    await push_to(site.bank, 1, site.clock)
    assert len(peer.requests) == before


async def deliver(page: Page, text: str) -> list[dict[str, str]]:
    """What the push service would bring to the worker, and what then stands on the screen."""
    line = await page.context.new_cdp_session(page)
    found: list[str] = []
    line.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda said: found.extend(one["registrationId"] for one in said["registrations"]),
    )
    await line.send("ServiceWorker.enable")
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    origin = await page.evaluate("location.origin")
    await line.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": origin, "registrationId": found[-1], "data": text},
    )
    shown: list[dict[str, str]] = await page.evaluate(
        """async () => {
          const worker = await navigator.serviceWorker.ready;
          for (;;) {
            const shown = await worker.getNotifications();
            if (shown.length) return shown.map((one) => (
              {title: one.title, body: one.body, path: one.data.path}));
            await new Promise((again) => setTimeout(again, 20));
          }
        }"""
    )
    return shown


async def test_what_cannot_be_read_still_says_that_there_is_word(
    site: Site, visitor: Any, peer: HttpPeer
) -> None:
    page = await device(visitor, Browser(peer))
    await log_in(page)
    await page.goto("/notices")
    await page.click("#push-on")
    await stands(page, "on")
    (shown,) = await deliver(page, "{ no json")
    assert (shown["title"], shown["path"]) == ("Ada kabar untuk Anda", "/notices")


async def test_a_device_tells_whoever_agreed_on_it_last(
    site: Site, visitor: Any, peer: HttpPeer
) -> None:
    """A phone that is passed on does not show the last owner's word to the next."""
    given = Browser(peer)
    page = await device(visitor, given)
    await log_in(page, 1)
    await page.goto("/notices")
    await page.click("#push-on")
    await stands(page, "on")
    await page.click(".tools form[action='/logout'] button")
    await log_in(page, 2)
    await page.goto("/notices")
    await expect(page.locator("#push-on")).to_be_visible()
    await page.click("#push-on")
    await stands(page, "on")
    await site.bank.care.notices.sender.round()
    peer.requests.clear()  # the word of the new device, to its owner
    await push_to(site.bank, 1, site.clock)
    assert peer.requests == []
    await push_to(site.bank, 2, site.clock)
    assert len(peer.requests) == 1


async def test_a_browser_that_said_no_is_told_how_to_change_its_mind(
    site: Site, visitor: Any, peer: HttpPeer
) -> None:
    page = await device(visitor, Browser(peer), may=False)
    await page.add_init_script(
        "Object.defineProperty(Notification, 'permission', {get: () => 'denied'})"
    )
    await log_in(page)
    await page.goto("/notices")
    await stands(page, "blocked")
    await expect(page.locator("#push-on")).to_be_hidden()


async def test_a_browser_without_a_push_service_says_so(
    site: Site, visitor: Any, peer: HttpPeer
) -> None:
    page = await device(visitor, Browser(peer))
    await page.add_init_script(
        "PushManager.prototype.subscribe = async () => { throw new Error('AbortError'); }"
    )
    await log_in(page)
    await page.goto("/notices")
    await page.click("#push-on")
    await stands(page, "failed")


async def test_a_notice_leads_to_its_payment_and_older_ones_are_a_press_away(
    site: Site, visitor: Any, clock: HandClock
) -> None:
    page = await visitor()
    await log_in(page)
    for _ in range(52):
        clock.advance(1)
        await push_to(site.bank, 1, clock)
    await page.goto("/notices")
    first = page.locator(".told-you").first.locator("a")
    assert await first.get_attribute("href") == ("/payments/019583a7-0000-7000-8000-000000000001")
    await expect(page.locator(".told-you")).to_have_count(50)
    await fits(page)
    await page.click("a[rel=next]")
    await expect(page.locator(".told-you")).to_have_count(3)  # with the new device's
    await page.goto("/notices?before=yesterday")
    await expect(page.locator("h1")).to_be_visible()
    assert await page.locator(".told-you").count() == 0


async def test_without_script_the_notices_are_there_and_nothing_is_offered(
    site: Site, visitor: Any
) -> None:
    page = await visitor(script=False)
    await log_in(page)
    await page.goto("/notices")
    await expect(page.locator(".push")).to_be_hidden()
