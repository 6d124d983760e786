"""Books for any simulated network: accounts, and transfers to and from them, in one SQLite file.

Nothing is shared with the bank, so the two can be compared. Every change is on disk before it is
answered (WAL, synchronous=FULL): a kill -9 loses nothing that was said. One process, one thread.
What may be written is each network's own rule; that balances follow the rows is kept here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from tangguh.core.clock import JAKARTA
from tangguh.core.cycle import cycles_of
from tangguh.sim.settlement import SettlementLine, file_of

_SQL: Final = {
    name.strip(): text
    for name, _, text in (
        block.partition("\n")
        for block in Path(__file__)
        .with_name("passbook.sql")
        .read_text("utf-8")
        .split("-- name: ")[1:]
    )
}

T = TypeVar("T")


class AccountRow(msgspec.Struct, frozen=True):
    """An account out there. ``state``: open, blocked or closed. ``detail``: JSON of the network."""

    number: str
    name: str
    state: str
    balance_minor: int
    detail: str = "{}"


class TransferRow(msgspec.Struct, frozen=True, kw_only=True):
    """One movement by the asker's reference.

    ``direction``: ``in`` pays the account out there (the bank owes), ``out`` takes from it (it is
    due to the bank). ``counterpart`` is the bank's own account or terminal. ``state``: paid,
    failed, cancelled (also a tombstone of what never came), or pending, which becomes ``becomes``
    at ``concludes_at``. ``code`` is what the network answered. ``detail``: JSON of the network.
    """

    number: int = 0
    reference: str
    kind: str
    direction: str
    account: str
    counterpart: str = ""
    amount_minor: int
    fee_minor: int = 0
    state: str
    code: str
    network_reference: str = ""
    given_back_minor: int = 0
    made_at: str
    ended_at: str = ""
    given_back_at: str = ""
    concludes_at: str = ""
    becomes: str = ""
    detail: str = "{}"


class Totals(msgspec.Struct, frozen=True):
    """What was paid each way, and what of it was given back, since the books began."""

    in_count: int
    in_minor: int
    out_count: int
    out_minor: int
    in_back_minor: int
    out_back_minor: int


class PassbookProof(msgspec.Struct, frozen=True):
    """Whether every balance follows from the rows; those that do not, by account number."""

    holds: bool
    totals: Totals
    wrong: list[str]


class Passbook:
    """The file and the rows in it. Writes belong inside ``transaction``."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SQL["schema"])

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing, and on disk when the block ends."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def open_account(
        self,
        number: str,
        name: str,
        *,
        state: str = "open",
        opening_minor: int = 0,
        detail: str = "{}",
    ) -> None:
        """Make sure the account is there; a repeat changes its state only."""
        self._run(
            "open_account",
            {
                "number": number,
                "name": name,
                "state": state,
                "opening_minor": opening_minor,
                "detail": detail,
            },
        )

    def account(self, number: str) -> AccountRow | None:
        """The account with this number."""
        return _first(AccountRow, self._run("account", {"number": number}))

    def accounts(self) -> list[AccountRow]:
        """Every account, by number."""
        return _all(AccountRow, self._run("accounts", {}))

    def admit(self, key: str, day: str) -> bool:
        """Note a key that may be used once a day; False when this day has seen it before."""
        self._run("forget", {"day": day})
        return self._run("remember", {"day": day, "key": key}).rowcount == 1

    def transfer(self, reference: str) -> TransferRow | None:
        """The transfer or tombstone under a reference."""
        return _first(TransferRow, self._run("transfer", {"reference": reference}))

    def transfers(
        self,
        *,
        reference: str = "",
        state: str = "",
        kind: str = "",
        account: str = "",
        limit: int = 100,
    ) -> list[TransferRow]:
        """The newest transfers that match; an empty filter matches all."""
        wanted = {"reference": reference, "state": state, "kind": kind, "account": account}
        return _all(TransferRow, self._run("transfers", {**wanted, "limit": limit}))

    def record(self, row: TransferRow) -> TransferRow:
        """Write a transfer down and, when it is paid, move the account's balance."""
        if row.state == "paid" and not row.ended_at:
            row = msgspec.structs.replace(row, ended_at=row.made_at)
        self._run("put_transfer", row)
        if row.state == "paid":
            self._move(row.account, row.direction, row.amount_minor)
        return self._known(row.reference)

    def conclude(self, reference: str, state: str, code: str, now: datetime) -> TransferRow:
        """End a pending transfer as paid, failed or cancelled."""
        row = self._known(reference)
        if row.state != "pending":
            return row
        values = {"reference": reference, "state": state, "code": code}
        self._run("conclude", {**values, "ended_at": instant_text(now)})
        if state == "paid":
            self._move(row.account, row.direction, row.amount_minor)
        return self._known(reference)

    def conclude_due(self, now: datetime, *, paid_code: str, failed_code: str) -> list[TransferRow]:
        """Turn every pending transfer whose time has come into what it becomes."""
        ended = []
        for row in _all(TransferRow, self._run("due", {"now": instant_text(now)})):
            code = paid_code if row.becomes == "paid" else failed_code
            ended.append(self.conclude(row.reference, row.becomes, code, now))
        return ended

    def give_back(self, reference: str, minor: int, now: datetime) -> TransferRow:
        """Undo part or all of a paid transfer."""
        row = self._known(reference)
        given = {"reference": reference, "minor": minor, "at": instant_text(now)}
        self._run("give_back", given)
        self._run("note_give_back", given)
        self._move(row.account, row.direction, -minor)
        return self._known(reference)

    def totals(self) -> Totals:
        """The sums, counted now."""
        return _all(Totals, self._run("totals", {}))[0]

    def prove(self) -> PassbookProof:
        """Count everything again. Reads every row: not for each request."""
        wrong = [str(row["number"]) for row in self._run("recount", {}).fetchall()]
        return PassbookProof(not wrong, self.totals(), wrong)

    def settlement_file(
        self, network: str, participant: str, day: date, cycle: int, cut_offs: tuple[str, ...]
    ) -> str:
        """The file of one cycle of a Jakarta day; cycle 0 is the whole day so far."""
        lines = self.settlement_lines(day, cycle, cut_offs)
        return file_of(network, participant, day, cycle, lines)

    def settlement_lines(
        self, day: date, cycle: int, cut_offs: tuple[str, ...]
    ) -> list[SettlementLine]:
        """What one cycle settles, in the order it was asked for.

        A transfer given back in the cycle it was paid in stands there as two lines.
        """
        all_day = cycles_of(day, cut_offs)
        begins, ends = all_day[0].starts_at, all_day[-1].ends_at
        if cycle:
            if cycle > len(all_day):
                raise ValueError(f"there are {len(all_day)} cycles a day")
            begins, ends = all_day[cycle - 1].starts_at, all_day[cycle - 1].ends_at
        window = {"begins": instant_text(begins), "ends": instant_text(ends)}
        paid = _all(TransferRow, self._run("paid_between", window))
        backs = _all(TransferRow, self._run("given_back_between", window))
        lines = [(row.number, _line(row, row.amount_minor, back=False)) for row in paid]
        lines += [(row.number, _line(row, row.given_back_minor, back=True)) for row in backs]
        return [line for _, line in sorted(lines, key=lambda one: one[0])]

    def _known(self, reference: str) -> TransferRow:
        row = self.transfer(reference)
        if row is None:
            raise KeyError(reference)
        return row

    def _move(self, account: str, direction: str, minor: int) -> None:
        signed = minor if direction == "in" else -minor
        self._run("move_balance", {"number": account, "minor": signed})

    def _run(self, name: str, values: dict[str, Any] | msgspec.Struct) -> sqlite3.Cursor:
        if isinstance(values, msgspec.Struct):
            values = msgspec.structs.asdict(values)
        return self._connection.execute(_SQL[name], values)


