"""The publisher against a bank that signs, lies, stands still and dies, over real HTTP."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from conftest import NOON
from serving import served
from store.test_objects import bucket as bucket
from tangguh.core.clock import HandClock
from tangguh.core.errors import Misconfigured
from tangguh.core.service import TRANSFER_BIFAST
from tangguh.db.objects import Objects, ObjectSettings
from tangguh.status.component import Condition
from tangguh.status.publisher.door import Door
from tangguh.status.publisher.publisher import Publisher
from tangguh.status.publisher.settings import PublisherSettings, key_of
from tangguh.status.publisher.target import Target
from tangguh.status.site.view import Silence
from tangguh.status.snapshot import PATH, PublicStatus, sign
from unit.status.drafts import S, all_of, all_well, at_state, told

KEY = Ed25519PrivateKey.generate()


class TheBank:
    """The bank's side of the line, as a test wants it."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.states = all_well()
        self.incidents: tuple[Any, ...] = ()
        self.key = KEY
        self.stands_still: PublicStatus | None = None
        self.answer: Response | None = None
        self.app = Starlette(routes=[Route(PATH, self._serve)])

    def status(self) -> PublicStatus:
        return told(self.states, *self.incidents, made_at=self.clock.now())

    async def _serve(self, _: Request) -> Response:
        if self.answer is not None:
            return self.answer
        return Response(sign(self.stands_still or self.status(), self.key))


class Site:
    """One publisher and the bank it asks."""

    def __init__(self, the_bank: TheBank, settings: PublisherSettings, clock: HandClock) -> None:
        self.bank, self.settings, self.clock = the_bank, settings, clock
        self.http = aiohttp.ClientSession()
        self.publisher = Publisher(settings, clock)

    async def round(self, seconds: float = 2.0) -> None:
        self.clock.advance(seconds)
        await self.publisher.round(self.http)

    def page(self, path: str = "index.html") -> str:
        return self.publisher.files[path].content.decode()

    def on_disk(self, path: str = "index.html") -> str:
        return (Path(self.settings.directory) / path).read_text()

    def restart(self) -> None:
        """As after a kill: nothing is said to the old one."""
        self.publisher = Publisher(self.settings, self.clock)


@pytest.fixture
def settings(tmp_path: Path) -> PublisherSettings:
    path = tmp_path / "status.public.pem"
    path.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return PublisherSettings(
        snapshot_url="http://127.0.0.1:9/never", public_key_path=str(path),
        directory=str(tmp_path / "site"), memory_path=str(tmp_path / "kept" / "memory.sqlite"),
    )  # fmt: skip


@pytest.fixture
async def site(settings: PublisherSettings, clock: HandClock) -> AsyncIterator[Site]:
    the_bank = TheBank(clock)
    async with served(the_bank.app) as url:
        there = msgspec.structs.replace(settings, snapshot_url=url + PATH)
        made = Site(the_bank, there, clock)
        yield made
        await made.http.close()
        made.publisher.close()


async def test_what_the_bank_signs_is_on_the_page_and_on_disk(site: Site) -> None:
    """One look after an event it is there, in both languages and as data."""
    assert "Belum ada data dari bank" in site.page()
    await site.round()
    assert "Semua 35 layanan bekerja" in site.on_disk()
    site.bank.states = all_of(Condition.DOWN)
    site.bank.incidents = (at_state(S.PUBLISHED),)
    await site.round()
    assert "0 dari 35 layanan bekerja penuh" in site.on_disk()
    assert "0 of 35 services work fully" in site.on_disk("en/index.html")
    assert json.loads(site.on_disk("status.json"))["overall"] == "down"
    story = f"incident/{at_state(S.PUBLISHED).id}.html"
    assert "Kabar demi kabar" in site.on_disk(story)


@pytest.mark.parametrize(
    "answer",
    [
        Response(b"{}"),
        Response(b"", 500),
        Response(b"x" * 5_000_000),
        RedirectResponse("http://127.0.0.1:9/"),
        Response(sign(told(all_of(Condition.DOWN), made_at=NOON), Ed25519PrivateKey.generate())),
    ],
    ids=["noise", "error", "too long", "elsewhere", "another key"],
)
async def test_nobody_else_is_believed(site: Site, answer: Response) -> None:
    """Noise and forgeries change nothing; after some seconds the page says that nothing comes."""
    await site.round()
    heard = "pukul 12.00 WIB"
    site.bank.answer = answer
    await site.round()
    assert "Semua 35 layanan bekerja" in site.page()
    await site.round(8)
    assert (
        f'belum menjawab halaman ini sejak <time datetime="2026-03-20T05:00:02+00:00">{heard}'
        in (site.page())
    )
    assert site.publisher.seen().silence is Silence.SHORT


