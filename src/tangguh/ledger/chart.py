"""The chart of accounts: the kinds, on which side they grow, the bank's own numbers.

Every entry is signed: plus is a credit, minus a debit, and the entries of a posting add up to
zero. A customer's money is the bank's debt, so it is positive; what networks owe us is negative.
Account ids are the numbers customers see (11 digits); the bank's own are below one million.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

OWN_ACCOUNT_MAX: Final = 999_999
CUSTOMER_ACCOUNT_MIN: Final = 10_000_000_000


class Kind(StrEnum):
    """What an account is for. The value is stored."""

    CUSTOMER = "customer"
    MERCHANT = "merchant"
    SUSPENSE = "suspense"
    SETTLEMENT = "settlement"
    FEES = "fees"
    EMONEY_FLOAT = "emoney_float"
    VAULT = "vault"
    EQUITY = "equity"


GROWS_BY_DEBIT: Final = frozenset({Kind.VAULT, Kind.SETTLEMENT})
"""Assets: a debit makes them larger. Their balances are shown with the sign turned."""

VAULT: Final = 101_001
SETTLEMENT_QRIS: Final = 102_001
SETTLEMENT_BIFAST: Final = 102_002
SETTLEMENT_CARDS: Final = 102_003
EMONEY_FLOAT: Final = 203_001
SUSPENSE: Final = 209_001
EQUITY: Final = 301_001
FEES: Final = 401_001

OWN_ACCOUNTS: Final[dict[int, Kind]] = {
    VAULT: Kind.VAULT,
    SETTLEMENT_QRIS: Kind.SETTLEMENT,
    SETTLEMENT_BIFAST: Kind.SETTLEMENT,
    SETTLEMENT_CARDS: Kind.SETTLEMENT,
    EMONEY_FLOAT: Kind.EMONEY_FLOAT,
    SUSPENSE: Kind.SUSPENSE,
    EQUITY: Kind.EQUITY,
    FEES: Kind.FEES,
}
"""The accounts every book is opened with. None of them has a floor but the customers' float."""

SETTLEMENT_OF_RAIL: Final[dict[str, int]] = {"qris": SETTLEMENT_QRIS}


def floor_of(kind: Kind) -> int | None:
    """The lowest balance a new account of this kind may have, in minor units; None is no floor."""
    has_floor = kind in {Kind.CUSTOMER, Kind.MERCHANT, Kind.EMONEY_FLOAT}
    return 0 if has_floor else None
