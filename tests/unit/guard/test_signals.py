"""What fires, on which scope, and what does not: at five calls a minute as at a hundred a second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from tangguh.core.outcome import Refused
from tangguh.guard.backtest import back_test
from tangguh.guard.budget import is_mad, rule_on, share_of
from tangguh.guard.choice import choose
from tangguh.guard.closure import SignalClass
from tangguh.guard.rules import DEFAULT_RULES, Metric, Mode, Rule, refuse_rule
from tangguh.guard.scope import Facts, Scope
from tangguh.guard.signals import Detector
from tangguh.guard.window import COUNTED, End, Seen, Window
from unit.guard.test_closure import closure

NOON = datetime(2026, 3, 20, 5, tzinfo=UTC)
RULES = {rule.id: rule for rule in DEFAULT_RULES}


def facts(**changes: object) -> Facts:
    plain = Facts(
        service="mobile.topup.gopay",
        rail="ewallet",
        direction="out",
        channel="mobile",
        partner="gopay",
        customer_id=1,
        account=1001,
        payee="gopay:0812",
        amount_minor=1_000_000,
    )
    return msgspec.structs.replace(plain, **changes)


class Story:
    """Observations one after the other."""

    def __init__(self, *rules: Rule) -> None:
        self.detector = Detector(rules or DEFAULT_RULES)
        self.now = NOON
        self.history: list[Seen] = []
        self.number = 0

    def pay(self, end: End, *, seconds: float = 0.2, every: float = 1.0, **more: object) -> None:
        self.number += 1
        what = facts(**more)
        for one, took in ((End.ATTEMPTED, 0.0), (end, seconds)):
            at = self.now + timedelta(seconds=took)
            seen = Seen(at, UUID(int=self.number), what, one, took)
            self.detector.see(seen)
            self.history.append(seen)
        self.now += timedelta(seconds=every)

    def fired(self) -> dict[str, Scope]:
        return {found.rule.id: found.scope for found in self.detector.findings(self.now)}


@pytest.mark.parametrize("rule", DEFAULT_RULES, ids=lambda rule: rule.id)
def test_the_rules_we_ship_are_rules(rule: Rule) -> None:
    assert refuse_rule(rule) is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"by": ()}, "by"),
        ({"by": ("colour",)}, "by"),
        ({"threshold": 0}, "threshold"),
        ({"ttl_seconds": 601}, "ttl_seconds"),
        ({"message_en": ""}, "message_en"),
        ({"where": Scope(rail="x")}, "where"),
        ({"signal_class": SignalClass.ABUSE}, "by"),
    ],
)
def test_what_no_rule_may_be(changes: dict[str, object], field: str) -> None:
    refused = refuse_rule(msgspec.structs.replace(RULES["partner-silent"], **changes))
    assert isinstance(refused, Refused)
    assert refused.field == field


def test_five_in_a_row_at_five_a_minute() -> None:
    """A small biller that goes silent is seen though a rate over 100 calls never would be."""
    story = Story()
    for _ in range(4):
        story.pay(End.UNANSWERED, every=12.0)
        assert story.fired() == {}
    story.pay(End.UNANSWERED, every=12.0)
    assert story.fired()["partner-silent"] == Scope(
        rail="ewallet", direction="out", service="mobile.topup.gopay", partner="gopay"
    )


def test_a_customers_no_is_no_trouble() -> None:
    story = Story()
    for _ in range(50):
        story.pay(End.DECLINED)
    assert story.fired() == {}


def test_three_in_ten_is_a_rate() -> None:
    story = Story(RULES["partner-error-rate"])
    for number in range(60):
        story.pay(End.UNANSWERED if number % 3 == 0 else End.PAID)
    assert set(story.fired()) == {"partner-error-rate"}


def test_slow_without_one_error() -> None:
    story = Story(RULES["partner-slow"])
    for _ in range(20):
        story.pay(End.PAID, seconds=4.0)
    assert set(story.fired()) == {"partner-slow"}


def test_another_partner_is_not_meant() -> None:
    story = Story(RULES["partner-silent"])
    for _ in range(6):
        story.pay(End.UNANSWERED)
        story.pay(End.PAID, partner="ovo", service="mobile.topup.ovo")
    fired = story.fired()
    assert [scope.partner for scope in fired.values()] == ["gopay"]


def test_a_backlog_is_seen_while_nothing_happens() -> None:
    """Time-outs that still run are counted: late comes by waiting alone."""
    story = Story(msgspec.structs.replace(RULES["partner-backlog"], threshold=10))
    for number in range(12):
        story.detector.see(Seen(story.now, UUID(int=number), facts(), End.ATTEMPTED))
    assert story.fired() == {}
    story.now += timedelta(seconds=6)
    assert set(story.fired()) == {"partner-backlog"}


def test_one_account_too_fast_is_one_account() -> None:
    story = Story()
    for number in range(130):
        story.pay(End.PAID, every=0.2, account=1001 if number % 13 else 1002)
    fired = story.fired()
    assert fired == {"account-velocity": Scope(direction="out", account=1001)}


def test_the_banks_own_probes_are_nobodys_abuse() -> None:
    story = Story()
    for _ in range(200):
        story.pay(End.PAID, every=0.1, account=105_001, customer_id=0)
    assert story.fired() == {}


def test_what_led_to_a_closure_does_not_lead_to_the_next() -> None:
    story = Story(RULES["partner-silent"])
    for _ in range(5):
        story.pay(End.UNANSWERED)
    ((rule, scope),) = story.fired().items()
    story.detector.forget(rule, scope)
    story.pay(End.UNANSWERED)
    assert story.fired() == {}


def test_a_rule_that_is_off_counts_nothing() -> None:
    story = Story(msgspec.structs.replace(RULES["partner-silent"], mode=Mode.OFF))
    for _ in range(9):
        story.pay(End.UNANSWERED)
    assert story.fired() == {}


def test_the_smallest_scope_that_explains_it_is_taken() -> None:
    """One biller's trouble is not its rail's, and one version's is not everybody's."""
    bad = [facts(version="2.1", customer_id=number, account=number) for number in range(20)]
    good = [facts(version="2.0", customer_id=number, account=100 + number) for number in range(500)]
    choice = choose(Scope(rail="ewallet", direction="out"), bad, good)
    assert choice.scope.version == "2.1"
    assert choice.explains_percent == 100
    assert choice.collateral_permille == 0
    assert choice.rejected


def test_nothing_smaller_explains_it() -> None:
    bad = [facts(customer_id=n, account=n, payee=f"p{n}", partner="ovo") for n in range(40)]
    bad += [facts(customer_id=n, account=n, payee=f"q{n}") for n in range(40)]
    scope = Scope(rail="ewallet", direction="out")
    assert choose(scope, bad, bad).scope.includes(scope)


NORMAL = [
    *[facts(account=n) for n in range(5)],
    *[facts(rail="onus", service="mobile.transfer.onus", partner="", account=n) for n in range(95)],
]


@pytest.mark.parametrize(
    ("scope", "signal_class", "permille", "alone"),
    [
        (Scope(rail="bifast", direction="out"), SignalClass.INTEGRITY, 400, True),
        (Scope(rail="bifast"), SignalClass.INTEGRITY, 400, False),
        (Scope(account=3), SignalClass.ABUSE, 5, True),
        (Scope(account=3), SignalClass.ABUSE, 11, True),
        (Scope(rail="ewallet"), SignalClass.ABUSE, 1, False),
        (Scope(rail="ewallet"), SignalClass.HEALTH, 50, True),
        (Scope(rail="onus"), SignalClass.HEALTH, 101, False),
        (Scope(), SignalClass.INTEGRITY, 0, False),
        (Scope(direction="out"), SignalClass.CONTROL, 0, False),
    ],
)
def test_what_automation_may_close_alone(
    scope: Scope, signal_class: SignalClass, permille: int, alone: bool
) -> None:
    assert rule_on(scope, signal_class, permille, (), NORMAL).alone is alone


def test_of_however_few_customers_one_may_be_stopped() -> None:
    """The first account is within the budget; a second one of too many payments waits."""
    one = closure(scope=Scope(account=4))
    assert rule_on(Scope(account=3), SignalClass.ABUSE, 10, (one,), []).alone
    assert not rule_on(Scope(account=3), SignalClass.ABUSE, 11, (one,), []).alone


def test_a_second_rail_waits_for_people() -> None:
    one = closure()
    ruling = rule_on(Scope(rail="qris", direction="out"), SignalClass.INTEGRITY, 10, (one,), NORMAL)
    assert not ruling.alone


def test_many_small_ones_add_up() -> None:
    """Ten closures of one per cent are ten per cent; the eleventh waits."""
    closed = [closure(scope=Scope(rail="onus", account=n)) for n in range(1, 11)]
    assert share_of([one.scope for one in closed], NORMAL) == 100
    ruling = rule_on(Scope(account=50), SignalClass.ABUSE, 10, closed, NORMAL)
    assert not ruling.alone


def test_a_detector_that_points_at_more_than_half_is_not_believed() -> None:
    assert is_mad([Scope(rail="onus")], NORMAL)
    assert not is_mad([Scope(rail="ewallet")], NORMAL)
    assert not is_mad([Scope(rail="onus")], NORMAL[:10])


def test_a_typo_that_would_stop_forty_per_cent_is_seen_beforehand() -> None:
    """F65: the back-test shows the collateral, so the rule cannot go live by one word."""
    story = Story()
    for number in range(400):
        story.pay(End.PAID, every=0.5, account=1001 if number % 5 < 2 else 2000 + number)
    typo = msgspec.structs.replace(
        RULES["account-velocity"], threshold=2, ttl_seconds=900, metric=Metric.ATTEMPTS
    )
    test = back_test(typo, story.history)
    assert 350 <= test.collateral_permille <= 400
    assert not test.may_go_live_alone
    sane = back_test(RULES["account-velocity"], story.history)
    assert sane.firings == ()
    assert sane.may_go_live_alone


def test_a_back_test_names_the_smaller_scope() -> None:
    """A rule by rail would have closed a rail; one partner would have done."""
    story = Story()
    for number in range(40):
        story.pay(End.UNANSWERED if number > 20 else End.PAID)
        for wallet in ("ovo", "dana"):
            story.pay(End.PAID, partner=wallet, service=f"mobile.topup.{wallet}", every=0.1)
    wide = msgspec.structs.replace(
        RULES["partner-error-rate"], by=("rail", "direction"), threshold=100
    )
    test = back_test(wide, story.history)
    assert test.firings
    assert "gopay" in test.firings[0].smaller


def test_customers_who_went_quiet_are_not_kept_for_ever() -> None:
    story = Story()
    for number in range(300):
        story.pay(End.PAID, every=0.01, account=2_000 + number, device=f"d{number}")
        story.detector.findings(story.now)
    busy = story.detector.keys
    assert busy >= 4 * 300
    story.now += timedelta(hours=1)
    story.pay(End.PAID)
    story.detector.findings(story.now)
    assert story.detector.keys < 30


def test_a_crowd_gone_quiet_at_once_is_let_go_in_steps_and_wholly() -> None:
    story = Story(_by_account())
    for number in range(2_500):
        story.pay(End.PAID, every=0.0, account=2_000 + number)
    story.now += timedelta(hours=1)
    kept = []
    for _ in range(4):
        story.detector.findings(story.now)
        kept.append(story.detector.keys)
    assert kept == [1_500, 500, 0, 0]


def test_what_waits_or_failed_in_a_row_is_never_forgotten_for_being_quiet() -> None:
    rules = [rule for rule in DEFAULT_RULES if rule.metric is Metric.BACKLOG]
    rows = [rule for rule in DEFAULT_RULES if rule.metric is Metric.TECHNICAL_CONSECUTIVE]
    story = Story(rules[0], rows[0])
    story.pay(End.UNANSWERED)
    before = story.detector.keys
    assert before == 2
    story.now += timedelta(days=1)
    story.detector.findings(story.now)
    assert story.detector.keys == before


def _by_account() -> Rule:
    return next(
        rule for rule in DEFAULT_RULES if rule.metric is Metric.ATTEMPTS and rule.by == ("account",)
    )


@pytest.mark.parametrize("metric", Metric)
def test_an_end_that_a_metric_does_not_count_changes_nothing_of_it(metric: Metric) -> None:
    """The detector does not even show such ends to the window: it would say the same."""
    rule = msgspec.structs.replace(DEFAULT_RULES[0], metric=metric)
    for end in End:
        window, other = Window(rule), Window(rule)
        for one in (window, other):
            one.add(Seen(NOON, UUID(int=1), facts(), End.ATTEMPTED))
            one.add(Seen(NOON, UUID(int=2), facts(), End.UNANSWERED, 60.0))
        window.add(Seen(NOON, UUID(int=3), facts(), end, 60.0))
        if end not in COUNTED[metric]:
            assert window.measure(NOON) == other.measure(NOON)
            assert window.events == other.events
