"""What was shown is what comes back: seals over reviews and tokens in forms."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.access.sealing import Seals
from tangguh.access.session import Kind, Session
from tangguh.web.pages.seal import (
    QrisSlip,
    Recipient,
    RefundSlip,
    TransferSlip,
    form_token,
    is_form_token,
    seal,
    unseal,
)

SEALS = Seals(bytes(range(32)))
NOW = datetime(2026, 3, 20, tzinfo=UTC)


def session(name: bytes) -> Session:
    """A session of a browser. Its signing key seals nothing."""
    return Session(name * 32, 1, bytes(range(32)), Kind.BROWSER, NOW, NOW)


MINE, OTHER = session(b"1"), session(b"2")
SLIPS = [
    QrisSlip(key="k1", debtor=7, payload="000201", amount_minor=1, tip_minor=2, fee_minor=3),
    TransferSlip(
        key="k2", debtor=7, creditor=8, creditor_name="Ayu", amount_minor=5, fee_minor=0, note="n"
    ),
    RefundSlip(key="k3", payment_id=UUID(int=9), amount_minor=5, reason="salah"),
    Recipient(8, "Ayu"),
]


@pytest.mark.parametrize("slip", SLIPS)
def test_a_sealed_slip_opens_to_itself_in_its_own_session_only(slip: object) -> None:
    """Another session does not open it, nor does a seal of the key its device holds."""
    text = seal(SEALS, MINE, slip)
    assert unseal(SEALS, MINE, text) == slip
    assert unseal(SEALS, OTHER, text) is None
    assert unseal(SEALS, MINE, seal(Seals(MINE.signing_key + b"x"), MINE, slip)) is None
    assert text == text.strip()
    assert text.isascii()


@given(st.data())
def test_one_changed_character_breaks_the_seal(data: st.DataObject) -> None:
    """A digit changed after the review is refused, wherever it is (E19)."""
    text = seal(SEALS, MINE, SLIPS[0])
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.sampled_from("AZaz09-_."))
    changed = text[:at] + put + text[at + 1 :]
    opened = unseal(SEALS, MINE, changed)
    assert opened is None or changed == text


@pytest.mark.parametrize("text", ["", ".", "a.b", "%.%", "é.ü", "x" * 5000])
def test_noise_is_no_slip(text: str) -> None:
    """Whatever comes in the address, nothing is raised."""
    assert unseal(SEALS, MINE, text) is None


def test_a_form_token_belongs_to_one_session() -> None:
    """Forms of another session, or none, are not ours."""
    assert is_form_token(SEALS, MINE, form_token(SEALS, MINE))
    assert not is_form_token(SEALS, MINE, form_token(SEALS, OTHER))
    assert not is_form_token(SEALS, MINE, "")
    assert not is_form_token(SEALS, MINE, "é")
    assert form_token(SEALS, MINE) not in seal(SEALS, MINE, SLIPS[0])
