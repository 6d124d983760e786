"""The networks' own books: balances follow the rows, whatever is written in whatever order."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tangguh.sim.passbook import (
    Passbook,
    TransferRow,
    day_text,
    instant_text,
    pending_until,
)

NOON = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
DAY = date(2026, 3, 20)
RINA, DODI = "998-1", "998-2"


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Passbook]:
    """Two people with a million rupiah each."""
    passbook = fresh(tmp_path / "books.sqlite")
    yield passbook
    passbook.close()


def fresh(path: Path) -> Passbook:
    passbook = Passbook(str(path))
    with passbook.transaction():
        for number, name in ((RINA, "RINA"), (DODI, "DODI")):
            passbook.open_account(number, name, opening_minor=1_000_000_00)
    return passbook


def row(reference: str = "R1", **changes: object) -> TransferRow:
    """Rp100 to Rina, paid at noon."""
    plain = TransferRow(
        reference=reference,
        kind="topup",
        direction="in",
        account=RINA,
        amount_minor=100_00,
        state="paid",
        code="20000",
        made_at=instant_text(NOON),
    )
    return msgspec.structs.replace(plain, **changes)


def balance(books: Passbook, number: str = RINA) -> int:
    account = books.account(number)
    assert account is not None
    return account.balance_minor - 1_000_000_00


def test_only_what_is_paid_moves_a_balance(books: Passbook) -> None:
    for number, state in enumerate(("paid", "failed", "cancelled", "pending")):
        books.record(row(f"R{number}", state=state))
    assert balance(books) == 100_00
    assert books.prove().holds


def test_out_takes_and_in_gives(books: Passbook) -> None:
    books.record(row("IN"))
    books.record(row("OUT", direction="out", amount_minor=30_00))
    assert balance(books) == 70_00
    totals = books.totals()
    assert (totals.in_minor, totals.out_minor) == (100_00, 30_00)


def test_a_reference_is_written_once(books: Passbook) -> None:
    books.record(row())
    with pytest.raises(sqlite3.IntegrityError):
        books.record(row(amount_minor=1))
    assert balance(books) == 100_00


def test_a_transaction_that_breaks_leaves_nothing(books: Passbook) -> None:
    with pytest.raises(RuntimeError, match="power"), books.transaction():
        books.record(row())
        raise RuntimeError("power is gone")
    assert books.transfer("R1") is None
    assert balance(books) == 0


def test_pending_becomes_what_it_becomes_when_its_time_comes(books: Passbook) -> None:
    for reference, becomes in (("YES", "paid"), ("NO", "failed")):
        books.record(pending_until(row(reference), NOON, 30, becomes))
    early = NOON + timedelta(seconds=29)
    assert books.conclude_due(early, paid_code="00", failed_code="05") == []
    ended = books.conclude_due(NOON + timedelta(seconds=30), paid_code="00", failed_code="05")
    assert [(one.reference, one.state, one.code) for one in ended] == [
        ("YES", "paid", "00"),
        ("NO", "failed", "05"),
    ]
    assert balance(books) == 100_00
    late = NOON + timedelta(hours=1)
    assert books.conclude_due(late, paid_code="00", failed_code="05") == []


def test_what_has_ended_does_not_end_again(books: Passbook) -> None:
    books.record(row())
    assert books.conclude("R1", "cancelled", "x", NOON).state == "paid"
    assert balance(books) == 100_00
    with pytest.raises(KeyError):
        books.conclude("UNKNOWN", "paid", "x", NOON)


def test_given_back_in_parts_and_never_more_than_came(books: Passbook) -> None:
    books.record(row())
    books.give_back("R1", 40_00, NOON)
    books.give_back("R1", 60_00, NOON)
    assert balance(books) == 0
    with pytest.raises(sqlite3.IntegrityError), books.transaction():
        books.give_back("R1", 1, NOON)
    assert books.prove().holds


def test_a_key_is_good_once_a_day(books: Passbook) -> None:
    assert books.admit("K", "2026-03-20")
    assert not books.admit("K", "2026-03-20")
    assert books.admit("L", "2026-03-20")
    assert books.admit("K", "2026-03-21")


def test_opening_again_changes_the_state_only(books: Passbook) -> None:
    books.record(row())
    books.open_account(RINA, "SOMEBODY ELSE", state="blocked", opening_minor=5)
    account = books.account(RINA)
    assert account is not None
    assert (account.name, account.state) == ("RINA", "blocked")
    assert balance(books) == 100_00


def test_a_balance_that_was_tampered_with_is_found(books: Passbook, tmp_path: Path) -> None:
    books.record(row())
    with sqlite3.connect(tmp_path / "books.sqlite") as other:
        other.execute(
            "UPDATE accounts SET balance_minor = balance_minor + 1 WHERE number = '998-2'"
        )
    proof = books.prove()
    assert not proof.holds
    assert proof.wrong == [DODI]


def test_what_was_written_is_there_after_a_restart(books: Passbook, tmp_path: Path) -> None:
    written = books.record(row(detail='{"note":"x"}'))
    heir = Passbook(str(tmp_path / "books.sqlite"))
    assert heir.transfer("R1") == written
    heir.close()


def test_filters(books: Passbook) -> None:
    books.record(row("A"))
    books.record(row("B", account=DODI, kind="bill", state="failed"))
    assert [one.reference for one in books.transfers()] == ["B", "A"]
    assert [one.reference for one in books.transfers(account=RINA)] == ["A"]
    assert [one.reference for one in books.transfers(kind="bill", state="failed")] == ["B"]
    assert books.transfers(reference="A", state="failed") == []
    assert len(books.transfers(limit=1)) == 1


def test_days_are_jakartas() -> None:
    late = datetime(2026, 3, 20, 17, 0, tzinfo=UTC)
    assert day_text(late) == "2026-03-21"
    assert day_text(late - timedelta(seconds=1)) == "2026-03-20"


def test_the_lines_of_a_cycle(books: Passbook) -> None:
    """What was paid in it, and what was given back in it, each where it happened."""
    books.record(row("MORNING", made_at=instant_text(NOON - timedelta(hours=1))))
    books.record(row("NOON"))
    books.record(row("FAILED", state="failed"))
    books.record(row("CREDIT", direction="out"))
    books.record(pending_until(row("LATE"), NOON, 60, "paid"))
    books.conclude_due(NOON + timedelta(minutes=2), paid_code="00", failed_code="05")
    books.give_back("MORNING", 100_00, NOON + timedelta(hours=1))
    cut_offs = ("12:00", "24:00")
    first = books.settlement_lines(DAY, 1, cut_offs)
    second = books.settlement_lines(DAY, 2, cut_offs)
    assert [(one.kind, one.side, one.reference) for one in first] == [("PAY", "O", "MORNING")]
    assert [(one.kind, one.side, one.reference) for one in second] == [
        ("REV", "I", "MORNING"),
        ("PAY", "O", "NOON"),
        ("CRE", "I", "CREDIT"),
        ("PAY", "O", "LATE"),
    ]
    whole = books.settlement_lines(DAY, 0, cut_offs)
    assert sorted(one.reference for one in whole) == sorted(
        one.reference for one in (*first, *second)
    )
    assert books.settlement_lines(DAY + timedelta(days=1), 0, cut_offs) == []
    with pytest.raises(ValueError, match="2 cycles"):
        books.settlement_lines(DAY, 3, cut_offs)


def test_parts_given_back_in_two_cycles_are_in_both_files(books: Passbook) -> None:
    """Each file has the part of its own cycle, and not the other's again."""
    books.record(row("MORNING", made_at=instant_text(NOON - timedelta(hours=2))))
    books.give_back("MORNING", 40_00, NOON - timedelta(hours=1))
    first = books.settlement_lines(DAY, 1, ("12:00", "24:00"))
    books.give_back("MORNING", 60_00, NOON + timedelta(hours=1))
    assert books.settlement_lines(DAY, 1, ("12:00", "24:00")) == first
    assert [(one.kind, one.amount_minor) for one in first] == [("PAY", 100_00), ("REV", 40_00)]
    second = books.settlement_lines(DAY, 2, ("12:00", "24:00"))
    assert [(one.kind, one.amount_minor) for one in second] == [("REV", 60_00)]


