"""An API operation: one method on one path, with the shapes it takes and gives.

The same table makes the routes and the OpenAPI document, so the two cannot part. What every
operation has in common (session, body, headers, problems) is done here, once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from tangguh.access.consent import By, Consent
from tangguh.access.session import Kind, Session, is_signed, signature
from tangguh.core.errors import (
    Ambiguous,
    FenceLost,
    InvariantBroken,
    Overloaded,
    StoreUnavailable,
    TangguhError,
)
from tangguh.core.json_once import RepeatedName, read_once
from tangguh.core.redaction.redact import Secret
from tangguh.web.api.parameters import KEY, SIGNATURE, TIMESTAMP, Parameter
from tangguh.web.door import Door
from tangguh.web.gate import check_body, fields_without_secrets, free_fields, removed_header
from tangguh.web.problems import CONTENT_TYPE, Problem, Trouble, problem, trouble

log = structlog.get_logger("web")

S = TypeVar("S")
_EXACT_MAX: Final = 2.0**53
_encode: Final = msgspec.json.Encoder().encode


class Call(msgspec.Struct, frozen=True):
    """What a handler gets: the request, the bank, who asks, the decoded body, the key.

    ``removed``: which secrets the body's words had; they are gone from ``body``.
    """

    request: Request
    door: Door
    session: Session | None
    body: Any
    raw: bytes
    key: str
    signed: Consent | None = None
    removed: tuple[Secret, ...] = ()

    @property
    def consent(self) -> Consent:
        """The customer's yes. Only operations that move money, now or later, may ask this."""
        if self.signed is None:
            raise InvariantBroken("an operation moves money and does not ask for a signature")
        return self.signed

    @property
    def logged_in(self) -> Session:
        """The session. Only operations that need one may ask this."""
        if self.session is None:
            raise trouble("not_logged_in")
        return self.session

    @property
    def customer_id(self) -> int:
        """Who asks. Only operations that need a session may ask this."""
        return self.logged_in.customer_id


class Answer(msgspec.Struct, frozen=True):
    """What a handler gives: a body (None for 204), its status, extra headers.

    With ``media`` the body is bytes and goes out as it is.
    """

    body: Any
    status: int = 200
    headers: dict[str, str] = {}
    media: str = "application/json"


