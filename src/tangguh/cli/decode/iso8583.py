"""``tangguh iso8583 decode``: read card-switch messages from a trace and judge them.

Takes what people have: ASCII as it is, the same in hex, with or without the two bytes of length.
Cards, tracks, PIN blocks and names are masked; ``--clear`` shows them, and is for test data.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, Final

import msgspec
from cyclopts import App, Parameter

from tangguh.rails.iso8583.fields import ASCII, Bitmap, Dialect, Text
from tangguh.rails.iso8583.message import Malformed, Message, decode, masked
from tangguh.rails.iso8583.required import judge

app = App(name="iso8583", help="Read and judge card-switch messages.")

_LINE_BYTES_MAX: Final = 16_384
"""Hex of the longest message and its length; the rest of a longer line is dropped unread."""
_HEX: Final = re.compile(rb"(?:[0-9A-Fa-f]{2})+")
_HEADER: Final = re.compile(rb"[0-9A-Fa-f]{4}")
_MESSAGE_HELP: Final = "The message, or - to read one per line from standard input."
_CLEAR_HELP: Final = "Show cards, tracks, PIN blocks and names."
_TEXT_HELP: Final = "Character set of the link."
_JSON_HELP: Final = "One JSON document for each message: its only form, with or without this."
_BITMAP_HELP: Final = "How the link writes bitmaps."


@app.command(name="decode")
def show(
    message: Annotated[str, Parameter(allow_leading_hyphen=True, help=_MESSAGE_HELP)] = "-",
    /,
    *,
    clear: Annotated[bool, Parameter(negative="", help=_CLEAR_HELP)] = False,
    text: Annotated[Text, Parameter(help=_TEXT_HELP)] = "ascii",
    bitmap: Annotated[Bitmap, Parameter(help=_BITMAP_HELP)] = "hex",
    as_json: Annotated[bool, Parameter(name="--json", negative="", help=_JSON_HELP)] = True,
) -> None:
    """Decode and judge messages, one line of JSON each. Exits 0 only when every one is valid."""
    dialect = Dialect(text=text, bitmap=bitmap)
    all_valid = True
    lines = _lines(sys.stdin.buffer) if message == "-" else (message.encode("utf-8", "replace"),)
    for line in lines:
        verdict = judgement(line, dialect, clear=clear)
        all_valid = all_valid and verdict["valid"]
        # ASCII only: nothing a message holds can steer a terminal.
        print(json.dumps(verdict))
    sys.exit(0 if all_valid else 1)


def judgement(line: bytes, dialect: Dialect = ASCII, *, clear: bool = False) -> dict[str, Any]:
    """What is printed for one message: valid, type, fields by number, errors."""
    read = _first_that_reads(line, dialect)
    findings = judge(read) if isinstance(read, Message) else read.findings
    fields = read.fields if isinstance(read, Message) else read.seen
    shown = {str(number): value for number, value in sorted(fields.items())}
    return {
        "valid": not findings,
        "mti": read.mti,
        "fields": shown if clear else masked(read),
        "errors": [msgspec.structs.asdict(finding) for finding in findings],
    }


def _first_that_reads(line: bytes, dialect: Dialect) -> Message | Malformed:
    """Every way a line may be meant, until one makes sense; else what the likeliest way found."""
    failed: Malformed | None = None
    for raw in _readings(line):
        read = decode(raw, dialect)
        if isinstance(read, Message):
            return read
        if failed is None or len(read.seen) > len(failed.seen):
            failed = read
    assert failed is not None
    return failed


def _readings(line: bytes) -> Iterator[bytes]:
    yield line
    yield from _without_length(line)
    if _HEADER.match(line) and int(line[:4], 16) == len(line[4:].lstrip(b" ")):
        yield line[4:].lstrip(b" ")
    if _HEX.fullmatch(line):
        raw = bytes.fromhex(line.decode("ascii"))
        yield raw
        yield from _without_length(raw)


def _without_length(raw: bytes) -> Iterator[bytes]:
    if len(raw) > 2 and int.from_bytes(raw[:2], "big") == len(raw) - 2:
        yield raw[2:]


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Each line without its newline; an empty stream counts as one empty line."""
    line = stream.readline(_LINE_BYTES_MAX)
    while True:
        rest = line
        while len(rest) == _LINE_BYTES_MAX and not rest.endswith(b"\n"):
            rest = stream.readline(_LINE_BYTES_MAX)
        yield line.removesuffix(b"\n").removesuffix(b"\r")
        line = stream.readline(_LINE_BYTES_MAX)
        if not line:
            return
