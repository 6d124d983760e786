"""How much of a limit an account has used, per day and per month, kept in the book. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from tangguh.core.outcome import Refused
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.payments.payment import Payment
from tangguh.payments.plans import USAGE, Usage, UsageKey
from tangguh.payments.rules import Rules, part_of, refuse_limit


def usage_keys(book: Book, rules: Rules, account_id: int, service: str, day: date) -> list[Key]:
    """The rows a payment's limits are counted in, as far as the account's tier is known."""
    keys: list[Key] = []
    for name, limit in rules.covering(service, tier_of(book, account_id)):
        keys.append(("limit_usage", (account_id, name, day)))
        if limit.month_max_minor is not None:
            keys.append(("limit_usage", _month_key(account_id, name, day)))
    return keys


def refuse_usage(book: Book, rules: Rules, payment: Payment, percent: int = 100) -> Refused | None:
    """The first limit a payment would break: its service's, then its channel's.

    ``percent``: how much of each limit may be used now (a gate that is open in part).
    """
    account_id, day = payment.debtor, payment.business_date
    for name, limit in rules.covering(payment.service, tier_of(book, account_id)):
        today = _used(book, (account_id, name, day))
        month = 0
        if limit.month_max_minor is not None:
            month = _used(book, _month_key(account_id, name, day))
        if percent < 100:
            limit = part_of(limit, percent)
        if refused := refuse_limit(limit, payment.to_payee_minor, today, month):
            return refused
    return None


def use_limit(book: Book, rules: Rules, payment: Payment, change_minor: int) -> None:
    """Add to what is used of every limit the payment counts against, or give back."""
    account_id, day = payment.debtor, payment.business_date
    for name, limit in rules.covering(payment.service, tier_of(book, account_id)):
        _add(book, (account_id, name, day), change_minor)
        if limit.month_max_minor is not None:
            _add(book, _month_key(account_id, name, day), change_minor)


def undone_keys(book: Book, rules: Rules, original: Payment) -> Iterator[Key]:
    """The rows ``forget_use`` changes."""
    if original.kind == "payment":
        yield "accounts", original.debtor
        day = original.business_date
        yield from usage_keys(book, rules, original.debtor, original.service, day)


def forget_use(book: Book, rules: Rules, original: Payment, back_minor: int) -> None:
    """So much of a payment never took place: it never counted, on the day it was counted on."""
    if original.kind == "payment":
        use_limit(book, rules, original, -back_minor)


def tier_of(book: Book, account_id: int) -> str:
    """The class an account's limits are read by; empty while it is not loaded."""
    account = book.accounts.rows.get(account_id)
    return account.tier if account is not None else ""


def _add(book: Book, key: UsageKey, change_minor: int) -> None:
    book.shelf(USAGE).put(key, Usage(*key, max(_used(book, key) + change_minor, 0)))


def _used(book: Book, key: UsageKey) -> int:
    used = book.shelf(USAGE).get(key)
    return used.used_minor if used is not None else 0


def _month_key(account_id: int, name: str, day: date) -> UsageKey:
    return account_id, f"{name}:month", day.replace(day=1)
