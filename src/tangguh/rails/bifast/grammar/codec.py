"""Bytes to trees and back: JSON and XML, one envelope ``BusMsg`` of ``AppHdr`` and ``Document``.

A tree is the same whichever way it came. Nothing here raises on input: what cannot be a message at
all is ``Malformed``; whether it keeps its schema is asked afterwards (``message.read``). XML is
read without entities, without a document type and without the network, whatever it declares.
"""

from __future__ import annotations

import json
from typing import Any, Final, Literal, TypeAlias

import msgspec
from lxml import etree

from tangguh.core.json_once import RepeatedName, each_once
from tangguh.rails.bifast.grammar import proprietary, standard
from tangguh.rails.bifast.grammar.schema import Anything, Group, Leaf, Schema
from tangguh.rails.bifast.grammar.spelling import ROOTS
from tangguh.rails.bifast.grammar.standard import HEAD, NAMESPACE
from tangguh.rails.bifast.grammar.tree import DEPTH_MAX, Branch, Node

Wire: TypeAlias = Literal["json", "xml"]

BODY_BYTES_MAX: Final = 64 * 1024
"""A BI-FAST message holds one transaction: two to four kilobytes. Rule: our own."""
CONTENT_TYPES: Final[dict[Wire, str]] = {"json": "application/json", "xml": "application/xml"}
_ENVELOPE: Final = NAMESPACE + "busmsg"
"""The namespace of ``BusMsg``: our own, as the hub's is not public. Any or none is read."""


_AMOUNT: Final = "Value"
_ABOUT_SCHEMAS: Final = "{http://www.w3.org/2001/XMLSchema-instance}"


class Malformed(msgspec.Struct, frozen=True):
    """Why bytes are no message."""

    why: str


class _Unreadable(Exception):
    """Found somewhere inside; leaves this module as Malformed."""


def schema_for(definition: str) -> Schema | None:
    """The schema of a message by its MsgDefIdr; None for one BI-FAST does not use here."""
    if definition in standard.STANDARD and definition != HEAD:
        return standard.schema_of(definition)
    if definition in proprietary.PROPRIETARY:
        return proprietary.schema_of(definition)
    return None


def wire_of(body: bytes) -> Wire:
    """Which of the two it looks like, by its first character."""
    return "xml" if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" else "json"


def decode(body: bytes) -> Branch | Malformed:
    """The two parts of an envelope as ``{"AppHdr": ..., "Document": ...}``."""
    if len(body) > BODY_BYTES_MAX:
        return Malformed(f"more than {BODY_BYTES_MAX} bytes")
    try:
        if wire_of(body) == "xml":
            return _from_xml(body)
        return _from_json(body)
    except _Unreadable as error:
        return Malformed(str(error))


def encode(tree: Branch, wire: Wire) -> bytes:
    """The bytes of a tree that keeps its schema."""
    if wire == "json":
        return msgspec.json.encode({"BusMsg": tree})
    return _to_xml(tree)


def canonical(tree: Branch) -> bytes:
    """One text for one content, whichever way it travels: what a signature covers."""
    return msgspec.json.encode(tree, order="deterministic")


# ---- JSON ------------------------------------------------------------------------------------


def _from_json(body: bytes) -> Branch:
    read = _as_text(_json_of(body), 0)
    envelope = read.get("BusMsg") if isinstance(read, dict) else None
    if not isinstance(envelope, dict) or set(envelope) != {"AppHdr", "Document"}:
        raise _Unreadable("a message is BusMsg with AppHdr and Document")
    return envelope


def _json_of(body: bytes) -> Any:
    """JSON with every number as its own digits: none passes through a float."""
    try:
        return json.loads(
            body,
            parse_float=_Digits,
            parse_int=_Digits,
            parse_constant=_no_number,
            object_pairs_hook=each_once,
        )
    except RepeatedName as error:
        raise _Unreadable("a part is given twice") from error
    except (ValueError, RecursionError) as error:
        raise _Unreadable("not JSON") from error


class _Digits(str):
    """A number as it was written."""

    __slots__ = ()


def _no_number(_: str) -> Any:
    raise ValueError("no number of JSON")


