"""``tangguh serve`` and ``tangguh sim``: the bank and the outside world, each as one process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Final

import msgspec
import uvloop
from cyclopts import Parameter

from tangguh.app import Bank
from tangguh.cli.invocation import invoked
from tangguh.cli.memory import quiet_garbage
from tangguh.cli.processes import logs
from tangguh.cli.processes.parent import end_with_parent
from tangguh.cli.processes.server import Server
from tangguh.cli.processes.told import ReadyJson, settings_refused
from tangguh.config import Settings, load, read_file
from tangguh.core.errors import Misconfigured, TangguhError
from tangguh.customers.crew import enrol_crew
from tangguh.db.private import write_private
from tangguh.listeners.http import configured
from tangguh.sim.process import SimSettings
from tangguh.sim.process import run as run_world

_CHECK_SECONDS: Final = 0.5
_GRACE_SECONDS: Final = 8


def serve(
    *,
    config: Annotated[Path | None, Parameter(help="A TOML file of settings.")] = None,
    seed: Annotated[int | None, Parameter(help="Fill an empty bank with a demo's people.")] = None,
    ready_file: Annotated[Path | None, Parameter(help="Written once the bank answers.")] = None,
    as_json: ReadyJson = False,
) -> None:
    """Run the bank as one process over a PostgreSQL that is there: web, book, resolver."""
    try:
        settings = load(config)
        if not settings.db.dsn:
            raise Misconfigured(
                "db.dsn is not set: TANGGUH_DB__DSN or --config says which PostgreSQL; "
                f"`{invoked()} up` brings its own"
            )
        logs.to_stderr()
        end_with_parent()
        uvloop.run(serve_bank(settings, seed, ready_file, as_json=as_json))
    except TangguhError as trouble:
        print(f"tangguh: {trouble}", file=sys.stderr)
        sys.exit(1)


def sim(
    *,
    config: Annotated[Path, Parameter(help="TOML or JSON: control_port and [switch].")],
    ready_file: Annotated[Path | None, Parameter(help="Written once both ports listen.")] = None,
    as_json: ReadyJson = True,
) -> None:
    """Run the outside world: the simulated QRIS switch, its merchants and its control page."""
    try:
        values = read_file(config)
        values["ready_path"] = str(ready_file) if ready_file else ""
        settings = msgspec.convert(values, SimSettings)
    except (TangguhError, msgspec.ValidationError) as fault:
        settings_refused("sim", config, fault)
    end_with_parent()
    run_world(settings)


async def serve_bank(
    settings: Settings,
    seed: int | None,
    ready_file: Path | None,
    kind: type[Bank] = Bank,
    *,
    as_json: bool = False,
) -> None:
    """Serve until told to stop. ``kind``: a drill's bank with a door more. Raises TangguhError."""
    bank = await kind.open(settings, settings.db.dsn)
    async with bank:
        if seed is not None:
            await bank.fill_demo(seed)
            await _enrol_crew(bank, settings.web.demo_crew_path)
        web = settings.web
        server = Server(
            configured(
                bank.web(),
                web.listener,
                trusted_proxies=web.trusted_proxies,
                host=web.host,
                port=web.port,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        loop = asyncio.get_running_loop()
        server.on_exit = lambda: loop.call_soon_threadsafe(bank.let_go)
        quiet_garbage()
        serving = asyncio.create_task(server.serve())
        watching = asyncio.create_task(_until_fenced(bank))
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        if server.started:
            _tell(f"http://{web.host}:{web.port}", ready_file, as_json=as_json)
        await serving
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    if bank.writer.fate is not None:
        raise bank.writer.fate


def _tell(bank: str, ready_file: Path | None, *, as_json: bool) -> None:
    said = msgspec.json.encode({"bank": bank, "pid": os.getpid()})
    if ready_file is not None:
        write_private(ready_file, said)
    if as_json:
        print(said.decode(), flush=True)


async def _enrol_crew(bank: Bank, path: str) -> None:
    """The demo's staff, with tokens in a file nobody else can read; once."""
    if path and not Path(path).exists():
        tokens = await enrol_crew(bank.staff)
        write_private(Path(path), msgspec.json.encode(tokens))


async def _until_fenced(bank: Bank) -> None:
    """Stop serving when another writer has taken the book."""
    while bank.writer.fate is None:
        await asyncio.sleep(_CHECK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
