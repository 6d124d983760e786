"""Seals: one key for each purpose, bound to a session, under a root that never leaves the bank."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.access.sealing import Purpose, Seals, seals_of
from tangguh.core.errors import Misconfigured

ROOT = bytes(range(32))
ME, OTHER = b"\1" * 32, b"\2" * 32


def test_every_purpose_has_a_key_of_its_own() -> None:
    """None is the root, and no two are alike."""
    seals = Seals(ROOT)
    keys = [seals.key(purpose) for purpose in Purpose]
    assert len({*keys, ROOT}) == len(Purpose) + 1


@given(body=st.binary(max_size=80), session=st.binary(max_size=40))
def test_a_seal_opens_for_its_purpose_and_session_only(body: bytes, session: bytes) -> None:
    """Not for another purpose, another session, or under another root."""
    seals = Seals(ROOT)
    for purpose in Purpose:
        text = seals.seal(purpose, session, body)
        assert seals.unseal(purpose, session, text) == body
        for other in set(Purpose) - {purpose}:
            assert seals.unseal(other, session, text) is None
        assert seals.unseal(purpose, session + b"x", text) is None
        assert Seals(b"another").unseal(purpose, session, text) is None


def test_session_and_body_cannot_be_cut_elsewhere() -> None:
    """What ends the session and begins the body is part of what is sealed."""
    seals = Seals(ROOT)
    assert seals.mac(Purpose.FORM, b"ab", b"c") != seals.mac(Purpose.FORM, b"a", b"bc")


@given(text=st.text(max_size=120))
def test_what_was_never_sealed_opens_nothing(text: str) -> None:
    """Any text at all is answered with None."""
    assert Seals(ROOT).unseal(Purpose.INQUIRY, ME, text) is None


def test_every_changed_character_is_seen() -> None:
    """One letter of the body or of the seal."""
    seals = Seals(ROOT)
    text = seals.seal(Purpose.REVIEW, ME, b"pay Budi 10")
    for at in range(len(text) - 1):
        other = "A" if text[at] != "A" else "B"
        assert seals.unseal(Purpose.REVIEW, ME, text[:at] + other + text[at + 1 :]) is None
    assert seals.unseal(Purpose.REVIEW, OTHER, text) is None


@pytest.mark.parametrize("key", ["zz", "00", "00" * 31, "00" * 33])
def test_a_root_that_is_no_key_is_refused(key: str) -> None:
    """Exactly 32 bytes in hex, or none at all: then one for the life of the process."""
    with pytest.raises(Misconfigured):
        seals_of(key)
    assert seals_of("").key(Purpose.FORM) != seals_of("").key(Purpose.FORM)
    assert seals_of("00" * 32).key(Purpose.FORM) == seals_of("00" * 32).key(Purpose.FORM)