def _as_text(node: Any, depth: int) -> Any:
    """Numbers and booleans as the text XML would have; what is null is not there."""
    if depth > DEPTH_MAX:
        raise _Unreadable(f"more than {DEPTH_MAX} levels")
    if isinstance(node, dict):
        return {
            _written(name): _in_sen(inner) if name == _AMOUNT else _as_text(inner, depth + 1)
            for name, inner in node.items()
            if inner is not None
        }
    if isinstance(node, list):
        return [_as_text(inner, depth + 1) for inner in node if inner is not None]
    if isinstance(node, bool):
        return "true" if node else "false"
    return _written(str(node))


def _written(text: str) -> str:
    """The text; one with half a letter (a lone surrogate) cannot be written or signed again."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise _Unreadable("a lone surrogate is no letter") from error
    return text


def _in_sen(value: Any) -> Any:
    """An amount that came as a number has as many decimals as its writer cared for: 10000.5 is
    10000.50. Text is judged as it was written.
    """
    if not isinstance(value, _Digits):
        return _as_text(value, 0)
    whole, _, fraction = value.partition(".")
    is_plain = whole.isdigit() and (fraction.isdigit() or not fraction)
    return f"{whole}.{fraction:0<2}" if is_plain else str(value)


def decode_bare(body: bytes) -> tuple[str, Node] | Malformed:
    """A document that came without its envelope: its definition and its tree. Nobody signed it."""
    if len(body) > BODY_BYTES_MAX:
        return Malformed(f"more than {BODY_BYTES_MAX} bytes")
    try:
        if wire_of(body) == "xml":
            root = _root_of(body)
            if _local(root) != "Document":
                return Malformed("neither BusMsg nor Document")
            definition = _namespace(root).removeprefix(NAMESPACE)
            schema = schema_for(definition)
            if schema is None:
                return Malformed("the namespace of Document is not one of BI-FAST's")
            return definition, _read(schema, schema.root, root, 0)
        read = _as_text(_json_of(body), 0)
    except _Unreadable as error:
        return Malformed(str(error))
    document = read.get("Document") if isinstance(read, dict) else None
    if not isinstance(document, dict) or len(document) != 1:
        return Malformed("neither BusMsg nor Document")
    definition = ROOTS.get(next(iter(document)), "")
    return (definition, document) if definition else Malformed("not a document of BI-FAST")


# ---- XML -------------------------------------------------------------------------------------


def _parser() -> etree.XMLParser:
    """A parser that expands nothing, fetches nothing and takes the bytes for UTF-8."""
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _root_of(body: bytes) -> Any:
    # Asked of the bytes first, so that no declaration of an entity is ever looked at.
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body or b"\0" in body:
        raise _Unreadable("a document type is not allowed")
    try:
        root = etree.fromstring(body, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _Unreadable("not XML") from error
    if root.getroottree().docinfo.doctype:
        raise _Unreadable("a document type is not allowed")
    return root


def _attributes(element: Any) -> dict[str, str]:
    """An element's own attributes. Those of XML Schema (where a schema lies) say nothing of it."""
    return {
        str(name): str(value)
        for name, value in element.attrib.items()
        if not str(name).startswith(_ABOUT_SCHEMAS)
    }


def _from_xml(body: bytes) -> Branch:
    root = _root_of(body)
    if (
        _local(root) != "BusMsg"
        or _attributes(root)
        or [_local(part) for part in root]
        != [
            "AppHdr",
            "Document",
        ]
    ):
        raise _Unreadable("a message is BusMsg with AppHdr and Document")
    head, document = root
    definition = _namespace(document).removeprefix(NAMESPACE)
    schema = schema_for(definition)
    if schema is None or _namespace(document) != schema.namespace:
        raise _Unreadable("the namespace of Document is not one of BI-FAST's")
    head_schema = standard.schema_of(HEAD)
    return {
        "AppHdr": _read(head_schema, head_schema.root, head, 0),
        "Document": _read(schema, schema.root, document, 0),
    }


