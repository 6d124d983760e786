"""What the bank says in public, as one signed value from which the page is made. Pure.

It holds no personal data, no names of staff, no evidence and no internal cause. Whoever shows it
believes only the bank's key, and nothing older than what is known already.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tangguh.status.component import COMPONENTS, ComponentState, Condition, Reach, Stage, Why
from tangguh.status.incident import LANGUAGES, Incident, IncidentState, Kind, Money, Text

PATH: Final = "/status/v1/snapshot"
_KIND: Final = "status"
_encode: Final = msgspec.json.Encoder().encode


class Assurance(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to the first question everybody has. ``proved_at`` None: it is not known.

    The texts are computed where the proof is; here they are only carried.
    """

    text_id: str = (
        "Pembukuan rekening sedang kami cocokkan. Hasilnya kami tulis di sini dengan jamnya."
    )
    text_en: str = "We are checking the books. The result will be written here with its time."
    proved_at: datetime | None = None


class PublicComponent(msgspec.Struct, frozen=True, kw_only=True):
    """One service as it is."""

    id: str
    group: str
    channel: str
    name_id: str
    name_en: str
    condition: Condition
    reach: Reach
    since: datetime
    why: Why = Why.OUTCOMES
    stage: Stage | None = None
    unanswered_permille: int | None = None
    incident: str = ""
    known_at: datetime | None = None

    def name(self, language: str) -> str:
        """Its name for the reader."""
        return self.name_id if language == "id" else self.name_en


class PublicUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """A word as it was given."""

    at: datetime
    state: IncidentState
    texts: dict[str, Text]
    next_update_at: datetime | None = None
    stage: Stage | None = None


class PublicIncident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident as it was told, oldest word first."""

    id: str
    kind: Kind
    state: IncidentState
    major: bool
    components: tuple[str, ...]
    begun_at: datetime
    updates: tuple[PublicUpdate, ...]
    ticket: str = ""
    stage: Stage | None = None
    money: Money = Money()
    published_at: datetime | None = None
    restored_at: datetime | None = None
    resolved_at: datetime | None = None
    reviews: dict[str, str] = {}

    @property
    def next_update_at(self) -> datetime | None:
        """When the next word is due; None when none is owed."""
        return self.updates[-1].next_update_at if self.state.owes_word else None

    def is_overdue(self, now: datetime) -> bool:
        """Whether the word that was promised has not come."""
        due = self.next_update_at
        return due is not None and now > due

    def headline(self, language: str) -> str:
        """Its newest headline."""
        return self.updates[-1].texts[language].headline


class PublicStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the public page shows. ``app_url`` is where customers log in.

    ``made_at`` is when it was put together, which says nothing of how old its facts are:
    ``looked_at`` is when the components were judged, ``read_at`` since when nothing newer was read
    of the book (closures, incidents), and each component has its own ``known_at``. None: never.
    """

    bank: str
    made_at: datetime
    components: tuple[PublicComponent, ...]
    looked_at: datetime | None = None
    read_at: datetime | None = None
    incidents: tuple[PublicIncident, ...] = ()
    assurance: Assurance = Assurance()
    app_url: str = ""


def make(
    bank: str,
    made_at: datetime,
    states: Mapping[str, ComponentState],
    incidents: Iterable[Incident] = (),
    *,
    looked_at: datetime | None,
    read_at: datetime | None,
    assurance: Assurance = Assurance(),  # noqa: B008 - frozen
    app_url: str = "",
) -> PublicStatus:
    """The public status. Drafts and what is older than twelve months are left out.

    ``states`` has every component of ``COMPONENTS``.
    """
    told = [one for one in incidents if one.state.is_public and one.is_kept(made_at)]
    told.sort(key=lambda one: (one.begun_at, one.id), reverse=True)
    about = {
        component: str(one.id)
        for one in reversed(told)
        if one.state.owes_word and one.state is not IncidentState.SERVICE_RESTORED
        for component in one.components
    }
    return PublicStatus(
        bank=bank,
        made_at=made_at,
        components=tuple(
            PublicComponent(
                id=known.id,
                group=known.group,
                channel=known.channel,
                name_id=known.name_id,
                name_en=known.name_en,
                condition=states[known.id].condition,
                reach=states[known.id].reach,
                since=states[known.id].since,
                why=states[known.id].why,
                stage=states[known.id].stage,
                unanswered_permille=states[known.id].unanswered_permille,
                incident=about.get(known.id, ""),
                known_at=states[known.id].known_at,
            )
            for known in COMPONENTS.values()
        ),
        looked_at=looked_at,
        read_at=read_at,
        incidents=tuple(_public(one) for one in told),
        assurance=assurance,
        app_url=app_url,
    )


def _public(one: Incident) -> PublicIncident:
    return PublicIncident(
        id=str(one.id),
        kind=one.kind,
        state=one.state,
        major=one.major,
        components=one.components,
        begun_at=one.begun_at,
        updates=tuple(
            PublicUpdate(
                at=word.at,
                state=word.state,
                texts=dict(word.texts),
                next_update_at=word.next_update_at,
                stage=word.stage,
            )
            for word in one.updates
        ),
        ticket=one.ticket,
        stage=one.stage,
        money=one.money,
        published_at=one.published_at,
        restored_at=one.restored_at,
        resolved_at=one.resolved_at,
        reviews=dict(one.reviews),
    )


class Sealed(msgspec.Struct, frozen=True):
    """Bytes with a signature over them, in hex. ``kind`` is part of what is signed."""

    kind: str
    body: str
    signature: str


def sign(status: PublicStatus, key: Ed25519PrivateKey) -> bytes:
    """The status as it travels."""
    body = _encode(status).decode()
    made = key.sign(f"{_KIND}\n{body}".encode()).hex()
    return _encode(Sealed(_KIND, body, made))


def verify(
    data: bytes, key: Ed25519PublicKey, newer_than: datetime | None = None
) -> PublicStatus | str:
    """The status, or why it is not believed: unreadable, unsigned, older than what is known."""
    try:
        sealed = msgspec.json.decode(data, type=Sealed)
        if sealed.kind != _KIND:
            return f"a {sealed.kind}, not a {_KIND}"
        key.verify(bytes.fromhex(sealed.signature), f"{_KIND}\n{sealed.body}".encode())
        status = msgspec.json.decode(sealed.body, type=PublicStatus)
    except InvalidSignature:
        return "not signed by the bank"
    except (msgspec.DecodeError, ValueError):
        return "unreadable"
    if not _is_whole(status):
        return "unreadable"
    if newer_than is not None and status.made_at < newer_than:
        return f"made at {status.made_at.isoformat()}, older than what is known"
    return status


_NAME: Final = re.compile(r"[a-z0-9]+(\.[a-z0-9]+)*", re.ASCII)


def _is_whole(status: PublicStatus) -> bool:
    """Whether a page can be made of it: its ids become names of files."""
    words = [word for one in status.incidents for word in one.updates]
    return (
        status.made_at.tzinfo is not None
        and all(_NAME.fullmatch(one.id) for one in status.components)
        and all(one.updates and _is_uuid(one.id) for one in status.incidents)
        and all(set(word.texts) >= set(LANGUAGES) for word in words)
        and all(not one.reviews or set(one.reviews) >= set(LANGUAGES) for one in status.incidents)
    )


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
