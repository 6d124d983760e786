"""Every act of staff and what it takes: who may begin it, who must sign, how much it may pay. Pure.

One table, asked by every route, command and step of the book. An act that is not in it cannot be
done; whoever adds one says here what it takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from tangguh.access.approval import BANK, Change, Rule
from tangguh.access.people import CASE_ROLES, GATE_ROLES, Role, Staff
from tangguh.core.money import RUPIAH
from tangguh.core.outcome import Refusal, Refused


class Kind(StrEnum):
    """What an act does to customers. What opens or pays always takes two people."""

    READS = "reads"
    TELLS = "tells"
    CLOSES = "closes"
    OPENS = "opens"
    PAYS = "pays"
    SETS = "sets"
    """Changes what is decided later: rules, tariffs."""
    SERVES = "serves"
    """Acts on one customer's case; moves no money of the bank."""
    PROVES = "proves"
    """What somebody of staff is known by; of their own, or by two people."""
    SIGNS = "signs"
    """Votes on what others proposed; what that takes its own act says."""


class Act(StrEnum):
    """An act of staff. Those that are signed are kinds of changes in the chain: never renamed."""

    READ = "read"
    READ_CASES = "read.cases"
    """The queue and the figures; a case itself is another act."""
    READ_CASE = "read.case"
    READ_PAYMENT = "read.payment"
    READ_CUSTOMER = "read.customer"
    PREVIEW = "preview"
    CHANGE_VOTE = "change.vote"
    DEVICE_ISSUE = "device.issue"
    """To oneself; the first by the token, others from a device one has."""
    DEVICE_END = "device.end"
    DEVICE_RESET = "device.reset"
    """All of somebody else's, who then begins anew."""

    GATE_CLOSE_ALONE = "gate.close_alone"
    GATE_CLOSE = "gate.close"
    """The whole bank."""
    GATE_CONFIRM_ALONE = "gate.confirm_alone"
    GATE_CONFIRM = "gate.confirm"
    GATE_WIDEN = "gate.widen"
    GATE_NARROW = "gate.narrow"
    GATE_FALSE_POSITIVE = "gate.false_positive"
    LADDER_START = "ladder.start"
    LADDER_CLIMB = "ladder.climb"
    LADDER_BACK = "ladder.back"

    RULE_SET_ALONE = "rule.set_alone"
    RULE_SET = "rule.set"
    TARIFF_SET = "tariff.set"
    """A limit, a fee or a discount, while the bank is stopped."""
    BREAK_REPAIRED = "break.repair"
    SUSPENSE_CLEARED = "suspense.clear"
    FILE_SUPERSEDED = "file.supersede"
    """Another file for a cycle that was run."""
    OUTFLOW_BOOKED = "outflow.booked"
    CARE_BULK = "care.bulk"
    CARE_PAY = "care.pay"

    COMPONENT_WORSE = "status.worse"
    COMPONENT = "status.override"
    """Better than shown, or down."""
    INCIDENT_OPEN = "incident.open"
    INCIDENT_WORD = "incident.word"
    INCIDENT_REVIEW = "incident.review"
    INCIDENT_DISCARD = "incident.discard"
    REPORT_SENT = "report.sent"

    CASE_OPEN = "case.open"
    CASE_ACT = "case.act"
    CASE_ANSWER = "case.answer"


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What an act takes.

    ``makers``: one of these roles begins it. ``rule``: who must sign besides; None: nobody.
    ``by_rung``: what the ladder asks for its next rung, proposed by the bank. ``most_minor``: at
    most so much of the bank's money at once. ``is_noted``: it changes nothing and is written into
    the trail all the same, since it shows what is somebody's own.
    """

    kind: Kind
    makers: frozenset[Role]
    rule: Rule | None = None
    by_rung: bool = False
    most_minor: int | None = None
    is_noted: bool = False

    @property
    def is_signed(self) -> bool:
        """Whether it takes more than whoever begins it."""
        return self.rule is not None or self.by_rung


_ANY: Final = frozenset(Role)
_RISK: Final = Rule(roles=(Role.RISK_OFFICER,), people=1, other_lines=True)
_TWO: Final = Rule(roles=(Role.INCIDENT_COMMANDER, Role.RISK_OFFICER), people=2, other_lines=True)
_COMMANDER: Final = frozenset({Role.INCIDENT_COMMANDER})


def _needs(
    kind: Kind, makers: frozenset[Role], rule: Rule | None = None, most_minor: int | None = None
) -> Needs:
    return Needs(kind=kind, makers=makers, rule=rule, most_minor=most_minor)


ACTS: Final[Mapping[Act, Needs]] = {
    Act.READ: _needs(Kind.READS, _ANY),
    Act.READ_CASES: _needs(Kind.READS, CASE_ROLES),
    Act.READ_CASE: Needs(kind=Kind.READS, makers=CASE_ROLES, is_noted=True),
    Act.READ_PAYMENT: Needs(kind=Kind.READS, makers=_ANY, is_noted=True),
    Act.READ_CUSTOMER: Needs(kind=Kind.READS, makers=CASE_ROLES, is_noted=True),
    Act.PREVIEW: _needs(Kind.READS, _ANY),
    Act.CHANGE_VOTE: _needs(Kind.SIGNS, _ANY),
    Act.DEVICE_ISSUE: _needs(Kind.PROVES, _ANY),
    Act.DEVICE_END: _needs(Kind.PROVES, _ANY),
    Act.DEVICE_RESET: _needs(Kind.PROVES, _ANY, _RISK),
    Act.GATE_CLOSE_ALONE: _needs(Kind.CLOSES, GATE_ROLES),
    Act.GATE_CLOSE: _needs(Kind.CLOSES, GATE_ROLES, _TWO),
    Act.GATE_CONFIRM_ALONE: _needs(Kind.CLOSES, GATE_ROLES),
    Act.GATE_CONFIRM: _needs(Kind.CLOSES, GATE_ROLES, _RISK),
    Act.GATE_WIDEN: _needs(Kind.CLOSES, GATE_ROLES, _RISK),
    Act.GATE_NARROW: _needs(Kind.OPENS, GATE_ROLES, _RISK),
    Act.GATE_FALSE_POSITIVE: _needs(Kind.OPENS, GATE_ROLES, _RISK),
    # It names the cause and opens nothing: each rung that does is signed by its roles.
    Act.LADDER_START: _needs(Kind.TELLS, _COMMANDER),
    Act.LADDER_CLIMB: Needs(kind=Kind.OPENS, makers=frozenset(), by_rung=True),
    Act.LADDER_BACK: _needs(Kind.CLOSES, GATE_ROLES),
    Act.RULE_SET_ALONE: _needs(Kind.SETS, GATE_ROLES),
    Act.RULE_SET: _needs(Kind.SETS, GATE_ROLES, _RISK),
    Act.TARIFF_SET: _needs(Kind.SETS, GATE_ROLES, _RISK),
    Act.BREAK_REPAIRED: _needs(Kind.PAYS, GATE_ROLES, _RISK),
    Act.SUSPENSE_CLEARED: _needs(Kind.PAYS, GATE_ROLES, _RISK),
    Act.FILE_SUPERSEDED: _needs(Kind.PAYS, GATE_ROLES, _RISK),
    Act.OUTFLOW_BOOKED: _needs(Kind.PAYS, GATE_ROLES, _RISK),
    Act.CARE_BULK: _needs(Kind.PAYS, GATE_ROLES, _RISK),
    Act.CARE_PAY: _needs(Kind.PAYS, CASE_ROLES, _RISK, 10_000_000 * RUPIAH),
    Act.COMPONENT_WORSE: _needs(Kind.TELLS, GATE_ROLES),
    Act.COMPONENT: _needs(Kind.TELLS, GATE_ROLES, _RISK),
    Act.INCIDENT_OPEN: _needs(Kind.TELLS, GATE_ROLES),
    Act.INCIDENT_WORD: _needs(Kind.TELLS, GATE_ROLES),
    Act.INCIDENT_REVIEW: _needs(Kind.TELLS, GATE_ROLES),
    Act.INCIDENT_DISCARD: _needs(Kind.TELLS, GATE_ROLES),
    Act.REPORT_SENT: _needs(Kind.TELLS, GATE_ROLES),
    Act.CASE_OPEN: _needs(Kind.SERVES, CASE_ROLES),
    Act.CASE_ACT: _needs(Kind.SERVES, CASE_ROLES),
    Act.CASE_ANSWER: _needs(Kind.SERVES, CASE_ROLES),
}


def refuse_begin(act: Act, who: Staff) -> Refused | None:
    """Whether somebody may begin an act: do it, or propose it. Refuses APPROVER_NOT_ALLOWED."""
    if not who.is_active:
        return Refused(Refusal.APPROVER_NOT_ALLOWED, "staff", f"{who.id} is frozen")
    needs = ACTS[act]
    if needs.by_rung and who.id == BANK.id:
        return None
    if needs.makers.isdisjoint(who.roles):
        asked = ", ".join(sorted(needs.makers)) or "nobody"
        return Refused(Refusal.APPROVER_NOT_ALLOWED, "roles", f"{act} is for {asked}")
    return None


def refuse_alone(act: Act, who: Staff) -> Refused | None:
    """Whether somebody may do an act with nobody else.

    Refuses APPROVER_NOT_ALLOWED, and TWO_PEOPLE_NEEDED for one that is signed.
    """
    if ACTS[act].is_signed:
        return Refused(Refusal.TWO_PEOPLE_NEEDED, "act", f"{act} is proposed and signed")
    return refuse_begin(act, who)


def rule_of(kind: str) -> Rule | Refused:
    """Who must sign a change of this kind. Refuses ORDER_INVALID for what is not signed, or no act.

    What the ladder proposes has the rule of its rung instead.
    """
    needs = ACTS[Act(kind)] if kind in set(Act) else None
    if needs is None or needs.rule is None:
        return Refused(Refusal.ORDER_INVALID, "kind", f"nobody signs a {kind!r}")
    return needs.rule


def refuse_carry(change: Change) -> Refused | None:
    """Whether what was signed is what the table asks now. Refuses CHANGE_DIFFERS."""
    needs = ACTS[Act(change.kind)] if change.kind in set(Act) else None
    if needs is None or (not needs.by_rung and needs.rule != change.rule):
        return Refused(Refusal.CHANGE_DIFFERS, "rule", "it was signed under another rule")
    return None


def refuse_amount(act: Act, amount_minor: int) -> Refused | None:
    """Whether an act may pay so much. Refuses AMOUNT_NOT_POSITIVE and AMOUNT_TOO_LARGE."""
    if amount_minor <= 0:
        return Refused(Refusal.AMOUNT_NOT_POSITIVE, "amount", "at least one sen")
    most = ACTS[act].most_minor
    if most is not None and amount_minor > most:
        return Refused(Refusal.AMOUNT_TOO_LARGE, "amount", f"at most {most // RUPIAH} rupiah")
    return None
