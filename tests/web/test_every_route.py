"""Every route of every process, as its running application lists them: what a stranger sends is
bounded before it is believed. A route that is added is walked too.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.routing import BaseRoute, Route

from conftest import QUICK
from paper import PaperRail, paper_rails
from stories import count_of
from tangguh.app import Bank
from tangguh.cli.outside import NETWORKS, Outside
from tangguh.cli.place import Place
from tangguh.config import Settings
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.listeners.entry import Entry
from tangguh.listeners.limits import SMALL

SRC = Path(__file__).parent.parent.parent / "src" / "tangguh"
NOON = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
TABLES = ("payments", "postings", "entries", "sessions", "acts")
LARGE = 24 * 1024 * 1024
"""No operation takes more: whoever declares more explains it here."""
_SENDING = {"POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The keys of a household, made once."""
    made = Place(tmp_path_factory.mktemp("place"))
    made.take()
    return made


@pytest.fixture
async def whole(dsn: str, place: Place) -> AsyncIterator[Bank]:
    """A bank with every partner's routes."""
    outside = Outside(
        place, "http://127.0.0.1:1", "http://127.0.0.1:2", 1, dict.fromkeys(NETWORKS, 3)
    )
    values: dict[str, Any] = msgspec.to_builtins(QUICK) | outside.bank_settings()
    values["guard"] |= outside.guard_settings()
    values["notices"] |= outside.post.bank_settings(QUICK.notices)
    values["status"] = {
        "snapshot_key_path": str(place.signing_pair("status")[0]),
        "page_url": "http://127.0.0.1:4",
    }
    values["cycles"] = values["treasury"] = None
    clock = HandClock(NOON)
    bank = await Bank.open(
        msgspec.convert(values, Settings),
        dsn,
        rails=paper_rails(PaperRail()),
        clock=clock,
        ids=Ids(clock, random.Random(1)),
    )
    yield bank
    await bank.close()


class Sent:
    """One request, and what was taken of it and answered."""

    def __init__(self, entry: Entry, method: str, path: str) -> None:
        self.entry, self.method, self.path = entry, method, path
        self.status = 0
        self.taken = 0

    async def __call__(
        self, *pieces: bytes, declared: int | None = None, media: bytes, ends: bool = True
    ) -> int:
        waiting = list(pieces)
        headers = [(b"content-type", media), (b"host", b"x")]
        headers += (
            [(b"content-length", str(declared).encode())]
            if declared is not None
            else [(b"transfer-encoding", b"chunked")]
        )

        async def receive() -> dict[str, Any]:
            if not waiting:
                return {"type": "http.disconnect"}
            piece = waiting.pop(0)
            self.taken += len(piece)
            more = bool(waiting) or not ends
            return {"type": "http.request", "body": piece, "more_body": more}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]

        scope = {
            "type": "http", "method": self.method, "path": self.path, "raw_path": b"",
            "query_string": b"", "headers": headers, "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80), "scheme": "http", "root_path": "", "state": {},
            "http_version": "1.1", "asgi": {"version": "3.0", "spec_version": "2.3"},
        }  # fmt: skip
        async with asyncio.timeout(5):
            await self.entry(scope, receive, send)  # type: ignore[arg-type]
        return self.status


def routes_of(app: Any) -> list[BaseRoute]:
    """The routes behind whatever wraps them."""
    while not hasattr(app, "routes"):
        app = getattr(app, "app", None) or app._app
    return list(app.routes)


def doors_of(entry: Entry) -> list[tuple[str, str]]:
    """Every method that sends something, at every path."""
    found = []
    for route in routes_of(entry):
        path = getattr(route, "path", "")
        methods = getattr(route, "methods", None) or set()
        if isinstance(route, Route):
            for method in sorted(_SENDING & set(methods)):
                found += [(method, re.sub(r"\{[^}]*\}", "x1", path))]
    return found


MEDIA = (b"application/json", b"application/x-www-form-urlencoded", b"application/octet-stream")


