"""``tangguh tariff``: limits and fees in force, their history, and changing them with two names."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from tangguh.config import load
from tangguh.core.errors import Misconfigured, TangguhError
from tangguh.db.pool import Pool
from tangguh.payments.store import tariff_changes
from tangguh.payments.tariff import Change, in_force, shown

app = App(name="tariff", help="Limits and fees: what is in force, and who changed what.")

_Json = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON document.")]
_Dsn = Annotated[str, Parameter(help="The bank's database; else TANGGUH_DB__DSN.")]


@app.command(name="list")
def list_tariff(*, dsn: _Dsn = "", as_json: _Json = False) -> None:
    """Every limit and fee in force."""
    limits, fees = in_force(_changes(dsn))
    rows = shown(limits, fees)
    if as_json:
        print(msgspec.json.encode({"tariff": rows}).decode())
        return
    for row in rows:
        most, day = row.get("transaction_max_minor"), row.get("day_max_minor")
        month = row.get("month_max_minor")
        print(
            f"{row['name']!s:<40} {_rupiah(most):>18} {_rupiah(day):>18} {_rupiah(month):>18}"
            f"  fee {_rupiah(row['fee_minor'])}"
        )


@app.command
def history(*, dsn: _Dsn = "", as_json: _Json = False) -> None:
    """Every change, oldest first, with its two names and its reason."""
    changes = _changes(dsn)
    if as_json:
        print(msgspec.json.encode({"changes": changes}).decode())
        return
    for one in changes:
        print(f"{one.at:%Y-%m-%d %H:%M} {one.kind:<5} {one.name:<36} {one.value}")
        print(f"                 {one.changed_by} and {one.approved_by}: {one.reason}")


def _changes(dsn: str) -> list[Change]:
    try:
        return asyncio.run(_read(dsn))
    except TangguhError as trouble:
        print(f"tangguh: {trouble}", file=sys.stderr)
        sys.exit(1)


async def _read(dsn: str) -> list[Change]:
    settings = load(None)
    where = dsn or settings.db.dsn
    if not where:
        raise Misconfigured("--dsn or TANGGUH_DB__DSN: say which bank")
    pool = await Pool.open(where, size_max=1)
    try:
        return await tariff_changes(pool, settings.book.book_id)
    finally:
        await pool.close()


def _rupiah(minor: object) -> str:
    return f"Rp{minor // 100:,}" if isinstance(minor, int) else "-"
