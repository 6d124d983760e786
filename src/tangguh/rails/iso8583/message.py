"""A message: its type and data elements, read from bytes and written to bytes, never by trust.

``decode`` gives a Message or a Malformed that names field and rule; ``judge`` finds what else is
wrong. Nothing here raises on what a peer may send. The codec library is asked for layout only: it
takes a type such as 02X0 and letters in a number, so those are checked here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import iso8583
import msgspec

from tangguh.rails.iso8583.fields import ASCII, Dialect, complaint_about, spec_of

FRAME_BYTES_MAX: Final = 4096
"""More than any message of these networks; what is longer is refused before it is looked at."""

TYPES: Final = frozenset(
    f"0{digits}"
    for digits in (100, 110, 200, 201, 210, 220, 221, 230, 400, 401, 410, 420, 421, 430)
) | {"0800", "0801", "0810"}
"""Message types in use: the sheet's table and their repeats."""

_LENGTH: Final = re.compile(r"[0-9]{2,3}")
_MAC_DIGITS: Final = 16
_TYPE_BYTES, _BITMAP_DIGITS, _FIRST_BITMAP = 4, 16, 64
_KEPT_HEAD, _KEPT_TAIL = 6, 4


class Finding(msgspec.Struct, frozen=True):
    """One thing wrong: ``field`` is a data element's number, ``t`` its type, ``p`` the bitmap."""

    field: str
    rule: str
    detail: str = ""


class Malformed(msgspec.Struct, frozen=True):
    """Bytes or fields that are no message. ``seen`` is what could be read, for people only."""

    findings: tuple[Finding, ...]
    mti: str = ""
    seen: dict[int, str] = msgspec.field(default_factory=dict)

    @property
    def why(self) -> str:
        """The first finding in one line; holds no value of any field."""
        first = self.findings[0]
        return f"{first.field}: {first.rule}"

    def __repr__(self) -> str:
        return f"Malformed({self.mti}, {self.why}, {masked(self)})"


class Message(msgspec.Struct, frozen=True):
    """One message. ``fields`` by number; the bitmaps are not among them. Do not change it."""

    mti: str
    fields: dict[int, str]

    def get(self, number: int) -> str:
        """A data element; empty when it is absent."""
        return self.fields.get(number, "")

    def with_fields(self, changes: Mapping[int, str]) -> Message:
        """The same message with these elements set, or taken away where empty."""
        merged = {**self.fields, **changes}
        return Message(self.mti, {number: value for number, value in merged.items() if value})

    @property
    def is_request(self) -> bool:
        """Whether it wants an answer: the type's third digit is even."""
        return self.mti[2] in "02468"

    def __repr__(self) -> str:
        return f"Message({self.mti}, {masked(self)})"


def decode(raw: bytes, dialect: Dialect = ASCII) -> Message | Malformed:
    """Bytes of one message, without header, to a Message whose every field keeps its format."""
    if len(raw) > FRAME_BYTES_MAX:
        return Malformed((Finding("frame", "too_long", f"{len(raw)} bytes"),))
    try:
        decoded, pieces = iso8583.decode(raw, spec_of(dialect))
    except iso8583.DecodeError as error:
        seen = _numbered(error.doc_dec)
        if error.field.isdigit():
            seen.pop(int(error.field), None)
        mti = error.doc_dec.get("t", "")
        return Malformed((Finding(error.field, "layout", error.msg),), mti, seen)
    except KeyError:
        # A third bitmap (bit 65) names elements that the library has no spec for.
        return Malformed((Finding("65", "no_such_field"),))
    message = Message(decoded["t"], _numbered(decoded))
    lengths = _judge_lengths(pieces, dialect)
    findings = (*_judge_bitmap(decoded, dialect), *lengths, *judge_format(message))
    return Malformed(findings, message.mti, message.fields) if findings else message


def encode(
    message: Message, dialect: Dialect = ASCII, *, any_type: bool = False
) -> bytes | Malformed:
    """A Message to bytes, without header; Malformed when a field breaks its format.

    ``any_type``: also a type that is not in use here, for the answer to one that is not.
    """
    findings = judge_format(message)
    if any_type:
        findings = tuple(one for one in findings if one.field != "t")
    if findings:
        return Malformed(findings, message.mti, message.fields)
    document: dict[str, Any] = {str(number): value for number, value in message.fields.items()}
    document["t"] = message.mti
    encoded, _ = iso8583.encode(document, spec_of(dialect))
    if dialect.bitmap == "lower_hex":
        return _with_small_letters(bytes(encoded), max(message.fields, default=0), dialect)
    return bytes(encoded)


def judge_format(message: Message) -> tuple[Finding, ...]:
    """Type and fields, each by itself. What must be there is ``required.judge``'s affair."""
    rules: dict[int, str] = {}
    for number, value in message.fields.items():
        if not 2 <= number <= 128 or number == 65:
            rules[number] = "no_such_field"
        elif rule := complaint_about(number, value):
            rules[number] = rule
    findings = tuple(Finding(str(number), rules[number]) for number in sorted(rules))
    return findings if message.mti in TYPES else (Finding("t", "type_unknown"), *findings)


def mac_field_of(message: Message) -> int:
    """Which element a MAC goes into: 64, or 128 when there is a secondary bitmap."""
    return 128 if max(message.fields, default=0) > 64 else 64


def without_mac(raw: bytes) -> bytes:
    """What a MAC is reckoned over: everything before the last element, which holds it."""
    return raw[:-_MAC_DIGITS]


