"""What a QRIS code says, and what we think of it: plain facts, no reading and no rules.

Amounts are minor units (sen), percentages basis points (0.7 % is 70). An absent field is an empty
string, an empty tuple or None, never a made-up value.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from tangguh.core.order import ToQris
from tangguh.core.text import shown
from tangguh.rails.qris.nns import nns_of

PROMPT: Final = "***"
"""In a field of the additional data: the app must ask the payer for it."""


class Kind(StrEnum):
    """What a code is for. A code without field 01 is dynamic if it names an amount."""

    STATIC = "static"
    DYNAMIC = "dynamic"
    TRANSFER = "transfer"
    UNKNOWN = "unknown"


class TipKind(StrEnum):
    """Who decides the tip: nobody, the payer, or the code itself."""

    NONE = "none"
    PROMPT = "prompt"
    FIXED = "fixed"
    PERCENT = "percent"


class Finding(msgspec.Struct, frozen=True):
    """One error or warning: a stable code, the field (``26.01`` is 01 inside 26), one sentence."""

    code: str
    field: str
    detail: str


class Tip(msgspec.Struct, frozen=True):
    """What is added to the amount for the merchant (fields 55-57)."""

    kind: TipKind = TipKind.NONE
    fixed_minor: int = 0
    basis_points: int = 0


NO_TIP: Final = Tip()


class Account(msgspec.Struct, frozen=True):
    """The merchant at one acquirer (fields 26-45)."""

    field: str
    guid: str = ""
    pan: str = ""
    merchant_id: str = ""
    criteria: str = ""

    @property
    def nns(self) -> str:
        """Which acquirer: the first eight digits of the PAN."""
        return nns_of(self.pan)


class Repository(msgspec.Struct, frozen=True):
    """The merchant in the National Merchant Repository (field 51)."""

    guid: str = ""
    nmid: str = ""
    criteria: str = ""


class Additional(msgspec.Struct, frozen=True):
    """The additional data (field 62).

    ``proprietary_data`` without a ``proprietary_guid`` is the raw text of 62.99. ``unnamed`` keeps
    the sub-fields that have no name, as written.
    """

    bill_number: str = ""
    mobile_number: str = ""
    store_label: str = ""
    loyalty_number: str = ""
    reference_label: str = ""
    customer_label: str = ""
    terminal_label: str = ""
    purpose: str = ""
    consumer_data: str = ""
    proprietary_guid: str = ""
    proprietary_data: str = ""
    unnamed: tuple[tuple[str, str], ...] = ()

    @property
    def prompts(self) -> tuple[str, ...]:
        """Names of the fields the app must ask the payer for."""
        return tuple(name for name in ADDITIONAL_NAMES.values() if getattr(self, name) == PROMPT)


ADDITIONAL_NAMES: Final = {
    "01": "bill_number",
    "02": "mobile_number",
    "03": "store_label",
    "04": "loyalty_number",
    "05": "reference_label",
    "06": "customer_label",
    "07": "terminal_label",
    "08": "purpose",
    "09": "consumer_data",
}
NO_ADDITIONAL: Final = Additional()


class Language(msgspec.Struct, frozen=True):
    """The merchant's name and city in another language (field 64)."""

    preference: str = ""
    merchant_name: str = ""
    merchant_city: str = ""


class Transfer(msgspec.Struct, frozen=True):
    """Who receives a QRIS transfer (field 40). Its purpose and unique data are in field 62."""

    guid: str = ""
    customer_pan: str = ""
    beneficiary_id: str = ""
    bic: str = ""

    @property
    def nns(self) -> str:
        """Where the beneficiary has the account: the first eight digits of the PAN."""
        return nns_of(self.customer_pan)


