"""A closure: what it may not lack, where it can go, and what it does when its time is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import msgspec
import pytest

from tangguh.core.outcome import Refusal, Refused
from tangguh.guard.board import Board, Gates
from tangguh.guard.closure import (
    PROBES_PER_MINUTE,
    TRANSITIONS,
    Allowance,
    Closure,
    SignalClass,
    State,
    evidence_hash,
    refuse_closure,
)
from tangguh.guard.scope import Facts, Scope

NOW = datetime(2026, 3, 20, 5, tzinfo=UTC)
BIFAST_OUT = Scope(rail="bifast", direction="out")
TO_A_BANK = Facts(
    service="mobile.transfer.bifast",
    rail="bifast",
    direction="out",
    channel="mobile",
    customer_id=7,
    account=1007,
    amount_minor=50_000,
)


def closure(**changes: object) -> Closure:
    """A complete integrity closure of BI-FAST outgoing."""
    evidence = '{"orders": 2}'
    whole = Closure(
        id=UUID(int=1),
        scope=BIFAST_OUT,
        signal_class=SignalClass.INTEGRITY,
        reason="unmatched_outflow",
        cause="two outflows without a posting",
        evidence=evidence,
        evidence_sha256=evidence_hash(evidence),
        made_by="watch",
        owner="staff:1",
        made_at=NOW,
        expires_at=NOW + timedelta(minutes=30),
        message_id="Transfer BI-FAST keluar ditutup sementara.",
        message_en="Outgoing BI-FAST is closed for now.",
    )
    return msgspec.structs.replace(whole, **changes)


@pytest.mark.parametrize(
    "field", ["reason", "cause", "evidence", "made_by", "owner", "message_id", "message_en"]
)
def test_no_closure_without_what_it_must_say(field: str) -> None:
    """F71: an order without its reason, message, owner or evidence is refused, by its field."""
    refused = refuse_closure(closure(**{field: " "}))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.field) == (Refusal.ORDER_INVALID, field)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"expires_at": NOW}, "expires_at"),
        ({"expires_at": NOW + timedelta(minutes=61)}, "expires_at"),
        (
            {"signal_class": SignalClass.HEALTH, "expires_at": NOW + timedelta(minutes=11)},
            "expires_at",
        ),
        ({"expires_at": NOW + timedelta(hours=5), "confirmed_by": ("a", "b")}, "expires_at"),
        ({"evidence": "{}"}, "evidence"),
        ({"scope": Scope()}, "scope"),
        ({"scope": Scope(), "confirmed_by": ("a",)}, "scope"),
        ({"scope": Scope(rail="nowhere")}, "scope"),
        ({"allowance": Allowance(permille=1001)}, "permille"),
    ],
)
def test_no_closure_beyond_its_class(changes: dict[str, object], field: str) -> None:
    """F71: every closure ends in time, hashes its evidence and names something that exists."""
    refused = refuse_closure(closure(**changes))
    assert isinstance(refused, Refused)
    assert refused.field == field


def test_a_complete_one_is_taken() -> None:
    assert refuse_closure(closure()) is None
    two = ("staff:1", "staff:2")
    whole_bank = closure(scope=Scope(), confirmed_by=two, expires_at=NOW + timedelta(hours=4))
    assert refuse_closure(whole_bank) is None


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_every_transition_is_legal_or_refused(before: State, after: State) -> None:
    moved = closure(state=before).to(after)
    if after in TRANSITIONS[before]:
        assert isinstance(moved, Closure)
    else:
        assert isinstance(moved, Refused)
        assert moved.code is Refusal.GATE_STEP_NOT_ALLOWED


def test_lifting_goes_through_recovery_only() -> None:
    """Nobody lifts a closure by a word: the ladder is the only way to open."""
    assert {before for before in State if State.LIFTED in TRANSITIONS[before]} == {State.RECOVERING}


@pytest.mark.parametrize(
    ("signal_class", "effect"),
    [
        (SignalClass.INTEGRITY, None),
        (SignalClass.CONTROL, None),
        (SignalClass.ABUSE, Allowance(amount_percent=50)),
        (SignalClass.HEALTH, Allowance(per_minute=PROBES_PER_MINUTE)),
    ],
)
def test_what_a_closure_does_after_its_time(
    signal_class: SignalClass, effect: Allowance | None
) -> None:
    """By class alone and by the clock alone, so also when nobody is there to do it."""
    one = closure(signal_class=signal_class, expires_at=NOW + timedelta(minutes=5))
    assert one.effect(NOW) is None
    assert one.effect(NOW + timedelta(minutes=5)) == effect


def test_a_narrower_closure_never_weakens_a_wider_one() -> None:
    wide = closure()
    narrow = closure(
        id=UUID(int=2),
        scope=Scope(rail="bifast", direction="out", account=1007),
        allowance=Allowance(),
    )
    for board in (Board(1, (wide, narrow)), Board(1, (narrow, wide))):
        stopped = Gates(board).judge(TO_A_BANK, NOW)
        assert stopped is not None
        assert stopped.code is Refusal.PROTECTIVE_CLOSURE


def test_a_limited_gate_lets_through_what_it_allows() -> None:
    limited = closure(allowance=Allowance(amount_max_minor=50_000, amount_percent=50))
    gates = Gates(Board(1, (limited,)))
    assert gates.judge(TO_A_BANK, NOW) is None
    assert gates.percent(TO_A_BANK, NOW) == 50
    above = msgspec.structs.replace(TO_A_BANK, amount_minor=50_001)
    stopped = gates.judge(above, NOW)
    assert stopped is not None
    assert stopped.code is Refusal.PROTECTIVE_LIMIT


def test_who_is_let_in_stays_in() -> None:
    """Each step lets in everybody of the step before."""
    inside: set[int] = set()
    for permille in (1, 10, 50, 250, 500, 1000):
        gates = Gates(Board(1, (closure(allowance=Allowance(permille=permille, salt="x")),)))
        now_inside = {
            customer
            for customer in range(2_000)
            if gates.judge(msgspec.structs.replace(TO_A_BANK, customer_id=customer), NOW) is None
        }
        assert inside <= now_inside
        inside = now_inside
    assert len(inside) == 2_000


def test_staff_are_let_in_before_anybody() -> None:
    gates = Gates(Board(1, (closure(allowance=Allowance(permille=0, accounts=(1007,))),)))
    assert gates.judge(TO_A_BANK, NOW) is None
    assert gates.judge(msgspec.structs.replace(TO_A_BANK, account=1), NOW) is not None


def test_closures_of_one_account_are_found_among_many() -> None:
    many = tuple(
        closure(id=UUID(int=number), scope=Scope(account=number)) for number in range(1, 3_000)
    )
    gates = Gates(Board(1, many))
    stopped = gates.judge(TO_A_BANK, NOW)
    assert stopped is not None
    assert stopped.by.scope.account == 1007
    assert gates.judge(msgspec.structs.replace(TO_A_BANK, account=99_999), NOW) is None
