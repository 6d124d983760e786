"""``tangguh watch``: the independent watch of what leaves the settlement account (ring 3)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import uvloop
from cyclopts import Parameter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tangguh.cli.processes import logs
from tangguh.cli.processes.beside import serve_beside, with_health
from tangguh.cli.processes.parent import end_with_parent
from tangguh.config import read_file
from tangguh.core.clock import SystemClock
from tangguh.core.errors import TangguhError
from tangguh.core.ids import Ids
from tangguh.core.supervision import Supervisor
from tangguh.settlement.watch.settings import WatchSettings
from tangguh.settlement.watch.watcher import Watcher
from tangguh.settlement.watched import PATH


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

    loops = Supervisor(clock)
    loops.start("watch", watcher.run)
    try:
        await serve_beside(
            with_health(Starlette(routes=[Route(PATH, show)]), loops),
            loops,
            name="watch",
            host=settings.host,
            port=settings.port,
            ready_file=ready_file,
        )
    finally:
        await watcher.close()