def pending_until(row: TransferRow, now: datetime, seconds: float, becomes: str) -> TransferRow:
    """The same row, in progress until then."""
    return msgspec.structs.replace(
        row,
        state="pending",
        concludes_at=instant_text(now + timedelta(seconds=seconds)),
        becomes=becomes,
    )


def instant_text(instant: datetime) -> str:
    """An instant as the books keep it: UTC, sortable as text."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def day_text(instant: datetime) -> str:
    """The Jakarta day of an instant."""
    return instant.astimezone(JAKARTA).date().isoformat()


def _line(row: TransferRow, minor: int, *, back: bool) -> SettlementLine:
    owed = (row.direction == "in") != back
    return SettlementLine(
        kind="REV" if back else ("PAY" if row.direction == "in" else "CRE"),
        side="O" if owed else "I",
        reference=row.reference,
        network_reference=row.network_reference,
        amount_minor=minor,
        fee_minor=0 if back else row.fee_minor,
        at=row.given_back_at if back else row.ended_at,
    )


def _all(kind: type[T], cursor: sqlite3.Cursor) -> list[T]:
    return [msgspec.convert(dict(row), kind, strict=False) for row in cursor.fetchall()]


def _first(kind: type[T], cursor: sqlite3.Cursor) -> T | None:
    rows = _all(kind, cursor)
    return rows[0] if rows else None
