"""Gates inside the book: how the board lies there, and the judgement of one order by it. Pure.

The board of closures is one row of the book, so a closure is in force for every order decided
after it and for none before: nothing slips between the check and the hold. Every change is also a
row of its own in the hash chain (``gate_events``), with the whole closure as it became.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from tangguh.audit.journal import JournalPlan, Row
from tangguh.core.order import Origin
from tangguh.guard.board import Board, Gates, Stopped, too_many
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.ledger.shelf import Loaded, ShelfPlan
from tangguh.payments.gates.facts import NO_ORIGIN, AnyOrder, facts_of

_SQL: Final = ("tangguh.payments.gates", "gates.sql")
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Board).decode

THE_BOARD: Final = 0
"""The key of the one row."""
RateKey = tuple[UUID, datetime]
"""(closure id, the minute)."""


class Rate(msgspec.Struct, frozen=True, gc=False):
    """How many payments a limited gate has let through in one minute."""

    closure_id: UUID
    minute: datetime
    used: int


def _read_gates(row: Loaded) -> tuple[int, Gates]:
    return THE_BOARD, Gates(_decode(row["board_json"]))


def _gates_row(gates: Gates) -> Row:
    return THE_BOARD, gates.board.version, _encode(gates.board).decode()


def _rate_arrays(keys: Any) -> tuple[list[Any], ...]:
    closures, minutes = zip(*keys, strict=True)
    return list(closures), list(minutes)


def _read_rate(row: Loaded) -> tuple[RateKey, Rate]:
    rate = Rate(row["closure_id"], row["minute"], row["used"])
    return (rate.closure_id, rate.minute), rate


def _rate_row(rate: Rate) -> Row:
    return rate.closure_id, rate.minute, rate.used


GATES: Final[ShelfPlan[int, Gates]] = ShelfPlan(
    name="gates",
    sql=_SQL,
    load="load_gates",
    key_arrays=lambda keys: (list(keys),),
    read=_read_gates,
    table="gates",
    columns=("board_id", "version", "board_json"),
    to_row=_gates_row,
    update="change_gates",
    to_change=_gates_row,
    rows_max=10,
    sealed_by=1,
)
RATES: Final[ShelfPlan[RateKey, Rate]] = ShelfPlan(
    name="gate_rates",
    sql=_SQL,
    load="load_gate_rates",
    key_arrays=_rate_arrays,
    read=_read_rate,
    table="gate_rates",
    columns=("closure_id", "minute", "used"),
    to_row=_rate_row,
    update="change_gate_rates",
    to_change=_rate_row,
    rows_max=10_000,
)
GATE_EVENTS: Final = JournalPlan(
    table="gate_events",
    columns=(
        "event_id",
        "batch_no",
        "at",
        "closure_id",
        "version",
        "what",
        "made_by",
        "closure_json",
    ),
    order_by="event_id",
    sort_key=lambda row: row[0].int,
)


# ---- judging an order ------------------------------------------------------------------------


def gate_keys(book: Book, order: AnyOrder, origin: Origin = NO_ORIGIN) -> Iterable[Key]:
    """The rows the judgement reads: the board, and the counters of rates that apply."""
    gates = book.shelf(GATES).rows.get(THE_BOARD)
    if gates is None or gates.is_quiet:
        return _THE_BOARD_ONLY
    rates = gates.rates(facts_of(order, origin), book.now)
    counters = ((RATES.name, (closure.id, _minute(book.now))) for closure, _ in rates)
    return [*_THE_BOARD_ONLY, *counters]


_THE_BOARD_ONLY: Final[tuple[Key, ...]] = ((GATES.name, THE_BOARD),)


def judge(book: Book, order: AnyOrder, origin: Origin = NO_ORIGIN) -> Stopped | None:
    """What stops this order at this moment, if anything."""
    gates = _busy(book)
    if gates is None:
        return None
    facts = facts_of(order, origin)
    stopped = gates.judge(facts, book.now)
    if stopped is not None:
        return stopped
    for closure, per_minute in gates.rates(facts, book.now):
        used = book.shelf(RATES).get((closure.id, _minute(book.now)))
        if used is not None and used.used >= per_minute:
            return too_many(closure, per_minute)
    return None


def count(book: Book, order: AnyOrder, origin: Origin = NO_ORIGIN) -> None:
    """An order went through: it counts against the rates that apply to it."""
    gates = _busy(book)
    if gates is None:
        return
    for closure, _ in gates.rates(facts_of(order, origin), book.now):
        key = (closure.id, _minute(book.now))
        before = book.shelf(RATES).get(key)
        book.shelf(RATES).put(key, Rate(*key, before.used + 1 if before is not None else 1))


def percent(book: Book, order: AnyOrder, origin: Origin = NO_ORIGIN) -> int:
    """How much of the usual limits an order may use now, 0 to 100."""
    gates = _busy(book)
    return 100 if gates is None else gates.percent(facts_of(order, origin), book.now)


def _busy(book: Book) -> Gates | None:
    """The gates when anything at all is closed: an open bank pays nothing for them."""
    gates = book.shelf(GATES).get(THE_BOARD)
    return None if gates is None or not gates.board.closures else gates


def _minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)


def board_of(book: Book) -> Board:
    """Every closure in force as the book has it."""
    gates = book.shelf(GATES).get(THE_BOARD)
    return gates.board if gates is not None else Board()


GATE_SHELVES: Final[tuple[ShelfPlan[Any, Any], ...]] = (GATES, RATES)
