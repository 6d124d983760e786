"""Rules as data: what is counted, per what, above which threshold, and what is then done. Pure.

A rule is live, in shadow (it says what it would have done) or off. Which scopes a rule of a class
may close alone, and how much of normal traffic, is the class's, not the rule's (``ALONE``).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from tangguh.core.outcome import Refusal, Refused
from tangguh.guard.closure import AUTOMATIC_TTL_MAX, Allowance, SignalClass
from tangguh.guard.scope import EXACT, Scope, problem_of


class Metric(StrEnum):
    """What is measured over the window, per key.

    ``technical_*`` count answers that say the network, not the customer, is the trouble: not sent,
    unreachable, unanswered. ``slow`` counts answers later than ``slow_seconds``. ``backlog`` is how
    many are open and late now. ``attempts``, ``amount`` (minor units) and ``payees`` (different
    ones) are of the customers' side, ``mismatched`` of answers about another payment or amount.
    """

    TECHNICAL_CONSECUTIVE = "technical_consecutive"
    TECHNICAL_COUNT = "technical_count"
    TECHNICAL_RATE = "technical_rate"
    SLOW_RATE = "slow_rate"
    BACKLOG = "backlog"
    ATTEMPTS = "attempts"
    AMOUNT = "amount"
    PAYEES = "payees"
    REFUSED = "refused"


class Mode(StrEnum):
    """Whether a rule acts."""

    LIVE = "live"
    SHADOW = "shadow"
    OFF = "off"


class Alone(msgspec.Struct, frozen=True):
    """What automation of a class may do without people: the most of normal attempts it may stop.

    ``pinned_only``: only scopes that single out an account, payee, terminal or device.
    """

    collateral_permille: int
    pinned_only: bool = False


ALONE: Final[dict[SignalClass, Alone]] = {
    SignalClass.INTEGRITY: Alone(100),
    SignalClass.ABUSE: Alone(10, pinned_only=True),
    SignalClass.HEALTH: Alone(100),
    SignalClass.CONTROL: Alone(0, pinned_only=True),
}
"""Resilience blueprint §4.1: the class fixes it, not the engineer on duty."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule. ``by`` are the dimensions of its key; ``where`` what it looks at at all.

    ``allowance`` None closes, else limits. ``sample_min``: with fewer observations it says nothing.
    ``threshold`` is reached or passed, in the metric's own unit (rates in per mille).
    """

    id: str
    signal_class: SignalClass
    metric: Metric
    by: tuple[str, ...]
    threshold: int
    window_seconds: int
    reason: str
    cause: str
    message_id: str
    message_en: str
    ttl_seconds: int
    where: Scope = Scope()
    sample_min: int = 1
    slow_seconds: float = 5.0
    allowance: Allowance | None = None
    mode: Mode = Mode.LIVE
    alternative: str = ""


def refuse_rule(rule: Rule) -> Refused | None:
    """What no rule may be: keyed by nothing, without time, above its class's longest time."""
    if not rule.by or any(name not in (*EXACT, "account") for name in rule.by):
        return Refused(Refusal.ORDER_INVALID, "by", f"one or more of {', '.join(EXACT)}, account")
    if problem := problem_of(rule.where):
        return Refused(Refusal.ORDER_INVALID, "where", problem)
    if rule.threshold < 1 or rule.window_seconds < 1 or rule.sample_min < 1:
        return Refused(Refusal.ORDER_INVALID, "threshold", "threshold, window and sample are >= 1")
    longest = int(AUTOMATIC_TTL_MAX[rule.signal_class].total_seconds())
    if not 1 <= rule.ttl_seconds <= longest:
        return Refused(Refusal.ORDER_INVALID, "ttl_seconds", f"1 to {longest} seconds")
    for field in ("id", "reason", "cause", "message_id", "message_en"):
        if not getattr(rule, field).strip():
            return Refused(Refusal.ORDER_INVALID, field, "a rule must say it")
    if ALONE[rule.signal_class].pinned_only and not set(rule.by) & {
        "account",
        "payee",
        "terminal",
        "device",
    }:
        return Refused(Refusal.ORDER_INVALID, "by", "this class may act on one account, payee, "
                       "terminal or device only")  # fmt: skip
    return None


_WORDS: Final = ("reason", "cause", "message_id", "message_en", "alternative")


def is_weaker(rule: Rule, was: Rule) -> bool:
    """Whether a rule that acts would act less: off, in shadow, or other than sooner and longer."""
    if was.mode is not Mode.LIVE:
        return False
    sooner = rule.threshold <= was.threshold and rule.sample_min <= was.sample_min
    if rule.mode is not Mode.LIVE or not sooner or rule.ttl_seconds < was.ttl_seconds:
        return True
    same = ("threshold", "sample_min", "ttl_seconds", *_WORDS)
    kept = {name: getattr(rule, name) for name in same}
    return msgspec.structs.replace(was, **kept) != rule


# Why, and nothing else: what a closure does is said from what it lets through (``guard.words``).
_SICK_ID: Final = "Tujuan ini sedang tidak menjawab dengan baik."
_SICK_EN: Final = "This partner is not answering well."
_FAST_ID: Final = "Rekening ini membayar jauh lebih sering dari biasanya."
_FAST_EN: Final = "This account pays far more often than usual."

_HEALTH_KEY: Final = ("rail", "direction", "service", "partner")

