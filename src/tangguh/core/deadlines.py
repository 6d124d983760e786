"""Every deadline an authority sets us, in one table, with its source and how certain we are. Pure.

A clock starts at an instant (what was known, when papers were complete) and runs in hours or in
working days of Indonesian banks. What no rule text was found for says so: the bank then keeps the
shorter reading as its own target.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from tangguh.core.workdays import end_of_workday


class Certainty(StrEnum):
    """How sure we are that the rule says so."""

    CERTAIN = "certain"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """One row. ``hours`` or ``workdays`` is set, never both; ``starts`` says what starts it."""

    id: str
    authority: str
    what: str
    starts: str
    hours: int = 0
    workdays: int = 0
    source: str
    certainty: Certainty

    def due(self, start: datetime) -> datetime:
        """The last moment, for a clock that started then."""
        if self.hours:
            return start + timedelta(hours=self.hours)
        return end_of_workday(start, self.workdays)


BI_INCIDENT: Final = "bi-incident"
OJK_INITIAL: Final = "ojk-initial"
OJK_REPORT: Final = "ojk-report"
PDP_BREACH: Final = "pdp-breach"
COMPLAINT_ORAL: Final = "complaint-oral"
COMPLAINT_WRITTEN: Final = "complaint-written"
COMPLAINT_EXTENDED: Final = "complaint-extended"
COMPLAINT_PAPERS: Final = "complaint-papers"
QRIS_REFUND: Final = "qris-refund"

DEADLINES: Final[dict[str, Deadline]] = {
    row.id: row
    for row in (
        Deadline(
            id=BI_INCIDENT,
            authority="Bank Indonesia",
            what="initial word of an incident or a data leak",
            starts="the incident is known",
            hours=1,
            source="a BI official's statement, 29 Nov 2021; the rule's number was not found",
            certainty=Certainty.LOW,
        ),
        Deadline(
            id=OJK_INITIAL,
            authority="OJK",
            what="first notice of an IT incident",
            starts="the incident is known",
            hours=24,
            source="POJK 11/POJK.03/2022 art. 60",
            certainty=Certainty.CERTAIN,
        ),
        Deadline(
            id=OJK_REPORT,
            authority="OJK",
            what="full report of an IT incident",
            starts="the incident is known",
            workdays=5,
            source="POJK 11/POJK.03/2022 art. 60",
            certainty=Certainty.CERTAIN,
        ),
        Deadline(
            id=PDP_BREACH,
            authority="the personal-data agency, and every data subject",
            what="written notice of a personal-data breach",
            starts="the breach is known",
            hours=72,
            source="UU 27/2022 art. 46",
            certainty=Certainty.CERTAIN,
        ),
        Deadline(
            id=COMPLAINT_ORAL,
            authority="OJK",
            what="answer to an oral complaint",
            starts="the complaint is received",
            workdays=5,
            source="POJK 22/2023",
            certainty=Certainty.HIGH,
        ),
        Deadline(
            id=COMPLAINT_WRITTEN,
            authority="OJK",
            what="answer to a written complaint",
            starts="the papers are complete",
            workdays=10,
            source="POJK 22/2023",
            certainty=Certainty.HIGH,
        ),
        Deadline(
            id=COMPLAINT_EXTENDED,
            authority="OJK",
            what="answer to a written complaint, once extended with notice before it was due",
            starts="the papers are complete",
            workdays=20,
            source="POJK 22/2023",
            certainty=Certainty.HIGH,
        ),
        Deadline(
            id=COMPLAINT_PAPERS,
            authority="OJK",
            what="the customer completes the papers",
            starts="the bank asked for them",
            workdays=10,
            source="POJK 22/2023",
            certainty=Certainty.MEDIUM,
        ),
        Deadline(
            id=QRIS_REFUND,
            authority="Bank Indonesia",
            what="refund of a QRIS payment",
            starts="the refund is agreed",
            workdays=7,
            source="public guidance, not a rule's text",
            certainty=Certainty.MEDIUM,
        ),
    )
}


def due(deadline_id: str, start: datetime) -> datetime:
    """When a clock of this table runs out."""
    return DEADLINES[deadline_id].due(start)
