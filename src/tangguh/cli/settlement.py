"""``tangguh settlement``: check files, run cycles, list and repair breaks, age what is open.

``check``, ``breaks`` and ``ageing`` only read. ``run``, ``repair``, ``clear`` and ``payout`` decide
in the book, which has one writer: a bank that is running runs its cycles itself (``work.cycles``).
Of a bank that is stopped this command can be the writer, when told so with --bank-is-stopped.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar
from uuid import UUID

import msgspec
from cyclopts import App, Parameter

from tangguh.access import acts
from tangguh.app import Bank
from tangguh.cli.invocation import invoked
from tangguh.cli.staff.present import two_present
from tangguh.cli.stopped import Stopped, in_the_book, place_of
from tangguh.cli.trouble import fail, in_trouble
from tangguh.core.clock import SystemClock
from tangguh.core.errors import TangguhError
from tangguh.core.outcome import Refusal, Refused
from tangguh.db.pool import Pool
from tangguh.ledger.posting import Posting
from tangguh.settlement import repair as repairs
from tangguh.settlement.ageing import Ageing
from tangguh.settlement.ageing import ageing as age
from tangguh.settlement.breaks import Break
from tangguh.settlement.cycle import BackOffice, Ran, expected_of
from tangguh.settlement.cycle import run as run_cycle
from tangguh.settlement.file import FileRefused, Reader, Totals
from tangguh.settlement.merchants.payout import PaidOut, pay_out
from tangguh.settlement.signed import Signed
from tangguh.settlement.source import Source, kept
from tangguh.settlement.store import open_breaks
from tangguh.work.control.present import signer_of

app = App(name="settlement", help="Networks' files, cycles, breaks and what is outstanding.")

_Json = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON document.")]
_Dsn = Annotated[str, Parameter(help="The bank's database; else TANGGUH_DB__DSN.")]
_Network = Annotated[str, Parameter(help="qris, bifast, cards, billers, or a wallet's name.")]
_Day = Annotated[str, Parameter(help="The Jakarta day, YYYY-MM-DD.")]
_Cycle = Annotated[int, Parameter(help="The cycle of the day, from 1; 0 is the day so far.")]
_File = Annotated[Path | None, Parameter(help="The file, or the directory it is in.")]
_Reason = Annotated[str, Parameter(help="Why, in words; both who sign it see it.")]
_Supersede = Annotated[
    bool, Parameter(negative="", help="Another file for a cycle that was run; two people sign.")
]
_ToCustomer = Annotated[
    bool, Parameter(negative="", help="The customer gets the difference, not suspense.")
]
_To = Annotated[int, Parameter(help="The account it belongs to.")]
_Url = Annotated[str, Parameter(help="Where the network gives its files.")]
T = TypeVar("T")
Act = Callable[[BackOffice], Awaitable[T]]


@app.command
def check(
    *, network: _Network, day: _Day, cycle: _Cycle = 1, file: _File = None, url: _Url = "",
    as_json: _Json = False,
) -> None:  # fmt: skip
    """Read a file to its end and say what it adds up to, or which line refuses it."""
    asked = _known(expected_of(network, _day(day), cycle))

    async def read() -> Totals | FileRefused:
        async with kept(_source(file, url), asked) as content:
            reader = Reader(content.chunks(), asked)
            for _ in reader:
                pass
        return reader.refused or reader.totals or FileRefused(0, "file", "it was not read")

    _end(_run(read()), as_json=as_json)


@app.command
def run(
    *, network: _Network, day: _Day, cycle: _Cycle = 1, file: _File = None, url: _Url = "",
    supersede: _Supersede = False, reason: _Reason = "",
    dsn: _Dsn = "", bank_is_stopped: Stopped = False, as_json: _Json = False,
) -> None:  # fmt: skip
    """Run a cycle: conclude what the file proves, list breaks, post the position. Once."""
    asked = _known(expected_of(network, _day(day), cycle))
    source = _source(file, url)

    async def alone(office: BackOffice) -> Ran | FileRefused | Refused:
        return await run_cycle(office, asked, source)

    async def signed(office: BackOffice, signed: Signed) -> Ran | FileRefused | Refused:
        return await run_cycle(office, asked, source, supersede=signed)

    if supersede:
        subject = f"{network} {day} {cycle}"
        act = _by_two(acts.Act.FILE_SUPERSEDED, subject, {"from": str(source)}, reason, signed)
        _end(_run(in_the_book(dsn, act, is_stopped=bank_is_stopped)), as_json=as_json)
    _end(_run(_in_the_book(dsn, alone, is_stopped=bank_is_stopped)), as_json=as_json)


@app.command
def repair(
    break_id: Annotated[str, Parameter(help="The break's id, as `breaks` lists it.")],
    *, reason: _Reason, to_customer: _ToCustomer = False,
    dsn: _Dsn = "", bank_is_stopped: Stopped = False, as_json: _Json = False,
) -> None:  # fmt: skip
    """Repair a break by a posting that two people sign, with a reason."""
    wanted = _id(break_id)

    async def done(office: BackOffice, signed: Signed) -> Break | Refused:
        return await repairs.repair(office, wanted, signed, to_customer=to_customer)

    payload = {"to_customer": to_customer}
    act = _by_two(acts.Act.BREAK_REPAIRED, str(wanted), payload, reason, done)
    _end(_run(in_the_book(dsn, act, is_stopped=bank_is_stopped)), as_json=as_json)


@app.command
def clear(
    posting_id: Annotated[str, Parameter(help="What put it in suspense, as `ageing` lists it.")],
    *, to: _To, reason: _Reason,
    dsn: _Dsn = "", bank_is_stopped: Stopped = False, as_json: _Json = False,
) -> None:  # fmt: skip
    """Give what is in suspense to the account it belongs to: two people sign, with a reason."""
    wanted = _id(posting_id)

    async def done(office: BackOffice, signed: Signed) -> Posting | Refused:
        return await repairs.clear(office, wanted, to, signed)

    act = _by_two(acts.Act.SUSPENSE_CLEARED, str(wanted), {"to": to}, reason, done)
    _end(_run(in_the_book(dsn, act, is_stopped=bank_is_stopped)), as_json=as_json)


@app.command
def payout(
    *, day: _Day, cycle: _Cycle = 1,
    dsn: _Dsn = "", bank_is_stopped: Stopped = False, as_json: _Json = False,
) -> None:  # fmt: skip
    """Pay merchants what waited at the cut-off, once per merchant and cycle."""
    wanted = _day(day)

    async def act(office: BackOffice) -> list[PaidOut] | Refused:
        try:
            return await pay_out(office, wanted, cycle)
        except ValueError as error:
            return Refused(Refusal.ORDER_INVALID, "cycle", str(error))

    _end(_run(_in_the_book(dsn, act, is_stopped=bank_is_stopped)), as_json=as_json)


@app.command
def breaks(*, dsn: _Dsn = "", as_json: _Json = False) -> None:
    """Every open break, the oldest first, with its age, owner and proposed repair."""
    now = SystemClock().now()

    async def read() -> list[Break]:
        async with _reading(dsn) as (pool, book_id):
            return await open_breaks(pool, book_id)

    found = _run(read())
    if as_json:
        told = [
            {
                **msgspec.to_builtins(one),
                "difference_minor": one.difference_minor,
                "age_days": one.age(now).days,
            }
            for one in found
        ]
        _print({"breaks": told})
        return
    for one in found:
        print(
            f"{one.break_id}  {one.network:<8} {one.day} {one.cycle}  {one.kind:<16} "
            f"{_rupiah(one.difference_minor):>18}  {one.age(now).days:>3} d  {one.owner}"
        )
        print(f"    {one.reference}: {one.proposal}")
    print(f"{len(found)} open")


@app.command
def ageing(*, dsn: _Dsn = "", as_json: _Json = False) -> None:
    """What stands in nostro, settlement and suspense, by age, with its owner."""
    now = SystemClock().now()

    async def read() -> Ageing:
        async with _reading(dsn) as (pool, book_id):
            return await age(pool, book_id, now)

    found = _run(read())
    if as_json:
        _print(found)
        return
    for one in found.standing:
        print(
            f"account {one.account_id}  since {one.since}  {one.age_days:>4} d  "
            f"{_rupiah(one.amount_minor):>22}  {one.owner}"
        )
    for entry in found.suspended:
        print(
            f"suspense {entry.posting_id}  {entry.age_days:>4} d  "
            f"{_rupiah(entry.amount_minor):>18}  {entry.owner}  {entry.note}"
        )
    print(f"{len(found.suspended)} in suspense, {len(found.breaks)} breaks open")


# ---- inside --------------------------------------------------------------------------------------


def _office(bank: Bank) -> BackOffice:
    return BackOffice(bank.desk, bank.pool, bank.book_id, bank.clock)


def _by_two(
    act: acts.Act, subject: str, payload: dict[str, Any], reason: str,
    do: Callable[[BackOffice, Signed], Awaitable[T | Refused]],
) -> Callable[[Bank], Awaitable[T | Refused]]:  # fmt: skip
    async def of(bank: Bank) -> T | Refused:
        two = two_present(bank)
        change = await two.sign(act, subject, payload | {"reason": reason})
        if isinstance(change, Refused):
            return change
        signed = Signed(by=change.maker.id, approved_by=signer_of(change), reason=reason)
        refused = signed.refused() or await two.use_up(change)
        return refused or await do(_office(bank), signed)

    return of


async def _in_the_book(dsn: str, act: Act[T], *, is_stopped: bool) -> T:
    async def of(bank: Bank) -> T:
        return await act(_office(bank))

    return await in_the_book(dsn, of, is_stopped=is_stopped)


@asynccontextmanager
async def _reading(dsn: str) -> AsyncIterator[tuple[Pool, int]]:
    settings, where = place_of(dsn)
    pool = await Pool.open(where, size_max=1, command_seconds=600.0)
    try:
        yield pool, settings.book.book_id
    finally:
        await pool.close()


def _run(asked: Awaitable[T]) -> T:
    async def wait() -> T:
        return await asked

    try:
        return asyncio.run(wait())
    except TangguhError as trouble:
        in_trouble(trouble)


def _source(file: Path | None, url: str) -> Source:
    if (file is None) == (not url):
        fail("say either --file or --url, one of them", 2)
    return file if file is not None else url


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        fail(f"--day is YYYY-MM-DD, not {text!r}")


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        fail(
            f"{text!r} is no id; `{invoked()} settlement breaks` shows a break's, "
            f"`{invoked()} settlement ageing` a posting's"
        )


def _known(asked: T | Refused) -> T:
    if isinstance(asked, Refused):
        fail(f"{asked.field}: {asked.detail}")
    return asked


def _end(result: Any, *, as_json: bool) -> NoReturn:
    """Print what came of it; 1 when it was refused."""
    is_refused = isinstance(result, Refused | FileRefused)
    if as_json:
        _print(result if isinstance(result, msgspec.Struct) else {"results": result})
    elif isinstance(result, FileRefused):
        print(f"refused: line {result.line}, {result.field}: {result.rule}")
    elif isinstance(result, Refused):
        print(f"refused: {result.field}: {result.detail}")
    else:
        for one in result if isinstance(result, list) else [result]:
            told = msgspec.structs.asdict(one)
            print("\n".join(f"{name:<16} {value}" for name, value in told.items() if value))
    sys.exit(1 if is_refused else 0)


def _print(value: Any) -> None:
    print(msgspec.json.encode(value).decode())


def _rupiah(minor: int) -> str:
    return f"{'-' if minor < 0 else ''}Rp{abs(minor) // 100:,}.{abs(minor) % 100:02d}"
