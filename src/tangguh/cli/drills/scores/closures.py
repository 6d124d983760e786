"""What the bank's gates did, read from the book's own history of them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from tangguh.cli.drills.scores.recorder import Band
from tangguh.db.pool import Pool
from tangguh.guard.closure import Allowance, Closure
from tangguh.guard.scope import text_of

_HISTORY: Final = (
    "SELECT at, closure_id, what, made_by, closure_json FROM gate_events"
    " WHERE book_id = $1 ORDER BY at, event_id"
)
_ENDS: Final = frozenset({"lapsed", "lifted", "replaced", "widened", "narrowed", "false_positive"})
_decode: Final = msgspec.json.Decoder(Closure).decode


class Change(msgspec.Struct, frozen=True):
    """One change of a gate: when, what, by whom, and the closure as it became."""

    at: datetime
    what: str
    made_by: str
    closure: Closure


async def gate_history(dsn: str, book_id: int = 1) -> list[Change]:
    """Every change of every gate, the oldest first."""
    pool = await Pool.open(dsn, size_max=1)
    try:
        rows = await pool.fetch(_HISTORY, book_id)
    finally:
        await pool.close()
    return [
        Change(row["at"], row["what"], row["made_by"], _decode(row["closure_json"])) for row in rows
    ]


def closed(history: list[Change]) -> list[Change]:
    """The changes that put a closure in force."""
    return [change for change in history if change.what == "closed"]


def told_in_brief(history: list[Change]) -> list[str]:
    """The closures as a person reads them, each with what it lets through."""
    return [
        f"{text_of(one.closure.scope)}: {one.closure.reason}, {_let_through(one.closure)}"
        for one in closed(history)
    ]


def bands_of(history: list[Change], began_at: datetime, shown_as: dict[str, str]) -> list[Band]:
    """Each closure as a band. ``shown_as``: account, service, partner or rail to a chart's name.

    A closure of one account is shown only where the drill has a chart for that account.
    """
    ends = {change.closure.id: change.at for change in history if change.what in _ENDS}
    bands = []
    for change in closed(history):
        closure, scope = change.closure, change.closure.scope
        names = (str(scope.account), scope.service, scope.partner, scope.rail)
        shown = next((shown_as[name] for name in names if name in shown_as), "")
        if scope.is_pinned and not shown:
            continue
        over = ends.get(closure.id, closure.expires_at)
        begins, end = ((at - began_at).total_seconds() for at in (change.at, over))
        label = f"{text_of(scope)} {closure.reason}"
        bands.append(Band(round(begins, 3), round(end, 3), "closure", label, shown))
    return bands


def _let_through(closure: Closure) -> str:
    allowance: Allowance | None = closure.allowance
    if allowance is None:
        return "closed"
    if allowance.per_minute is not None:
        return f"{allowance.per_minute} a minute"
    if allowance.amount_max_minor is not None:
        return f"at most Rp {allowance.amount_max_minor // 100:,}"
    return f"{allowance.amount_percent} % of the limits"
