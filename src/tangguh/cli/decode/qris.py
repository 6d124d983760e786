"""``tangguh qris parse``: read a QRIS code from the keyboard, a file or a scanner and judge it.

Prints what the code says even when it must not be paid, since that is when somebody looks. What
is printed may show a customer's PAN: the command is for people, its output is no log.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, Final

import msgspec
from cyclopts import App, Parameter

from tangguh.core.money import format_decimal
from tangguh.rails.qris import codec, cpm
from tangguh.rails.qris.message import Finding, QrisCode, Reading, Tip, TipKind, total_minor
from tangguh.rails.qris.nns import name_of

app = App(name="qris", help="Read and judge QRIS codes.")

_LINE_BYTES_MAX: Final = 4096
"""More than any code can have; the rest of a longer line is dropped unread."""
_PAYLOAD_HELP: Final = "The code, or - to read one per line from standard input."
_JSON_HELP: Final = "Print one JSON document per code."


@app.command
def parse(
    payload: Annotated[str, Parameter(allow_leading_hyphen=True, help=_PAYLOAD_HELP)] = "-",
    /,
    *,
    as_json: Annotated[bool, Parameter(name="--json", negative="", help=_JSON_HELP)] = False,
) -> None:
    """Decode and judge merchant-presented text or a customer's base64 code.

    Exits 0 only when every code is valid.
    """
    all_valid = True
    for line in _lines(sys.stdin.buffer) if payload == "-" else (payload,):
        verdict = judgement(line)
        all_valid = all_valid and verdict["valid"]
        # ASCII only: prints on any terminal, and nothing a code holds can steer one.
        print(json.dumps(verdict) if as_json else _table(verdict))
    sys.exit(0 if all_valid else 1)


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Each line without its newline; an empty stream counts as one empty line."""
    line = stream.readline(_LINE_BYTES_MAX)
    while True:
        rest = line
        while len(rest) == _LINE_BYTES_MAX and not rest.endswith(b"\n"):
            rest = stream.readline(_LINE_BYTES_MAX)
        yield line.removesuffix(b"\n").removesuffix(b"\r")
        line = stream.readline(_LINE_BYTES_MAX)
        if not line:
            return


def judgement(payload: str | bytes) -> dict[str, Any]:
    """What is printed for one code: valid, kind, errors, warnings and the fields by name."""
    reading = cpm.decode(payload) if cpm.looks_like_cpm(payload) else codec.parse(payload)
    fields = (
        _merchant_fields(reading) if isinstance(reading, Reading) else _customer_fields(reading)
    )
    return {
        "valid": reading.valid,
        "kind": str(reading.kind),
        "errors": _listed(reading.errors),
        "warnings": _listed(reading.warnings),
        "fields": {
            name: value for name, value in fields.items() if value not in ("", None, {}, [])
        },
    }


def _listed(findings: tuple[Finding, ...]) -> list[dict[str, str]]:
    return [msgspec.structs.asdict(finding) for finding in findings]


def _merchant_fields(reading: Reading) -> dict[str, Any]:
    code = reading.seen
    return {
        "initiation": code.initiation,
        "merchant_name": code.merchant_name,
        "merchant_city": code.merchant_city,
        "postal_code": code.postal_code,
        "country": code.country,
        "category_code": code.category_code,
        "criteria": code.criteria,
        "currency": code.currency,
        **_money("amount", code.amount_minor),
        "tip": _tip_fields(code.tip),
        **_money("total", _total(code)),
        "merchant_pan": code.merchant_pan,
        "merchant_id": code.merchant_id,
        "nns": code.nns,
        "acquirer": name_of(code.nns),
        "nmid": code.nmid,
        "terminal": code.terminal,
        "accounts": [msgspec.structs.asdict(account) for account in code.accounts],
        "repository": _filled(code.repository),
        "transfer": _filled(code.transfer),
        "additional": _filled(code.additional),
        "prompts": list(code.additional.prompts),
        "language": _filled(code.language),
        "schemes": dict(code.schemes),
        "unnamed": dict(code.unnamed),
    }


def _customer_fields(reading: cpm.CpmReading) -> dict[str, Any]:
    code = reading.seen
    return {
        **_filled(code),
        "nns": code.nns,
        "issuer": name_of(code.nns),
        "customer_pan": code.account_pan,
    }


def _filled(facts: msgspec.Struct | None) -> dict[str, Any]:
    """A struct's filled fields; its (tag, value) pairs become a table."""
    if facts is None:
        return {}
    return {
        name: dict(value) if isinstance(value, tuple) else value
        for name, value in msgspec.structs.asdict(facts).items()
        if value
    }


def _money(name: str, minor: int | None) -> dict[str, int | str]:
    if minor is None:
        return {}
    return {f"{name}_minor": minor, name: format_decimal(minor)}


def _tip_fields(tip: Tip) -> dict[str, Any]:
    match tip.kind:
        case TipKind.NONE:
            return {}
        case TipKind.PROMPT:
            return {"kind": "prompt"}
        case TipKind.FIXED:
            return {"kind": "fixed", **_money("fixed", tip.fixed_minor)}
        case TipKind.PERCENT:
            return {
                "kind": "percent",
                "basis_points": tip.basis_points,
                "percent": format_decimal(tip.basis_points),
            }


def _total(code: QrisCode) -> int | None:
    """What will be paid, where the code alone decides it."""
    if code.amount_minor is None or code.tip.kind is TipKind.PROMPT:
        return None
    return total_minor(code, code.amount_minor)


def _table(verdict: dict[str, Any]) -> str:
    """The judgement for a person to read: one fact a line."""
    lines = [f"{'VALID' if verdict['valid'] else 'NOT VALID'}  {verdict['kind']}"]
    for severity in ("errors", "warnings"):
        for finding in verdict[severity]:
            mark = severity.removesuffix("s")
            lines.append(f"  {mark:<8} {finding['code']}: {finding['detail']}")
    lines += _rows(verdict["fields"], "")
    return "\n".join(lines)


def _rows(fields: dict[str, Any], prefix: str) -> list[str]:
    rows: list[str] = []
    for name, value in fields.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for inner in value:
                rows += _rows(inner, f"{prefix}{name}.")
        elif isinstance(value, dict):
            rows += _rows(value, f"{prefix}{name}.")
        else:
            text = ", ".join(value) if isinstance(value, list) else str(value)
            rows.append(f"  {prefix + name:<34} {_plain(text)}")
    return rows


def _plain(text: str) -> str:
    """Text that cannot steer a terminal and that every terminal can show."""
    shown = "".join(character if character.isprintable() else "?" for character in text)
    return shown.encode("ascii", "backslashreplace").decode("ascii")
