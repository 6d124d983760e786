"""What the tests of the public side share: a moment, an incident, words that may be said."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tangguh.core.outcome import Refused
from tangguh.core.service import TRANSFER_BIFAST
from tangguh.status import incident as story
from tangguh.status.component import COMPONENTS, ComponentState, Condition, Reach, Stage
from tangguh.status.incident import Incident, IncidentState, Kind, Money, Text
from tangguh.status.site.view import Seen
from tangguh.status.snapshot import PublicStatus, make

NOW = datetime(2026, 3, 20, 5, tzinfo=UTC)
SOON = timedelta(minutes=10)
STAGE = Stage(number=2, last=7, since=NOW, permille=10, amount_max_minor=5_000_000)
S = IncidentState


def no_lint(_text: str, _language: str, _has_ticket: bool) -> Iterable[str]:
    """Everything may be said."""
    return ()


def strict(text: str, _language: str, _has_ticket: bool) -> Iterable[str]:
    """A rule of the notices: nobody promises 'segera'."""
    return ["segera"] if "segera" in text else []


def text(word: str = "Transfer BI-FAST kami hentikan sementara.", **more: str) -> Text:
    parts = {"happened": "Sejak 12.00 WIB.", "money": "Saldo tidak berkurang.", "do": "Tunggu."}
    return Text(headline=word, **(parts | more))


def texts(word: str = "Transfer BI-FAST kami hentikan sementara.", **more: str) -> dict[str, Text]:
    return {"id": text(word, **more), "en": text(word, **more)}


def counted(**heaps: int) -> Money:
    """A count in which every payment is of one rupiah."""
    affected = sum(heaps.values())
    sums = {f"{name}_minor": count * 100 for name, count in heaps.items()}
    return Money(affected=affected, affected_minor=affected * 100, counted_at=NOW, **heaps, **sums)


def draft(number: int = 1, kind: Kind = Kind.PROTECTIVE_RESTRICTION, **more: Any) -> Incident:
    told: dict[str, Any] = {"cause_key": "bifast.out", "closure_ids": (str(UUID(int=7)),)}
    made = story.begin(UUID(int=number), kind, (TRANSFER_BIFAST,), NOW, **(told | more))
    assert isinstance(made, Incident), made
    return made


def said(
    incident: Incident, to: IncidentState, at: datetime = NOW, **more: Any
) -> Incident | Refused:
    told: dict[str, Any] = {"by": "staff:1", "lint": no_lint, "next_update_at": at + SOON}
    return story.say(incident, to, texts(), at, **(told | more))


def at_state(state: IncidentState, **more: Any) -> Incident:
    """An incident led by the rules to this state."""
    here = draft(**more)
    if state is S.DISCARDED:
        gone = story.discard(here, NOW)
        assert isinstance(gone, Incident)
        return gone
    if state is S.DETECTED:
        return here
    way = [S.PUBLISHED, S.RECOVERING, S.MONITORING, S.SERVICE_RESTORED, S.MONEY_RESOLVED]
    for step in way:
        if step is S.MONEY_RESOLVED:
            paid = story.count_money(here, counted(came_back=2, arrived=1))
            assert isinstance(paid, Incident)
            here = paid
        moved = said(here, step, stage=STAGE if step is S.RECOVERING else None)
        assert isinstance(moved, Incident), moved
        here = moved
        if step is state:
            return here
    done = story.review(here, {"id": "Sebab.", "en": "Cause."}, no_lint)
    assert isinstance(done, Incident)
    return done


def all_well(now: datetime = NOW) -> dict[str, ComponentState]:
    return {
        one: ComponentState(
            component=one,
            condition=Condition.OPERATIONAL,
            reach=Reach.ALL,
            since=now,
            known_at=max(now, NOW),
        )
        for one in COMPONENTS
    }


def all_of(condition: Condition, now: datetime = NOW) -> dict[str, ComponentState]:
    return {
        one: ComponentState(component=one, condition=condition, reach=Reach.NONE, since=now)
        for one in COMPONENTS
    }


def told(
    states: dict[str, ComponentState], *incidents: Incident, made_at: datetime = NOW, **more: Any
) -> PublicStatus:
    """What the bank says of these components and incidents; it knows them as of now."""
    known = {"looked_at": made_at, "read_at": made_at} | more
    return make("Bank Uji", made_at, states, incidents, **known)


def shown(status: PublicStatus | None, now: datetime = NOW, **more: Any) -> Seen:
    """What the page is made from, a moment after the bank said it."""
    stories = status.incidents if status else ()
    return Seen(now=now, status=status, **({"stories": stories} | more))


def longest(number: int) -> Incident:
    """An incident whose words are as long as they may be."""
    full = "Kata-kata yang sangat panjang sekali. " * 40
    parts = dict.fromkeys(("happened", "works", "broken", "money", "do"), full[: story.PART_MAX])
    said_long = story.say(
        draft(number, cause_key=str(number), closure_ids=()), S.PUBLISHED,
        texts(full[: story.HEADLINE_MAX], **parts), NOW, by="staff:1", lint=no_lint,
        next_update_at=NOW + SOON,
    )  # fmt: skip
    assert isinstance(said_long, Incident), said_long
    staged = story.say(
        said_long, S.RECOVERING, said_long.updates[-1].texts, NOW, by="staff:1", lint=no_lint,
        next_update_at=NOW + SOON, stage=STAGE,
    )  # fmt: skip
    assert isinstance(staged, Incident)
    return staged
