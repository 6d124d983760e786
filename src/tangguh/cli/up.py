"""``tangguh up``: the whole bank on one machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from tangguh.cli.household import Household
from tangguh.cli.place import Place
from tangguh.config import load
from tangguh.core.errors import TangguhError
from tangguh.customers.seed import DEMO_PIN
from tangguh.db.private import write_private


def up(
    *,
    data: Annotated[Path, Parameter(help="Where everything is kept.")] = Path("tangguh-data"),
    port: Annotated[int, Parameter(help="Where the bank answers.")] = 8080,
    seed: Annotated[
        int, Parameter(help="Fills an empty bank with people; the same seed, the same people.")
    ] = 1,
    ready_file: Annotated[
        Path | None, Parameter(help="Written with the addresses once all is up.")
    ] = None,
    config: Annotated[Path | None, Parameter(help="A TOML file of settings.")] = None,
) -> None:
    """Run the whole bank: PostgreSQL, the bank, its simulated networks. Ctrl-C stops everything."""
    try:
        settings = load(config)
        household = Household(Place(data), settings, port=port, seed=seed, say=_say)
        asyncio.run(_run(household, ready_file))
    except TangguhError as trouble:
        print(f"tangguh: {trouble}", file=sys.stderr)
        sys.exit(1)


async def _run(household: Household, ready_file: Path | None) -> None:
    told_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told_to_stop.set)
    household.place.take()
    _say("Tangguh is starting")
    try:
        await household.start()
        if ready_file is not None:
            write_private(ready_file, msgspec.json.encode(household.addresses))
        _show(household)
        watching = asyncio.create_task(household.watch())
        await told_to_stop.wait()
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        _say("\nStopping; everything acknowledged is kept")
    finally:
        await household.stop()
    _say("Stopped")


def _show(household: Household) -> None:
    bank, control = household.addresses["bank"], household.addresses["control"]
    _say(
        f"""
The bank is open.

  app           {bank}/
  status        {household.addresses["status"]}/      (stays when the bank is gone, and says so)
  who to be     {bank}/demo      (56 people; PIN {DEMO_PIN})
  API           {bank}/openapi.json
  networks      {control}/      (the simulated QRIS switch: break it, watch, heal it)
  post          {control}/post      (every SMS and e-mail the bank sent)
  staff         tangguh gate list --bank {bank}      (tokens in {household.place.crew_path})
  data          {household.place.directory}

Try this: open {bank}/demo on a phone-sized window, log in, pay one of the QR codes there.
Then open {control}/, let the switch lose its replies, pay again, and watch the payment's page;
twenty seconds later its SMS is in the post.
Prove the books at any time: tangguh prove --data {household.place.directory}
Ctrl-C stops everything and loses nothing.
"""
    )


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # whoever read us is gone, or the disk is full: go on
        print(text, flush=True)
