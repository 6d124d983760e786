"""Merchants at their cut-off: what waits for each is paid to its account, once per cycle."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from tangguh.core.outcome import Refused
from tangguh.customers import merchants
from tangguh.ledger import statement
from tangguh.settlement.cycle import BackOffice
from tangguh.settlement.file import Expected, window_of
from tangguh.settlement.formats import NETWORKS
from tangguh.settlement.position import PayOut
from tangguh.settlement.store import SETTLEMENT


class PaidOut(msgspec.Struct, frozen=True, kw_only=True):
    """One merchant's payout; ``refused`` says why it could not be paid."""

    merchant_id: str
    account_id: int
    amount_minor: int
    posting_id: UUID | None = None
    refused: Refused | None = None


async def pay_out(office: BackOffice, day: date, cycle: int) -> list[PaidOut]:
    """Pay every merchant what waited when this cycle of the QRIS network ended.

    A repeat posts nothing: each payout's id is of its merchant, day and cycle. What came after the
    cut-off waits for the next one, and what was given back since of what came before is not paid.
    ValueError when there is no such cycle or it has not ended.
    """
    network = NETWORKS["qris"]
    _, ends = window_of(Expected(network=network, day=day, cycle=cycle))
    if office.clock.now() < ends:
        raise ValueError(f"the cycle ends at {ends.isoformat()}")
    before = ends - timedelta(microseconds=1)
    paid: list[PaidOut] = []
    for one in await merchants.waiting(office.pool, office.book_id):
        there = await statement.balance_at(office.pool, office.book_id, one.waiting_id, before)
        there -= await _given_back_since(office, one.waiting_id, ends)
        posted = await office.desk.decide(
            PayOut(
                merchant_id=one.merchant_id,
                waiting_id=one.waiting_id,
                account_id=one.account_id,
                day=day,
                cycle=cycle,
                until=ends,
                most_minor=there,
            )
        )
        if isinstance(posted, Refused):
            refused = PaidOut(
                merchant_id=one.merchant_id,
                account_id=one.account_id,
                amount_minor=there,
                refused=posted,
            )
            paid.append(refused)
        elif posted is not None:
            paid.append(
                PaidOut(
                    merchant_id=one.merchant_id,
                    account_id=one.account_id,
                    amount_minor=max(amount for _, amount in posted.entries),
                    posting_id=posted.id,
                )
            )
    return paid


async def _given_back_since(office: BackOffice, waiting_id: int, ends: datetime) -> int:
    """What of the sales before a cut-off was given back or paid out after it, in minor units.

    It was taken from what waits, where new sales are by now: they are not paid out in its place.
    Cycles may be paid late, and in any order.
    """
    sql = SETTLEMENT["given_back_since"]
    row = await office.pool.fetchrow(sql, office.book_id, waiting_id, ends)
    return int(row["given_back_minor"]) if row is not None else 0
