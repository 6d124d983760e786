"""Two people who are both present sign one act: proposed, signed and carried, as everywhere else.

For acts on a bank that is stopped, where nobody can be asked by HTTP. Who they are is proved by
their tokens and by nothing they say; the table of acts judges them like anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tangguh.access.acts import Act, refuse_begin
from tangguh.access.approval import Change, ChangeState
from tangguh.access.staff import StaffRegister
from tangguh.audit.trail import Remember
from tangguh.core.ids import Ids
from tangguh.core.outcome import Refusal, Refused
from tangguh.ledger.command import Command
from tangguh.payments.desk import Desk
from tangguh.payments.people.changes import Carry, Propose, Vote


class TwoPresent:
    """Has acts signed by whoever has these two tokens: the first proposes, the second signs."""

    def __init__(self, desk: Desk, staff: StaffRegister, ids: Ids, first: str, second: str) -> None:
        self._desk = desk
        self._staff = staff
        self._ids = ids
        self._tokens = first, second

    async def sign(self, act: Act, subject: str, payload: Mapping[str, Any]) -> Change | Refused:
        """The change, approved and not yet used.

        Refuses APPROVER_NOT_ALLOWED (token) for a token that is nobody's, and what the table and
        ``access.approval`` refuse; what was refused is no longer proposed.
        """
        first, second = [await self._staff.find_by_token(token) for token in self._tokens]
        for who, name in ((first, "first"), (second, "second")):
            if who is None:
                why = f"the {name} token is nobody's"
                return Refused(Refusal.APPROVER_NOT_ALLOWED, "token", why)
        assert first is not None
        assert second is not None
        if refused := refuse_begin(Act.CHANGE_VOTE, second):
            return refused
        made = await self._desk.decide(
            Propose(
                change_id=self._ids.next(),
                kind=act,
                subject=subject,
                payload=payload,
                maker=first,
            )
        )
        if isinstance(made, Refused):
            return made
        everyone = await self._staff.everyone()
        voted = await self._desk.decide(
            Vote(change_id=made.id, by=second, is_yes=True, sha256=made.sha256, everyone=everyone)
        )
        if not isinstance(voted, Refused) and voted.state is ChangeState.APPROVED:
            return voted
        await self._desk.decide(Vote(change_id=made.id, by=first, is_yes=False))
        if isinstance(voted, Refused):
            return voted
        return Refused(Refusal.TWO_PEOPLE_NEEDED, "act", "more people must sign this")

    async def carry(self, change: Change, command: Command[Any]) -> Any:
        """Use the approval up for this command: both, or neither."""
        return await self._desk.decide(
            Carry(change_id=change.id, payload=change.payload, command=command)
        )

    async def use_up(self, change: Change) -> Refused | None:
        """Use the approval up for what is decided next, in more than one step of the book."""
        told = Remember(change.maker.id, f"{change.kind}_signed", change.subject)
        used = await self.carry(change, told)
        return used if isinstance(used, Refused) else None


def signer_of(change: Change) -> str:
    """Who signed besides its maker, as ids of staff."""
    return ",".join(sorted({vote.by.id for vote in change.votes}))
