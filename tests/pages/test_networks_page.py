"""The networks' page: faults of every network, one screen on a phone, and nothing redrawn."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import msgspec
import pytest
from playwright.async_api import Browser, Page, expect

from pages.harness import watch
from tangguh.cli.outside import NETWORKS, Outside
from tangguh.cli.place import Place
from tangguh.cli.processes.ports import free_ports
from tangguh.core.clock import SystemClock
from tangguh.sim.faults import Down, Plan
from tangguh.sim.menu import PLACES
from tangguh.sim.process import SimSettings, World

pytestmark = pytest.mark.browser
Opener = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Keys for every network, made once."""
    made = Place(tmp_path_factory.mktemp("outside"))
    made.take()
    return made


@pytest.fixture
async def world(place: Place, tmp_path: Path) -> AsyncIterator[World]:
    """Every network a demo has, and no bank."""
    ports = dict(zip(NETWORKS, free_ports(len(NETWORKS)), strict=True))
    outside = Outside(place, "http://127.0.0.1:9", "http://127.0.0.1:9", 1, ports)
    settings = msgspec.convert(outside.sim_settings(0), SimSettings)
    async with World(settings, SystemClock()) as opened:
        yield opened
        for name in opened.networks:
            await opened.healing.put(name, Plan())


@pytest.fixture
async def opener(browser: Browser, world: World) -> AsyncIterator[Opener]:
    """Opens the page; at the end the browser may have complained about nothing."""
    watched = []

    async def open_page(width: int = 360, height: int = 640, scheme: str = "light") -> Page:
        context = await browser.new_context(
            base_url=world.addresses.control,
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        context.set_default_timeout(8_000)
        page = await context.new_page()
        watched.append(watch(page))
        await page.goto("/")
        await expect(page.locator("#list li")).to_have_count(len(PLACES))
        return page

    yield open_page
    assert [text for one in watched for text in one.complaints] == []


async def test_the_list_is_one_screen_of_a_small_phone(opener: Opener) -> None:
    """All ten networks and the way to heal them, at 360 by 640, without moving the page."""
    page = await opener()
    await page.evaluate("window.scrollTo(0, 0)")
    last = await page.locator("#list li").last.bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= 640
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    heights = await page.locator("#list a").evaluate_all("all => all.map(a => a.offsetHeight)")
    assert min(heights) >= 44


async def test_every_network_can_be_broken_and_says_for_how_long(
    opener: Opener, world: World
) -> None:
    """Each has its faults; the one chosen is in force there, and nowhere else, until its end."""
    page = await opener()
    for name, offered in PLACES.items():
        await page.goto(f"/#{name}")
        await expect(page.locator("#name")).to_have_text(offered.title)
        await page.select_option("#lasting", "900")
        await page.click("#break button")
        await expect(page.locator("#wrong")).to_contain_text("14:5")
        dealt = world.healing.dealt(name)
        assert [type(fault) for fault in dealt.faults] == [type(offered.offers[0].fault)]
        assert dealt.faults[0].for_seconds == 900
        await page.click("#heal")
        await expect(page.locator("#usual")).to_be_visible()
        assert world.healing.dealt(name).faults == ()


async def test_until_healed_is_possible_and_said(opener: Opener, world: World) -> None:
    """A fault without an end says so in the list, and one press heals everything."""
    page = await opener()
    await page.goto("/#ovo")
    await page.select_option("#lasting", "")
    await page.click("#break button")
    await expect(page.locator("#wrong")).to_contain_text("until you heal it")
    await page.click("#back a")
    await expect(page.locator("#list li", has_text="OVO")).to_contain_text("until healed")
    await page.click("#heal-all")
    await expect(page.locator("#heal-all")).to_be_hidden()
    assert world.healing.dealt("ovo").faults == ()


async def test_nothing_is_redrawn_under_the_finger(opener: Opener, world: World) -> None:
    """Two rounds of news later the elements are the same ones, and what was typed is there."""
    page = await opener()
    await page.goto("/#bifast")
    await page.click("#acts summary")
    await page.fill("#acts input[name=account]", "10000")
    await page.select_option("#fault", "2")
    await page.focus("#fault")
    await page.evaluate(
        "window.kept = [...document.querySelectorAll('#list a, #acts input, #rows tr, #known tr')]"
    )
    await world.healing.put("gopay", Plan(faults=(Down(),)))
    await expect(page.locator("#list li", has_text="GoPay")).to_contain_text("refuses")
    async with page.expect_response("**/networks/bifast"):
        pass
    assert await page.evaluate("window.kept.length") > len(PLACES) + 10
    assert await page.evaluate("window.kept.every(one => one.isConnected)")
    assert await page.evaluate("document.activeElement.id") == "fault"
    assert await page.input_value("#fault") == "2"
    assert await page.input_value("#acts input[name=account]") == "10000"


async def test_each_network_shows_its_books_and_whom_it_knows(world: World) -> None:
    """Movements, the proof, and people: from the network's own books."""
    async with aiohttp.ClientSession() as session:
        for name in PLACES:
            async with session.get(f"{world.addresses.control}/networks/{name}") as answer:
                assert answer.status == 200
                sheet = msgspec.json.decode(await answer.read())
            assert sheet["holds"] is True
            if name not in ("transit", "post"):
                assert sheet["known"], name
        assert any(one["codes"] for one in await _known(session, world, "qris"))


async def _known(
    session: aiohttp.ClientSession, world: World, name: str
) -> list[dict[str, object]]:
    async with session.get(f"{world.addresses.control}/networks/{name}") as answer:
        known: list[dict[str, object]] = msgspec.json.decode(await answer.read())["known"]
        return known


@pytest.mark.parametrize(
    ("method", "mode", "status"),
    [("GET", "navigate", 200), ("PUT", "navigate", 403), ("GET", "cors", 403)],
)
async def test_a_link_from_the_guide_leads_here_and_only_looks(
    world: World, method: str, mode: str, status: int
) -> None:
    """Another port is another site to a browser: it may be followed from, and send nothing."""
    headers = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": mode}
    path = "/networks/qris/faults" if method == "PUT" else "/"
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.request(method, world.addresses.control + path, data=b"{}") as answer:
            assert answer.status == status
