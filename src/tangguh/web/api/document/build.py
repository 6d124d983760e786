"""An OpenAPI 3.1 document from rows: the frame, and what every operation of an API shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from tangguh import __version__
from tangguh.core.redaction.redact import Secret
from tangguh.core.text import FIT, FIT_WITH_LINES
from tangguh.web.api.document.problems import EXAMPLES, by_status
from tangguh.web.api.document.schemas import Shapes, parts_of
from tangguh.web.api.parameters import Parameter
from tangguh.web.gate import REMOVED_HEADER
from tangguh.web.problems import CONTENT_TYPE, Problem

ANY_BODY: Final = ("body_too_large", "body_too_slow", "body_unfinished")
_ALWAYS: Final = (
    "parameter_invalid", "rate_limited", "overloaded", "unavailable", "unfinished", "internal",
)  # fmt: skip
"""Whatever is asked: a path or a query may hold what no text may hold, and the bank may be busy."""
_DONE: Final = {
    200: "Done. For what moves money or makes something: the same request was known already",
    201: "Made",
    202: "Taken, and its end is not known yet: ask again by its id",
    204: "Done; there is nothing to say",
}
_HEADERS: Final[dict[str, dict[str, Any]]] = {
    "Location": {
        "description": "Where it is from now on",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Retry-After": {
        "description": "Seconds to wait before asking again",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {"description": "Log in", "schema": {"type": "string", "enum": ["Bearer"]}},
    REMOVED_HEADER: {
        "description": "What was taken out of the words of this request before they were kept, "
        "separated by commas; absent: nothing was",
        "schema": {"type": "string", "examples": [", ".join(Secret)]},
    },
    "Content-Disposition": {"description": "The file's name", "schema": {"type": "string"}},
}
Named = Mapping[str, Any]
"""Examples by what each shows."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One operation as the document tells it.

    ``takes``: the shape of a JSON body (None: no body), ``takes_files`` the media of a file
    instead. ``gives``: for each good status the shape, a tuple of shapes of which it is one, or
    None where nothing is said; ``gives_files`` the media of an answer that is a file. ``lines``:
    fields of the body whose texts may have line feeds (None: all). ``asks`` and ``told``: examples
    of requests, and of answers by status. ``schemes``: what proves who asks; empty: nobody.
    """

    id: str
    method: str
    path: str
    tag: str
    summary: str
    about: str
    takes: Any = None
    may_be_empty: bool = False
    takes_files: tuple[str, ...] = ()
    file_bytes_max: int = 0
    gives: Mapping[int, Any]
    gives_files: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    location: bool = False
    redacts: bool = False
    lines: frozenset[str] | None = frozenset()
    asks: Named = {}
    told: Mapping[int, Named] = {}
    links: Mapping[str, str] = {}


class Api(msgspec.Struct, frozen=True, kw_only=True):
    """What an API says of itself. ``tags``: name and meaning, in the order they are read."""

    title: str
    about: str
    tags: Mapping[str, str]
    schemes: Mapping[str, Mapping[str, Any]]


def document(api: Api, rows: Iterable[Row]) -> dict[str, Any]:
    """The whole document as plain values."""
    rows = tuple(rows)
    taken = [(row.takes, row.lines) for row in rows if row.takes is not None]
    given = [one for row in rows for shape in row.gives.values() for one in parts_of(shape)]
    shapes = Shapes([Problem, *given], taken, {True: FIT_WITH_LINES, False: FIT})
    paths: dict[str, dict[str, Any]] = {}
    codes: dict[str, None] = {}
    for row in rows:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, shapes)
        codes |= dict.fromkeys(_codes(row))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": api.title,
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": api.about,
        },
        "servers": [{"url": "/", "description": "The bank that gave this document"}],
        "tags": [{"name": name, "description": about} for name, about in api.tags.items()],
        "paths": paths,
        "components": {
            "schemas": shapes.components,
            "examples": {code: EXAMPLES[code] for code in sorted(codes)},
            "headers": _HEADERS,
            "securitySchemes": {name: dict(scheme) for name, scheme in api.schemes.items()},
        },
    }


def _operation(row: Row, shapes: Shapes) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": row.id,
        "tags": [row.tag],
        "summary": row.summary,
        "description": row.about,
    }
    # Every scheme of a row is needed at once; without a scheme anybody may ask.
    described["security"] = [{name: [] for name in row.schemes}] if row.schemes else []
    if row.parameters:
        described["parameters"] = [_parameter(one) for one in row.parameters]
    if row.takes is not None:
        body: dict[str, Any] = {"schema": shapes.of(row.takes)}
        if row.asks:
            body["examples"] = _examples(row.asks)
        described["requestBody"] = {
            "required": not row.may_be_empty,
            "content": {"application/json": body},
        }
    if row.takes_files:
        file = {"type": "string", "format": "binary", "maxLength": row.file_bytes_max}
        described["requestBody"] = {
            "required": True,
            "description": f"One file as it is, of at most {row.file_bytes_max} bytes",
            "content": {
                media: {"schema": file | {"contentMediaType": media}} for media in row.takes_files
            },
        }
    described["responses"] = {**_answers(row, shapes), **_refusals(row, shapes)}
    return described


def _parameter(one: Parameter) -> dict[str, Any]:
    described = {
        "name": one.name,
        "in": one.place,
        "required": one.is_required or one.place == "path",
        "schema": one.schema,
        "description": one.about,
    }
    return described if one.example is None else described | {"example": one.example}


def _answers(row: Row, shapes: Shapes) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for status, shape in row.gives.items():
        answer: dict[str, Any] = {"description": _DONE[status]}
        headers: list[str] = []
        content: dict[str, Any] = {}
        if shape is not None:
            content["application/json"] = {"schema": shapes.of(shape)}
            if told := row.told.get(status):
                content["application/json"]["examples"] = _examples(told)
        for media in row.gives_files:
            file = {"type": "string", "format": "binary", "contentMediaType": media}
            content[media] = {"schema": file}
        if row.gives_files:
            answer["description"] = f"The file: {' or '.join(content)}"
            headers.append("Content-Disposition")
        if content:
            answer["content"] = content
        if row.location:
            headers.append("Location")
        if row.redacts:
            headers.append(REMOVED_HEADER)
        if headers:
            answer["headers"] = _headers(headers)
        if row.links:
            answer["links"] = {
                to: {"operationId": to, "parameters": {name: "$response.body#/id"}}
                for to, name in row.links.items()
            }
        answers[str(status)] = answer
    return answers


def _refusals(row: Row, shapes: Shapes) -> dict[str, Any]:
    refusals: dict[str, Any] = {}
    for status, codes in by_status(_codes(row)).items():
        said = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
        refusals[str(status)] = {
            "description": "Problem: " + ", ".join(codes),
            "content": {CONTENT_TYPE: {"schema": shapes.of(Problem), "examples": said}},
        }
        named = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}
        if status in named:
            refusals[str(status)]["headers"] = _headers(named[status])
    return refusals


def _codes(row: Row) -> list[str]:
    codes = [*row.problems, *_ALWAYS]
    codes += ANY_BODY if row.takes is not None or row.takes_files else ()
    codes += ("json_invalid", "body_invalid") if row.takes is not None else ()
    return list(dict.fromkeys(codes))


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _examples(named: Named) -> dict[str, Any]:
    # As JSON says them, and with what a shape leaves out left out.
    return {
        name.replace(" ", "_"): {"summary": name, "value": msgspec.json.decode(_encode(value))}
        for name, value in named.items()
    }


_encode: Final = msgspec.json.Encoder().encode
