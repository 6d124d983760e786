"""Serves the page's files from memory: right types, small caches, ETag, gzip, closed headers.

It answers also when the disk is full and when nothing has been heard of the bank for days.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tangguh.core.supervision import TaskHealth, TaskState
from tangguh.status.publisher.publisher import Publisher
from tangguh.status.site.pages import HTML, POLICY, File

_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "x-frame-options": "DENY",
    "vary": "accept-encoding",
}
HEALTH: Final = "/health"
_FRESH_SECONDS: Final = 5
_KEPT: Final = 256
"""So many packed files are kept: more than a page has that changes often."""


class Door:
    """The page's own web server. ``app`` is an ASGI application."""

    def __init__(self, publisher: Publisher, tasks: Callable[[], list[TaskHealth]] = list) -> None:
        """``tasks``: the loops that make the page, as they are now."""
        self._publisher = publisher
        self._tasks = tasks
        self._packed: dict[bytes, bytes] = {}
        page = Route("/{path:path}", self._serve, methods=["GET", "HEAD"])
        self.app = Starlette(routes=[Route(HEALTH, self._health, methods=["GET"]), page])

    async def _health(self, _: Request) -> Response:
        """For whoever operates the page: 503 while what is known cannot be written down, or a loop
        does not run.

        The page itself is served all the same.
        """
        publisher = self._publisher
        reached = [one.is_reached for one in (publisher.home, *publisher.targets)]
        tasks = self._tasks()
        runs = all(one.state is TaskState.RUNNING for one in tasks)
        is_well = runs and not publisher.unwritten and all(reached)
        # Anybody reads this: which places, and why not, is in the log.
        body = {
            "written": not publisher.unwritten,
            "places": len(reached),
            "reached": sum(reached),
            "tasks": {one.name: one.state for one in tasks},
        }
        return Response(
            msgspec.json.encode(body), 200 if is_well else 503, media_type="application/json"
        )

    async def _serve(self, request: Request) -> Response:
        path = request.path_params["path"]
        if path == "" or path.endswith("/"):
            path += "index.html"
        files = self._publisher.files
        if path not in files and f"{path}/index.html" in files:
            # Links in a page are relative: without the slash they would lead elsewhere.
            return RedirectResponse(f"/{path}/", 308, headers=_HEADERS)
        file = files.get(path)
        status = 200 if file is not None else 404
        return self._answer(request, file or self._publisher.missing, status)

    def _answer(self, request: Request, file: File, status: int) -> Response:
        digest = hashlib.sha256(file.content).digest()
        headers = _HEADERS | {
            "cache-control": f"public, max-age={_FRESH_SECONDS}",
            "etag": f'W/"{digest.hex()[:32]}"',
            "content-type": file.content_type,
        }
        if file.content_type == HTML:
            headers["content-security-policy"] = f"{POLICY}; frame-ancestors 'none'"
        else:
            headers["access-control-allow-origin"] = "*"
        wanted = request.headers.get("if-none-match", "")
        if status == 200 and headers["etag"] in (one.strip() for one in wanted.split(",")):
            return Response(status_code=304, headers=headers)
        content = file.content
        if "gzip" in request.headers.get("accept-encoding", ""):
            content = self._pack(digest, content)
            headers["content-encoding"] = "gzip"
        return Response(content, status, headers=headers)

    def _pack(self, digest: bytes, content: bytes) -> bytes:
        if digest not in self._packed:
            if len(self._packed) >= _KEPT:
                del self._packed[next(iter(self._packed))]
            self._packed[digest] = gzip.compress(content, 6, mtime=0)
        return self._packed[digest]
