"""What a message may look like, and the validator that says where one does not. Pure.

A shape is a ``Leaf`` (text with facets), a ``Group`` (named parts) or ``ANYTHING`` (a part the
standard leaves to the scheme). ``check`` reports every fault with its path and the rule broken:
``required``, ``unknown``, ``choice``, ``repeats``, ``pattern``, ``length``, ``enumeration``,
``digits``, ``range``, ``form``, ``character``, ``depth``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final, Literal

import msgspec

from tangguh.rails.bifast.grammar.tree import DEPTH_MAX, Node

FAULTS_MAX: Final = 50
"""More faults of one message than anybody reads."""

_NOT_XML: Final = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
_DECIMAL: Final = re.compile(r"[+-]?(\d{1,40})(?:\.(\d{0,40}))?", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(Z|[+-]\d\d:\d\d)?", re.ASCII)
_TIME_TEXT: Final = r"\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?"
_TIME: Final = re.compile(_TIME_TEXT, re.ASCII)
_INSTANT: Final = re.compile(rf"\d{{4}}-\d\d-\d\dT{_TIME_TEXT}", re.ASCII)


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong: where (``Document.FIToFICstmrCdtTrf.GrpHdr``), which rule, what."""

    path: str
    rule: str
    detail: str = ""


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """Text and its facets. Lengths in characters; -1 where there is no bound."""

    form: Literal["text", "decimal", "date", "instant", "time", "boolean"] = "text"
    length_min: int = 0
    length_max: int = -1
    pattern: str = ""
    values: frozenset[str] = frozenset()
    digits_max: int = -1
    fraction_max: int = -1
    least: Decimal | None = None


