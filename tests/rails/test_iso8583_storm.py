"""Everything goes wrong at once, by seed: whatever a payment ends as, the switch's books agree."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from rails.cards_harness import RP100K, CardsHarness, cards, transfer
from tangguh.core.outcome import Accepted, Declined, NotSent, Outcome, Unanswered
from tangguh.rails.rail import Instruction
from tangguh.sim import faults
from tangguh.sim.faults import Plan

STORM = (
    faults.DropRequest(probability=0.15),
    faults.DropReply(probability=0.15),
    faults.Late(seconds=15, probability=0.1),
    faults.Late(seconds=40, carried_out="late", probability=0.1),
    faults.Twice(probability=0.1),
    faults.Decline(probability=0.1),
    faults.Pending(seconds=20, probability=0.1),
    faults.Garbage(form="bad_signature", probability=0.1),
    faults.Garbage(form="other_reference", probability=0.1),
    faults.Garbage(form="truncated", probability=0.05),
    faults.DropRequest(services=("0420",), probability=0.3),
    faults.DropReply(services=("0420",), probability=0.3),
    faults.Garbage(services=("0420",), form="malformed", probability=0.05),
)
PAYMENTS = 60


async def carried(far: CardsHarness, instruction: Instruction) -> Outcome:
    """As the resolver does it: send once, then reverse until it is known."""
    outcome = await far.rail.send(instruction)
    while isinstance(outcome, Unanswered):
        await far.clock.sleep(5)
        outcome = await far.rail.reverse(instruction)
    return outcome


@pytest.mark.parametrize("seed", range(3))
async def test_in_a_storm_the_books_agree_with_every_outcome(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    orders = [
        transfer(
            payment_id=UUID(int=random.getrandbits(128)),
            reference=f"STORM-{seed}-{number}",
            amount_minor=RP100K + number * 100,
        )
        for number in range(PAYMENTS)
    ]
    async with cards(tmp_path) as far:
        await far.switch.put_plan(Plan(seed=seed, faults=STORM))
        outcomes = await far.passing(asyncio.gather(*(carried(far, one) for one in orders)))
        far.clock.advance(60)
        await far.until(lambda: far.rail.link.is_signed_on)
        await far.switch.settle()
        paid = [o.amount_minor for o, end in zip(orders, outcomes, strict=True)
                if isinstance(end, Accepted)]  # fmt: skip
        assert {type(end) for end in outcomes} <= {Accepted, Declined, NotSent}
        assert 0 < len(paid) < PAYMENTS
        assert far.paid_minor() == sum(paid)
        assert sum(far.switch.dealt().struck) > PAYMENTS / 3
