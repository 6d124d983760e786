"""A hold with a time of its own gives the money back when that time is over."""

from __future__ import annotations

from datetime import timedelta

from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.outcome import Refusal, Refused
from tangguh.customers.store import accounts_of
from tangguh.ledger.command import PlaceHold, VoidHold
from tangguh.ledger.hold import Hold


async def test_the_money_is_available_again_after_the_hold_expired(
    bank: Bank, clock: HandClock
) -> None:
    """Held until the minute is over, then free by itself, once."""
    account = (await accounts_of(bank.pool, 1, 1))[0]
    hold_id = bank.ids.next()
    expires_at = clock.now() + timedelta(seconds=60)
    held = await bank.writer.decide(PlaceHold(hold_id, account.account_id, 5_000, expires_at))
    assert isinstance(held, Hold)
    clock.advance(59)
    await bank.resolver.round()
    assert (await accounts_of(bank.pool, 1, 1))[0].held_minor == 5_000
    clock.advance(2)
    await bank.resolver.round()
    assert (await accounts_of(bank.pool, 1, 1))[0] == account
    late = await bank.writer.decide(VoidHold(hold_id))
    assert isinstance(late, Refused)
    assert late.code is Refusal.HOLD_ALREADY_EXPIRED
    assert (await bank.prove()).passed
