"""Reading and writing merchant-presented codes. Reading never raises and never guesses.

``parse`` opens the text, lets ``judge`` apply the rules and gathers the facts. ``encode`` writes a
code in ascending order with its CRC; what it wrote reads back as the same code.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Final

import msgspec

from tangguh.core.money import format_decimal
from tangguh.rails.qris.judge import judge
from tangguh.rails.qris.message import (
    ADDITIONAL_NAMES,
    NO_ADDITIONAL,
    NO_TIP,
    Account,
    Additional,
    Finding,
    Kind,
    Language,
    QrisCode,
    Reading,
    Repository,
    Tip,
    TipKind,
    Transfer,
)
from tangguh.rails.qris.page import (
    ACCOUNT_FIELDS,
    TRANSFER_FIELD,
    Page,
    is_proprietary,
    minor_of,
    open_page,
    open_text,
)
from tangguh.rails.qris.tlv import Level, seal, write

_SCHEME_FIELDS: Final = frozenset(f"{field:02d}" for field in range(2, 26))
_NAMED_FIELDS: Final = (
    frozenset({"00", "01", "64"}) | {f"{field}" for field in range(52, 64)} | _SCHEME_FIELDS
)
_NAMED_FIELDS_DOMESTIC: Final = _NAMED_FIELDS | ACCOUNT_FIELDS | {TRANSFER_FIELD, "51"}
_TIP_INDICATORS: Final = {"01": TipKind.PROMPT, "02": TipKind.FIXED, "03": TipKind.PERCENT}
_NOTHING_SEEN: Final = QrisCode()


def parse(payload: str | bytes) -> Reading:
    """Read and judge a merchant-presented payload; at most 512 characters are ever looked at."""
    text = open_text(payload)
    if isinstance(text, Finding):
        return Reading((text,), (), _NOTHING_SEEN)
    page = open_page(text)
    found = judge(page)
    return Reading(tuple(found.errors), tuple(found.warnings), _gather(page))


# ---- from fields to facts


def _gather(page: Page) -> QrisCode:
    """The facts as far as they could be read; on a page with errors they may be incomplete."""
    values, templates = page.values, page.templates
    named = _NAMED_FIELDS_DOMESTIC if page.domestic else _NAMED_FIELDS
    accounts = sorted(ACCOUNT_FIELDS & templates.keys())
    repository, language = templates.get("51"), templates.get("64")
    return QrisCode(
        kind=_kind(page),
        initiation=values.get("01", ""),
        schemes=_listed(values, _SCHEME_FIELDS & values.keys()),
        accounts=tuple(_account(field, templates[field]) for field in accounts),
        transfer=_transfer(templates[TRANSFER_FIELD]) if page.transfer else None,
        repository=_repository(repository) if repository else None,
        category_code=values.get("52", ""),
        currency=values.get("53", ""),
        amount_minor=minor_of(values.get("54")),
        tip=_tip(values) if "55" in values else NO_TIP,
        country=values.get("58", ""),
        merchant_name=values.get("59", ""),
        merchant_city=values.get("60", ""),
        postal_code=values.get("61", ""),
        additional=_additional(page) if "62" in templates else NO_ADDITIONAL,
        language=_language(language) if language else None,
        unnamed=_listed(values, values.keys() - named),
    )


def _listed(values: dict[str, str], fields: Set[str]) -> tuple[tuple[str, str], ...]:
    """Those fields in ascending order, whatever order they were written in."""
    return tuple((field, values[field]) for field in sorted(fields)) if fields else ()


def _kind(page: Page) -> Kind:
    if not page.values:
        return Kind.UNKNOWN
    if page.transfer:
        return Kind.TRANSFER
    initiation = page.values.get("01")
    if initiation in ("11", "12"):
        return Kind.STATIC if initiation == "11" else Kind.DYNAMIC
    return Kind.DYNAMIC if "54" in page.values else Kind.STATIC


def _account(field: str, level: Level) -> Account:
    get = level.values.get
    return Account(field, get("00", ""), get("01", ""), get("02", ""), get("03", ""))


def _repository(level: Level) -> Repository:
    get = level.values.get
    return Repository(get("00", ""), get("02", ""), get("03", ""))


def _transfer(level: Level) -> Transfer:
    get = level.values.get
    return Transfer(get("00", ""), get("01", ""), get("02", ""), get("04", ""))


def _language(level: Level) -> Language:
    get = level.values.get
    return Language(get("00", ""), get("01", ""), get("02", ""))


def _tip(values: dict[str, str]) -> Tip:
    kind = _TIP_INDICATORS.get(values["55"], TipKind.NONE)
    fixed = minor_of(values.get("56")) if kind is TipKind.FIXED else None
    percent = minor_of(values.get("57")) if kind is TipKind.PERCENT else None
    return Tip(kind, fixed or 0, percent or 0)


def _additional(page: Page) -> Additional:
    values = page.templates["62"].values
    named = {
        ADDITIONAL_NAMES[field]: values[field] for field in values if field in ADDITIONAL_NAMES
    }
    unnamed = _listed(values, values.keys() - ADDITIONAL_NAMES.keys() - {"99"})
    guid, data = "", values.get("99", "")
    if page.inner is not None and is_proprietary(page.inner):
        guid, data = page.inner.values["00"], page.inner.values["01"]
    return Additional(**named, proprietary_guid=guid, proprietary_data=data, unnamed=unnamed)


# ---- from facts to fields


def encode(code: QrisCode) -> str:
    """The payload of a code, fields in ascending order, with its CRC.

    Raises CannotEncode when a value is empty where it may not be or longer than 99 characters.
    It does not judge: ``parse`` what it returns before showing it to anyone.
    """
    fields = {"00": "01", "01": code.initiation}
    fields |= dict(code.schemes) | dict(code.unnamed)
    fields |= {account.field: _write_account(account) for account in code.accounts}
    if code.transfer is not None:
        fields[TRANSFER_FIELD] = _write_transfer(code.transfer)
    if code.repository is not None:
        fields["51"] = _write_repository(code.repository)
    fields |= {
        "52": code.category_code,
        "53": code.currency,
        "54": "" if code.amount_minor is None else _plain(code.amount_minor),
        "58": code.country,
        "59": code.merchant_name,
        "60": code.merchant_city,
        "61": code.postal_code,
        "62": _write_additional(code.additional),
    }
    fields |= _write_tip(code.tip)
    if code.language is not None:
        fields["64"] = _write_language(code.language)
    return seal(_join(fields))


def as_dynamic(code: QrisCode, amount_minor: int, *, bill_number: str = "") -> QrisCode:
    """The same merchant's code for one payment of one amount."""
    additional = code.additional
    if bill_number:
        additional = msgspec.structs.replace(additional, bill_number=bill_number)
    return msgspec.structs.replace(
        code,
        kind=Kind.DYNAMIC,
        initiation="12",
        amount_minor=amount_minor,
        additional=additional,
    )


