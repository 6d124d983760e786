"""``tangguh up``: the whole bank on one machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

from tangguh.cli.household import Household, Say
from tangguh.cli.invocation import invoked
from tangguh.cli.place import Place
from tangguh.cli.staff.line import DEFAULT_BANK
from tangguh.config import load
from tangguh.core.errors import TangguhError
from tangguh.customers.seed import DEMO_PIN
from tangguh.db.private import write_private

DEFAULT_DATA: Final = Path("tangguh-data")


def up(
    *,
    data: Annotated[Path, Parameter(help="Where everything is kept.")] = DEFAULT_DATA,
    port: Annotated[int, Parameter(help="Where the bank answers.")] = 8080,
    seed: Annotated[
        int, Parameter(help="Fills an empty bank with people; the same seed, the same people.")
    ] = 1,
    ready_file: Annotated[
        Path | None, Parameter(help="Written with the addresses once all is up.")
    ] = None,
    config: Annotated[Path | None, Parameter(help="A TOML file of settings.")] = None,
    as_json: Annotated[
        bool,
        Parameter(
            name="--json",
            negative="",
            help="Print one JSON document of addresses once all is up; progress on standard error.",
        ),
    ] = False,
) -> None:
    """Run the whole bank: PostgreSQL, the bank, its simulated networks. Ctrl-C stops everything."""
    try:
        settings = load(config)
        say = _say_beside if as_json else _say
        household = Household(Place(data), settings, port=port, seed=seed, say=say)
        asyncio.run(_run(household, say, ready_file, as_json=as_json))
    except TangguhError as trouble:
        print(f"tangguh: {trouble}", file=sys.stderr)
        sys.exit(1)


async def _run(household: Household, say: Say, ready_file: Path | None, *, as_json: bool) -> None:
    told_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told_to_stop.set)
    household.place.take()
    say(f"Tangguh is starting on {household.place.directory}")
    try:
        await household.start()
        if ready_file is not None:
            write_private(ready_file, msgspec.json.encode(household.addresses))
        _say(msgspec.json.encode(household.addresses).decode()) if as_json else _show(household)
        watching = asyncio.create_task(household.watch())
        await told_to_stop.wait()
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        say("\nStopping; everything acknowledged is kept")
    finally:
        await household.stop()
    say("Stopped")


def _show(household: Household) -> None:
    bank, control = household.addresses["bank"], household.addresses["control"]
    ask, data = invoked(), household.place.directory
    at = "" if bank == DEFAULT_BANK else f" --bank {bank}"
    of = "" if data == DEFAULT_DATA.resolve() else f" --data {data}"
    _say(
        f"""
The bank is open. Open {bank}/demo first: who to be (PIN {DEMO_PIN}), and what to pay.

  app           {bank}/
  who to be     {bank}/demo      (56 people, every number one needs, and stories)
  staff         {bank}/demo/staff      (six roles and their tokens)
  networks      {control}/      (the simulated networks: break one, watch, heal it)
  post          {control}/post      (every SMS and e-mail the bank sent)
  status        {household.addresses["status"]}/      (stays when the bank is gone, and says so)
  API           {bank}/openapi.json
  data          {data}

From a second terminal, in this directory:

  {ask} prove{of}      (every invariant, while the bank runs)
  {ask} config show{of}      (the settings in force here)
  {ask} gate list{at}      (what is closed; with a token of staff in TANGGUH_STAFF_TOKEN)
  {ask} --help

Ctrl-C stops everything and loses nothing.
"""
    )


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # whoever read us is gone, or the disk is full: go on
        print(text, flush=True)


def _say_beside(text: str) -> None:
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)
