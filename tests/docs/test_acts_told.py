"""The table of acts that people read is the one the bank asks."""

from __future__ import annotations

from pathlib import Path

from tangguh.access.acts import ACTS
from tangguh.access.people import Role

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "acts.md"
WHO = {6: "everybody with a role", 5: "all but the complaints officer", 0: "the bank itself"}


def test_every_act_is_told_as_it_is() -> None:
    lines = GUIDE.read_text("utf-8").splitlines()
    told = {line.split("`")[1]: line for line in lines if line.startswith("| `")}
    assert set(told) == set(map(str, ACTS))
    for act, needs in ACTS.items():
        _, _, kind, makers, signs, most, noted, _ = (cell.strip() for cell in told[act].split("|"))
        assert kind == needs.kind
        assert makers == (WHO.get(len(needs.makers)) or ", ".join(sorted(needs.makers)))
        if needs.by_rung:
            assert signs == "as its rung asks"
        else:
            assert signs == (" and ".join(needs.rule.roles) if needs.rule is not None else "–")
        assert noted == ("yes" if needs.is_noted or kind != "reads" else "–")
        cap = needs.most_minor
        assert most == ("–" if cap is None else f"Rp {cap // 100:,}")
    assert len(Role) == 6
