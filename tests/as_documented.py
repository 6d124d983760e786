"""Holds answers to the API's own document: status, medium, shape, code and headers, each time.

``Phone`` and the staff's ``Desk`` pass every answer through here, so that no web test can get an
answer that the document does not allow: document and code cannot part unseen.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from unittest.mock import MagicMock

import jsonschema_rs

from tangguh.web.api.document import staff
from tangguh.web.api.document.customers import document
from tangguh.web.api.table import OPERATIONS
from tangguh.web.problems import CONTENT_TYPE
from tangguh.web.staff import incidents as staff_incidents
from tangguh.web.staff import routes as staff_routes

OF_NO_OPERATION = {404: {"not_found"}, 405: {"method_not_allowed"}, 422: {"parameter_invalid"}}
"""What is said where no operation is: neither the path nor the method is in the document."""
_EARLY = {"body_too_large", "body_too_slow", "body_unfinished", "json_invalid"}
"""A body is judged before anybody knows whether the operation takes one."""


class NotDocumented(AssertionError):
    """The bank answered what its document does not allow."""


class Documented:
    """One document as a judge of answers."""

    def __init__(self, of: Mapping[str, Any], prefix: str) -> None:
        self._prefix = prefix
        self._components = _closed(of["components"])
        self._operations = [
            (re.compile(re.sub(r"{\w+}", "[^/]+", path)), methods)
            for path, methods in of["paths"].items()
        ]
        # A fixed path goes before one with parameters, as it does in the router.
        self._operations.sort(key=lambda one: one[0].pattern.count("[^/]+"))
        self._judges: dict[str, Any] = {}

    def operation(self, method: str, path: str) -> Mapping[str, Any] | None:
        """The operation of a request; None when the document has none."""
        for pattern, methods in self._operations:
            if pattern.fullmatch(path):
                found: Mapping[str, Any] | None = methods.get(method.lower())
                return found
        return None

    def judge(
        self, method: str, path: str, status: int, headers: Mapping[str, str], raw: bytes
    ) -> None:
        """Raises NotDocumented, saying what is wrong with the answer."""
        path = path.partition("?")[0]
        if not path.startswith(self._prefix):
            return
        operation = self.operation(method, path)
        media = str(headers.get("content-type", "")).partition(";")[0]
        where = f"{method} {path}: {status}"
        if operation is None:
            code = json.loads(raw)["code"] if media == CONTENT_TYPE else ""
            if code not in OF_NO_OPERATION.get(status, set()) | _EARLY:
                raise NotDocumented(f"{where}: no operation, and {code or media or 'no problem'}")
            return
        answer = operation["responses"].get(str(status))
        name = operation["operationId"]
        if answer is None:
            raise NotDocumented(f"{where}: {name} has no such status: {raw[:300]!r}")
        content = answer.get("content", {})
        if not raw and not content:
            return
        if media not in content:
            raise NotDocumented(f"{where}: {name} gives {set(content)}, not {media!r}")
        missing = {"Location"} & set(answer.get("headers", {})) - {str(one) for one in headers}
        if missing and media != CONTENT_TYPE:
            raise NotDocumented(f"{where}: {name} lacks {missing}")
        if media.endswith("json"):
            self._judge_body(f"{where}: {name}", content[media], json.loads(raw), media)

    def judge_request(self, method: str, path: str, status: int, raw: bytes) -> None:
        """What was done has been asked for as the document says. Raises NotDocumented."""
        operation = self.operation(method, path.partition("?")[0])
        if operation is None or status >= 300 or not raw:
            return
        content = operation.get("requestBody", {}).get("content", {})
        if not content:
            raise NotDocumented(f"{method} {path}: a body was taken and none is documented")
        if "application/json" in content:
            schema = content["application/json"]["schema"]
            self._judge_body(f"{method} {path}: request", {"schema": schema}, json.loads(raw), "")

    def _judge_body(self, where: str, content: Mapping[str, Any], body: Any, media: str) -> None:
        schema = json.dumps(content["schema"], sort_keys=True)
        judge = self._judges.get(schema)
        if judge is None:
            judge = self._judges[schema] = jsonschema_rs.Draft202012Validator(
                _closed(content["schema"]) | {"components": self._components}, validate_formats=True
            )
        if error := next(judge.iter_errors(body), None):
            raise NotDocumented(f"{where}: {str(error)[:600]}")
        if media == CONTENT_TYPE and body["code"] not in content["examples"]:
            raise NotDocumented(f"{where}: {body['code']} is not among {list(content['examples'])}")


def _closed(value: Any) -> Any:
    """The same schemas with no member that is not named, so that none goes out unseen."""
    value = copy.deepcopy(value)
    parts = [value]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            if "properties" in part and part.get("type") == "object":
                part.setdefault("additionalProperties", False)
            parts += part.values()
        elif isinstance(part, list):
            parts += part
    return value


@cache
def customers() -> Documented:
    """The customers' document."""
    return Documented(json.loads(json.dumps(document(OPERATIONS))), "/v1/")


@cache
def document_of_staff() -> dict[str, Any]:
    """The staff's document, of their routes: what the handlers need is not asked for here."""
    nothing: Any = MagicMock()
    routes = [
        *staff_routes.routes(nothing),
        *staff_incidents.routes(nothing, nothing, nothing, nothing, nothing),
    ]
    found: dict[str, Any] = json.loads(json.dumps(staff.document(routes)))
    return found


@cache
def of_staff() -> Documented:
    """The staff's document as a judge."""
    return Documented(document_of_staff(), staff.PREFIX)
