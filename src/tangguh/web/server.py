"""Puts the door together: routes, headers every answer carries, health, problems for the rest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tangguh.core.errors import TangguhError
from tangguh.core.listeners import FAILED
from tangguh.core.marks import MARKS
from tangguh.listeners.entry import TOO_DEEP, Entry, Limits
from tangguh.listeners.limits import Limit, limited
from tangguh.web.api.document import customers as customers_document
from tangguh.web.api.operations import Endpoint, of_error, problem_response
from tangguh.web.api.table import OPERATIONS
from tangguh.web.door import Door
from tangguh.web.gate import check_address
from tangguh.web.partners import receipts
from tangguh.web.problems import problem

log = structlog.get_logger("web")

_SECURITY_HEADERS: Final = (
    (
        b"content-security-policy",
        b"default-src 'self'; img-src 'self' data: blob:; "
        b"frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=()"),
)
_NO_STORE: Final = (b"cache-control", b"no-store")
_ONLY_TLS: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_PROBLEMS: Final = {TOO_DEEP: "json_invalid"}
_FILE_SECONDS: Final = 30.0
_DETAILS: Final = {TOO_DEEP: "nested too deep"}
_STATIC: Final = Path(__file__).parent / "static"


def build(door: Door, pages: Sequence[BaseRoute] = ()) -> Entry:
    """The ASGI application of the bank's web door."""
    document = json.dumps(customers_document.document(OPERATIONS)).encode()

    async def describe(_: Request) -> Response:
        return Response(document, media_type="application/json")

    async def health(_: Request) -> Response:
        """Whether the bank can take money right now: it asks the book, not itself."""
        try:
            await door.pool.fetchrow("SELECT 1")
            is_open = door.writer.is_open
        except TangguhError:
            is_open = False
        return JSONResponse(
            {
                "ok": is_open,
                "takes_new_money": is_open and door.desk.takes_new_money(),
                "disk": str(door.space.room) if door.space is not None else "unknown",
                "tasks": msgspec.to_builtins(door.tasks()),
                "listener_faults": MARKS.reached[FAILED],
                "log_lines_dropped": MARKS.reached["log.line_dropped"],
            },
            200 if is_open else 503,
        )

    routes: list[BaseRoute] = [
        *_api_routes(door),
        *receipts.routes(door),
        Route("/openapi.json", describe),
        Route("/health", health),
        Route("/service-worker.js", _service_worker),
        *pages,
    ]
    if _STATIC.exists():
        routes.append(Mount("/static", StaticFiles(directory=_STATIC)))
    app = Starlette(
        routes=routes,
        exception_handlers={
            HTTPException: _http_problem,
            TangguhError: _bank_problem,
            Exception: _unexpected,
        },
    )
    app.add_middleware(SecurityHeaders)
    return Entry(
        Straight(app, _straight_endpoints(door)),
        limits=Limits(routes, Limit(body_bytes_max=door.settings.body_bytes_max)),
        trusted_proxies=door.settings.trusted_proxies,
        explain=_explain,
    )


class Straight:
    """The short way for API paths without parameters, such as paying; all else goes the long way.

    The general router and its three wrappers cost a third of what a payment costs this process
    (docs/adr/0023-web-stack.md). What is answered is the same: the endpoint explains its own
    problems, and what nobody expected is a problem too.
    """

    def __init__(self, app: ASGIApp, endpoints: dict[tuple[str, str], Endpoint]) -> None:
        self._app = app
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = None
        if scope["type"] == "http":
            if wrong := check_address(scope):
                await self._refuse(wrong, scope, receive, send)
                return
            endpoint = self._endpoints.get((scope["method"], scope["path"]))
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            answer = await endpoint(request)
        except Exception as error:
            answer = await _unexpected(request, error)
        _protect(answer.raw_headers, scope["scheme"])
        answer.raw_headers.append(_NO_STORE)
        await answer(scope, receive, send)

    async def _refuse(self, field: str, scope: Scope, receive: Receive, send: Send) -> None:
        found = problem("parameter_invalid", "holds what no text may hold", field)
        answer = problem_response(found)
        _protect(answer.raw_headers, scope["scheme"])
        answer.raw_headers.append(_NO_STORE)
        await answer(scope, receive, send)


