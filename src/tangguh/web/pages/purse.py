"""The account a payment is made from, and what may still be spent from it today."""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.core.clock import business_date
from tangguh.core.format import money, sums_meant
from tangguh.core.outcome import Refusal, Refused
from tangguh.customers import store as customers
from tangguh.customers.store import Held
from tangguh.payments import store as payments
from tangguh.payments.rules import Limit, refuse_limit
from tangguh.web.pages.frame import Visit
from tangguh.web.problems import trouble
from tangguh.web.words import Words

NOTHING: Final = Limit(0, 0)
"""The limit of a service for which none is set."""


class Purse(msgspec.Struct, frozen=True):
    """The account to debit for one service, its limit and the bank's fee, in minor units."""

    account: Held
    accounts: list[Held]
    limit: Limit
    used_today_minor: int
    fee_minor: int

    @property
    def left_today_minor(self) -> int:
        """What is left of today's limit."""
        return max(self.limit.day_max_minor - self.used_today_minor, 0)

    @property
    def spendable_minor(self) -> int:
        """The most one payment may be now: balance, day and payment limits together."""
        most = min(
            self.limit.transaction_max_minor,
            self.left_today_minor,
            self.account.available_minor - self.fee_minor,
        )
        return max(most, 0)

    def refuse(self, spend_minor: int) -> Refused | None:
        """What the book would refuse now. The book judges again, this only spares a PIN (E21)."""
        if refused := refuse_limit(self.limit, spend_minor, self.used_today_minor):
            return refused
        if spend_minor + self.fee_minor > self.account.available_minor:
            return Refused(Refusal.INSUFFICIENT_FUNDS, "amount", "more than is available")
        return None


async def open_purse(visit: Visit, service: str, account_text: str = "") -> Purse:
    """The customer's account of this number, or the first. Raises Trouble when there is none."""
    door = visit.door
    accounts = await customers.accounts_of(door.pool, door.book_id, visit.me.customer_id)
    chosen = [one for one in accounts if account_text in ("", str(one.account_id))]
    if not chosen:
        raise trouble("account_not_found", "", "account")
    account = chosen[0]
    today = business_date(door.clock.now())
    used = await payments.used_today(door.pool, door.book_id, account.account_id, service, today)
    rules = door.desk.rules
    limit = rules.limit_of(service, account.tier) or NOTHING
    fee_minor = rules.fee_of(service, account.tier)
    return Purse(account, accounts, limit, used, fee_minor)


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
        most=money(purse.limit.transaction_max_minor),
        spendable=money(purse.spendable_minor),
    )
