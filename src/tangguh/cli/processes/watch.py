"""``tangguh watch``: the independent watch of what leaves the settlement account (ring 3)."""

from __future__ import annotations

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
from tangguh.cli.processes.told import ReadyJson, settings_refused
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
    as_json: ReadyJson = False,
) -> None:
    """Match every outflow of BI-FAST to the book; close that rail's outgoing side if one has no
    payment. Its own keys and its own database role; ``/status`` says what it sees.
    """
    try:
        settings = msgspec.convert(read_file(config), WatchSettings)
        logs.to_stderr()
        end_with_parent()
        uvloop.run(_serve(settings, ready_file, as_json=as_json))
    except (TangguhError, msgspec.ValidationError) as fault:
        settings_refused("watch", config, fault)


async def _serve(settings: WatchSettings, ready_file: Path | None, *, as_json: bool) -> None:
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
            as_json=as_json,
        )
    finally:
        await watcher.close()
