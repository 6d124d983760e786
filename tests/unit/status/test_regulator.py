"""Clocks of authorities, and drafts that never invent."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import docx
import msgspec
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangguh.core.clock import JAKARTA
from tangguh.core.deadlines import DEADLINES
from tangguh.status.regulator.clocks import Sent, Urgency, clocks_of
from tangguh.status.regulator.drafts import Facts, Figures, Line, Report, draft, monthly, words_of
from tangguh.status.regulator.papers import as_docx, as_pdf

KNOWN = datetime(2025, 3, 29, 4, 20, tzinfo=UTC)
"""11.20 WIB."""


def wib(day: int, month: int, hour: int = 23, minute: int = 59, second: int = 59) -> datetime:
    return datetime(2025, month, day, hour, minute, second, tzinfo=JAKARTA)


BARE = Facts(
    number="INC-1",
    bank="Bank Tangguh",
    kind="protective_restriction",
    known_at=KNOWN,
    begun_at=KNOWN - timedelta(minutes=20),
)
WHOLE = msgspec.structs.replace(
    BARE,
    restored_at=KNOWN + timedelta(hours=4),
    services=("mobile.transfer.bifast",),
    unaffected=("mobile.qris.offus",),
    scope="rail=bifast direction=out",
    cause="orders that the book does not know",
    fix="the participant's key was replaced",
    loss_minor=0,
    customers=3,
    payments=7,
    payments_minor=700_000_00,
    open=1,
    came_back=2,
    arrived=4,
    books_hold=True,
    books_at=KNOWN,
    personal_data="none known",
    people_told=3,
    public_url="https://status.example",
    contact="head of operations",
    police_report="none",
    timeline=(Line(at=KNOWN, what="the rail was closed", by="watch"),),
)


def test_the_clocks_of_the_incident_fall_where_the_rules_say() -> None:
    due = {one.deadline.id: one.due_at for one in clocks_of(KNOWN, personal_data=True)}
    assert due["bi-incident"] == wib(29, 3, 12, 20, 0)
    assert due["ojk-initial"] == wib(30, 3, 11, 20, 0)
    assert due["pdp-breach"] == wib(1, 4, 11, 20, 0)
    assert due["ojk-report"] == wib(14, 4)
    assert "pdp-breach" not in {one.deadline.id for one in clocks_of(KNOWN, personal_data=False)}


def test_a_clock_stops_with_the_first_report_that_was_sent() -> None:
    first = Sent(deadline_id="ojk-initial", at=KNOWN, by="staff:1", sha256="a")
    again = msgspec.structs.replace(first, at=KNOWN + timedelta(days=2), sha256="b")
    (clock,) = [
        one
        for one in clocks_of(KNOWN, personal_data=False, sent=(again, first))
        if one.deadline.id == "ojk-initial"
    ]
    assert clock.sent == first
    assert clock.urgency(KNOWN + timedelta(days=9)) is Urgency.SENT


def test_a_clock_says_when_it_becomes_urgent_and_when_it_is_late() -> None:
    (bi, *_) = clocks_of(KNOWN - timedelta(hours=1), personal_data=False)
    assert bi.urgency(KNOWN) is Urgency.SOON
    assert bi.urgency(KNOWN + timedelta(seconds=1)) is Urgency.LATE
    ojk = clocks_of(KNOWN, personal_data=False)[1]
    assert ojk.urgency(KNOWN) is Urgency.RUNNING


def test_every_deadline_has_a_source_and_says_how_certain_it_is() -> None:
    for row in DEADLINES.values():
        assert row.source
        assert bool(row.hours) != bool(row.workdays), row.id


@pytest.mark.parametrize("report", [Report.INITIAL, Report.FULL, Report.BREACH])
@pytest.mark.parametrize("language", ["id", "en"])
def test_what_nobody_recorded_is_marked_and_listed(report: Report, language: str) -> None:
    made = draft(report, BARE, clocks_of(KNOWN, personal_data=True), language)
    mark = words_of(language)["mark"]["fill"].partition("{")[0]
    marked = [
        label for one in made.sections for label, *rest in one.fields if rest[0].startswith(mark)
    ]
    assert set(marked) <= set(made.missing)
    assert words_of(language)["field"]["cause"] in made.missing


@pytest.mark.parametrize("report", [Report.INITIAL, Report.FULL, Report.BREACH])
def test_a_whole_record_leaves_nothing_to_fill_in(report: Report) -> None:
    made = draft(report, WHOLE, clocks_of(KNOWN, personal_data=True))
    assert made.missing == ()


def test_nought_is_a_number_and_unknown_is_not() -> None:
    none = msgspec.structs.replace(WHOLE, payments=0)
    unknown = msgspec.structs.replace(WHOLE, payments=None)
    assert draft(Report.INITIAL, none, []).missing == ()
    assert draft(Report.INITIAL, unknown, []).missing == ("Transaksi terdampak",)


@pytest.mark.parametrize("language", ["id", "en"])
def test_both_papers_hold_the_same_and_can_be_read(language: str) -> None:
    made = draft(Report.FULL, WHOLE, clocks_of(KNOWN, personal_data=True), language)
    words = docx.Document(io.BytesIO(as_docx(made)))
    text = "\n".join(
        [one.text for one in words.paragraphs]
        + [cell.text for table in words.tables for row in table.rows for cell in row.cells]
    )
    pdf = pypdfium2.PdfDocument(as_pdf(made))
    read = " ".join(pdf[n].get_textpage().get_text_range() for n in range(len(pdf)))
    pdf.close()
    for wanted in ("INC-1", "Rp700.000", "BI-FAST", "POJK 11/POJK.03/2022"):
        assert wanted in text
        assert wanted in read


def test_the_months_figures_add_up() -> None:
    figures = Figures(
        bank="Bank Tangguh",
        month="2025-04",
        opened={"failed_debited": 7, "safety": 3},
        decided={"money_free": 6},
        still_open=4,
        overdue=0,
        contact="complaints",
    )
    made = monthly(figures, "en")
    assert ("Complaints opened", "10") in made.sections[0].fields
    assert made.missing == ()


def test_the_two_languages_have_the_same_texts() -> None:
    def keys(language: str) -> set[str]:
        return {f"{a}.{b}" for a, table in words_of(language).items() for b in table}

    assert keys("id") == keys("en")


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=80), st.text(max_size=200))
def test_whatever_people_wrote_becomes_a_paper(cause: str, what: str) -> None:
    """Control characters, markup, half surrogates of a hostile timeline: it is still a document."""
    odd = msgspec.structs.replace(WHOLE, cause=cause, timeline=(Line(at=KNOWN, what=what),))
    made = draft(Report.FULL, odd, [])
    assert as_docx(made)
    assert as_pdf(made).startswith(b"%PDF-")
