"""``tangguh gateway``: the BI-FAST gateway as a process of its own, with the participant's key."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import Annotated, Final

import msgspec
import uvicorn
import uvloop
from cyclopts import Parameter

from tangguh.cli import logs
from tangguh.cli.place import write_private
from tangguh.cli.processes.parent import end_with_parent
from tangguh.cli.processes.server import Server
from tangguh.config import read_file
from tangguh.core.clock import SystemClock
from tangguh.core.errors import TangguhError
from tangguh.work.gateway.door import Door
from tangguh.work.gateway.gateway import Gateway, closures_of
from tangguh.work.gateway.poller import Poller
from tangguh.work.gateway.settings import GatewaySettings

_GRACE_SECONDS: Final = 5
_KEEPALIVE_SECONDS: Final = 75
"""Longer than the bank keeps a connection it does not use (rails.link, 30 s): a line closed by this
side just as the bank writes to it would leave a payment unanswered."""


def gateway(
    *,
    config: Annotated[Path, Parameter(help="TOML or JSON: the gateway's keys, hub and port.")],
    ready_file: Annotated[Path | None, Parameter(help="Written once it listens.")] = None,
) -> None:
    """Run the BI-FAST gateway: forwards to the hub only what the ledger authorised."""
    logs.to_stderr()
    try:
        settings = msgspec.convert(read_file(config), GatewaySettings)
        end_with_parent()
        uvloop.run(_serve(settings, ready_file))
    except (TangguhError, msgspec.ValidationError) as fault:
        print(f"tangguh: {config}: {fault}", file=sys.stderr)
        sys.exit(1)


async def _serve(settings: GatewaySettings, ready_file: Path | None) -> None:
    clock = SystemClock()
    closures = closures_of(settings)
    running = Gateway(settings, clock, closures)
    polling = None
    if settings.bank_url:
        polling = asyncio.create_task(Poller(settings, closures, clock).run(), name="poller")
    server = Server(
        uvicorn.Config(
            Door(running, clock).app,
            host=settings.host,
            port=settings.port,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            timeout_keep_alive=_KEEPALIVE_SECONDS,
            lifespan="off",
            ws="none",
            proxy_headers=False,
        )
    )
    serving = asyncio.create_task(server.serve())
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if ready_file is not None and server.started:
        port = server.servers[0].sockets[0].getsockname()[1]
        said = {"gateway": f"http://{settings.host}:{port}", "pid": os.getpid()}
        write_private(ready_file, msgspec.json.encode(said))
    await serving
    if polling is not None:
        polling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await polling
    await running.close()
