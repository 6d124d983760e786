"""Looks at a page as its readers may have to: axe, in both colour schemes, with large text, scripts off.

The engine is axe-core, as the test dependency axe-playwright-python carries it; it is given to a page by
the browser's own tools, so no policy of the page stops it and no page need know of it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any, Final, NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit

from playwright.async_api import Browser, CDPSession, Page

AXE: Final = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
_RUN: Final = """() => axe.run(document, {
  resultTypes: ["violations"], rules: {"target-size": {enabled: true}},
}).then((found) => found.violations.filter((one) => one.impact !== "minor").flatMap(
  (one) => one.nodes.slice(0, 3).map((node) =>
    `${one.impact} ${one.id}: ${node.html.slice(0, 160)} ${(node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ""}`)))"""
_WIDE: Final = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 3).map((one) => "wider than the screen: " + one.outerHTML.slice(0, 160))"""
_LINKS: Final = """() => [...document.querySelectorAll("a[href], link[href], img[src], script[src], area[href]")]
  .map((one) => one.href || one.src)"""
_NAMES: Final = (
    """() => [...document.querySelectorAll("[id], a[name]")].map((one) => one.id || one.name)"""
)


class Look(NamedTuple):
    """One way to look at a page: the scheme of colours, and how large the text is in percent."""

    scheme: str = "light"
    text: int = 100


class Setting(NamedTuple):
    """A screen and the ways it is looked at."""

    width: int
    script: bool
    looks: tuple[Look, ...]


EVERY: Final = (Look("light"), Look("dark"), Look("light", 200), Look("dark", 200))
PHONE: Final = Setting(360, True, EVERY[:1])
MATRIX: Final = [Setting(width, script, EVERY) for width in (360, 1280) for script in (True, False)]


class Eyes:
    """Goes through pages in one browser window and notes what is wrong with each."""

    def __init__(self, page: Page, setting: Setting, tools: CDPSession) -> None:
        self.page = page
        self.found: list[str] = []
        self.seen: dict[str, int] = {}
        self.drawn: set[str] = set()
        """Pages whose script draws each place when it is asked for; the walk goes to them itself."""
        self._links: dict[str, str] = {}
        self._anchors: dict[str, set[str]] = {}
        self._setting = setting
        self._tools = tools

    async def goto(self, path: str) -> None:
        """Open a page and look."""
        await self.page.goto(path)
        await self.look()

    async def look(self) -> None:
        """Note what is wrong with the page that is shown, and where it leads."""
        page = self.page
        path = urlsplit(page.url).path
        await self.let_scripts_run(on=True)
        await page.evaluate(AXE)
        for look in self._setting.looks:
            await page.emulate_media(color_scheme=look.scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            size = "" if look.text == 100 else f"{look.text}%"
            await page.evaluate(f"() => {{ document.documentElement.style.fontSize = '{size}' }}")
            said = [*await page.evaluate(_RUN), *await page.evaluate(_WIDE)]
            self.found += [f"{path} {look.scheme} {look.text} %: {one}" for one in said]
        await page.evaluate("() => { document.documentElement.style.fontSize = '' }")
        await self._note_links()
        await self.let_scripts_run(on=self._setting.script)
        self.seen[path] = self.seen.get(path, 0) + 1

    async def let_scripts_run(self, *, on: bool) -> None:
        """Scripts of the page, and all of our own tools that wait for anything.

        By a session of our own: what the browser's context was told can not be taken back by another.
        """
        await self._tools.send("Emulation.setScriptExecutionDisabled", {"value": not on})

    async def _note_links(self) -> None:
        here, _ = urldefrag(self.page.url)
        names = await self.page.evaluate(_NAMES)
        self._anchors.setdefault(here, set()).update(names)
        for one in await self.page.evaluate(_LINKS):
            self._links.setdefault(urljoin(here, one), here)

    async def follow(self) -> None:
        """Open each link of the pages seen since the last time, as whoever is logged in now, and note
        those that lead nowhere.

        Outside addresses are judged by their form only: nobody is asked.
        """
        for link, on in self._links.items():
            told = await self._is_dead(link)
            self.found += [f"{on} leads to {link}: {told}"] if told else []
        self._links, self._anchors = {}, {}

    async def _is_dead(self, link: str) -> str:
        target, name = urldefrag(link)
        parts, here = urlsplit(target), urlsplit(self.page.url)
        if parts.scheme in ("mailto", "tel", "data", "blob"):
            return ""
        if parts[:2] != here[:2]:
            is_one = parts.scheme in ("http", "https") and "." in (parts.hostname or "")
            return "" if is_one else "no address"
        if target not in self._anchors:
            answer = await self.page.request.get(target)
            if answer.status >= 400:
                return str(answer.status)
            is_page = answer.headers.get("content-type", "").startswith("text/html")
            text = await answer.text() if is_page else ""
            self._anchors[target] = set(re.findall(r'\bid="([^"]+)"', text))
        if target in self.drawn:
            return ""
        return f"nothing is called {name}" if name and name not in self._anchors[target] else ""


@asynccontextmanager
async def eyes(browser: Browser, url: str, setting: Setting, **more: Any) -> AsyncIterator[Eyes]:
    """A window of that size; ``more`` goes to the browser's context."""
    context = await browser.new_context(
        base_url=url,
        viewport={"width": setting.width, "height": 800},
        **({"locale": "id-ID"} | more),
    )
    context.set_default_timeout(15_000)
    page = await context.new_page()
    one = Eyes(page, setting, await context.new_cdp_session(page))
    await one.let_scripts_run(on=setting.script)
    yield one
    await context.close()
