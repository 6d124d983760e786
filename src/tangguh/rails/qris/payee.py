"""Rules about where the money goes: merchant accounts, the national repository, transfers.

Part of ``judge``; apart only for size. Pure; never raises.
"""

from __future__ import annotations

import re
from typing import Final

from tangguh.rails.qris.nns import DOMESTIC_PREFIX, NNS_LENGTH, name_of, nns_of, passes_luhn
from tangguh.rails.qris.page import (
    ACCOUNT_FIELDS,
    TRANSFER_FIELD,
    Found,
    Page,
    is_digits,
    is_proprietary,
    show,
)
from tangguh.rails.qris.tlv import Level

CRITERIA: Final = frozenset({"UMI", "UKE", "UME", "UBE", "URE", "PSO", "BLU"})
PURPOSES: Final = frozenset({"BOOK", "DMCT", "XBCT", "CWDL", "CDPT", "POSP", "BILL"})
REPOSITORY_GUIDS: Final = frozenset({"ID.CO.QRIS.WWW", "ID.OR.GPNQR.WWW"})
_TRANSFER_MCC: Final = "4829"
_NMID = re.compile(r"ID(?:10|20)\d{11}", re.ASCII)
_POSTAL_CODE = re.compile(r"\d{5}", re.ASCII)


def judge_payee(page: Page, found: Found) -> None:
    """Apply the rules of the code's own country."""
    if page.domestic:
        _judge_domestic(page, found)
    else:
        _judge_foreign(page, found)


def _judge_domestic(page: Page, found: Found) -> None:
    values = page.values
    if page.whole and "61" not in values:
        found.refuse("postal_code_missing", "61", "In Indonesia the postal code is mandatory.")
    elif values.get("61") and _POSTAL_CODE.fullmatch(values["61"]) is None:
        found.warn("postal_code_unusual", "61", "An Indonesian postal code has five digits.")
    for field, level in page.templates.items():
        if field in ACCOUNT_FIELDS:
            _judge_account(field, level, found)
    if page.transfer:
        _judge_transfer(page, found)
    _judge_repository(page, found)
    if not page.whole:
        return
    if "51" not in values and not any("02" <= field <= "45" for field in values):
        found.refuse(
            "merchant_account_missing", "26", "No merchant account (fields 02-45 or 51) is given."
        )
    elif not page.transfer and ACCOUNT_FIELDS.isdisjoint(values):
        found.warn("acquirer_missing", "26", "No domestic acquirer (26-45) is named.")


def _judge_foreign(page: Page, found: Found) -> None:
    country = page.values["58"]
    found.warn("cross_border", "58", f"The code is from {country}; its accounts are not judged.")
    if page.whole and not any("02" <= field <= "51" for field in page.values):
        found.refuse("merchant_account_missing", "26", "No merchant account (02-51) is given.")


def _judge_account(field: str, level: Level, found: Found) -> None:
    """Acquirer's template: 00 GUID, 01 merchant PAN, 02 merchant id, 03 criteria."""
    values = level.values
    found.require(level, field, ("00", "01", "02", "03"))
    found.check_length(values.get("00", ""), f"{field}.00", 32)
    found.check_length(values.get("02", ""), f"{field}.02", 15)
    _judge_pan(values.get("01", ""), f"{field}.01", found)
    _judge_criteria(values.get("03", ""), f"{field}.03", found)


def _judge_pan(pan: str, path: str, found: Found) -> None:
    """Digits, at most 19; the first eight name a member. 18 digits have no check digit."""
    if not pan:
        return
    found.check_length(pan, path, 19)
    if not is_digits(pan) or len(pan) < NNS_LENGTH:
        found.refuse("pan_malformed", path, "A PAN is 8 to 19 digits, the first eight its NNS.")
        return
    if len(pan) not in (18, 19):
        found.warn(
            "pan_length_unusual", path, f"A PAN usually has 18 or 19 digits, not {len(pan)}."
        )
    if len(pan) == 19 and not passes_luhn(pan):
        found.warn("pan_check_digit_wrong", path, "The PAN's check digit does not fit.")
    if not pan.startswith(DOMESTIC_PREFIX):
        found.warn("pan_not_domestic", path, f"A domestic PAN begins with {DOMESTIC_PREFIX}.")
    elif not name_of(nns_of(pan)):
        found.warn("nns_unknown", path, f"{nns_of(pan)} is no member we know.")


