"""Messages as the field writes them, brought into the one spelling that is judged. Pure.

Participants' middleware writes what an object mapper happens to give: an empty text for a part that
is not there, one item where a list is meant, other names for the scheme's own parts. What is read
here loses nothing that says something: names are moved, empties are dropped, and what then breaks
its schema is refused as before. The signature covers what was sent (``codec``), not this.

Sources: the message shapes of public BI-FAST participant middleware and of its mock hub.
"""

from __future__ import annotations

import copy
from typing import Final

from tangguh.rails.bifast.grammar.schema import Anything, Group, Part, Schema
from tangguh.rails.bifast.grammar.tree import Branch, Node, at

ROOTS: Final[dict[str, str]] = {
    "FIToFICstmrCdtTrf": "pacs.008.001.08",
    "FIToFIPmtStsRpt": "pacs.002.001.10",
    "FIToFIPmtStsReq": "pacs.028.001.04",
    "admi.002.001.01": "admi.002.001.01",
    "MessageReject": "admi.002.001.01",
    "MsgRjct": "admi.002.001.01",
    "PrxyRegn": "prxy.001.001.01",
    "PrxyRegnRspn": "prxy.002.001.01",
    "PrxyLookUp": "prxy.003.001.01",
    "PrxyLookUpRspn": "prxy.004.001.01",
    "AdmnReq": "admn.001.001.01",
    "AdmnRspn": "admn.002.001.01",
}
"""The definition a bare document is of, by the name of its root."""

_MOVED: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "admi.002.001.01": (
        ("MessageReject", "admi.002.001.01"),
        ("MsgRjct", "admi.002.001.01"),
        ("admi.002.001.01/RltdRef/Reference", "admi.002.001.01/RltdRef/Ref"),
        ("admi.002.001.01/Rsn/RjctgPtyRsnCd", "admi.002.001.01/Rsn/RjctgPtyRsn"),
    ),
    "prxy.002.001.01": (
        ("PrxyRegnRspn/RegnRspn/PrxyRegn/RegnId", "PrxyRegnRspn/RegnRspn/RegnId"),
        ("PrxyRegnRspn/RegnRspn/OrgnlPrxy", "PrxyRegnRspn/RegnRspn/Prxy"),
    ),
    "prxy.004.001.01": (
        ("PrxyLookUpRspn/LkUpRspn/RegnRspn/PrxyRegn", "PrxyLookUpRspn/LkUpRspn/RegnRspn/Regn"),
        (
            "PrxyLookUpRspn/LkUpRspn/RegnRspn/Prxy/Tp",
            "PrxyLookUpRspn/LkUpRspn/OrgnlPrxyRtrvl/Tp",
        ),
        (
            "PrxyLookUpRspn/LkUpRspn/RegnRspn/Prxy/Val",
            "PrxyLookUpRspn/LkUpRspn/OrgnlPrxyRtrvl/Val",
        ),
    ),
}
"""The one table of both spellings: where the field writes a part, and where it is read. What stands
at both places must be the same there; if not, the message contradicts itself and stays as it is."""


def mended(schema: Schema, definition: str, document: Node) -> Node:
    """The document in the spelling its schema knows."""
    whole = _listed(schema, schema.root, document)
    if not isinstance(whole, dict) or definition not in _MOVED:
        return whole
    whole = copy.deepcopy(whole)
    for old, new in _MOVED[definition]:
        _move(whole, old.split("/"), new.split("/"))
    return _listed(schema, schema.root, whole)


def _is_empty(node: Node) -> bool:
    """Whether nothing is said in it, at any depth."""
    if isinstance(node, dict | list):
        return all(_is_empty(one) for one in (node.values() if isinstance(node, dict) else node))
    return not node.strip()


def _without_empties(node: Node) -> Node:
    """A part the standard leaves open, without what says nothing in it."""
    if isinstance(node, dict):
        kept = {name: _without_empties(inner) for name, inner in node.items()}
        return {name: inner for name, inner in kept.items() if not _is_empty(inner)}
    if isinstance(node, list):
        items = [_without_empties(inner) for inner in node]
        return [inner for inner in items if not _is_empty(inner)]
    return node


def _move(whole: Branch, old: list[str], new: list[str]) -> None:
    value, there = at(whole, *old), at(whole, *new)
    if value is None or (there is not None and there != value):
        return
    for path in _parents(whole, old):
        path.pop(old[-1], None)
    place = whole
    for step in new[:-1]:
        inner = place.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        place = inner
    place[new[-1]] = value


def _parents(whole: Branch, path: list[str]) -> list[Branch]:
    found = at(whole, *path[:-1]) if len(path) > 1 else whole
    return [found] if isinstance(found, dict) else []


def _listed(schema: Schema, kind: str, node: Node) -> Node:
    """Without the optional parts that are empty; one item where a list is meant becomes the list,
    a list of one where one is meant becomes the one.
    """
    shape = schema.shape(kind)
    if isinstance(shape, Anything):
        return _without_empties(node)
    if not isinstance(shape, Group) or not isinstance(node, dict):
        return node
    found: Branch = {}
    for name, inner in node.items():
        part = shape.parts.get(name)
        value = inner if part is None else _of_part(schema, part, inner)
        if (part is not None and part.required) or not _is_empty(value):
            found[name] = value
    return found


def _of_part(schema: Schema, part: Part, value: Node) -> Node:
    if part.many and not isinstance(value, list):
        value = [value]
    elif not part.many and isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, list):
        items = [_listed(schema, part.kind, one) for one in value]
        return items if part.required else [one for one in items if not _is_empty(one)]
    return _listed(schema, part.kind, value)
