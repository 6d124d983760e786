"""The merchants of this world against the bank's own reading of their codes."""

from __future__ import annotations

import pytest

from tangguh.rails.qris.codec import parse
from tangguh.rails.qris.message import to_payee
from tangguh.sim.qris.merchants import demo_merchants

SHOWN = [
    (merchant, label, payload)
    for merchant in demo_merchants()
    for label, payload in merchant.payloads.items()
]


@pytest.mark.parametrize(("merchant", "label", "payload"), SHOWN, ids=[each[1] for each in SHOWN])
def test_bank_reads_the_same_merchant(merchant: object, label: str, payload: str) -> None:
    """Two readers, written apart, find the same facts in every code, and no error."""
    reading = parse(payload)
    assert reading.errors == ()
    assert reading.seen is not None
    payee = to_payee(reading.seen, payload)
    for ours, theirs in (
        ("merchant_pan", "pan"),
        ("merchant_id", "merchant_id"),
        ("nmid", "nmid"),
        ("merchant_name", "name"),
        ("merchant_city", "city"),
        ("category_code", "category_code"),
        ("criteria", "criteria"),
    ):
        assert getattr(payee, ours) == getattr(merchant, theirs), ours


def test_table() -> None:
    """One merchant per PAN; two show two codes each; exactly one is blocked."""
    merchants = demo_merchants()
    assert len({merchant.pan for merchant in merchants}) == len(merchants) == 10
    assert sorted(len(merchant.payloads) for merchant in merchants)[-2:] == [2, 2]
    assert [merchant.name for merchant in merchants if merchant.blocked] == ["TOKO DIBLOKIR"]
