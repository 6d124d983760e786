"""Settlement's rows in PostgreSQL: our records of a time, files, matches and breaks.

The book is written by its writer only; these rows are made from what it and the files say, and can
be made again from them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Final
from uuid import UUID

import msgspec

from tangguh.db.pool import Connection, Pool, Record
from tangguh.db.queries import Queries
from tangguh.settlement import match
from tangguh.settlement.breaks import Break
from tangguh.settlement.file import Expected, Totals, window_of
from tangguh.settlement.formats import Network
from tangguh.settlement.match import Records

SETTLEMENT: Final = Queries("tangguh.settlement", "settlement.sql")
LOOK_BACK: Final = timedelta(hours=36)
"""How long before a cycle a payment may have been accepted to be loaded with it."""
CLOCKS_APART: Final = timedelta(seconds=60)
"""How far a network's clock may be from ours: what we concluded this shortly before a cut-off may
stand in the next file."""
_AFTER: Final = timedelta(minutes=15)
_REFERENCES_AT_ONCE: Final = 2_000
_MATCHES_AT_ONCE: Final = 5_000
_ROWS_AHEAD: Final = 500
_TIME_BITS: Final = 80
_STATES: Final = {
    "parked": match.OPEN,
    "held": match.OPEN,
    "unanswered": match.OPEN,
    "posted": match.POSTED,
    "refunded": match.POSTED,
    "voided": match.ENDED,
    "refused": match.ENDED,
}


class Filed(msgspec.Struct, frozen=True, kw_only=True):
    """A cycle's file as it was kept. ``state``: received, or posted when the cycle is done."""

    revision: int
    sha256: str
    lines: int
    owed_minor: int
    due_minor: int
    fee_minor: int
    received_at: datetime
    state: str
    matched: int
    breaks: int
    posting_id: UUID | None


class Reading:
    """Fills ``Records`` from the payments of one network around one cycle."""

    def __init__(self, pool: Pool, book_id: int, expected: Expected) -> None:
        self._pool = pool
        self._book_id = book_id
        self._expected = expected
        self._network = expected.network
        self.begins, self.ends = window_of(expected)
        self.records = Records()

    async def load(self) -> Records:
        """The records of the cycle and of some time before it."""
        first = id_at(self.begins - LOOK_BACK)
        last = id_at(self.ends + _AFTER)
        async with self._pool.transaction() as connection:
            async for row in self._window(connection, first, last):
                self._add(row)
        return self.records

    async def add_named(self, keys: Sequence[bytes]) -> None:
        """The records some lines name that were not among those: payments of long ago."""
        for begin in range(0, len(keys), _REFERENCES_AT_ONCE):
            names = [key[1:].decode() for key in keys[begin : begin + _REFERENCES_AT_ONCE]]
            ids = [found for name in names if (found := _as_id(name)) is not None]
            wires = [*names, *(f"in:{name}" for name in names)]
            rows = await self._pool.fetch(
                SETTLEMENT["records_of_references"],
                self._book_id,
                ids,
                list(self._network.rails),
                wires,
                list(self._network.accounts),
                self._expected.day,
                self._expected.cycle,
            )
            for row in rows:
                self._add(row)

    def _window(self, connection: Connection, first: UUID, last: UUID) -> AsyncIterator[Record]:
        rows: AsyncIterator[Record] = connection.cursor(
            SETTLEMENT["records_of_window"],
            self._book_id,
            first,
            last,
            list(self._network.accounts),
            self._expected.day,
            self._expected.cycle,
            prefetch=_ROWS_AHEAD,
        )
        return rows

    def _add(self, row: Record) -> None:
        accounts = self._network.accounts
        owed, due = row["creditor"] in accounts, row["debtor"] in accounts
        if owed == due:
            return
        minor = row["payee_minor"]
        key = reference_of(self._network, row["payment_id"], row, "")
        group = ""
        if row["original_id"] is not None:
            letter = "O" if row["original_creditor"] in accounts else "I"
            group = letter + reference_of(self._network, row["original_id"], row, "original_")
        at = row["concluded_at"]
        is_due = at is not None and self.begins - CLOCKS_APART <= at < self.ends - CLOCKS_APART
        self.records.add(
            (("O" if owed else "I") + key).encode("ascii", "replace"),
            row["payment_id"].bytes,
            minor if owed else -(minor + row["fee_minor"]),
            _STATES[row["state"]],
            row["creditor"] if owed else row["debtor"],
            due=is_due,
            before_minor=row["before_minor"],
            group=group.encode("ascii", "replace"),
        )


