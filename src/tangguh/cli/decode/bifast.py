"""``tangguh bifast decode``: read BI-FAST messages from a file or a pipe and judge them.

XML or JSON in: one message, or one JSON message a line. One line of JSON a message out. What is
printed holds names and account numbers: the command is for people, its output is no log.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import msgspec
from cyclopts import App, Parameter

from tangguh.core.money import format_decimal
from tangguh.rails.bifast import codes, message, proxy, session, status, transfer
from tangguh.rails.bifast.grammar.codec import BODY_BYTES_MAX, wire_of
from tangguh.rails.bifast.grammar.schema import Fault
from tangguh.rails.bifast.grammar.tree import Branch
from tangguh.rails.bifast.message import Unreadable
from tangguh.rails.bifast.status import StatusReport, StatusRequest
from tangguh.rails.bifast.transfer import CreditTransfer

app = App(name="bifast", help="Read and judge BI-FAST messages.")

_UNKNOWN: Final = datetime.fromtimestamp(0, UTC)
_JSON_HELP: Final = "One JSON document for each message: its only form, with or without this."
_FILE_HELP: Final = "A file with one message, or one JSON message a line; - reads standard input."


@app.command
def decode(
    file: Annotated[str, Parameter(allow_leading_hyphen=True, help=_FILE_HELP)] = "-",
    /,
    *,
    as_json: Annotated[bool, Parameter(name="--json", negative="", help=_JSON_HELP)] = True,
) -> None:
    """Decode and validate messages; print one JSON document for each.

    Exits 0 only when every message is valid, 2 when the file cannot be read.
    """
    all_valid = True
    try:
        for body in _bodies(file):
            verdict = judgement(body)
            all_valid = all_valid and verdict["valid"]
            # ASCII only: nothing a message holds can steer a terminal.
            print(json.dumps(verdict))
    except OSError as error:
        print(
            f"tangguh: {file} cannot be read: {error.strerror}; - reads standard input",
            file=sys.stderr,
        )
        sys.exit(2)
    sys.exit(0 if all_valid else 1)


def judgement(body: bytes) -> dict[str, Any]:
    """What is printed for one message: valid, message, end_to_end_id, amount_minor, errors ..."""
    received = message.read(body)
    if isinstance(received, Unreadable) and not isinstance(
        bare := message.read_bare(body), Unreadable
    ):
        return _judgement_of_bare(body, *bare)
    if isinstance(received, Unreadable):
        return {
            "valid": False,
            "message": received.definition,
            "end_to_end_id": None,
            "amount_minor": None,
            "errors": _listed(received.faults),
            "form": wire_of(body),
            "business_number": received.number,
        }
    found = received.message
    facts, faults = _facts(found.definition, found.document, found.created_at)
    return {
        "valid": not faults,
        "message": found.definition,
        "end_to_end_id": facts.pop("end_to_end_id", None) or None,
        "amount_minor": facts.pop("amount_minor", None),
        "errors": _listed(faults),
        "form": wire_of(body),
        "business_number": found.number,
        "from": found.sender,
        "to": found.recipient,
        "service": found.service,
        "copy": found.copy,
        "created_at": message.instant_text(found.created_at),
        "signed": bool(received.signature),
        "facts": {name: value for name, value in facts.items() if value not in ("", None, {})},
    }


def _judgement_of_bare(body: bytes, definition: str, document: Branch) -> dict[str, Any]:
    """The same of a document without its envelope: nothing is known of who sent it."""
    facts, faults = _facts(definition, document, _UNKNOWN)
    facts.pop("created_at", None)
    return {
        "valid": not faults,
        "message": definition,
        "end_to_end_id": facts.pop("end_to_end_id", None) or None,
        "amount_minor": facts.pop("amount_minor", None),
        "errors": _listed(faults),
        "form": wire_of(body),
        "business_number": "",
        "signed": False,
        "facts": {name: value for name, value in facts.items() if value not in ("", None, {})},
    }


def _facts(
    definition: str, document: Branch, created_at: datetime
) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    match definition:
        case transfer.DEFINITION:
            return _of(transfer.read(document))
        case status.REPORT:
            return _of(status.read_report(document, created_at))
        case status.REQUEST:
            return _of(status.read_request(document, created_at))
        case status.REJECT:
            return _of(status.read_reject(document))
        case proxy.REGISTERED:
            return _of(proxy.read_registered(document))
        case proxy.LOOKED_UP:
            return _of(proxy.read_looked_up(document))
        case session.ASK:
            return _of(session.read_ask(document))
        case session.ANSWER:
            return _of(session.read_answer(document))
        case _:
            return {"document": document}, ()


def _of(read: msgspec.Struct | tuple[Fault, ...]) -> tuple[dict[str, Any], tuple[Fault, ...]]:
    if isinstance(read, tuple):
        return {}, read
    facts: dict[str, Any] = msgspec.to_builtins(read)
    if isinstance(read, CreditTransfer):
        facts["amount"] = format_decimal(read.amount_minor)
    elif isinstance(read, StatusReport):
        facts["meaning"] = _meaning(read)
    elif isinstance(read, StatusRequest):
        facts["asks_about"] = read.end_to_end_id
    return facts, ()


def _meaning(report: StatusReport) -> str:
    """What the bank would make of it: accepted, declined with our refusal, or unanswered."""
    outcome = msgspec.to_builtins(codes.outcome_of_transfer(report, report.end_to_end_id))
    said = outcome.get("reason") or outcome.get("why") or ""
    return f"{outcome['type']} {said}".strip()


def _listed(faults: tuple[Fault, ...]) -> list[dict[str, str]]:
    return [msgspec.structs.asdict(fault) for fault in faults]


def _bodies(file: str) -> Iterator[bytes]:
    if file == "-":
        yield from _split(sys.stdin.buffer)
        return
    with Path(file).open("rb") as stream:
        yield from _split(stream)


def _split(stream: BinaryIO) -> Iterator[bytes]:
    """One message, or JSON messages a line each when the first line is one by itself.

    A line longer than any message is given up to one byte beyond the bound, which refuses it.
    """
    first = stream.readline(BODY_BYTES_MAX + 1)
    if wire_of(first) == "xml" or not _is_json(first):
        yield (first + stream.read(BODY_BYTES_MAX + 1))[: BODY_BYTES_MAX + 1]
        return
    line = first
    while line:
        if line.strip():
            yield line.strip()
        while len(line) == BODY_BYTES_MAX + 1 and not line.endswith(b"\n"):
            line = stream.readline(BODY_BYTES_MAX + 1)
        line = stream.readline(BODY_BYTES_MAX + 1)


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return True
