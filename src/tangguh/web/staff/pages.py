"""A plain page for the queue of complaints: read a case with its evidence, and act on it.

A token of staff is pasted once and opens a session at a device of theirs: its cookie is sent to
these pages only, no script reads it, and it is worth nothing after the log-out, half an hour of
rest, a working day, or the device's end. An account's first device may be this browser.
The staff API does not take the cookie, so no page elsewhere can use it there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tangguh.access.acts import Act, refuse_begin
from tangguh.access.people import Staff
from tangguh.access.staff_devices import Standing
from tangguh.core import numbers
from tangguh.core.errors import TangguhError
from tangguh.core.format import moment
from tangguh.core.outcome import Refused
from tangguh.core.redaction.redact import Secret
from tangguh.disputes.case import BY_PEOPLE, Case, Outcome
from tangguh.web import words as language_of
from tangguh.web.api.operations import of_error, read_body
from tangguh.web.care import desk as care
from tangguh.web.care.story import label_of, reason_of, said_in, steps_of
from tangguh.web.cookies import cookie, drop_cookie, put_cookie
from tangguh.web.door import Door
from tangguh.web.gate import (
    REMOVED_PARAMETER,
    form_texts,
    removed_in,
    tell_removed,
    without_secrets,
)
from tangguh.web.pages.care.track import Shown, files_of
from tangguh.web.pages.frame import LANGUAGE_COOKIE, check_origin, redirect
from tangguh.web.pages.screen import WORDS, show
from tangguh.web.pages.story import Side
from tangguh.web.pages.story import label_of as payment_label
from tangguh.web.pages.trouble import sentence, trouble_page
from tangguh.web.problems import Trouble, of_refused, problem, trouble
from tangguh.web.staff import figures
from tangguh.web.staff.cases import (
    ACTS,
    NewAnswer,
    act_on,
    answer_case,
    clock_of,
    find_case,
    verdict_view,
)
from tangguh.web.staff.door import StaffDoor, find_staff, note_reading
from tangguh.web.words import Words

log = structlog.get_logger("web.staff")

COOKIE: Final = "tangguh_staff"
DEVICE_COOKIE: Final = "tangguh_staff_device"
_YEAR_SECONDS: Final = 365 * 24 * 3600
_DEVICE_LENGTH_MAX: Final = 128
_PATH: Final = "/staff"
_QUEUE_MAX: Final = 200
_FIELDS_MAX: Final = 20
_BODY_BYTES_MAX: Final = 32 * 1024
_VERSIONS_MAX: Final = 99_999_999


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a browser of staff. ``by`` is None on the page that asks for the token.

    ``removed``: which secrets the form's words had; they are gone from ``form``.
    """

    request: Request
    staff: StaffDoor
    words: Words
    by: Staff | None = None
    form: dict[str, str] = {}
    removed: tuple[Secret, ...] = ()

    @property
    def door(self) -> Door:
        """The bank."""
        return self.staff.door

    @property
    def me(self) -> Staff:
        """Who asks; somebody who answers complaints."""
        if self.by is None:
            raise trouble("not_logged_in")
        return self.by

    def typed(self, name: str) -> str:
        """A field of the form, trimmed."""
        return self.form.get(name, "").strip()

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page in the language of this browser."""
        return show(template, self.words.language, status=status, **self.shared(), **values)

    def shared(self) -> dict[str, Any]:
        """What the templates' frame needs."""
        return {
            "bank": self.door.bank_name,
            "customer": None,
            "csrf": "",
            "session_ends": None,
            "here": self.request.url.path,
            "address": self.request.url.path,
            "now": self.door.clock.now(),
            "me": self.by,
            "removed": self.removed
            or removed_in(self.request.query_params.get(REMOVED_PARAMETER, "")),
        }


Handler = Callable[[Visit], Awaitable[Response]]


class QueueRow(msgspec.Struct, frozen=True, kw_only=True):
    """One case as the queue lists it."""

    href: str
    number: str
    about: str
    label: str
    why: str
    channel: str
    by: str
    due: str
    is_late: bool
    is_overdue: bool


async def show_login(visit: Visit) -> Response:
    """Where the token is pasted."""
    return visit.page("staff_login.html", told="", asks_device=False)


async def log_in(visit: Visit) -> Response:
    """Keep the token, if it is somebody's who answers complaints, at a device of theirs."""
    token = visit.typed("token")
    try:
        by = await find_staff(visit.request, visit.staff, token)
        if refused := refuse_begin(Act.READ_CASES, by):
            raise Trouble(of_refused(refused))
        device = await _device(visit, by)
    except Trouble as said:
        found = said.problem
        told = visit.words("desk.token_wrong")
        if found.field == "device":
            told = visit.words("desk.device_wrong")
        elif found.code != "not_logged_in":
            told = sentence(visit.words, f"problem.{found.code}.reason")
        asks = found.field == "device"
        return visit.page("staff_login.html", status=found.status, told=told, asks_device=asks)
    answer = redirect(f"{_PATH}/queue")
    session = await visit.staff.room.staff.open_session(token, device)
    put_cookie(visit.request, answer, COOKIE, session, path=_PATH)
    put_cookie(visit.request, answer, DEVICE_COOKIE, device, path=_PATH, seconds=_YEAR_SECONDS)
    await visit.door.remember(by.id, "staff.session_opened")
    return answer


