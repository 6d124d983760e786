"""What happened: an account's entries with running balance, and every payment however it ended."""

from __future__ import annotations

from itertools import groupby
from typing import Final
from uuid import UUID

import msgspec
from starlette.responses import Response

from tangguh.core import numbers
from tangguh.core.format import heading_day
from tangguh.customers import store as customers
from tangguh.ledger import statement
from tangguh.payments import store as payments
from tangguh.web.pages.frame import Page, Visit
from tangguh.web.pages.rows import Row, entry_rows, payment_rows
from tangguh.web.problems import trouble

_PAGE_ROWS: Final = 20


class Day(msgspec.Struct, frozen=True):
    """The rows of one Jakarta day."""

    name: str
    rows: list[Row]


async def show_entries(visit: Visit) -> Response:
    """Entries of one account, newest first. Every change of the balance has its line (E12)."""
    door, me = visit.door, visit.me
    accounts = await customers.accounts_of(door.pool, door.book_id, me.customer_id)
    chosen = _whole(visit.asked("account") or "1", "account", len(accounts))
    before = _whole(visit.asked("before") or str(statement.NEWEST), "before", statement.NEWEST)
    account = accounts[chosen - 1]
    lines = await statement.history(door.pool, door.book_id, account.account_id, before, _PAGE_ROWS)
    more = lines[-1].seq if len(lines) == _PAGE_ROWS and lines[-1].seq > 1 else None
    return visit.page(
        "history.html",
        accounts=accounts,
        account=account,
        chosen=chosen,
        days=_by_day(visit, await entry_rows(visit, lines)),
        more=f"/history?account={chosen}&before={more}" if more else "",
        is_first=not visit.asked("before"),
    )


async def show_payments(visit: Visit) -> Response:
    """Payments the customer made, open and refused ones too (E11)."""
    door, me = visit.door, visit.me
    before = _cursor(visit.asked("before"))
    found = await payments.of_customer(door.pool, door.book_id, me.customer_id, before, _PAGE_ROWS)
    more = found[-1].id if len(found) == _PAGE_ROWS else None
    return visit.page(
        "payments.html",
        days=_by_day(visit, await payment_rows(visit, found)),
        more=f"/payments?before={more}" if more else "",
        is_first=not visit.asked("before"),
    )


def _by_day(visit: Visit, rows: list[Row]) -> list[Day]:
    now = visit.door.clock.now()
    named = groupby(rows, key=lambda row: heading_day(row.at, now, visit.language))
    return [Day(name, list(group)) for name, group in named]


def _whole(text: str, name: str, most: int) -> int:
    found = numbers.whole(text, most, 1)
    if found is None:
        raise trouble("parameter_invalid", "", name)
    return found


def _cursor(text: str) -> UUID:
    if not text:
        return payments.NEWEST
    try:
        return UUID(text)
    except ValueError as fault:
        raise trouble("parameter_invalid", "", "before") from fault


PAGES: Final = (
    Page(path="/history", get=show_entries),
    Page(path="/payments", get=show_payments),
)
