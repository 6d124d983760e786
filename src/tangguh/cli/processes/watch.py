"""``tangguh watch``: the independent watch of what leaves the settlement account (ring 3)."""

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
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tangguh.cli import logs
from tangguh.cli.place import write_private
from tangguh.cli.processes.parent import end_with_parent
from tangguh.cli.processes.server import Server
from tangguh.config import read_file
from tangguh.core.clock import SystemClock
from tangguh.core.errors import TangguhError
from tangguh.core.ids import Ids
from tangguh.settlement.watch.settings import WatchSettings
from tangguh.settlement.watch.watcher import Watcher
from tangguh.settlement.watched import PATH

_GRACE_SECONDS: Final = 2


def watch(
    *,
    config: Annotated[Path, Parameter(help="TOML or JSON: the watch's keys, feed and book.")],
    ready_file: Annotated[Path | None, Parameter(help="Written once it listens.")] = None,
) -> None:
    """Match every outflow of BI-FAST to the book; close that rail's outgoing side if one has no
    payment. Its own keys and its own database role; ``/status`` says what it sees.
    """
    logs.to_stderr()
    try:
        settings = msgspec.convert(read_file(config), WatchSettings)
        end_with_parent()
        uvloop.run(_serve(settings, ready_file))
    except (TangguhError, msgspec.ValidationError) as fault:
        print(f"tangguh: {config}: {fault}", file=sys.stderr)
        sys.exit(1)


async def _serve(settings: WatchSettings, ready_file: Path | None) -> None:
    clock = SystemClock()
    watcher = Watcher(settings, clock, Ids(clock))

    async def show(_: Request) -> Response:
        return Response(msgspec.json.encode(watcher.state()), media_type="application/json")

    server = Server(
        uvicorn.Config(
            Starlette(routes=[Route(PATH, show)]),
            host=settings.host,
            port=settings.port,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            lifespan="off",
            ws="none",
            proxy_headers=False,
        )
    )
    watching = asyncio.create_task(watcher.run(), name="watch")
    serving = asyncio.create_task(server.serve())
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if ready_file is not None and server.started:
        port = server.servers[0].sockets[0].getsockname()[1]
        said = {"watch": f"http://{settings.host}:{port}", "pid": os.getpid()}
        write_private(ready_file, msgspec.json.encode(said))
    await serving
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    await watcher.close()
