"""What people complain of, for the staff that answers: the queue, a case, every act on it.

Each act carries its maker's staff id into the chain. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute

from tangguh.access.acts import Act, refuse_begin
from tangguh.access.people import Staff
from tangguh.core.outcome import Refusal, Refused
from tangguh.customers import store as customers
from tangguh.disputes.case import BY_PEOPLE, About, Case, CaseState, Outcome
from tangguh.disputes.complaints import Complaint, Complaints
from tangguh.disputes.evidence.judge import SIZE_MAX
from tangguh.disputes.steps import Escalate
from tangguh.disputes.verdict import AskNetwork, AskStaff, Decide, Verdict, Wait
from tangguh.web.api.views import payment_view
from tangguh.web.care import desk as care
from tangguh.web.door import Door
from tangguh.web.problems import trouble
from tangguh.web.staff import figures
from tangguh.web.staff.door import Call, Handler, StaffDoor, route

_QUEUE_MAX: Final = 200
CaseAct = Callable[[Complaints, Case, str, str], Awaitable[Case | Refused]]
"""What is done to a case: with words, by somebody."""


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, or what is asked for, in the words its person will read."""

    text: str


class NewAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision. ``was``: the events of the case as it was read, so that nothing is overrun."""

    outcome: Outcome
    why: str = ""
    was: int | None = None


class NewCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A complaint taken down for a customer. The same ``key`` of the same staff is the same one."""

    customer_id: int
    about: About
    text: str
    key: str
    payment_id: UUID | None = None


# ---- shared with the staff's pages --------------------------------------------------------------


async def find_case(door: Door, case_id: UUID) -> Case:
    """One case. Raises Trouble(case_not_found)."""
    case = await care.complaints_of(door).store.find(case_id)
    if case is None:
        raise trouble("case_not_found", "", "case")
    return case


async def ask_papers(desk: Complaints, case: Case, text: str, by: str) -> Case | Refused:
    """Ask the person for papers."""
    return await desk.ask_papers(case.id, text, by)


async def extend(desk: Complaints, case: Case, text: str, by: str) -> Case | Refused:
    """Ten working days more."""
    return await desk.extend(case.id, text, by)


async def escalate(desk: Complaints, case: Case, text: str, by: str) -> Case | Refused:
    """To the head of complaints."""
    return await desk.step(case.id, Escalate(text), by)


async def claim(desk: Complaints, case: Case, text: str, by: str) -> Case | Refused:
    """Claim it from the network for its payer."""
    return await desk.claim(case, text, by)


ACTS: Final[dict[str, CaseAct]] = {
    "papers": ask_papers,
    "extend": extend,
    "escalate": escalate,
    "claim": claim,
}
"""Acts that need words and nothing else."""


async def act_on(door: Door, name: str, case: Case, text: str, by: Staff) -> Case | Refused:
    """One of ``ACTS``. Refuses ORDER_INVALID without words, and what the desk refuses."""
    if refused := refuse_begin(Act.CASE_ACT, by):
        return refused
    words = care.clean(text)
    if not words:
        return Refused(Refusal.ORDER_INVALID, "text", "say it in words")
    return await ACTS[name](care.complaints_of(door), case, words, by.id)


async def answer_case(door: Door, case: Case, said: NewAnswer, by: Staff) -> Case | Refused:
    """Decide it. Refuses what the desk refuses, also when the case has moved since it was read."""
    if refused := refuse_begin(Act.CASE_ANSWER, by):
        return refused
    if said.outcome not in BY_PEOPLE:
        return Refused(Refusal.ORDER_INVALID, "outcome", "it is answered by doing it")
    why = care.clean(said.why)
    return await care.complaints_of(door).answer(case.id, said.outcome, why, by.id, said.was)


def clock_of(case: Case, now: datetime) -> dict[str, Any]:
    """How much time is left, and whether any is."""
    return {
        "act_by": case.act_by,
        "due_at": case.due_at,
        "seconds_left": int((case.due_at - now).total_seconds()),
        "is_late": now > case.act_by and case.is_open,
        "is_overdue": case.is_overdue(now),
    }


def verdict_view(verdict: Verdict) -> dict[str, Any]:
    """What the bank's own evidence says, as values."""
    match verdict:
        case Decide(outcome, why):
            return {"says": "decide", "outcome": str(outcome), "why": why, "until": None}
        case Wait(until, why):
            return {"says": "wait", "outcome": None, "why": why, "until": until}
        case AskNetwork(why):
            return {"says": "ask_network", "outcome": None, "why": why, "until": None}
        case AskStaff(why):
            return {"says": "ask_staff", "outcome": None, "why": why, "until": None}


# ---- by HTTP ------------------------------------------------------------------------------------


async def list_cases(call: Call) -> Any:
    """What people must act on, the most urgent first; then what its payment's clock ends."""
    now, store = call.staff.door.clock.now(), care.complaints_of(call.staff.door).store
    found = [*await store.queue(_QUEUE_MAX), *await store.waiting(_QUEUE_MAX)]
    return {"cases": [_line(case, now) for case in found]}


async def get_case(call: Call) -> Any:
    """A case with everything about it."""
    case = await find_case(call.staff.door, call.id("case"))
    call.subject = f"case:{case.id}"
    return await _whole(call, case)


