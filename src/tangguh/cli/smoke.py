"""``tangguh smoke``: one real payment on every service, through HTTP, and the proof after it."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, Final

import aiohttp
import msgspec
from cyclopts import Parameter

from tangguh.cli.device import Device
from tangguh.cli.household import Household, temporary
from tangguh.cli.prove import prove_dsn
from tangguh.config import load
from tangguh.core.clock import SystemClock
from tangguh.core.errors import TangguhError
from tangguh.core.service import QRIS_OFFUS, SERVICES, TRANSFER_ONUS
from tangguh.customers.seed import DEMO_PIN, demo
from tangguh.payments.proof import Proof

_SEED: Final = 1
_END_SECONDS_MAX: Final = 20.0
QRIS_CODES: Final = ("V1", "V5", "V7", "V8", "V14")
"""Real merchants' codes, with tips by percentage and fixed, static and dynamic."""
_TYPED: Final = {"V5": "15000.00", "V7": "20000.00", "V14": "32500.00"}
"""What the payer types where the code has no amount."""


class Checked(msgspec.Struct, frozen=True):
    """One service after its payment."""

    id: str
    ok: bool
    state: str
    seconds: float
    detail: str = ""


class Smoke(msgspec.Struct, frozen=True):
    """The run: every service in the table, and the books after it."""

    services: list[Checked]
    proof: Proof
    passed: bool


def smoke(
    *,
    as_json: Annotated[
        bool, Parameter(name="--json", negative="", help="Print one JSON document.")
    ] = False,
) -> None:
    """Start a bank in a temporary directory, pay on every service, prove the books, stop."""
    try:
        result = asyncio.run(_smoke())
    except TangguhError as trouble:
        print(f"tangguh: {trouble}", file=sys.stderr)
        sys.exit(1)
    print(msgspec.json.encode(result).decode() if as_json else _table(result))
    sys.exit(0 if result.passed else 1)


async def _smoke() -> Smoke:
    with tempfile.TemporaryDirectory(prefix="tangguh-smoke-") as directory:
        household = temporary(Path(directory), load(None), seed=_SEED)
        try:
            await household.start()
            services = await _pay_everything(household)
            proof = await prove_dsn(household.dsn, household.settings.book.book_id)
        finally:
            await household.stop()
    passed = proof.passed and all(service.ok for service in services)
    return Smoke(services, proof, passed)


async def _pay_everything(household: Household) -> list[Checked]:
    people, accounts, _ = demo(_SEED)
    codes = await _codes(household.addresses["control"])
    clock = SystemClock()
    async with Device(household.addresses["bank"], clock) as device:
        await device.log_in(people[0].phone, DEMO_PIN)
        account = await device.account()
        walks: dict[str, Callable[[], Awaitable[list[dict[str, Any]]]]] = {
            TRANSFER_ONUS: lambda: _transfer(device, account, str(accounts[1][1])),
            QRIS_OFFUS: lambda: _scan(device, account, codes),
        }
        checked: list[Checked] = []
        for service_id in SERVICES:
            began = clock.monotonic()
            ended = await walks[service_id]()
            seconds = round(clock.monotonic() - began, 3)
            checked.append(_judge(service_id, ended, seconds))
    return checked


async def _transfer(device: Device, account: str, payee: str) -> list[dict[str, Any]]:
    order = {"kind": "transfer", "from_account": account, "to_account": payee, "amount": "12500.00"}
    said = await device.pay(order)
    return [said.body if said.ok else {"state": said.body.get("code", "?")}]


async def _scan(device: Device, account: str, codes: dict[str, str]) -> list[dict[str, Any]]:
    ended: list[dict[str, Any]] = []
    for label in QRIS_CODES:
        order = {"kind": "qris", "from_account": account, "qr": codes[label]}
        if label in _TYPED:
            order["amount"] = _TYPED[label]
        said = await device.pay(order)
        if said.ok:
            ended.append(
                {"label": label, **await device.until_ended(said.body["id"], _END_SECONDS_MAX)}
            )
        else:
            ended.append({"label": label, "state": said.body.get("code", "?")})
    return ended


async def _codes(control: str) -> dict[str, str]:
    """The merchants' codes, as the outside world prints them."""
    async with aiohttp.ClientSession() as http, http.get(f"{control}/merchants") as answer:
        merchants = msgspec.json.decode(await answer.read())
    return {
        label: payload for merchant in merchants for label, payload in merchant["payloads"].items()
    }


def _judge(service_id: str, ended: list[dict[str, Any]], seconds: float) -> Checked:
    bad = [one for one in ended if one.get("state") != "posted"]
    state = "posted" if not bad else str(bad[0].get("state"))
    detail = ", ".join(
        f"{one.get('label', 'transfer')} {one.get('total', '')} {one.get('state')}" for one in ended
    )
    return Checked(service_id, not bad, state, seconds, detail)


def _table(result: Smoke) -> str:
    lines = [
        f"{'ok ' if one.ok else 'BAD'}  {one.id:<24} {one.state:<8} {one.seconds:6.2f} s  "
        f"{one.detail}"
        for one in result.services
    ]
    holding = sum(one.holds for one in result.proof.invariants)
    lines.append(f"proof: {holding} of {len(result.proof.invariants)} invariants hold")
    return "\n".join(lines)
