"""``tangguh drill``: rehearse a failure against real processes."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from tangguh.cli.drills.register import DRILLS, Drill
from tangguh.cli.drills.report import Report
from tangguh.cli.drills.scores.card import complete
from tangguh.cli.drills.scores.picture import draw
from tangguh.cli.processes.logs import to_stderr
from tangguh.core.errors import TangguhError


def drill(
    name: Annotated[str, Parameter(help="Which drill; see --list.")] = "",
    /,
    *,
    seed: Annotated[int, Parameter(help="The same seed, the same rehearsal.")] = 1,
    times: Annotated[int | None, Parameter(help="How often the fault strikes.")] = None,
    picture: Annotated[Path | None, Parameter(help="Write what was felt as an SVG.")] = None,
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
    if picture is not None:
        picture.write_text(_picture(report, chosen.about), encoding="utf-8")
    print(msgspec.json.encode(report).decode() if as_json else _table(report))
    sys.exit(0 if report.passed else 1)


async def _run(chosen: Drill, seed: int, times: int) -> Report:
    report = await chosen.run(seed, times)
    doc = sys.modules[chosen.run.__module__].__doc__ or ""
    return msgspec.structs.replace(report, scores=complete(report.scores, report.oracles, doc))


def _picture(report: Report, about: str) -> str:
    verdict = "passed" if report.passed else "FAILED"
    title = f"{report.drill}, seed {report.seed}: {verdict}"
    return draw(title, report.series, report.bands, about)


def _table(report: Report) -> str:
    lines = [f"{moment.seconds:8.2f} s  {moment.what}" for moment in report.timeline]
    lines += [f"{name} = {value}" for name, value in report.measures.items()]
    for line in report.scores:
        said = f"{line.oracle} {line.name}".strip()
        holds = "holds" if line.holds else "BROKEN"
        lines.append(f"{holds:<6}  {said}: asked {line.asked}; measured {line.measured}")
    lines += [
        f"{name}: {'reached' if seen else 'NEVER REACHED'}"
        for name, seen in report.sometimes.items()
    ]
    if report.plan:
        lines.append(f"plan of faults and orders: {report.plan}")
    lines.append("passed" if report.passed else "FAILED")
    return "\n".join(lines)
