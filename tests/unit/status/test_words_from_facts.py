"""A word to the public says what is known and nothing more: who closed it, how much, since when.

Each case once made one wording of unlike things. The texts are read here as a customer reads them.
"""

from __future__ import annotations

from itertools import product
from uuid import UUID

import pytest

from tangguh.guard.budget import CAPS
from tangguh.guard.closure import Allowance, SignalClass
from tangguh.guard.rules import DEFAULT_RULES
from tangguh.guard.words import BY_STAFF, effect_of
from tangguh.settlement.watch.order import closure_of
from tangguh.status.component import ComponentState, Condition, Reach, Why
from tangguh.status.incident import Kind
from tangguh.status.source import (
    Extent,
    Source,
    extent_of,
    source_of_states,
    worse,
)
from tangguh.status.words.model import Facts, Step, write
from tangguh.work.incidents.story import source_of_closure
from tangguh.work.integrity import pulse
from unit.guard.test_closure import NOW, closure
from unit.status.test_words import facts

SEEN_BY_THE_SYSTEM = ("sistem kami", "our system")
CLOSED = ("tutup", "closed")
LIMITED = ("batasi", "limited")
OPENED = ("dibuka lagi", "open again")


def said(step: Step, told: Facts) -> str:
    """Headline and what happened, both languages, in small letters."""
    texts = write(step, told).values()
    return " ".join(part for text in texts for part in (text.headline, text.happened)).lower()


def says(words: tuple[str, ...], text: str) -> bool:
    return any(word in text for word in words)


@pytest.mark.parametrize(("kind", "extent"), list(product(Kind, Extent)))
def test_a_closure_by_hand_with_the_cause_uji_coba_invents_no_movements(
    kind: Kind, extent: Extent
) -> None:
    """People closed it; what their system saw, matched or protected is not known from that."""
    text = said(Step.PUBLISHED, facts(kind, source=Source.STAFF_CLOSED, extent=extent))
    assert not says(SEEN_BY_THE_SYSTEM, text)
    for invented in ("melindungi", "protect", "dicocokkan", "matched", "mitra", "partner"):
        assert invented not in text
    assert "petugas bank" in text
    assert "staff of the bank" in text


@pytest.mark.parametrize("source", [one for one in Source if one.is_closure])
def test_limited_is_not_closed(source: Source) -> None:
    part = said(Step.PUBLISHED, facts(source=source, extent=Extent.PART))
    assert says(LIMITED, part)
    assert not says(CLOSED, part)
    whole = said(Step.PUBLISHED, facts(source=source, extent=Extent.ALL))
    assert says(CLOSED, whole)


@pytest.mark.parametrize(("source", "worst"), list(product(Source, Extent)))
def test_only_what_was_closed_is_open_again(source: Source, worst: Extent) -> None:
    text = said(Step.MONITORING, facts(source=source, worst=worst, extent=Extent.NONE))
    was_closed = source.is_closure and worst in {Extent.ALL, Extent.MIXED}
    assert says(OPENED, text) == was_closed
    restored = said(Step.RESTORED, facts(source=source, worst=worst, extent=Extent.NONE))
    assert ("usual limits" in restored) == (source.is_closure and worst.rank > 0)


@pytest.mark.parametrize(("kind", "source"), list(product(Kind, Source)))
def test_nothing_is_closed_beside_everything_can_be_used(kind: Kind, source: Source) -> None:
    told = facts(kind, source=source, extent=Extent.NONE, works=(), broken=(), partly=())
    for step in (Step.PUBLISHED, Step.UNCHANGED, Step.MONITORING):
        headline = write(step, told)["id"].headline
        assert not says(("kami tutup", "kami batasi"), headline.lower()), headline


@pytest.mark.parametrize("signal_class", list(SignalClass))
def test_who_closed_it_is_read_from_who_made_it(signal_class: SignalClass) -> None:
    by_itself = closure(signal_class=signal_class, made_by="rule:x")
    by_hand = closure(signal_class=signal_class, made_by="staff:2")
    assert source_of_closure(by_hand, "") is Source.STAFF_CLOSED
    assert source_of_closure(by_itself, "") not in {Source.STAFF_CLOSED, Source.UNKNOWN}
    assert source_of_closure(by_hand, "CHG-7") is Source.PLANNED