class QrisCode(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant-presented code; accounts and other lists are in ascending order of their fields.

    ``schemes`` are card-scheme accounts 02-25, as written; ``unnamed`` the fields without a name,
    and all account templates of a foreign code.
    """

    kind: Kind = Kind.UNKNOWN
    initiation: str = ""
    schemes: tuple[tuple[str, str], ...] = ()
    accounts: tuple[Account, ...] = ()
    transfer: Transfer | None = None
    repository: Repository | None = None
    category_code: str = ""
    currency: str = ""
    amount_minor: int | None = None
    tip: Tip = NO_TIP
    country: str = ""
    merchant_name: str = ""
    merchant_city: str = ""
    postal_code: str = ""
    additional: Additional = NO_ADDITIONAL
    language: Language | None = None
    unnamed: tuple[tuple[str, str], ...] = ()

    @property
    def merchant_pan(self) -> str:
        """The PAN of the first account, or of a transfer's beneficiary."""
        if self.accounts:
            return self.accounts[0].pan
        return self.transfer.customer_pan if self.transfer else ""

    @property
    def nns(self) -> str:
        """Who acquires: the first eight digits of the PAN."""
        return nns_of(self.merchant_pan)

    @property
    def merchant_id(self) -> str:
        """The acquirer's number for the merchant, or for a transfer's beneficiary."""
        if self.accounts:
            return self.accounts[0].merchant_id
        return self.transfer.beneficiary_id if self.transfer else ""

    @property
    def nmid(self) -> str:
        """The merchant's number in the national repository."""
        return self.repository.nmid if self.repository else ""

    @property
    def criteria(self) -> str:
        """The merchant's size class, as its acquirer or else the repository gives it."""
        given = self.accounts[0].criteria if self.accounts else ""
        return given or (self.repository.criteria if self.repository else "")

    @property
    def terminal(self) -> str:
        """The terminal label, empty when the app must ask for it."""
        label = self.additional.terminal_label
        return "" if label == PROMPT else label


class Reading(msgspec.Struct, frozen=True):
    """What reading a payload gave.

    ``code`` is there only when there is no error, so that a bad code cannot be paid by mistake;
    ``seen`` is as much as could be read, for showing to people.
    """

    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    seen: QrisCode

    @property
    def valid(self) -> bool:
        """Whether the code may be paid; warnings do not forbid it."""
        return not self.errors

    @property
    def kind(self) -> Kind:
        """What the code is for, as far as could be read."""
        return self.seen.kind

    @property
    def code(self) -> QrisCode | None:
        """The code if it is valid."""
        return None if self.errors else self.seen


def tip_due(code: QrisCode, amount_minor: int, typed_minor: int = 0) -> int:
    """The tip due on an amount. What the payer typed counts only where the code asks the payer.

    A percentage is rounded half up to the sen: 0.7 % of Rp50.00 is 35 sen.
    """
    match code.tip.kind:
        case TipKind.PROMPT:
            return typed_minor
        case TipKind.FIXED:
            return code.tip.fixed_minor
        case TipKind.PERCENT:
            return (amount_minor * code.tip.basis_points + 5_000) // 10_000
        case TipKind.NONE:
            return 0


def total_minor(code: QrisCode, amount_minor: int, tip_minor: int = 0) -> int:
    """What the payer pays: amount and tip due; ``tip_minor`` is what the payer typed as tip."""
    return amount_minor + tip_due(code, amount_minor, tip_minor)


WORDS_LENGTH_MAX: Final = 99
"""Longer than any value of a code."""


def to_payee(code: QrisCode, payload: str) -> ToQris:
    """The payee of an order for this code. ``acquirer`` is the eight-digit NNS."""
    return ToQris(
        payload=payload,
        merchant_pan=code.merchant_pan,
        merchant_id=code.merchant_id,
        nmid=code.nmid,
        acquirer=code.nns,
        merchant_name=shown(code.merchant_name, WORDS_LENGTH_MAX),
        merchant_city=shown(code.merchant_city, WORDS_LENGTH_MAX),
        category_code=code.category_code,
        criteria=code.criteria,
        terminal=code.terminal,
    )
