"""The public page in a real browser without scripts: narrow and wide, by keyboard, light and dark."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.async_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from pages.harness import watch
from serving import served
from tangguh.core.service import BILL, TOPUP, TRANSFER_BIFAST
from tangguh.status.component import Condition, Reach, Stage, split
from tangguh.status.incident import Incident, Kind, begin, count_money, say
from tangguh.status.site.pages import File, render_fixed, render_history, render_now, render_story
from tangguh.status.site.view import Day, Seen, Silence
from tangguh.status.snapshot import Assurance
from tangguh.status.words.model import Facts, Step, write
from unit.status.drafts import NOW, S, all_well, at_state, counted, no_lint, shown, told

pytestmark = pytest.mark.browser

SHOTS = os.environ.get("STATUS_SHOTS", "")
"""A directory for pictures, when somebody wants to look."""
SINCE = NOW - timedelta(minutes=100)
STAGE = Stage(
    number=2, last=7, since=NOW - timedelta(minutes=5), permille=10, amount_max_minor=10_000_000
)


def busy() -> Seen:
    """A rail on its way back, a wallet's partner away, a late word, a story that is over."""
    states = all_well(NOW - timedelta(days=3))
    replace = msgspec.structs.replace
    states[TRANSFER_BIFAST] = replace(
        states[TRANSFER_BIFAST], condition=Condition.PROTECTIVE_RESTRICTION, reach=Reach.PART,
        since=SINCE, stage=STAGE,
    )  # fmt: skip
    states[TOPUP["gopay"]] = replace(
        states[TOPUP["gopay"]], condition=Condition.PARTNER_OUTAGE, reach=Reach.NONE, since=SINCE
    )
    states[BILL["tax"]] = replace(
        states[BILL["tax"]], condition=Condition.SCHEDULED_CHANGE, reach=Reach.NONE, since=SINCE
    )
    states[BILL["water"]] = replace(
        states[BILL["water"]], condition=Condition.DEGRADED, reach=Reach.PART, since=SINCE
    )
    works, broken = split(states.values())
    safe = "Pembukuan rekening nasabah kami cocokkan pukul 11.55 WIB: lengkap, tanpa selisih."
    facts = Facts(
        kind=Kind.PROTECTIVE_RESTRICTION, now=NOW, since=SINCE, about=(TRANSFER_BIFAST,),
        works=works, broken=broken[1:], partly=broken[:1], stage=STAGE, money=counted(open=37),
        assurance_id=safe, assurance_en="Customer accounts were checked at 11:55 WIB: complete.",
    )  # fmt: skip
    rail = told_of(1, facts, (Step.PUBLISHED, S.PUBLISHED), (Step.RECOVERING, S.RECOVERING))
    wallet = told_of(
        2, replace(facts, kind=Kind.PARTNER_OUTAGE, about=(TOPUP["gopay"],), unanswered_permille=310),
        (Step.PUBLISHED, S.PUBLISHED), late=True,
    )  # fmt: skip
    status = told(
        states, rail, wallet, msgspec.structs.replace(at_state(S.POST_MORTEM), id=wallet.id.__class__(int=9)),
        made_at=NOW, assurance=Assurance(text_id=safe, text_en="Checked at 11:55 WIB: complete.", proved_at=NOW),
        app_url="https://bank.example/",
    )  # fmt: skip
    today = (NOW + timedelta(hours=7)).date()
    days = [
        Day(
            today - timedelta(days=n),
            {"operational": 86_000} | ({"down": 400} if n % 19 == 3 else {}),
            by={"outcomes": 61_000 if n % 3 else 0, "probe": 25_000 if n % 3 else 86_000},
        )
        for n in range(70, -1, -1)
    ]
    days[-1] = Day(
        today,
        {"operational": 30_000, "protective_restriction": 6_000},
        by={"outcomes": 30_000, "protection": 6_000},
    )
    return shown(status, NOW + timedelta(seconds=2), days={TRANSFER_BIFAST: days})


def told_of(number: int, facts: Facts, *steps: tuple[Step, S], late: bool = False) -> Incident:
    """An incident with these words."""
    made = begin(
        msgspec.structs.replace(at_state(S.DETECTED), id=at_state(S.DETECTED).id).id.__class__(int=number),
        facts.kind, facts.about, facts.since, cause_key=str(number),
    )  # fmt: skip
    assert isinstance(made, Incident)
    paid = count_money(made, facts.money)
    assert isinstance(paid, Incident)
    made, at = paid, facts.since + timedelta(minutes=3)
    for step, to in steps:
        done = say(
            made, to, write(step, facts), at, by="bank", lint=no_lint, stage=facts.stage if to is S.RECOVERING else None,
            next_update_at=at + timedelta(minutes=14),
        )  # fmt: skip
        assert isinstance(done, Incident), done
        made, at = done, NOW - timedelta(minutes=1)
    assert late == made.is_overdue(NOW)
    return made


