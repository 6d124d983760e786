"""The other banks' customers and cards behind the switch, from the demo's one list."""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.demo.neighbours import NEIGHBOURS
from tangguh.sim.passbook import Passbook

NOTES_MINOR: Final = 100_000_000_000_00
"""What stands in the cash account of the foreign ATMs."""
FOREIGN_ATM: Final = "998-ATM"


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """An account at another bank. ``state``: open, blocked or closed."""

    bank: str
    account: str
    name: str
    state: str = "open"
    balance_minor: int = 5_000_000_00

    @property
    def number(self) -> str:
        """The account's number in the switch's books."""
        return number_of(self.bank, self.account)


class TestCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card with its clear PIN, which only an invented card may have."""

    __test__ = False

    pan: str
    pin: str
    expiry: str = "3012"
    bank: str = "998"
    account: str = ""

    @property
    def track_2(self) -> str:
        """PAN, expiry, service code 101 and discretionary zeros."""
        return f"{self.pan}={self.expiry}10100000"


def number_of(bank: str, account: str) -> str:
    """An account's number in the switch's books."""
    return f"{bank}-{account}"


CUSTOMERS: Final = tuple(
    Customer(bank=account.code, account=account.number, name=one.name, state=one.state)
    for one in NEIGHBOURS
    for account in one.accounts
)
CARDS: Final = tuple(
    TestCard(pan=one.card.pan, pin=one.card.pin, account=one.accounts[-1].number)
    for one in NEIGHBOURS
    if one.card is not None
)


class Directory:
    """Who can be paid and whose card can be used."""

    def __init__(
        self,
        customers: tuple[Customer, ...] = CUSTOMERS,
        cards: tuple[TestCard, ...] = CARDS,
    ) -> None:
        self.customers = {customer.number: customer for customer in customers}
        self.cards = {card.pan: card for card in cards}

    def enrol(self, books: Passbook) -> None:
        """Make sure that everybody has an account in the books."""
        with books.transaction():
            for customer in self.customers.values():
                books.open_account(
                    customer.number,
                    customer.name,
                    state=customer.state,
                    opening_minor=customer.balance_minor,
                )
            books.open_account(FOREIGN_ATM, "ATM BANK UJI ANTAR", opening_minor=NOTES_MINOR)
