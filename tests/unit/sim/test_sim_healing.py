"""A fault ends by itself when its time is over; what is still wrong stays as it was."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from tangguh.core.clock import HandClock
from tangguh.sim.faults import Dealt, Decline, Down, DropReply, Faults, Plan
from tangguh.sim.healing import Healing

NOON = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)


class Still:
    """A network of faults alone, whose port may be taken by somebody for a while."""

    name = "still"

    def __init__(self) -> None:
        self.faults = Faults("50")
        self.is_open = True
        self.refusals = 0

    async def put_plan(self, plan: Plan) -> None:
        self.faults.put(plan)
        self.is_open = False
        if not self.faults.is_down:
            if self.refusals:
                self.refusals -= 1
                raise OSError("taken")
            self.is_open = True

    def dealt(self) -> Dealt:
        return self.faults.dealt()

    def strike(self) -> str:
        fault = self.faults.strike("50", "", "")
        return type(fault).__name__ if fault else ""


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOON)


async def wait() -> None:
    """Let whoever was woken do what it does."""
    for _ in range(20):
        await asyncio.sleep(0)


def healing_of(network: Still, clock: HandClock) -> Healing:
    return Healing({"still": network}, clock)  # type: ignore[dict-item]


async def test_it_lasts_as_long_as_it_said_and_then_is_over(clock: HandClock) -> None:
    network = Still()
    healing = healing_of(network, clock)
    await healing.put("still", Plan(faults=(DropReply(for_seconds=300),)))
    await wait()
    clock.advance(299)
    await wait()
    assert network.strike() == "DropReply"
    assert healing.dealt("still").seconds_left == (1.0,)
    clock.advance(1)
    await wait()
    assert network.strike() == ""
    assert healing.dealt("still").faults == ()
    await healing.close()


async def test_a_network_that_was_down_listens_again(clock: HandClock) -> None:
    """Also when its port is taken at first: it tries until it gets it."""
    network = Still()
    healing = healing_of(network, clock)
    await healing.put("still", Plan(faults=(Down(for_seconds=60),)))
    assert not network.is_open
    network.refusals = 2
    await wait()
    clock.advance(60)
    await wait()
    assert not network.is_open
    for _ in range(2):
        clock.advance(1)
        await wait()
    assert network.is_open
    await healing.close()


async def test_what_is_still_wrong_keeps_its_counts(clock: HandClock) -> None:
    """A fault that may strike twice does not get two more because another one ended."""
    network = Still()
    healing = healing_of(network, clock)
    await healing.put("still", Plan(faults=(Decline(count=2), DropReply(for_seconds=60))))
    assert [network.strike() for _ in range(3)] == ["Decline", "Decline", "DropReply"]
    await wait()
    clock.advance(60)
    await wait()
    dealt = healing.dealt("still")
    assert (dealt.faults, dealt.struck) == ((Decline(count=2),), (2,))
    assert network.strike() == ""
    await healing.close()


async def test_without_a_time_it_holds_until_it_is_healed(clock: HandClock) -> None:
    network = Still()
    healing = healing_of(network, clock)
    await healing.put("still", Plan(faults=(DropReply(),)))
    await wait()
    clock.advance(86_400)
    await wait()
    assert network.strike() == "DropReply"
    assert healing.dealt("still").seconds_left == ()
    await healing.put("still", Plan())
    assert network.strike() == ""
    await healing.close()


async def test_a_new_plan_takes_the_place_of_the_old_one_and_of_its_end(clock: HandClock) -> None:
    network = Still()
    healing = healing_of(network, clock)
    await healing.put("still", Plan(faults=(DropReply(for_seconds=60),)))
    await wait()
    clock.advance(30)
    await healing.put("still", Plan(faults=(Decline(for_seconds=60),)))
    await wait()
    clock.advance(31)
    await wait()
    assert network.strike() == "Decline"
    clock.advance(30)
    await wait()
    assert network.strike() == ""
    await healing.close()
