"""Ring 3 against a real hub and a real PostgreSQL: what nobody ordered is seen, nothing else is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving import served
from tangguh.core.clock import SystemClock
from tangguh.core.errors import StoreUnavailable
from tangguh.core.ids import Ids
from tangguh.db.roles import dsn_as, make_watch_role
from tangguh.guard.snapshot import WatchOrder, open_order
from tangguh.settlement.watch.matching import Decided
from tangguh.settlement.watch.settings import WatchSettings
from tangguh.settlement.watch.watcher import Watcher
from tangguh.settlement.watched import WatchState, read_watch
from tangguh.sim.bifast.hub import Hub, HubSettings
from tangguh.sim.passbook import TransferRow, instant_text

_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_ADD = """
INSERT INTO payments
SELECT 1, gen_random_uuid(), 'payment', 1, 'mobile.transfer.bifast', 'bifast', $3::text, 1, 2, $2,
       0, 0, 'IDR', gen_random_uuid()::text, '{}', NULL, '',
       CASE WHEN $3 = 'voided' THEN 'declined' ELSE '' END, '', '', 0, 0, '2026-03-20', now(),
       CASE WHEN $3 <> 'held' THEN now() END, CASE WHEN $3 = 'held' THEN now() END, 0, 0, $1
"""


def pem(folder: Path, name: str, key: Any) -> tuple[str, str]:
    """A key pair in two files."""
    private, public = folder / f"{name}.pem", folder / f"{name}.public.pem"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return str(private), str(public)


class Story:
    """A hub, a book's table, two doors that take orders, and the watch between them."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self.folder = folder
        self.dsn = dsn
        self.key = ed25519.Ed25519PrivateKey.generate()
        self.watch_keys = pem(folder, "watch", self.key)
        self.hub_keys = pem(folder, "hub", _KEY)
        self.clock = SystemClock()
        self.orders: dict[str, list[bytes]] = {"gateway": [], "bank": []}
        self.says = {"gateway": 200, "bank": 200}

    async def open(self) -> None:
        """The hub and the book."""
        self.hub = Hub(
            HubSettings(
                bank_public_key_path=self.hub_keys[1],
                hub_private_key_path=self.hub_keys[0],
                books_path=str(self.folder / "hub.sqlite"),
                watch_public_key_path=self.watch_keys[1],
                prefunded_minor=10**14,
            ),
            self.clock,
        )
        await self.hub.open()
        self.book = await asyncpg.connect(self.dsn)
        await make_watch_role(self.dsn, "secret of the watch", "watch_of_tests")

    async def close(self) -> None:
        """Both."""
        await self.hub.close()
        await self.book.execute("DROP OWNED BY watch_of_tests")
        await self.book.close()

    def doors(self) -> Starlette:
        """Where orders go."""

        def door(who: str) -> Callable[[Request], Any]:
            async def take(request: Request) -> Response:
                self.orders[who].append(await request.body())
                return Response(b"{}", self.says[who])

            return take

        return Starlette(
            routes=[
                Route("/orders", door("gateway"), methods=["POST"]),
                Route("/guard/orders", door("bank"), methods=["POST"]),
            ]
        )

    async def decide(self, reference: str, minor: int = 1_000_000, state: str = "posted") -> None:
        """The book has it."""
        await self.book.execute(_ADD, reference, minor, state)

    def leaves(self, reference: str, minor: int = 1_000_000) -> None:
        """The hub settles it."""
        at = instant_text(self.clock.now())
        account = "UJIAIDJ1:9980000001"
        row = TransferRow(
            number=0, reference=reference, direction="in", kind="010", account=account,
            counterpart="108", amount_minor=minor, state="paid", code="U000", detail="{}",
            made_at=at, ended_at=at,
        )  # fmt: skip
        with self.hub.passbook.transaction():
            self.hub.passbook.record(row)

    def closures(self, who: str) -> list[WatchOrder]:
        """What was ordered, believed by its key."""
        found = [open_order(body, self.key.public_key()) for body in self.orders[who]]
        assert not any(isinstance(one, str) for one in found)
        return found  # type: ignore[return-value]


