"""An operator's file of what cards spent offline: read whole, or refused whole. Pure.

``H|1|spend|operator|day|number|IDR``, ``D|n|card|counter|amount|instant|reader|mac``, then
``T|lines|total|sha256`` over every byte before it. The MAC of a line is HMAC-SHA256 over card,
counter, amount and instant with the key the operator shares with us, sixteen hex digits. Our own
layout: those of card e-money issuers are not public.
"""

from __future__ import annotations

import hmac
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final

import msgspec

from tangguh.core.money import IDR, NotMoney, format_decimal, parse_decimal
from tangguh.core.text import is_fit

_HEAD: Final = 7
_LINE: Final = 8
_TAIL: Final = 4
_NUMBER_DIGITS_MAX: Final = 9
_READER_LENGTH_MAX: Final = 64
CLOCKS_APART: Final = timedelta(minutes=15)
"""How far a reader's clock may run before ours: it has no line to set it by."""
LINES_MAX: Final = 200_000


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """One offline purchase. ``counter`` rises with every purchase of the card. Minor units."""

    card: str
    counter: int
    amount_minor: int
    at: datetime
    reader: str


class SpendFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that may be posted."""

    operator: str
    day: date
    number: int
    lines: tuple[Spent, ...]
    total_minor: int


class FileRefused(msgspec.Struct, frozen=True):
    """Why nothing of a file was taken: the line (1 is the header), the field, the rule."""

    line: int
    field: str
    rule: str


def read(text: str, *, operator: str, key: bytes, now: datetime) -> SpendFile | FileRefused:
    """The file, or the first thing that is wrong with it. No ride is later than ``now``."""
    lines = text.splitlines()
    if len(lines) < 2 or len(lines) > LINES_MAX + 2:
        return FileRefused(1, "file", f"has a header, a trailer and at most {LINES_MAX} lines")
    head = lines[0].split("|")
    if len(head) != _HEAD or head[:3] != ["H", "1", "spend"]:
        return FileRefused(1, "header", "is H|1|spend|operator|day|number|currency")
    if head[3] != operator:
        return FileRefused(1, "operator", "is another operator's")
    if head[6] != IDR:
        return FileRefused(1, "currency", f"is {IDR}")
    day, number = _day(head[4]), head[5]
    if day is None or not number.isdecimal() or len(number) > _NUMBER_DIGITS_MAX:
        return FileRefused(1, "day", "is YYYY-MM-DD, and the number is at most nine digits")
    if refused := _judge_trailer(lines, text):
        return refused
    found: list[Spent] = []
    seen: set[tuple[str, int]] = set()
    for at, line in enumerate(lines[1:-1], start=1):
        spent = _line(line, at, key)
        if isinstance(spent, FileRefused):
            return spent
        if spent.at > now + CLOCKS_APART:
            return FileRefused(at + 1, "instant", "has not come yet")
        if (spent.card, spent.counter) in seen:
            return FileRefused(at + 1, "counter", "stands in the file twice")
        seen.add((spent.card, spent.counter))
        found.append(spent)
    total = sum(one.amount_minor for one in found)
    if _minor(lines[-1].split("|")[2]) != total:
        return FileRefused(len(lines), "total", f"the lines add up to {format_decimal(total)}")
    return SpendFile(
        operator=operator, day=day, number=int(number), lines=tuple(found), total_minor=total
    )


def mac_of(card: str, counter: int, amount_minor: int, instant: str, key: bytes) -> str:
    """The MAC of one line."""
    text = f"{card}|{counter}|{format_decimal(amount_minor)}|{instant}"
    return hmac.new(key, text.encode(), sha256).hexdigest()[:16]


def _judge_trailer(lines: list[str], text: str) -> FileRefused | None:
    number, tail = len(lines), lines[-1].split("|")
    if len(tail) != _TAIL or tail[0] != "T":
        return FileRefused(number, "trailer", "is missing")
    if tail[1] != str(number - 2):
        return FileRefused(number, "lines", f"there are {number - 2}")
    body = text[: text.rindex("T|")]
    if not hmac.compare_digest(sha256(body.encode()).hexdigest(), tail[3]):
        return FileRefused(number, "sha256", "is not of this file")
    return None


def _line(line: str, number: int, key: bytes) -> Spent | FileRefused:
    fields, at = line.split("|"), number + 1
    if len(fields) != _LINE or fields[0] != "D" or fields[1] != str(number):
        return FileRefused(at, "line", "is D|n|card|counter|amount|instant|reader|mac, n rising")
    card, counter, amount = fields[2], fields[3], _minor(fields[4])
    instant = _instant(fields[5])
    if not (card.isdecimal() and 12 <= len(card) <= 19):
        return FileRefused(at, "card", "is a card number")
    if not (counter.isdecimal() and len(counter) <= _NUMBER_DIGITS_MAX):
        return FileRefused(at, "counter", "is a number of at most nine digits")
    if amount is None or amount <= 0:
        return FileRefused(at, "amount", "is rupiah above zero with two decimals")
    if instant is None:
        return FileRefused(at, "instant", "is an ISO instant with its zone")
    if not is_fit(fields[6], _READER_LENGTH_MAX):
        return FileRefused(at, "reader", "is text of at most 64 characters that can be shown")
    expected = mac_of(card, int(counter), amount, fields[5], key)
    if not hmac.compare_digest(expected, fields[7]):
        return FileRefused(at, "mac", "was not made with the operator's key")
    return Spent(card=card, counter=int(counter), amount_minor=amount, at=instant, reader=fields[6])


def _minor(text: str) -> int | None:
    """Rupiah with two decimals, no more and no fewer: another precision is another unit."""
    if text[-3:-2] != ".":
        return None
    try:
        return parse_decimal(text)
    except NotMoney:
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
