"""The services: what a customer can do, each with its rail, direction and names.

The one table that the app, the gates, the smoke run and the status page read.
An id is ``channel.operation.reach``.
"""

from __future__ import annotations

from typing import Final

import msgspec


class Service(msgspec.Struct, frozen=True):
    """One thing a customer can do.

    ``direction`` is seen from the customer's account: out, in, or none (nothing moves). ``partner``
    is the wallet, the biller or the e-money product where the rail has several.
    """

    id: str
    rail: str
    direction: str
    name_id: str
    name_en: str
    partner: str = ""

    @property
    def channel(self) -> str:
        """Where it is done: mobile, atm, card, emoney or in."""
        return self.id.partition(".")[0]


TRANSFER_ONUS: Final = "mobile.transfer.onus"
TRANSFER_BIFAST: Final = "mobile.transfer.bifast"
TRANSFER_CARDS: Final = "mobile.transfer.cards"
QRIS_OFFUS: Final = "mobile.qris.offus"
QRIS_ONUS: Final = "mobile.qris.onus"
QRIS_CPM: Final = "mobile.qris.cpm"
ATM_CASH: Final = "atm.cash.onus"
ATM_CARDLESS: Final = "atm.cash.cardless"
ATM_ACQUIRER: Final = "atm.cash.acquirer"
ATM_BALANCE: Final = "atm.balance.onus"
ATM_PIN: Final = "atm.pin.onus"
ATM_TRANSFER_ONUS: Final = "atm.transfer.onus"
ATM_TRANSFER_CARDS: Final = "atm.transfer.cards"
ATM_BILL: Final = "atm.bill.electricity"
CARD_CASH: Final = "card.cash.offus"
CARD_BALANCE: Final = "card.balance.offus"
TOPUP_CARD: Final = "emoney.topup.card"
TOPUP_SERVER: Final = "emoney.topup.server"
TOPUP_TOURIST: Final = "emoney.topup.touristpass"
SPEND_CARD: Final = "emoney.spend.card"
QRIS_SERVER: Final = "emoney.qris.server"
QRIS_TOURIST: Final = "emoney.qris.touristpass"
IN_BIFAST: Final = "in.transfer.bifast"
IN_CARDS: Final = "in.transfer.cards"
IN_QRIS: Final = "in.qris.merchant"

TOPUP: Final[dict[str, str]] = {
    wallet: f"mobile.topup.{wallet}" for wallet in ("gopay", "ovo", "dana", "isaku")
}
"""The service that tops up each wallet."""
BILL: Final[dict[str, str]] = {
    biller: f"mobile.bill.{biller}"
    for biller in ("electricity", "prepaid", "water", "tax", "school", "va")
}
"""The service that pays each biller family."""

SERVICES: Final[dict[str, Service]] = {
    service.id: service
    for service in (
        Service(TRANSFER_ONUS, "onus", "out", "Transfer sesama", "In-bank transfer"),
        Service(TRANSFER_BIFAST, "bifast", "out", "Transfer BI-FAST", "BI-FAST transfer"),
        Service(TRANSFER_CARDS, "iso8583", "out", "Transfer online", "Card-switch transfer"),
        Service(QRIS_OFFUS, "qris", "out", "Bayar QRIS", "Pay with QRIS"),
        Service(QRIS_ONUS, "onus", "out", "Bayar QRIS sesama", "Pay our own merchants"),
        Service(QRIS_CPM, "onus", "out", "Tunjukkan QRIS", "Show my QRIS code"),
        Service(TOPUP["gopay"], "ewallet", "out", "Isi GoPay", "Top up GoPay", "gopay"),
        Service(TOPUP["ovo"], "ewallet", "out", "Isi OVO", "Top up OVO", "ovo"),
        Service(TOPUP["dana"], "ewallet", "out", "Isi DANA", "Top up DANA", "dana"),
        Service(TOPUP["isaku"], "ewallet", "out", "Isi iSaku", "Top up iSaku", "isaku"),
        Service(BILL["electricity"], "billers", "out", "Listrik", "Electricity", "electricity"),
        Service(BILL["prepaid"], "billers", "out", "Token listrik", "Electricity token", "prepaid"),
        Service(BILL["water"], "billers", "out", "Air", "Water", "water"),
        Service(BILL["tax"], "billers", "out", "Pajak", "Tax", "tax"),
        Service(BILL["school"], "billers", "out", "Biaya sekolah", "School fee", "school"),
        Service(BILL["va"], "billers", "out", "Virtual account", "Virtual account", "va"),
        Service(TOPUP_CARD, "emoney", "out", "Isi kartu uang elektronik", "Top up a card", "card"),
        Service(TOPUP_SERVER, "emoney", "out", "Isi uang elektronik", "Top up e-money", "server"),
        Service(
            TOPUP_TOURIST, "emoney", "out", "Isi Tourist Pass", "Top up the pass", "touristpass"
        ),
        Service(SPEND_CARD, "emoney", "out", "Belanja kartu", "Card spending", "card"),
        Service(QRIS_SERVER, "qris", "out", "QRIS uang elektronik", "QRIS by e-money", "server"),
        Service(
            QRIS_TOURIST, "qris", "out", "QRIS Tourist Pass", "QRIS by the pass", "touristpass"
        ),
        Service(ATM_CASH, "onus", "out", "Tarik tunai ATM kami", "Cash at our ATM"),
        Service(ATM_CARDLESS, "onus", "out", "Tarik tunai tanpa kartu", "Cash without a card"),
        Service(ATM_ACQUIRER, "iso8583", "out", "ATM kami, kartu lain", "Others' cards, our ATM"),
        Service(ATM_BALANCE, "onus", "none", "Cek saldo di ATM", "Balance at our ATM"),
        Service(ATM_PIN, "onus", "none", "Ganti PIN di ATM", "PIN change at our ATM"),
        Service(ATM_TRANSFER_ONUS, "onus", "out", "Transfer sesama di ATM", "ATM in-bank transfer"),
        Service(ATM_TRANSFER_CARDS, "iso8583", "out", "Transfer antarbank di ATM", "ATM transfer"),
        Service(ATM_BILL, "billers", "out", "Listrik di ATM", "ATM bill", "electricity"),
        Service(CARD_CASH, "onus", "out", "Kartu kami di ATM lain", "Our card at others' ATMs"),
        Service(CARD_BALANCE, "onus", "none", "Saldo di ATM lain", "Balance at others' ATMs"),
        Service(IN_BIFAST, "bifast", "in", "Terima BI-FAST", "BI-FAST received"),
        Service(IN_CARDS, "iso8583", "in", "Terima transfer", "Card-switch transfer received"),
        Service(IN_QRIS, "qris", "in", "Terima QRIS", "QRIS received by our merchant"),
    )
}