async def _device(visit: Visit, by: Staff) -> str:
    """The device this browser is, typed or kept; else the account's first. Raises Trouble."""
    staff = visit.staff
    typed = visit.typed("device")[:_DEVICE_LENGTH_MAX]
    kept = cookie(visit.request, DEVICE_COOKIE, path=_PATH)[:_DEVICE_LENGTH_MAX]
    if typed:
        if refused := await staff.refuse_device(Act.CASE_ACT, by, typed):
            raise Trouble(of_refused(refused))
        return typed
    # What a browser has kept may be of before a reset, or of whoever used it before.
    if kept and (await staff.room.staff.devices.held_by(by.id, kept)).standing is Standing.OWN:
        return kept
    issued = await staff.room.staff.devices.issue_first(by.id)
    if isinstance(issued, Refused):
        raise Trouble(of_refused(issued))
    await visit.door.remember(by.id, "staff.device_issued", by.id, "first")
    return issued


async def log_out(visit: Visit) -> Response:
    """End the session in the book, then forget it on this machine."""
    token = cookie(visit.request, COOKIE, path=_PATH)
    if token:
        await visit.staff.room.staff.end_session(token)
    answer = redirect(f"{_PATH}/login")
    drop_cookie(visit.request, answer, COOKIE, path=_PATH)
    return answer


async def show_start(_: Visit) -> Response:
    """Whoever types the address alone is led to their work."""
    return redirect(f"{_PATH}/queue")


async def show_queue(visit: Visit) -> Response:
    """What people must act on, the most urgent first; below it what its payment's clock ends."""
    store = care.complaints_of(visit.door).store
    rows = [_row(visit, case) for case in await store.queue(_QUEUE_MAX)]
    waiting = [_row(visit, case) for case in await store.waiting(_QUEUE_MAX)]
    overdue = sum(row.is_overdue for row in (*rows, *waiting))
    return visit.page("staff_queue.html", rows=rows, waiting=waiting, overdue=overdue)


async def show_case(visit: Visit) -> Response:
    """One case: what was said, the evidence, what the bank itself sees, what can be done."""
    case = await _case(visit)
    await note_reading(visit.staff, visit.me, Act.READ_CASE, f"case:{case.id}")
    return await _case_page(visit, case)


async def act_on_case(visit: Visit) -> Response:
    """One act; a no is said on the page, with what was typed."""
    case, name = await _case(visit), visit.request.path_params["act"]
    if name == "answer":
        chosen, was = visit.typed("outcome"), numbers.whole(visit.typed("was"), _VERSIONS_MAX)
        if chosen not in set(Outcome) or was is None:
            told = visit.words("report.about_missing")
            return await _case_page(visit, case, told=told, acted=name)
        said = NewAnswer(Outcome(chosen), visit.typed("text"), was)
        moved = await answer_case(visit.door, case, said, visit.me)
    elif name in ACTS:
        moved = await act_on(visit.door, name, case, visit.typed("text"), visit.me)
    else:
        raise trouble("not_found")
    if isinstance(moved, Refused):
        reason = sentence(visit.words, f"problem.{moved.code}.reason")
        told = f"{reason} ({moved.field}: {moved.detail})"
        return await _case_page(visit, case, told=told, acted=name)
    return redirect(f"{_PATH}/queue/{case.id}")


async def show_file(visit: Visit) -> Response:
    """One page of evidence."""
    case, path = await _case(visit), visit.request.path_params
    await note_reading(visit.staff, visit.me, Act.READ_CASE, f"case:{case.id}", "evidence")
    drawn = await care.file_page(visit.door, case, path["file"], path["page"])
    headers = care.page_headers(case, path["file"], path["page"])
    return Response(drawn, headers=headers, media_type="image/jpeg")


async def show_figures(visit: Visit) -> Response:
    """The month's figures as a file."""
    month = visit.request.query_params.get("month", "")
    kind = visit.request.query_params.get("as", "pdf")
    if kind not in figures.MEDIA:
        raise trouble("parameter_invalid", "pdf or docx", "as")
    found = await figures.figures_of(visit.door, month)
    paper = await figures.paper_of(found, kind, visit.words.language)
    headers = figures.paper_headers(month, kind)
    return Response(paper, headers=headers, media_type=figures.MEDIA[kind])


async def _case(visit: Visit) -> Case:
    try:
        case_id = UUID(visit.request.path_params["case"])
    except ValueError as fault:
        raise trouble("case_not_found", "", "case") from fault
    return await find_case(visit.door, case_id)


