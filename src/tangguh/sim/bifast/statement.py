"""``GET /bifast/statement``: the settlement account read by a watcher, as it happens.

The asker signs with a *watch* key of its own, never the one messages are sealed with: whoever owns
the connector must not be able to blind the watch, nor the watch to pay. The answer is signed by the
hub. ``wait`` keeps the question open until there is a row to tell, so that nobody has to hurry.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tangguh.core import numbers
from tangguh.core.clock import Clock
from tangguh.core.errors import Misconfigured
from tangguh.sim.bifast.books import HubBooks, StatementRow

PATH: Final = "/bifast/statement"
TIMESTAMP: Final = "X-Watch-Timestamp"
SIGNATURE: Final = "X-Watch-Signature"
HUB_SIGNATURE: Final = "X-Hub-Signature"
_AGE_SECONDS_MAX: Final = 60.0
_ROWS_MAX: Final = 1_000
_WAIT_SECONDS_MAX: Final = 30.0
_WAIT_ASKED_MAX: Final = 3_600.0
_SEQ_MAX: Final = 2**62
_DUE_SECONDS: Final = 0.25
"""How often a waiting question looks for transfers that have become due by themselves."""


class Page(msgspec.Struct, frozen=True):
    """What is told: the account now, the number of its newest row, and the rows asked for."""

    participant: str
    balance_minor: int
    reserved_minor: int
    is_limited: bool
    last_seq: int
    rows: list[StatementRow]


class Statement:
    """The handler. ``conclude`` ends what has become due, so that it is seen here too."""

    def __init__(
        self,
        *,
        books: HubBooks,
        clock: Clock,
        key: RSAPrivateKey,
        watch_public_key_path: str,
        participant: str,
        conclude: Callable[[], None],
    ) -> None:
        """Raises Misconfigured when the watch's key cannot be read. Empty: nobody may ask."""
        self._books = books
        self._clock = clock
        self._key = key
        self._watch_key = _key_at(watch_public_key_path) if watch_public_key_path else None
        self._participant = participant
        self._conclude = conclude
        self._is_closing = False
        self.route = Route(PATH, self._serve, methods=["GET"])

    def close(self) -> None:
        """Answer whoever waits with what there is, and let nobody wait any more."""
        self._is_closing = True
        for entered in self._books.waiting:
            entered.set()

    def open(self) -> None:
        """Whoever asks may wait again."""
        self._is_closing = False

    async def _serve(self, request: Request) -> Response:
        if why := self._judge(request):
            return Response(msgspec.json.encode({"error": why}), 401, media_type="application/json")
        asked = request.query_params
        after = numbers.whole(asked.get("after", "0"), _SEQ_MAX)
        limit = numbers.whole(asked.get("limit", "100"), _SEQ_MAX)
        wait = numbers.decimal(asked.get("wait", "0"), _WAIT_ASKED_MAX)
        if after is None or limit is None or wait is None:
            error = {"error": "after, limit and wait are numbers"}
            return Response(msgspec.json.encode(error), 400, media_type="application/json")
        wait = min(wait, _WAIT_SECONDS_MAX)
        limit = min(max(limit, 1), _ROWS_MAX)
        rows = self._rows(after, limit)
        if not rows and wait:
            rows = await self._wait(after, limit, wait)
        last = self._books.last()
        page = Page(
            participant=self._participant,
            balance_minor=self._books.balance_minor,
            reserved_minor=self._books.reserved_minor,
            is_limited=self._books.is_limited,
            last_seq=last.seq if last is not None else 0,
            rows=rows,
        )
        body = msgspec.json.encode(page)
        made = base64.b64encode(self._key.sign(body, PKCS1v15(), hashes.SHA256())).decode()
        return Response(body, 200, headers={HUB_SIGNATURE: made}, media_type="application/json")

    async def _wait(self, after: int, limit: int, seconds: float) -> list[StatementRow]:
        """Until there is a row to tell. Real seconds: it is a caller's connection that waits."""
        entered = asyncio.Event()
        self._books.waiting.add(entered)
        try:
            async with asyncio.timeout(seconds):
                while not (rows := self._rows(after, limit)) and not self._is_closing:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(entered.wait(), _DUE_SECONDS)
                    entered.clear()
            return rows
        except TimeoutError:
            return []
        finally:
            self._books.waiting.discard(entered)

    def _rows(self, after: int, limit: int) -> list[StatementRow]:
        self._conclude()
        return self._books.statement(after, limit)

    def _judge(self, request: Request) -> str:
        if self._watch_key is None:
            return "nobody watches here"
        written = request.headers.get(TIMESTAMP, "")
        query = request.url.query
        try:
            said_at = datetime.fromisoformat(written)
            age = abs((self._clock.now() - said_at).total_seconds())
            made = base64.b64decode(request.headers.get(SIGNATURE, ""), validate=True)
            self._watch_key.verify(made, text_of(PATH + (f"?{query}" if query else ""), written))
        except InvalidSignature:
            return "not signed by the watch"
        except (binascii.Error, ValueError, TypeError):
            return "no signature"
        return "too old" if age > _AGE_SECONDS_MAX else ""


def text_of(path: str, timestamp: str) -> bytes:
    """What the watch signs: the path with its query as sent, and the instant it says."""
    return f"GET\n{path}\n{timestamp}".encode()


def _key_at(path: str) -> Ed25519PublicKey:
    try:
        key = serialization.load_pem_public_key(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise Misconfigured(f"the simulator finds no public key at {path}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Misconfigured(f"the public key at {path} is not Ed25519")
    return key
