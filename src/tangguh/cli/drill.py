"""``tangguh drill``: rehearse a failure against real processes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

from tangguh.cli.drills import (
    forged_orders,
    kill_nine,
    lost_replies,
    lying_partner,
    settlement_twice,
    slow_partner,
)
from tangguh.cli.drills.report import Report
from tangguh.cli.logs import to_stderr
from tangguh.core.errors import TangguhError


class Drill(msgspec.Struct, frozen=True):
    """A drill that can be run: what it rehearses, and how often it strikes by default."""

    about: str
    run: Callable[[int, int], Awaitable[Report]]
    times: int


DRILLS: Final[dict[str, Drill]] = {
    "forged-orders": Drill(
        "A thief with the connector's key posts forged transfers; ring 1, then the watch alone.",
        forged_orders.run,
        40,
    ),
    "kill-nine": Drill(
        "The bank's process is killed at random moments under load and started each time.",
        kill_nine.run,
        100,
    ),
    "lost-replies": Drill(
        "Every partner in turn carries payments out and loses its answers.",
        lost_replies.run,
        8,
    ),
    "slow-partner": Drill(
        "One partner is slow, flaps and goes down; the others' customers must not notice.",
        slow_partner.run,
        9,
    ),
    "lying-partner": Drill(
        "Partners say yes and did not pay, or no and paid; their files show every lie.",
        lying_partner.run,
        8,
    ),
    "settlement-twice": Drill(
        "Settlement files are wrong, and cycles are interrupted and run again and again.",
        settlement_twice.run,
        8,
    ),
}


def drill(
    name: Annotated[str, Parameter(help="Which drill; see --list.")] = "",
    /,
    *,
    seed: Annotated[int, Parameter(help="The same seed, the same rehearsal.")] = 1,
    times: Annotated[int | None, Parameter(help="How often the fault strikes.")] = None,
    list_: Annotated[bool, Parameter(name="--list", negative="", help="Name every drill.")] = False,
    as_json: Annotated[
        bool, Parameter(name="--json", negative="", help="Print one JSON document.")
    ] = False,
) -> None:
    """Rehearse a failure. Exits 0 only when every oracle held and the fault really happened."""
    if list_:
        rows = {key: one.about for key, one in DRILLS.items()}
        shown = "\n".join(f"{key:<16} {about}" for key, about in rows.items())
        print(msgspec.json.encode(rows).decode() if as_json else shown)
        return
    if name not in DRILLS:
        print(f"tangguh: there is no drill {name!r}; see tangguh drill --list", file=sys.stderr)
        sys.exit(2)
    chosen = DRILLS[name]
    to_stderr(level="error")
    try:
        report = asyncio.run(_run(chosen, seed, times if times is not None else chosen.times))
    except TangguhError as trouble:
        print(f"tangguh: {trouble}", file=sys.stderr)
        sys.exit(1)
    print(msgspec.json.encode(report).decode() if as_json else _table(report))
    sys.exit(0 if report.passed else 1)


async def _run(chosen: Drill, seed: int, times: int) -> Report:
    return await chosen.run(seed, times)


def _table(report: Report) -> str:
    lines = [f"{moment.seconds:8.2f} s  {moment.what}" for moment in report.timeline]
    lines += [f"{name}: {'holds' if held else 'BROKEN'}" for name, held in report.oracles.items()]
    lines += [
        f"{name}: {'reached' if seen else 'NEVER REACHED'}"
        for name, seen in report.sometimes.items()
    ]
    lines += [f"{name} = {value}" for name, value in report.measures.items()]
    lines.append("passed" if report.passed else "FAILED")
    return "\n".join(lines)
