"""The machine's wall clock is set forward and back; the bank's time goes on evenly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.clock import FOLLOWED_SECONDS, PAUSED_SECONDS, SystemClock, business_date
from tangguh.work.signals.clocks import ClockWatch

EVENING = datetime(2026, 5, 1, 16, 30, tzinfo=UTC)
"""23.30 in Jakarta: an hour ahead is tomorrow."""


class Machine:
    """A machine whose wall clock can be set while its seconds go on."""

    def __init__(self) -> None:
        self.wall = EVENING
        self.elapsed = 1000.0
        self.clock = SystemClock(lambda: self.wall, lambda: self.elapsed)

    def wait(self, seconds: float) -> datetime:
        self.wall += timedelta(seconds=seconds)
        self.elapsed += seconds
        return self.clock.now()

    def set(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)


def test_an_hour_ahead_and_back_leaves_every_time_and_date_right() -> None:
    machine = Machine()
    machine.set(3600)
    ahead = machine.wait(10)
    assert ahead == EVENING + timedelta(seconds=10)
    assert business_date(ahead) == business_date(EVENING)
    assert machine.clock.offset() == 3600
    machine.set(-3600)
    assert machine.wait(10) == EVENING + timedelta(seconds=20)
    assert machine.clock.offset() == 0
    machine.set(-3600)
    times = [machine.wait(1) for _ in range(5)]
    assert times == [EVENING + timedelta(seconds=21 + number) for number in range(5)]


def test_what_a_time_server_does_is_followed() -> None:
    machine = Machine()
    for _ in range(100):
        machine.set(0.05)
        machine.wait(10)
    assert machine.clock.now() == machine.wall
    assert machine.clock.offset() == 0


def test_a_machine_that_was_paused_catches_up_after_a_while_and_never_goes_back() -> None:
    machine = Machine()
    machine.set(7200)
    assert machine.wait(1) < machine.wall
    machine.wait(PAUSED_SECONDS)
    assert machine.clock.now() == machine.wall
    before = machine.clock.now()
    machine.set(-7200)
    for _ in range(40):
        machine.wait(60)
    assert machine.clock.now() == before + timedelta(seconds=2400)
    assert machine.clock.offset() == -7200


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(-5000, 5000)), max_size=30))
def test_it_never_runs_backwards(steps: list[tuple[float, float]]) -> None:
    machine = Machine()
    newest = machine.clock.now()
    for seconds, jump in steps:
        machine.set(jump)
        now = machine.wait(seconds)
        assert now >= newest
        newest = now


@given(st.floats(FOLLOWED_SECONDS + 0.1, 5000), st.sampled_from([1, -1]))
def test_a_jump_moves_nothing(seconds: float, way: int) -> None:
    machine = Machine()
    before = machine.clock.now()
    machine.set(way * seconds)
    assert machine.clock.now() == before


def test_each_jump_is_a_signal_once() -> None:
    machine = Machine()
    told: list[tuple[str, str, str]] = []
    watch = ClockWatch(machine.clock, lambda *said: told.append(said))
    for jump in (0, 3600, 0, -3600, 0, -60):
        machine.set(jump)
        machine.wait(5)
        watch.look()
    assert told == [
        ("clock.offset", "wall", "+3600.0 s away from even time"),
        ("clock.offset", "wall", "-60.0 s away from even time"),
    ]