def _judge_criteria(criteria: str, path: str, found: Found) -> None:
    if criteria and len(criteria) != 3:
        found.refuse("criteria_malformed", path, "The merchant's criteria are three letters.")
    elif criteria and criteria not in CRITERIA:
        found.warn("criteria_unknown", path, f"{show(criteria)} is no criteria we know.")


def _judge_repository(page: Page, found: Found) -> None:
    """Field 51: mandatory on a static code, but real codes omit it, and 03 in it."""
    level = page.templates.get("51")
    if level is None:
        if not page.transfer and page.whole:
            found.warn("repository_51_missing", "51", "The national repository (51) is missing.")
        return
    values = level.values
    found.require(level, "51", ("00", "02"))
    found.check_length(values.get("00", ""), "51.00", 32)
    found.check_length(values.get("02", ""), "51.02", 15)
    _judge_criteria(values.get("03", ""), "51.03", found)
    if "03" not in values:
        found.warn("repository_criteria_missing", "51.03", "The repository gives no criteria.")
    if values.get("00", "").upper() not in REPOSITORY_GUIDS:
        found.warn("repository_guid_unknown", "51.00", "Field 51.00 does not name the repository.")
    if _NMID.fullmatch(values.get("02", "")) is None:
        found.warn("nmid_unusual", "51.02", "An NMID is ID, 10 or 20, the year and nine digits.")


def _judge_transfer(page: Page, found: Found) -> None:
    """Field 40 (QRIS TTS): dynamic only, category 4829, a known purpose, data used only once."""
    values, level = page.values, page.templates[TRANSFER_FIELD]
    if values.get("01") != "12":
        found.refuse("transfer_not_dynamic", "01", "A transfer code is always dynamic (01 = 12).")
    if values.get("52", _TRANSFER_MCC) != _TRANSFER_MCC:
        found.refuse("transfer_mcc_not_4829", "52", "A transfer's category code is 4829.")
    found.require(level, TRANSFER_FIELD, ("00", "01", "02"))
    found.check_length(level.values.get("00", ""), "40.00", 32)
    found.check_length(level.values.get("02", ""), "40.02", 15)
    pan = level.values.get("01", "")
    _judge_pan(pan, "40.01", found)
    if pan and len(pan) < 16:
        found.refuse("transfer_pan_too_short", "40.01", "A customer's PAN has 16 to 19 digits.")
    if len(level.values.get("04", "8 letters")) not in range(8, 12):
        found.refuse("transfer_bic_malformed", "40.04", "A BIC has 8 to 11 characters.")
    if page.whole:
        _judge_transfer_purpose(page, found)


def _judge_transfer_purpose(page: Page, found: Found) -> None:
    level = page.templates.get("62")
    purpose = level.values.get("08") if level else None
    if purpose not in PURPOSES:
        found.refuse(
            "transfer_purpose_unknown", "62.08", f"62.08 is one of {', '.join(sorted(PURPOSES))}."
        )
    unique = page.inner.values.get("01", "") if page.inner and is_proprietary(page.inner) else ""
    if not 8 <= len(unique) <= 64:
        found.refuse(
            "transfer_unique_data_malformed", "62.99", "62.99.01 holds 8 to 64 characters."
        )
    if any(field in ACCOUNT_FIELDS for field in page.values):
        found.warn("transfer_with_merchant", "26", "A transfer code also names a merchant account.")