_ACTS = st.lists(
    st.tuples(
        st.sampled_from(["pay", "fail", "pend", "conclude", "back", "pass"]),
        st.integers(0, 5),
        st.integers(1, 500_00),
        st.sampled_from([("in", RINA), ("out", RINA), ("in", DODI), ("out", DODI)]),
    ),
    max_size=30,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(_ACTS)
def test_balances_follow_the_rows_and_files_add_up(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int, int, tuple[str, str]]]
) -> None:
    """Against a model kept in a dictionary."""
    books = fresh(tmp_path_factory.mktemp("books") / "b.sqlite")
    model = {RINA: 0, DODI: 0}
    now = NOON
    for what, number, minor, (direction, account) in acts:
        reference, known = f"R{number}", books.transfer(f"R{number}")
        now += timedelta(seconds=10)
        made = row(
            reference,
            direction=direction,
            account=account,
            amount_minor=minor,
            made_at=instant_text(now),
        )
        if what == "pay" and known is None:
            books.record(made)
            model[account] += minor if direction == "in" else -minor
        elif what == "fail" and known is None:
            books.record(msgspec.structs.replace(made, state="failed"))
        elif what == "pend" and known is None:
            books.record(pending_until(made, now, 25, "paid"))
        elif what == "conclude" and known is not None and known.state == "pending":
            books.conclude(reference, "cancelled", "00", now)
        elif what == "back" and known is not None and known.state == "paid":
            part = min(minor, known.amount_minor - known.given_back_minor)
            if not part:
                continue
            books.give_back(reference, part, now)
            model[known.account] -= part if known.direction == "in" else -part
        elif what == "pass":
            for ended in books.conclude_due(now, paid_code="00", failed_code="05"):
                sign = 1 if ended.direction == "in" else -1
                model[ended.account] += sign * ended.amount_minor
    assert {number: balance(books, number) for number in model} == model
    assert books.prove().holds
    lines = books.settlement_lines(DAY, 0, ("24:00",))
    signed = sum(one.amount_minor if one.side == "O" else -one.amount_minor for one in lines)
    assert signed == sum(model.values())
    books.close()
