"""Every gate of the ladder can fail, and none takes silence for a yes.

For each metric there is a world in which the bank's own reader gives a reading that fails, and one
in which what it needs is missing or stale, so that nobody can say. A metric without both fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest

from conftest import NOON
from tangguh.core.order import PaymentOrder, ToBank
from tangguh.core.service import TRANSFER_BIFAST
from tangguh.guard.board import Board
from tangguh.guard.closure import Closure
from tangguh.guard.scope import Facts, Scope
from tangguh.guard.window import End, Seen
from tangguh.recovery.prober import Tried
from tangguh.recovery.readings import QUERIES, Outflow, Reader
from tangguh.recovery.recorder import Load, Recorder
from tangguh.recovery.rungs import CANARY, EXPLAINED, MATCHED, REAL, REHEARSED
from tangguh.recovery.verdict import METRICS, OPTIONAL, Judged, Verdict, judge_all
from unit.guard.test_closure import closure
from unit.recovery.scopes import at

ME: Final = "00000000-0000-7000-8000-000000000001"
SCOPE: Final = "rail=bifast direction=out"
_NAMES: Final = {QUERIES[name]: name for name in QUERIES.names()}


class Senses:
    """What the rest of the bank says; everything is well until a test says otherwise."""

    def __init__(self) -> None:
        self.out: Outflow | None = Outflow(0, 100)
        self.failing: int | None = 0
        self.lines: int | None = 0
        self.restored: int | None = 0
        self.ready: bool | None = True
        self.breaks: tuple[int, int] | None = (0, 7)
        self.wrong = 0
        self.rate: float | None = 1.0

    async def outflow(self, _rail: str) -> Outflow | None:
        return self.out

    async def failing_invariants(self) -> int | None:
        return self.failing

    async def unsettled(self, _rail: str) -> int | None:
        return self.lines

    async def restore_faults(self) -> int | None:
        return self.restored

    async def partner_ready(self, _rail: str) -> bool | None:
        return self.ready

    def breaks_seen(self) -> tuple[int, int] | None:
        return self.breaks

    def wrong_payees_since(self, _since: datetime) -> int:
        return self.wrong

    def rate_of(self, _rail: str) -> float | None:
        return self.rate


class World:
    """One moment of a climb: what the database, the recorder and the senses hold."""

    def __init__(self, rung: int) -> None:
        self.climb = msgspec.structs.replace(
            at(rung), closure_id=ME, scope=SCOPE, entered_at=NOON, keys_rotated="connector"
        )
        self.senses = Senses()
        self.recorder = Recorder()
        self.tried = Tried(sent=200, right=200, wrong=0, seconds=10.0)
        self.closures: tuple[Closure, ...] = ()
        self.blocked: list[bytes] = []
        self.numbers: dict[str, float | None] = {
            "contradicted_since": 0,
            "below_floor": 0,
            "overdue_seconds": 0.0,
            "aged_in_flight": 0,
            "parked_on_rail": 0,
        }
        self.baseline: dict[str, Any] = {"p99": 1.0, "declined": 0.01, "payments": 9_000}
        for count in range(600):
            self.ends(End.PAID)
            self.ends(End.PAID, rail="qris")
            if count < 2:
                self.recorder.note_load(Load(NOON + timedelta(seconds=count), 1_000 * count, 0))

    def ends(self, end: End, seconds: float = 0.5, rail: str = "bifast") -> None:
        facts = Facts(service="", rail=rail, direction="out", channel="mobile", account=1)
        self.recorder.see(Seen(NOON + timedelta(seconds=5), UUID(int=1), facts, end, seconds))

    async def fetchrow(self, sql: str, *_: object) -> Any:
        name = _NAMES[sql]
        if name == "baseline":
            return self.baseline
        number = self.numbers[name]
        return None if number is None else _Row(number)

    async def fetch(self, sql: str, *_: object) -> Any:
        assert _NAMES[sql] == "blocked_since"
        return [{"order_json": one} for one in self.blocked]

    def judged(self, metric: str) -> Judged:
        pool: Any = self
        reader = Reader(pool, 1, self.recorder, self.senses, REAL)
        board = Board(closures=self.closures)
        readings = asyncio.run(
            reader.read(self.climb, board, NOON, self.tried, NOON + timedelta(minutes=5))
        )
        least = self.climb.here.sample
        (found,) = judge_all([metric], [one for one in readings if one.metric == metric],
                             sample_min=least, since=self.climb.entered_at).judged  # fmt: skip
        return found


class _Row:
    """A row of one number, under whatever name."""

    def __init__(self, number: float) -> None:
        self._number = number

    def __getitem__(self, _key: object) -> float:
        return self._number


Change = Callable[[World], object]


def sense(**said: object) -> Change:
    return lambda world: [setattr(world.senses, name, value) for name, value in said.items()]


def number(name: str, value: float | None) -> Change:
    return lambda world: world.numbers.__setitem__(name, value)


def many(end: End, seconds: float = 0.5) -> Change:
    return lambda world: [world.ends(end, seconds) for _ in range(100)]


def nobody_has_paid(world: World) -> None:
    world.recorder = Recorder()


def nobody_outside(world: World) -> None:
    world.recorder = Recorder()
    for _ in range(600):
        world.ends(End.PAID)


def no_baseline(world: World) -> None:
    world.baseline = {"p99": None, "declined": None, "payments": 0}
    nobody_outside(world)


def few(world: World) -> None:
    world.recorder = Recorder()
    world.ends(End.PAID)


def shed(world: World) -> None:
    world.recorder.note_load(Load(NOON + timedelta(seconds=9), 2_000, 500))


def another_closure_would_refuse_it(world: World) -> None:
    order = PaymentOrder(
        customer_id=1, idempotency_key="k", service=TRANSFER_BIFAST, debtor=1, amount_minor=5,
        payee=ToBank(bank="998", account="1", name="x"),
    )  # fmt: skip
    world.blocked = [msgspec.json.encode(order)]
    world.closures = (closure(scope=Scope(channel="mobile")),)


def cannot_be_read(world: World) -> None:
    world.blocked = [b"{}"]


def tried(**said: float) -> Change:
    return lambda world: setattr(world, "tried", msgspec.structs.replace(world.tried, **said))


def not_rotated(world: World) -> None:
    world.climb = msgspec.structs.replace(world.climb, keys_rotated="")


def on_another_rung(world: World) -> None:
    """Its reading is taken on its own rungs only: elsewhere there is none."""
    world.climb = msgspec.structs.replace(world.climb, rung=0)


Case = tuple[int, Change, Change]
"""The rung it is asked on, the world in which it fails, and the one in which nobody can say."""
CASES: Final[dict[str, Case]] = {
    "unmatched_outflow": (CANARY, sense(out=Outflow(1, 100)), sense(out=None)),
    "double_outcome": (CANARY, number("contradicted_since", 1), few),
    "wrong_payee": (CANARY, sense(wrong=1), few),
    "negative_balance": (CANARY, number("below_floor", 1), number("below_floor", None)),
    "chain_break": (CANARY, sense(breaks=(1, 7)), sense(breaks=None)),
    "success": (CANARY, many(End.NOT_SENT), nobody_outside),
    "unanswered": (CANARY, many(End.UNANSWERED), few),
    "p99": (CANARY, many(End.PAID, 9.0), no_baseline),
    "queue_age": (CANARY, number("overdue_seconds", 31), number("overdue_seconds", None)),
    "shed": (CANARY, shed, nobody_has_paid),
    "partner_declines": (CANARY, many(End.DECLINED), no_baseline),
    "aged_in_flight": (EXPLAINED, number("aged_in_flight", 1), number("aged_in_flight", None)),
    "ledger_differences": (EXPLAINED, sense(failing=1), sense(failing=None)),
    "unmatched_settlement": (EXPLAINED, sense(lines=1), sense(lines=None)),
    "restore_faults": (EXPLAINED, sense(restored=1), sense(restored=None)),
    "keys_to_rotate": (EXPLAINED, not_rotated, on_another_rung),
    "rehearsal_wrong": (MATCHED, tried(wrong=1, right=199), tried(sent=0, right=0)),
    "replay_divergent": (MATCHED, another_closure_would_refuse_it, on_another_rung),
    "capacity_needed": (MATCHED, sense(rate=900.0), sense(rate=None)),
    "partner_not_ready": (REHEARSED, sense(ready=False), sense(ready=None)),
}


def test_no_gate_is_without_a_world_in_which_it_fails() -> None:
    """Whoever adds a metric says here when it fails and when it cannot say.

    Those that the bank does not read (``OPTIONAL``) are judged when somebody gives them.
    """
    assert set(CASES) == set(METRICS) - OPTIONAL


@pytest.mark.parametrize("metric", CASES)
def test_it_passes_where_all_is_well(metric: str) -> None:
    assert World(CASES[metric][0]).judged(metric).verdict is Verdict.PASS


@pytest.mark.parametrize("metric", CASES)
def test_it_can_fail(metric: str) -> None:
    rung, spoil, _ = CASES[metric]
    world = World(rung)
    spoil(world)
    found = world.judged(metric)
    assert found.verdict is Verdict.FAIL, found.why


@pytest.mark.parametrize("metric", CASES)
def test_what_is_missing_is_no_yes(metric: str) -> None:
    rung, _, hide = CASES[metric]
    world = World(rung)
    hide(world)
    found = world.judged(metric)
    assert found.verdict is Verdict.INCONCLUSIVE, found.why


def test_a_blocked_order_that_cannot_be_read_stops_the_look() -> None:
    world = World(MATCHED)
    cannot_be_read(world)
    with pytest.raises(msgspec.MsgspecError):
        world.judged("replay_divergent")


def test_a_proved_book_is_no_restored_backup() -> None:
    """The gate once read the ledger's proof, which cannot say whether a backup restores."""
    world = World(EXPLAINED)
    world.senses.failing, world.senses.restored = 0, None
    found = world.judged("restore_faults")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "no backup was ever restored" in found.why
