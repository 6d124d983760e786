r"""The one gate for text from outside: what a text may hold, and what becomes of one that does not.

Two uses of one rule. At a border whose sender can be told, ``refuse`` names what is wrong and
nothing is stored. Where the words are somebody else's and the message must be kept (names and notes
inside a network's message that is about money), ``shown`` gives the text as a page may show it.

Never part of a text: control characters and lone surrogates (no database keeps them, no page shows
them), marks of direction (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069: they make a
name read as another), characters nobody sees (U+200B, U+2060, U+FEFF and their like: two names look
the same and are not). Sources: Unicode 15 general categories Cc, Cs, Zl, Zp and noncharacters;
Default_Ignorable_Code_Point; UTR 36 section 2.5. Joiners (U+200C, U+200D) stay between characters
that are not ASCII, where scripts and pictures need them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands where something stood that cannot be shown."""

_CONTROL: Final = (
    "\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ufff9-\\ufffb\\ud800-\\udfff\\ufdd0-\\ufdef"
    + "".join(f"\\U{plane:04x}fffe\\U{plane:04x}ffff" for plane in range(17))
)
_DIRECTION: Final = "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069"
_UNSEEN: Final = (
    "\\u00ad\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b\\u2060-\\u2065\\u206a-\\u206f"
    "\\u3164\\ufeff\\uffa0\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a"
    "\\U000e0000-\\U000e00ff\\U000e01f0-\\U000e0fff"
)
_JOINERS: Final = "\\u200c\\u200d"
_JOINER: Final = (
    f"[{_JOINERS}]{{2,}}|[{_JOINERS}](?![^\\x00-\\x7f])|(?<![^\\x00-\\x7f])[{_JOINERS}]"
)
_UNFIT: Final = re.compile(f"[{_CONTROL}{_DIRECTION}{_UNSEEN}]|{_JOINER}")
_UNFIT_BUT_LINES: Final = re.compile(f"(?!\\n)[{_CONTROL}]|[{_DIRECTION}{_UNSEEN}]|{_JOINER}")
_CONTROL_ONLY: Final = re.compile(f"[{_CONTROL}]")
_DIRECTION_ONLY: Final = re.compile(f"[{_DIRECTION}]")
_UNSEEN_ONLY: Final = re.compile(f"[{_UNSEEN}]")
_JOINER_ONLY: Final = re.compile(_JOINER)
_HIDDEN: Final = re.compile(f"[{_DIRECTION}{_UNSEEN}]")
_NEW_LINE: Final = re.compile("\r\n?|[\x85\u2028\u2029]")
_SPACES: Final = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")
_SPACES_BUT_LINES: Final = re.compile("[\t\v\f]+")
_ENDS: Final = re.compile(f"^[\\s{_JOINERS}]+|[\\s{_JOINERS}]+$")
_DEPTH_MAX: Final = 64


def _pattern(unfit: str) -> str:
    """The rule as a pattern of JSON Schema: the characters themselves, so that the escapes of no
    language are needed. Lone surrogates are not in it: no JSON text has them.
    """
    found = unfit.replace("\\ud800-\\udfff", "").replace("\\n", "\\x0a")
    return f"^(?![\\s\\S]*(?:{found.encode('ascii').decode('unicode_escape')}))"


FIT: Final = _pattern(f"[{_CONTROL}{_DIRECTION}{_UNSEEN}]|{_JOINER}")
"""What ``refuse`` lets pass, for documents."""
FIT_WITH_LINES: Final = _pattern(f"(?!\\n)[{_CONTROL}]|[{_DIRECTION}{_UNSEEN}]|{_JOINER}")
"""The same where line feeds are part of the text."""


class Unfit(msgspec.Struct, frozen=True):
    """Why a text is refused. ``field`` is where it stood, ``rule`` says what is wrong with it."""

    field: str
    rule: str


def refuse(text: str, *, lines: bool = False) -> str:
    """What is wrong with a text, in words for its sender; empty when it passes.

    ``lines``: line feeds are part of it.
    """
    if text.isascii() and text.isprintable():
        return ""
    found = (_UNFIT_BUT_LINES if lines else _UNFIT).search(text)
    if found is None:
        return ""
    mark = ord(found[0][0])
    if _DIRECTION_ONLY.fullmatch(found[0]):
        return f"holds a mark of direction (U+{mark:04X})"
    if _CONTROL_ONLY.fullmatch(found[0]):
        return f"holds a control character (U+{mark:04X})"
    return f"holds a character nobody sees (U+{mark:04X})"


def refuse_control(text: str, *, lines: bool = False) -> str:
    """The same where hidden marks are taken out afterwards (``seen``): only controls count."""
    return refuse(seen(text), lines=lines)


def seen(text: str) -> str:
    """What a person typed or pasted, without the marks they cannot have seen; lines end in LF."""
    if text.isascii() and text.isprintable():
        return text
    return _JOINER_ONLY.sub("", _HIDDEN.sub("", _NEW_LINE.sub("\n", text)))


def is_fit(text: str, length_max: int, *, lines: bool = False) -> bool:
    """Whether a text may be kept as it is."""
    return len(text) <= length_max and not refuse(text, lines=lines)


def shown(text: str, length_max: int, *, lines: bool = False) -> str:
    """Somebody else's words as they can be kept and shown: the same for the same words.

    What moves to another line becomes a space, what nobody sees goes, and where anything else stood
    that cannot be shown stands U+FFFD. Cut to ``length_max`` characters, trimmed.
    """
    if not (text.isascii() and text.isprintable()):
        kept = _NEW_LINE.sub("\n", text) if lines else text
        kept = (_SPACES_BUT_LINES if lines else _SPACES).sub(" ", kept)
        kept = _UNSEEN_ONLY.sub("", kept)
        kept = _DIRECTION_ONLY.sub(REPLACEMENT, kept)
        kept = re.sub(f"(?!\\n)[{_CONTROL}]", REPLACEMENT, kept)
        text = _JOINER_ONLY.sub("", kept)
    return _ENDS.sub("", text.strip()[:length_max])


def unfit_in(
    value: object,
    *,
    lines: frozenset[str] | None = frozenset(),
    typed: frozenset[str] = frozenset(),
) -> Unfit | None:
    """The first text in a decoded body (maps, lists, structs) that does not pass, by its path.

    ``lines`` are the paths whose texts may have line feeds (None: all), ``typed`` those whose
    hidden marks are taken out by their reader. Names of members are texts too.
    """
    for path, text in _texts(value, "", 0):
        judge = refuse_control if path in typed else refuse
        if rule := judge(text, lines=lines is None or path in lines):
            return Unfit(path, rule)
    return None


def _texts(value: object, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif depth >= _DEPTH_MAX:
        return
    elif isinstance(value, dict):
        for name, one in value.items():
            inner = f"{path}.{name}" if path else str(name)
            if isinstance(name, str):
                yield path, name
            yield from _texts(one, inner, depth + 1)
    elif isinstance(value, list | tuple):
        for place, one in enumerate(value):
            yield from _texts(one, f"{path}[{place}]", depth + 1)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            inner = f"{path}.{name}" if path else name
            yield from _texts(getattr(value, name), inner, depth + 1)
