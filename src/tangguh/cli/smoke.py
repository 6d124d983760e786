"""``tangguh smoke``: one real payment on every service, a subscription, and the proof after it."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import aiohttp
import msgspec
from cyclopts import Parameter

from tangguh.cli.device import Device
from tangguh.cli.household import Household, temporary
from tangguh.cli.post.walk import CONFIRMED, subscribe
from tangguh.cli.prove import prove_dsn
from tangguh.cli.smoke_walks import WALKS, Control, Visit
from tangguh.config import load
from tangguh.core.clock import Clock, SystemClock
from tangguh.core.errors import TangguhError
from tangguh.core.service import SERVICES
from tangguh.customers.demo import FIRST_PURSE_HOLDER, pass_holder, purse_of
from tangguh.customers.seed import DEMO_PIN, PEOPLE, demo
from tangguh.payments.proof import Proof
from tangguh.rails.iso8583 import hsm
from tangguh.sim.cards.atm import Atm, AtmSettings

_SEED: Final = 1
_RICH: Final = 6
"""The first of the seeded people with enough money for everything."""


class Checked(msgspec.Struct, frozen=True):
    """One service after its payment, or the subscription after its link."""

    id: str
    ok: bool
    state: str
    seconds: float
    detail: str = ""


class Smoke(msgspec.Struct, frozen=True):
    """The run: every service in the table, word about one of them, and the books after it."""

    services: list[Checked]
    subscription: Checked
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
            subscription = await _subscribe(household)
            proof = await prove_dsn(household.dsn, household.settings.book.book_id)
        finally:
            await household.stop()
    passed = proof.passed and subscription.ok and all(service.ok for service in services)
    return Smoke(services, subscription, proof, passed)


async def _pay_everything(household: Household) -> list[Checked]:
    clock = SystemClock()
    checked: list[Checked] = []
    async with visiting(household, clock) as visit:
        for service_id in SERVICES:
            began = clock.monotonic()
            walk = WALKS.get(service_id)
            try:
                ended = await walk(visit) if walk else [{"state": "nobody walks it"}]
            except (aiohttp.ClientError, TimeoutError, KeyError, msgspec.MsgspecError) as trouble:
                ended = [{"state": f"{type(trouble).__name__}: {trouble}"}]
            seconds = round(clock.monotonic() - began, 3)
            checked.append(_judge(service_id, ended, seconds))
    return checked


async def _subscribe(household: Household) -> Checked:
    clock = SystemClock()
    began = clock.monotonic()
    control = Control(household.addresses["control"])
    try:
        state = await subscribe(household.addresses["bank"], control, clock)
    except (aiohttp.ClientError, TimeoutError, KeyError, msgspec.MsgspecError) as trouble:
        state = f"{type(trouble).__name__}: {trouble}"
    finally:
        await control.close()
    seconds = round(clock.monotonic() - began, 3)
    return Checked("subscription by e-mail", state == CONFIRMED, state, seconds)


@asynccontextmanager
async def visiting(household: Household, clock: Clock) -> AsyncIterator[Visit]:
    """A customer, a shopkeeper and a tourist, each with a device; a machine; the control port."""
    people, accounts, _ = demo(_SEED)
    assert household.outside is not None
    bank, keys = household.addresses["bank"], household.outside.keys
    host, _, port = household.addresses["terminals"].partition(":")
    machine = AtmSettings(
        host=host, port=int(port), pin_key=keys[hsm.TPK], mac_key=keys[hsm.TAK], seed=_SEED
    )
    control, atm = Control(household.addresses["control"]), Atm(machine, clock)
    async with Device(bank, clock) as device, Device(bank, clock) as shop:
        async with Device(bank, clock) as tourist, Device(bank, clock) as saver:
            await saver.log_in(people[FIRST_PURSE_HOLDER].phone, DEMO_PIN)
            await device.log_in(people[_RICH].phone, DEMO_PIN)
            await shop.log_in(people[PEOPLE].phone, DEMO_PIN)
            await tourist.log_in(pass_holder(1).phone, DEMO_PIN)
            try:
                yield Visit(
                    device=device,
                    shop=shop,
                    tourist=tourist,
                    saver=saver,
                    control=control,
                    atm=atm,
                    clock=clock,
                    account=str(accounts[_RICH][1]),
                    friend=str(accounts[_RICH + 1][1]),
                    server_purse=str(purse_of("server", 1, 0).account_id),
                    tourist_purse=str(purse_of("touristpass", 1, 0).account_id),
                )
            finally:
                await atm.close()
                await control.close()


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
        for one in [*result.services, result.subscription]
    ]
    holding = sum(one.holds is True for one in result.proof.invariants)
    lines.append(f"proof: {holding} of {len(result.proof.invariants)} invariants hold")
    return "\n".join(lines)