async def test_a_word_that_stands_still_or_goes_back_is_no_answer(site: Site) -> None:
    await site.round()
    site.bank.stands_still = site.bank.status()
    for _ in range(6):
        await site.round()
    assert site.publisher.seen().silence is Silence.SHORT
    site.bank.stands_still = told(all_of(Condition.DOWN), made_at=NOON)
    await site.round()
    assert "Terakhir diketahui: Semua layanan." in " ".join(site.page().replace("\n", " ").split())
    future = site.clock.now().replace(year=2030)
    site.bank.stands_still = told(all_of(Condition.DOWN), made_at=future)
    await site.round()
    assert site.publisher.seen().silence is Silence.SHORT
    site.bank.stands_still = None
    await site.round()
    assert site.publisher.seen().silence is Silence.NONE


async def test_the_bank_dies_and_the_page_stays(
    settings: PublisherSettings, clock: HandClock
) -> None:
    """Killed bank: the page says so and how old it is, also after the page's own restart."""
    the_bank = TheBank(clock)
    the_bank.incidents = (at_state(S.RECOVERING),)
    async with served(the_bank.app) as url:
        site = Site(the_bank, msgspec.structs.replace(settings, snapshot_url=url + PATH), clock)
        await site.round()
    for _ in range(31):
        await site.round()
    page = site.on_disk()
    assert "Kami tidak dapat menghubungi sistem bank sejak" in page
    assert "12.00.02 WIB</time>. Halaman ini dibuat" in page
    assert "Tahap 2 dari 7" in page
    data = json.loads(site.on_disk("status.json"))
    assert (data["overall"], data["bank_answers"]) == ("unreachable", False)
    assert b"tidak dapat menghubungi" in site.publisher.files["feed.atom"].content
    site.restart()
    assert "Kami tidak dapat menghubungi sistem bank sejak" in site.page()
    assert "Tahap 2 dari 7" in site.page()
    await site.round(900)
    assert "Terlambat: kabar dijanjikan" in site.on_disk()
    async with served(TheBank(clock).app) as url:
        site.settings = msgspec.structs.replace(site.settings, snapshot_url=url + PATH)
        site.restart()
        await site.round()
        assert "bekerja" in site.on_disk()
        assert site.publisher.seen().silence is Silence.NONE
    await site.http.close()
    site.publisher.close()


async def test_a_bank_that_never_answers_does_not_hold_the_page_up(
    settings: PublisherSettings, clock: HandClock
) -> None:
    """A server that takes the connection and says nothing: the look ends by itself."""
    released = asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    there = msgspec.structs.replace(
        settings, snapshot_url=f"http://127.0.0.1:{port}{PATH}", timeout_seconds=0.05
    )
    site = Site(TheBank(clock), there, clock)
    await site.round()
    assert "Belum ada data dari bank" in site.on_disk()
    released.set()
    server.close()
    await site.http.close()
    site.publisher.close()


async def test_a_story_once_told_is_not_forgotten(site: Site) -> None:
    """Also when the bank no longer tells of it, and after a restart."""
    site.bank.incidents = (at_state(S.POST_MORTEM),)
    await site.round()
    site.bank.incidents = ()
    await site.round()
    site.restart()
    await site.round()
    known = at_state(S.POST_MORTEM)
    assert f"incident/{known.id}.html" in site.page()
    assert "Sebab." in site.page(f"incident/{known.id}.html")
    site.clock.advance(367 * 86_400)
    await site.round()
    site.restart()
    assert known.id not in {one.id for one in site.publisher.seen().stories}


async def test_a_story_that_is_over_is_rendered_again_on_a_later_day(site: Site) -> None:
    """Its times get their date, nothing more is promised, and between two days nothing is redone."""
    over = at_state(S.MONEY_RESOLVED)
    path = f"incident/{over.id}.html"
    site.bank.incidents = (over,)
    await site.round()
    today = site.publisher.files[path]
    assert "Semua uang jelas" in site.page(path)
    assert "20 Mar" not in site.page(path), "a time of today has no date"
    await site.round()
    assert site.publisher.files[path] is today, "what is over is not rendered anew each round"
    site.clock.advance(86_400)
    await site.round()
    for folder, words in (("", "Semua uang jelas"), ("en/", "All money clear")):
        later = site.page(folder + path)
        assert "20 Mar" in later, "yesterday's time says its day"
        assert words in later
        assert not re.search("Kabar berikutnya|Next update|belum datang|has not come", later)
        assert "00.00 WIB" not in later
    assert site.on_disk(path) == site.page(path)
    site.bank.incidents = (at_state(S.POST_MORTEM),)
    await site.round()
    assert "Sebab." in site.page(path), "the cause is added on the same day"
    site.bank.incidents = ()
    site.restart()
    await site.round()
    assert "Sebab." in site.page(path)
    assert "20 Mar" in site.page(path)


