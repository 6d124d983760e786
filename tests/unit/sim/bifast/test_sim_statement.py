"""The participant's settlement account at the hub: the statement, who may read it, prefunding."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from hypothesis import given, settings
from hypothesis import strategies as st

from rails.bifast_harness import BifastHarness, running
from rails.harness import NOON, Keys
from tangguh.core.clock import HandClock
from tangguh.core.errors import Misconfigured
from tangguh.core.outcome import Accepted, Declined, Refusal, Unanswered
from tangguh.sim import faults
from tangguh.sim.bifast.books import HubBooks, StatementRow
from tangguh.sim.bifast.hub import Hub, HubSettings
from tangguh.sim.bifast.participants import demo_customers
from tangguh.sim.bifast.statement import HUB_SIGNATURE, PATH, SIGNATURE, TIMESTAMP, text_of
from tangguh.sim.passbook import Passbook, TransferRow, instant_text, pending_until

RP600K = 600_000_00
SARI = "UJIAIDJ1:9980000001"
WATCH = ed25519.Ed25519PrivateKey.generate()


def write_public(path: Path, key: Any) -> str:
    """The public half in a file."""
    path.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return str(path)


class Watch:
    """A watcher with a key of its own."""

    def __init__(self, far: BifastHarness) -> None:
        self.far = far

    async def get(
        self,
        query: str = "",
        *,
        key: ed25519.Ed25519PrivateKey = WATCH,
        over: str | None = None,
        seconds_ago: float = 0.0,
    ) -> tuple[int, dict[str, Any], bytes, str]:
        """Ask; ``over`` is another query to sign. Status, answer, its bytes and signature."""
        at = instant_text(self.far.sim_clock.now() - timedelta(seconds=seconds_ago))
        signed = PATH + (query if over is None else over)
        made = base64.b64encode(key.sign(text_of(signed, at))).decode()
        headers = {TIMESTAMP: at, SIGNATURE: made}
        url = self.far.hub.address + PATH + query
        async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as reply:
            body = await reply.read()
            said = msgspec.json.decode(body)
            return reply.status, said, body, reply.headers.get(HUB_SIGNATURE, "")


@pytest_asyncio.fixture(name="far")
async def _far(keys: Keys, tmp_path: Path) -> AsyncIterator[BifastHarness]:
    """A hub that is watched."""
    path = write_public(tmp_path / "watch.pem", WATCH)
    async with running(keys, tmp_path, watch_public_key_path=path) as harness:
        yield harness


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The bank's and the hub's key pairs."""
    return Keys(tmp_path_factory.mktemp("keys"))


def reference(number: int) -> str:
    """An end-to-end id of the bank."""
    return f"20250329TGUHIDJ1010O02{number:08d}"