Handler = Callable[[Call], Awaitable[Answer]]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the API: everything the router and the document need.

    ``problems`` are the codes beyond those every operation can answer. ``moves_money``,
    now or later: the request needs an Idempotency-Key and the device's signature; ``needs_key``:
    the key alone.
    ``takes_files``: the body is one file of these media, of at most ``file_bytes_max``;
    ``gives_file`` is the medium of an answer that is a file; ``gives_location``: the answer says
    where it is from now on. ``keeps_lines``: fields of the body
    whose texts have line feeds; ``typed``: numbers as a person typed or pasted them.
    """

    id: str
    method: str
    path: str
    summary: str
    handler: Handler
    takes: Any = None
    gives: Any = None
    statuses: tuple[int, ...] = (200,)
    needs_session: bool = True
    moves_money: bool = False
    needs_key: bool = False
    takes_files: tuple[str, ...] = ()
    file_bytes_max: int = 0
    gives_file: str = ""
    gives_location: bool = False
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[str, ...] = ()
    keeps_lines: frozenset[str] = frozenset()
    typed: frozenset[str] = frozenset()


class _Said(Response):
    """A whole answer whose medium needs no charset; its headers are written down once."""

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        raw = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in (headers or {}).items()
        ]
        raw.append((b"content-length", str(len(self.body)).encode()))
        raw.append((b"content-type", (self.media_type or "").encode("latin-1")))
        self.raw_headers = raw


class Endpoint:
    """Runs one operation: checks what all share, calls the handler, answers or explains."""

    def __init__(self, door: Door, operation: Operation) -> None:
        self._door = door
        self._operation = operation
        self._decoder = (
            msgspec.json.Decoder(operation.takes) if operation.takes is not None else None
        )
        self._free = free_fields(operation.takes) if operation.takes is not None else {}

    async def __call__(self, request: Request) -> Response:
        try:
            call = await self._call(request)
            answer = await self._operation.handler(call)
        except Trouble as found:
            return problem_response(found.problem)
        except TangguhError as error:
            return problem_response(of_error(error))
        if answer.body is None:
            return Response(status_code=answer.status, headers=answer.headers)
        body = answer.body if isinstance(answer.body, bytes) else _encode(answer.body)
        headers = answer.headers
        if call.removed:
            headers = headers | removed_header(call.removed)
        return _Said(body, answer.status, headers, media_type=answer.media)

    async def _call(self, request: Request) -> Call:
        session = await self._session(request) if self._operation.needs_session else None
        raw = b""
        body = None
        removed: tuple[Secret, ...] = ()
        if self._decoder is not None:
            raw = await read_body(request, self._door.settings.body_bytes_max)
            body = self._decode(request, raw)
            if free := self._free.get(type(body)):
                body, removed = fields_without_secrets(body, free)
        elif self._operation.takes_files:
            raw = await self._file(request)
        key = ""
        if self._operation.needs_key:
            key = idempotency_key(request)
        signed = None
        if self._operation.moves_money and session is not None:
            key = idempotency_key(request)
            signed = check_signature(self._door, request, session, raw, key)
        return Call(request, self._door, session, body, raw, key, signed, removed)

    async def _session(self, request: Request) -> Session:
        scheme, _, token = header(request, b"authorization").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise trouble("not_logged_in", "send Authorization: Bearer <token>")
        session = await self._door.sessions.find(token)
        if session is None or session.kind is not Kind.DEVICE:
            # A browser's token is no token of this API: it came with no key to sign with.
            raise trouble("session_ended")
        wait = self._door.requests.seconds_until_allowed(str(session.customer_id))
        if wait:
            raise rate_limited(wait)
        return session

    async def _file(self, request: Request) -> bytes:
        """One file as it is. What it really is, its bytes say later."""
        takes = self._operation.takes_files
        if _media(request) not in takes:
            raise trouble("content_type_wrong", f"send one of {', '.join(takes)}")
        return await read_body(request, self._operation.file_bytes_max)

    def _decode(self, request: Request, raw: bytes) -> Any:
        if _media(request) != "application/json":
            raise trouble("content_type_wrong", "send Content-Type: application/json")
        if self._decoder is None:
            return None
        try:
            body = decoded(self._decoder, raw)
            read_once(raw.decode())
            operation = self._operation
            check_body(raw, body, lines=operation.keeps_lines, typed=operation.typed)
            return body
        except RepeatedName as fault:
            raise trouble("json_invalid", str(fault), fault.name) from fault
        except msgspec.ValidationError as fault:
            message, _, path = str(fault).partition(" - at `")
            raise trouble("body_invalid", message, path.rstrip("`").removeprefix("$.")) from fault
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
            raise trouble("json_invalid", str(fault)) from fault


def decode_once(raw: bytes, shape: type[S]) -> S:
    """A JSON body in its shape, with no member named twice.

    Raises RepeatedName, msgspec.MsgspecError (ValidationError: the shape), ValueError: no JSON.
    """
    body = decoded(msgspec.json.Decoder(shape), raw)
    read_once(raw.decode())
    return body


def decoded(decoder: msgspec.json.Decoder[S], raw: bytes) -> S:
    """A JSON body in its shape. A whole number may be written ``15.0``: to JSON it is one.

    Raises what the decoder raises.
    """
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as fault:
        if "got `float`" not in str(fault):
            raise
        return msgspec.convert(_whole(msgspec.json.decode(raw)), decoder.type)


def _whole(value: Any) -> Any:
    """The same value with its whole numbers as whole numbers, up to what a double holds exactly."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= _EXACT_MAX else value
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    return [_whole(one) for one in value] if isinstance(value, list) else value


