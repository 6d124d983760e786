"""The account a payment is made from, and what may still be spent from it today."""

from __future__ import annotations

from datetime import date

import msgspec

from tangguh.core.clock import business_date
from tangguh.core.format import money, sums_meant
from tangguh.core.outcome import Refusal, Refused
from tangguh.customers import store as customers
from tangguh.customers.store import Held
from tangguh.payments import store as payments
from tangguh.web.door import Door
from tangguh.web.pages.frame import Visit
from tangguh.web.problems import trouble
from tangguh.web.words import Words


class Purse(msgspec.Struct, frozen=True):
    """The account to debit for one service, what its limits leave, and the fee, in minor units.

    The limits are the service's and its channel's, whichever leaves less. ``left_this_month_minor``
    None: there is no limit by the month.
    """

    account: Held
    accounts: list[Held]
    most_minor: int
    left_today_minor: int
    left_this_month_minor: int | None
    fee_minor: int

    @property
    def spendable_minor(self) -> int:
        """The most one payment may be now: balance and limits together."""
        most = min(
            self.most_minor,
            self.left_today_minor,
            self.account.available_minor - self.fee_minor,
        )
        if self.left_this_month_minor is not None:
            most = min(most, self.left_this_month_minor)
        return max(most, 0)


async def open_purse(visit: Visit, service: str, account_text: str = "") -> Purse:
    """The customer's account of this number, or the first. Raises Trouble when there is none."""
    door = visit.door
    accounts = await customers.accounts_of(door.pool, door.book_id, visit.me.customer_id)
    chosen = [one for one in accounts if account_text in ("", str(one.account_id))]
    if not chosen:
        raise trouble("account_not_found", "", "account")
    account = chosen[0]
    rules, today = door.desk.rules, business_date(door.clock.now())
    most, day, month = [], [], []
    for name, limit in rules.covering(service, account.tier):
        used = await _used(door, account.account_id, name, today)
        most.append(limit.transaction_max_minor)
        day.append(limit.day_max_minor - used)
        if limit.month_max_minor is not None:
            used = await _used(door, account.account_id, f"{name}:month", today.replace(day=1))
            month.append(limit.month_max_minor - used)
    return Purse(
        account=account,
        accounts=accounts,
        most_minor=min(most, default=0),
        left_today_minor=max(min(day, default=0), 0),
        left_this_month_minor=max(min(month), 0) if month else None,
        fee_minor=rules.fee_of(service, account.tier),
    )


async def _used(door: Door, account_id: int, limit: str, day: date) -> int:
    return await payments.used_today(door.pool, door.book_id, account_id, limit, day)


def ask_amount(words: Words, typed: str) -> str:
    """What to say of an amount that is not one sum: which two it may mean, or how to write it."""
    meant = sums_meant(typed)
    if len(meant) < 2:
        return words("amount.order_invalid")
    return words("amount.unclear", less=money(meant[0]), more=money(meant[-1]))


def explain(words: Words, refused: Refused, purse: Purse, typed: str = "") -> str:
    """A refusal beside the amount: what does not fit, and how much would. ``typed``: what was
    typed there.
    """
    if refused.code is Refusal.ORDER_INVALID and typed:
        return ask_amount(words, typed)
    key = f"amount.{refused.code}"
    if not words.has(key):
        key = "amount.order_invalid"
    return words(
        key,
        available=money(purse.account.available_minor),
        left=money(purse.left_today_minor),
        left_this_month=money(purse.left_this_month_minor or 0),
        most=money(purse.most_minor),
        spendable=money(purse.spendable_minor),
    )