class TestStatement:
    """One numbered row per settled movement."""

    async def test_out_and_in_in_the_order_of_settlement(self, far: BifastHarness) -> None:
        """With the balance after each, and nothing of what failed."""
        assert isinstance(await far.rail.send(far.instruction(reference=reference(1))), Accepted)
        await far.break_with(faults.Decline(case="40311"))
        assert isinstance(await far.rail.send(far.instruction(reference=reference(2))), Declined)
        await far.break_with()
        credit = await far.hub.originate("108", 75_000_00)
        assert credit.state == "paid"
        status, said, _, _ = await Watch(far).get()
        assert status == 200
        rows = msgspec.convert(said["rows"], list[StatementRow])
        assert [(row.seq, row.direction, row.reference, row.balance_minor) for row in rows] == [
            (1, "out", reference(1), -RP600K),
            (2, "in", credit.reference, -RP600K + 75_000_00),
        ]
        assert {row.kind for row in rows} == {"transfer"}
        assert (said["last_seq"], said["balance_minor"]) == (2, -RP600K + 75_000_00)
        assert said["participant"] == "TGUHIDJ1"
        assert said["is_limited"] is False
        assert far.hub.prove().holds

    async def test_pending_is_entered_when_it_settles(self, far: BifastHarness) -> None:
        """A later transfer that settled first stands first: the order is settlement's."""
        await far.break_with(faults.Pending(seconds=30.0, becomes="paid"))
        await far.rail.send(far.instruction(reference=reference(1)))
        await far.break_with()
        await far.rail.send(far.instruction(reference=reference(2)))
        said = (await Watch(far).get())[1]
        assert [row["reference"] for row in said["rows"]] == [reference(2)]
        assert said["reserved_minor"] == RP600K
        far.sim_clock.advance(31)
        said = (await Watch(far).get("?after=1"))[1]
        assert [(row["seq"], row["reference"]) for row in said["rows"]] == [(2, reference(1))]
        assert said["reserved_minor"] == 0
        assert far.hub.prove().holds

    async def test_pages(self, far: BifastHarness) -> None:
        """Each row once, however it is paged."""
        for number in range(7):
            await far.rail.send(far.instruction(reference=reference(number)))
        seen: list[int] = []
        while True:
            after = seen[-1] if seen else 0
            rows = (await Watch(far).get(f"?after={after}&limit=3"))[1]["rows"]
            if not rows:
                break
            seen += [row["seq"] for row in rows]
        assert seen == [1, 2, 3, 4, 5, 6, 7]

    async def test_waiting_is_told_at_once(self, far: BifastHarness) -> None:
        """A long question is answered by the transfer it waited for, and ends when none comes."""
        asking = asyncio.create_task(Watch(far).get("?after=0&wait=20"))
        await asyncio.sleep(0.05)
        assert not asking.done()
        await far.rail.send(far.instruction(reference=reference(1)))
        async with asyncio.timeout(1.0):
            said = (await asking)[1]
        assert [row["reference"] for row in said["rows"]] == [reference(1)]
        assert (await Watch(far).get("?after=1&wait=0.05"))[1]["rows"] == []
        assert far.hub.passbook.waiting == set()

    async def test_waiting_sees_what_becomes_due(self, far: BifastHarness) -> None:
        """A pending transfer settles by time alone."""
        await far.break_with(faults.Pending(seconds=30.0, becomes="paid"))
        await far.rail.send(far.instruction(reference=reference(1)))
        asking = asyncio.create_task(Watch(far).get("?wait=20"))
        await asyncio.sleep(0.05)
        far.sim_clock.advance(31)
        async with asyncio.timeout(2.0):
            said = (await asking)[1]
        assert [row["reference"] for row in said["rows"]] == [reference(1)]

    async def test_a_hub_that_closes_lets_nobody_wait(self, far: BifastHarness) -> None:
        """A watch that asks long does not hold up the end; it has its answer, and nothing in it."""
        asking = asyncio.create_task(Watch(far).get("?after=0&wait=20"))
        while not far.hub.passbook.waiting:
            await asyncio.sleep(0)
        async with asyncio.timeout(5.0):
            await far.hub.close(grace_seconds=20.0)
        assert (await asking)[1]["rows"] == []

    async def test_answer_is_signed_by_the_hub(self, far: BifastHarness) -> None:
        """So nobody on the way can hide a row."""
        _, _, body, made = await Watch(far).get()
        far.keys.switch.public_key().verify(
            base64.b64decode(made), body, PKCS1v15(), hashes.SHA256()
        )