DEFAULT_RULES: Final[tuple[Rule, ...]] = (
    Rule(
        id="partner-silent",
        signal_class=SignalClass.HEALTH,
        metric=Metric.TECHNICAL_CONSECUTIVE,
        by=_HEALTH_KEY,
        threshold=5,
        window_seconds=120,
        reason="partner_silent",
        cause="five payments in a row were not answered",
        message_id=_SICK_ID,
        message_en=_SICK_EN,
        ttl_seconds=60,
    ),
    Rule(
        id="partner-failing",
        signal_class=SignalClass.HEALTH,
        metric=Metric.TECHNICAL_COUNT,
        by=_HEALTH_KEY,
        threshold=5,
        window_seconds=60,
        sample_min=5,
        reason="partner_failing",
        cause="five payments within a minute were not answered",
        message_id=_SICK_ID,
        message_en=_SICK_EN,
        ttl_seconds=60,
        where=Scope(direction="out"),
        allowance=Allowance(per_minute=60),
    ),
    Rule(
        id="partner-error-rate",
        signal_class=SignalClass.HEALTH,
        metric=Metric.TECHNICAL_RATE,
        by=_HEALTH_KEY,
        threshold=300,
        window_seconds=60,
        sample_min=20,
        reason="partner_error_rate",
        cause="three in ten payments were not answered",
        message_id=_SICK_ID,
        message_en=_SICK_EN,
        ttl_seconds=60,
    ),
    Rule(
        id="partner-slow",
        signal_class=SignalClass.HEALTH,
        metric=Metric.SLOW_RATE,
        by=_HEALTH_KEY,
        threshold=500,
        window_seconds=30,
        sample_min=10,
        slow_seconds=3.0,
        reason="partner_slow",
        cause="half of the answers took longer than three seconds",
        message_id=_SICK_ID,
        message_en=_SICK_EN,
        ttl_seconds=60,
        allowance=Allowance(per_minute=60),
    ),
    Rule(
        id="partner-backlog",
        signal_class=SignalClass.HEALTH,
        metric=Metric.BACKLOG,
        by=_HEALTH_KEY,
        threshold=50,
        window_seconds=600,
        reason="unanswered_backlog",
        cause="fifty payments are open and late",
        message_id=_SICK_ID,
        message_en=_SICK_EN,
        ttl_seconds=120,
        allowance=Allowance(per_minute=30),
    ),
    Rule(
        id="account-velocity",
        signal_class=SignalClass.ABUSE,
        metric=Metric.ATTEMPTS,
        by=("account",),
        threshold=120,
        window_seconds=60,
        reason="account_velocity",
        cause="one account made 120 payments within a minute",
        message_id=_FAST_ID,
        message_en=_FAST_EN,
        ttl_seconds=900,
        where=Scope(direction="out"),
        allowance=Allowance(per_minute=10),
    ),
    Rule(
        id="account-spread",
        signal_class=SignalClass.ABUSE,
        metric=Metric.PAYEES,
        by=("account",),
        threshold=40,
        window_seconds=300,
        reason="account_many_payees",
        cause="one account paid 40 different payees within five minutes",
        message_id="Rekening ini membayar ke banyak tujuan berbeda dalam waktu singkat.",
        message_en="This account pays many different payees within a short time.",
        ttl_seconds=900,
        where=Scope(direction="out"),
        allowance=Allowance(per_minute=5),
    ),
    Rule(
        id="device-velocity",
        signal_class=SignalClass.ABUSE,
        metric=Metric.ATTEMPTS,
        by=("device",),
        threshold=180,
        window_seconds=60,
        reason="device_velocity",
        cause="one device made 180 payments within a minute",
        message_id="Perangkat ini membayar jauh lebih sering dari biasanya.",
        message_en="This device pays far more often than usual.",
        ttl_seconds=900,
        where=Scope(direction="out"),
    ),
    Rule(
        id="account-amount",
        signal_class=SignalClass.ABUSE,
        metric=Metric.AMOUNT,
        by=("account",),
        threshold=50_000_000_000,
        window_seconds=600,
        reason="account_amount",
        cause="one account paid Rp 500 million within ten minutes",
        message_id="Jumlah yang dibayar rekening ini jauh lebih besar dari biasanya.",
        message_en="This account pays far larger sums than usual.",
        ttl_seconds=900,
        where=Scope(direction="out"),
        allowance=Allowance(amount_max_minor=100_000_000),
        mode=Mode.SHADOW,
    ),
    Rule(
        id="version-failing",
        signal_class=SignalClass.HEALTH,
        metric=Metric.TECHNICAL_RATE,
        by=("version",),
        threshold=300,
        window_seconds=120,
        sample_min=50,
        reason="version_failing",
        cause="three in ten payments of one version of the app were not answered",
        message_id="Banyak pembayaran dari versi aplikasi ini tidak mendapat jawaban.",
        message_en="Many payments of this version of the app have had no answer.",
        ttl_seconds=120,
        mode=Mode.SHADOW,
    ),
    Rule(
        id="terminal-technical",
        signal_class=SignalClass.HEALTH,
        metric=Metric.TECHNICAL_CONSECUTIVE,
        by=("terminal",),
        threshold=3,
        window_seconds=600,
        reason="terminal_silent",
        cause="three withdrawals in a row at one terminal had no clear end",
        message_id="Beberapa penarikan di ATM ini belum mendapat jawaban yang jelas.",
        message_en="Some withdrawals at this ATM have had no clear answer.",
        ttl_seconds=600,
    ),
)
"""What a new bank begins with; afterwards the rows in ``rule_changes`` say."""
