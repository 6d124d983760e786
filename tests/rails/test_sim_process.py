"""The outside world as its own process: control port, kill -9, a clean end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from post_office import post_settings
from rails.harness import MERCHANTS, Keys, instruction_to, payee_of, qris_settings, sim_settings
from tangguh.core.clock import SystemClock
from tangguh.core.outcome import Accepted, NotSent, Unanswered
from tangguh.rails.qris.rail import QrisIssuer
from tangguh.sim.faults import DropReply, Plan
from tangguh.sim.process import Addresses, SimSettings, World, _announce

_START = (
    "import sys, msgspec; from tangguh.sim.process import SimSettings, run;"
    "run(msgspec.json.decode(sys.argv[1], type=SimSettings))"
)
ASKED = instruction_to(payee_of(MERCHANTS["S2"]))


class Process:
    """A simulator that was started and said that it is ready."""

    def __init__(self, process: asyncio.subprocess.Process, addresses: Addresses) -> None:
        self.process = process
        self.addresses = addresses

    async def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        async with asyncio.timeout(20):
            return await self.process.wait()


@asynccontextmanager
async def started(settings: SimSettings) -> AsyncIterator[Process]:
    """Start a simulator process; whatever is left of it at the end is killed."""
    text = msgspec.json.encode(settings).decode()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _START, text, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            line = await process.stdout.readline()
        yield Process(process, msgspec.json.decode(line, type=Addresses))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def issuer(keys: Keys, url: str) -> AsyncIterator[QrisIssuer]:
    """A bank in real time."""
    rail = QrisIssuer(qris_settings(keys, url), SystemClock())
    try:
        yield rail
    finally:
        await rail.close()


async def http(method: str, url: str, body: Any = None) -> tuple[int, Any]:
    """Ask the control port."""
    async with aiohttp.ClientSession() as session:
        async with session.request(method, url, data=json.dumps(body)) as response:
            return response.status, json.loads(await response.read())


async def test_life_of_the_process(keys: Keys, tmp_path: Path) -> None:
    """Ready line, ready file, a payment, a clean end by SIGTERM that leaves no port behind."""
    ready = tmp_path / "ready.json"
    settings = msgspec.structs.replace(sim_settings(keys, tmp_path), ready_path=str(ready))
    async with started(settings) as sim, issuer(keys, sim.addresses.switch) as rail:
        assert msgspec.json.decode(ready.read_bytes(), type=Addresses) == sim.addresses
        assert isinstance(await rail.send(ASKED), Accepted)
        assert await sim.end(signal.SIGTERM) == 0
        second = msgspec.structs.replace(ASKED, reference="AFTERWARDS")
        assert isinstance(await rail.send(second), NotSent | Unanswered)
        assert isinstance(await rail.send(second), NotSent)


async def test_kill_loses_nothing_that_was_carried_out(keys: Keys, tmp_path: Path) -> None:
    """Kill -9 after a payment whose reply was lost: the next process knows it."""
    settings = sim_settings(keys, tmp_path)
    async with started(settings) as sim, issuer(keys, sim.addresses.switch) as rail:
        plan = {"faults": [{"name": "drop_reply", "seconds": 0, "reference_prefix": "LOST"}]}
        assert (await http("PUT", sim.addresses.control + "/faults", plan))[0] == 200
        lost = msgspec.structs.replace(ASKED, reference="LOST")
        assert isinstance(await rail.send(ASKED), Accepted)
        assert isinstance(await rail.send(lost), Unanswered)
        assert await sim.end(signal.SIGKILL) == -signal.SIGKILL
    async with started(settings) as sim, issuer(keys, sim.addresses.switch) as rail:
        assert isinstance(await rail.inquire(ASKED), Accepted)
        assert isinstance(await rail.inquire(lost), Accepted)
        _, proof = await http("GET", sim.addresses.control + "/books/proof")
        assert proof["holds"]
        assert proof["totals"]["paid_count"] == 2


async def test_down_and_up_by_control(keys: Keys, tmp_path: Path) -> None:
    """The switch's port closes and opens while the control port stays, at the same address."""
    async with World(sim_settings(keys, tmp_path), SystemClock()) as world:
        faults_url = world.addresses.control + "/faults"
        async with issuer(keys, world.addresses.switch) as rail:
            _, dealt = await http("PUT", faults_url, {"faults": [{"name": "down"}]})
            assert dealt["faults"][0]["name"] == "down"
            assert isinstance(await rail.send(ASKED), NotSent)
            assert (await http("GET", faults_url))[1] == dealt
            assert (await http("DELETE", faults_url))[1]["faults"] == []
            assert isinstance(await rail.send(ASKED), Accepted)


