"""PINs that everybody guesses first."""

from __future__ import annotations

import pytest

from tangguh.access.pin import is_weak
from tangguh.app import Bank
from tangguh.core.outcome import Refused
from tangguh.customers.seed import DEMO_PIN

WEAK = ["000000", "777777", "123456", "012345", "654321", "987654", "890123", "210987",
        "121212", "454545", "123123"]  # fmt: skip


@pytest.mark.parametrize("pin", WEAK)
async def test_a_pin_everybody_guesses_first_is_not_kept(bank: Bank, pin: str) -> None:
    """Nor what is none; the one there was stays."""
    assert is_weak(pin)
    for chosen in (pin, "12345", "１２３４５７", ""):
        refused = await bank.sessions.set_pin(1, chosen)
        assert isinstance(refused, Refused)
        assert refused.field == "pin"
    assert await bank.sessions.is_pin(1, DEMO_PIN)
    assert await bank.sessions.set_pin(1, "290326") is None
    assert await bank.sessions.is_pin(1, "290326")


def test_few_are_weak() -> None:
    """Of a million so many that guessing them first is worth little, and no more."""
    assert sum(is_weak(f"{number:06d}") for number in range(1_000_000)) == 1_110
