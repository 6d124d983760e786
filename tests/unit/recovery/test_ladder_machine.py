"""Any climb, any readings, any signatures, any clock: what never happens."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from conftest import NOON
from tangguh.access.people import Role
from tangguh.guard.closure import SignalClass
from tangguh.recovery.climb import Approval, Climb, begin, explain, with_parked
from tangguh.recovery.ladder import APPROVAL_SECONDS, Step, advance, required_of
from tangguh.recovery.rungs import LADDER, Pace
from tangguh.recovery.verdict import METRICS, ZERO_TOLERANCE, Kind, Reading
from unit.recovery.scopes import all_good, bad, good, signed

SOFT = [name for name, one in METRICS.items() if one.kind is not Kind.ZERO]
SPOILS = st.sampled_from(("gone", "none", "nan", "few", "renamed"))
PACE = Pace(time_scale=0.5, sample_scale=0.1)


def spoiled(readings: list[Reading], metric: str, how: str) -> list[Reading]:
    """The same readings with one that is no measurement."""
    change = {
        "none": {"value": None}, "nan": {"value": float("nan")}, "few": {"sample": -1},
        "renamed": {"metric": f"{metric}_new"},
    }.get(how)  # fmt: skip
    kept = [one for one in readings if one.metric != metric]
    return kept if change is None else [*kept, msgspec.structs.replace(good(metric), **change)]


class Climbing(RuleBasedStateMachine):
    """A climb with a memory of its own to hold it against."""

    @initialize(signal_class=st.sampled_from(SignalClass), collateral=st.sampled_from([10, 1000]))
    def start(self, signal_class: SignalClass, collateral: int) -> None:
        self.now: datetime = NOON
        self.climb: Climb = begin(
            "closure:1", "rail=qris", signal_class, NOON, salt="s", collateral_permille=collateral
        )
        self.approvals: list[Approval] = []
        self.fails = 0

    def look(self, readings: list[Reading]) -> Step:
        before = self.climb
        step = advance(before, readings, self.approvals, self.now, pace=PACE)
        after = step.climb
        assert step.exposure == after.lane[after.rung].exposure or after.state != "climbing"
        if after.lane is before.lane:
            assert after.rung <= before.rung + 1
        if after.rung > before.rung:
            assert step.what == "up"
            self.check_up(before)
        elif step.what not in {"back", "to_held", "to_explained"}:
            assert after.rung == before.rung
            assert after.entered_at == before.entered_at
        assert after.salt == before.salt
        assert (after.turn > before.turn) or after.rung == before.rung
        self.climb = after
        return step

    def check_up(self, before: Climb) -> None:
        """Time over, and every role filled by another person, in this turn, just now."""
        stays = PACE.seconds(before.here.seconds)
        assert self.now - before.entered_at >= timedelta(seconds=stays)
        fresh = timedelta(seconds=PACE.seconds(APPROVAL_SECONDS))
        valid = [
            one for one in self.approvals
            if one.turn == before.turn and timedelta() <= self.now - one.at < fresh
        ]  # fmt: skip
        assert set(before.roles_above) <= {one.role for one in valid}
        assert len({one.staff_id for one in valid}) >= len(before.roles_above)
        assert before.fast or before.rung > 0 or before.is_explained
        assert before.fast or before.rung != 9 or before.parked_left == 0

    @rule(minutes=st.sampled_from([1, 5, 30, 24 * 60]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @precondition(lambda self: self.climb.rung == 0 and self.climb.state == "climbing")
    @rule(cause=st.sampled_from(["key copied", "unknown"]))
    def say_why(self, cause: str) -> None:
        self.climb = explain(self.climb, cause=cause, fix="CHG-1", evidence="e", control="two men")

    @rule(left=st.sampled_from([0, 0, 7, None]))
    def count_parked(self, left: int | None) -> None:
        self.climb = with_parked(self.climb, left)

    @rule()
    def sign(self) -> None:
        self.approvals += signed(self.climb, self.now)

    @rule(role=st.sampled_from(Role), who=st.integers(1, 3), turn=st.integers(-1, 1))
    def sign_oddly(self, role: Role, who: int, turn: int) -> None:
        self.approvals.append(
            Approval(
                closure_id="closure:1", turn=self.climb.turn + turn, role=role,
                staff_id=f"staff:{who}", at=self.now,
            )
        )  # fmt: skip

    @rule()
    def all_well(self) -> None:
        self.look(all_good())

    @rule(times=st.integers(1, 12))
    def all_well_for_long(self, times: int) -> None:
        """So that the upper rungs are reached often enough to be tested."""
        for _ in range(times):
            self.now = max(self.now, self.climb.entered_at) + timedelta(
                seconds=self.climb.here.seconds
            )
            if self.climb.state == "climbing" and self.climb.rung == 0:
                self.say_why("key copied")
            self.count_parked(0)
            self.sign()
            self.look(all_good())

    @precondition(lambda self: self.climb.state == "climbing" and required_of(self.climb))
    @rule(data=st.data(), how=SPOILS)
    def one_is_missing(self, data: st.DataObject, how: str) -> None:
        metric = data.draw(st.sampled_from(sorted(required_of(self.climb))))
        before = self.climb.rung
        step = self.look(spoiled(all_good(), metric, how))
        assert step.what in {"feed_synthetic", "page"}
        assert step.climb.rung == before

    @precondition(lambda self: self.climb.state == "climbing")
    @rule(metric=st.sampled_from(sorted(ZERO_TOLERANCE)), data=st.data())
    def integrity_misses(self, metric: str, data: st.DataObject) -> None:
        readings = [*all_good(), bad(metric)]
        readings = data.draw(st.sampled_from([readings, [bad(metric)]]))
        step = self.look(readings)
        assert step.climb.rung == 0
        assert step.exposure.is_closed
        assert not step.climb.fast
        assert step.climb.signal_class in {SignalClass.INTEGRITY, SignalClass.CONTROL}

    @rule(metrics=st.sets(st.sampled_from(SOFT), min_size=1))
    def something_fails(self, metrics: set[str]) -> None:
        step = self.look([bad(one) if one in metrics else good(one) for one in METRICS])
        is_needed = metrics & required_of(step.climb)
        assert not (is_needed and step.what == "finished" and self.climb.state == "climbing")

    @invariant()
    def the_exposure_is_never_above_the_rungs(self) -> None:
        if not hasattr(self, "climb"):
            return
        exposure = self.climb.exposure
        if not self.climb.fast:
            assert exposure == LADDER[self.climb.rung].exposure
            assert exposure.limits_permille == (1000 if self.climb.rung >= 10 else 500)
            assert exposure.is_closed == (self.climb.rung < 4)
        assert self.climb.soft_fails < 2
        assert self.climb.step_backs < 2


Climbing.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestClimbing = Climbing.TestCase
