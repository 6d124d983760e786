"""The ladder as a table: every rung against everything that may happen, one line a rung.

Columns: all passes · a required gate is missing · a soft gate fails once · twice · twice, after a
step back · an integrity miss · people are missing · the time is not over.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from tangguh.guard.closure import SignalClass
from tangguh.recovery.climb import Climb
from tangguh.recovery.ladder import Step, advance
from tangguh.recovery.rungs import LADDER
from unit.recovery.scopes import all_good, at, over, signed, up, with_bad, without

#                  passes   missing  once    twice  again  integrity people  early
TABLE = {
    "held": "        1        -       -       -      -      0         0       -  ",
    "explained": "   2        1       -       -      -      0         1       -  ",
    "matched": "     3        2       -       -      -      0         -       -  ",
    "rehearsed": "   4        3       -       -      -      0         3       3  ",
    "canary": "      5        4       4       3      1      0         -       4  ",
    "one_percent": " 6        5       5       4      1      0         -       5  ",
    "five_percent": "7        6       6       5      1      0         6       6  ",
    "quarter": "     8        7       7       6      1      0         7       7  ",
    "half": "        9        8       8       7      1      0         -       8  ",
    "open_low": "    10       9       9       8      1      0         9       9  ",
    "open": "        11       10      10      9      1      0         -       -  ",
    "watch": "       end      11      11      10     1      0         -       11 ",
}
COLUMNS = ("passes", "missing", "once", "twice", "again", "integrity", "people", "early")
CELLS = [
    (number, column, cell)
    for number, row in enumerate(TABLE.values())
    for column, cell in zip(COLUMNS, row.split(), strict=True)
    if cell != "-"
]


def looked(climb: Climb, column: str) -> Step:
    """What one column does to a climb."""
    now = over(climb)
    yes = signed(climb, now)
    soft = with_bad("success")
    if column == "missing":
        return advance(climb, without("unmatched_outflow"), yes, now)
    if column == "integrity":
        return advance(climb, with_bad("wrong_payee"), yes, now)
    if column == "people":
        return advance(climb, all_good(), yes[:-1], now)
    if column == "early":
        return advance(climb, all_good(), yes, now - timedelta(seconds=1))
    if column == "once":
        return advance(climb, soft, yes, now)
    if column == "again":
        climb = msgspec.structs.replace(climb, step_backs=1)
    if column in {"twice", "again"}:
        return advance(advance(climb, soft, yes, now).climb, soft, yes, now)
    return up(climb)


def test_the_table_names_every_rung() -> None:
    """A new rung needs a new line."""
    assert list(TABLE) == [rung.name for rung in LADDER]


@pytest.mark.parametrize("signal_class", ["A", "B", "D"])
@pytest.mark.parametrize(("rung", "column", "cell"), CELLS)
def test_one_rung_in_one_situation(rung: int, column: str, cell: str, signal_class: str) -> None:
    """Up by one when everything is there; otherwise stay, or back, and never up."""
    step = looked(at(rung, SignalClass(signal_class)), column)
    if cell == "end":
        assert (step.what, step.climb.state, step.climb.rung) == ("finished", "finished", 11)
        return
    assert step.climb.rung == int(cell), step
    assert step.climb.state == "climbing"
    assert step.exposure == LADDER[int(cell)].exposure
    expected = {
        "passes": "up", "missing": "feed_synthetic", "once": "stay", "twice": "back",
        "again": "to_explained", "integrity": "to_held" if rung else "stay",
        "people": "needs_people", "early": "stay",
    }  # fmt: skip
    assert step.what == expected[column]


@pytest.mark.parametrize("rung", range(12))
@pytest.mark.parametrize("metric", ["unmatched_outflow", "chain_break", "success", "queue_age"])
def test_no_rung_is_left_upwards_when_one_gate_is_missing(rung: int, metric: str) -> None:
    """Whatever else is there, for whatever time."""
    if rung < 4 and (metric in {"success", "queue_age"} or rung == 0):
        return
    climb = at(rung)
    later = over(climb) + timedelta(days=3)
    step = advance(climb, without(metric), signed(climb, later), later)
    assert (step.what, step.climb.rung, step.climb.state) == ("feed_synthetic", rung, "climbing")


MATCHED = ("aged_in_flight", "ledger_differences", "unmatched_settlement", "keys_to_rotate")
REHEARSED = ("rehearsal_wrong", "replay_divergent", "capacity_needed")


@pytest.mark.parametrize(
    ("rung", "metric"),
    [(1, one) for one in (*MATCHED, "restore_faults")]
    + [(rung, one) for rung in (2, 3) for one in (*MATCHED, *REHEARSED, "restore_faults")]
    + [(3, "partner_not_ready")],
)
def test_nobody_is_let_in_before_the_bank_is_ready(rung: int, metric: str) -> None:
    """Every readiness gate holds the climb where it is, failed or missing."""
    climb = at(rung)
    now = over(climb)
    failed = advance(climb, with_bad(metric), signed(climb, now), now)
    assert (failed.what, failed.climb.rung) == ("stay", rung)
    absent = advance(climb, without(metric), signed(climb, now), now)
    assert (absent.what, absent.climb.rung) == ("feed_synthetic", rung)
