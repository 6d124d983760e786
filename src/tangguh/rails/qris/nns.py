"""National Numbering System: the eight digits that begin a PAN and name its issuer or acquirer.

Source: the table in astrapay/spring-qris (GitHub). A bank's last four digits are its three-digit
Bank Indonesia clearing code with a leading zero. New members appear; an unknown number is a
warning, never a reason to refuse.
"""

from __future__ import annotations

from typing import Final

NNS_LENGTH: Final = 8
DOMESTIC_PREFIX: Final = "9360"

MEMBERS: Final[dict[str, str]] = {
    "93600002": "BRI",
    "93600008": "Mandiri",
    "93600009": "BNI",
    "93600011": "Danamon",
    "93600013": "Permata",
    "93600014": "BCA",
    "93600016": "Maybank",
    "93600022": "CIMB",
    "93600110": "BJB",
    "93600111": "Bank DKI",
    "93600200": "BTN",
    "93600451": "BSI",
    "93600503": "Nobu",
    "93600535": "SeaBank",
    "93600542": "Jago",
    "93600777": "Finpay",
    "93600816": "SPIN",
    "93600822": "AstraPay",
    "93600848": "Xendit",
    "93600899": "DOKU",
    "93600911": "LinkAja",
    "93600912": "OVO",
    "93600914": "GoPay",
    "93600915": "DANA",
    "93600918": "ShopeePay",
    "93600920": "iSaku",
}


def nns_of(pan: str) -> str:
    """The first eight digits of a PAN, or nothing if it does not begin with eight digits."""
    head = pan[:NNS_LENGTH]
    return head if len(head) == NNS_LENGTH and head.isascii() and head.isdigit() else ""


def name_of(nns: str) -> str:
    """Who has this number; empty when it is not in the table."""
    return MEMBERS.get(nns, "")


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the Luhn check digit of the others."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (index % 2 + 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
