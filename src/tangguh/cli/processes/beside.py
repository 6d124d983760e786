"""A process that does its work and serves one small door beside it: gateway, watch, status page.

Its loops are supervised as the bank's own are (ADR-0032), and ``/health`` shows them.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final

import msgspec
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tangguh.cli.processes.server import Server
from tangguh.core.errors import InvariantBroken
from tangguh.core.supervision import Supervisor, TaskState
from tangguh.db.private import write_private
from tangguh.listeners.entry import Entry, Limits
from tangguh.listeners.http import configured
from tangguh.listeners.limits import SMALL, Limit, ListenerSettings

_GRACE_SECONDS: Final = 2
_KEEPALIVE_SECONDS: Final = 5
_RESTARTS_MAX: Final = 5
"""So often a loop is started again in one process; then the process is."""
_LOOK_SECONDS: Final = 0.5


async def serve_beside(
    app: ASGIApp,
    loops: Supervisor,
    *,
    name: str,
    host: str,
    port: int,
    ready_file: Path | None,
    as_json: bool = False,
    grace_seconds: int = _GRACE_SECONDS,
    keep_alive_seconds: int = _KEEPALIVE_SECONDS,
    answer_seconds: float = SMALL.seconds,
) -> None:
    """Serve ``app`` until told to stop, then end ``loops``; the ready file says where, by ``name``.

    ``answer_seconds``: how long an answer may take. A loop that ends by a fault is started again;
    meanwhile ``/health`` is 503. One that is silent, or ends again and again, ends the process with
    it: a door without its work would go on saying what is no longer so. Raises InvariantBroken.
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
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if server.started:
        bound = server.servers[0].sockets[0].getsockname()[1]
        said = msgspec.json.encode({name: f"http://{host}:{bound}", "pid": os.getpid()})
        if ready_file is not None:
            write_private(ready_file, said)
        if as_json:
            print(said.decode(), flush=True)
    watching = asyncio.create_task(_end_without_work(loops, server), name="watching")
    try:
        await serving
        if watching.done():
            raise InvariantBroken(watching.result())
    finally:
        watching.cancel()
        await loops.stop()


async def _end_without_work(loops: Supervisor, server: Server) -> str:
    """Wait for a loop that cannot be helped by starting it again; end the server; why."""
    while True:
        for one in loops.state():
            if one.state is TaskState.SILENT or one.restarts >= _RESTARTS_MAX:
                server.end()
                return f"{one.name} does not work: {one.fault or 'it is silent'}"
        await asyncio.sleep(_LOOK_SECONDS)


def with_health(app: ASGIApp, loops: Supervisor) -> ASGIApp:
    """``app``, and ``/health`` before it: whether every loop runs, and each as it is."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/health":
            await app(scope, receive, send)
            return
        tasks = loops.state()
        is_well = all(one.state is TaskState.RUNNING for one in tasks)
        body = msgspec.json.encode({"ok": is_well, "tasks": tasks})
        said = Response(body, 200 if is_well else 503, media_type="application/json")
        await said(scope, receive, send)

    return answer
