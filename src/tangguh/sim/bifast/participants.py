"""The other banks behind the hub, their customers and proxies, from the demo's one list."""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.demo.neighbours import BANK_NAMES, NEIGHBOURS, Neighbour

AMOUNT_MINOR_MAX: Final = 250_000_000_00
"""Rp250.000.000 a transaction, BI-FAST's ceiling since its start."""


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """A customer of another bank: account, name, the account's state, proxies (type, value)."""

    bank: str
    account: str
    name: str
    state: str = "open"
    account_type: str = "SVGS"
    opening_minor: int = 1_000_000_000_00
    proxies: tuple[tuple[str, str], ...] = ()

    @property
    def number(self) -> str:
        """The key of the account in the hub's books: bank and account."""
        return key_of(self.bank, self.account)


def key_of(bank: str, account: str) -> str:
    """The key of an account in the hub's books."""
    return f"{bank}:{account}"


PARTICIPANTS: Final = BANK_NAMES
"""Banks that take part, by BIC: public codes. Their customers here are invented."""


def demo_customers() -> list[Customer]:
    """Everybody with an account elsewhere, as the hub knows them; some cannot be paid."""
    return [
        Customer(
            bank=account.bic,
            account=account.number,
            name=one.name,
            state=one.state,
            proxies=_proxies(one) if account is one.accounts[0] and one.state == "open" else (),
        )
        for one in NEIGHBOURS
        for account in one.accounts
    ]


def _proxies(one: Neighbour) -> tuple[tuple[str, str], ...]:
    """The mobile number (01) and the e-mail address (02) that stand for the first account."""
    named = (("01", one.phone), ("02", one.email))
    return tuple((kind, value) for kind, value in named if value)
