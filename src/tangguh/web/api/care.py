"""The customers' API for what they complain of and what they are told. Only what is theirs."""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.core.outcome import Refused
from tangguh.customers import store as customers
from tangguh.disputes.case import Case
from tangguh.disputes.complaints import Complaint
from tangguh.disputes.evidence.judge import MEDIA, SIZE_MAX
from tangguh.notices.desk import Notices, customer
from tangguh.notices.notice import Via
from tangguh.web.api import care_views as views
from tangguh.web.api.operations import Answer, Call, Operation
from tangguh.web.api.parameters import PATH, Choice, Id, WholeNumber
from tangguh.web.care import desk as care
from tangguh.web.problems import Trouble, of_refused, trouble
from tangguh.web.words import DEFAULT, LANGUAGES, Words, read_all

_WORDS: Final = read_all()
_CASES_MAX: Final = 50
_LIMIT: Final = WholeNumber(name="limit", most=100, default=50, about="How many at most")
_BEFORE: Final = Id(name="before", about="Cursor: notices before this id")
_LANGUAGE: Final = Choice(name="language", words=LANGUAGES, about="Which; yours without it")
_CASE: Final = Id(name="complaint_id", place=PATH, about="One of your complaints")


async def open_complaint(call: Call) -> Answer:
    """Complain; the bank looks at its own evidence at once."""
    asked: views.NewComplaint = call.body
    words = await _words(call)
    if not asked.text.strip():
        raise trouble("order_invalid", "say what happened", "text")
    case_id = care.case_id_of(f"customer:{call.customer_id}", call.key)
    said = Complaint(
        case_id=case_id,
        customer_id=call.customer_id,
        about=asked.about,
        text=asked.text.strip(),
        channel="app",
        language=words.language,
        payment_id=asked.payment_id,
    )
    was_known = await care.complaints_of(call.door).store.find(case_id) is not None
    opened = _must(await care.open_once(call.door, said))
    is_new = opened.id == case_id and not was_known
    headers = {"Location": f"/v1/complaints/{opened.id}"}
    return Answer(await _view(call, opened, words), 201 if is_new else 200, headers)


async def list_complaints(call: Call) -> Answer:
    """The customer's complaints, newest first."""
    words, now = await _words(call), call.door.clock.now()
    store = care.complaints_of(call.door).store
    found = await store.of_customer(call.customer_id, _CASES_MAX)
    return Answer(views.Cases([views.case_line(words, case, now) for case in found]))


async def get_complaint(call: Call) -> Answer:
    """One complaint, whole."""
    case = await _own(call)
    return Answer(await _view(call, case, await _words(call)))


async def add_message(call: Call) -> Answer:
    """Write more about it; to a decided one it is an objection."""
    asked: views.NewMessage = call.body
    case = await _own(call)
    if not asked.text.strip():
        raise trouble("order_invalid", "say what happened", "text")
    desk = care.complaints_of(call.door)
    moved = await desk.write(case, asked.text.strip(), f"customer:{call.customer_id}")
    return Answer(await _view(call, _must(moved), await _words(call)))


async def add_evidence(call: Call) -> Answer:
    """Give one file. It is judged by its bytes and drawn anew."""
    case, by = await _own(call), f"customer:{call.customer_id}"
    moved = _must(await care.take_file(call.door, case, call.raw, by, by))
    return Answer(await _view(call, moved, await _words(call)), 201)


async def get_evidence(call: Call) -> Answer:
    """One page of a file, as the bank drew it."""
    case, path = await _own(call), call.request.path_params
    drawn = await care.file_page(call.door, case, path["file"], path["page"])
    headers = care.page_headers(case, path["file"], path["page"])
    return Answer(drawn, 200, headers, "image/jpeg")


async def get_letter(call: Call) -> Answer:
    """The letter: what was received, and once decided the answer."""
    case, words = await _own(call), await _words(call)
    language = _LANGUAGE.of(call.request, words.language)
    pdf = await care.letter_pdf(call.door, case, language)
    return Answer(pdf, 200, care.letter_headers(case), "application/pdf")


async def list_notices(call: Call) -> Answer:
    """What the customer was told, newest first."""
    notices, most = _notices(call), _LIMIT.of(call.request)
    items = await notices.inbox(call.customer_id, most, _BEFORE.of(call.request))
    unread = await notices.count_unread(call.customer_id)
    cursor = items[-1].id if len(items) == most else None
    return Answer(views.Inbox(unread, [views.notice_view(item) for item in items], cursor))


async def read_notices(call: Call) -> Answer:
    """Say that notices were seen. Others' stay as they are."""
    asked: views.Seen = call.body
    return Answer(views.SeenView(await _notices(call).mark_read(call.customer_id, asked.ids)))


async def get_push(call: Call) -> Answer:
    """What a browser needs to agree to web push."""
    key = _notices(call).push_key
    if not key:
        raise trouble("not_found")
    return Answer(views.PushKey(key))


async def add_push(call: Call) -> Answer:
    """Have notices pushed to this browser, and to nobody else who used it."""
    words = await _words(call)
    refused = await _notices(call).know(
        customer(call.customer_id), Via.PUSH, _browser(call), words.language
    )
    if refused is not None:
        raise Trouble(of_refused(refused))
    return Answer(None, 204)


