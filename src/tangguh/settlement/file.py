"""Reading a settlement file, line by line: what is wrong anywhere refuses the whole of it. Pure.

The reader gives lines while it goes and never holds the file; whoever takes them must act on
nothing before ``refused`` is None and ``totals`` is there, which is after the last line. It refuses
wrong totals, counts and hashes, what comes twice, a missing trailer, anything after it, another
network, participant, day or cycle, and text that is no amount or instant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec

from tangguh.core.cycle import cycles_of
from tangguh.core.money import IDR, MINOR_MAX, format_decimal
from tangguh.settlement.formats import OWED, Network

LINE_BYTES_MAX: Final = 1_024
_AMOUNT: Final = re.compile(rb"[0-9]{1,15}\.[0-9]{2}")
_REFERENCE: Final = re.compile(rb"[\x20-\x7e]{1,64}")
_SECONDS: Final = re.compile(rb":[0-5][0-9](\.[0-9]{1,6})?\+00:00")
_MINUTE: Final = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}")
_MINUTE_LENGTH: Final = len("2026-03-20T05:00")
_PICKED: Final = ("kind", "side", "reference", "network_reference", "amount", "fee", "at", "number")
_REVERSAL: Final = "reversal"
_DIRECTIONS: Final = {"payment": OWED, "credit": -OWED, "refund": -OWED}
"""On which side each kind stands; a reversal stands on either, against what it reverses."""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Which file is awaited: of this network, day and cycle (0 is the day so far)."""

    network: Network
    day: date
    cycle: int


class FileRefused(msgspec.Struct, frozen=True, tag="file_refused"):
    """Why the whole file was refused: the line (from 1), its field and the rule it breaks."""

    line: int
    field: str
    rule: str


class Line(NamedTuple):
    """One line. ``key``: O or I, the side of what it is about, and the reference after it.

    ``signed_minor``: positive is what we owe. A reversal has the key of what it reverses.
    """

    number: int
    key: bytes
    signed_minor: int
    network_reference: bytes


class Totals(msgspec.Struct, frozen=True):
    """What the file adds up to, in minor units, and the hash over all of it before the trailer."""

    lines: int
    owed_minor: int
    due_minor: int
    fee_minor: int
    sha256: str

    @property
    def net_minor(self) -> int:
        """What we owe for the cycle; negative is due to us."""
        return self.owed_minor - self.due_minor


