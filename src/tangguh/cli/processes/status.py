"""``tangguh status``: the public status page, made and served apart from the bank."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import uvloop
from cyclopts import Parameter

from tangguh.cli.processes import logs
from tangguh.cli.processes.beside import serve_beside
from tangguh.cli.processes.parent import end_with_parent
from tangguh.cli.processes.told import ReadyJson, settings_refused
from tangguh.core.clock import SystemClock
from tangguh.core.errors import TangguhError
from tangguh.core.settings_file import read_file
from tangguh.core.supervision import Supervisor
from tangguh.status.publisher.door import Door
from tangguh.status.publisher.publisher import Publisher
from tangguh.status.publisher.settings import PublisherSettings


def status(
    *,
    config: Annotated[
        Path, Parameter(help="TOML or JSON: whom it believes, where the page lies and goes.")
    ],
    ready_file: Annotated[Path | None, Parameter(help="Written once it listens.")] = None,
    as_json: ReadyJson = False,
) -> None:
    """Publish the bank's status page: it stays when the bank's processes are gone, and says so.

    It needs the bank's address and public key, and nothing else of it.
    """
    try:
        settings = msgspec.convert(read_file(config), PublisherSettings)
        logs.to_stderr()
        if ready_file is not None:
            end_with_parent()  # started by `tangguh up`; by itself it depends on nobody
        uvloop.run(_serve(settings, ready_file, as_json=as_json))
    except (TangguhError, msgspec.ValidationError) as fault:
        settings_refused("status", config, fault)


async def _serve(settings: PublisherSettings, ready_file: Path | None, *, as_json: bool) -> None:
    clock = SystemClock()
    publisher = Publisher(settings, clock)
    loops = Supervisor(clock)
    loops.start("publisher", publisher.run)
    try:
        await serve_beside(
            Door(publisher, loops.state).app,
            loops,
            name="status",
            host=settings.host,
            port=settings.port,
            ready_file=ready_file,
            as_json=as_json,
        )
    finally:
        publisher.close()
