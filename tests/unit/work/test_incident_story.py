"""What an incident does next, and that every model word may be said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from tangguh.core.known import Known, Tristate
from tangguh.notices.assurance import Assurance, Assured, assure
from tangguh.status.component import COMPONENTS, ComponentState, Condition, Reach, Stage
from tangguh.status.incident import (
    Incident,
    IncidentState,
    Kind,
    Money,
    Update,
    begin,
    refuse_texts,
)
from tangguh.status.words.model import Facts, Step, write
from tangguh.work.incidents.lint import lint_with
from tangguh.work.incidents.looker import ticket_of
from tangguh.work.incidents.settings import IncidentSettings
from tangguh.work.incidents.story import next_state, next_word_at, word_due

NOW = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
SETTINGS = IncidentSettings()
QRIS = "mobile.qris.offus"
STAGE = Stage(number=1, last=5, since=NOW, permille=50)
S = IncidentState


def states(condition: Condition) -> dict[str, ComponentState]:
    reach = Reach.ALL if condition is Condition.OPERATIONAL else Reach.NONE
    return {QRIS: ComponentState(component=QRIS, condition=condition, reach=reach, since=NOW)}


def story(state: IncidentState, **changes: object) -> Incident:
    made = begin(
        UUID(int=1), Kind.PROTECTIVE_RESTRICTION, (QRIS,), NOW, cause_key="x", closure_ids=("c",)
    )
    assert isinstance(made, Incident)
    word = Update(
        at=NOW, state=state, texts={}, by="bank", next_update_at=NOW + timedelta(minutes=15)
    )
    return msgspec.structs.replace(made, state=state, updates=(word,), **changes)


WELL, ILL = states(Condition.OPERATIONAL), states(Condition.PROTECTIVE_RESTRICTION)
UNSURE = states(Condition.NOT_MEASURED)
LATER = NOW + timedelta(seconds=SETTINGS.monitor_seconds)
CLEAR = Money(counted_at=NOW)
OPEN = Money(affected=1, affected_minor=1, open=1, open_minor=1, counted_at=NOW)


@pytest.mark.parametrize(
    ("was", "seen", "stage", "now", "money", "to"),
    [
        (S.DETECTED, ILL, None, NOW, CLEAR, S.PUBLISHED),
        (S.PUBLISHED, ILL, None, NOW, CLEAR, None),
        (S.PUBLISHED, ILL, STAGE, NOW, CLEAR, S.RECOVERING),
        (S.PUBLISHED, WELL, None, NOW, CLEAR, S.MONITORING),
        (S.RECOVERING, ILL, None, NOW, CLEAR, S.PUBLISHED),
        (S.RECOVERING, ILL, STAGE, NOW, CLEAR, S.RECOVERING),
        (S.RECOVERING, WELL, None, NOW, CLEAR, S.MONITORING),
        (S.MONITORING, WELL, None, NOW, CLEAR, None),
        (S.MONITORING, WELL, None, LATER, OPEN, S.SERVICE_RESTORED),
        (S.MONITORING, ILL, None, LATER, CLEAR, S.PUBLISHED),
        (S.MONITORING, ILL, STAGE, LATER, CLEAR, S.RECOVERING),
        (S.SERVICE_RESTORED, WELL, None, LATER, OPEN, None),
        (S.SERVICE_RESTORED, WELL, None, LATER, Money(), None),
        (S.SERVICE_RESTORED, WELL, None, LATER, CLEAR, S.MONEY_RESOLVED),
        (S.SERVICE_RESTORED, ILL, None, LATER, CLEAR, S.PUBLISHED),
        (S.PUBLISHED, UNSURE, None, LATER, CLEAR, None),
        (S.RECOVERING, UNSURE, None, LATER, CLEAR, S.PUBLISHED),
        (S.MONITORING, UNSURE, None, LATER, CLEAR, None),
        (S.SERVICE_RESTORED, UNSURE, None, LATER, OPEN, None),
    ],
)
def test_where_a_story_goes_next(
    was: IncidentState,
    seen: dict[str, ComponentState],
    stage: Stage | None,
    now: datetime,
    money: Money,
    to: IncidentState | None,
) -> None:
    assert next_state(story(was, money=money), seen, stage, SETTINGS, now) is to


def test_the_word_comes_a_little_before_it_was_promised_and_never_for_people() -> None:
    told = story(S.PUBLISHED)
    due = next_word_at(told, SETTINGS, NOW)
    assert due == NOW + timedelta(minutes=15)
    assert not word_due(told, SETTINGS, due - timedelta(seconds=31))
    assert word_due(told, SETTINGS, due - timedelta(seconds=30))
    assert not word_due(told, IncidentSettings(words="people"), due + timedelta(hours=1))


def test_a_ticket_is_only_what_the_evidence_names() -> None:
    from tangguh.guard.closure import Closure

    def with_evidence(text: str) -> Closure:
        return msgspec.structs.replace(_closure(), evidence=text)

    assert ticket_of(with_evidence('{"ticket": "CHG-7"}')) == "CHG-7"
    for odd in ("", "[]", '{"ticket": 7}', "{", '{"by": "staff:1"}'):
        assert ticket_of(with_evidence(odd)) == ""


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("step", list(Step))
@pytest.mark.parametrize("safe", [True, False])
@pytest.mark.parametrize("many", [True, False])
def test_every_model_word_may_be_said(kind: Kind, step: Step, safe: bool, many: bool) -> None:
    """A word the lint refuses would leave an incident untold: none of ours is."""
    sentences: dict[str, Assured | None] = {"id": None, "en": None}
    if safe:
        held = Assurance(
            proved_at=NOW, proof_holds=True, matched_at=NOW, match_holds=True,
            sight=Known(Tristate.YES, NOW),
        )  # fmt: skip
        for language in sentences:
            found = assure(held, language, now=NOW)
            assert isinstance(found, Assured)
            sentences[language] = found
    every = list(COMPONENTS)
    about = every if many else [QRIS]
    facts = Facts(
        kind=kind,
        now=NOW,
        since=NOW,
        about=about,
        works=[one for one in every if one not in about],
        partly=about[: len(about) // 2],
        broken=about[len(about) // 2 :],
        assurance_id=one.text if (one := sentences["id"]) else "",
        assurance_en=one.text if (one := sentences["en"]) else "",
        money=OPEN if many else CLEAR,
        stage=STAGE,
        unanswered_permille=310 if many else None,
        restored_at=NOW,
        ticket="CHG-7" if kind is Kind.SCHEDULED_CHANGE else "",
        until=NOW if many else None,
    )
    texts = write(step, facts)
    assert refuse_texts(texts, facts.ticket, lint_with(sentences)) is None


def _closure():  # type: ignore[no-untyped-def]
    from tangguh.guard.closure import Closure, SignalClass, evidence_hash
    from tangguh.guard.scope import Scope

    return Closure(
        id=UUID(int=3),
        scope=Scope(rail="qris"),
        signal_class=SignalClass.HEALTH,
        reason="x",
        cause="x",
        evidence="{}",
        evidence_sha256=evidence_hash("{}"),
        made_by="staff:1",
        owner="staff:1",
        made_at=NOW,
        expires_at=NOW + timedelta(minutes=5),
        message_id="x",
        message_en="x",
    )
