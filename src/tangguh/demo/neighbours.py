"""People and firms who have their accounts elsewhere, each with everything one can reach them by.

One person is one entry: the accounts at other banks that BI-FAST and the card switch both know, the
mobile number that is their BI-FAST alias and their number at every wallet, the card they carry.
Clearing codes and BICs of banks are public lists; 998 and its bank are invented.
"""

from __future__ import annotations

from typing import Final

import msgspec

WALLETS: Final = ("gopay", "ovo", "dana", "isaku")


class Elsewhere(msgspec.Struct, frozen=True):
    """An account at another bank: its clearing code, its BIC, the number."""

    code: str
    bic: str
    number: str


class Carried(msgspec.Struct, frozen=True):
    """A card of another bank with its clear PIN, which only an invented card may have."""

    pan: str
    pin: str


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. ``state``: open, blocked or closed, everywhere alike. ``phone`` begins 62."""

    name: str
    accounts: tuple[Elsewhere, ...]
    phone: str = ""
    email: str = ""
    state: str = "open"
    card: Carried | None = None


BANK_NAMES: Final[dict[str, str]] = {
    "UJIAIDJ1": "Bank Uji Antar",
    "CENAIDJA": "BCA",
    "BMRIIDJA": "Mandiri",
    "BRINIDJA": "BRI",
    "BNINIDJA": "BNI",
}
"""The banks that have neighbours, by BIC."""


def _uji(number: str) -> Elsewhere:
    return Elsewhere("998", "UJIAIDJ1", number)


NEIGHBOURS: Final = (
    Neighbour(
        name="SARI WULANDARI",
        accounts=(_uji("9980000001"),),
        phone="6281299980001",
        email="sari@uji.example",
    ),
    Neighbour(
        name="RINA PUSPITA",
        accounts=(_uji("5260000001"),),
        phone="628121110001",
        card=Carried("9360099811111111119", "246810"),
    ),
    Neighbour(
        name="DODI SAPUTRA",
        accounts=(Elsewhere("014", "CENAIDJA", "5260000001"),),
        phone="628121110002",
    ),
    Neighbour(
        name="AGUS SETIAWAN",
        accounts=(Elsewhere("014", "CENAIDJA", "0149990001"),),
        phone="6281299980014",
    ),
    Neighbour(
        name="DEWI LESTARI PUTRI",
        accounts=(
            Elsewhere("002", "BRINIDJA", "002999000000001"),
            Elsewhere("002", "BRINIDJA", "001701000001509"),
        ),
    ),
    Neighbour(
        name="TOKO MAJU JAYA",
        accounts=(
            Elsewhere("008", "BMRIIDJA", "0089990000001"),
            Elsewhere("008", "BMRIIDJA", "1370000000001"),
        ),
    ),
    Neighbour(
        name="KOPERASI MELATI",
        accounts=(
            Elsewhere("009", "BNINIDJA", "0099990001"),
            Elsewhere("009", "BNINIDJA", "0110000001"),
        ),
    ),
    Neighbour(
        name="BUDI HARTONO",
        accounts=(_uji("9980000002"), _uji("5260000002")),
        phone="628121110003",
        state="blocked",
        card=Carried("9360099822222222224", "135791"),
    ),
    Neighbour(
        name="RATNA DEWI",
        accounts=(_uji("9980000003"), _uji("5260000003")),
        phone="628121110004",
        state="closed",
    ),
)
