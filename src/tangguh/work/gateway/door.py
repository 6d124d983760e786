"""The gateway's HTTP door: messages in, orders in, a page of figures out."""

from __future__ import annotations

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tangguh.core.clock import Clock
from tangguh.core.outcome import Refusal, Refused
from tangguh.rails.bifast.grammar.codec import BODY_BYTES_MAX
from tangguh.rails.bifast.turned import HEADER
from tangguh.work.gateway.gateway import Gateway

log = structlog.get_logger("work.gateway.door")


class Door:
    """The routes; ``app`` is what a server serves."""

    def __init__(self, gateway: Gateway, clock: Clock) -> None:
        self._gateway = gateway
        self._clock = clock
        self.app = Starlette(
            routes=[
                Route(gateway.settings.path, self._take, methods=["POST"]),
                Route("/status", self._show, methods=["GET"]),
                Route("/orders", self._obey, methods=["POST"]),
            ]
        )

    async def _take(self, request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return _json({"forwarded": False, "field": "body", "rule": "size"}, 413)
        answer = await self._gateway.take(body, request.headers.get(HEADER, ""))
        return Response(answer.body, answer.status, media_type=answer.content_type)

    async def _show(self, _request: Request) -> Response:
        return _json(self._gateway.show(), 200)

    async def _obey(self, request: Request) -> Response:
        """A sealed order of the watch (``guard.snapshot.WatchOrder``), in force when answered."""
        body = await _body(request)
        if body is None:
            return _json({"field": "body", "rule": "size"}, 413)
        done = self._gateway.closures.obey(body, self._clock.now())
        if isinstance(done, Refused):
            log.error("gateway.order_refused", field=done.field, why=done.detail)
            return _json({"field": done.field, "rule": done.detail}, _status_of(done))
        log.warning("gateway.order", closure=done)
        return _json({"closure": done}, 200)


def _status_of(refused: Refused) -> int:
    if refused.code is Refusal.GATE_STEP_NOT_ALLOWED:
        return 409
    return 401 if refused.field == "signature" else 400


async def _body(request: Request) -> bytes | None:
    """The body; None when it is larger than any message."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > BODY_BYTES_MAX:
            return None
    return bytes(content)


def _json(value: object, status: int) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