async def open_case(call: Call) -> Any:
    """Take a complaint down for a customer who called or came."""
    said, door = call.read(NewCase), call.staff.door
    customer = await customers.find(door.pool, door.book_id, said.customer_id)
    text = care.clean(said.text)
    if customer is None:
        return Refused(Refusal.ORDER_INVALID, "customer_id", "there is no such customer")
    if not text or not said.key:
        return Refused(Refusal.ORDER_INVALID, "text" if not text else "key", "it is empty")
    opened = await care.open_once(
        door,
        Complaint(
            case_id=care.case_id_of(call.by.id, said.key),
            customer_id=said.customer_id,
            about=said.about,
            text=text,
            channel="staff",
            language=customer.language,
            payment_id=said.payment_id,
            by=call.by.id,
        ),
    )
    return opened if isinstance(opened, Refused) else await _whole(call, opened)


async def add_evidence(call: Call) -> Any:
    """Take a file somebody brought."""
    case = await find_case(call.staff.door, call.id("case"))
    moved = await care.take_file(call.staff.door, case, call.file, call.by.id, call.by.id)
    return moved if isinstance(moved, Refused) else await _whole(call, moved)


async def get_evidence(call: Call) -> Any:
    """One page of a file, as the bank drew it."""
    case, path = await find_case(call.staff.door, call.id("case")), call.request.path_params
    call.subject, call.detail = f"case:{case.id}", "evidence"
    drawn = await care.file_page(call.staff.door, case, path["file"], path["page"])
    headers = care.page_headers(case, path["file"], path["page"])
    return Response(drawn, headers=headers, media_type="image/jpeg")


async def answer(call: Call) -> Any:
    """Decide."""
    case = await find_case(call.staff.door, call.id("case"))
    moved = await answer_case(call.staff.door, case, call.read(NewAnswer), call.by)
    return moved if isinstance(moved, Refused) else await _whole(call, moved)


def _acting(name: str) -> Handler:
    async def act(call: Call) -> Any:
        case = await find_case(call.staff.door, call.id("case"))
        moved = await act_on(call.staff.door, name, case, call.read(Words).text, call.by)
        return moved if isinstance(moved, Refused) else await _whole(call, moved)

    return act


async def get_figures(call: Call) -> Any:
    """The month's figures as values."""
    return await figures.figures_of(call.staff.door, figures.MONTH.of(call.request))


def _paper(kind: str) -> Handler:
    async def give(call: Call) -> Any:
        month = figures.MONTH.of(call.request)
        language = figures.LANGUAGE.of(call.request, "id")
        found = await figures.figures_of(call.staff.door, month)
        paper = await figures.paper_of(found, kind, language)
        headers = figures.paper_headers(month, kind)
        return Response(paper, headers=headers, media_type=figures.MEDIA[kind])

    return give


def routes(staff: StaffDoor) -> list[BaseRoute]:
    """Everything about complaints that staff can do by HTTP."""
    one = "/staff/v1/cases/{case}"
    reads, acts, figure = Act.READ_CASES, Act.CASE_ACT, "/staff/v1/complaints/figures"
    table: tuple[tuple[str, str, Handler, Act], ...] = (
        ("GET", "/staff/v1/cases", list_cases, reads),
        ("POST", "/staff/v1/cases", open_case, Act.CASE_OPEN),
        ("GET", one, get_case, Act.READ_CASE),
        ("GET", f"{one}/evidence/{{file}}/pages/{{page}}", get_evidence, Act.READ_CASE),
        ("POST", f"{one}/answer", answer, Act.CASE_ANSWER),
        *(("POST", f"{one}/{name}", _acting(name), acts) for name in ACTS),
        ("GET", figure, get_figures, reads),
        *(("GET", f"{figure}.{kind}", _paper(kind), reads) for kind in figures.MEDIA),
    )
    return [
        *(route(staff, method, path, handler, act) for method, path, handler, act in table),
        route(staff, "POST", f"{one}/evidence", add_evidence, acts, bytes_max=SIZE_MAX),
    ]


def _line(case: Case, now: datetime) -> dict[str, Any]:
    return {
        "id": case.id,
        "number": case.number,
        "customer_id": case.customer_id,
        "about": case.about,
        "channel": case.channel,
        "state": case.state,
        "turn": "payment" if case.state is CaseState.WAITING else "people",
        "opened_at": case.opened_at,
        "payment_id": case.payment_id,
        "incident_id": case.incident_id,
        "owner": case.owner,
        "why": case.why,
        "clock": clock_of(case, now),
    }


async def _whole(call: Call, case: Case) -> dict[str, Any]:
    door = call.staff.door
    desk, now = care.complaints_of(door), door.clock.now()
    payment = await care.payment_of(door, case)
    contact = await desk.store.contact(case.id)
    return {
        **_line(case, now),
        "language": case.language,
        "events": case.events,
        "is_extended": case.is_extended,
        "has_objected": case.has_objected,
        "outcome": case.outcome,
        "decided_by": case.decided_by,
        "decided_at": case.decided_at,
        "address": contact[0] if contact is not None else "",
        "payment": payment_view(payment, now) if payment is not None else None,
        "verdict": verdict_view(await desk.verdict(case)) if case.is_open else None,
        "timeline": await desk.store.timeline(case.id),
        "messages": await desk.store.messages(case.id),
        "evidence": case.evidence,
    }