class TestWhoMayAsk:
    """Only the watch's own key, freshly, over what is asked."""

    async def test_refused(self, far: BifastHarness) -> None:
        """Another key, another question, an old one, none, nonsense."""
        watch = Watch(far)
        stranger = ed25519.Ed25519PrivateKey.generate()
        assert (await watch.get(key=stranger))[0] == 401
        assert (await watch.get("?after=5", over="?after=0"))[0] == 401
        assert (await watch.get(seconds_ago=61))[0] == 401
        assert (await watch.get(seconds_ago=-61))[0] == 401
        assert (await watch.get(seconds_ago=59))[0] == 200
        url = far.hub.address + PATH
        async with aiohttp.ClientSession() as http:
            for headers in ({}, {TIMESTAMP: "x"}, {TIMESTAMP: "2025-03-29T05:00:00"}):
                async with http.get(url, headers=headers) as reply:
                    assert reply.status == 401

    @pytest.mark.parametrize("query", ["?after=x", "?limit=x", "?wait=x"])
    async def test_not_a_number(self, far: BifastHarness, query: str) -> None:
        """Signed, and still no question."""
        assert (await Watch(far).get(query))[0] == 400

    async def test_nobody_watches(self, keys: Keys, tmp_path: Path) -> None:
        """Without a key there is no statement."""
        async with running(keys, tmp_path) as far:
            assert (await Watch(far).get())[0] == 401

    def test_a_key_that_is_none(self, keys: Keys, tmp_path: Path) -> None:
        """Is found at the start."""
        other = write_public(tmp_path / "x.pem", ec.generate_private_key(ec.SECP256R1()))
        for path in (other, str(tmp_path / "nothing.pem")):
            plain = HubSettings(
                bank_public_key_path=keys.bank_public,
                hub_private_key_path=keys.switch_private,
                books_path=str(tmp_path / "h.sqlite"),
                watch_public_key_path=path,
            )
            with pytest.raises(Misconfigured):
                Hub(plain, HandClock(NOON))


class TestPrefunding:
    """An account that holds little loses little."""

    async def test_above_the_balance_is_refused(self, keys: Keys, tmp_path: Path) -> None:
        """U194, and treasury's act lets it through; what was swept is out of reach again."""
        path = write_public(tmp_path / "watch.pem", WATCH)
        limits = {"watch_public_key_path": path, "prefunded_minor": RP600K}
        async with running(keys, tmp_path, **limits) as far:
            assert isinstance(
                await far.rail.send(far.instruction(reference=reference(1))), Accepted
            )
            said = await far.rail.send(far.instruction(reference=reference(2)))
            assert said == Declined(Refusal.PARTNER_LIMIT, "U194")
            await far.hub.act("fund", {"amount_minor": 2 * RP600K})
            assert isinstance(
                await far.rail.send(far.instruction(reference=reference(3))), Accepted
            )
            with pytest.raises(ValueError, match="more than"):
                await far.hub.act("sweep", {"amount_minor": RP600K + 1})
            row = await far.hub.act("sweep", {"amount_minor": RP600K})
            assert (row["kind"], row["direction"], row["balance_minor"]) == ("sweep", "out", 0)
            assert isinstance(
                await far.rail.send(far.instruction(reference=reference(4))), Declined
            )
            said = (await Watch(far).get())[1]
            assert [row["kind"] for row in said["rows"]] == [
                "fund", "transfer", "fund", "transfer", "sweep",
            ]  # fmt: skip
            assert said["is_limited"] is True
            assert far.hub.books({})["settlement"]["balance_minor"] == 0
            assert far.hub.prove().holds

    async def test_credits_fill_it(self, keys: Keys, tmp_path: Path) -> None:
        """What comes in may go out."""
        async with running(keys, tmp_path, prefunded_minor=0) as far:
            assert isinstance(await far.rail.send(far.instruction()), Declined)
            await far.hub.originate("108", RP600K)
            assert isinstance(
                await far.rail.send(far.instruction(reference=reference(2))), Accepted
            )

    async def test_pending_is_set_aside(self, keys: Keys, tmp_path: Path) -> None:
        """Two pending transfers cannot both count on the same money."""
        async with running(keys, tmp_path, prefunded_minor=RP600K) as far:
            await far.break_with(faults.Pending(seconds=30.0, becomes="paid"))
            first = await far.rail.send(far.instruction(reference=reference(1)))
            assert isinstance(first, Unanswered)
            second = await far.rail.send(far.instruction(reference=reference(2)))
            assert second == Declined(Refusal.PARTNER_LIMIT, "U194")
            with pytest.raises(ValueError, match="more than"):
                await far.hub.act("sweep", {"amount_minor": 1})

    @pytest.mark.parametrize("what", ["fund", "sweep"])
    async def test_nothing_is_no_amount(self, far: BifastHarness, what: str) -> None:
        """Neither zero nor less."""
        for minor in (0, -1):
            with pytest.raises(ValueError, match="positive"):
                await far.hub.act(what, {"amount_minor": minor})

    def test_opening_is_put_there_once(self, tmp_path: Path) -> None:
        """A hub that is started again does not fund itself again."""
        for _ in range(2):
            books = HubBooks(str(tmp_path / "b.sqlite"), 5_00, NOON)
            assert books.balance_minor == 5_00
            books.close()


