"""Two people: a change is proposed by one and approved by others, over its exact bytes. Pure.

    pending ──► approved ──► used      (used once, before it expires)
        │           │
        └───────────┴──────► denied    (one no is enough)

Nobody approves their own change, nor through a second account, nor for a group that is suspected.
What was approved is what is done: another payload has another hash and is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from tangguh.access.people import Role, Staff, are_in_one_line, are_one_person, lacking
from tangguh.core.outcome import Refusal, Refused

EXPIRES_SECONDS: Final = 15 * 60

BANK: Final = Staff(id="bank:ladder", hr_id="bank:ladder")
"""The maker of what the bank itself proposes, such as the next rung. It approves nothing."""


class ChangeState(StrEnum):
    """Where a change is. ``denied`` and ``used`` are ends; time ends the others."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    USED = "used"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Who must say yes: the roles, each by another person, and at least so many people.

    ``other_lines``: nobody who signs reports to, or beside, anybody else who signs or the maker.
    """

    roles: tuple[Role, ...] = ()
    people: int = 1
    other_lines: bool = False

    def __post_init__(self) -> None:
        if self.people < 1:
            raise ValueError("a change is approved by at least one other person")


class Vote(msgspec.Struct, frozen=True, kw_only=True):
    """One yes or no, by whom as they were known then."""

    by: Staff
    at: datetime
    is_yes: bool


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One proposed change. ``payload`` is canonical JSON; ``sha256`` covers kind and subject too.

    ``suspected_group``: the team the change is about, which has no say in it.
    """

    id: UUID
    kind: str
    subject: str
    payload: bytes
    sha256: str
    maker: Staff
    made_at: datetime
    rule: Rule
    suspected_group: str = ""
    state: ChangeState = ChangeState.PENDING
    votes: tuple[Vote, ...] = ()

    @property
    def expires_at(self) -> datetime:
        """From then on it can neither be approved nor used."""
        return self.made_at + timedelta(seconds=EXPIRES_SECONDS)

    @property
    def lacking_roles(self) -> tuple[Role, ...]:
        """The roles still missing."""
        return lacking(self.rule.roles, {one.by.id: one.by.roles for one in self.votes})

    def is_live(self, now: datetime) -> bool:
        """Whether it still stands in the way of another for the same subject."""
        is_open = self.state in {ChangeState.PENDING, ChangeState.APPROVED}
        return is_open and now < self.expires_at


def canonical(payload: Mapping[str, Any]) -> bytes:
    """The payload as the bytes that are hashed: sorted keys, no spaces."""
    return msgspec.json.encode(payload, order="sorted")


def digest_of(kind: str, subject: str, payload: bytes) -> str:
    """The SHA-256 people agree to."""
    return hashlib.sha256(b"\n".join((canonical({"k": kind, "s": subject}), payload))).hexdigest()


def propose(
    change_id: UUID,
    kind: str,
    subject: str,
    payload: Mapping[str, Any],
    *,
    maker: Staff,
    now: datetime,
    rule: Rule,
    suspected_group: str = "",
    known: Iterable[Change] = (),
) -> Change | Refused:
    """Propose a change. ``known``: what was proposed before, of which one may still be open.

    Refuses CHANGE_ALREADY_PENDING, and APPROVER_NOT_ALLOWED for a maker who may sign nothing.
    """
    if refused := _refuse_person(maker, suspected_group, "maker"):
        return refused
    for one in known:
        if (one.kind, one.subject) == (kind, subject) and one.is_live(now):
            detail = f"{one.id} by {one.maker.id} is open until {one.expires_at.isoformat()}"
            return Refused(Refusal.CHANGE_ALREADY_PENDING, "subject", detail)
    encoded = canonical(payload)
    return Change(
        id=change_id,
        kind=kind,
        subject=subject,
        payload=encoded,
        sha256=digest_of(kind, subject, encoded),
        maker=maker,
        made_at=now,
        rule=rule,
        suspected_group=suspected_group,
    )


