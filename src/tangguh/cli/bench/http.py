"""``tangguh bench http``: on-us transfers through HTTP against the bank as its own process.

Each request has a session, the device's signature, an idempotency key, limits, the posting with
every feature, and is answered after its commit. First a closed loop over 256 connections, then an
open loop at half the rate that reached, for the latencies.
"""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Final

import aiohttp
import msgspec
from cyclopts import Parameter

from tangguh.access.session import signature
from tangguh.cli.bench.load import Plan, Seen
from tangguh.cli.bench.report import Laps, Report, Result, show
from tangguh.cli.bench.workshop import unhurried_guard
from tangguh.cli.bench.yardstick import Pgbench
from tangguh.cli.household import Household, temporary
from tangguh.cli.prove import prove_dsn
from tangguh.config import load
from tangguh.core.clock import SystemClock
from tangguh.core.errors import StoreUnavailable, TangguhError
from tangguh.customers.seed import DEMO_PIN, demo

_PEOPLE: Final = 32
_CONNECTIONS: Final = 256
_WARM_SECONDS: Final = 2.0
_REQUESTS_PER_SECOND_MAX: Final = 12_000
_PATH: Final = "/v1/payments"
_OVERRIDES: Final[dict[str, Any]] = {
    "devices": {"cooling_seconds": 0},
    "web": {"requests_per_minute": 10**9, "requests_burst": 10**9, "logins_burst": 1_000},
}
"""One machine plays all customers: what is measured is the bank, not its patience with one."""


class Purse(msgspec.Struct, frozen=True):
    """A logged-in customer: where the money comes from and what orders are signed with."""

    account: str
    token: str
    signing_key: bytes


def http(
    *,
    seconds: Annotated[int, Parameter(help="How long each workload runs.")] = 10,
    as_json: Annotated[
        bool, Parameter(name="--json", negative="", help="Print one JSON document.")
    ] = False,
) -> None:
    """On-us transfers per second through HTTP, beside pgbench on the same server."""
    try:
        report = asyncio.run(_bench(seconds))
    except TangguhError as trouble:
        print(f"tangguh: {trouble}", file=sys.stderr)
        sys.exit(1)
    show(report, as_json=as_json)


async def _bench(seconds: int) -> Report:
    with tempfile.TemporaryDirectory(prefix="tangguh-bench-") as directory:
        place = Path(directory)
        household = temporary(
            place, load(None), seed=1, overrides={**_OVERRIDES, "guard": unhurried_guard()}
        )
        try:
            await household.start()
            return await _measure(household, place, seconds)
        finally:
            await household.stop()


async def _measure(household: Household, place: Path, seconds: int) -> Report:
    purses = await _log_in(household.addresses["bank"])
    pgbench = Pgbench(household.dsn)
    await pgbench.prepare()
    before = await pgbench.run(seconds)
    full = await _load(household, place, purses, "full", seconds, per_second=0.0)
    after = await pgbench.run(seconds)
    results = [_result("on-us transfer, closed loop", full, (before + after) / 2)]
    half_rate = results[0].per_second / 2
    half = await _load(household, place, purses, "half", seconds, per_second=half_rate)
    last = await pgbench.run(seconds)
    results.append(_result("on-us transfer, at half that rate", half, (after + last) / 2))
    large = await pgbench.run_large(seconds)
    proof = await prove_dsn(household.dsn)
    figures = {"pgbench_scale_10_per_second": large, "connections": float(_CONNECTIONS)}
    return Report("http", results, pgbench.measured(), results[0].ratio, proof, figures)


async def _log_in(url: str) -> list[Purse]:
    people, accounts, _ = demo(1)
    purses: list[Purse] = []
    async with aiohttp.ClientSession() as session:
        for person, (_, account, _product) in list(zip(people, accounts, strict=True))[:_PEOPLE]:
            body = {"phone": person.phone, "pin": DEMO_PIN}
            async with session.post(f"{url}/v1/sessions", json=body) as answer:
                if answer.status != 201:
                    raise StoreUnavailable(f"logging in: {answer.status} {await answer.text()}")
                said = msgspec.json.decode(await answer.read())
            key = base64.b64decode(said["signing_key"])
            purses.append(Purse(str(account), said["token"], key))
    return purses


async def _load(
    household: Household,
    place: Path,
    purses: list[Purse],
    run: str,
    seconds: int,
    *,
    per_second: float,
) -> Seen:
    rate = per_second or _REQUESTS_PER_SECOND_MAX
    wanted = int(rate * (seconds + _WARM_SECONDS) * 1.1)
    plan = Plan(
        household.settings.web.host,
        household.port,
        _WARM_SECONDS,
        float(seconds),
        per_second,
        _requests(household, purses, run, wanted),
    )
    path = place / "load.plan"
    await asyncio.to_thread(path.write_bytes, msgspec.msgpack.encode(plan))
    command = [sys.executable, "-m", "tangguh.cli.bench.load", str(path)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)
    if done.returncode:
        raise StoreUnavailable(f"the load ended: {done.stderr.decode()[-400:]}")
    return msgspec.json.decode(done.stdout, type=Seen)


def _requests(
    household: Household, purses: list[Purse], run: str, wanted: int
) -> list[list[bytes]]:
    """Signed orders, dealt to the connections; each connection is one customer's."""
    stamp = str(int(SystemClock().now().timestamp()))
    numbers = count()
    dealt: list[list[bytes]] = [[] for _ in range(_CONNECTIONS)]
    host = f"{household.settings.web.host}:{household.port}"
    for number in range(wanted):
        connection = number % _CONNECTIONS
        payer = purses[connection % len(purses)]
        payee = purses[(connection + 1 + number // _CONNECTIONS) % len(purses)]
        if payee is payer:
            payee = purses[(connection + 2 + number // _CONNECTIONS) % len(purses)]
        key = f"{run}-{next(numbers)}"
        dealt[connection].append(_request(host, payer, payee.account, key, stamp))
    return dealt


def _request(host: str, payer: Purse, payee: str, key: str, stamp: str) -> bytes:
    order = {
        "kind": "transfer", "from_account": payer.account, "to_account": payee, "amount": "1.00",
    }  # fmt: skip
    body = msgspec.json.encode(order)
    signed = signature(payer.signing_key, "POST", _PATH, body, stamp, key)
    head = (
        f"POST {_PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nAuthorization: Bearer {payer.token}\r\n"
        f"Idempotency-Key: {key}\r\nX-Timestamp: {stamp}\r\nX-Signature: {signed}\r\n\r\n"
    )
    return head.encode() + body


def _result(name: str, seen: Seen, beside: float) -> Result:
    laps = Laps()
    laps.laps = seen.laps
    laps.done = seen.statuses.get("201", 0)
    laps.refused = sum(seen.statuses.values()) - laps.done
    return laps.result(name, 0, seen.seconds, beside)
