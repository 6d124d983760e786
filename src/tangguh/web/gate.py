"""Every text that comes in by HTTP passes here once: a no names its field, before anything is done.

Machines and members of staff by API are held to the whole rule. What a person typed or pasted into
a form loses the marks they cannot have seen; what no page can show is refused there too.
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from starlette.types import Scope

from tangguh.core.text import refuse, refuse_control, seen, unfit_in
from tangguh.web.problems import trouble


def check_body(
    raw: bytes, body: object, *, lines: frozenset[str] | None, typed: frozenset[str] = frozenset()
) -> None:
    """Judge every text of a decoded JSON body. Raises Trouble(body_invalid) naming the field.

    ``lines``: fields whose texts have line feeds (None: all). ``typed``: fields that hold what a
    person typed and whose reader takes hidden marks out itself.
    """
    # Nearly every body is printable ASCII without an escape: one look at its bytes is enough.
    if b"\\" not in raw and raw.isascii() and b"\x7f" not in raw:
        return
    if found := unfit_in(body, lines=lines, typed=typed):
        raise trouble("body_invalid", found.rule, found.field)


def form_texts(form: dict[str, str]) -> dict[str, str]:
    """The fields of a form as they were meant. Raises Trouble(body_invalid) naming the field."""
    for name, text in form.items():
        if rule := refuse(name) or refuse_control(text, lines=True):
            raise trouble("body_invalid", rule, "" if refuse(name) else name)
    return {name: seen(text) for name, text in form.items()}


def check_address(scope: Scope) -> str:
    """What is wrong with the texts in a path or a query, such as a NUL; empty when nothing is."""
    path: str = scope["path"]
    if not (path.isascii() and path.isprintable()) and refuse(path):
        return "path"
    query: bytes = scope["query_string"]
    if b"%" in query or not query.isascii():
        try:
            text = unquote_to_bytes(query).decode()
        except UnicodeDecodeError:
            return "query"
        # Marks that nobody sees are judged by whoever reads the parameter.
        return "query" if refuse_control(text, lines=True) else ""
    return ""
