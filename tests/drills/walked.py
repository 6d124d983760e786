"""A document is walked: what it says to do is done, what it quotes is on the screen, in its order.

A walk goes through a document section by section. Commands are the lines of its ``console`` blocks
that begin with ``$``; what a page or a command must say stands in curly quotes; pictures are taken
where the document shows them. A section ends only when all three are used up.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import BrowserContext, Page, async_playwright

from pages.conftest import _ARGUMENTS, _chromium

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
SIZES = {"phone": (390, 844), "wide": (1100, 800)}
_NOBODY = "65534"
_AS_NOBODY = [
    "setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups",
    "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
]  # fmt: skip
"""Another user, who may read this clone wherever it lies, and writes nowhere but in his own."""


class Clone:
    """A newcomer's directory: the wrapper in it, and the bank's data once it ran."""

    def __init__(self, directory: Path, *, other_user: bool = False) -> None:
        self.directory, self.port = directory, three_ports()
        self._as = _AS_NOBODY if other_user else []
        (directory / "tangguh").symlink_to(ROOT / "tangguh")
        if other_user:
            os.chown(directory, int(_NOBODY), int(_NOBODY))
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("TANGGUH_")
        } | {"HOME": str(directory), "XDG_CONFIG_HOME": str(directory / "config")}
        self.process: subprocess.Popen[str] | None = None
        self.printed: list[tuple[float, str]] = []

    @property
    def bank(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def networks(self) -> str:
        return f"http://127.0.0.1:{self.port + 1}"

    @property
    def status(self) -> str:
        return f"http://127.0.0.1:{self.port + 2}"

    def make_run(self) -> None:
        """``make run``, in the clone, until it says that the bank is open."""
        data = self.directory / "tangguh-data"
        words = [
            "make",
            "-s",
            "-C",
            str(ROOT),
            "-o",
            "setup",
            "run",
            f"PORT={self.port}",
            f"DATA={data}",
        ]
        began = time.monotonic()
        self.process = subprocess.Popen(
            [*self._as, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=self.environment, cwd=self.directory, start_new_session=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed.append((time.monotonic() - began, line.rstrip("\n")))
            if line.startswith("Ctrl-C stops"):
                return
        raise AssertionError("\n".join(line for _, line in self.printed))

    def stop(self) -> str:
        """Ctrl-C, which a terminal sends to all that it runs."""
        assert self.process is not None
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        return self.process.communicate(timeout=PATIENCE)[0]

    def run(self, command: str) -> str:
        """A line of a document, typed in a second terminal; all it printed."""
        more = {"TANGGUH_BANK": self.bank}
        done = subprocess.run(
            [*self._as, "bash", "-c", command], capture_output=True, text=True, timeout=PATIENCE,
            env=more | self.environment, cwd=self.directory,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def tokens(self) -> dict[str, str]:
        path = self.directory / "tangguh-data" / "keys" / "staff.json"
        return json.loads(path.read_text())


@contextmanager
def clone(tmp: Path, *, other_user: bool = False) -> Iterator[Clone]:
    """A clone whose bank has ended afterwards, and its PostgreSQL too."""
    if not (ROOT / ".venv" / "bin" / "tangguh").exists():
        pytest.skip("this clone's environment is elsewhere")
    directory = Path(
        subprocess.check_output(["mktemp", "-d", "/tmp/walked-XXXXXX"], text=True).strip()
    )
    one = Clone(directory, other_user=other_user)
    try:
        yield one
    finally:
        if one.process is not None:
            one.stop()
        shutil.rmtree(directory, ignore_errors=True)


def three_ports() -> int:
    """A free port whose two successors are free too."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        try:
            for more in (1, 2):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port + more))
        except (OSError, OverflowError):
            continue
        return port


class Section:
    """What one part of a document says to do and to see."""

    def __init__(self, text: str) -> None:
        blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
        self.commands = [
            line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")
        ]
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        self.quotes = [one_line(quote) for quote in re.findall("“([^”]+)”", prose)]
        self.pictures = re.findall(r"!\[[^\]]*\]\([^)]*pictures/([\w-]+)\.png\)", text)


