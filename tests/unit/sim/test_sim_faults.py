"""Fault plans: what they may say, whom they strike, and that a seed repeats."""

from __future__ import annotations

import msgspec
import pytest

from tangguh.sim.faults import AnyFault, Decline, Down, DropReply, DropRequest, Faults, Late, Plan


def dealing(*planned: AnyFault, seed: int = 0) -> Faults:
    """A network whose paying operation is 50, with these faults in force."""
    faults = Faults("50")
    faults.put(Plan(seed=seed, faults=planned))
    return faults


def test_plan_is_json() -> None:
    """A plan is read by the names of its faults."""
    late = '{"name":"late","seconds":20,"services":["50","78"]}'
    plan = msgspec.json.decode(f'{{"seed":7,"faults":[{late},{{"name":"down"}}]}}', type=Plan)
    assert plan == Plan(seed=7, faults=(Late(seconds=20, services=("50", "78")), Down()))


@pytest.mark.parametrize(
    "fault",
    [
        '{"name":"explode"}',
        '{"seconds":1}',
        '{"name":"late","second":20}',
        '{"name":"late","seconds":-1}',
        '{"name":"late","seconds":1e9}',
        '{"name":"down","probability":1.5}',
        '{"name":"down","count":-1}',
        '{"name":"decline","case":"200"}',
        '{"name":"garbage","form":"other"}',
    ],
)
def test_plan_that_is_refused(fault: str) -> None:
    """Misspelt names and impossible figures are refused, not ignored."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(f'{{"faults":[{fault}]}}', type=Plan)


def test_first_that_fits_strikes() -> None:
    """Service, merchant and reference must fit; the first such fault is the one."""
    only = DropReply(payee="9360", reference_prefix="TGH")
    faults = dealing(Decline(services=("78",)), only, DropRequest())
    assert faults.strike("50", "9360", "TGH1") is only
    assert isinstance(faults.strike("50", "9361", "TGH1"), DropRequest)
    assert isinstance(faults.strike("50", "9360", "ABC1"), DropRequest)
    assert isinstance(faults.strike("78", "", ""), Decline)
    assert faults.strike("51", "9360", "TGH1") is None
    assert faults.dealt().struck == (1, 1, 2)


def test_count_is_a_limit() -> None:
    """A fault that has struck often enough strikes no more."""
    faults = dealing(DropReply(count=2))
    hits = [faults.strike("50", "", "") is not None for _ in range(4)]
    assert hits == [True, True, False, False]


def test_seed_repeats() -> None:
    """The same seed strikes the same requests; another one others; about as often as it says."""
    runs = [
        [faults.strike("50", "", "") is not None for _ in range(1000)]
        for faults in (dealing(DropReply(probability=0.3), seed=seed) for seed in (1, 1, 2))
    ]
    assert runs[0] == runs[1] != runs[2]
    assert 250 < sum(runs[0]) < 350


def test_down_is_not_dealt() -> None:
    """Down concerns the listener and hides no other fault."""
    faults = dealing(Down(services=("50",)), DropReply())
    assert faults.is_down
    assert isinstance(faults.strike("50", "", ""), DropReply)
    faults.put(Plan())
    assert not faults.is_down
