"""What stands between us and others, how old it is and whose it is.

Suspense is told entry by entry: each that is neither cleared nor reversed has an age and an owner.
Accounts with networks, and the nostro, are told by day: what is there now came last, so the newest
days that add up to it are what is outstanding (first in, first out).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from tangguh.core.clock import business_date
from tangguh.db.pool import Pool
from tangguh.ledger import chart
from tangguh.settlement.breaks import Break
from tangguh.settlement.formats import NETWORKS, OWNER_OF_THE_REST, owner_of_account
from tangguh.settlement.mend import clearing_id_of
from tangguh.settlement.store import SETTLEMENT, open_breaks


class Moved(NamedTuple):
    """What came to an account (``credit_minor``) and went from it on one day, both positive."""

    day: date
    credit_minor: int
    debit_minor: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is outstanding on an account since one day. Signed: positive is what we owe."""

    account_id: int
    owner: str
    since: date
    age_days: int
    amount_minor: int


class Suspended(msgspec.Struct, frozen=True, kw_only=True):
    """One entry in suspense that is not cleared. Positive is somebody's money."""

    posting_id: UUID
    owner: str
    since: datetime
    age_days: int
    amount_minor: int
    kind: str
    note: str


class Ageing(msgspec.Struct, frozen=True):
    """Everything that is open, at one instant."""

    at: datetime
    standing: list[Standing]
    suspended: list[Suspended]
    breaks: list[Break]


def outstanding(balance_minor: int, days: Sequence[Moved]) -> list[tuple[date, int]]:
    """Which days a balance is from, oldest first; ``days`` newest first. Nothing for zero.

    What does not come from these days is put on the oldest.
    """
    sign = 1 if balance_minor > 0 else -1
    left, found = abs(balance_minor), list[tuple[date, int]]()
    for moved in days:
        if left == 0:
            break
        share = min(left, moved.credit_minor if sign > 0 else moved.debit_minor)
        if share:
            found.append((moved.day, sign * share))
            left -= share
    if left and days:
        found.append((days[-1].day, sign * left))
    return found[::-1]


async def ageing(pool: Pool, book_id: int, now: datetime) -> Ageing:
    """What is open now. Reads PostgreSQL only, so it answers whether or not the bank runs."""
    return Ageing(
        now,
        await standing(pool, book_id, now),
        await suspended(pool, book_id, now),
        await open_breaks(pool, book_id),
    )


async def standing(pool: Pool, book_id: int, now: datetime) -> list[Standing]:
    """The accounts with networks and the nostro, each balance by the days it is from."""
    networks = {account for network in NETWORKS.values() for account in network.accounts}
    wanted = sorted({*networks, chart.NOSTRO})
    today, found = business_date(now), list[Standing]()
    for row in await pool.fetch(SETTLEMENT["balances"], book_id, wanted):
        account, balance = row["account_id"], row["posted_minor"]
        if balance == 0:
            continue
        rows = await pool.fetch(SETTLEMENT["days_of_account"], book_id, account)
        days = [Moved(one["day"], one["credit_minor"], one["debit_minor"]) for one in rows]
        found += [
            Standing(
                account_id=account,
                owner=owner_of_account(account),
                since=day,
                age_days=(today - day).days,
                amount_minor=minor,
            )
            for day, minor in outstanding(balance, days)
        ]
    return found


async def suspended(pool: Pool, book_id: int, now: datetime) -> list[Suspended]:
    """Every entry in suspense that nobody has cleared, the oldest first."""
    rows = await pool.fetch(SETTLEMENT["suspense_entries"], book_id, chart.SUSPENSE)
    ids = {row["posting_id"] for row in rows}
    open_rows = [
        row
        for row in rows
        if row["kind"] not in {"clearing", "reversal"}
        and row["reversed_by"] is None
        and clearing_id_of(row["posting_id"]) not in ids
    ]
    owners = await _owners(pool, book_id, [row["posting_id"] for row in open_rows])
    return [
        Suspended(
            posting_id=row["posting_id"],
            owner=owners.get(row["posting_id"], OWNER_OF_THE_REST),
            since=row["posted_at"],
            age_days=(now - row["posted_at"]).days,
            amount_minor=row["amount_minor"],
            kind=row["kind"],
            note=row["note"],
        )
        for row in open_rows
    ]


async def _owners(pool: Pool, book_id: int, posting_ids: list[UUID]) -> dict[UUID, str]:
    """Whose each is: the break's it repaired, or that of the network its payment came by."""
    owners: dict[UUID, str] = {}
    for row in await pool.fetch(SETTLEMENT["owners_of_payments"], book_id, posting_ids):
        ours = [side for side in (row["debtor"], row["creditor"]) if side <= chart.OWN_ACCOUNT_MAX]
        owners[row["payment_id"]] = owner_of_account(ours[0]) if ours else OWNER_OF_THE_REST
    for row in await pool.fetch(SETTLEMENT["breaks_of_postings"], book_id, posting_ids):
        owners[row["posting_id"]] = row["owner"]
    return owners