async def forget_push(call: Call) -> Answer:
    """Push nothing more to this browser. One that was not known is the same answer."""
    await _notices(call).forget(customer(call.customer_id), Via.PUSH, _browser(call))
    return Answer(None, 204)


def _browser(call: Call) -> str:
    asked: views.NewPush = call.body
    address = {"endpoint": asked.endpoint, "keys": msgspec.structs.asdict(asked.keys)}
    return msgspec.json.encode(address).decode()


async def _own(call: Call) -> Case:
    return await care.own_case(
        call.door, call.customer_id, call.request.path_params["complaint_id"]
    )


async def _view(call: Call, case: Case, words: Words) -> views.CaseView:
    door, store = call.door, care.complaints_of(call.door).store
    payment = await care.payment_of(door, case)
    events, messages = await store.timeline(case.id), await store.messages(case.id)
    token = await care.token_of(door, payment)
    return views.case_view(words, case, payment, events, messages, door.clock.now(), token)


async def _words(call: Call) -> Words:
    me = await customers.find(call.door.pool, call.door.book_id, call.customer_id)
    return _WORDS[me.language if me is not None else DEFAULT]


def _notices(call: Call) -> Notices:
    if call.door.notices is None:
        raise trouble("not_found")
    return call.door.notices


def _must(answer: Case | Refused) -> Case:
    if isinstance(answer, Refused):
        raise Trouble(of_refused(answer))
    return answer


_OWN: Final = ("case_not_found", "parameter_invalid")

OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        id="openComplaint",
        method="POST",
        path="/v1/complaints",
        summary="Complain about a payment or anything else",
        handler=open_complaint,
        takes=views.NewComplaint,
        keeps_lines=frozenset({"text"}),
        gives=views.CaseView,
        statuses=(200, 201),
        gives_location=True,
        needs_key=True,
        problems=("payment_not_found", "idempotency_key_reused", "order_invalid"),
    ),
    Operation(
        id="listComplaints",
        method="GET",
        path="/v1/complaints",
        summary="Your complaints, newest first",
        handler=list_complaints,
        gives=views.Cases,
    ),
    Operation(
        id="getComplaint",
        method="GET",
        path="/v1/complaints/{complaint_id}",
        summary="A complaint with its timeline, messages and evidence",
        handler=get_complaint,
        gives=views.CaseView,
        parameters=(_CASE,),
        problems=_OWN,
    ),
    Operation(
        id="addMessage",
        method="POST",
        path="/v1/complaints/{complaint_id}/messages",
        summary="Write more about a complaint, or object to its answer",
        handler=add_message,
        takes=views.NewMessage,
        keeps_lines=frozenset({"text"}),
        gives=views.CaseView,
        parameters=(_CASE,),
        problems=(*_OWN, "case_step_not_allowed", "order_invalid"),
    ),
    Operation(
        id="addEvidence",
        method="POST",
        path="/v1/complaints/{complaint_id}/evidence",
        summary="Give one file: a picture or a PDF, of at most 5 MB, five for a complaint",
        handler=add_evidence,
        takes_files=MEDIA,
        file_bytes_max=SIZE_MAX,
        gives=views.CaseView,
        statuses=(201,),
        parameters=(_CASE,),
        problems=(*_OWN, "case_step_not_allowed", "evidence_refused"),
    ),
    Operation(
        id="getEvidence",
        method="GET",
        path="/v1/complaints/{complaint_id}/evidence/{file}/pages/{page}",
        summary="A page of a file you gave, drawn anew",
        handler=get_evidence,
        gives_file="image/jpeg",
        parameters=(
            _CASE,
            WholeNumber(name="file", place=PATH, most=care.COUNT_MAX, about="Which file, from 1"),
            WholeNumber(name="page", place=PATH, most=care.COUNT_MAX, about="Which page, from 1"),
        ),
        problems=(*_OWN, "not_found"),
    ),
    Operation(
        id="getLetter",
        method="GET",
        path="/v1/complaints/{complaint_id}/letter.pdf",
        summary="The letter about a complaint",
        handler=get_letter,
        gives_file="application/pdf",
        parameters=(
            _CASE,
            _LANGUAGE,
        ),
        problems=_OWN,
    ),
    Operation(
        id="listNotices",
        method="GET",
        path="/v1/notices",
        summary="What the bank told you, newest first",
        handler=list_notices,
        gives=views.Inbox,
        parameters=(_LIMIT, _BEFORE),
        problems=("parameter_invalid",),
    ),
    Operation(
        id="readNotices",
        method="POST",
        path="/v1/notices/read",
        summary="Say that notices were seen",
        handler=read_notices,
        takes=views.Seen,
        gives=views.SeenView,
    ),
    Operation(
        id="getPush",
        method="GET",
        path="/v1/notices/push",
        summary="What a browser needs to agree to web push",
        handler=get_push,
        gives=views.PushKey,
        problems=("not_found",),
    ),
    Operation(
        id="forgetPush",
        method="POST",
        path="/v1/notices/push/forget",
        summary="Push nothing more to a browser",
        handler=forget_push,
        takes=views.NewPush,
        statuses=(204,),
    ),
    Operation(
        id="addPush",
        method="POST",
        path="/v1/notices/push",
        summary="Have notices pushed to a browser",
        handler=add_push,
        takes=views.NewPush,
        statuses=(204,),
        problems=("order_invalid",),
    ),
)