@pytest.fixture
async def story(dsn: str, tmp_path: Path) -> AsyncIterator[Story]:
    one = Story(tmp_path, dsn)
    await one.open()
    yield one
    await one.close()


@asynccontextmanager
async def watching(story: Story, **changes: Any) -> AsyncIterator[Watcher]:
    """The watch, running."""
    async with served(story.doors()) as url:
        settings = WatchSettings(
            url=story.hub.address,
            private_key_path=story.watch_keys[0],
            hub_public_key_path=story.hub_keys[1],
            dsn=dsn_as(story.dsn, "watch_of_tests", "secret of the watch"),
            gateway_url=url,
            bank_url=url,
            memory_path=str(story.folder / "watch.sqlite"),
            wait_seconds=1.0,
        )
        watcher = Watcher(
            msgspec.structs.replace(settings, **changes), story.clock, Ids(story.clock)
        )
        running = asyncio.create_task(watcher.run())
        try:
            yield watcher
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await watcher.close()


async def until(watcher: Watcher, seen: Callable[[WatchState], bool]) -> WatchState:
    """The watch's state once it is so."""
    async with asyncio.timeout(10):
        while not seen(state := watcher.state()):
            await asyncio.sleep(0.02)
    return state


async def test_five_hundred_good_payments_and_one_that_nobody_ordered(story: Story) -> None:
    """Under load no good one is flagged; the forged one closes BI-FAST outgoing at both, once."""
    async with watching(story) as watcher:

        async def pay(first: int) -> None:
            for number in range(first, first + 50):
                await story.decide(f"R{number}", state="held" if number % 2 else "posted")
                story.leaves(f"R{number}")

        for first in range(0, 500, 50):
            await pay(first)
        state = await until(watcher, lambda state: state.matched == 500)
        assert (state.unmatched_count, state.closed, state.faults) == (0, [], [])
        story.leaves("FORGED", 281_000_000_00)
        state = await until(
            watcher, lambda state: bool(state.closed and state.closed[0]["gateway"])
        )
        state = await until(watcher, lambda state: bool(state.closed[0]["bank"]))
    assert [(one.reference, one.why) for one in state.unmatched] == [("FORGED", "no_posting")]
    (at_gateway,), (at_bank,) = story.closures("gateway"), story.closures("bank")
    assert at_gateway == at_bank
    assert str(at_bank.closure.scope) == "rail=bifast direction=out"
    assert "FORGED" in at_bank.closure.evidence
    assert state.lag_p99_seconds < 5


async def test_a_posting_that_comes_within_the_second_look(story: Story) -> None:
    """A reader that is a little behind is no alarm."""
    async with watching(story) as watcher:
        story.leaves("LATE")
        await asyncio.sleep(0.1)
        await story.decide("LATE")
        state = await until(watcher, lambda state: state.matched == 1)
    assert state.unmatched_count == 0


@pytest.mark.parametrize("case", ["second", "amount", "voided"])
async def test_other_ways_of_having_no_posting(story: Story, case: str) -> None:
    """Twice under one reference (also over a restart), another amount, a payment that was voided.

    The hub's own books have one row per reference, so the second one is put in by hand.
    """
    async with watching(story, closes=False) as watcher:
        await story.decide("A", state="voided" if case == "voided" else "posted")
        story.leaves("A", 2_000_000 if case == "amount" else 1_000_000)
        await until(watcher, lambda state: state.last_seq == 2)
    if case == "second":
        books = story.hub.passbook
        books._connection.execute("DROP TABLE IF EXISTS aside")
        books._connection.executescript(
            "CREATE TABLE aside AS SELECT * FROM statement; DROP TABLE statement;"
            "ALTER TABLE aside RENAME TO statement;"
        )
        books._enter("out", "transfer", "A", 1_000_000, story.clock.now())
    async with watching(story, closes=False) as watcher:
        state = await until(watcher, lambda state: state.unmatched_count == 1)
    why = {"second": "second_outflow", "amount": "other_amount", "voided": "not_sent"}
    assert [one.why for one in state.unmatched] == [why[case]]
    assert story.orders == {"gateway": [], "bank": []}


