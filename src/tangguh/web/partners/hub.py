"""What comes to the bank by HTTP from networks with a protocol of their own: the BI-FAST hub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tangguh.listeners.limits import Limit, limited
from tangguh.web.api.operations import read_body
from tangguh.web.problems import Trouble

BIFAST_PATH: Final = "/bifast/messages"
_BODY_BYTES_MAX: Final = 64 * 1024


class Taker(Protocol):
    """Whoever reads a network's message and answers it: status and body."""

    async def take(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Answer one message."""
        ...


def routes(hub: Taker) -> list[BaseRoute]:
    """The hub's door. What it may ask is its receiver's matter, not HTTP's."""

    async def take(request: Request) -> Response:
        try:
            body = await read_body(request, _BODY_BYTES_MAX)
        except Trouble:
            return Response(status_code=413)
        status, answer = await hub.take(body, request.headers)
        kind = request.headers.get("content-type", "application/json")
        return Response(answer, status, media_type=kind)

    route = Route(BIFAST_PATH, take, methods=["POST"])
    return [limited(route, Limit(body_bytes_max=_BODY_BYTES_MAX))]
