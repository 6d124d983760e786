"""An independent reader, qriskit (PyPI, MIT), judges the same codes.

Where the two differ, the reason is written down here; a new difference fails.
"""

from __future__ import annotations

import pytest
import qriskit

from tangguh.core.money import format_decimal
from tangguh.rails.qris.codec import parse
from unit.rails.qris.payloads import (
    DYNAMIC_FIELDS,
    MALFORMED,
    STATIC_FIELDS,
    TRANSFER_FIELDS,
    VALID,
    changed,
    template,
    write,
)

ALL = {name: vector.payload for name, vector in (VALID | MALFORMED).items()}

DIFFERENCES = {
    "M3": "qriskit only warns of a missing postal code; the standard makes it mandatory for ID",
    "M8": "qriskit only warns of a lower-case CRC; the standard asks for upper case",
}

_THAI = {"00": "01", "01": "11", "29": template({"00": "A1"}), "52": "5812", "53": "764"}
BEYOND_THE_VECTORS = {
    "qriskit wants a digit after the point; the standard allows 1000.": (
        changed(DYNAMIC_FIELDS, {"54": "1000."}),
        True,
    ),
    "qriskit makes field 01 mandatory; it is optional": (
        changed(STATIC_FIELDS, {"01": None}),
        True,
    ),
    "qriskit knows Indonesia only; a code from abroad is read with a warning": (
        write(_THAI | {"58": "TH", "59": "SOMTAM", "60": "BANGKOK"}),
        True,
    ),
    "qriskit reads 80-99 as templates; they are ignored": (
        changed(STATIC_FIELDS, {"80": "free text"}),
        True,
    ),
    "qriskit does not ask an acquirer's template for a PAN": (
        changed(STATIC_FIELDS, {"26": template({"00": "ID.CO.BANKDKI.WWW"})}),
        False,
    ),
    "qriskit does not know transfers": (changed(TRANSFER_FIELDS, {"01": "11"}), False),
    "qriskit lets control characters pass": (changed(STATIC_FIELDS, {"59": "A\x1b[2J"}), False),
    "qriskit lets the bar pass": (changed(STATIC_FIELDS, {"59": "A|B"}), False),
    "qriskit lets any field 62.09 pass": (
        changed(STATIC_FIELDS, {"62": template({"09": "MM"})}),
        False,
    ),
    "qriskit strips spaces around a code": (f" {VALID['S1'].payload} ", False),
    "qriskit sets no limit of 512 characters": (
        write(STATIC_FIELDS | dict.fromkeys(("80", "81", "82"), "9093" + "x" * 93)),
        False,
    ),
}


@pytest.mark.parametrize("name", ALL)
def test_the_two_agree_on_every_vector(name: str) -> None:
    """Valid is valid and invalid invalid to both, but for the differences with a reason."""
    agree = parse(ALL[name]).valid == qriskit.is_valid(ALL[name])
    assert agree == (name not in DIFFERENCES)


@pytest.mark.parametrize(("payload", "ours"), BEYOND_THE_VECTORS.values(), ids=BEYOND_THE_VECTORS)
def test_known_differences_beyond_the_vectors(payload: str, ours: bool) -> None:
    """Each difference is still one, and ours is the judgement we mean."""
    assert (parse(payload).valid, qriskit.is_valid(payload)) == (ours, not ours)


@pytest.mark.parametrize("name", VALID)
def test_the_two_read_the_same_facts(name: str) -> None:
    """Name, city, amount, account and number of a valid code."""
    payload = VALID[name].payload
    code, theirs = parse(payload).code, qriskit.parse(payload)
    assert code is not None
    assert (code.merchant_name, code.merchant_city) == (theirs.get("59"), theirs.get("60"))
    amount = "" if code.amount_minor is None else format_decimal(code.amount_minor)
    assert amount == ("" if theirs.amount is None else f"{theirs.amount:.2f}")
    account = theirs.merchant_accounts[0]
    assert (code.merchant_pan, code.merchant_id, code.nns) == (
        account.pan,
        account.merchant_id,
        account.nns,
    )
