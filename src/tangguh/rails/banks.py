"""The banks of the country as the networks name them: clearing code, BIC, and the name people say.

Sources: BIC and code as seen in public BI-FAST code and in the national numbering; some BICs are
from memory and marked so in ``rails/bifast/README.md``. It is reference data: a bank that is not
here can be reached by adding a row. Test data: 999 and 998 are invented.
"""

from __future__ import annotations

from typing import Final

import msgspec


class Bank(msgspec.Struct, frozen=True):
    """One bank: the three-digit clearing code, the eight-letter BIC, the name."""

    code: str
    bic: str
    name: str


BANKS: Final[dict[str, Bank]] = {
    bank.code: bank
    for bank in (
        Bank("002", "BRINIDJA", "BRI"),
        Bank("008", "BMRIIDJA", "Mandiri"),
        Bank("009", "BNINIDJA", "BNI"),
        Bank("011", "BDINIDJA", "Danamon"),
        Bank("013", "BBBAIDJA", "Permata"),
        Bank("014", "CENAIDJA", "BCA"),
        Bank("016", "IBBKIDJA", "Maybank"),
        Bank("022", "BNIAIDJA", "CIMB Niaga"),
        Bank("110", "PDJBIDJA", "BJB"),
        Bank("111", "BDKIIDJ1", "Bank DKI"),
        Bank("200", "BTANIDJA", "BTN"),
        Bank("451", "BSMDIDJA", "BSI"),
        Bank("998", "UJIAIDJ1", "Bank Uji Antar"),
        Bank("999", "TGUHIDJ1", "Bank Tangguh"),
    )
}
BY_BIC: Final[dict[str, Bank]] = {bank.bic: bank for bank in BANKS.values()}
OUR_CODE: Final = "999"
"""The demo bank's clearing code: invented."""


def name_of_bank(code: str) -> str:
    """The name people say; the code itself when the bank is not in the table."""
    bank = BANKS.get(code)
    return bank.name if bank else code
