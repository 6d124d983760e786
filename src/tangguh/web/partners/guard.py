"""The guard's door: the signed board for the bank's edges, and orders of the watch.

``GET /guard/snapshot?version=N&wait=S`` answers at once when the board is not version N, else when
it changes or S seconds are over. The board names accounts, so only an edge that signs its question
may read it. ``POST /guard/orders`` takes a sealed order of the watch.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Final

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tangguh.core import numbers
from tangguh.core.authorisation import load_public
from tangguh.core.errors import Misconfigured, TangguhError
from tangguh.core.outcome import Refusal, Refused
from tangguh.guard.asking import EDGE, refuse
from tangguh.guard.board import Board
from tangguh.guard.snapshot import Snapshot, open_order, seal
from tangguh.listeners.limits import Limit, limited
from tangguh.payments.desk import Desk
from tangguh.payments.gates.change import ReadBoard
from tangguh.web.api.operations import read_body
from tangguh.web.problems import Trouble
from tangguh.work.guardian import Guardian, GuardSettings

log = structlog.get_logger("web.guard")

SNAPSHOT: Final = "/guard/snapshot"
ORDERS: Final = "/guard/orders"
_WAIT_SECONDS_MAX: Final = 10.0
_WAIT_ASKED_MAX: Final = 3_600
"""More than the longest wait is shortened; more than this is a mistake of whoever asks."""
_VERSION_MAX: Final = 2**62
_ANY_VERSION: Final = "-1"
"""What an edge asks with that has no board yet."""
_LOOK_SECONDS: Final = 1.0
"""How often a waiting edge's board is read all the same, should a change not have been told."""
_BODY_BYTES_MAX: Final = 64 * 1024


class GuardDoor:
    """Both paths. Raises Misconfigured when a key that is set cannot be used."""

    def __init__(
        self, desk: Desk, guardian: Guardian, book_id: int, settings: GuardSettings
    ) -> None:
        self._desk = desk
        self._guardian = guardian
        self._book_id = book_id
        self._key = _private(settings.snapshot_key_path)
        self._edge = _public(settings.edge_public_key_path)
        self._watch = _public(settings.watch_public_key_path)
        self._waiting: set[asyncio.Event] = set()
        self._closing = False
        desk.on_gates(self.ring)

    def routes(self) -> list[BaseRoute]:
        """What is set up: a bank without these keys has no such door."""
        found: list[BaseRoute] = []
        if self._key is not None and self._edge is not None:
            found.append(Route(SNAPSHOT, self._show, methods=["GET"]))
        if self._watch is not None:
            taken = Route(ORDERS, self._take, methods=["POST"])
            found.append(limited(taken, Limit(body_bytes_max=_BODY_BYTES_MAX)))
        return found

    def ring(self) -> None:
        """The board may have changed: let everybody who waits look."""
        for event in self._waiting:
            event.set()

    def close(self) -> None:
        """Let nobody wait any more: the bank is stopping."""
        self._closing = True
        self.ring()

    async def _show(self, request: Request) -> Response:
        query = request.url.query
        path = SNAPSHOT + (f"?{query}" if query else "")
        now = self._desk.clock.now()
        assert self._edge is not None
        assert self._key is not None
        if why := refuse(EDGE, path, request.headers, now, self._edge):
            return _json({"error": why}, 401)
        asked = request.query_params
        version = _version(asked.get("version", _ANY_VERSION))
        wait = numbers.decimal(asked.get("wait", "0"), _WAIT_ASKED_MAX)
        if version is None or wait is None:
            error = f"version is a whole number, wait a number of seconds up to {_WAIT_ASKED_MAX}"
            return _json({"error": error}, 400)
        try:
            board = await self._newer_than(version, min(wait, _WAIT_SECONDS_MAX))
        except TangguhError:
            return _json({"error": "the book does not answer"}, 503)
        snapshot = Snapshot(self._book_id, self._desk.clock.now(), board)
        return Response(seal("snapshot", snapshot, self._key), media_type="application/json")

    async def _newer_than(self, version: int, wait: float) -> Board:
        """The board once it is another version, or when the time is up."""
        event = asyncio.Event()
        self._waiting.add(event)
        board = await self._desk.decide(ReadBoard())
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    while board.version == version and not self._closing:
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(event.wait(), _LOOK_SECONDS)
                        event.clear()
                        board = await self._desk.decide(ReadBoard())
        finally:
            self._waiting.discard(event)
        return board

    async def _take(self, request: Request) -> Response:
        try:
            body = await read_body(request, _BODY_BYTES_MAX)
        except Trouble:
            return _json({"field": "body", "rule": "size"}, 413)
        assert self._watch is not None
        order = open_order(body, self._watch)
        if isinstance(order, str):
            log.error("guard.order_refused", why=order)
            return _json({"field": "signature", "rule": order}, 401)
        try:
            done = await self._guardian.take_order(order)
        except TangguhError:
            return _json({"field": "", "rule": "not taken now; send it again"}, 503)
        if isinstance(done, Refused):
            log.error("guard.order_refused", field=done.field, why=done.detail)
            status = 409 if done.code is Refusal.GATE_STEP_NOT_ALLOWED else 400
            return _json({"field": done.field, "rule": done.detail}, status)
        return _json({"closure": str(done.id)}, 200)


def _version(text: str) -> int | None:
    return -1 if text == _ANY_VERSION else numbers.whole(text, _VERSION_MAX)


def _pem(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as fault:
        raise Misconfigured(f"guard: {path}: {fault.strerror}") from fault


def _private(path: str) -> Ed25519PrivateKey | None:
    if not path:
        return None
    try:
        key = load_pem_private_key(_pem(path), password=None)
    except (ValueError, TypeError) as fault:
        raise Misconfigured(f"guard.snapshot_key_path: no readable key at {path}") from fault
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(f"guard.snapshot_key_path: the key at {path} is not Ed25519")
    return key


def _public(path: str) -> Ed25519PublicKey | None:
    return load_public(_pem(path), path) if path else None


def _json(body: object, status: int) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