def row(number: int, direction: str, minor: int, state: str = "paid") -> TransferRow:
    """A transfer, as the hub records one."""
    return TransferRow(
        reference=f"R{number}", kind="010", direction=direction, account=SARI, amount_minor=minor,
        state=state, code="U000", made_at=instant_text(NOON),
    )  # fmt: skip


def opened(path: Path) -> HubBooks:
    """Books with the demo's customers."""
    books = HubBooks(str(path), None, NOON)
    for one in demo_customers():
        books.open_account(one.number, one.name, state=one.state, opening_minor=one.opening_minor)
    return books


@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["in", "out", "pending", "failed", "fund", "sweep", "due", "undone"]),
            st.integers(1, 1_000_00),
        ),
        max_size=25,
    )
)
def test_no_gaps_and_no_second_truth(
    steps: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever happens in whatever order, also half of it: rows 1..n, each settled once."""
    books = opened(tmp_path_factory.mktemp("statement") / "b.sqlite")
    for number, (what, minor) in enumerate(steps):
        if what in ("fund", "sweep"):
            try:
                books.move(what, minor, NOON)  # type: ignore[arg-type]
            except ValueError:
                assert what == "sweep"
        elif what == "due":
            with books.transaction():
                books.conclude_due(NOON, paid_code="U000", failed_code="U110")
        elif what == "undone":
            with pytest.raises(RuntimeError), books.transaction():
                books.record(row(number, "in", minor))
                raise RuntimeError
        else:
            made = row(number, what if what in ("in", "out") else "in", minor)
            if what == "failed":
                made = msgspec.structs.replace(made, state="failed")
            with books.transaction():
                books.record(pending_until(made, NOON, 0, "paid") if what == "pending" else made)
    rows = books.statement(0, 1_000)
    assert [one.seq for one in rows] == list(range(1, len(rows) + 1))
    assert books.prove().holds, books.prove()
    books.close()


def test_the_proof_sees_a_row_that_is_missing_or_invented(tmp_path: Path) -> None:
    """A proof that cannot fail is none."""
    books = opened(tmp_path / "b.sqlite")
    with books.transaction():
        books.record(row(1, "in", 5_00))
        books.record(row(2, "out", 7_00))
    assert books.prove().holds
    for spoil in (
        "DELETE FROM statement WHERE seq = 1",
        "UPDATE statement SET amount_minor = 1, balance_minor = -1 WHERE seq = 1",
        "UPDATE statement SET reference = 'R9' WHERE seq = 1",
        "UPDATE statement SET direction = 'in' WHERE seq = 1",
    ):
        books._connection.execute("BEGIN")
        books._connection.execute(spoil)
        assert not books.prove().holds, spoil
        books._connection.execute("ROLLBACK")
    assert books.prove().holds


def test_books_from_before_there_was_a_statement(tmp_path: Path) -> None:
    """What was settled is entered at the first opening, in the order it was settled."""
    path = tmp_path / "b.sqlite"
    old = Passbook(str(path))
    old.open_account(SARI, "SARI")
    with old.transaction():
        old.record(pending_until(row(1, "in", 5_00), NOON, 0, "paid"))
        old.record(row(2, "out", 7_00))
        old.conclude("R1", "paid", "U000", NOON.replace(hour=6))
    old.close()
    books = HubBooks(str(path), None, NOON)
    assert [one.reference for one in books.statement(0, 10)] == ["R2", "R1"]
    assert books.prove().holds
