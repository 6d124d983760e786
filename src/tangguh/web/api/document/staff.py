"""The document of the staff API: the routes that are there, each with what its row says of it.

A document of its own, given at the staff's door: another reader, another credential, another pace,
and no customer's app is made with what closes the bank (docs/adr/0041-the-document-of-the-api.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tangguh.access.acts import ACTS, Act
from tangguh.disputes.evidence.judge import MEDIA, SIZE_MAX
from tangguh.status.component import COMPONENTS
from tangguh.web.api.document import build, staff_examples
from tangguh.web.api.document.staff_rows import ROWS, Described
from tangguh.web.api.parameters import (
    HEADER,
    PATH,
    Choice,
    Id,
    Parameter,
    Text,
    WholeNumber,
)
from tangguh.web.care import desk as care
from tangguh.web.staff.door import DEVICE_HEADER, Call, StaffDoor, route

PREFIX: Final = "/staff/v1/"
ADDRESS: Final = f"{PREFIX}openapi.json"
_SCHEME: Final = "staff"
_ALWAYS: Final = ("not_logged_in", "approver_not_allowed")
_DEVICE: Final = Text(
    name=DEVICE_HEADER,
    place=HEADER,
    pattern="^[A-Za-z0-9_-]*$",
    about="The secret of the device this comes from. What changes anything is done from one only",
    example="nYx0c3RhZmYgZGV2aWNlIHNlY3JldCwgb25jZQ",
)
_IN_PATH: Final[dict[str, Parameter]] = {
    "closure": Id(name="closure", place=PATH, about="A closure"),
    "change": Id(name="change", place=PATH, about="A change that was proposed"),
    "case": Id(name="case", place=PATH, about="A complaint"),
    "incident": Id(name="incident", place=PATH, about="An incident"),
    "component": Choice(
        name="component", place=PATH, words=tuple(COMPONENTS), about="A line of the public page"
    ),
    "payment": Id(name="payment", place=PATH, about="A payment"),
    "number": Text(
        name="number",
        place=PATH,
        pattern="^[0-9A-Za-z-]{1,64}$",
        about="A complaint's number or id",
        example="TG26-7K3M-9QXD",
    ),
    "who": Text(
        name="who",
        place=PATH,
        pattern="^[^/]{1,64}$",
        about="A customer's id, an account's number or a phone number",
        example="1",
    ),
    "file": WholeNumber(name="file", place=PATH, most=care.COUNT_MAX, about="Which file, from 1"),
    "page": WholeNumber(name="page", place=PATH, most=care.COUNT_MAX, about="Which page, from 1"),
    "report": Text(
        name="report",
        place=PATH,
        pattern="^(initial|full|breach)([.](json|docx|pdf))?$",
        about="Which report, and as what file; without one, as values",
        example="initial.pdf",
    ),
}
_TAGS: Final[dict[str, tuple[str, str]]] = {
    "gates": ("gates", "Closing, confirming, narrowing and widening"),
    "ladders": ("ladders", "The way back of a closure, step by step"),
    "changes": ("changes", "What one proposes and others sign"),
    "outflows": ("outflows", "Money that left without a payment"),
    "rules": ("rules", "What the guard watches for by itself"),
    "devices": ("devices", "What somebody of staff is known by"),
    "me": ("on call", "Looking up payments and customers, masked"),
    "payments": ("on call", "Looking up payments and customers, masked"),
    "customers": ("on call", "Looking up payments and customers, masked"),
    "cases": ("cases", "Complaints, their papers and their answers"),
    "complaints": ("figures", "The month's complaints for the regulator"),
    "incidents": ("incidents", "One story of one trouble, for the public and for authorities"),
    "components": ("components", "The lines of the public page"),
}
_ABOUT: Final = """\
What the bank's staff do by HTTP: each operation is one act, named in its description with the
roles that may begin it and who must sign besides.