def _read(schema: Schema, kind: str, element: Any, depth: int) -> Node:
    if depth > DEPTH_MAX:
        raise _Unreadable(f"more than {DEPTH_MAX} levels")
    shape = schema.shape(kind)
    if isinstance(shape, Anything):
        return _read_anything(element, depth)
    if _namespace(element) != schema.namespace:
        raise _Unreadable("an element of another namespace")
    if isinstance(shape, Leaf):
        if len(element) or _attributes(element):
            raise _Unreadable(f"{_local(element)} holds text only")
        return str(element.text or "")
    return _read_group(schema, shape, element, depth)


def _read_group(schema: Schema, group: Group, element: Any, depth: int) -> Branch:
    found: dict[str, Node] = {}
    content = next((part for part in group.parts.values() if part.role == "content"), None)
    for name, said in _attributes(element).items():
        if name not in group.parts or group.parts[name].role != "attribute":
            raise _Unreadable(f"an attribute of {_local(element)} that it does not have")
        found[name] = said
    if content is not None:
        if len(element):
            raise _Unreadable(f"{_local(element)} holds text only")
        found[content.name] = str(element.text or "")
        return found
    _no_text_between(element)
    for child in element:
        name = _local(child)
        part = group.parts.get(name)
        if part is None or part.role != "element":
            value = _read_anything(child, depth + 1)
        else:
            value = _read(schema, part.kind, child, depth + 1)
        _put(found, name, value, many=part is not None and part.many)
    return found


def _read_anything(element: Any, depth: int) -> Node:
    if depth > DEPTH_MAX:
        raise _Unreadable(f"more than {DEPTH_MAX} levels")
    if _attributes(element):
        raise _Unreadable("attributes where the scheme has none")
    if not len(element):
        return str(element.text or "")
    _no_text_between(element)
    found: Branch = {}
    for child in element:
        _put(found, _local(child), _read_anything(child, depth + 1), many=False)
    return found


def _put(found: Branch, name: str, value: Node, *, many: bool) -> None:
    """A part that may repeat is a list even when it appears once; any other when it repeats."""
    before = found.get(name)
    if isinstance(before, list):
        before.append(value)
    elif before is not None:
        found[name] = [before, value]
    else:
        found[name] = [value] if many else value


def _no_text_between(element: Any) -> None:
    pieces = [element.text, *(child.tail for child in element)]
    if any(piece and piece.strip() for piece in pieces):
        raise _Unreadable(f"text between the parts of {_local(element)}")


def _local(element: Any) -> str:
    if not isinstance(element.tag, str):
        raise _Unreadable("an entity")
    return str(element.tag).rpartition("}")[2]


def _namespace(element: Any) -> str:
    if not isinstance(element.tag, str):
        raise _Unreadable("an entity")
    return str(element.tag).rpartition("}")[0][1:]


def _to_xml(tree: Branch) -> bytes:
    head = tree["AppHdr"]
    schema = schema_for(str(head["MsgDefIdr"])) if isinstance(head, dict) else None
    if schema is None:
        raise ValueError("a message of a kind BI-FAST does not use")
    root = etree.Element(f"{{{_ENVELOPE}}}BusMsg", nsmap={None: _ENVELOPE})
    for name, part in (("AppHdr", standard.schema_of(HEAD)), ("Document", schema)):
        element = etree.SubElement(
            root, f"{{{part.namespace}}}{name}", nsmap={None: part.namespace}
        )
        _write(part, part.root, tree[name], element)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _write(schema: Schema, kind: str, node: Node, element: Any) -> None:
    shape = schema.shape(kind)
    if not isinstance(shape, Group) or not isinstance(node, dict):
        _write_anything(schema.namespace, node, element)
        return
    for name, part in shape.parts.items():
        if name not in node:
            continue
        value = node[name]
        if part.role == "attribute":
            element.set(name, str(value))
        elif part.role == "content":
            element.text = str(value)
        else:
            for item in value if isinstance(value, list) else [value]:
                inner = etree.SubElement(element, f"{{{schema.namespace}}}{name}")
                _write(schema, part.kind, item, inner)


def _write_anything(namespace: str, node: Node, element: Any) -> None:
    if isinstance(node, dict):
        for name, value in node.items():
            for item in value if isinstance(value, list) else [value]:
                inner = etree.SubElement(element, f"{{{namespace}}}{name}")
                _write_anything(namespace, item, inner)
    else:
        element.text = str(node)