def reply_type_of(mti: str) -> str:
    """The type that answers: 0200 by 0210, 0420 and its repeat 0421 by 0430, 0302 by 0312."""
    return f"{mti[:2]}{int(mti[2]) + 1}{int(mti[3]) // 2 * 2}"


_ECHOED: Final[tuple[int, ...]] = (
    *(2, 3, 4, 7, 11, 12, 13, 15, 18, 32, 33, 37, 41, 42, 49, 70),
    *(90, 100, 102, 103, 127),
)


def reply_to(request: Message, code: str, more: Mapping[int, str] | None = None) -> Message:
    """The answer to a request: its own elements back, DE39, and what else is to be said."""
    said = {number: request.fields[number] for number in _ECHOED if number in request.fields}
    said[39] = code
    said.update(more or {})
    return Message(reply_type_of(request.mti), said)


def not_now(request: Message, code: str) -> Message | None:
    """The answer to what cannot be served now; None to what tells of something that happened.

    An answer, whatever it says, may end an advice or a reversal: without one it comes again.
    """
    return reply_to(request, code) if is_request(request) else None


def is_request(message: Message) -> bool:
    """Whether it asks for something that has not happened: no answer, an advice or a reversal."""
    return message.mti[1] != _REVERSAL and message.mti[2] == _REQUEST


def format_error(bad: Malformed) -> Message | None:
    """The answer to a request or advice that could be read in part; None where none is due.

    30 for one that breaks a format, 12 for one of a type that is not in use here. Answers and
    notifications are not answered. What of its elements could be read is told back, its number
    (DE11) too if that is among them.
    Rule: ISO 8583:1987, message functions; a repeat is answered like its first.
    """
    if _TYPE.fullmatch(bad.mti) is None or bad.mti[2] not in _ANSWERED:
        return None
    said = {
        number: bad.seen[number]
        for number in _ECHOED
        if number in bad.seen and not complaint_about(number, bad.seen[number])
    }
    said[39] = _FORMAT_ERROR if bad.mti in TYPES else _INVALID
    return Message(reply_type_of(bad.mti), said)


_TYPE: Final = re.compile(r"[0-9]{4}", re.ASCII)
_REVERSAL, _REQUEST = "4", "0"
"""The second digit of a reversal's type, the third of a request's."""
_ANSWERED: Final = "02"
"""Functions that want an answer: a request and an advice."""
_FORMAT_ERROR, _INVALID = "30", "12"


def masked_pan(pan: str) -> str:
    """The first six and the last four digits; nothing of a number too short to hide anything."""
    if len(pan) < _KEPT_HEAD + _KEPT_TAIL + 3:
        return "*" * len(pan)
    hidden = "*" * (len(pan) - _KEPT_HEAD - _KEPT_TAIL)
    return f"{pan[:_KEPT_HEAD]}{hidden}{pan[-_KEPT_TAIL:]}"


def masked(message: Message | Malformed) -> dict[str, str]:
    """The fields by number, for people and logs: no card, no track, no PIN block, no key."""
    fields = message.fields if isinstance(message, Message) else message.seen
    return {str(number): _masked_value(number, value) for number, value in sorted(fields.items())}


_HIDDEN: Final = frozenset((14, 36, 45, 52, 53, 55, 64, 96, 128))
_NAMES_AND_KEYS: Final = frozenset((48, 54, 61, 62, 63, 120, 121, 122, 123, 124, 125, 126))


def _masked_value(number: int, value: str) -> str:
    if number in (2, 34):
        return masked_pan(value)
    if number == 35:
        pan, _, rest = value.replace("D", "=").partition("=")
        return f"{masked_pan(pan)}={'*' * len(rest)}"
    if number in _HIDDEN:
        return "*" * len(value)
    if number in _NAMES_AND_KEYS:
        return f"({len(value)} characters)"
    return value


_NUMBERS: Final = {str(number): number for number in range(2, 129)}


def _numbered(decoded: Mapping[str, str]) -> dict[int, str]:
    return {_NUMBERS[name]: value for name, value in decoded.items() if name in _NUMBERS}


def _with_small_letters(raw: bytes, last: int, dialect: Dialect) -> bytes:
    end = _TYPE_BYTES + (2 if last > _FIRST_BITMAP else 1) * _BITMAP_DIGITS
    bitmaps = raw[_TYPE_BYTES:end].decode(dialect.text).lower().encode(dialect.text)
    return raw[:_TYPE_BYTES] + bitmaps + raw[end:]


def _judge_lengths(pieces: Mapping[str, Mapping[str, bytes]], dialect: Dialect) -> list[Finding]:
    """The library takes a length such as " 3" or "+3"."""
    return [
        Finding(name, "length_not_digits")
        for name, piece in pieces.items()
        if piece["len"] and _LENGTH.fullmatch(piece["len"].decode(dialect.text)) is None
    ]


def _judge_bitmap(decoded: Mapping[str, str], dialect: Dialect) -> tuple[Finding, ...]:
    """The library reads either case and spaced hexadecimal; one link has one spelling here."""
    case = "lower" if dialect.bitmap == "lower_hex" else "upper"
    digits = "0123456789abcdef" if case == "lower" else "0123456789ABCDEF"
    for name in ("p", "1"):
        bitmap = decoded.get(name, "")
        if any(character not in digits for character in bitmap):
            return (Finding(name, f"bitmap_not_{case}_hexadecimal"),)
        if name == "1" and bitmap and len(bitmap) != 16:
            return (Finding("65", "no_such_field"),)
    if decoded.get("1") and not int(decoded["1"], 16):
        return (Finding("1", "bitmap_empty"),)
    return ()