class _Wrong(Exception):
    """Stops the reading; becomes ``refused``."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(rule)
        self.field, self.rule = field, rule


class Reader:
    """Iterate once over a file given in chunks of any size; then look at what became of it."""

    def __init__(self, chunks: Iterable[bytes], expected: Expected) -> None:
        self._lines = lines_of(chunks)
        self._expected = expected
        self._layout = expected.network.layout
        self._separator = self._layout.separator.encode()
        self._at = 0
        self._hash = sha256()
        self._owed = self._due = self._fees = self._count = 0
        self.refused: FileRefused | None = None
        self.totals: Totals | None = None

    def __iter__(self) -> Iterator[Line]:
        try:
            yield from self._read()
        except _Wrong as wrong:
            self.refused = FileRefused(self._at, wrong.field, wrong.rule)

    def _read(self) -> Iterator[Line]:
        self._read_header()
        tag = self._layout.line_tag.encode() + self._separator
        parse = self._parser()
        for raw in self._lines:
            self._at += 1
            if not raw.startswith(tag):
                self._read_trailer(raw)
                return
            self._hash.update(raw)
            yield parse(raw)
        self._at += 1
        raise _Wrong("tag", "the file ends without a trailer")

    def _read_header(self) -> None:
        self._at = 1
        raw = next(self._lines, b"")
        self._hash.update(raw)
        layout, asked = self._layout, self._expected
        found = self._fields(raw, layout.header, layout.header_tag)
        wanted = {
            "version": (layout.version,),
            "network": (asked.network.name,),
            "participant": asked.network.participants,
            "day": (asked.day.isoformat(),),
            "cycle": (str(asked.cycle),),
            "currency": (IDR,),
        }
        for field, allowed in wanted.items():
            if found[field] not in allowed:
                raise _Wrong(field, f"must be {' or '.join(allowed)}, not {found[field][:40]!r}")

    def _read_trailer(self, raw: bytes) -> None:
        layout = self._layout
        found = self._fields(raw, layout.trailer, layout.trailer_tag)
        digest = self._hash.hexdigest()
        counted = {
            "lines": str(self._count),
            "owed": format_decimal(self._owed),
            "due": format_decimal(self._due),
            "sha256": digest,
        }
        for field, value in counted.items():
            if found[field] != value:
                raise _Wrong(field, f"says {found[field][:64]!r}, counted {value}")
        if next(self._lines, None) is not None:
            self._at += 1
            raise _Wrong("tag", "nothing may follow the trailer")
        self.totals = Totals(self._count, self._owed, self._due, self._fees, digest)

    def _fields(self, raw: bytes, columns: tuple[str, ...], tag: str) -> dict[str, str]:
        try:
            parts = raw.removesuffix(b"\n").decode("ascii").split(self._layout.separator)
        except UnicodeDecodeError:
            raise _Wrong("line", "only ASCII is allowed") from None
        if parts[0] != tag:
            raise _Wrong("tag", f"must be {tag}, not {parts[0][:8]!r}")
        if len(parts) != len(columns):
            raise _Wrong("line", f"must have {len(columns)} fields, not {len(parts)}")
        return dict(zip(columns, parts, strict=True))

    def _parser(self) -> _Parser:
        return _Parser(self, self._expected)

    def count(self, sign: int, amount_minor: int, fee_minor: int) -> int:
        """Add a line to the totals; its number. What no account of this bank can hold is refused,
        so that no sum of lines leaves the numbers it is kept in.
        """
        if sign == OWED:
            self._owed += amount_minor
        else:
            self._due += amount_minor
        self._fees += fee_minor
        if self._owed > MINOR_MAX or self._due > MINOR_MAX:
            raise _Wrong("amount", "all lines together are more than any bank can hold")
        if self._fees > MINOR_MAX:
            raise _Wrong("fee", "all fees together are more than any bank can hold")
        self._count += 1
        return self._count


class _Parser:
    """Turns one raw line after another into ``Line``, with everything that can be looked up first.

    ``_codes``: what a kind and a side together mean: the sign, the letter of the key, and what has
    come before under that kind.
    """

    def __init__(self, reader: Reader, expected: Expected) -> None:
        layout = expected.network.layout
        self._reader = reader
        self._separator = layout.separator.encode()
        self._width = len(layout.line)
        self._pick = itemgetter(*(layout.line.index(name) for name in _PICKED))
        self._minutes: set[bytes] = set()
        self._kinds = {code.encode() for code, _ in layout.kinds}
        self._sides = {code.encode() for code, _ in layout.sides}
        self._may_repeat = {kind.encode() for kind in layout.may_repeat}
        self._seen: dict[bytes, set[bytes]] = {kind: set() for kind in self._kinds}
        self._codes: dict[tuple[bytes, bytes], tuple[int, bytes]] = {}
        for code, kind in layout.kinds:
            for letter, sign in layout.sides:
                stands = -sign if kind == _REVERSAL else sign
                if kind == _REVERSAL or _DIRECTIONS[kind] == sign:
                    key = b"O" if stands == OWED else b"I"
                    self._codes[code.encode(), letter.encode()] = (sign, key)
        self._begins, self._ends = window_of(expected)

    def __call__(self, raw: bytes) -> Line:
        parts = raw[:-1].split(self._separator)
        if len(parts) != self._width or not raw.endswith(b"\n"):
            raise _Wrong("line", f"must have {self._width} fields and an end, not {len(parts)}")
        kind, side, reference, theirs, written, costs, at, counted = self._pick(parts)
        meaning = self._codes.get((kind, side))
        if meaning is None:
            raise self._wrong_code(kind, side)
        if not _REFERENCE.fullmatch(reference):
            raise _Wrong("reference", "must be 1 to 64 printable ASCII characters")
        if theirs and not _REFERENCE.fullmatch(theirs):
            raise _Wrong("network_reference", "must be at most 64 printable ASCII characters")
        amount = _minor_of(written, "amount")
        if amount == 0:
            raise _Wrong("amount", "a line moves at least one sen")
        fee = 0 if costs == b"0.00" else _minor_of(costs, "fee")
        self._check_instant(at)
        sign, letter = meaning
        number = self._reader.count(sign, amount, fee)
        if counted != b"%d" % number:
            raise _Wrong("number", f"lines count 1, 2, 3; this must be {number}")
        name = b"|".join((reference, theirs, at)) if kind in self._may_repeat else reference
        if name in self._seen[kind]:
            raise _Wrong("reference", f"{kind.decode()} {name.decode()} came before")
        self._seen[kind].add(name)
        return Line(number, letter + reference, sign * amount, theirs)

    def _check_instant(self, text: bytes) -> None:
        """Cycles begin and end on whole minutes, so a minute once looked at is known."""
        minute = text[:_MINUTE_LENGTH]
        if minute not in self._minutes:
            self._check_minute(minute)
        if not _SECONDS.fullmatch(text, _MINUTE_LENGTH):
            raise _Wrong("at", "must be an ISO instant in UTC")

    def _check_minute(self, minute: bytes) -> None:
        try:
            well_formed = _MINUTE.fullmatch(minute) is not None
            at = datetime.fromisoformat(minute.decode("ascii")) if well_formed else None
        except ValueError:
            at = None
        if at is None:
            raise _Wrong("at", "must be an ISO instant in UTC")
        if not self._begins <= at.replace(tzinfo=UTC) < self._ends:
            raise _Wrong("at", "is outside the cycle")
        self._minutes.add(minute)

    def _wrong_code(self, kind: bytes, side: bytes) -> _Wrong:
        if kind not in self._kinds:
            return _Wrong("kind", "is not one this network has")
        if side not in self._sides:
            return _Wrong("side", "is not one this network has")
        return _Wrong("side", f"{kind.decode()} does not stand on side {side.decode()}")


def lines_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines with their ends, from chunks cut anywhere. A line too long is given cut, once."""
    rest = b""
    for chunk in chunks:
        whole, newline, tail = (rest + chunk).rpartition(b"\n")
        rest = tail
        if newline:
            for line in whole.split(b"\n"):
                yield line[:LINE_BYTES_MAX] + b"\n"
        if len(rest) > LINE_BYTES_MAX:
            yield rest[:LINE_BYTES_MAX]
            return
    if rest:
        yield rest


def window_of(expected: Expected) -> tuple[datetime, datetime]:
    """From which and before which instant the awaited cycle runs. ValueError: no such cycle."""
    cycles = cycles_of(expected.day, expected.network.cut_offs)
    if not 0 <= expected.cycle <= len(cycles):
        raise ValueError(f"{expected.network.name} has {len(cycles)} cycles a day")
    if expected.cycle == 0:
        return cycles[0].starts_at, cycles[0].starts_at + timedelta(days=1)
    asked = cycles[expected.cycle - 1]
    return asked.starts_at, asked.ends_at


def _minor_of(text: bytes, field: str) -> int:
    if not _AMOUNT.fullmatch(text):
        raise _Wrong(field, "must be rupiah with two decimals")
    return int(text[:-3] + text[-2:])
