"""How what the bank tells is written in a terminal: money, times in WIB, lines under headings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tangguh.core.clock import JAKARTA
from tangguh.core.format import money
from tangguh.core.money import parse_decimal

_NAME = 26


def rupiah(text: str) -> str:
    """``54000.00`` as people write it: ``Rp54.000``; with a minus where it has one."""
    minus, digits = text[:1] == "-", text.removeprefix("-")
    return money(-parse_decimal(digits) if minus else parse_decimal(digits))


def when(text: str | None) -> str:
    """An instant in WIB to the second; ``-`` where there is none."""
    if not text:
        return "-"
    return f"{datetime.fromisoformat(text).astimezone(JAKARTA):%Y-%m-%d %H:%M:%S} WIB"


def heading(text: str) -> None:
    """A part of what is told."""
    print(f"\n{text}")


def fact(name: str, value: Any) -> None:
    """One name and what it is; nothing where there is nothing."""
    if value not in ("", None):
        print(f"  {name:<{_NAME}}{value}")


def none(lines: Iterable[Any], words: str) -> None:
    """Said where a part is empty, so that nothing left out looks like nothing there."""
    if not lines:
        print(f"  {words}")


def payment_line(one: dict[str, Any]) -> str:
    """One payment on one line."""
    return (
        f"{one['id']}  {when(one['accepted_at'])}  {one['state']:<10} {one['rail']:<8} "
        f"{rupiah(one['total']):>14}  {one['from_account']} to {one['to']}"
        + (f"  [{one['found_as']}]" if one["found_as"] else "")
    )


def case_lines(cases: list[dict[str, Any]]) -> None:
    """Complaints, one on a line."""
    for one in cases:
        clock = f"act by {when(one['act_by'])}, {one['owner'] or 'nobody has it yet'}"
        ended = f"{one['outcome']}: {one['why']}" if one["outcome"] else clock
        print(f"  {one['number']}  {one['about']:<18} {one['state']:<12} {ended}")