def reference_of(network: Network, payment_id: UUID, row: Record, prefix: str) -> str:
    """What the network calls a payment: its wire reference, its idempotency key, or its id."""
    name: str = row[f"{prefix}wire" if prefix else "wire_reference"]
    if name:
        name = name.removeprefix("in:")
    elif row[f"{prefix}service"] in network.named_by_key:
        name = row[f"{prefix}key" if prefix else "order_key"].partition(":")[2]
    else:
        return payment_id.hex
    if network.trace_in_parts and "-" in name:
        return name.partition("-")[2].replace("-", "")
    return name


async def file_in_force(pool: Pool, book_id: int, expected: Expected) -> Filed | None:
    """The file that counts for a cycle, or None."""
    row = await pool.fetchrow(SETTLEMENT["file_in_force"], *_cycle(book_id, expected))
    return msgspec.convert(dict(row), Filed) if row is not None else None


async def revisions(pool: Pool, book_id: int, expected: Expected) -> list[tuple[int, UUID | None]]:
    """Every file a cycle has had: its number, and the posting of its position."""
    rows = await pool.fetch(SETTLEMENT["revisions"], *_cycle(book_id, expected))
    return [(row["revision"], row["posting_id"]) for row in rows]


@asynccontextmanager
async def one_at_a_time(pool: Pool, book_id: int, expected: Expected) -> AsyncIterator[bool]:
    """Whether this run has the cycle to itself; another has it, here or in another process, if not.

    PostgreSQL keeps the lock on one connection, so a run that dies lets go of it.
    """
    named = f"{book_id}:{expected.network.name}:{expected.day.isoformat()}:{expected.cycle}"
    number = int.from_bytes(sha256(named.encode()).digest()[:8], "big", signed=True)
    async with pool.connection() as connection:
        row = await connection.fetchrow(SETTLEMENT["take_cycle"], number)
        taken = bool(row["taken"]) if row is not None else False
        try:
            yield taken
        finally:
            if taken:
                await connection.fetchrow(SETTLEMENT["leave_cycle"], number)


async def keep_file(
    pool: Pool, book_id: int, expected: Expected, revision: int, totals: Totals, now: datetime
) -> None:
    """Let this file count for its cycle, in place of any before it."""
    async with pool.transaction() as connection:
        await connection.execute(SETTLEMENT["supersede_file"], *_cycle(book_id, expected))
        await connection.execute(
            SETTLEMENT["add_file"],
            *_cycle(book_id, expected),
            revision,
            totals.sha256,
            totals.lines,
            totals.owed_minor,
            totals.due_minor,
            totals.fee_minor,
            now,
        )


async def keep_matches(
    pool: Pool, book_id: int, expected: Expected, settled: Iterable[tuple[UUID, int]]
) -> None:
    """Write what the file listed of each payment, in place of what stood for the cycle before."""
    day, cycle, name = expected.day, expected.cycle, expected.network.name
    rows = ((book_id, payment_id, day, cycle, name, net) for payment_id, net in settled)
    async with pool.transaction() as connection:
        await connection.execute(SETTLEMENT["forget_matches"], *_cycle(book_id, expected))
        while part := list(islice(rows, _MATCHES_AT_ONCE)):
            await connection.copy_records_to_table(
                "settlement_matches",
                records=part,
                columns=("book_id", "payment_id", "day", "cycle", "network", "net_minor"),
            )