def one_line(text: str) -> str:
    return " ".join(text.split())


def sections(document: Path) -> dict[str, Section]:
    """By heading, of the second level."""
    parts = re.split(r"^## (.+)$", document.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return {title: Section(text) for title, text in zip(parts[::2], parts[1::2], strict=True)}


class Walk:
    """One document, walked in one bank with one browser."""

    def __init__(self, document: Path, bank: Clone, context: BrowserContext) -> None:
        self.bank, self.context = bank, context
        self._left = sections(document)
        self.titles = list(self._left)
        self._words: dict[str, str] = {}
        self._heard = ""
        self.now = Section("")

    @contextmanager
    def section(self, title: str) -> Iterator[None]:
        """Walk one part: afterwards nothing of it is left undone, unseen or unpictured."""
        self.now, self._heard = self._left.pop(title), ""
        yield
        assert self.now.commands == [], f"{title}: nobody ran {self.now.commands}"
        assert self.now.pictures == [], f"{title}: nobody took {self.now.pictures}"
        for quote in self.now.quotes:
            assert quote in self._heard, f"{title}: nothing said {quote!r}; said: {self._heard}"

    @property
    def unwalked(self) -> list[str]:
        return list(self._left)

    def let(self, **words: str) -> None:
        """What a word in capitals of a command stands for from now on."""
        self._words |= words

    def command(self) -> str:
        """Run the next command of the section, as written; what it printed."""
        line = self.now.commands.pop(0)
        for word, value in self._words.items():
            line = re.sub(rf"\b{word}\b", value, line)
        assert not re.search(
            r"\b[A-Z]{5,}(?<!TOKEN)(?<!DEVICE)(?<!TANGGUH)\b(?!_)", line.split("=")[0]
        ), line
        if line.startswith("export "):
            for pair in line.split()[1:]:
                name, _, value = pair.partition("=")
                self.bank.environment[name] = value
            return ""
        said = self.bank.run(line)
        self._heard += f" {one_line(said)}"
        return said

    async def look(self, page: Page) -> str:
        """What a page says now; it counts as seen."""
        said = one_line(await page.inner_text("body"))
        self._heard += f" {said}"
        return said

    async def until(self, page: Page, text: str, seconds: float = 40.0) -> str:
        """Wait, as a person would, until a page says so."""
        deadline = time.monotonic() + seconds
        while text not in (said := one_line(await page.inner_text("body"))):
            assert time.monotonic() < deadline, f"nothing said {text!r}; said: {said}"
            await asyncio.sleep(0.5)
        return await self.look(page)

    async def until_told(self, page: Page, of: str, seconds: float) -> None:
        """Look at the status page again and again until it tells of trouble with something."""
        deadline = time.monotonic() + seconds
        while not await page.locator("article", has_text=of).count():
            assert time.monotonic() < deadline, f"the status page says nothing of {of}"
            await asyncio.sleep(2)
            await page.reload()
        await self.look(page)

    async def picture(self, page: Page, name: str, size: str = "phone") -> None:
        """Take a picture the document shows; kept only when TANGGUH_PICTURES is 1."""
        assert name in self.now.pictures, name
        self.now.pictures.remove(name)
        width, height = SIZES[size]
        await page.set_viewport_size({"width": width, "height": height})
        raw = await page.screenshot(animations="disabled")
        if os.environ.get("TANGGUH_PICTURES") == "1":
            shown = (
                Image.open(io.BytesIO(raw)).convert("RGB").quantize(128, dither=Image.Dither.NONE)
            )
            shown.save(ROOT / "docs" / "pictures" / f"{name}.png", optimize=True)


@asynccontextmanager
async def walking(document: Path, bank: Clone) -> AsyncIterator[Walk]:
    """A browser of somebody who reads English, on a phone."""
    path = _chromium()
    if path is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    width, height = SIZES["phone"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        context = await browser.new_context(
            base_url=bank.bank, locale="en-GB", viewport={"width": width, "height": height}
        )
        context.set_default_timeout(30_000)
        yield Walk(document, bank, context)
        await browser.close()
