"""Every text that comes in by HTTP passes here once: a no names its field, before anything is done.

Machines and members of staff by API are held to the whole rule. What a person typed or pasted into
a form loses the marks they cannot have seen; what no page can show is refused there too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeVar, get_args, get_type_hints
from urllib.parse import unquote_to_bytes, urlsplit, urlunsplit

import msgspec
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from tangguh.core.redaction.redact import Secret, redact
from tangguh.core.text import refuse, refuse_control, seen, unfit_in
from tangguh.web.problems import trouble

B = TypeVar("B")

FREE_TEXT: Final[dict[str, Any]] = {"free_text": True}
"""``Meta(extra=FREE_TEXT)`` marks a type of the customers' API that holds what people write."""
REMOVED_HEADER: Final = "X-Text-Redacted"
REMOVED_PARAMETER: Final = "removed"
EXACT: Final = frozenset(
    (
        # proofs of who somebody is
        *("pin", "code", "token", "device", "attempt", "csrf", "key"),
        # sealed by the bank, or chosen from what it offers
        *(
            "order",
            "next",
            "was",
            "about",
            "outcome",
            "via",
            "bank",
            "language",
            "account",
            "seen",
            "act",
        ),
        *("stop", "taken", "camel", "scope", "scopes", "rule", "components", "alternative"),
        # numbers, addresses and names that machines read
        *("to", "number", "account_no", "proxy", "phone", "address", "contact", "sha256", "staff"),
        *("endpoint", "auth", "p256dh"),
    )
)
"""Fields that are read as they are and never kept as words."""


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


def without_secrets(form: dict[str, str]) -> tuple[dict[str, str], tuple[Secret, ...]]:
    """A form's fields without the secrets in its words, and what was taken out."""
    found: set[Secret] = set()
    kept = {name: text if name in EXACT else _redacted(text, found) for name, text in form.items()}
    return kept, _in_order(found)


def words_without_secrets(body: B) -> tuple[B, tuple[Secret, ...]]:
    """A decoded body of staff without the secrets in its words, and what was taken out."""
    found: set[Secret] = set()
    kept: B = _redacted(body, found)
    return kept, _in_order(found)


def free_fields(shape: Any) -> dict[type, tuple[str, ...]]:
    """By struct of a body's type (a union: each): the fields that hold what people write."""
    return {
        one: tuple(
            name
            for name, hint in get_type_hints(one, include_extras=True).items()
            if _is_free(hint)
        )
        for one in get_args(shape) or (shape,)
        if isinstance(one, type) and issubclass(one, msgspec.Struct)
    }


def fields_without_secrets(body: B, fields: Iterable[str]) -> tuple[B, tuple[Secret, ...]]:
    """A body with these fields without secrets, and what was taken out."""
    found: set[Secret] = set()
    changed: dict[str, str] = {}
    for name in fields:
        text = getattr(body, name)
        if text and (kept := _redacted(text, found)) != text:
            changed[name] = kept
    if not changed:
        return body, ()
    return msgspec.structs.replace(body, **changed), _in_order(found)  # type: ignore[type-var]


def removed_header(removed: Iterable[Secret]) -> dict[str, str]:
    """How a program is told."""
    told = ", ".join(removed)
    return {REMOVED_HEADER: told} if told else {}


def tell_removed(answer: Response, removed: tuple[Secret, ...]) -> None:
    """Have the page that a form leads to say what was taken out."""
    if not removed or not isinstance(answer, RedirectResponse):
        return
    there = urlsplit(answer.headers["location"])
    told = f"{REMOVED_PARAMETER}={'.'.join(removed)}"
    query = f"{there.query}&{told}" if there.query else told
    answer.headers["location"] = urlunsplit(there._replace(query=query))


def removed_in(text: str) -> tuple[Secret, ...]:
    """What the address of a page says was taken out; anything else in it is nothing."""
    named = set(text[:64].split("."))
    return tuple(one for one in Secret if one in named)


def _is_free(hint: Any) -> bool:
    extras = [
        one.extra for one in getattr(hint, "__metadata__", ()) if isinstance(one, msgspec.Meta)
    ]
    return FREE_TEXT in extras or any(_is_free(one) for one in get_args(hint))


def _in_order(found: set[Secret]) -> tuple[Secret, ...]:
    return tuple(one for one in Secret if one in found)


def _redacted(value: Any, found: set[Secret]) -> Any:
    """Any value with its texts redacted; fields named in ``EXACT`` stay."""
    if isinstance(value, str):
        seen_in = redact(value)
        found.update(seen_in.removed)
        return seen_in.text
    if isinstance(value, list | tuple):
        return type(value)(_redacted(one, found) for one in value)
    if isinstance(value, dict):
        return {
            name: one if name in EXACT else _redacted(one, found) for name, one in value.items()
        }
    if isinstance(value, msgspec.Struct):
        fields = [name for name in value.__struct_fields__ if name not in EXACT]
        return msgspec.structs.replace(
            value, **{name: _redacted(getattr(value, name), found) for name in fields}
        )
    return value


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
