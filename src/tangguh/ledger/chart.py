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
    NOSTRO = "nostro"
    PARTNER = "partner"
    PAYABLE = "payable"
    PURSE = "purse"
    MEMO = "memo"
    RECEIVABLE = "receivable"
    EXPENSE = "expense"


GROWS_BY_DEBIT: Final = frozenset(
    {
        Kind.VAULT,
        Kind.SETTLEMENT,
        Kind.NOSTRO,
        Kind.PARTNER,
        Kind.MEMO,
        Kind.RECEIVABLE,
        Kind.EXPENSE,
    }
)
"""Assets and costs: a debit makes them larger. Their balances are shown with the sign turned."""

VAULT: Final = 101_001
ATM_VAULT_MIN: Final = 101_100
"""Our ATMs' cassettes: this number plus the terminal's, each its own account."""
ATMS_MAX: Final = 8
ATM_VAULTS: Final = range(ATM_VAULT_MIN + 1, ATM_VAULT_MIN + ATMS_MAX + 1)
SETTLEMENT_QRIS: Final = 102_001
SETTLEMENT_BIFAST: Final = 102_002
SETTLEMENT_CARDS: Final = 102_003
PARTNER_OF_WALLET: Final[dict[str, int]] = {
    "gopay": 103_001,
    "ovo": 103_002,
    "dana": 103_003,
    "isaku": 103_004,
}
"""Our deposit with each wallet: a top-up takes from it, and it cannot take more than is there."""
SETTLEMENT_OF_BILLER: Final[dict[str, int]] = {
    "electricity": 102_021,
    "prepaid": 102_022,
    "water": 102_023,
    "tax": 102_024,
    "school": 102_025,
    "va": 102_026,
}
PREFUNDED_BIFAST: Final = 102_012
"""What the treasury has put on the BI-FAST settlement account, beside the day's net on 102002."""
NOSTRO: Final = 104_001
"""Our account at the settlement bank: where positions are paid from and into."""
PROBES: Final = 105_001
"""The bank's own money for payments to itself, by which a rail is rehearsed before customers."""
RESERVE: Final = 104_002
"""What settlement accounts are funded from and swept to: out of every rail's reach (ring 2)."""
ADVANCES: Final = 106_001
"""What the bank has advanced to payers while nobody knew what became of their payments."""
MERCHANTS_PAYABLE: Final = 202_001
"""What merchants get at their cut-off, by contract, rather than at once."""
EMONEY_FLOAT: Final = 203_001
SUSPENSE: Final = 209_001
EQUITY: Final = 301_001
FEES: Final = 401_001
MERCHANT_FEES: Final = 401_002
"""The merchant discount (MDR) our own merchants pay."""
COMPENSATIONS: Final = 501_001
"""What the bank pays for being late."""
LOSSES: Final = 501_002
"""Advances nobody could pay back."""

PURSE_MIN: Final = 31_000_000_000
PURSE_MAX: Final = 34_999_999_999
"""E-money purses. The second digit is the product's: 31 server, 32 tourist pass, 33 card (what its
chip holds), 34 card (what waits for a tap). They are memoranda beside the float: see ADR-0013."""
_PRODUCT_DIGIT: Final[dict[int, str]] = {1: "server", 2: "touristpass", 3: "card", 4: "card"}
FLOAT_OF_PRODUCT: Final[dict[str, int]] = {
    "server": EMONEY_FLOAT,
    "touristpass": 203_002,
    "card": 203_003,
}
MEMO_OF_PRODUCT: Final[dict[str, int]] = {
    "server": 903_001,
    "touristpass": 903_002,
    "card": 903_003,
}

OWN_ACCOUNTS: Final[dict[int, Kind]] = {
    VAULT: Kind.VAULT,
    **{ATM_VAULT_MIN + number: Kind.VAULT for number in range(1, ATMS_MAX + 1)},
    SETTLEMENT_QRIS: Kind.SETTLEMENT,
    SETTLEMENT_BIFAST: Kind.SETTLEMENT,
    SETTLEMENT_CARDS: Kind.SETTLEMENT,
    **dict.fromkeys(SETTLEMENT_OF_BILLER.values(), Kind.SETTLEMENT),
    **dict.fromkeys(PARTNER_OF_WALLET.values(), Kind.PARTNER),
    PREFUNDED_BIFAST: Kind.SETTLEMENT,
    NOSTRO: Kind.NOSTRO,
    PROBES: Kind.NOSTRO,
    RESERVE: Kind.NOSTRO,
    ADVANCES: Kind.RECEIVABLE,
    MERCHANTS_PAYABLE: Kind.PAYABLE,
    **dict.fromkeys(FLOAT_OF_PRODUCT.values(), Kind.EMONEY_FLOAT),
    **dict.fromkeys(MEMO_OF_PRODUCT.values(), Kind.MEMO),
    SUSPENSE: Kind.SUSPENSE,
    EQUITY: Kind.EQUITY,
    FEES: Kind.FEES,
    MERCHANT_FEES: Kind.FEES,
    COMPENSATIONS: Kind.EXPENSE,
    LOSSES: Kind.EXPENSE,
}
"""The accounts every book is opened with. Floats and payables are others' money: floor zero."""

SETTLEMENT_OF_RAIL: Final[dict[str, int]] = {
    "qris": SETTLEMENT_QRIS,
    "bifast": SETTLEMENT_BIFAST,
    "iso8583": SETTLEMENT_CARDS,
}


def is_cassette(account_id: int) -> bool:
    """Whether an account is the notes in one of our machines."""
    return ATM_VAULT_MIN < account_id <= ATM_VAULT_MIN + ATMS_MAX


def product_of(account_id: int) -> str:
    """The e-money product a purse belongs to; empty for any other account."""
    if not PURSE_MIN <= account_id <= PURSE_MAX:
        return ""
    return _PRODUCT_DIGIT[account_id // 1_000_000_000 - 30]


def floor_of(kind: Kind) -> int | None:
    """The lowest balance a new account of this kind may have, in minor units; None is no floor."""
    has_floor = kind in {
        Kind.CUSTOMER,
        Kind.MERCHANT,
        Kind.EMONEY_FLOAT,
        Kind.PAYABLE,
        Kind.PURSE,
    }
    return 0 if has_floor else None
