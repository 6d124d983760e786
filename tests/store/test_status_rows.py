"""Incidents and people's words as rows of the book, in its hash chain, on real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tangguh.access.approval import canonical
from tangguh.access.people import Role, Staff
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import QRIS_OFFUS, TRANSFER_BIFAST
from tangguh.guard.closure import Allowance, State
from tangguh.payments.gates.change import ChangeClosure, Close
from tangguh.payments.people.changes import Propose, Vote
from tangguh.status import store
from tangguh.status.book import (
    OVERRIDE_KIND,
    DiscardDraft,
    MoveIncident,
    OpenIncident,
    OverrideComponent,
    ReviewIncident,
    SetMoney,
    UpdateIncident,
    payload_of,
)
from tangguh.status.component import Condition
from tangguh.status.incident import Incident, IncidentState, Kind
from tangguh.status.judgement import Override
from unit.guard.test_closure import closure
from unit.status.drafts import STAGE, counted, no_lint, texts

S = IncidentState
ONE, TWO = UUID(int=1), UUID(int=2)


def opened(number: UUID = ONE, **changes: Any) -> OpenIncident:
    told: dict[str, Any] = {
        "incident_id": number, "kind": Kind.PROTECTIVE_RESTRICTION,
        "components": (TRANSFER_BIFAST,), "cause_key": "bifast.out", "by": "bank",
    }  # fmt: skip
    return OpenIncident(**(told | changes))


async def step(bank: Bank, to: IncidentState, **more: Any) -> Any:
    told: dict[str, Any] = {
        "incident_id": ONE, "texts": texts(), "lint": no_lint, "by": "staff:1",
        "next_update_at": bank.clock.now() + timedelta(minutes=9),
    }  # fmt: skip
    return await bank.desk.decide(MoveIncident(to=to, **(told | more)))


async def test_a_story_from_draft_to_review_is_rows_of_the_chain(
    bank: Bank, clock: HandClock
) -> None:
    """Open, publish, recover, restore, count, close: each a row, and the chain holds."""
    decide, now = bank.desk.decide, clock.now()
    drafted = await decide(opened(begun_at=now))
    assert isinstance(drafted, Incident)
    assert await decide(opened(begun_at=now)) == drafted
    assert isinstance(await step(bank, S.PUBLISHED), Incident)
    next_word = now + timedelta(minutes=9)
    word = UpdateIncident(
        incident_id=ONE, texts=texts("Belum ada perubahan."), lint=no_lint, by="staff:2",
        next_update_at=next_word,
    )  # fmt: skip
    assert isinstance(await decide(word), Incident)
    assert isinstance(await step(bank, S.RECOVERING, stage=STAGE), Incident)
    assert isinstance(await step(bank, S.MONITORING), Incident)
    assert isinstance(await step(bank, S.SERVICE_RESTORED), Incident)
    refused = await step(bank, S.MONEY_RESOLVED)
    assert isinstance(refused, Refused)
    assert refused.code is Refusal.MONEY_STILL_OPEN
    count = SetMoney(incident_id=ONE, money=counted(arrived=29, came_back=8), by="bank")
    counted_once = await decide(count)
    assert await decide(count) == counted_once
    assert isinstance(await step(bank, S.MONEY_RESOLVED), Incident)
    review = ReviewIncident(
        incident_id=ONE, reviews={"id": "Sebab.", "en": "Cause."}, lint=no_lint, by="staff:1"
    )
    closed = await decide(review)
    assert isinstance(closed, Incident)

    assert await store.open_incidents(bank.pool, bank.book_id) == ()
    assert await store.recent_incidents(bank.pool, bank.book_id, now) == (closed,)
    assert await store.find_incident(bank.pool, bank.book_id, ONE) == closed
    told = await store.events_of(bank.pool, bank.book_id, f"incident:{ONE}")
    assert [one.what for one in told] == [
        "detected", "published", "updated", "recovering", "monitoring", "service_restored",
        "money", "money_resolved", "closed",
    ]  # fmt: skip
    assert (await bank.prove()).passed


async def test_what_was_told_cannot_be_untold(bank: Bank, clock: HandClock, dsn: str) -> None:
    """A row of the journal that somebody changes by SQL breaks the chain."""
    await bank.desk.decide(opened(begun_at=clock.now()))
    connection = await asyncpg.connect(dsn)
    with pytest.raises(asyncpg.PostgresError, match="append"):
        await connection.execute("UPDATE incident_events SET made_by = 'nobody'")
    await connection.execute("SET session_replication_role = replica")
    await connection.execute("UPDATE incident_events SET made_by = 'nobody'")
    await connection.close()
    assert not (await bank.prove()).passed


async def test_the_second_to_see_a_trouble_joins_the_first(bank: Bank, clock: HandClock) -> None:
    now = clock.now()
    await bank.desk.decide(opened(begun_at=now))
    joined = await bank.desk.decide(opened(TWO, begun_at=now, components=(QRIS_OFFUS,)))
    assert isinstance(joined, Incident)
    assert joined.id == ONE
    assert set(joined.components) == {TRANSFER_BIFAST, QRIS_OFFUS}
    other = await bank.desk.decide(opened(TWO, begun_at=now, cause_key="qris.out"))
    assert isinstance(other, Incident)
    assert other.id == TWO
    kept = await store.open_incidents(bank.pool, bank.book_id)
    assert [one.id for one in kept] == [ONE, TWO]


async def test_a_discarded_draft_makes_room(bank: Bank, clock: HandClock) -> None:
    now = clock.now()
    await bank.desk.decide(opened(begun_at=now))
    silent = await bank.desk.decide(DiscardDraft(incident_id=ONE, why=" ", by="staff:1"))
    assert isinstance(silent, Refused)
    gone = await bank.desk.decide(DiscardDraft(incident_id=ONE, why="a drill", by="staff:1"))
    assert isinstance(gone, Incident)
    fresh = await bank.desk.decide(opened(TWO, begun_at=now))
    assert isinstance(fresh, Incident)
    assert fresh.id == TWO


async def test_a_service_is_not_called_well_while_a_closure_holds_it(
    bank: Bank, clock: HandClock
) -> None:
    now = clock.now()
    shut = closure(made_at=now, expires_at=now + timedelta(minutes=30))
    assert not isinstance(await bank.desk.decide(Close(closure=shut)), Refused)
    await bank.desk.decide(opened(begun_at=now, closure_ids=(str(shut.id),)))
    await step(bank, S.PUBLISHED)
    await step(bank, S.MONITORING)
    refused = await step(bank, S.SERVICE_RESTORED)
    assert isinstance(refused, Refused)
    assert refused.code is Refusal.INCIDENT_STEP_NOT_ALLOWED
    for to, allowance in ((State.CONFIRMED, None), (State.RECOVERING, Allowance())):
        moved = await bank.desk.decide(
            ChangeClosure(
                closure_id=shut.id, to=to, what="test", by=("staff:1",), allowance=allowance,
                sets_allowance=True,
            )
        )  # fmt: skip
        assert not isinstance(moved, Refused)
    assert isinstance(await step(bank, S.SERVICE_RESTORED), Incident)


@pytest.mark.parametrize(
    "command",
    [
        UpdateIncident(incident_id=TWO, texts=texts(), lint=no_lint, by="staff:1"),
        MoveIncident(incident_id=TWO, to=S.PUBLISHED, texts=texts(), lint=no_lint, by="staff:1"),
        SetMoney(incident_id=TWO, money=counted(arrived=1), by="bank"),
        ReviewIncident(incident_id=TWO, reviews={}, lint=no_lint, by="staff:1"),
        DiscardDraft(incident_id=TWO, why="x", by="staff:1"),
    ],
    ids=lambda command: type(command).__name__,
)
async def test_an_incident_that_is_not_there_is_refused(bank: Bank, command: Any) -> None:
    refused = await bank.desk.decide(command)
    assert isinstance(refused, Refused)
    assert refused.code is Refusal.INCIDENT_NOT_FOUND


def person(number: int) -> Staff:
    return Staff(id=f"staff:{number}", hr_id=f"hr-{number}", roles=frozenset({Role.RISK_OFFICER}))


async def test_worse_is_one_word_and_better_is_two_signatures(bank: Bank, clock: HandClock) -> None:
    """A person says worse at once, but not down; to take it back two sign that very word, once."""
    decide = bank.desk.decide
    down = OverrideComponent(
        component=TRANSFER_BIFAST, condition=Condition.DOWN, computed=Condition.OPERATIONAL,
        reason="seen at a branch", by="staff:1",
    )  # fmt: skip
    assert isinstance(await decide(down), Refused)
    worse = OverrideComponent(
        component=TRANSFER_BIFAST, condition=Condition.DEGRADED, computed=Condition.OPERATIONAL,
        reason="seen at a branch", by="staff:1",
    )  # fmt: skip
    assert isinstance(await decide(worse), Override)
    change = bank.ids.next()
    back = OverrideComponent(
        component=TRANSFER_BIFAST, condition=None, computed=Condition.OPERATIONAL,
        reason="the branch had no power", by="staff:1",
    )  # fmt: skip
    alone = await decide(back)
    assert isinstance(alone, Refused)
    assert alone.code is Refusal.TWO_PEOPLE_NEEDED

    proposed = await decide(
        Propose(
            change_id=change, kind=OVERRIDE_KIND, subject=TRANSFER_BIFAST,
            payload=payload_of(back), maker=person(1),
        )
    )  # fmt: skip
    assert not isinstance(proposed, Refused)
    signed = OverrideComponent(
        component=TRANSFER_BIFAST, condition=None, computed=Condition.OPERATIONAL,
        reason="the branch had no power", by="staff:1", change_id=change,
    )  # fmt: skip
    early = await decide(signed)
    assert isinstance(early, Refused)
    assert early.code is Refusal.CHANGE_ENDED
    assert proposed.payload == canonical(payload_of(signed))
    voted = Vote(change_id=change, by=person(2), is_yes=True, sha256=proposed.sha256)
    assert not isinstance(await decide(voted), Refused)
    ended = await decide(signed)
    assert isinstance(ended, Override)
    assert ended.by == ("staff:1", "staff:2")
    assert isinstance(await decide(signed), Refused)
    assert await store.overrides(bank.pool, bank.book_id, clock.now()) == {}
    told = await store.events_of(bank.pool, bank.book_id, f"component:{TRANSFER_BIFAST}")
    assert [one.what for one in told] == ["override", "override_ended"]
    assert (await bank.prove()).passed


async def test_an_approval_for_another_word_is_no_approval(bank: Bank) -> None:
    decide = bank.desk.decide
    word = OverrideComponent(
        component=TRANSFER_BIFAST, condition=Condition.OPERATIONAL,
        computed=Condition.DEGRADED, reason="a false alarm", by="staff:1",
        until=bank.clock.now() + timedelta(minutes=30), change_id=bank.ids.next(),
    )  # fmt: skip
    unknown = await decide(word)
    assert isinstance(unknown, Refused)
    assert unknown.code is Refusal.CHANGE_NOT_FOUND
    assert word.change_id is not None
    proposed = await decide(
        Propose(
            change_id=word.change_id, kind=OVERRIDE_KIND, subject=TRANSFER_BIFAST,
            payload=payload_of(word) | {"reason": "another"}, maker=person(1),
        )
    )  # fmt: skip
    assert not isinstance(proposed, Refused)
    await decide(Vote(change_id=word.change_id, by=person(2), is_yes=True, sha256=proposed.sha256))
    refused = await decide(word)
    assert isinstance(refused, Refused)
    assert refused.code is Refusal.CHANGE_DIFFERS


async def test_what_is_said_survives_a_restart_of_the_writer(bank: Bank, clock: HandClock) -> None:
    word = OverrideComponent(
        component=QRIS_OFFUS, condition=Condition.DEGRADED, computed=Condition.OPERATIONAL,
        reason="seen", by="staff:1",
    )  # fmt: skip
    await bank.desk.decide(word)
    words = await store.overrides(bank.pool, bank.book_id, clock.now())
    assert words[QRIS_OFFUS].condition is Condition.DEGRADED
