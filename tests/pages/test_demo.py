"""The demo's guide: every number there, stories that happen, staff; and nothing where no demo is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
from playwright.async_api import expect

from pages.harness import ACCOUNT_OF, Site, log_in, sees
from pages.test_networks_page import place, world  # noqa: F401 - fixtures
from paper import PaperRail, paper_rails
from serving import served
from stories import proved
from tangguh.app import Bank
from tangguh.config import Settings
from tangguh.core.clock import HandClock
from tangguh.core.format import local_phone
from tangguh.core.ids import Ids
from tangguh.customers.crew import CREW, enrol_crew
from tangguh.customers.demo import card_number, pass_holder, purse_of
from tangguh.customers.seed import DEMO_PIN
from tangguh.demo.bills import BILLS
from tangguh.demo.neighbours import NEIGHBOURS
from tangguh.guard.scope import text_of
from tangguh.sim.faults import Down, DropReply
from tangguh.sim.process import World
from tangguh.web.pages.demo.flood import EACH, PAYERS, TICK_SECONDS
from tangguh.web.settings import WebSettings

TOKENS = {one.id: f"token-of-{one.id}" for one in CREW}


@pytest.fixture
async def staffed(site: Site) -> dict[str, str]:
    """The demo's staff are enrolled."""
    return await enrol_crew(site.bank.staff)


async def read(url: str, **headers: str) -> tuple[int, str]:
    """A page as somebody without a session gets it."""
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize("language", ["id", "en"])
async def test_every_number_one_needs_is_there(site: Site, language: str) -> None:
    """Accounts, aliases, wallets, bills, e-money, cards with PINs, shops: as they are typed."""
    status, text = await read(f"{site.url}/demo", **{"Accept-Language": language})
    assert status == 200
    for one in NEIGHBOURS:
        assert one.name in text
        assert all(account.number in text for account in one.accounts)
        assert not one.phone or local_phone(one.phone) in text
        assert not one.email or one.email in text
        assert one.card is None or (one.card.pan in text and one.card.pin in text)
    assert all(bill.customer_no in text and bill.name in text for bill in BILLS)
    for product in ("card", "server", "touristpass"):
        assert purse_of(product, 1, 0).number in text
    assert local_phone(pass_holder(1).phone) in text
    assert card_number(ACCOUNT_OF[1]) in text
    assert text.count("936009990") >= 8
    assert DEMO_PIN in text


async def test_a_closure_is_made_and_opened_by_two_people(
    site: Site, staffed: dict[str, str], visitor
) -> None:
    """The button closes one wallet by the commander; two open it again, each by their name."""
    page = await visitor()
    await page.goto("/demo")
    await page.click("#story-closure button")
    await expect(page.locator("#story-closure .now")).to_contain_text("30 menit")
    board = await site.bank.control.board()
    assert [(text_of(one.scope), one.made_by) for one in board.closures] == [
        ("service=mobile.topup.dana", "staff:1")
    ]
    await log_in(page, 2)
    await page.goto("/to/wallet/dana")
    await expect(page.locator("main")).to_contain_text("DANA")
    await page.goto("/demo")
    await page.click("#story-closure button")
    await expect(page.locator("#story-closure .now")).to_have_count(0)
    assert (await site.bank.control.board()).closures == ()
    change = (await site.bank.control.changes())[0]
    assert (change.maker.id, change.kind) == ("staff:1", "gate.false_positive")
    assert {vote.by.id for vote in change.votes} >= {"staff:3"}


async def test_a_flood_is_answered_order_by_order(site: Site, visitor) -> None:
    """Every order has its end, the shop has the money, and the book proves."""
    page = await visitor()
    await page.goto("/demo")
    await page.click("#story-flood button")
    await expect(page.locator("#story-flood .now")).to_contain_text(str(PAYERS * EACH))
    stories = site.bank.door.stories
    assert stories is not None
    assert await stories.begin("flood") is False
    for _ in range(EACH * 40):
        flooded = (await stories.told())[-1]
        assert flooded.count is not None
        if flooded.count.is_over:
            break
        await page.wait_for_timeout(20)
        site.clock.advance(TICK_SECONDS)
    count = flooded.count
    assert count.is_over
    assert count.ordered == PAYERS * EACH
    assert count.paid + count.refused + count.turned_away + count.unknown == count.ordered
    assert count.paid > 0
    await page.goto("/demo")
    await expect(page.locator("#story-flood .now")).to_contain_text(f"{count.paid} berhasil")
    await proved(site.bank)


