"""What the API takes and gives for complaints and notices."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from tangguh.disputes.case import TEXT_LENGTH_MAX, About, Case, CaseState, Outcome
from tangguh.disputes.store import Event, Message
from tangguh.notices.address import URL_MAX
from tangguh.notices.inbox import Item
from tangguh.payments.payment import Payment
from tangguh.web.api.views import one_of
from tangguh.web.care.story import said_in, steps_of, tell
from tangguh.web.gate import FREE_TEXT
from tangguh.web.words import Words

SaidText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=TEXT_LENGTH_MAX,
        description="In your own words; line feeds are kept. A PIN, a one-time code or a card "
        "number in it is taken out",
        extra=FREE_TEXT,
    ),
]


EndpointText = Annotated[
    str,
    Meta(
        max_length=URL_MAX,
        pattern=r"^https?://[A-Za-z0-9.-]+(:[1-9][0-9]{0,3})?(/[!-\[\]-~]*)?$(?!\n)",
        description="The push service's address for this browser",
    ),
]


StateText = Annotated[str, Meta(extra_json_schema=one_of(*CaseState))]
OutcomeText = Annotated[str, Meta(extra_json_schema=one_of(*Outcome))]


class NewComplaint(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A complaint. ``payment_id`` is a payment you made; without one the bank asks which."""

    about: About
    text: SaidText
    payment_id: UUID | None = None


class NewMessage(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """More about a complaint. To a decided one it is an objection, once."""

    text: SaidText


class EvidenceView(msgspec.Struct, frozen=True):
    """One file. ``pages`` can be looked at, from 1; the file itself is never given back."""

    file: int
    media: str
    size_bytes: int
    pages: int
    given_at: datetime


class CaseStepView(msgspec.Struct, frozen=True):
    """A line of the timeline: the kind of step and its words."""

    at: datetime
    what: str
    words: str


class MessageView(msgspec.Struct, frozen=True):
    """What was written. ``mine`` false: by the bank."""

    at: datetime
    mine: bool
    text: str


class CaseLine(msgspec.Struct, frozen=True, kw_only=True):
    """A complaint in a list. ``words``: how it stands and what happens next."""

    id: UUID
    number: str
    state: StateText
    words: str
    about: About
    payment_id: UUID | None
    opened_at: datetime
    due_at: datetime
    decided_at: datetime | None
    outcome: OutcomeText | None


class CaseView(CaseLine, frozen=True, kw_only=True):
    """A complaint whole. ``act_by``: until then you may object once it is decided.

    ``laps``: the answer was against you; LAPS SJK is the way on.
    """

    act_by: datetime
    answer: str
    reason: str
    may_object: bool
    laps: bool
    timeline: list[CaseStepView]
    messages: list[MessageView]
    evidence: list[EvidenceView]


class Cases(msgspec.Struct, frozen=True):
    """A customer's complaints, newest first."""

    complaints: list[CaseLine]


class NoticeView(msgspec.Struct, frozen=True):
    """A notice. ``matter`` is what it is about; ``read_at`` null: new."""

    id: UUID
    matter: str
    title: str
    text: str
    made_at: datetime
    read_at: datetime | None


class Inbox(msgspec.Struct, frozen=True):
    """Notices, newest first, how many are new in all, and the cursor of the next page."""

    unread: int
    notices: list[NoticeView]
    before: UUID | None = None


class Seen(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Notices that were looked at."""

    ids: Annotated[list[UUID], Meta(min_length=1, max_length=100)]


class SeenView(msgspec.Struct, frozen=True):
    """How many of them were new."""

    read: int


class NewPushKeys(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A browser's public point and secret, base64url (RFC 8291)."""

    # 65 bytes of which the first is 4 (an uncompressed point), and 16 bytes.
    p256dh: Annotated[str, Meta(pattern=r"^B[A-P][A-Za-z0-9_-]{85}=?$(?!\n)")]
    auth: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{22}(==)?$(?!\n)")]


class NewPush(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename="camel"):
    """A browser's push subscription, as ``PushSubscription.toJSON()`` gives it."""

    endpoint: EndpointText
    keys: NewPushKeys
    expiration_time: float | None = None


class PushKey(msgspec.Struct, frozen=True, rename="camel"):
    """What ``pushManager.subscribe`` needs as ``applicationServerKey`` (base64url, RFC 8292)."""

    public_key: str


def case_line(words: Words, case: Case, now: datetime) -> CaseLine:
    """A case as its list shows it."""
    story = tell(words, case, None, now)
    return CaseLine(
        id=case.id,
        number=case.number,
        state=str(case.state),
        words=f"{story.label}. {story.sentence}",
        about=case.about,
        payment_id=case.payment_id,
        opened_at=case.opened_at,
        due_at=case.due_at,
        decided_at=case.decided_at,
        outcome=str(case.outcome) if case.outcome is not None else None,
    )


def case_view(
    words: Words,
    case: Case,
    payment: Payment | None,
    events: list[Event],
    messages: list[Message],
    now: datetime,
    token: str = "",
) -> CaseView:
    """A case whole."""
    story = tell(words, case, payment, now, token)
    return CaseView(
        **msgspec.structs.asdict(case_line(words, case, now)),
        act_by=case.act_by,
        answer=story.answer,
        reason=story.reason,
        may_object=story.may_object,
        laps=story.laps,
        timeline=[CaseStepView(one.at, one.what, one.words) for one in steps_of(words, events)],
        messages=[MessageView(one.at, one.is_theirs, one.text) for one in said_in(messages)],
        evidence=[
            EvidenceView(number, one.media, one.size, one.pages, one.given_at)
            for number, one in enumerate(case.evidence, start=1)
        ],
    )


def notice_view(item: Item) -> NoticeView:
    """A notice as its reader sees it."""
    return NoticeView(item.id, item.matter, item.title, item.text, item.made_at, item.read_at)
