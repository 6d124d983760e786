"""The steps a case may take, each as a value: what people and the clock ask of the book. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tangguh.core.outcome import Refused
from tangguh.disputes import case as cases
from tangguh.disputes.case import Case, Evidence, Outcome


class ToWaiting(msgspec.Struct, frozen=True, tag="waiting"):
    """Its payment's clock ends it; look again by then."""

    until: datetime
    why: str

    def take(self, case: Case, _now: datetime) -> Case | Refused:
        """The case after it."""
        return cases.wait(case, self.until, self.why)


class LookAgain(msgspec.Struct, frozen=True, tag="look_again"):
    """It still waits, for another time."""

    until: datetime
    why: str

    def take(self, case: Case, _now: datetime) -> Case | Refused:
        """The case after it."""
        later = min(self.until, case.due_at)
        return msgspec.structs.replace(case, act_by=later, why=self.why, events=case.events + 1)


class ToStaff(msgspec.Struct, frozen=True, tag="with_staff"):
    """People decide."""

    why: str

    def take(self, case: Case, now: datetime) -> Case | Refused:
        """The case after it."""
        return cases.give_to_staff(case, now, self.why)


class AskPapers(msgspec.Struct, frozen=True, tag="papers_asked"):
    """The person's turn."""

    what: str

    def take(self, case: Case, now: datetime) -> Case | Refused:
        """The case after it."""
        return cases.ask_papers(case, now, self.what)


class PapersCame(msgspec.Struct, frozen=True, tag="papers_came"):
    """The papers are complete."""

    def take(self, case: Case, now: datetime) -> Case | Refused:
        """The case after it."""
        return cases.complete(case, now)


class Extend(msgspec.Struct, frozen=True, tag="extended"):
    """Ten working days more, with notice."""

    why: str

    def take(self, case: Case, now: datetime) -> Case | Refused:
        """The case after it."""
        return cases.extend(case, now, self.why)


class Escalate(msgspec.Struct, frozen=True, tag="escalated"):
    """To the head of complaints."""

    why: str

    def take(self, case: Case, _now: datetime) -> Case | Refused:
        """The case after it."""
        return cases.escalate(case, self.why)


class Answer(msgspec.Struct, frozen=True, tag="decided"):
    """The decision."""

    outcome: Outcome
    why: str
    by: str

    def take(self, case: Case, now: datetime) -> Case | Refused:
        """The case after it."""
        return cases.decide(case, self.outcome, self.by, self.why, now)


class Object(msgspec.Struct, frozen=True, tag="objected"):
    """The person does not agree."""

    def take(self, case: Case, now: datetime) -> Case | Refused:
        """The case after it."""
        return cases.object_to(case, now)


class Attach(msgspec.Struct, frozen=True, tag="evidence"):
    """One more file."""

    evidence: Evidence

    def take(self, case: Case, _now: datetime) -> Case | Refused:
        """The case after it."""
        return cases.attach(case, self.evidence)


class Tick(msgspec.Struct, frozen=True, tag="clock"):
    """What its clock alone does to it."""

    def take(self, case: Case, now: datetime) -> Case | Refused:
        """The case after it; the same when nothing is due."""
        moved = cases.overdue_step(case, now)
        return case if moved is None else moved


Step = (
    ToWaiting
    | LookAgain
    | ToStaff
    | AskPapers
    | PapersCame
    | Extend
    | Escalate
    | Answer
    | Object
    | Attach
    | Tick
)