Open = Callable[..., Awaitable[Page]]


@pytest.fixture
async def open_site(browser: Browser) -> AsyncIterator[Open]:
    """Serves a page's files as a plain server would, and opens one; nothing may complain."""
    watched: list[Any] = []
    async with AsyncExitStack() as stack:

        async def open_page(
            seen: Seen,
            path: str = "/index.html",
            width: int = 360,
            *,
            may_complain: bool = False,
            changing: Callable[[], Seen | None] | None = None,
            **more: Any,
        ) -> Page:
            files = files_of(seen)

            async def serve(request: Any) -> Response:
                now = seen if changing is None else changing()
                if now is None:
                    return Response("", 503)
                known = files if now is seen else files_of(now)
                file = known.get(request.path_params["path"])
                if file is None:
                    return Response("", 404)
                return Response(file.content, headers={"content-type": file.content_type})

            url = await stack.enter_async_context(
                served(Starlette(routes=[Route("/{path:path}", serve)]))
            )
            context = await browser.new_context(
                base_url=url,
                viewport={"width": width, "height": 800},
                **({"java_script_enabled": False} | more),
            )
            stack.push_async_callback(context.close)
            page = await context.new_page()
            if not may_complain:
                watched.append(watch(page))
            await page.goto(path)
            return page

        yield open_page
    assert [text for one in watched for text in one.complaints] == []


def files_of(seen: Seen) -> dict[str, File]:
    """Every file of the page."""
    files = dict(render_fixed()) | dict(render_now(seen)) | dict(render_history(seen))
    for one in seen.stories:
        files |= dict(render_story(seen, one))
    return files


