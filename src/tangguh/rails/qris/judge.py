"""The rules of a merchant-presented code, each with its stable error code. Pure; never raises.

Errors forbid paying; warnings are departures seen on real merchants' codes, which a customer at
the till must be able to pay. Which is which, and from what source: README.md. Codes are never
renamed and never reused. Rules about the accounts are in ``payee``.
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import category

from tangguh.rails.qris.page import (
    Found,
    Page,
    flat,
    is_country,
    is_digits,
    is_proprietary,
    minor_of,
    show,
)
from tangguh.rails.qris.payee import judge_payee
from tangguh.rails.qris.tlv import CRC_FIELD, Level, crc, offset_of

_MANDATORY: Final = {
    "52": "merchant category code",
    "53": "currency",
    "58": "country",
    "59": "merchant name",
    "60": "merchant city",
}
_LENGTHS_MAX: Final = {"54": 13, "56": 13, "57": 5, "59": 25, "60": 15, "61": 10}
_ADDITIONAL_LENGTHS_MAX: Final = {f"0{field}": 25 for field in range(1, 9)} | {"99": 91}
_UNSAFE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})
_HEX = re.compile(r"[0-9A-Fa-f]{4}")
_BROKEN_SENTENCES: Final = {
    "truncated": "The text ends before the field does",
    "tag_malformed": "Two digits naming a field were expected",
    "length_malformed": "Two digits giving a length were expected",
}


def judge(page: Page) -> Found:
    """Apply every rule to an opened payload."""
    found = Found()
    _judge_layout(page, found)
    _judge_characters(page, found)
    _judge_crc(page, found)
    _judge_format(page, found)
    _judge_merchant(page, found)
    _judge_money(page, found)
    _judge_tip(page, found)
    _judge_additional(page, found)
    _judge_language(page, found)
    judge_payee(page, found)
    return found


def _judge_layout(page: Page, found: Found) -> None:
    broken = page.root.broken
    if broken is not None:
        found.refuse(
            broken.rule,
            broken.field or "payload",
            f"{_BROKEN_SENTENCES[broken.rule]} at character {broken.at + 1}"
            + (f", in or after field {broken.field}." if broken.field else "."),
        )
    _judge_level(page.root, "", found)
    for field, level in page.templates.items():
        if level.broken is not None:
            found.refuse(
                f"template_{field}_broken",
                field,
                f"{_BROKEN_SENTENCES[level.broken.rule]} at character {level.broken.at + 1}"
                f" inside field {field}; its length or one inside it is wrong.",
            )
        _judge_level(level, field, found)


def _judge_level(level: Level, template: str, found: Found) -> None:
    """No field twice, none empty."""
    if level.repeated:
        for field in dict.fromkeys(level.repeated):
            path = _path(template, field)
            found.refuse(f"duplicate_{flat(path)}", path, f"Field {path} may appear only once.")
    if "" in level.values.values():
        for field, value in level.values.items():
            if not value:
                path = _path(template, field)
                found.refuse(f"field_{flat(path)}_empty", path, f"Field {path} is there but empty.")


def _path(template: str, field: str) -> str:
    return f"{template}.{field}" if template else field


_WORDS: Final = frozenset({"59", "60"})


def _judge_characters(page: Page, found: Found) -> None:
    """Nothing that changes what a screen shows. Only ASCII but for 64 and the unnamed fields; the
    merchant's name and city are read in UTF-8 all the same, with a warning.
    """
    payload = page.payload
    if payload.isascii() and payload.isprintable():
        return
    for at, character in enumerate(payload):
        if category(character) in _UNSAFE_CATEGORIES:
            found.refuse(
                "control_character",
                "payload",
                f"Character {at + 1} is a control character (U+{ord(character):04X}).",
            )
            break
    for field, value in page.values.items():
        if field in _WORDS and not value.isascii():
            found.warn(
                f"field_{field}_not_ascii",
                field,
                f"Field {field} is usually ASCII; it is shown as it is written.",
            )
        elif field < "64" and not value.isascii():
            found.refuse(
                f"field_{field}_not_ascii", field, f"Field {field} may hold ASCII characters only."
            )


def _judge_crc(page: Page, found: Found) -> None:
    """CRC last, four upper-case hexadecimal digits, right over all that precedes them."""
    payload = page.payload
    if not page.whole:
        # The fields cannot be told apart, but a CRC at the very end still says if text was damaged.
        if payload[-8:-4] == "6304":
            _judge_checksum(payload[:-4], payload[-4:], found)
        return
    value = page.values.get(CRC_FIELD)
    if value is None:
        found.refuse("crc_missing", CRC_FIELD, "The code has no CRC (field 63).")
        return
    last = not page.root.repeated and next(reversed(page.values)) == CRC_FIELD
    start = len(payload) - len(value) if last else offset_of(payload, CRC_FIELD) + 4
    if start + len(value) != len(payload):
        found.refuse("data_after_crc", CRC_FIELD, "The CRC (field 63) must be the last field.")
    _judge_checksum(payload[:start], value, found)


def _judge_checksum(covered: str, written: str, found: Found) -> None:
    expected = crc(covered)
    if written == expected:
        return
    if _HEX.fullmatch(written) is None:
        found.refuse(
            "crc_malformed", CRC_FIELD, "The CRC must be four upper-case hexadecimal digits."
        )
    elif written.upper() == expected:
        found.refuse("crc_lower_case", CRC_FIELD, "The CRC's digits must be upper case.")
    else:
        found.refuse(
            "crc_wrong",
            CRC_FIELD,
            f"The CRC is {written} but the text gives {expected}: the code was damaged or changed.",
        )


def _judge_format(page: Page, found: Found) -> None:
    """Field 00 first with 01; field 01 either 11 or 12."""
    values = page.values
    form = values.get("00")
    if form is None:
        if page.whole:
            found.refuse("format_indicator_missing", "00", "The code must begin with field 00.")
    elif next(iter(values)) != "00":
        found.refuse("format_indicator_not_first", "00", "Field 00 must be the first.")
    if form is not None and form != "01":
        found.refuse(
            "format_indicator_unknown", "00", f"Format {show(form)} is not known, only 01."
        )
    initiation = values.get("01")
    if initiation not in (None, "11", "12"):
        found.refuse(
            "initiation_unknown", "01", f"Field 01 is 11 or 12, not {show(initiation or '')}."
        )
    order = [field for field in values if field not in ("00", CRC_FIELD)]
    if page.whole and order != sorted(order):
        found.warn("fields_out_of_order", "payload", "The fields are not in ascending order.")


# ---- what every code must say


def _judge_merchant(page: Page, found: Found) -> None:
    """Category, country, name and city: there, and of the right size and letters."""
    values = page.values
    if page.whole and not _MANDATORY.keys() <= values.keys():
        for field, name in _MANDATORY.items():
            if field not in values:
                found.refuse(
                    f"field_{field}_missing", field, f"The {name} (field {field}) is missing."
                )
    for field, length_max in _LENGTHS_MAX.items():
        if field in values:
            found.check_length(values[field], field, length_max)
    mcc = values.get("52", "")
    if mcc and not (len(mcc) == 4 and is_digits(mcc)):
        found.refuse("mcc_malformed", "52", "The merchant category code is exactly four digits.")
    country = values.get("58", "")
    if country and not is_country(country):
        found.refuse("country_malformed", "58", "The country is two capital letters.")
    for field in ("58", "59", "60", "61"):
        value = values.get(field, "")
        if "|" in value:
            found.refuse(f"field_{field}_has_bar", field, f"Field {field} may not contain a '|'.")
        if value and not value[0].isalnum() and not any(map(str.isalnum, value)):
            found.warn(
                f"field_{field}_not_filled", field, f"Field {field} has no letter and no digit."
            )


def _judge_money(page: Page, found: Found) -> None:
    """Currency, and an amount above zero where there is one."""
    values = page.values
    currency = values.get("53", "")
    if currency and not (len(currency) == 3 and is_digits(currency)):
        found.refuse("currency_malformed", "53", "The currency is exactly three digits.")
    elif currency and currency != "360" and page.domestic:
        found.refuse(
            "currency_not_360", "53", f"In Indonesia the currency is 360 (IDR), not {currency}."
        )
    if "54" in values:
        _judge_amount("amount", "54", values["54"], found)
        if values.get("01") == "11":
            found.warn("static_with_amount", "54", "A static code does not usually name an amount.")
    elif values.get("01") == "12" and not page.transfer and page.whole:
        found.warn("dynamic_without_amount", "54", "A dynamic code usually names its amount.")


def _judge_amount(name: str, field: str, text: str, found: Found) -> None:
    """A plain decimal above zero. An empty field has already been refused as such."""
    minor = minor_of(text)
    if not text:
        return
    if minor is None:
        found.refuse(
            f"{name}_malformed",
            field,
            f"{show(text)} is not digits with at most one '.' and two decimals.",
        )
    elif minor == 0:
        found.refuse(f"{name}_not_positive", field, f"Field {field} must be above zero.")


def _judge_tip(page: Page, found: Found) -> None:
    """55 says who decides: 01 the payer, 02 a fixed sum in 56, 03 a percentage in 57."""
    values = page.values
    indicator = values.get("55")
    if indicator not in (None, "", "01", "02", "03"):
        found.refuse("tip_indicator_unknown", "55", "The tip indicator is 01, 02 or 03.")
    for asked, field, name in (("02", "56", "fixed"), ("03", "57", "percent")):
        if indicator == asked and field not in values and page.whole:
            found.refuse(
                f"tip_{name}_missing_{field}", field, f"Field 55 is {asked} but {field} is missing."
            )
        if indicator != asked and field in values:
            found.refuse(
                f"tip_{name}_not_asked", field, f"Field {field} is there but 55 is not {asked}."
            )
    if "56" in values:
        _judge_amount("tip_fixed", "56", values["56"], found)
    if "57" in values:
        _judge_amount("tip_percent", "57", values["57"], found)
        if (minor_of(values["57"]) or 0) > 9999:
            found.refuse("tip_percent_too_large", "57", "A percentage is at most 99.99.")


def _judge_additional(page: Page, found: Found) -> None:
    """Field 62: sizes, and 09 asks for A, M and E at most once each."""
    level = page.templates.get("62")
    if level is None:
        return
    for field, value in level.values.items():
        length_max = _ADDITIONAL_LENGTHS_MAX.get(field)
        if length_max is not None:
            found.check_length(value, f"62.{field}", length_max)
    wanted = level.values.get("09", "")
    if len(set(wanted)) != len(wanted) or not set(wanted) <= set("AME"):
        found.refuse(
            "consumer_data_malformed", "62.09", "Field 62.09 holds A, M and E, each at most once."
        )
    if page.inner is None:
        return
    if not is_proprietary(page.inner):
        found.warn(
            "proprietary_data_unstructured", "62.99", "Field 62.99 should hold 00 and then 01."
        )
        return
    for field, length_max in (("00", 32), ("01", 81)):
        found.check_length(page.inner.values[field], f"62.99.{field}", length_max)


def _judge_language(page: Page, found: Found) -> None:
    """Field 64 is for the eyes only: what is odd there is worth a warning."""
    level = page.templates.get("64")
    if level is None:
        return
    values = level.values
    if len(values.get("00", "")) != 2 or len(values.get("01", "")) > 25:
        found.warn("language_malformed", "64", "Field 64 needs a two-letter language and a name.")