async def _case_page(visit: Visit, case: Case, told: str = "", acted: str = "") -> Response:
    door, words = visit.door, visit.words
    desk, now = care.complaints_of(door), door.clock.now()
    payment = await care.payment_of(door, case)
    contact = await desk.store.contact(case.id)
    files: list[Shown] = files_of(case, f"{_PATH}/queue/{case.id}")
    return visit.page(
        "staff_case.html",
        status=409 if told else 200,
        case=case,
        row=_row(visit, case),
        contact=contact[0] if contact is not None else "",
        payment=payment,
        payment_state=payment_label(words, payment, now, Side.PAYER) if payment else "",
        verdict=verdict_view(await desk.verdict(case)) if case.is_open else None,
        steps=zip(
            steps_of(words, events := await desk.store.timeline(case.id)),
            [event for event in events if event.what != "look_again"],
            strict=True,
        ),
        said=said_in(await desk.store.messages(case.id)),
        files=files,
        outcomes=[(str(one), words(f"desk.outcome_{one}")) for one in Outcome if one in BY_PEOPLE],
        acts=list(ACTS),
        because=partial(reason_of, words),
        told=told,
        acted=acted,
        typed={name: visit.typed(name) for name in ("text", "outcome")},
    )


def _row(visit: Visit, case: Case) -> QueueRow:
    now, words = visit.door.clock.now(), visit.words
    clock = clock_of(case, now)
    return QueueRow(
        href=f"{_PATH}/queue/{case.id}",
        number=case.number,
        about=words(f"report.about_{case.about}"),
        label=label_of(words, case),
        why=reason_of(words, case.why),
        channel=words(f"desk.channel_{case.channel}"),
        by=moment(case.act_by, now, words.language),
        due=moment(case.due_at, now, words.language),
        is_late=clock["is_late"],
        is_overdue=clock["is_overdue"],
    )


# ---- the frame ----------------------------------------------------------------------------------


def _page(
    staff: StaffDoor,
    path: str,
    *,
    get: Handler | None = None,
    post: Handler | None = None,
    act: Act | None = None,
) -> Route:
    """A page. ``act`` None: who comes is nobody yet, or goes."""

    async def answer(request: Request) -> Response:
        visit = Visit(request=request, staff=staff, words=_words(request))
        try:
            handler = post if request.method == "POST" else get
            if handler is None:
                raise trouble("method_not_allowed")
            if act is not None:
                visit = await _known(visit, act)
                if visit.by is None:
                    return redirect(f"{_PATH}/login")
            if request.method == "POST":
                form, removed = without_secrets(await _read_form(request))
                visit = msgspec.structs.replace(visit, form=form, removed=removed)
            found = await handler(visit)
            tell_removed(found, visit.removed)
            return found
        except Trouble as said:
            return trouble_page(visit.words, visit.shared(), said.problem)
        except TangguhError as error:
            return trouble_page(visit.words, visit.shared(), of_error(error))
        except Exception:
            log.exception("web.staff.our_mistake", path=path)
            return trouble_page(visit.words, visit.shared(), problem("internal"))

    answer.act = act  # type: ignore[attr-defined]
    return Route(path, answer, methods=["GET", "HEAD", "POST"])


def _words(request: Request) -> Words:
    wish, accepted = cookie(request, LANGUAGE_COOKIE), request.headers.get("accept-language")
    return WORDS[language_of.choose(wish, accepted or "")]


async def _known(visit: Visit, act: Act) -> Visit:
    """Who asks, if the act is still theirs; nobody else sees a page."""
    session = cookie(visit.request, COOKIE, path=_PATH)
    by = await visit.staff.room.staff.find_by_session(session) if session else None
    allowed = by is not None and refuse_begin(act, by) is None
    return msgspec.structs.replace(visit, by=by if allowed else None)


async def _read_form(request: Request) -> dict[str, str]:
    check_origin(request)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/x-www-form-urlencoded":
        raise trouble("content_type_wrong")
    raw = await read_body(request, _BODY_BYTES_MAX)
    try:
        pairs = parse_qsl(
            raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS_MAX
        )
    except ValueError as fault:
        raise trouble("body_invalid") from fault
    return form_texts(dict(pairs))


def routes(staff: StaffDoor) -> list[BaseRoute]:
    """The staff's pages."""
    one = f"{_PATH}/queue/{{case}}"
    return [
        _page(staff, _PATH, get=show_start),
        _page(staff, f"{_PATH}/login", get=show_login, post=log_in),
        _page(staff, f"{_PATH}/logout", post=log_out),
        _page(staff, f"{_PATH}/queue", get=show_queue, act=Act.READ_CASES),
        _page(staff, f"{_PATH}/figures", get=show_figures, act=Act.READ_CASES),
        _page(staff, one, get=show_case, act=Act.READ_CASE),
        _page(staff, f"{one}/files/{{file}}/{{page}}.jpg", get=show_file, act=Act.READ_CASE),
        _page(staff, f"{one}/{{act}}", post=act_on_case, act=Act.CASE_ACT),
    ]
