"""The month's complaints as figures: for people to read, finish and send to the regulator."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import Final

from tangguh.core.clock import JAKARTA
from tangguh.disputes.store import Count
from tangguh.status.regulator.drafts import Figures, monthly
from tangguh.status.regulator.papers import as_docx, as_pdf
from tangguh.web.api.parameters import Choice, Text
from tangguh.web.care import desk as care
from tangguh.web.door import Door
from tangguh.web.problems import trouble
from tangguh.web.words import LANGUAGES

_MONTH: Final = re.compile(r"(20[0-9][0-9])-(0[1-9]|1[0-2])", re.ASCII)
MONTH: Final = Text(
    name="month",
    pattern=f"^{_MONTH.pattern}$",
    about="A month of Jakarta's calendar",
    is_required=True,
    example="2026-03",
)
LANGUAGE: Final = Choice(name="language", words=LANGUAGES, about="In which language; without it id")
_ANSWERED: Final = frozenset({"decided", "closed"})
MEDIA: Final = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


def bounds_of(month: str) -> tuple[datetime, datetime]:
    """A month of Jakarta's calendar, ``2026-03``. Raises Trouble(parameter_invalid)."""
    found = _MONTH.fullmatch(month)
    if found is None:
        raise trouble("parameter_invalid", "a month, e.g. 2026-03", "month")
    year, number = int(found[1]), int(found[2])
    start = datetime(year, number, 1, tzinfo=JAKARTA)
    return start, datetime(year + number // 12, number % 12 + 1, 1, tzinfo=JAKARTA)


async def figures_of(door: Door, month: str) -> Figures:
    """The complaints opened in a month, as they stand now. Raises Trouble."""
    start, end = bounds_of(month)
    store = care.complaints_of(door).store
    return sum_up(door.bank_name, month, await store.counts(start, end, door.clock.now()))


def sum_up(bank: str, month: str, counts: list[Count]) -> Figures:
    """Rows of the store as the figures that are reported."""
    opened: dict[str, int] = {}
    decided: dict[str, int] = {}
    for one in counts:
        opened[one.about] = opened.get(one.about, 0) + one.cases
        if one.outcome:
            decided[one.outcome] = decided.get(one.outcome, 0) + one.cases
    return Figures(
        bank=bank,
        month=month,
        opened=opened,
        decided=decided,
        still_open=sum(one.cases for one in counts if one.state not in _ANSWERED),
        overdue=sum(one.overdue for one in counts),
    )


async def paper_of(figures: Figures, kind: str, language: str) -> bytes:
    """The figures as a ``docx`` to finish or a ``pdf`` to read."""
    document = monthly(figures, language)
    return await asyncio.to_thread(as_docx if kind == "docx" else as_pdf, document)


def paper_headers(month: str, kind: str) -> dict[str, str]:
    """What the file is called."""
    return {"Content-Disposition": f'attachment; filename="complaints-{month}.{kind}"'}
