"""A process that does its work and serves one small door beside it: gateway, watch, status page."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

import msgspec
from starlette.types import ASGIApp

from tangguh.cli.processes.server import Server
from tangguh.db.private import write_private
from tangguh.listeners.entry import Entry, Limits
from tangguh.listeners.http import configured
from tangguh.listeners.limits import SMALL, Limit, ListenerSettings

_GRACE_SECONDS: Final = 2
_KEEPALIVE_SECONDS: Final = 5


async def serve_beside(
    app: ASGIApp,
    work: Coroutine[Any, Any, None] | None,
    *,
    name: str,
    host: str,
    port: int,
    ready_file: Path | None,
    grace_seconds: int = _GRACE_SECONDS,
    keep_alive_seconds: int = _KEEPALIVE_SECONDS,
    answer_seconds: float = SMALL.seconds,
) -> None:
    """Serve ``app`` and do ``work`` until told to stop; the ready file says where under ``name``.

    ``answer_seconds``: how long an answer may take.

    Work that ends by a fault ends the process with it: whoever supervises it starts it again, while
    a door without its work would go on saying what is no longer so.
    """
    server = Server(
        configured(
            Entry(app, limits=Limits(default=Limit(seconds=answer_seconds))),
            ListenerSettings(idle_seconds=keep_alive_seconds),
            host=host,
            port=port,
            timeout_graceful_shutdown=grace_seconds,
        )
    )
    serving = asyncio.create_task(server.serve())
    working = asyncio.create_task(work, name=name) if work is not None else None
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if ready_file is not None and server.started:
        bound = server.servers[0].sockets[0].getsockname()[1]
        said = {name: f"http://{host}:{bound}", "pid": os.getpid()}
        write_private(ready_file, msgspec.json.encode(said))
    await asyncio.wait(
        [serving] if working is None else [serving, working], return_when=asyncio.FIRST_COMPLETED
    )
    server.end()
    await serving
    if working is not None:
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
