"""The transit operator's door: a tap at a reader, and the day's file. Signed with its key.

Answers are JSON: ``loaded`` in rupiah for a tap; for a file the counts, or the line that is wrong.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tangguh.core.clock import Clock
from tangguh.core.errors import TangguhError
from tangguh.core.money import format_decimal
from tangguh.core.outcome import Refused
from tangguh.rails import signature
from tangguh.rails.emoney.spend import FileRefused
from tangguh.web.api.operations import read_body
from tangguh.web.problems import Trouble
from tangguh.work.transit import TransitDesk

TAPS: str = "/emoney/taps"
FILES: str = "/emoney/files"
_FILE_BYTES_MAX = 32 * 1024 * 1024
_SKEW_SECONDS = 300.0


class Tap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card at a reader: ``tap`` rises with every tap of the card."""

    number: str
    tap: int
    reader: str = ""


def routes(desk: TransitDesk, key: RSAPublicKey, clock: Clock) -> list[BaseRoute]:
    """Both of the operator's paths."""
    return [
        Route(TAPS, _signed(_take_tap, desk, key, clock), methods=["POST"]),
        Route(FILES, _signed(_take_file, desk, key, clock), methods=["POST"]),
    ]


async def _take_tap(desk: TransitDesk, body: bytes) -> Response:
    try:
        tap = msgspec.json.decode(body, type=Tap)
    except msgspec.MsgspecError as fault:
        return _answer(400, {"field": "body", "rule": str(fault)})
    loaded = await desk.tap(tap.number, tap.tap)
    if loaded is None or isinstance(loaded, Refused):
        return _answer(404, {"field": "number", "rule": "is not a card of this bank"})
    return _answer(200, {"loaded": format_decimal(loaded)})


async def _take_file(desk: TransitDesk, body: bytes) -> Response:
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError:
        return _answer(400, {"line": 1, "field": "file", "rule": "is ASCII"})
    found = await desk.take_file(text)
    status = 400 if isinstance(found, FileRefused) else 200
    return _answer(status, msgspec.structs.asdict(found))


def _signed(
    serve: Callable[[TransitDesk, bytes], Awaitable[Response]],
    desk: TransitDesk,
    key: RSAPublicKey,
    clock: Clock,
) -> Callable[[Request], Awaitable[Response]]:
    async def take(request: Request) -> Response:
        try:
            body = await read_body(request, _FILE_BYTES_MAX)
        except Trouble:
            return _answer(413, {"field": "body", "rule": "is too large"})
        stamp = request.headers.get("x-timestamp", "")
        said_at = signature.read_timestamp(stamp)
        fresh = (
            said_at is not None and abs((clock.now() - said_at).total_seconds()) <= _SKEW_SECONDS
        )
        text = signature.text_of_call("POST", request.url.path, None, body, stamp)
        given = request.headers.get("x-signature", "")
        if not fresh or not signature.verify_asymmetric(key, text, given):
            return _answer(401, {"field": "X-SIGNATURE", "rule": "is not the operator's"})
        try:
            return await serve(desk, body)
        except TangguhError:
            return _answer(503, {"field": "", "rule": "not taken now; send it again"})

    return take


def _answer(status: int, body: object) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