async def test_every_route_refuses_what_is_too_large_before_it_is_read(whole: Bank) -> None:
    """A declared length is refused unread; an undeclared one as soon as it is over the limit."""
    entry = whole.web()
    doors = doors_of(entry)
    assert len(doors) > 80, "the walk walks nothing"
    assert {"/v1/payments", "/emoney/files", "/bifast/messages", "/guard/orders"} <= {
        path for _, path in doors
    }
    for method, path in doors:
        limit = entry.limits.of(method, path).body_bytes_max
        assert limit <= LARGE, path
        declared = Sent(entry, method, path)
        assert await declared(b"x", declared=limit + 1, media=MEDIA[0]) == 413, (method, path)
        assert declared.taken == 0, (method, path)
        endless = Sent(entry, method, path)
        pieces = [b"x" * 32_768] * (limit // 32_768 + 50)
        status = await endless(*pieces, media=MEDIA[0], ends=False)
        assert 300 <= status < 500, (method, path, status)
        assert endless.taken <= limit + 32_768, (method, path)


async def test_every_route_takes_nested_and_half_sent_bodies_for_what_they_are(
    whole: Bank,
) -> None:
    """No 5xx, no success, and no row in any table that matters."""
    entry = whole.web()
    before = [await count_of(whole, table) for table in TABLES]
    deep = b"[" * 9_000 + b"]" * 9_000
    objects = b'{"a":' * 3_000 + b"1" + b"}" * 3_000
    for method, path in doors_of(entry):
        for media in MEDIA:
            for body in (deep, objects, b"\x00" * 2_000, b"\xff\xfe"):
                status = await Sent(entry, method, path)(body, declared=len(body), media=media)
                assert 300 <= status < 500, (method, path, media, status)
            status = await Sent(entry, method, path)(
                b'{"phone":"62811', declared=500, media=media, ends=False
            )
            assert 300 <= status < 500, (method, path, "half", status)
    assert [await count_of(whole, table) for table in TABLES] == before


def test_only_a_few_routes_take_more_than_a_small_body() -> None:
    """Whoever declares a large body is found by a search; this is what the search finds."""
    declared = sorted(
        path.relative_to(SRC).as_posix()
        for path in SRC.rglob("*.py")
        if re.search(r"(?<![_\w])limited\(", path.read_text()) and "listeners" not in path.parts
    )
    assert declared == [
        "web/pages/frame.py",
        "web/partners/guard.py",
        "web/partners/hub.py",
        "web/partners/transit.py",
        "web/server.py",
        "web/staff/door.py",
    ]


def test_every_listener_is_made_where_its_limits_are() -> None:
    """Whoever listens without limits is found, also one that is added later."""
    listens = re.compile(
        r"uvicorn\.Config\(|\.create_server\(|start_server\(|start_unix_server\(|TCPSite\("
        r"|create_datagram_endpoint\("
    )
    found = {
        path.relative_to(SRC).as_posix(): path.read_text()
        for path in SRC.rglob("*.py")
        if listens.search(path.read_text())
    }
    benches = {
        "cli/bench/iso8583.py",
        "cli/drills/sick/mutated_frames.py",
    }  # a network of their own
    assert set(found) - benches == {
        "listeners/http.py",
        "rails/iso8583/door.py",
        "sim/cards/switch.py",
        "sim/post/mail.py",
    }
    for name in set(found) - benches - {"listeners/http.py"}:
        assert "Connections(" in found[name], f"{name} counts no connections by source"
        assert "LineLimits" in found[name], f"{name} has no deadlines"
    for path in SRC.rglob("*.py"):
        text = path.read_text()
        if "listeners.http import" in text and path.name not in {"serve.py"}:
            assert re.search(r"Entry\(\s*\w*app", text), f"{path} serves without the entry"


def test_a_small_body_is_what_holds_where_nothing_is_said() -> None:
    """The default is small; an operation that needs more says so beside its route."""
    assert SMALL.body_bytes_max <= 64 * 1024
    assert SMALL.seconds <= 30
    assert SMALL.nesting_max <= 64