async def test_books_by_control(keys: Keys, tmp_path: Path) -> None:
    """Totals, accounts and payments are shown, narrowed by the filters."""
    async with World(sim_settings(keys, tmp_path), SystemClock()) as world:
        books_url = world.addresses.control + "/books"
        async with issuer(keys, world.addresses.switch) as rail:
            await rail.send(ASKED)
            blocked = payee_of(MERCHANTS["BLOCKED"])
            await rail.send(msgspec.structs.replace(ASKED, reference="NO", payee=blocked))
        _, books = await http("GET", books_url)
        assert books["totals"]["paid_minor"] == ASKED.amount_minor
        assert [payment["state"] for payment in books["payments"]] == ["failed", "paid"]
        for query in ("state=paid", f"reference={ASKED.reference}", "limit=1&state=paid"):
            _, books = await http("GET", f"{books_url}?{query}")
            assert [payment["reference"] for payment in books["payments"]] == [ASKED.reference]
        assert (await http("GET", f"{books_url}?limit=many"))[0] == 400


async def test_bad_plan_changes_nothing(keys: Keys, tmp_path: Path) -> None:
    """A plan that cannot be read is refused with the reason, and the old one stays."""
    async with World(sim_settings(keys, tmp_path), SystemClock()) as world:
        await world.put_plan(Plan(faults=(DropReply(),)))
        faults_url = world.addresses.control + "/faults"
        status, said = await http("PUT", faults_url, {"faults": [{"name": "explode"}]})
        assert (status, "explode" in said["error"]) == (400, True)
        assert len((await http("GET", faults_url))[1]["faults"]) == 1


async def test_page_and_merchants(keys: Keys, tmp_path: Path) -> None:
    """The page loads nothing from elsewhere, and every code is listed."""
    async with World(sim_settings(keys, tmp_path), SystemClock()) as world:
        async with aiohttp.ClientSession() as session:
            async with session.get(world.addresses.control + "/") as response:
                page = await response.text()
        _, merchants = await http("GET", world.addresses.control + "/merchants")
        assert "://" not in page and "<h1" in page
        shown = {label for merchant in merchants for label in merchant["payloads"]}
        assert shown == set(MERCHANTS)


async def test_the_post_has_a_place_when_there_is_one(keys: Keys, tmp_path: Path) -> None:
    """Its page, its books, its faults and its proof; without a post there is no such page."""
    settings = sim_settings(keys, tmp_path)
    async with World(settings, SystemClock()) as world:
        assert (await http("GET", world.addresses.control + "/post"))[0] == 404
    settings = msgspec.structs.replace(settings, post=post_settings(tmp_path, tmp_path))
    async with World(settings, SystemClock()) as world:
        place = world.addresses.control + "/networks/post"
        assert (await http("GET", place + "/books?limit=many"))[0] == 400
        assert (await http("GET", place + "/books?to=62811"))[1]["messages"] == []
        assert (await http("GET", place + "/books/proof"))[1]["holds"]
        assert (await http("GET", place + "/settlement"))[0] == 400
        _, said = await http("POST", place + "/acts/receipt", {"id": "sms-1"})
        assert said == {"error": "id: no SMS was answered with it"}
        _, networks = await http("GET", world.addresses.control + "/networks")
        assert networks["post"].endswith("/messages")


def test_ready_file_of_another_process_is_not_left(tmp_path: Path) -> None:
    """The aside file carries the process's id, so two processes do not write one."""
    _announce(Addresses("a", "b"), str(tmp_path / "ready"))
    assert os.listdir(tmp_path) == ["ready"]
