"""A network counts what it is asked, for rehearsals of too many questions."""

from __future__ import annotations

from tangguh.sim.faults import Faults


def test_questions_are_counted_by_service_and_reference() -> None:
    """All of a service, and the most about one reference, across plans."""
    faults = Faults("50")
    for reference in ("a", "a", "b"):
        faults.strike("51", "", reference)
    faults.strike("50", "", "a")
    dealt = faults.dealt()
    assert dealt.asked == {"51": 3, "50": 1}
    assert dealt.asked_most == {"51": 2, "50": 1}