async def test_an_order_is_delivered_after_a_restart_and_to_each_by_itself(story: Story) -> None:
    """The bank is away: the gateway is closed all the same; the bank gets it when it is back."""
    story.says["bank"] = 503
    async with watching(story) as watcher:
        story.leaves("FORGED")
        await until(watcher, lambda state: bool(state.closed and state.closed[0]["gateway"]))
    assert len(story.orders["gateway"]) == 1
    story.says["bank"] = 200
    async with watching(story) as watcher:
        state = await until(watcher, lambda state: bool(state.closed[0]["bank"]))
    assert len(story.orders["gateway"]) == 1
    assert (state.last_seq, state.unmatched_count) == (2, 1)


async def test_found_again_it_closes_again(story: Story) -> None:
    """After the pause a new finding is a new order (the ladder falls back to its first rung)."""
    async with watching(story, again_seconds=0.3) as watcher:
        story.leaves("F1")
        await until(watcher, lambda state: len(state.closed) == 1)
        await asyncio.sleep(0.4)
        story.leaves("F2")
        state = await until(watcher, lambda state: len(state.closed) == 2)
        assert len({one["id"] for one in state.closed}) == 2


async def test_a_feed_that_is_not_the_hubs_or_is_silent(story: Story) -> None:
    """Nothing is believed that the hub did not sign; silence is said after its time."""
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    _, public = pem(story.folder, "stranger", stranger)
    async with watching(story, hub_public_key_path=public, silent_seconds_max=0.3) as watcher:
        story.leaves("FORGED")
        state = await until(watcher, lambda state: state.silent and bool(state.faults))
    assert "not signed by the hub" in state.faults[0]
    assert state.last_seq == 0


async def test_without_the_book_it_is_blind_and_judges_nothing(story: Story) -> None:
    """An outflow it cannot look up waits; it is matched as soon as the book answers."""
    await story.decide("A")
    nowhere = "postgresql://watch_of_tests@/nowhere?host=/nonexistent"
    async with watching(story, dsn=nowhere) as watcher:
        story.leaves("A")
        state = await until(watcher, lambda state: "PostgreSQL" in state.blind)
        assert state.last_seq <= 1
        assert (state.matched, state.unmatched_count) == (0, 0)
    async with watching(story) as watcher:
        await until(watcher, lambda state: state.matched == 1)


async def away(_references: object) -> dict[str, Decided]:
    raise StoreUnavailable("PostgreSQL is away")


async def test_it_sees_before_anything_left_and_says_when_it_sees_no_more(story: Story) -> None:
    """The treasury funds only while it sees: an account nothing left yet must not be blind."""
    async with watching(story, wait_seconds=0.1) as watcher:
        state = await until(watcher, lambda state: not state.blind)
        assert (state.matched, state.unmatched_count) == (0, 0)
        watcher._decided = away  # type: ignore[method-assign]
        await until(watcher, lambda state: state.blind == "PostgreSQL is away")


async def test_too_much_on_the_account_is_said(story: Story) -> None:
    """Exposure is the watch's to see, the treasury's to mend."""
    async with watching(story, exposure_max_minor=1) as watcher:
        story.leaves("X")
        assert (await until(watcher, lambda state: state.last_seq == 2)).over_exposed


async def test_its_role_reads_one_view_and_writes_nothing(story: Story) -> None:
    """Not the payments, no other table, no row of its own, no way to more."""
    reader = await asyncpg.connect(dsn_as(story.dsn, "watch_of_tests", "secret of the watch"))
    try:
        assert await reader.fetchval("SELECT count(*) FROM watched_payments") == 0
        for sql in (
            "SELECT customer_id FROM payments",
            "SELECT * FROM accounts",
            "UPDATE watched_payments SET state = 'voided'",
            "DELETE FROM payments",
            "CREATE TABLE mine (x int)",
            "SET ROLE tangguh",
        ):
            for before in ("", "SET default_transaction_read_only = off; "):
                with pytest.raises(
                    (asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)
                ):
                    await reader.execute(before + sql)
    finally:
        await reader.close()


async def test_nobody_is_there() -> None:
    """Silence is no news."""
    assert await read_watch("http://127.0.0.1:1") is None