async def test_the_networks_are_broken_by_a_story_and_heal(
    site: Site,
    visitor,
    world: World,  # noqa: F811
) -> None:
    """Each story breaks its own network for its time, says so, and can be ended before."""
    stories = site.bank.door.stories
    assert stories is not None
    stories.networks_url = world.addresses.control
    page = await visitor()
    await page.goto("/demo")
    for name, network, kind, minutes in (
        ("replies", "qris", DropReply, 5), ("down", "ovo", Down, 3)
    ):  # fmt: skip
        await page.click(f"#story-{name} button")
        await expect(page.locator(f"#story-{name} .now")).to_contain_text(f"{minutes} menit")
        faults = world.healing.dealt(network).faults
        assert [(type(one), one.for_seconds) for one in faults] == [(kind, minutes * 60.0)]
        await page.click(f"#story-{name} button")
        await expect(page.locator(f"#story-{name} .now")).to_have_count(0)
        assert world.healing.dealt(network).faults == ()


async def test_without_networks_the_guide_says_that_it_cannot(site: Site, visitor) -> None:
    """No button is offered that does nothing."""
    page = await visitor()
    await page.goto("/demo")
    await sees(page, "bagian contoh ini tidak menjawab")
    assert await page.locator("#story-replies button").count() == 0


@pytest.mark.parametrize(
    ("headers", "is_shown"),
    [
        ({}, True),
        ({"Host": "bank.example"}, False),
        ({"X-Forwarded-For": "203.0.113.7"}, False),
        ({"Forwarded": "for=203.0.113.7"}, False),
    ],
)
async def test_tokens_are_for_whoever_sits_at_this_machine(
    site: Site, tmp_path: Path, headers: dict[str, str], is_shown: bool
) -> None:
    """Who there is, everybody may know; the secrets only a browser here gets."""
    path = tmp_path / "staff.json"
    path.write_bytes(msgspec.json.encode(TOKENS))
    site.bank.door.settings = msgspec.structs.replace(
        site.bank.door.settings, demo_crew_path=str(path)
    )
    status, text = await read(f"{site.url}/demo/staff", **headers)
    assert status == 200
    assert all(one.full_name in text for one in CREW)
    assert all((token in text) is is_shown for token in TOKENS.values())


@pytest.fixture
async def real(
    dsn: str, clock: HandClock, ids: Ids, paper: PaperRail, tmp_path: Path
) -> AsyncIterator[str]:
    """A bank that is no demo, though a file of tokens lies where a demo's would."""
    path = tmp_path / "staff.json"
    path.write_bytes(msgspec.json.encode(TOKENS))
    settings = Settings(
        web=WebSettings(demo_crew_path=str(path), demo_networks_url="http://127.0.0.1:9")
    )
    opened = await Bank.open(settings, dsn, rails=paper_rails(paper), clock=clock, ids=ids)
    async with served(opened.web()) as url:
        assert opened.door.stories is None
        yield url
    await opened.close()


@pytest.mark.parametrize("path", ["", "/staff", "/codes/open.svg", "/codes/shop-1.png"])
async def test_a_bank_that_is_no_demo_has_none_of_it(real: str, path: str) -> None:
    """Not found, and neither a token nor a person of the list in what is said."""
    status, text = await read(f"{real}/demo{path}")
    assert status == 404
    assert not any(token in text for token in TOKENS.values())
    assert not any(one.name in text for one in NEIGHBOURS)


@pytest.mark.parametrize("name", ["replies", "closure", "flood"])
async def test_a_bank_that_is_no_demo_has_no_stories(real: str, name: str) -> None:
    """The form of a story is not found either."""
    async with aiohttp.ClientSession(headers={"Origin": real}) as http:
        async with http.post(f"{real}/demo/stories/{name}", data={"act": "begin"}) as answer:
            assert answer.status == 404
