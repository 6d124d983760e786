"""The transit operator's door: a tap at a reader, and the day's file. Signed with its key.

Answers are JSON: ``loaded`` in rupiah for a tap; for a file the counts, or the line that is wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tangguh.access.rate import Backoff
from tangguh.core.clock import Clock
from tangguh.core.errors import TangguhError
from tangguh.core.json_once import RepeatedName
from tangguh.core.money import format_decimal
from tangguh.core.outcome import Refused
from tangguh.core.text import refuse
from tangguh.listeners.limits import Limit, limited
from tangguh.rails import signature
from tangguh.rails.emoney.spend import FileRefused
from tangguh.web.api.operations import decode_once, read_body
from tangguh.web.problems import Trouble
from tangguh.work.transit import TransitDesk

TAPS: str = "/emoney/taps"
FILES: str = "/emoney/files"
_TAP_BYTES_MAX = 4 * 1024
_FILE_BYTES_MAX = 24 * 1024 * 1024
"""Two hundred thousand lines (``spend.LINES_MAX``) of 120 bytes."""
_FILE_SECONDS = 3600.0
_STAMP_MAX = 40
_SKEW_SECONDS = 300.0


_Serve = Callable[[TransitDesk, bytes], Awaitable[Response]]


class Tap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card at a reader: ``tap`` rises with every tap of the card."""

    number: str
    tap: int
    reader: str = ""


def routes(desk: TransitDesk, key: RSAPublicKey, clock: Clock) -> list[BaseRoute]:
    """Both of the operator's paths."""
    gate = _Gate(desk, key, clock)
    file = Limit(body_bytes_max=_FILE_BYTES_MAX, seconds=_FILE_SECONDS, nesting_max=0)
    return [
        limited(Route(TAPS, gate.take_tap, methods=["POST"]), Limit(body_bytes_max=_TAP_BYTES_MAX)),
        limited(Route(FILES, gate.take_file, methods=["POST"]), file),
    ]


async def _take_tap(desk: TransitDesk, body: bytes) -> Response:
    try:
        tap = decode_once(body, Tap)
    except RepeatedName as fault:
        return _answer(400, {"field": fault.name, "rule": str(fault)})
    except (msgspec.MsgspecError, ValueError) as fault:
        return _answer(400, {"field": "body", "rule": str(fault)})
    if rule := refuse(tap.number) or refuse(tap.reader):
        return _answer(400, {"field": "number" if refuse(tap.number) else "reader", "rule": rule})
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


class _Gate:
    """Who may send what: the operator, by signature over what was sent.

    Whatever can be judged without the body is judged before it is taken: the time, the signature's
    form, how often this source was wrong. Only one file is judged at a time, off the loop.
    """

    def __init__(self, desk: TransitDesk, key: RSAPublicKey, clock: Clock) -> None:
        self._desk = desk
        self._key = key
        self._clock = clock
        self._files = asyncio.Lock()
        self._wrong = Backoff(clock, free=5, first=1.0, most=900.0, memory=3600.0)

    async def take_tap(self, request: Request) -> Response:
        """A tap: small, and answered while the card is at the reader."""
        return await self._take(request, _TAP_BYTES_MAX, _take_tap)

    async def take_file(self, request: Request) -> Response:
        """A day's file."""
        if self._files.locked():
            return _answer(503, {"field": "", "rule": "another file is being read; send it again"})
        host = request.client.host if request.client else ""
        if self._wrong.seconds_until_allowed(host):
            return _answer(429, {"field": "X-SIGNATURE", "rule": "was wrong too often"})
        async with self._files:
            answer = await self._take(request, _FILE_BYTES_MAX, _take_file)
        if answer.status_code == 401:
            self._wrong.failed(host)
        return answer

    async def _take(self, request: Request, bytes_max: int, serve: _Serve) -> Response:
        stamp = request.headers.get("x-timestamp", "")
        given = request.headers.get("x-signature", "")
        if request.url.query:
            return _answer(400, {"field": "query", "rule": "is not signed and not part of it"})
        if not self._is_fresh(stamp) or not signature.may_be_asymmetric(self._key, given):
            return _not_theirs()
        try:
            body = await read_body(request, bytes_max)
        except Trouble as said:
            return _answer(said.problem.status, {"field": "body", "rule": said.problem.title})
        path = request.url.path
        text = await asyncio.to_thread(signature.text_of_call, "POST", path, None, body, stamp)
        if not signature.verify_asymmetric(self._key, text, given):
            return _not_theirs()
        try:
            return await serve(self._desk, body)
        except TangguhError:
            return _answer(503, {"field": "", "rule": "not taken now; send it again"})

    def _is_fresh(self, stamp: str) -> bool:
        said_at = signature.read_timestamp(stamp) if len(stamp) <= _STAMP_MAX else None
        if said_at is None:
            return False
        return abs((self._clock.now() - said_at).total_seconds()) <= _SKEW_SECONDS


def _not_theirs() -> Response:
    return _answer(401, {"field": "X-SIGNATURE", "rule": "is not the operator's"})


def _answer(status: int, body: object) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