def _straight_endpoints(door: Door) -> dict[tuple[str, str], Endpoint]:
    return {
        (operation.method, operation.path): Endpoint(door, operation)
        for operation in OPERATIONS
        if "{" not in operation.path
    }


def _protect(headers: list[tuple[bytes, bytes]], scheme: str) -> None:
    """Add what is not there: an answer may be stricter about itself, as files of strangers are."""
    said = {name for name, _ in headers}
    headers.extend(one for one in _SECURITY_HEADERS if one[0] not in said)
    if scheme == "https":
        headers.append(_ONLY_TLS)


def _explain(code: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """A refusal of the entry as a problem, with the headers every answer has."""
    answer = problem_response(problem(_PROBLEMS.get(code, code), _DETAILS.get(code, "")))
    _protect(answer.raw_headers, "http")
    headers = [one for one in answer.raw_headers if one[0] != b"content-length"]
    return answer.status_code, [*headers, _NO_STORE], bytes(answer.body)


class SecurityHeaders:
    """Puts the same protective headers on every answer; answers about money are not cached."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cacheable = scope["path"].startswith("/static/")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                _protect(headers, scope["scheme"])
                cache = b"public, max-age=3600" if cacheable else b"no-store"
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", cache))
            await send(message)

        await self._app(scope, receive, with_headers)


def _api_routes(door: Door) -> list[BaseRoute]:
    """One route per path, so that a wrong method on a known path is 405 with Allow."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, {})[operation.method] = Endpoint(door, operation)
    routes = {path: _route(path, endpoints) for path, endpoints in by_path.items()}
    for operation in OPERATIONS:
        if operation.takes_files:
            limit = Limit(
                body_bytes_max=operation.file_bytes_max, seconds=_FILE_SECONDS, nesting_max=0
            )
            limited(routes[operation.path], limit, {operation.method})
    return list(routes.values())


def _route(path: str, endpoints: dict[str, Endpoint]) -> Route:
    async def choose(request: Request) -> Response:
        endpoint = endpoints.get(request.method)
        if endpoint is None:
            raise HTTPException(405, headers={"Allow": ", ".join(endpoints)})
        return await endpoint(request)

    every = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]
    return Route(path, choose, methods=every)


async def _service_worker(_: Request) -> Response:
    """At the root, since a worker may act only for pages below its own address."""
    return FileResponse(_STATIC / "service-worker.js", media_type="text/javascript")


async def _http_problem(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = {404: "not_found", 405: "method_not_allowed", 406: "not_acceptable"}.get(status)
    if code is None:
        code = "json_invalid" if status < 500 else "internal"
    answer = problem_response(problem(code, f"{request.method} {request.url.path}"))
    if isinstance(error, HTTPException) and error.headers:
        answer.headers.update(error.headers)
    if status == 405 and "allow" in answer.headers:
        answer.headers["allow"] = _allowed(request, answer.headers["allow"])
    return answer


def _allowed(request: Request, said: str) -> str:
    """Every method of a path: where each has a route of its own, one of them names its own only."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    here = next((one.path for one in routes if one.path_regex.match(request.url.path)), "")
    every = [one.methods or set() for one in routes if one.path == here]
    # A route for every method chooses by itself, and has said which it knows.
    named = set(said.split(", ")).union(*(one for one in every if "TRACE" not in one))
    return ", ".join(sorted(named))


async def _bank_problem(_: Request, error: Exception) -> Response:
    return problem_response(of_error(error if isinstance(error, TangguhError) else TangguhError()))


async def _unexpected(_: Request, error: Exception) -> Response:
    log.error("web.unexpected", error=type(error).__name__)
    return problem_response(problem("internal"))
