"""``tangguh status``: the public status page, made and served apart from the bank."""

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
from tangguh.core.clock import SystemClock
from tangguh.core.errors import TangguhError
from tangguh.core.settings_file import read_file
from tangguh.status.publisher.door import Door
from tangguh.status.publisher.publisher import Publisher
from tangguh.status.publisher.settings import PublisherSettings

_GRACE_SECONDS: Final = 2


def status(
    *,
    config: Annotated[
        Path, Parameter(help="TOML or JSON: whom it believes, where the page lies and goes.")
    ],
    ready_file: Annotated[Path | None, Parameter(help="Written once it listens.")] = None,
) -> None:
    """Publish the bank's status page: it stays when the bank's processes are gone, and says so.

    It needs the bank's address and public key, and nothing else of it.
    """
    logs.to_stderr()
    try:
        settings = msgspec.convert(read_file(config), PublisherSettings)
        if ready_file is not None:
            end_with_parent()  # started by `tangguh up`; by itself it depends on nobody
        uvloop.run(_serve(settings, ready_file))
    except (TangguhError, msgspec.ValidationError) as fault:
        print(f"tangguh: {config}: {fault}", file=sys.stderr)
        sys.exit(1)


async def _serve(settings: PublisherSettings, ready_file: Path | None) -> None:
    publisher = Publisher(settings, SystemClock())
    server = Server(
        uvicorn.Config(
            Door(publisher).app,
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
    publishing = asyncio.create_task(publisher.run(), name="publisher")
    serving = asyncio.create_task(server.serve())
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if ready_file is not None and server.started:
        port = server.servers[0].sockets[0].getsockname()[1]
        said = {"status": f"http://{settings.host}:{port}", "pid": os.getpid()}
        write_private(ready_file, msgspec.json.encode(said))
    # A publisher that ended by a fault ends the process: whoever supervises it starts it again.
    await asyncio.wait((publishing, serving), return_when=asyncio.FIRST_COMPLETED)
    server.end()
    await serving
    publishing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await publishing
    publisher.close()
