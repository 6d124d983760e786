"""The other banks behind the hub, their customers and proxies. All invented."""

from __future__ import annotations

from typing import Final

import msgspec

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


PARTICIPANTS: Final[dict[str, str]] = {
    "UJIAIDJ1": "Bank Uji Antar",
    "CENAIDJA": "BCA",
    "BMRIIDJA": "Mandiri",
    "BRINIDJA": "BRI",
    "BNINIDJA": "BNI",
}
"""Banks that take part, by BIC. Their customers here are invented."""


def demo_customers() -> list[Customer]:
    """People with accounts elsewhere; two of them cannot be paid."""
    return [
        Customer(
            bank="UJIAIDJ1",
            account="9980000001",
            name="SARI WULANDARI",
            proxies=(("01", "6281299980001"), ("02", "sari@uji.example")),
        ),
        Customer(bank="UJIAIDJ1", account="9980000002", name="BUDI HARTONO", state="blocked"),
        Customer(bank="UJIAIDJ1", account="9980000003", name="RATNA DEWI", state="closed"),
        Customer(
            bank="CENAIDJA",
            account="0149990001",
            name="AGUS SETIAWAN",
            proxies=(("01", "6281299980014"),),
        ),
        Customer(bank="BMRIIDJA", account="0089990000001", name="TOKO MAJU JAYA"),
        Customer(bank="BRINIDJA", account="002999000000001", name="DEWI LESTARI PUTRI"),
        Customer(bank="BNINIDJA", account="0099990001", name="KOPERASI MELATI"),
    ]
