"""The ISO 20022 messages BI-FAST uses, as schemas, out of the classes ``pyiso20022`` ships.

Its modules are read as text (``ast``), not imported: executing them needs ``xsdata``, which that
package does not ask for, and makes two hundred classes a message that nobody calls. What is taken
is the metadata of each field: name, length, pattern, digits, occurrence. Read once, when first
asked for.
"""

from __future__ import annotations

import ast
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tangguh.core.errors import Misconfigured
from tangguh.rails.bifast.grammar.schema import Anything, Group, Leaf, Part, Schema, Shape

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:"
HEAD: Final = "head.001.001.01"
STANDARD: Final = frozenset(
    {HEAD, "pacs.008.001.08", "pacs.002.001.10", "pacs.028.001.04", "admi.002.001.01"}
)
_FORMS: Final = {"XmlDate": "date", "XmlDateTime": "instant", "XmlTime": "time", "bool": "boolean"}
_CONTENT: Final = "Value"
"""How JSON names the text of a group that has attributes: ``{"Value": "1.00", "Ccy": "IDR"}``."""


@cache
def schema_of(definition: str) -> Schema:
    """The schema of one standard message. Raises Misconfigured when the package has changed."""
    classes = _classes_of(_source_of(definition))
    shapes: dict[str, Shape] = {}
    for name, node in classes.items():
        if any(isinstance(base, ast.Name) and base.id == "Enum" for base in node.bases):
            shapes[name] = Leaf(values=_values_of(node))
        elif name == "SupplementaryDataEnvelope1" or name.startswith("SignatureEnvelope"):
            shapes[name] = Anything()
        else:
            shapes[name] = _group_of(node, classes, shapes)
    root = "BusinessApplicationHeaderV01" if definition == HEAD else "Document"
    if root not in shapes:
        raise Misconfigured(f"the schema package no longer describes {definition}")
    return Schema(namespace=NAMESPACE + definition, root=root, shapes=shapes)


def _source_of(definition: str) -> str:
    package = find_spec("pyiso20022")
    folder = definition.replace(".", "_")
    if definition not in STANDARD or package is None or package.origin is None:
        raise Misconfigured(f"no schema of {definition}")
    path = Path(package.origin).parent / definition[:4] / folder / f"{folder}.py"
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise Misconfigured(f"the schema package has no {definition}") from error


def _classes_of(source: str) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}


def _values_of(node: ast.ClassDef) -> frozenset[str]:
    return frozenset(
        line.value.value
        for line in node.body
        if isinstance(line, ast.Assign)
        and isinstance(line.value, ast.Constant)
        and isinstance(line.value.value, str)
    )


def _group_of(
    node: ast.ClassDef, classes: dict[str, ast.ClassDef], shapes: dict[str, Shape]
) -> Group:
    parts: dict[str, Part] = {}
    for line in node.body:
        if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name):
            continue
        facts = _facts_of(line)
        kind, many = _kind_of(line.annotation)
        if kind not in classes:
            leaf = _leaf_of(kind, facts)
            kind = f"{node.name}.{line.target.id}"
            shapes[kind] = leaf
        role = facts.get("type", "Content").lower()
        name = facts.get("name", _CONTENT if role == "content" else line.target.id)
        parts[name] = Part(
            name=name,
            kind=kind,
            role=role,
            required=bool(facts.get("required")) or facts.get("min_occurs", 0) > 0,
            many=many,
            most=facts.get("max_occurs", -1),
        )
    return Group(parts=parts, choice=node.name.endswith("Choice"))


def _facts_of(line: ast.AnnAssign) -> dict[str, Any]:
    """The ``metadata`` of one field, its constants evaluated."""
    if not isinstance(line.value, ast.Call):
        return {}
    for keyword in line.value.keywords:
        if keyword.arg == "metadata" and isinstance(keyword.value, ast.Dict):
            pairs = zip(keyword.value.keys, keyword.value.values, strict=True)
            return {ast.literal_eval(key): _constant(value) for key, value in pairs if key}
    return {}


def _constant(node: ast.expr) -> Any:
    if isinstance(node, ast.Call):  # Decimal("0")
        return Decimal(ast.literal_eval(node.args[0]))
    return ast.literal_eval(node)


def _kind_of(annotation: ast.expr) -> tuple[str, bool]:
    """The class an annotation names, and whether it is a list of them."""
    if isinstance(annotation, ast.BinOp):  # None | X
        return _kind_of(annotation.right)
    if isinstance(annotation, ast.Subscript):  # list[X]
        return _kind_of(annotation.slice)[0], True
    return ast.unparse(annotation), False


def _leaf_of(kind: str, facts: dict[str, Any]) -> Leaf:
    if kind == "Decimal":
        return Leaf(
            form="decimal",
            digits_max=facts.get("total_digits", -1),
            fraction_max=facts.get("fraction_digits", -1),
            least=facts.get("min_inclusive"),
        )
    return Leaf(
        form=_FORMS.get(kind, "text"),  # type: ignore[arg-type]
        length_min=facts.get("min_length", 0),
        length_max=facts.get("max_length", -1),
        pattern=facts.get("pattern", ""),
    )
