"""Following reports: the list, and one with its number, its clock, its files and its answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
from starlette.responses import Response

from tangguh.core.outcome import Refusal, Refused
from tangguh.disputes.case import Case
from tangguh.web.care import desk as care
from tangguh.web.care.story import label_of, said_in, steps_of, tell
from tangguh.web.pages.frame import Page, Visit, redirect
from tangguh.web.problems import Trouble, of_refused
from tangguh.web.words import LANGUAGES

_CASES_MAX: Final = 50


class CaseRow(msgspec.Struct, frozen=True):
    """A line of the list."""

    href: str
    number: str
    about: str
    label: str
    by: str
    at: datetime
    icon: str
    tone: str


class Shown(msgspec.Struct, frozen=True):
    """One file of a case: its name for people and where each page is."""

    number: int
    pages: list[str]


async def show_reports(visit: Visit) -> Response:
    """Every report of the reader, newest first."""
    now = visit.door.clock.now()
    store = care.complaints_of(visit.door).store
    found = await store.of_customer(visit.me.customer_id, _CASES_MAX)
    return visit.page("reports.html", rows=[_row(visit, case, now) for case in found])


async def show_case(visit: Visit) -> Response:
    """One report: how it stands, what happens next and by when."""
    case = await _own(visit)
    return await case_page(visit, case, f"/reports/{case.id}", "case.html")


async def add_message(visit: Visit) -> Response:
    """Write more, or object to the answer."""
    case = await _own(visit)
    by, home = f"customer:{visit.me.customer_id}", f"/reports/{case.id}"
    return await take_message(visit, case, by, home, "case.html")


async def add_file(visit: Visit) -> Response:
    """Take one file; a refusal is said beside the field."""
    case = await _own(visit)
    by, home = f"customer:{visit.me.customer_id}", f"/reports/{case.id}"
    return await take_upload(visit, case, by, home, "case.html", rate=by)


async def show_file(visit: Visit) -> Response:
    """One page of one's own evidence."""
    return await file_answer(visit, await _own(visit))


async def show_letter(visit: Visit) -> Response:
    """The letter as PDF."""
    return await letter_answer(visit, await _own(visit))


# ---- shared with those who follow a report without an account ------------------------------------


async def case_page(visit: Visit, case: Case, home: str, template: str, **told: Any) -> Response:
    """A report's page. ``home`` is the address its forms and files lie under."""
    door, words = visit.door, visit.words
    now, store = door.clock.now(), care.complaints_of(door).store
    payment = await care.payment_of(door, case)
    values: dict[str, Any] = {
        "case": case,
        "home": home,
        "about": words(f"report.about_{case.about}"),
        "story": tell(words, case, payment, now, await care.token_of(door, payment)),
        "payment": payment,
        "steps": steps_of(words, await store.timeline(case.id)),
        "said": said_in(await store.messages(case.id)),
        "files": files_of(case, home),
        "text": "",
        "told_text": "",
        "told_file": "",
    }
    values |= told
    status = 422 if values["told_text"] or values["told_file"] else 200
    return visit.page(template, status=status, **values)


async def take_message(visit: Visit, case: Case, by: str, home: str, template: str) -> Response:
    """Add what was typed, and show the report again."""
    text = care.clean(visit.typed("text"))
    if not text:
        told = visit.words("report.text_missing")
        return await case_page(visit, case, home, template, told_text=told)
    moved = await care.complaints_of(visit.door).write(case, text, by)
    if isinstance(moved, Refused):
        told = visit.words("report.no_more_words")
        return await case_page(visit, case, home, template, told_text=told, text=text)
    return redirect(home)


async def take_upload(
    visit: Visit, case: Case, by: str, home: str, template: str, rate: str
) -> Response:
    """Take one file, and show the report again."""
    moved = await care.take_file(visit.door, case, visit.photo, by, rate)
    if isinstance(moved, Refused):
        told = file_words(visit, moved)
        return await case_page(visit, case, home, template, told_file=told)
    return redirect(f"{home}#files")


def file_words(visit: Visit, refused: Refused) -> str:
    """Why a file was not taken, in words. Raises Trouble for what is not about the file."""
    if refused.code is Refusal.CASE_STEP_NOT_ALLOWED:
        return visit.words("report.file_closed")
    if refused.code is not Refusal.EVIDENCE_REFUSED:
        raise Trouble(of_refused(refused))
    for said, key in _FILE_RULES:
        if said in refused.detail:
            return visit.words(f"report.file_{key}")
    return visit.words("report.file_damaged")


async def file_answer(visit: Visit, case: Case) -> Response:
    """One page of a file."""
    path = visit.request.path_params
    drawn = await care.file_page(visit.door, case, path["file"], path["page"])
    return Response(
        drawn,
        headers=care.page_headers(case, path["file"], path["page"]),
        media_type="image/jpeg",
    )


async def letter_answer(visit: Visit, case: Case) -> Response:
    """The letter in the reader's language, or in the one asked for."""
    asked = visit.asked("language")
    language = asked if asked in LANGUAGES else visit.language
    pdf = await care.letter_pdf(visit.door, case, language)
    return Response(pdf, headers=care.letter_headers(case), media_type="application/pdf")


def files_of(case: Case, home: str) -> list[Shown]:
    """The files of a case with the addresses of their pages."""
    return [
        Shown(
            number,
            [f"{home}/files/{number}/{page}.jpg" for page in range(1, evidence.pages + 1)],
        )
        for number, evidence in enumerate(case.evidence, start=1)
    ]


_FILE_RULES: Final = (
    ("it is empty", "missing"),
    ("at most 5 MB", "too_large"),
    ("a JPEG", "kind"),
    ("still picture", "moves"),
    ("password", "locked"),
    ("form shows its text", "form"),
    ("files for a case", "too_many"),
    ("keeps no files", "no_place"),
    ("pixels", "pixels"),
    ("pages", "pages"),
)
"""What the locker says, to the words we say it in; anything else: damaged."""


async def _own(visit: Visit) -> Case:
    return await care.own_case(visit.door, visit.me.customer_id, visit.request.path_params["id"])


def _row(visit: Visit, case: Case, now: datetime) -> CaseRow:
    story = tell(visit.words, case, None, now)
    return CaseRow(
        href=f"/reports/{case.id}",
        number=case.number,
        about=visit.words(f"report.about_{case.about}"),
        label=label_of(visit.words, case),
        by=story.by,
        at=case.opened_at,
        icon=story.icon,
        tone=story.tone,
    )


PAGES: Final = (
    Page(path="/reports", get=show_reports),
    Page(path="/reports/{id}", get=show_case),
    Page(path="/reports/{id}/messages", post=add_message),
    Page(path="/reports/{id}/files", post=add_file, takes_photo=True),
    Page(path="/reports/{id}/files/{file}/{page}.jpg", get=show_file),
    Page(path="/reports/{id}/letter.pdf", get=show_letter),
)
