"""A bank served on a loopback port and, where there is one, a real browser in front of it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Browser, Page, async_playwright

from pages.harness import Site, Watched, watch
from paper import PaperRail, paper_rails
from tangguh.access.pin import PinSettings
from tangguh.app import Bank
from tangguh.config import Settings
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.listeners.http import configured
from tangguh.listeners.limits import ListenerSettings
from tangguh.web.settings import WebSettings

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _chromium() -> str | None:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    return None


@pytest.fixture
async def bank(dsn: str, clock: HandClock, ids: Ids, paper: PaperRail) -> AsyncIterator[Bank]:
    """The demo bank with its demo page, and PINs that are cheap to judge."""
    settings = Settings(
        web=WebSettings(demo=True, requests_burst=2_000),
        pin=PinSettings(memory_kib=1024, passes=1),
    )
    opened = await Bank.open(settings, dsn, rails=paper_rails(paper), clock=clock, ids=ids)
    await opened.fill_demo(seed=1)
    yield opened
    await opened.close()


@pytest.fixture
async def site(bank: Bank, clock: HandClock, paper: PaperRail) -> AsyncIterator[Site]:
    """The bank's door on an ephemeral port of this machine."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = configured(
        bank.web(), ListenerSettings(), log_config=None, log_level=None, timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    async with asyncio.timeout(10):
        while not server.started:
            await asyncio.sleep(0.01)
    yield Site(bank, clock, paper, f"http://127.0.0.1:{listening.getsockname()[1]}")
    bank.door.live.close()
    server.should_exit = True
    await serving
    listening.close()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium. Skips, saying why, where there is none."""
    path = _chromium()
    if path is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=path, headless=True, args=_ARGUMENTS
        )
        yield launched
        await launched.close()


@pytest.fixture
async def visitor(browser: Browser, site: Site) -> AsyncIterator[Callable[..., Awaitable[Page]]]:
    """Opens a page for somebody; at the end no page may have complained about anything."""
    watched: list[Watched] = []

    async def open_page(
        *, language: str = "id-ID", script: bool = True, width: int = 390, height: int = 844
    ) -> Page:
        context = await browser.new_context(
            base_url=site.url,
            locale=language,
            java_script_enabled=script,
            viewport={"width": width, "height": height},
        )
        context.set_default_timeout(8_000)
        page = await context.new_page()
        watched.append(watch(page))
        return page

    yield open_page
    for one in watched:
        with contextlib.suppress(Exception):
            await one.page.context.close()
    complaints = [text for one in watched for text in one.complaints]
    assert complaints == []


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    """Where a test keeps the pictures it uploads."""
    return tmp_path
