"""The status page on a full disk: it is served and kept up to date, and says what is not written."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp
import msgspec

from conftest import NOON
from serving import served
from store.test_status_publisher import Site
from store.test_status_publisher import settings as settings
from store.test_status_publisher import site as site
from tangguh.cli.processes.ports import free_port
from tangguh.status.component import Condition
from tangguh.status.publisher.door import Door
from tangguh.status.publisher.memory import Memory
from unit.status.drafts import S, all_of, at_state


def fill_the_disk(site: Site) -> None:
    """SQLite may take no page more: to it that is a full disk."""
    line = site.publisher._memory._connection
    line.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    line.execute("VACUUM")
    pages = line.execute("PRAGMA page_count").fetchone()[0]
    line.execute(f"PRAGMA max_page_count = {pages}")


def make_room(site: Site) -> None:
    site.publisher._memory._connection.execute("PRAGMA max_page_count = 1000000")


async def test_a_full_disk_ends_no_page(site: Site) -> None:
    """What the bank says now is told now; what could not be written is, once there is room."""
    await site.round()
    fill_the_disk(site)
    site.bank.states = all_of(Condition.DOWN)
    incident = at_state(S.PUBLISHED)
    site.bank.incidents = (incident,)
    for _ in range(40):
        await site.round()
    assert "0 dari 35 layanan bekerja penuh" in site.page()
    assert f"incident/{incident.id}.html" in site.publisher.files
    async with served(Door(site.publisher).app) as url, aiohttp.ClientSession() as http:
        async with http.get(f"{url}/health") as answer:
            assert answer.status == 503
            said = await answer.json()
            assert said["written"] is False
            assert set(said) == {"written", "places", "reached", "tasks"}, "nothing of the inside"
        async with http.get(f"{url}/") as answer:
            assert answer.status == 200
        make_room(site)
        for _ in range(6):
            await site.round()
        async with http.get(f"{url}/health") as answer:
            assert (answer.status, (await answer.json())["written"]) == (200, True)
    kept = Memory(site.settings.memory_path)
    assert [str(one.id) for one in kept.stories()] == [str(incident.id)]
    down = sum(day.seconds.get("down", 0) for days in kept.days().values() for day in days) / len(
        kept.days()
    )
    assert down >= 40 * 2
    assert kept.word() is not None
    assert (site.clock.now() - NOON).total_seconds() > 80
    kept.close()


STARTED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
from tangguh.cli.main import main
main()
"""
"""The process, where no file may be written to: what a full disk is like, for this process only."""


async def test_the_process_started_on_a_full_disk_serves_what_it_knew(
    site: Site, tmp_path: Path
) -> None:
    """Its supervisor may start it again and again there: the page is up, and says what it can."""
    incident = at_state(S.PUBLISHED)
    site.bank.incidents = (incident,)
    await site.round()
    site.publisher.close()
    port = free_port()
    values = msgspec.to_builtins(site.settings) | {"host": "127.0.0.1", "port": port}
    config = tmp_path / "status.json"
    config.write_bytes(msgspec.json.encode(values))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STARTED, "status", "--config", str(config)
    )

    url = f"http://127.0.0.1:{port}"
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(30):
            while True:
                try:
                    async with http.get(f"{url}/") as answer:
                        assert answer.status == 200
                        break
                except aiohttp.ClientConnectionError:
                    assert process.returncode is None, "it ended"
                    await asyncio.sleep(0.05)
            async with http.get(f"{url}/incident/{incident.id}.html") as answer:
                assert answer.status == 200, "what was told before is told"
            async with http.get(f"{url}/health") as answer:
                assert (answer.status, (await answer.json())["written"]) == (503, False)
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 20) == 0
