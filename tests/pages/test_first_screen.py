"""The first screen of a phone holds what somebody came for, whatever is wrong and however large."""

from __future__ import annotations

from pathlib import Path

import pytest

from pages.harness import Site, log_in
from pages.test_appearance import fits, is_accessible
from tangguh.guard.closure import SignalClass
from tangguh.guard.scope import Scope
from tangguh.payments.gates.change import Close

pytestmark = pytest.mark.browser

_LINES = """(selector) => [...document.querySelectorAll(selector)].map((one) => {
  const range = document.createRange();
  range.selectNodeContents(one);
  const tops = [...range.getClientRects()].filter((box) => box.width > 2).map((box) => Math.round(box.top));
  const inside = one.getBoundingClientRect(), around = one.closest('section').getBoundingClientRect();
  return [new Set(tops).size, inside.right <= around.right + 1 && inside.left >= around.left - 1];
})"""


async def two_troubles(site: Site) -> None:
    """Two incidents at once, each told of."""
    for rail in ("bifast", "qris"):
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


@pytest.mark.parametrize("script", [True, False])
async def test_two_incidents_leave_balance_and_actions_on_the_first_screen(
    site: Site, visitor, script: bool, tmp_path: Path
) -> None:
    """One line each, the rest on a tap; 360 by 640, with the bar at the bottom."""
    await two_troubles(site)
    page = await visitor(width=360, height=640, script=script)
    await log_in(page)
    banners = page.locator(".banner")
    assert await banners.count() == 2
    for place in range(2):
        assert (await banners.nth(place).bounding_box())["height"] <= 56
    bar = (await page.locator(".tabs").bounding_box())["y"]
    for wanted in (".balance", ".tiles a >> nth=0", ".tiles a >> nth=2"):
        box = await page.locator(wanted).bounding_box()
        assert box["y"] + box["height"] <= bar, wanted
    await banners.nth(0).locator("summary").click()
    assert "Kabar berikutnya" in await banners.nth(0).inner_text()
    if script:
        await is_accessible(page)
    await fits(page)
    await page.screenshot(path=str(tmp_path / "home.png"))


@pytest.mark.parametrize("minor", [125_000_000, 1_234_567_890_100, 99_999_999_999_900])
@pytest.mark.parametrize("width", [320, 360, 1280])
async def test_a_balance_is_never_broken_in_two(
    site: Site, visitor, minor: int, width: int
) -> None:
    """At 200 % text, and a balance of twelve digits too."""
    page = await visitor(width=width)
    await log_in(page)
    await page.evaluate(
        """([shown, length]) => {
          const figure = document.querySelector('.balance');
          figure.className = `balance figure w${length}`;
          figure.querySelector('[aria-hidden]').textContent = shown;
        }""",
        [text := f"Rp{minor // 100:,}".replace(",", "."), len(text)],
    )
    for size in ("100%", "200%"):
        await page.evaluate(f"document.documentElement.style.setProperty('font-size', '{size}')")
        [[lines, is_inside]] = await page.evaluate(_LINES, ".balance .money > [aria-hidden]")
        assert (lines, is_inside) == (1, True), size
    if width > 360:
        await fits(page)
