"""Between the ladder and the two-person rule: ask for a rung, read the signatures back. Pure.

The bank itself proposes the rung, so everybody who signs is a person. What they sign is this turn
of this climb with its exposure and its explanation; of any other turn the signatures say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from tangguh.access.approval import (
    BANK,
    Change,
    ChangeState,
    Rule,
    canonical,
    digest_of,
    propose,
)
from tangguh.core.outcome import Refused
from tangguh.recovery.climb import Approval, Climb, payload_of

KIND: Final = "ladder.climb"


def ask(
    climb: Climb, change_id: UUID, now: datetime, *, known: Iterable[Change] = ()
) -> Change | Refused | None:
    """Propose the next rung to those who must sign; None when nobody must.

    Refuses CHANGE_ALREADY_PENDING while one of ``known`` for this very turn is open. One for an
    earlier turn is void and stands in nobody's way.
    """
    roles = climb.roles_above
    if not roles:
        return None
    return propose(
        change_id,
        KIND,
        climb.closure_id,
        payload_of(climb),
        maker=BANK,
        now=now,
        rule=Rule(roles=roles, people=len(roles), other_lines=len(roles) > 1),
        suspected_group=climb.suspected_group,
        known=[one for one in known if is_about(one, climb)],
    )


def is_about(change: Change, climb: Climb) -> bool:
    """Whether the change proposes exactly what this climb's next step would do now."""
    wanted = canonical(payload_of(climb))
    digest = digest_of(KIND, climb.closure_id, wanted)
    return change.kind == KIND and change.payload == wanted and change.sha256 == digest


def approvals_of(climb: Climb, changes: Iterable[Change]) -> tuple[Approval, ...]:
    """The signatures under changes that were approved for this turn, as the ladder takes them.

    A change that still lacks somebody, or was denied, gives none: what is not whole is nothing.
    """
    return tuple(
        Approval(
            closure_id=climb.closure_id, turn=climb.turn, role=role, staff_id=vote.by.id, at=vote.at
        )
        for change in changes
        if change.state is ChangeState.APPROVED and is_about(change, climb)
        for vote in change.votes
        for role in sorted(vote.by.roles & set(change.rule.roles))
    )