async def picture(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


WIDER = """
(all, width) => all.filter((one) => {
  const box = one.getBoundingClientRect();
  return one.checkVisibility() && box.width > 1 && box.top >= 0 && box.right > width;
}).map((one) => one.outerHTML.slice(0, 200))
"""
"""Every visible element that ends right of the screen's edge; what is read aloud only is not."""


@pytest.mark.parametrize("width", [320, 360, 1280])
async def test_nothing_is_cut_at_any_width(open_site: Open, width: int) -> None:
    """No scrolling sideways, on any of the page's kinds, without scripts."""
    seen = busy()
    story = f"/incident/{seen.ongoing[0].id}.html"
    kinds = {"index": "/index.html", "story": story, "history": "/history/index.html",
             "component": f"/history/{TRANSFER_BIFAST}.html", "en": "/en/index.html"}  # fmt: skip
    for name, path in kinds.items():
        page = await open_site(seen, path, width)
        await picture(page, f"{name}-{width}")
        wide = await page.locator("body").bounding_box()
        assert wide is not None
        assert wide["width"] <= width
        cut = await page.locator("body *").evaluate_all(WIDER, width + 1)
        assert cut == [], name


async def test_it_says_what_matters_without_scripts(open_site: Open) -> None:
    page = await open_site(busy())
    text = " ".join((await page.locator("main").inner_text()).split())
    for said in (
        "31 dari 35 layanan bekerja penuh", "Apakah uang saya aman?", "lengkap, tanpa selisih",
        "Tahap 2 dari 7", "Terlambat: kabar dijanjikan", "Ditutup atau dibatasi bank", "Gangguan di mitra",
    ):  # fmt: skip
        assert said in text
    await page.click("text=Lihat kronologi >> nth=0")
    assert "Kabar demi kabar" in await page.locator("main").inner_text()
    await page.click("a.tongue")
    assert "Word by word" in await page.locator("main").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_other_days(open_site: Open, scheme: str) -> None:
    """All well, silent and dead: each in its own words, in both colour schemes."""
    well = shown(told(all_well()), NOW + timedelta(seconds=2))
    dead = msgspec.structs.replace(
        busy(), now=NOW + timedelta(minutes=9), silence=Silence.DOWN, silent_since=NOW
    )
    first = {
        "well": well,
        "dead": dead,
        "busy": busy(),
        "never": shown(None, silence=Silence.SHORT),
    }
    said = {
        "well": "Semua 35",
        "dead": "tidak dapat menghubungi",
        "busy": "31 dari",
        "never": "Belum ada data",
    }
    for name, seen in first.items():
        page = await open_site(seen, color_scheme=scheme)
        await picture(page, f"{name}-{scheme}")
        assert said[name] in await page.locator("h1").inner_text()


async def test_the_keyboard_reaches_everything_and_shows_where_it_is(open_site: Open) -> None:
    """The first stop is the way past the header; every stop has a ring."""
    page = await open_site(busy(), java_script_enabled=True)
    links = await page.locator("a, summary").count()
    reached = 0
    for _ in range(links):
        await page.keyboard.press("Tab")
        style = await page.evaluate(
            "(() => { const e = document.activeElement; const s = getComputedStyle(e);"
            " return [e.tagName, s.outlineStyle, s.outlineWidth] })()"
        )
        assert style[0] in ("A", "SUMMARY")
        assert style[1:] == ["solid", "3px"]
        reached += 1
    assert reached == links


async def test_the_script_tells_the_age_and_the_policy_lets_only_it_run(open_site: Open) -> None:
    """The data of these tests are from another year: the page is not to be trusted."""
    page = await open_site(busy(), java_script_enabled=True, may_complain=True)
    assert "Jangan percaya halaman ini" in await page.locator("#age").inner_text()
    assert await page.locator("#age").get_attribute("class") == "late"
    blocked = await page.evaluate(
        "(() => { const s = document.createElement('script'); s.textContent = 'window.x = 1';"
        " document.body.append(s); return window.x === undefined })()"
    )
    assert blocked


class Hand:
    """What the page's server says now; a test changes it."""

    def __init__(self, seen: Seen | None) -> None:
        self.seen = seen

    def __call__(self) -> Seen | None:
        return self.seen


async def live(open_site: Open, seen: Seen, path: str = "/index.html") -> tuple[Page, Hand]:
    """A page with its script, in a browser whose clock is set to the page's own day."""
    hand = Hand(seen)
    page = await open_site(
        seen, "/mark.svg", changing=hand, java_script_enabled=True, may_complain=True
    )
    await page.clock.install(time=seen.now)
    await page.goto(path)
    return page, hand


async def test_new_words_come_by_themselves_and_nothing_moves_under_the_finger(
    open_site: Open,
) -> None:
    """No reload: what was opened stays open, the focus stays where it was, a new story comes in above."""
    well = shown(told(all_well()), NOW + timedelta(seconds=2))
    page, hand = await live(open_site, well)
    await page.evaluate("window.mark = 1")
    await page.click("summary >> nth=1")
    await page.focus("summary >> nth=1")
    told_now = busy()
    hand.seen = msgspec.structs.replace(told_now, now=NOW + timedelta(seconds=25))
    await page.clock.run_for(26_000)
    await expect(page.locator("h1")).to_contain_text("31 dari")
    assert await page.locator("details[open]").count() == 1
    assert await page.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert await page.evaluate("document.activeElement.parentElement.open")
    first, second = await page.locator("article").evaluate_all("(all) => all.map((one) => one.id)")
    await page.focus(f"#{second} >> a")
    gone = tuple(one for one in told_now.stories if f"told-{one.id}" != first)
    hand.seen = msgspec.structs.replace(told_now, stories=gone)
    await page.clock.run_for(26_000)
    await expect(page.locator("article")).to_have_count(1)
    assert await page.evaluate("document.activeElement.closest('article')?.id") == second
    hand.seen = told_now
    await page.clock.run_for(26_000)
    await expect(page.locator("article")).to_have_count(2)
    assert await page.evaluate("document.activeElement.closest('article')?.id") == second
    assert await page.locator("article >> nth=0").get_attribute("id") == first
    assert await page.evaluate("window.mark") == 1
    assert await page.locator("[role=status] h1").count() == 1


async def test_a_page_whose_server_is_gone_says_its_age_and_asks_on(open_site: Open) -> None:
    """Nothing is taken away, nothing is claimed; when there is an answer again it is shown."""
    well = shown(told(all_well()), NOW + timedelta(seconds=2))
    page, hand = await live(open_site, well)
    assert "Umur data: 2 detik" in await page.locator("#age").inner_text()
    hand.seen = None
    await page.clock.run_for(90_000)
    assert "Jangan percaya halaman ini" in await page.locator("#age").inner_text()
    assert "Semua 35" in await page.locator("h1").inner_text()
    back = NOW + timedelta(seconds=95)
    hand.seen = shown(told(all_well(back), made_at=back), back)
    await page.clock.run_for(30_000)
    await expect(page.locator("#age")).to_have_class("")


async def test_a_story_and_the_days_come_by_themselves_too(open_site: Open) -> None:
    """Every kind of page is made of parts that the script can renew."""
    seen = busy()
    story = seen.ongoing[0]
    page, hand = await live(open_site, seen, f"/incident/{story.id}.html")
    text = msgspec.structs.replace(story.updates[-1].texts["id"], headline="Kabar yang baru.")
    word = msgspec.structs.replace(story.updates[-1], texts=story.updates[-1].texts | {"id": text})
    said = msgspec.structs.replace(story, updates=(*story.updates, word))
    hand.seen = msgspec.structs.replace(
        seen, stories=tuple(said if one.id == story.id else one for one in seen.stories)
    )
    await page.clock.run_for(26_000)
    await expect(page.locator("h1")).to_have_text("Kabar yang baru.")
    assert await page.title() == "Kabar yang baru. · Bank Uji"