def approve(
    change: Change,
    approver: Staff,
    sha256: str,
    now: datetime,
    *,
    everyone: Sequence[Staff] = (),
) -> Change | Refused:
    """Say yes to the change whose hash the approver was shown.

    ``everyone``: the accounts of the bank, through which two accounts may turn out to be one line.
    """
    if refused := _refuse_now(change, ChangeState.PENDING, sha256, now):
        return refused
    if refused := _refuse_approver(change, approver, everyone):
        return refused
    votes = (*change.votes, Vote(by=approver, at=now, is_yes=True))
    voted = msgspec.structs.replace(change, votes=votes)
    is_done = len(votes) >= change.rule.people and not voted.lacking_roles
    return msgspec.structs.replace(voted, state=ChangeState.APPROVED) if is_done else voted


def deny(change: Change, by: Staff, now: datetime) -> Change | Refused:
    """Say no: the change is dead. Its maker may, and whoever could have said yes in a role."""
    if change.state not in {ChangeState.PENDING, ChangeState.APPROVED}:
        return Refused(Refusal.CHANGE_ENDED, "state", f"it is {change.state}")
    if now >= change.expires_at:
        return Refused(Refusal.CHANGE_EXPIRED, "made_at", _until(change))
    if by.id != change.maker.id:
        if refused := _refuse_person(by, change.suspected_group, "by"):
            return refused
        if refused := _refuse_role(change, by):
            return refused
    votes = (*change.votes, Vote(by=by, at=now, is_yes=False))
    return msgspec.structs.replace(change, state=ChangeState.DENIED, votes=votes)


def use(change: Change, payload: bytes, now: datetime) -> Change | Refused:
    """Use up an approval for exactly this payload, once: the first step of carrying it out."""
    sha256 = digest_of(change.kind, change.subject, payload)
    if refused := _refuse_now(change, ChangeState.APPROVED, sha256, now):
        return refused
    return msgspec.structs.replace(change, state=ChangeState.USED)


# ---- refusals --------------------------------------------------------------------------------


def _refuse_now(change: Change, wanted: ChangeState, sha256: str, now: datetime) -> Refused | None:
    """Another state, too late, or another payload than the one that was proposed."""
    if change.state is not wanted:
        return Refused(Refusal.CHANGE_ENDED, "state", f"it is {change.state}, not {wanted}")
    if not change.made_at <= now < change.expires_at:
        return Refused(Refusal.CHANGE_EXPIRED, "made_at", _until(change))
    kept = digest_of(change.kind, change.subject, change.payload)
    if not sha256 == change.sha256 == kept:
        return Refused(Refusal.CHANGE_DIFFERS, "sha256", "what was shown is not what is proposed")
    return None


def _refuse_approver(change: Change, approver: Staff, everyone: Sequence[Staff]) -> Refused | None:
    if refused := _refuse_person(approver, change.suspected_group, "approver"):
        return refused
    signers = (change.maker, *(one.by for one in change.votes))
    for signer in signers:
        if are_one_person(signer, approver):
            detail = f"{approver.id} and {signer.id} are one person"
            return Refused(Refusal.SAME_PERSON, "approver", detail)
        if change.rule.other_lines and are_in_one_line(signer, approver, everyone):
            detail = f"{approver.id} and {signer.id} are in one reporting line"
            return Refused(Refusal.APPROVER_NOT_ALLOWED, "approver", detail)
    return _refuse_role(change, approver)


def _refuse_person(who: Staff, suspected_group: str, field: str) -> Refused | None:
    if not who.is_active:
        return Refused(Refusal.APPROVER_NOT_ALLOWED, field, f"{who.id} is frozen")
    if suspected_group and who.group == suspected_group:
        detail = f"{who.id} is of the group the change is about"
        return Refused(Refusal.APPROVER_NOT_ALLOWED, field, detail)
    return None


def _refuse_role(change: Change, who: Staff) -> Refused | None:
    if who.id == BANK.id or (change.rule.roles and who.roles.isdisjoint(change.rule.roles)):
        detail = f"{who.id} has none of the roles that are asked"
        return Refused(Refusal.APPROVER_NOT_ALLOWED, "roles", detail)
    return None


def _until(change: Change) -> str:
    return f"it was open until {change.expires_at.isoformat()}"