async def test_a_memory_somebody_changed_is_not_believed(site: Site) -> None:
    await site.round()
    site.bank.key = Ed25519PrivateKey.generate()
    forged = sign(told(all_of(Condition.DOWN), made_at=site.clock.now()), site.bank.key)
    site.publisher._memory.keep_word(forged, site.clock.now())
    site.restart()
    assert "Belum ada data dari bank" in site.page()


async def test_each_day_counts_how_long_it_was_how(site: Site) -> None:
    """Seconds by condition; a bank that is away is a thing of its own; a gap is not counted."""
    await site.round()
    for _ in range(10):
        await site.round()
    site.bank.states = all_of(Condition.DOWN)
    for _ in range(5):
        await site.round()
    site.bank.answer = Response(b"", 503)
    for _ in range(10):
        await site.round()
    await site.round(3_600)
    site.publisher._flush()
    (today,) = site.publisher._memory.days()[TRANSFER_BIFAST]
    assert today.seconds == {"operational": 22, "down": 18, "unreachable": 12}
    assert today.by == {"outcomes": 40}  # while the bank was away nothing was measured
    assert today.worst == "down"
    site.restart()
    assert "Hari dengan gangguan" in site.page(f"history/{TRANSFER_BIFAST}.html")
    assert "1 menit" in site.page(f"history/{TRANSFER_BIFAST}.html")


# ---- where it goes ---------------------------------------------------------------------------


async def test_it_is_pushed_to_a_bucket_and_only_what_changed(
    site: Site, bucket: ObjectSettings
) -> None:
    await site.round()
    target = Target(bucket)
    first = await target.push(site.publisher.files)
    assert first == len(site.publisher.files)
    assert await target.push(site.publisher.files) == 0
    site.bank.states[TRANSFER_BIFAST] = msgspec.structs.replace(
        site.bank.states[TRANSFER_BIFAST], condition=Condition.DEGRADED
    )
    await site.round()
    changed = await target.push(site.publisher.files)
    assert 4 <= changed < 20
    there = Objects(bucket)
    assert await there.get("index.html") == site.publisher.files["index.html"].content
    assert await there.get("en/feed.atom") == site.publisher.files["en/feed.atom"].content


async def test_a_place_that_is_away_is_tried_again(site: Site, tmp_path: Path) -> None:
    """It says so once, keeps what is missing, and stands in nobody's way."""
    blocked = tmp_path / "blocked"
    target = Target(ObjectSettings(url=str(blocked)))
    await site.round()
    blocked.rmdir()
    blocked.write_text("a file where the directory was")
    assert await target.push(site.publisher.files) == 0
    assert not target.is_reached
    assert "Semua 35 layanan" in site.on_disk()
    blocked.unlink()
    blocked.mkdir()
    assert await target.push(site.publisher.files) == len(site.publisher.files)
    assert target.is_reached


async def test_a_target_that_fails_does_not_stop_the_others(
    site: Site, tmp_path: Path, bucket: ObjectSettings
) -> None:
    """The running publisher: one bucket nobody answers for, one directory, and the page itself."""
    nobody = msgspec.structs.replace(bucket, endpoint="http://127.0.0.1:9")
    mirror = tmp_path / "mirror"
    settings = msgspec.structs.replace(
        site.settings, targets=(nobody, ObjectSettings(url=str(mirror)))
    )
    publisher = Publisher(settings, site.clock)
    running = asyncio.create_task(publisher.run())
    async with asyncio.timeout(20):
        while "Semua 35 layanan" not in (
            (mirror / "index.html").read_text() if (mirror / "index.html").exists() else ""
        ):
            site.clock.advance(2)
            await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    publisher.close()


# ---- how it is served ------------------------------------------------------------------------


