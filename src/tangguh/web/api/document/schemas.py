"""Shapes as JSON Schema. What is taken states the rule for texts that every text is held to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

_REF: Final = "#/components/schemas/{name}"
_STATED: Final = ("pattern", "format", "enum", "const")


class Shapes:
    """The schemas of one document. ``taken``: shapes of requests, with the fields (of the body's
    first level) that have line feeds; None: all have. ``rules``: the pattern of a text with line
    feeds (True) and without.
    """

    def __init__(
        self,
        given: Iterable[Any],
        taken: Iterable[tuple[Any, frozenset[str] | None]],
        rules: Mapping[bool, str],
    ) -> None:
        self._taken = {_key(shape): lines for shape, lines in taken}
        found: dict[str, Any] = {_key(shape): shape for shape in given}
        found |= {_key(shape): shape for shape, _ in taken}
        schemas, self.components = _named(
            *msgspec.json.schema_components(list(found.values()), ref_template=_REF)
        )
        self._schema_of = dict(zip(found, schemas, strict=True))
        self._rules = rules
        self._ruled: set[str] = set()
        for key, lines in self._taken.items():
            self._state(self._schema_of[key], lines, "")

    def of(self, shape: Any) -> Any:
        """The schema of a shape: mostly where it lies among the components."""
        schemas = [self._schema_of[_key(one)] for one in parts_of(shape)]
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}

    def _state(self, schema: Any, lines: frozenset[str] | None, name: str) -> None:
        """State the rule for texts wherever a text has no narrower one of its own."""
        if isinstance(schema, list):
            for one in schema:
                self._state(one, lines, name)
        if not isinstance(schema, dict):
            return
        if reference := schema.get("$ref"):
            inner = str(reference).rpartition("/")[2]
            if inner not in self._ruled:
                self._ruled.add(inner)
                self._state(self.components[inner], lines, name)
            return
        if schema.get("type") == "string" and not any(one in schema for one in _STATED):
            schema["pattern"] = self._rules[lines is None or name in lines]
        for field, one in schema.get("properties", {}).items():
            self._state(one, lines, field)
        for part in ("anyOf", "oneOf", "items", "additionalProperties", "prefixItems"):
            if part in schema:
                self._state(schema[part], lines, name)


def _named(schemas: Any, components: Any) -> tuple[list[Any], dict[str, Any]]:
    """The same with names of one word: two shapes of one name are told apart by their module."""
    text = json.dumps([schemas, components])
    for name in components:
        words = str(name).split(".")
        if len(words) > 1:
            short = f"{words[-2].capitalize()}{words[-1]}"
            text = text.replace(f'"{name}"', f'"{short}"').replace(f'/{name}"', f'/{short}"')
    told = _plain(json.loads(text))
    for name, schema in told[1].items():
        if "title" in schema:
            schema["title"] = name
    return told[0], told[1]


def _plain(value: Any) -> Any:
    """The same with fixed lists of one kind as lists of so many: more readers know that form."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    value = {name: _plain(one) for name, one in value.items()}
    kinds = value.get("prefixItems", [])
    if kinds and value.get("items") is False and all(one == kinds[0] for one in kinds):
        del value["prefixItems"]
        value["items"] = kinds[0]
    return value


def parts_of(shape: Any) -> tuple[Any, ...]:
    """The shapes of which an answer is one: none, itself, or the parts of a tuple."""
    if shape is None:
        return ()
    return shape if isinstance(shape, tuple) else (shape,)


def _key(shape: Any) -> str:
    return repr(shape)
