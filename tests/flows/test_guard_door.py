"""The guard's door: edges read the signed board, the watch's orders come in; nobody else is heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from conftest import QUICK
from paper import PaperRail, paper_rails
from serving import served
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.errors import Misconfigured
from tangguh.guard.asking import EDGE, WATCH, refuse, signed
from tangguh.guard.board import Board
from tangguh.guard.closure import Allowance, SignalClass, State
from tangguh.guard.scope import Scope
from tangguh.guard.snapshot import Snapshot, WatchOrder, open_snapshot, seal
from tangguh.payments.gates.change import ChangeClosure, Close, ReadBoard
from tangguh.web.partners.guard import GuardDoor
from unit.guard.test_closure import closure

KEYS = {name: Ed25519PrivateKey.generate() for name in ("guard", "edge", "watch")}


@pytest.fixture
async def guarded(dsn: str, clock: HandClock, tmp_path: Path) -> AsyncIterator[tuple[Bank, str]]:
    """A bank with all three keys, its web door open."""
    for name, key in KEYS.items():
        (tmp_path / name).write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        (tmp_path / f"{name}.public").write_bytes(
            key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
    settings = msgspec.structs.replace(
        QUICK,
        guard=msgspec.structs.replace(
            QUICK.guard,
            snapshot_key_path=str(tmp_path / "guard"),
            edge_public_key_path=str(tmp_path / "edge.public"),
            watch_public_key_path=str(tmp_path / "watch.public"),
        ),
    )
    bank = await Bank.open(settings, dsn, rails=paper_rails(PaperRail()), clock=clock)
    async with served(bank.web()) as url:
        yield bank, url
        bank.let_go()
    await bank.close()


async def ask(bank: Bank, url: str, query: str, name: str = "edge") -> tuple[int, bytes]:
    path = f"/guard/snapshot{query}"
    headers = signed(EDGE, path, bank.clock.now(), KEYS[name])
    async with aiohttp.ClientSession() as http:
        async with http.get(url + path, headers=headers) as answer:
            return answer.status, await answer.read()


async def board_at(bank: Bank, url: str, version: int = -1, wait: float = 0) -> Board:
    status, data = await ask(bank, url, f"?version={version}&wait={wait}")
    assert status == 200
    found = open_snapshot(data, KEYS["guard"].public_key())
    assert isinstance(found, Snapshot), found
    assert found.book_id == 1
    return found.board


async def order(url: str, data: bytes) -> int:
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{url}/guard/orders", data=data) as answer:
            return answer.status


def ordered(bank: Bank, name: str = "watch", **changes: Any) -> bytes:
    now = bank.clock.now()
    plain = {"made_at": now, "expires_at": now + timedelta(minutes=60)}
    return seal("order", WatchOrder(closure(**(plain | changes))), KEYS[name])


async def test_the_board_is_told_when_it_changes(guarded: tuple[Bank, str]) -> None:
    """At once when the version is another; else as soon as somebody closes something."""
    bank, url = guarded
    assert (await board_at(bank, url)).version == 0
    waiting = asyncio.create_task(board_at(bank, url, 0, 10))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    now = bank.clock.now()
    await bank.desk.decide(
        Close(closure=closure(made_at=now, expires_at=now + timedelta(minutes=5)))
    )
    async with asyncio.timeout(0.9):
        board = await waiting
    assert (board.version, len(board.closures)) == (1, 1)


async def test_the_same_board_after_the_wait_and_when_the_bank_stops(
    guarded: tuple[Bank, str],
) -> None:
    """Nobody who waits keeps the bank from stopping."""
    bank, url = guarded
    assert (await board_at(bank, url, 0, 0.1)).version == 0
    waiting = asyncio.create_task(board_at(bank, url, 0, 10))
    await asyncio.sleep(0.1)
    bank.let_go()
    async with asyncio.timeout(0.9):
        assert (await waiting).version == 0


async def test_only_an_edge_may_read(guarded: tuple[Bank, str]) -> None:
    """The board names accounts."""
    bank, url = guarded
    assert (await ask(bank, url, "?version=0", "watch"))[0] == 401
    assert (await ask(bank, url, "?version=x"))[0] == 400
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{url}/guard/snapshot") as answer:
            assert answer.status == 401


async def test_the_watchs_order_is_in_force_and_written_down(guarded: tuple[Bank, str]) -> None:
    """Once, however often it is sent; and with an act of its own."""
    bank, url = guarded
    assert await order(url, ordered(bank)) == 200
    assert await order(url, ordered(bank)) == 200
    board = await bank.desk.decide(ReadBoard())
    assert [str(one.scope) for one in board.closures] == ["rail=bifast direction=out"]
    rows = await bank.pool.fetch("SELECT actor, what FROM acts WHERE what = 'order.taken'")
    assert [tuple(row) for row in rows] == [("watch", "order.taken")]


async def test_orders_that_are_not_taken(guarded: tuple[Bank, str]) -> None:
    """Another key, scope, class or effect; too old; rubbish."""
    bank, url = guarded
    assert await order(url, ordered(bank, "edge")) == 401
    assert await order(url, b"{}") == 401
    for changes in (
        {"scope": Scope(direction="out")},
        {"signal_class": SignalClass.ABUSE, "expires_at": bank.clock.now() + timedelta(minutes=9)},
        {"allowance": Allowance(permille=1)},
        {"made_at": bank.clock.now() - timedelta(minutes=61), "expires_at": bank.clock.now()},
        {"evidence": "another"},
    ):
        assert await order(url, ordered(bank, **changes)) == 400, changes
    assert (await bank.desk.decide(ReadBoard())).closures == ()


async def test_found_again_on_the_ladder_it_is_closed_again(guarded: tuple[Bank, str]) -> None:
    """F75: at one per cent something is unmatched: back to nothing at once, no vote."""
    bank, url = guarded
    assert await order(url, ordered(bank)) == 200
    for to in (State.CONFIRMED, State.RECOVERING):
        await bank.desk.decide(
            ChangeClosure(
                closure_id=UUID(int=1), to=to, what="x", by=("staff:1",),
                allowance=Allowance(permille=10), sets_allowance=True,
            )
        )  # fmt: skip
    assert await order(url, ordered(bank, id=UUID(int=2))) == 200
    (one,) = (await bank.desk.decide(ReadBoard())).closures
    assert (one.id, one.state, one.allowance) == (UUID(int=1), State.CONFIRMED, None)


async def test_an_order_that_has_ended_does_not_come_back(guarded: tuple[Bank, str]) -> None:
    """Kept and said again, it closes nothing."""
    bank, url = guarded
    assert await order(url, ordered(bank)) == 200
    await bank.desk.decide(
        ChangeClosure(closure_id=UUID(int=1), to=State.FALSE_POSITIVE, what="x", by=("staff:1",))
    )
    assert await order(url, ordered(bank)) == 409
    assert (await board_at(bank, url)).ended == (UUID(int=1),)


def test_a_question_is_of_its_asker_its_path_and_its_minute(clock: HandClock) -> None:
    now, key = clock.now(), KEYS["edge"]
    said = signed(EDGE, "/a?b=1", now, key)
    assert refuse(EDGE, "/a?b=1", said, now, key.public_key()) == ""
    assert refuse(EDGE, "/a?b=2", said, now, key.public_key())
    assert refuse(EDGE, "/a?b=1", said, now + timedelta(seconds=61), key.public_key()) == "too old"
    assert refuse(WATCH, "/a?b=1", said, now, key.public_key()) == "no signature"
    assert refuse(EDGE, "/a?b=1", said, now, KEYS["watch"].public_key())


async def test_keys_that_cannot_be_used(bank: Bank, tmp_path: Path) -> None:
    """Said at the start; without keys there is no door."""
    assert GuardDoor(bank.desk, bank.guardian, 1, QUICK.guard).routes() == []
    (tmp_path / "rubbish").write_text("x")
    for path in (tmp_path / "rubbish", tmp_path / "nowhere"):
        for name in ("snapshot_key_path", "edge_public_key_path"):
            settings = msgspec.structs.replace(QUICK.guard, **{name: str(path)})
            with pytest.raises(Misconfigured):
                GuardDoor(bank.desk, bank.guardian, 1, settings)


NO_NUMBERS = [
    "wait=nan", "wait=inf", "wait=-inf", "wait=-1", "wait=1e400", "wait=1e1", "wait=1_0",
    "wait=%20", "wait=", "wait=86400", "wait=" + "9" * 5_000, "version=1_0", "version=%D9%A3",
    "version=1e3", "version=" + "9" * 5_000, "version=-2",
]  # fmt: skip


async def test_a_number_that_is_none_is_refused_at_once(guarded: tuple[Bank, str]) -> None:
    """Neither waited for nor guessed at: what is not a number is no time."""
    bank, url = guarded
    taken = []
    for query in NO_NUMBERS:
        async with asyncio.timeout(5):
            status, said = await ask(bank, url, f"?{query}")
        if status != 400 or b"number" not in said:
            taken.append((query[:20], status))
    assert taken == []