def _join(fields: dict[str, str]) -> str:
    """Fields in ascending order; the empty ones are left out."""
    return "".join(write(field, fields[field]) for field in sorted(fields) if fields[field])


def _plain(minor: int) -> str:
    """An amount as codes write it: 25000, or 25000.50 when there are sen."""
    return format_decimal(minor).removesuffix(".00")


def _write_account(account: Account) -> str:
    return _join(
        {
            "00": account.guid,
            "01": account.pan,
            "02": account.merchant_id,
            "03": account.criteria,
        }
    )


def _write_repository(repository: Repository) -> str:
    return _join({"00": repository.guid, "02": repository.nmid, "03": repository.criteria})


def _write_transfer(transfer: Transfer) -> str:
    return _join(
        {
            "00": transfer.guid,
            "01": transfer.customer_pan,
            "02": transfer.beneficiary_id,
            "04": transfer.bic,
        }
    )


def _write_language(language: Language) -> str:
    return _join(
        {"00": language.preference, "01": language.merchant_name, "02": language.merchant_city}
    )


def _write_tip(tip: Tip) -> dict[str, str]:
    match tip.kind:
        case TipKind.NONE:
            return {}
        case TipKind.PROMPT:
            return {"55": "01"}
        case TipKind.FIXED:
            return {"55": "02", "56": _plain(tip.fixed_minor)}
        case TipKind.PERCENT:
            return {"55": "03", "57": format_decimal(tip.basis_points).rstrip("0").rstrip(".")}


def _write_additional(additional: Additional) -> str:
    fields = {field: getattr(additional, name) for field, name in ADDITIONAL_NAMES.items()}
    fields |= dict(additional.unnamed)
    if additional.proprietary_guid:
        fields["99"] = _join({"00": additional.proprietary_guid, "01": additional.proprietary_data})
    else:
        fields["99"] = additional.proprietary_data
    return _join(fields)