def test_each_class_that_closes_by_itself_has_words_of_its_own() -> None:
    by_itself = [source_of_closure(closure(signal_class=one, made_by="rule:x"), "")
                 for one in SignalClass]  # fmt: skip
    texts = {said(Step.PUBLISHED, facts(source=one)) for one in by_itself}
    assert len(texts) == len(SignalClass)


def state(name: str, reach: Reach, why: Why = Why.OUTCOMES) -> ComponentState:
    return ComponentState(
        component=name, condition=Condition.DEGRADED, reach=reach, since=NOW, why=why
    )


def test_how_much_is_missing_is_counted_from_what_can_be_used() -> None:
    states = {
        "none": state("none", Reach.NONE), "part": state("part", Reach.PART),
        "all": state("all", Reach.ALL),
    }  # fmt: skip
    assert extent_of(states, ["none"]) is Extent.ALL
    assert extent_of(states, ["none", "part"]) is Extent.MIXED
    assert extent_of(states, ["none", "all"]) is Extent.MIXED
    assert extent_of(states, ["part", "all"]) is Extent.PART
    assert extent_of(states, ["all"]) is Extent.NONE
    assert extent_of(states, ["nowhere"]) is Extent.NONE
    unsure = {"new": state("new", Reach.UNKNOWN), "all": state("all", Reach.ALL)}
    assert extent_of(unsure, ["new", "all"]) is Extent.UNKNOWN
    assert worse(Extent.UNKNOWN, Extent.PART) is Extent.PART
    assert worse(Extent.PART, Extent.MIXED) is Extent.MIXED


def test_what_people_said_is_theirs_and_what_was_measured_is_the_banks() -> None:
    people = state("a", Reach.PART, Why.PEOPLE)
    assert source_of_states([people, state("b", Reach.PART)]) is Source.STAFF_SAID
    assert source_of_states([state("b", Reach.PART)]) is Source.SEEN
    assert source_of_states([state("b", Reach.NONE, Why.PROBE)]) is Source.PROBED
    noted = said(Step.PUBLISHED, facts(Kind.DEGRADED, source=Source.STAFF_SAID))
    assert "terlambat" not in noted
    assert "late or missing" not in noted


def test_a_share_nobody_counted_is_not_being_counted() -> None:
    told = facts(Kind.PARTNER_OUTAGE, source=Source.PROBED, unanswered_permille=None)
    assert "kami hitung" not in write(Step.PUBLISHED, told)["id"].happened


# ---- the words of closures ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allowance", "parks", "holds", "lacks"),
    [
        (None, False, "tolak", "batasi"),
        (None, True, "kirim setelah dibuka", "tolak"),
        (CAPS, False, "di atas Rp1.000.000", "setelah dibuka"),
        (Allowance(per_minute=60), False, "per menit kami batasi", "tolak"),
        (Allowance(amount_percent=50), False, "50%", "tolak"),
        (Allowance(permille=10), False, "sebagian nasabah", "tolak"),
        (Allowance(), False, "terima lagi", "tolak"),
    ],
)
def test_what_a_closure_does_is_said_from_what_it_lets_through(
    allowance: Allowance | None, parks: bool, holds: str, lacks: str
) -> None:
    text = effect_of(allowance, parks=parks)[0]
    assert holds in text
    assert lacks not in text


def test_no_rule_says_what_it_does_or_how_the_others_are() -> None:
    """Rules close and limit with the same words, and what else works changes: both are read live."""
    texts = [(rule.message_id, rule.message_en) for rule in DEFAULT_RULES]
    texts += [pulse._MESSAGE, pulse._MESSAGE_MANY, BY_STAFF]
    watch = closure_of(UUID(int=1), "bifast", [], NOW)
    texts.append((watch.message_id, watch.message_en))
    for indonesian, english in texts:
        for claim in ("tutup", "batas", "layanan lain", "tetap", "aman", "tercatat", "dikirim"):
            assert claim not in indonesian.lower(), indonesian
        for claim in ("closed", "limited", "other services", "safe", "recorded", "was sent"):
            assert claim not in english.lower(), english


def test_each_rule_speaks_of_what_it_is_keyed_by() -> None:
    for rule in DEFAULT_RULES:
        if rule.by == ("device",):
            assert "perangkat" in rule.message_id.lower()
        if rule.by == ("account",):
            assert "rekening" in rule.message_id.lower()