async def test_it_is_served_with_types_caches_and_closed_headers(site: Site) -> None:
    await site.round()
    async with served(Door(site.publisher).app) as url:
        async with site.http.get(f"{url}/") as page:
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            assert "max-age=5" in page.headers["cache-control"]
            assert "default-src 'none'" in page.headers["content-security-policy"]
            assert page.headers["x-content-type-options"] == "nosniff"
            assert "Semua 35 layanan" in await page.text()
            etag = page.headers["etag"]
        async with site.http.get(f"{url}/", headers={"if-none-match": etag}) as same:
            assert same.status == 304
            assert await same.read() == b""
        types = {
            "/en/": "text/html; charset=utf-8",
            "/status.json": "application/json",
            "/feed.atom": "application/atom+xml; charset=utf-8",
            "/badge/bank.svg": "image/svg+xml",
            "/robots.txt": "text/plain; charset=utf-8",
        }
        for path, wanted in types.items():
            async with site.http.get(url + path) as answer:
                assert (answer.status, answer.headers["content-type"]) == (200, wanted)
        async with site.http.get(f"{url}/en", allow_redirects=False) as moved:
            assert (moved.status, moved.headers["location"]) == (308, "/en/")
        for path in ("/nothing", "/../memory.sqlite", "/%2e%2e/kept/memory.sqlite", "/badge/"):
            async with site.http.get(url + path) as missing:
                assert missing.status == 404
        async with site.http.post(f"{url}/") as refused:
            assert refused.status == 405


async def test_a_phone_on_2g_gets_it_packed(site: Site) -> None:
    await site.round()
    async with (
        served(Door(site.publisher).app) as url,
        aiohttp.ClientSession(auto_decompress=False) as raw,
        raw.get(f"{url}/", headers={"accept-encoding": "gzip"}) as page,
    ):
        packed = await page.read()
        assert page.headers["content-encoding"] == "gzip"
        assert len(packed) < 8_000
        assert gzip.decompress(packed) == site.publisher.files["index.html"].content


@pytest.mark.parametrize("text", [b"", b"-----BEGIN NOTHING-----"])
def test_a_key_that_is_none_is_refused(
    settings: PublisherSettings, tmp_path: Path, text: bytes
) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(text)
    with pytest.raises(Misconfigured, match="public_key_path"):
        key_of(msgspec.structs.replace(settings, public_key_path=str(path)))


def test_a_memory_that_cannot_be_is_refused(settings: PublisherSettings, clock: HandClock) -> None:
    with pytest.raises(Misconfigured, match="memory_path"):
        Publisher(msgspec.structs.replace(settings, memory_path="/proc/nowhere/x"), clock)


# ---- what is known, not when it was wrapped ---------------------------------------------------


async def test_a_bank_that_signs_every_second_and_looks_no_more_is_blind(site: Site) -> None:
    """The envelope is fresh each time; the look inside it is of a minute ago."""
    await site.round()
    looked = site.clock.now()
    for _ in range(8):
        site.clock.advance(2)
        site.bank.stands_still = told(
            all_well(), made_at=site.clock.now(), looked_at=looked, read_at=looked
        )
        await site.publisher.round(site.http)
    assert "belum memeriksa layanannya sendiri sejak" in site.page()
    status = json.loads(site.on_disk("status.json"))
    assert (status["overall"], status["bank_answers"], status["bank_sees"]) == (
        "unknown", True, False,
    )  # fmt: skip
    site.bank.stands_still = None
    await site.round()
    assert "belum memeriksa" not in site.page()


async def test_time_nobody_measured_is_never_counted_as_good(site: Site) -> None:
    blind = told(all_well(), made_at=site.clock.now(), looked_at=None, read_at=None)
    site.bank.stands_still = blind
    await site.round()
    for _ in range(20):
        site.bank.stands_still = msgspec.structs.replace(blind, made_at=site.clock.now())
        await site.round()
    await site.round(60)
    spent = {name for day in site.publisher._memory.days()[TRANSFER_BIFAST] for name in day.seconds}
    assert "operational" not in spent
    assert "unknown" in spent
    assert "Belum ada data" in site.page(f"history/{TRANSFER_BIFAST}.html")


async def test_our_clock_is_put_back_an_hour_and_a_dead_bank_is_still_said_to_be_dead(
    site: Site,
) -> None:
    await site.round()
    site.clock.jump(-3600)
    site.bank.answer = Response(b"", 500)
    for _ in range(6):
        await site.round()
    assert json.loads(site.on_disk("status.json"))["bank_answers"] is False


async def test_both_clocks_were_ahead_for_a_while_and_the_page_does_not_wait_an_hour(
    site: Site,
) -> None:
    """A word made in a future that never came must not silence the words that follow."""
    site.clock.jump(3600)
    await site.round()
    site.clock.jump(-3600)
    site.bank.states = all_of(Condition.DOWN)
    await site.round()
    assert "0 dari 35 layanan bekerja penuh" in site.page()