async def finish_file(
    pool: Pool,
    book_id: int,
    expected: Expected,
    revision: int,
    *,
    matched: int,
    breaks: int,
    posting_id: UUID | None,
) -> None:
    """The cycle is done."""
    await pool.fetch(
        SETTLEMENT["post_file"],
        *_cycle(book_id, expected),
        revision,
        matched,
        breaks,
        posting_id,
    )


async def is_whole_day_done(pool: Pool, book_id: int, network: Network, day: date) -> bool:
    """Whether every cycle of a day has been run."""
    rows = await pool.fetch(SETTLEMENT["cycles_posted"], book_id, network.name, day)
    return len(rows) == len(network.cut_offs)


async def open_before(
    pool: Pool, book_id: int, network: Network, instant: datetime
) -> list[tuple[UUID, datetime]]:
    """The network's open payments accepted before an instant that no file has ever listed."""
    accounts = list(network.accounts)
    rows = await pool.fetch(SETTLEMENT["open_before"], book_id, instant, accounts)
    ids = [row["payment_id"] for row in rows]
    listed = await pool.fetch(SETTLEMENT["listed_at_all"], book_id, ids)
    known = {row["payment_id"] for row in listed}
    return [
        (row["payment_id"], row["accepted_at"]) for row in rows if row["payment_id"] not in known
    ]


async def add_breaks(pool: Pool, book_id: int, breaks: Sequence[Break]) -> None:
    """Keep breaks of one cycle; those that are there already stay as they are."""
    if not breaks:
        return
    one = breaks[0]
    await pool.fetch(
        SETTLEMENT["add_breaks"],
        book_id,
        one.network,
        one.day,
        one.cycle,
        one.found_at,
        one.owner,
        [each.break_id for each in breaks],
        [each.kind for each in breaks],
        [each.reference for each in breaks],
        [each.payment_id for each in breaks],
        [each.account_id for each in breaks],
        [each.ours_minor for each in breaks],
        [each.theirs_minor for each in breaks],
        [each.proposal for each in breaks],
    )


async def breaks_of_cycle(pool: Pool, book_id: int, expected: Expected) -> list[Break]:
    """Every break a cycle has had."""
    return _breaks(await pool.fetch(SETTLEMENT["breaks_of_cycle"], *_cycle(book_id, expected)))


async def breaks_listed_since(pool: Pool, book_id: int, network: Network) -> list[UUID]:
    """Open breaks of payments a file did not list, which another file lists."""
    rows = await pool.fetch(SETTLEMENT["breaks_listed_since"], book_id, network.name)
    return [row["break_id"] for row in rows]


async def open_breaks(pool: Pool, book_id: int, count_max: int = 1_000) -> list[Break]:
    """What is open, the oldest first."""
    return _breaks(await pool.fetch(SETTLEMENT["open_breaks"], book_id, count_max))


async def find_break(pool: Pool, book_id: int, break_id: UUID) -> Break | None:
    """One break, or None."""
    found = _breaks(await pool.fetch(SETTLEMENT["find_break"], book_id, break_id))
    return found[0] if found else None


async def close_breaks(
    pool: Pool, book_id: int, break_ids: Sequence[UUID], reason: str, now: datetime
) -> None:
    """These are none any more."""
    await pool.fetch(SETTLEMENT["close_breaks"], book_id, list(break_ids), reason, now)


def id_at(instant: datetime) -> UUID:
    """The smallest id a payment accepted at this instant can have: ids begin with milliseconds."""
    return UUID(int=int(instant.timestamp() * 1000) << _TIME_BITS)


def _breaks(rows: list[Record]) -> list[Break]:
    return [
        msgspec.convert({name: row[name] for name in Break.__struct_fields__}, Break)
        for row in rows
    ]


def _cycle(book_id: int, expected: Expected) -> tuple[int, str, date, int]:
    return book_id, expected.network.name, expected.day, expected.cycle


def _as_id(name: str) -> UUID | None:
    try:
        return UUID(hex=name) if len(name) == 32 else None
    except ValueError:
        return None
