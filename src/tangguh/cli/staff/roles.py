"""``tangguh staff roles``: which role begins and signs what, and who has it in a demo."""

from __future__ import annotations

from typing import Any, Final

from tangguh.access.acts import ACTS, Act, Kind
from tangguh.access.people import Role
from tangguh.cli.invocation import invoked
from tangguh.cli.staff.line import Json, show
from tangguh.customers.crew import CREW

_EVERYBODYS: Final = frozenset(Role)
_MEANT: Final = {
    Kind.READS: "reads",
    Kind.TELLS: "tells",
    Kind.CLOSES: "closes",
    Kind.OPENS: "opens",
    Kind.PAYS: "pays",
    Kind.SETS: "sets rules and tariffs",
    Kind.SERVES: "serves a case",
    Kind.PROVES: "proves who somebody is",
    Kind.SIGNS: "votes",
}
"""What a kind of act is called for people."""


def roles(*, as_json: Json = False) -> None:
    """Every role: what it may begin, what it may sign, and who has it in a demo."""
    told = {str(role): _told(role) for role in Role}
    if as_json:
        show({"roles": told, "everybody_with_a_role": _names(_everybodys())})
        return
    for name, one in told.items():
        print(f"{name}  ({', '.join(one['in_a_demo'])})")
        for kind, acts in one["begins"].items():
            print(f"  begins, {kind}: {', '.join(acts)}")
        if one["signs"]:
            print(f"  signs what others began: {', '.join(one['signs'])}")
    print(f"everybody with a role: {', '.join(_names(_everybodys()))}")
    print("\nA demo keeps their tokens in keys/staff.json of its data directory. As staff:1:")
    print(f"  TANGGUH_STAFF_TOKEN=the-token {invoked()} gate list")


def _told(role: Role) -> dict[str, Any]:
    begins: dict[str, list[str]] = {}
    for act, needs in ACTS.items():
        if role in needs.makers and needs.makers != _EVERYBODYS:
            begins.setdefault(_MEANT[needs.kind], []).append(str(act))
    signs = [act for act, needs in ACTS.items() if needs.rule and role in needs.rule.roles]
    return {
        "in_a_demo": [one.id for one in CREW if role in one.roles],
        "begins": begins,
        "signs": _names(signs),
    }


def _everybodys() -> list[Act]:
    return [act for act, needs in ACTS.items() if needs.makers == _EVERYBODYS]


def _names(acts: list[Act]) -> list[str]:
    return [str(act) for act in acts]