A token names a member of staff. Everything that changes something also carries `X-Staff-Device`,
the secret that the bank issued to the device. Sums are whole numbers in minor units (a hundredth
of a rupiah), except inside a payment. Errors are problems (RFC 9457), as in the customers' API.
An answer with `change` has done nothing yet: others are asked, and sign exactly what was shown by
its `sha256`.
"""


def document(routes: Iterable[BaseRoute]) -> dict[str, Any]:
    """The staff's document as plain values, of the routes that are there."""
    rows = list(_rows(routes))
    known = {row.tag for row in rows}
    tags = {
        **dict(_TAGS.values()),
        **dict.fromkeys(sorted(known - {name for name, _ in _TAGS.values()}), ""),
    }
    api = build.Api(
        title="Tangguh staff API",
        about=_ABOUT,
        tags={name: about for name, about in tags.items() if name in known},
        schemes={_SCHEME: {"type": "http", "scheme": "bearer", "description": "A member of staff"}},
    )
    return build.document(api, rows)


def described(staff: StaffDoor, routes: Iterable[BaseRoute]) -> Route:
    """Where staff read the document of these routes."""
    written = msgspec.json.encode(document(routes))

    async def describe(_: Call) -> Response:
        """The document of the staff API."""
        return Response(written, media_type="application/json")

    return route(staff, "GET", ADDRESS, describe, Act.READ)


def _rows(routes: Iterable[BaseRoute]) -> Iterable[build.Row]:
    for one in routes:
        act = getattr(getattr(one, "endpoint", None), "act", None)
        if not isinstance(one, Route) or act is None or not one.path.startswith(PREFIX):
            continue
        for method in sorted((one.methods or set()) - {"HEAD"}):
            yield _row(method, one, act)


def _row(method: str, one: Route, act: Act) -> build.Row:
    path = one.path.removeprefix(PREFIX)
    said = ROWS.get((method, path)) or _undescribed(method, path)
    word = path.partition("/")[0].partition(".")[0]
    asks, told = staff_examples.of(said.id)
    handler = getattr(one.endpoint, "handler", None)
    about = " ".join((getattr(handler, "__doc__", None) or said.summary).split())
    named = [_IN_PATH[name] for name in one.param_convertors if name in _IN_PATH]
    is_file = path.endswith("/evidence") and method == "POST"
    return build.Row(
        id=said.id,
        method=method,
        path=one.path,
        tag=_TAGS.get(word, (word, ""))[0],
        summary=said.summary,
        about=f"{about} {_who(act)}",
        takes=said.takes,
        may_be_empty=said.takes is not None and _needs_nothing(said.takes),
        takes_files=MEDIA if is_file else (),
        file_bytes_max=SIZE_MAX if is_file else 0,
        gives={200: said.gives},
        gives_files=said.gives_files,
        parameters=(*named, *said.parameters, _DEVICE),
        problems=(*_ALWAYS, *said.problems, *(("ambiguous",) if method != "GET" else ())),
        schemes=(_SCHEME,),
        redacts=said.takes is not None,
        lines=None,
        asks=asks,
        told=told,
    )


def _who(act: Act) -> str:
    """Who may begin an act and who signs it, from the table of acts."""
    needs = ACTS[act]
    said = f"Act `{act}`: begun by {_any_of(needs.makers)}."
    if needs.by_rung:
        return f"{said} Others sign, as the rung of its ladder asks."
    if needs.rule is None:
        return said
    roles = f", among them {_all_of(needs.rule.roles)}" if needs.rule.roles else ""
    return f"{said} Signed by {max(needs.rule.people, 1)} or more others{roles}."


def _any_of(roles: Iterable[str]) -> str:
    return " or ".join(f"`{one}`" for one in sorted(roles)) or "nobody"


def _all_of(roles: Iterable[str]) -> str:
    return " and ".join(f"`{one}`" for one in roles)


def _needs_nothing(shape: Any) -> bool:
    return not any(one.required for one in msgspec.structs.fields(shape))


def _undescribed(method: str, path: str) -> Described:
    """A route without a row: it is told that it is there, and tests ask for its row."""
    words = [word for word in path.replace(".", "/").split("/") if word and "{" not in word]
    named = method.lower() + "".join(word.title().replace("-", "") for word in words)
    return Described(named, path, gives=dict[str, Any])


def undescribed(of: Mapping[str, Any]) -> list[str]:
    """The operations of a document that have no row."""
    return [
        f"{method.upper()} {path}"
        for path, methods in of["paths"].items()
        for method in methods
        if (method.upper(), path.removeprefix(PREFIX)) not in ROWS
    ]