async def read_body(request: Request, bytes_max: int) -> bytes:
    """The whole body, refused as soon as it is known to be too large."""
    declared = header(request, b"content-length")
    if declared.isascii() and declared.isdigit() and int(declared[:19]) > bytes_max:
        raise trouble("body_too_large", f"at most {bytes_max} bytes")
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] != "http.request":
            raise trouble("body_unfinished")  # half of what was sent is not what was meant
        piece = message.get("body", b"")
        size += len(piece)
        if size > bytes_max:
            raise trouble("body_too_large", f"at most {bytes_max} bytes")
        pieces.append(piece)
        if not message.get("more_body", False):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def header(request: Request, name: bytes) -> str:
    """A header's value by its lower-case name, empty when there is none; of repeats the last.

    Reads the raw list once: the request's own mapping decodes and compares on each look-up.
    """
    scope = request.scope
    known: dict[bytes, bytes] | None = scope.get("tangguh.headers")
    if known is None:
        known = scope["tangguh.headers"] = dict(scope["headers"])
    return known.get(name, b"").decode("latin-1")


def _media(request: Request) -> str:
    return header(request, b"content-type").partition(";")[0].strip().lower()


def idempotency_key(request: Request) -> str:
    """The key the device made for this order. Raises Trouble when missing or malformed."""
    key = header(request, b"idempotency-key")
    if not KEY.fits(key):
        rule = f"1 to {KEY.length_max} printable characters, no colon"
        raise trouble("header_invalid", rule, KEY.name)
    return key


def check_signature(
    door: Door, request: Request, session: Session, raw: bytes, key: str
) -> Consent:
    """The yes in the device's signature over what it showed.

    Raises Trouble when it is missing, old or wrong.
    """
    given = header(request, b"x-signature")
    stamp = header(request, b"x-timestamp")
    if not given or not stamp:
        raise trouble("signature_missing", "send X-Timestamp and X-Signature", SIGNATURE.name)
    if not TIMESTAMP.fits(stamp):
        raise trouble("header_invalid", "seconds since 1970", TIMESTAMP.name)
    age = abs(door.clock.now().timestamp() - int(stamp))
    if age > door.sessions.settings.signature_age_seconds_max:
        raise trouble(
            "signature_expired", f"the clocks differ by {int(age)} seconds", TIMESTAMP.name
        )
    path: str = request.scope["path"]
    expected = signature(session.signing_key, request.method, path, raw, stamp, key)
    if not is_signed(given, expected):
        raise trouble("signature_wrong", "", SIGNATURE.name)
    return Consent(session.customer_id, By.SIGNATURE)


def rate_limited(seconds: float) -> Trouble:
    """Too many requests; says when to come back."""
    found = problem("rate_limited")
    return Trouble(msgspec.structs.replace(found, retry_after_seconds=max(1, round(seconds + 0.5))))


def of_error(error: TangguhError) -> Problem:
    """The problem of something nobody asked for; our bugs are logged, not shown."""
    match error:
        case Ambiguous():
            return _later("ambiguous", error)
        case StoreUnavailable() | FenceLost():
            return _later("unavailable", error)
        case Overloaded():
            return _later("overloaded", error)
        case InvariantBroken() | _:
            log.error("web.our_mistake", error=str(error))
            return problem("internal")


def _later(code: str, error: TangguhError) -> Problem:
    found = problem(code)
    if error.retry_after_seconds is None:
        return found
    return msgspec.structs.replace(found, retry_after_seconds=error.retry_after_seconds)


def problem_response(found: Problem) -> Response:
    """The problem as an HTTP answer."""
    headers: dict[str, str] = {}
    if found.retry_after_seconds is not None:
        headers["Retry-After"] = str(found.retry_after_seconds)
    if found.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(_encode(found), found.status, headers, media_type=CONTENT_TYPE)
