"""The OpenAPI 3.1 document, made from the same table as the routes."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tangguh import __version__
from tangguh.core.redaction.redact import Secret
from tangguh.web.api.operations import Operation
from tangguh.web.gate import REMOVED_HEADER, free_fields
from tangguh.web.problems import CONTENT_TYPE, OF_REFUSAL, OF_REQUEST, Problem

_REF: Final = "#/components/schemas/{name}"
_ALWAYS: Final = ("rate_limited", "overloaded", "unavailable", "unfinished", "internal")
_WITH_SESSION: Final = ("not_logged_in", "session_ended")
_ANY_BODY: Final = ("body_too_large", "body_too_slow", "body_unfinished", "content_type_wrong")
_WITH_BODY: Final = ("json_invalid", "body_invalid", *_ANY_BODY)
_WITH_WRITING: Final = ("ambiguous",)
_MONEY_HEADERS: Final = (
    (
        "Idempotency-Key",
        {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[ -9;-~]+$"},
        "Made by the device for this order; the same key and order give the same payment",
    ),
    (
        "X-Timestamp",
        {"type": "string", "pattern": "^[0-9]{1,12}$"},
        "Seconds since 1970 on the device, at most five minutes off",
    ),
    (
        "X-Signature",
        {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[\\x21-\\x7e]+$"},
        "base64 HMAC-SHA256 by the session's signing key over method, path, body hash, "
        "timestamp and key, joined by newlines",
    ),
)
_REMOVED: Final[dict[str, Any]] = {
    "description": "What was taken out of the words of this request before they were kept, "
    "separated by commas; absent: nothing was",
    "schema": {"type": "string", "examples": [", ".join(Secret)]},
}


def document(operations: tuple[Operation, ...]) -> dict[str, Any]:
    """The whole document as plain values."""
    shapes = [shape for one in operations for shape in (one.takes, one.gives) if shape is not None]
    (_, *schemas), components = msgspec.json.schema_components(
        [Problem, *shapes], ref_template=_REF
    )
    schema_of = dict(zip(map(_key, shapes), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tangguh customers' API",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Amounts are decimal strings in rupiah. Every error is an RFC 9457 "
            "problem that says where the money is and whether a retry is safe.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"session": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(one: Operation, schema_of: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"operationId": one.id, "summary": one.summary}
    if one.needs_session:
        described["security"] = [{"session": []}]
    parameters = [
        {
            "name": parameter.name,
            "in": parameter.place,
            "required": parameter.place == "path" or parameter.name == "at",
            "schema": parameter.schema,
            "description": parameter.about,
        }
        for parameter in one.parameters
    ]
    asked = _MONEY_HEADERS if one.moves_money else _MONEY_HEADERS[:1] if one.needs_key else ()
    parameters += [
        {"name": name, "in": "header", "required": True, "schema": schema, "description": about}
        for name, schema, about in asked
    ]
    if parameters:
        described["parameters"] = parameters
    if one.takes is not None:
        content = {"application/json": {"schema": schema_of[_key(one.takes)]}}
        described["requestBody"] = {"required": True, "content": content}
    if one.takes_files:
        files: dict[str, Any] = {media: {} for media in one.takes_files}
        described["requestBody"] = {"required": True, "content": files}
    described["responses"] = _responses(one, schema_of)
    return described


def _responses(one: Operation, schema_of: dict[str, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status in one.statuses:
        answer: dict[str, Any] = {"description": "Done" if status != 202 else "Not known yet"}
        if one.gives is not None:
            answer["content"] = {"application/json": {"schema": schema_of[_key(one.gives)]}}
        if one.gives_file:
            answer["content"] = {one.gives_file: {}}
        if one.takes is not None and any(free_fields(one.takes).values()):
            answer["headers"] = {REMOVED_HEADER: _REMOVED}
        responses[str(status)] = answer
    codes = [*one.problems, *_ALWAYS]
    codes += _WITH_SESSION if one.needs_session else ()
    codes += _WITH_BODY if one.takes is not None else ()
    codes += _ANY_BODY if one.takes_files else ()
    codes += ("header_invalid",) if one.needs_key else ()
    codes += _WITH_WRITING if one.method != "GET" else ()
    by_status: dict[int, list[str]] = {}
    rows = {**{str(code): kind for code, kind in OF_REFUSAL.items()}, **OF_REQUEST}
    for code in dict.fromkeys(codes):
        by_status.setdefault(rows[code].status, []).append(code)
    for status, found in sorted(by_status.items()):
        responses[str(status)] = {
            "description": "Problem: " + ", ".join(found),
            "content": {CONTENT_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}},
        }
    return responses


def _key(shape: Any) -> str:
    return repr(shape)
