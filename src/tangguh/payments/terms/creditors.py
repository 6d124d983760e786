"""Whom each service may credit: the kinds of account, and where there is but one, which. Pure.

``proof_tariff.sql`` asks the same of every payment in the database; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from tangguh.core import service as names
from tangguh.core.outcome import Refusal, Refused
from tangguh.ledger import chart
from tangguh.ledger.account import Account
from tangguh.ledger.chart import Kind


class Creditors(msgspec.Struct, frozen=True):
    """The kinds of account a service may credit. ``account_id`` 0: any account of these kinds."""

    kinds: frozenset[Kind]
    account_id: int = 0


_PEOPLE: Final = Creditors(frozenset({Kind.CUSTOMER, Kind.MERCHANT}))
_SHOPS: Final = Creditors(frozenset({Kind.CUSTOMER, Kind.MERCHANT, Kind.PAYABLE}))
_NOTES: Final = Creditors(frozenset({Kind.VAULT}))
_PURSES: Final = Creditors(frozenset({Kind.PURSE}))


def _at(account_id: int, kind: Kind = Kind.SETTLEMENT) -> Creditors:
    return Creditors(frozenset({kind}), account_id)


_SHOPS_OR_SWITCH: Final = Creditors(_SHOPS.kinds | {Kind.SETTLEMENT})

MAY_CREDIT: Final[Mapping[str, Creditors]] = {
    names.TRANSFER_ONUS: _PEOPLE,
    names.ATM_TRANSFER_ONUS: _PEOPLE,
    names.TRANSFER_BIFAST: _at(chart.SETTLEMENT_BIFAST),
    names.TRANSFER_CARDS: _at(chart.SETTLEMENT_CARDS),
    names.ATM_TRANSFER_CARDS: _at(chart.SETTLEMENT_CARDS),
    names.QRIS_OFFUS: _at(chart.SETTLEMENT_QRIS),
    names.QRIS_CPM: _at(chart.SETTLEMENT_QRIS),
    names.QRIS_ONUS: _SHOPS,
    names.QRIS_SERVER: _SHOPS_OR_SWITCH,
    names.QRIS_TOURIST: _SHOPS_OR_SWITCH,
    names.SPEND_CARD: _SHOPS,
    **{
        service: _at(chart.PARTNER_OF_WALLET[wallet], Kind.PARTNER)
        for wallet, service in names.TOPUP.items()
    },
    **{service: _at(chart.SETTLEMENT_OF_BILLER[biller]) for biller, service in names.BILL.items()},
    names.ATM_BILL: _at(chart.SETTLEMENT_OF_BILLER["electricity"]),
    names.TOPUP_CARD: _PURSES,
    names.TOPUP_SERVER: _PURSES,
    names.TOPUP_TOURIST: _PURSES,
    names.ATM_CASH: _NOTES,
    names.ATM_CARDLESS: _NOTES,
    names.ATM_ACQUIRER: _NOTES,
    names.CARD_CASH: _at(chart.SETTLEMENT_CARDS),
    names.IN_BIFAST: _PEOPLE,
    names.IN_CARDS: _PEOPLE,
    names.IN_QRIS: _SHOPS,
}
"""Every service that moves money is here; one that is not credits nobody."""

_NOBODY: Final = Creditors(frozenset())


def refuse_creditor(service: str, creditor: Account | None) -> Refused | None:
    """Refuses PAYEE_NOT_FOUND: there is none, or this service may not credit such an account."""
    may = MAY_CREDIT.get(service, _NOBODY)
    if (
        creditor is not None
        and creditor.kind in may.kinds
        and (not may.account_id or creditor.account_id == may.account_id)
    ):
        return None
    return Refused(Refusal.PAYEE_NOT_FOUND, "to", "there is no such account at this bank")