class Anything(msgspec.Struct, frozen=True):
    """A part whose inside the standard does not describe."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One named part of a group. ``kind`` names a shape of the same schema.

    ``role``: an element, an attribute, or the text of a group that has attributes (an amount).
    """

    name: str
    kind: str
    role: Literal["element", "attribute", "content"] = "element"
    required: bool = False
    many: bool = False
    most: int = -1


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Named parts, in the order in which XML writes them. ``choice``: exactly one of them."""

    parts: Mapping[str, Part]
    choice: bool = False


Shape = Leaf | Group | Anything


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """The shapes of one message by name, its root shape and its namespace."""

    namespace: str
    root: str
    shapes: Mapping[str, Shape]

    def shape(self, kind: str) -> Shape:
        """The shape of that name."""
        return self.shapes[kind]


def check(schema: Schema, node: Node, at: str) -> tuple[Fault, ...]:
    """Every fault of the tree against its schema, at most ``FAULTS_MAX``. ``at`` begins paths."""
    found: list[Fault] = []
    for fault in _of_shape(schema, schema.shape(schema.root), node, at, 0):
        found.append(fault)
        if len(found) >= FAULTS_MAX:
            break
    return tuple(found)


def _of_shape(schema: Schema, shape: Shape, node: Node, at: str, depth: int) -> Iterator[Fault]:
    if depth > DEPTH_MAX:
        yield Fault(at, "depth", f"more than {DEPTH_MAX} levels")
    elif isinstance(shape, Leaf):
        yield from _of_leaf(shape, node, at)
    elif isinstance(shape, Group):
        yield from _of_group(schema, shape, node, at, depth)
    else:
        yield from _of_anything(node, at, depth)


def _of_group(schema: Schema, group: Group, node: Node, at: str, depth: int) -> Iterator[Fault]:
    if not isinstance(node, dict):
        yield Fault(at, "form", "has parts, not text")
        return
    for name in node:
        if name not in group.parts:
            yield Fault(f"{at}.{name[:40]}", "unknown")
    if group.choice and len(node) != 1:
        yield Fault(at, "choice", f"exactly one of {', '.join(sorted(group.parts))}")
    for name, part in group.parts.items():
        if name in node:
            yield from _of_part(schema, part, node[name], f"{at}.{name}", depth + 1)
        elif part.required and not group.choice:
            yield Fault(f"{at}.{name}", "required")


def _of_part(schema: Schema, part: Part, node: Node, at: str, depth: int) -> Iterator[Fault]:
    shape = schema.shape(part.kind)
    if not part.many:
        if isinstance(node, list):
            yield Fault(at, "repeats", "may appear once")
        else:
            yield from _of_shape(schema, shape, node, at, depth)
        return
    if not isinstance(node, list):
        yield Fault(at, "repeats", "is a list")
        return
    if not node:
        yield Fault(at, "required", "a list has something in it")
    if 0 <= part.most < len(node):
        yield Fault(at, "repeats", f"at most {part.most}")
    for number, item in enumerate(node):
        yield from _of_shape(schema, shape, item, f"{at}[{number}]", depth)


def _of_anything(node: Node, at: str, depth: int) -> Iterator[Fault]:
    if depth > DEPTH_MAX:
        yield Fault(at, "depth", f"more than {DEPTH_MAX} levels")
    elif isinstance(node, str):
        yield from _of_characters(node, at)
    elif isinstance(node, dict):
        if not node:
            yield Fault(at, "form", "is empty")
        for name, inner in node.items():
            if _NAME.fullmatch(name) is None:
                yield Fault(at, "form", f"{name[:40]!r} is no name of an element")
            yield from _of_anything(inner, f"{at}.{name[:40]}", depth + 1)
    else:
        # XML knows no list of one, and no list in a list: such a tree would not survive it.
        if len(node) < 2 or any(isinstance(inner, list) for inner in node):
            yield Fault(at, "repeats", "a list has two or more parts, none of them a list")
        for number, inner in enumerate(node):
            yield from _of_anything(inner, f"{at}[{number}]", depth + 1)


def _of_characters(value: str, at: str) -> Iterator[Fault]:
    if bad := _NOT_XML.search(value):
        yield Fault(at, "character", f"U+{ord(bad[0]):04X} cannot be written in XML")


def _of_leaf(leaf: Leaf, node: Node, at: str) -> Iterator[Fault]:
    if not isinstance(node, str):
        yield Fault(at, "form", "is text")
        return
    yield from _of_characters(node, at)
    if len(node) < leaf.length_min:
        yield Fault(at, "length", f"at least {leaf.length_min} characters")
    if 0 <= leaf.length_max < len(node):
        yield Fault(at, "length", f"at most {leaf.length_max} characters")
    elif leaf.pattern and re.fullmatch(leaf.pattern, node, re.ASCII) is None:
        yield Fault(at, "pattern", leaf.pattern)
    if leaf.values and node not in leaf.values:
        yield Fault(at, "enumeration", f"one of {', '.join(sorted(leaf.values)[:12])}")
    if leaf.form == "decimal":
        yield from _of_decimal(leaf, node, at)
    elif leaf.form != "text" and not _has_form(leaf.form, node):
        yield Fault(at, "form", f"is a {leaf.form}")


def _of_decimal(leaf: Leaf, value: str, at: str) -> Iterator[Fault]:
    match = _DECIMAL.fullmatch(value)
    if match is None:
        yield Fault(at, "form", "is a decimal number")
        return
    whole, fraction = match[1].lstrip("0"), (match[2] or "").rstrip("0")
    if 0 <= leaf.digits_max < len(whole) + len(fraction):
        yield Fault(at, "digits", f"at most {leaf.digits_max}")
    if 0 <= leaf.fraction_max < len(fraction):
        yield Fault(at, "digits", f"at most {leaf.fraction_max} after the point")
    if leaf.least is not None and Decimal(value) < leaf.least:
        yield Fault(at, "range", f"at least {leaf.least}")


def _has_form(form: str, value: str) -> bool:
    if form == "boolean":
        return value in ("true", "false", "1", "0")
    pattern = {"date": _DATE, "instant": _INSTANT, "time": _TIME}[form]
    if pattern.fullmatch(value) is None:
        return False
    try:
        if form == "date":
            date.fromisoformat(value[:10])
        elif form == "instant":
            # fromisoformat knows six decimals at most; the standard allows more.
            datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))
        else:
            time.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))
    except ValueError:
        return False
    return True
