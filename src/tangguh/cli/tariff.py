"""``tangguh tariff``: limits, fees, discounts in force; their history; changes by two people.

A change is a command of the book, so here it is one for a bank that is stopped; both are present.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Final

import msgspec
from cyclopts import App, Parameter

from tangguh.access.acts import Act
from tangguh.app import Bank
from tangguh.cli.staff.present import two_present
from tangguh.cli.stopped import Stopped, in_the_book, place_of
from tangguh.cli.trouble import in_trouble
from tangguh.core.errors import TangguhError
from tangguh.core.money import EXPONENTS, IDR
from tangguh.core.outcome import Refused
from tangguh.db.pool import Pool
from tangguh.payments.merchant.mdr import Discount, discounts_in_force
from tangguh.payments.rules import Limit
from tangguh.payments.store import tariff_changes
from tangguh.payments.tariff import Change, ChangeFee, ChangeLimit, in_force, shown
from tangguh.payments.terms.discount import ChangeDiscount
from tangguh.work.control.present import signer_of

_MINOR: Final = 10 ** EXPONENTS[IDR]

app = App(name="tariff", help="Limits, fees, discounts: what is in force, who changed what.")

_Json = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON document.")]
_Name = Annotated[
    str, Parameter(help="A service, a service/tier, or for limits a channel; see `list`.")
]
_Reason = Annotated[str, Parameter(help="Why, in words; both who sign it see it.")]
_PerPayment = Annotated[int, Parameter(help="The most one payment may be, in rupiah.")]
_PerDay = Annotated[int, Parameter(help="The most of one Jakarta day, in rupiah.")]
_PerMonth = Annotated[int | None, Parameter(help="The most of one month, in rupiah.")]
_Balance = Annotated[
    int | None, Parameter(help="The most a purse may hold after a top-up, in rupiah.")
]
_Rupiah = Annotated[int, Parameter(help="The fee, in rupiah.")]
_Parts = Annotated[int, Parameter(help="What a merchant pays of ten thousand; 70 is 0.7 %.")]
_Free = Annotated[int, Parameter(help="Up to this sum, in rupiah, a merchant pays nothing.")]
_Dsn = Annotated[str, Parameter(help="The bank's database; else TANGGUH_DB__DSN.")]


@app.command(name="list")
def list_tariff(*, dsn: _Dsn = "", as_json: _Json = False) -> None:
    """Every limit, fee and merchant discount in force."""
    changes = _changes(dsn)
    limits, fees = in_force(changes)
    rows, discounts = shown(limits, fees), discounts_in_force(changes)
    if as_json:
        print(msgspec.json.encode({"tariff": rows, "discounts": discounts}).decode())
        return
    for row in rows:
        most, day = row.get("transaction_max_minor"), row.get("day_max_minor")
        month = row.get("month_max_minor")
        print(
            f"{row['name']!s:<40} {_rupiah(most):>18} {_rupiah(day):>18} {_rupiah(month):>18}"
            f"  fee {_rupiah(row['fee_minor'])}"
        )
    for name, one in sorted(discounts.items()):
        percent = f"{one.per_ten_thousand / 100:.2f} %"
        print(f"discount {name:<31} {percent:>18} free up to {_rupiah(one.free_max_minor)}")


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


@app.command
def limit(
    name: _Name, *, transaction: _PerPayment, day: _PerDay, reason: _Reason,
    month: _PerMonth = None, balance: _Balance = None,
    dsn: _Dsn = "", bank_is_stopped: Stopped = False, as_json: _Json = False,
) -> None:  # fmt: skip
    """Set a limit, in whole rupiah: per payment, per Jakarta day and, when given, per month.

    What is not given is not limited; balance is what a purse may hold after a top-up.
    """
    wanted = Limit(
        transaction_max_minor=transaction * _MINOR,
        day_max_minor=day * _MINOR,
        month_max_minor=None if month is None else month * _MINOR,
        balance_max_minor=None if balance is None else balance * _MINOR,
    )
    change = ChangeLimit(name=name, limit=wanted, changed_by="", approved_by="", reason=reason)
    _decide(change, dsn, is_stopped=bank_is_stopped, as_json=as_json)


@app.command
def fee(
    name: _Name, *, rupiah: _Rupiah, reason: _Reason,
    dsn: _Dsn = "", bank_is_stopped: Stopped = False, as_json: _Json = False,
) -> None:  # fmt: skip
    """Set a fee, in whole rupiah."""
    change = ChangeFee(
        name=name, fee_minor=rupiah * _MINOR, changed_by="", approved_by="", reason=reason,
    )  # fmt: skip
    _decide(change, dsn, is_stopped=bank_is_stopped, as_json=as_json)


@app.command
def discount(
    name: Annotated[str, Parameter(help="A criteria (UKE) or a category (category/8211).")],
    *, per_ten_thousand: _Parts, reason: _Reason, free_up_to: _Free = 0,
    dsn: _Dsn = "", bank_is_stopped: Stopped = False, as_json: _Json = False,
) -> None:  # fmt: skip
    """Set what merchants pay: parts of ten thousand, and up to which sum in rupiah nothing."""
    change = ChangeDiscount(
        name=name, discount=Discount(per_ten_thousand, free_up_to * _MINOR), changed_by="",
        approved_by="", reason=reason,
    )  # fmt: skip
    _decide(change, dsn, is_stopped=bank_is_stopped, as_json=as_json)


def _decide(
    change: ChangeLimit | ChangeFee | ChangeDiscount, dsn: str, *, is_stopped: bool, as_json: bool
) -> None:
    """Have two people sign and the book decide; 1 on a no, with the field and the rule."""

    async def act(bank: Bank) -> object:
        two = two_present(bank)
        signed = await two.sign(Act.TARIFF_SET, change.name, msgspec.to_builtins(change))
        if isinstance(signed, Refused):
            return signed
        by, other = signed.maker.id, signer_of(signed)
        return await two.carry(
            signed, msgspec.structs.replace(change, changed_by=by, approved_by=other)
        )

    try:
        said = asyncio.run(in_the_book(dsn, act, is_stopped=is_stopped))
    except TangguhError as trouble:
        in_trouble(trouble)
    is_refused = isinstance(said, Refused)
    if as_json:
        told = said if is_refused else {"name": change.name, "in_force": "from the next start"}
        print(msgspec.json.encode(told).decode())
    elif isinstance(said, Refused):
        print(f"refused: {said.field}: {said.detail}")
    else:
        print(f"{change.name}: in force from the bank's next start")
    sys.exit(1 if is_refused else 0)


def _changes(dsn: str) -> list[Change]:
    try:
        return asyncio.run(_read(dsn))
    except TangguhError as trouble:
        in_trouble(trouble)


async def _read(dsn: str) -> list[Change]:
    settings, where = place_of(dsn)
    pool = await Pool.open(where, size_max=1)
    try:
        return await tariff_changes(pool, settings.book.book_id)
    finally:
        await pool.close()


def _rupiah(minor: object) -> str:
    return f"Rp{minor // 100:,}" if isinstance(minor, int) else "-"
