"""The gateway's HTTP door: messages in, orders in, a page of figures out."""

from __future__ import annotations

import base64
import binascii
from typing import Final

import msgspec
import structlog
from cryptography.exceptions import InvalidSignature
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tangguh.core.clock import Clock
from tangguh.rails.bifast.grammar.codec import BODY_BYTES_MAX
from tangguh.rails.bifast.turned import HEADER
from tangguh.work.gateway.closures import Order
from tangguh.work.gateway.gateway import Gateway
from tangguh.work.gateway.settings import ed25519_at

log = structlog.get_logger("work.gateway.door")

SIGNATURE: Final = "X-Tangguh-Signature"
"""base64 of Ed25519 over the body of an order."""


class Door:
    """The routes; ``app`` is what a server serves."""

    def __init__(self, gateway: Gateway, clock: Clock) -> None:
        """Raises Misconfigured when the key of those who order cannot be used."""
        self._gateway = gateway
        self._clock = clock
        path = gateway.settings.orders_public_key_path
        self._orders_key = ed25519_at(path, "orders_public_key_path") if path else None
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
        body = await _body(request)
        if body is None or not self._is_ordered(body, request.headers.get(SIGNATURE, "")):
            log.error("gateway.order_refused")
            return _json({"field": SIGNATURE, "rule": "signature"}, 401)
        try:
            order = msgspec.json.decode(body, type=Order)
        except msgspec.MsgspecError as fault:
            return _json({"field": "body", "rule": "form", "detail": str(fault)}, 400)
        skew = abs(self._clock.now().timestamp() - order.at)
        if skew > self._gateway.settings.clock_skew_max_seconds:
            return _json({"field": "at", "rule": "age"}, 400)
        self._gateway.closures.obey(order)
        log.warning("gateway.order", do=order.do, rail=order.rail, direction=order.direction)
        return _json({"closures": self._gateway.closures.in_force()}, 200)

    def _is_ordered(self, body: bytes, made: str) -> bool:
        if self._orders_key is None:
            return False
        try:
            self._orders_key.verify(base64.b64decode(made, validate=True), body)
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


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
