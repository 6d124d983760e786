"""The document of the customers' API: its rows are the operations that make the routes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from tangguh.web.api.document import build, examples
from tangguh.web.api.operations import Operation
from tangguh.web.api.parameters import KEY, SIGNATURE, TIMESTAMP
from tangguh.web.gate import free_fields

_WITH_SESSION: Final = ("not_logged_in", "session_ended")
_SCHEME: Final = "session"
_TAGS: Final[dict[str, tuple[str, str]]] = {
    "sessions": ("sessions", "Logging in on a device, and out again"),
    "me": ("customer", "Who is logged in"),
    "accounts": ("accounts", "Accounts, balances and history"),
    "payments": ("payments", "Paying, following a payment, giving it back"),
    "qris": ("QRIS", "Reading a QRIS code before it is paid"),
    "services": ("services", "What can be done now, and what is closed"),
    "inquiries": ("inquiries", "Who would be paid and what is owed, before the yes"),
    "codes": ("codes", "One-time codes: cash without a card, a QRIS code to be shown"),
    "shops": ("shops", "A customer's shops and their bills"),
    "complaints": ("complaints", "Complaining, papers, the answer and its letter"),
    "notices": ("notices", "What the bank told, and push to a browser"),
}
"""The first word of a path, as the document names and explains it."""
_LINKS: Final[dict[str, dict[str, str]]] = {
    "createPayment": {"getPayment": "payment_id", "createRefund": "payment_id"},
    "openComplaint": {
        "getComplaint": "complaint_id",
        "getLetter": "complaint_id",
        "addMessage": "complaint_id",
        "addEvidence": "complaint_id",
    },
}
_ABOUT: Final = """\
What a customer's device may ask of the bank.

**Amounts** are decimal strings in rupiah (`"25000.00"`). In a payment `amount` is the sum to the
payee, `fee` the bank's fee, `tip` what a shop's guest adds, and `total` what is debited.
**Instants** are RFC 3339 in UTC.

**Orders that move money** carry three headers. `Idempotency-Key` is made once for each order: sent
again with the same key, the same order gives the same payment and never a second one.
`X-Timestamp` and `X-Signature` prove that the device said yes: base64 of HMAC-SHA256, by the
session's `signing_key`, over five lines joined by line feeds: the method, the path, the SHA-256 of
the body in hex, the timestamp and the key.

**Errors** are problems (RFC 9457). `code` is stable for ever. `money` says where the money is:
`not_moved`, `held`, `moved` or `unknown`. `retry` says what is safe: `safe` (put it right and send
it anew), `same_key` (send the very same again, with the same key), `after` (the same, later),
`never`. `unknown` never means that it failed: ask again with the same key.

**Lists** are newest first. Their cursor (`next`, or `before` of notices) is null on the last page.
"""
API: Final = build.Api(
    title="Tangguh customers' API",
    about=_ABOUT,
    tags=dict(_TAGS.values()),
    schemes={
        _SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "description": "The `token` of `openSession`",
        }
    },
)


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The customers' document as plain values."""
    return build.document(API, map(_row, operations))


def _row(one: Operation) -> build.Row:
    headers = (KEY, TIMESTAMP, SIGNATURE) if one.moves_money else (KEY,) if one.needs_key else ()
    problems = list(one.problems)
    problems += _WITH_SESSION if one.needs_session else ()
    problems += ("content_type_wrong",) if one.takes is not None or one.takes_files else ()
    problems += ("header_invalid",) if headers else ()
    problems += ("ambiguous",) if one.method != "GET" else ()
    asks, told = examples.of(one.id)
    return build.Row(
        id=one.id,
        method=one.method,
        path=one.path,
        tag=_TAGS[one.path.split("/")[2]][0],
        summary=one.summary,
        about=_about(one),
        takes=one.takes,
        takes_files=one.takes_files,
        file_bytes_max=one.file_bytes_max,
        gives=dict.fromkeys(one.statuses, one.gives),
        gives_files=(one.gives_file,) if one.gives_file else (),
        parameters=(*one.parameters, *headers),
        problems=tuple(problems),
        schemes=(_SCHEME,) if one.needs_session else (),
        location=one.gives_location,
        redacts=one.takes is not None and any(free_fields(one.takes).values()),
        lines=one.keeps_lines,
        asks=asks,
        told=told,
        links=_LINKS.get(one.id, {}),
    )


def _about(one: Operation) -> str:
    """What its handler says of it, and what follows from its row."""
    said = [" ".join((one.handler.__doc__ or one.summary).split())]
    if one.moves_money:
        said.append("It moves money, now or later: the device signs it.")
    elif one.needs_key:
        said.append("The same key gives the same answer.")
    if not one.needs_session:
        said.append("Nobody needs to be logged in.")
    return " ".join(said)
