"""The switch's decisions over its books, in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec
import pytest

from tangguh.sim.qris import clearing
from tangguh.sim.qris.books import Books
from tangguh.sim.qris.clearing import Delay, PaymentAsk, RefundAsk
from tangguh.sim.qris.merchants import demo_merchants

NOW = datetime(2025, 3, 29, 4, 0, tzinfo=UTC)
MERCHANT = demo_merchants()[0]


@pytest.fixture
def books() -> Any:
    """Books that end with the test, and prove themselves at its end."""
    kept = Books(":memory:")
    kept.enrol(demo_merchants())
    yield kept
    assert kept.prove().holds
    kept.close()


def ask(reference: str = "P1", **changes: Any) -> PaymentAsk:
    plain = PaymentAsk(
        reference=reference,
        merchant_pan=MERCHANT.pan,
        merchant_id=MERCHANT.merchant_id,
        nmid=MERCHANT.nmid,
        amount_minor=100_00,
        tip_minor=5_00,
        rrn="508811000001",
        terminal="A01",
    )
    return msgspec.structs.replace(plain, **changes)


def give_back(amount_minor: int, reference: str = "R1") -> RefundAsk:
    return RefundAsk(reference=reference, payment_reference="P1", amount_minor=amount_minor)


def balance(books: Books) -> int:
    account = books.merchant(MERCHANT.pan)
    assert account is not None
    return account.balance_minor


def test_paid_once(books: Books) -> None:
    """A repeat gets the first answer and moves nothing."""
    case, first = clearing.pay(books, ask(), NOW)
    assert (case, clearing.pay(books, ask(), NOW)) == ("20000", ("20000", first))
    assert balance(books) == 105_00


@pytest.mark.parametrize(
    "changes", [{"amount_minor": 1}, {"tip_minor": 1}, {"merchant_id": "x"}, {"merchant_pan": "1"}]
)
def test_used_reference(books: Books, changes: dict[str, Any]) -> None:
    """Other content under a used reference is inconsistent."""
    clearing.pay(books, ask(), NOW)
    assert clearing.pay(books, ask(**changes), NOW)[0] == "40418"
    assert balance(books) == 105_00


def test_no_is_remembered(books: Books) -> None:
    """A forced no is given again, even when nothing forces it any more."""
    assert clearing.pay(books, ask(), NOW, forced="40314")[0] == "40314"
    case, row = clearing.pay(books, ask(), NOW)
    assert (case, clearing.status_of(row)) == ("40314", "06")


def test_rule_comes_before_what_is_forced(books: Books) -> None:
    """A fault cannot turn the rules' own no into another."""
    assert clearing.pay(books, ask(merchant_pan="1"), NOW, forced="40314")[0] == "40408"


def test_tombstone(books: Books) -> None:
    """A cancel of what is unknown forbids it for good, and may be repeated."""
    for _ in range(2):
        case, row = clearing.cancel(books, "P1", "M", NOW)
        assert (case, clearing.status_of(row)) == ("20000", "05")
    assert clearing.pay(books, ask(), NOW)[0] == "40404"
    assert balance(books) == 0


def test_cancel_after_the_fact(books: Books) -> None:
    """Paid and pending cannot be cancelled; failed needs no cancelling."""
    clearing.pay(books, ask("PAID"), NOW)
    clearing.pay(books, ask("PENDING"), NOW, delay=Delay(30, "paid"))
    clearing.pay(books, ask("FAILED"), NOW, forced="40305")
    cases = [clearing.cancel(books, name, "M", NOW)[0] for name in ("PAID", "PENDING", "FAILED")]
    assert cases == ["40501", "40501", "20000"]


@pytest.mark.parametrize(
    ("becomes", "case", "status", "credited"),
    [("paid", "20000", "00", 105_00), ("failed", "40305", "06", 0)],
)
def test_pending_ends(books: Books, becomes: str, case: str, status: str, credited: int) -> None:
    """A pending payment moves nothing until its time, then ends once."""
    assert clearing.pay(books, ask(), NOW, delay=Delay(30, becomes))[0] == "20200"
    books.conclude_due(NOW + timedelta(seconds=29))
    assert (clearing.pay(books, ask(), NOW)[0], balance(books)) == ("20200", 0)
    for _ in range(2):
        books.conclude_due(NOW + timedelta(seconds=30))
    told, row = clearing.pay(books, ask(), NOW)
    assert (told, clearing.status_of(row), balance(books)) == (case, status, credited)


def test_refunds(books: Books) -> None:
    """Parts up to the whole, tip included; then nothing more."""
    clearing.pay(books, ask(), NOW)
    assert clearing.refund(books, give_back(100_00), NOW)[0] == "20000"
    assert clearing.refund(books, give_back(6_00, "R2"), NOW)[0] == "40413"
    assert clearing.refund(books, give_back(5_00, "R3"), NOW)[0] == "20000"
    row = books.payment("P1")
    assert row is not None
    assert (clearing.status_of(row), balance(books)) == ("04", 0)


def test_refund_repeats(books: Books) -> None:
    """The same refund again is the first one; another amount is inconsistent."""
    clearing.pay(books, ask(), NOW)
    first = clearing.refund(books, give_back(50_00), NOW)
    assert clearing.refund(books, give_back(50_00), NOW) == first
    assert clearing.refund(books, give_back(51_00), NOW)[0] == "40418"
    assert balance(books) == 55_00


def test_nothing_to_refund(books: Books) -> None:
    """Unknown, failed and cancelled payments give nothing back and leave no row."""
    assert clearing.refund(books, give_back(1), NOW) == ("40401", None)
    clearing.pay(books, ask(), NOW, forced="40305")
    assert clearing.refund(books, give_back(1), NOW) == ("40400", None)
    assert books.refunds_of("P1") == []


def test_external_ids_last_a_day(books: Books) -> None:
    """An id is good once a day, and yesterday's are forgotten."""
    assert books.admit("1", "2025-03-29")
    assert not books.admit("1", "2025-03-29")
    assert books.admit("1", "2025-03-30")


def test_a_broken_transaction_leaves_nothing(books: Books) -> None:
    """Whatever was written before the exception is gone."""
    with pytest.raises(ZeroDivisionError):
        with books.transaction():
            clearing.pay(books, ask(), NOW)
            raise ZeroDivisionError
    assert books.payment("P1") is None


def test_proof_finds_a_missing_rupiah(books: Books) -> None:
    """A balance that nobody credited shows."""
    clearing.pay(books, ask(), NOW)
    books._run("move_balance", {"pan": MERCHANT.pan, "minor": -1})
    assert not books.prove().holds
    books._run("move_balance", {"pan": MERCHANT.pan, "minor": 1})


@pytest.mark.parametrize("seed", range(5))
def test_any_mixture_proves(books: Books, seed: int) -> None:
    """In whatever order things come, totals, rows and balances agree, and none is below zero."""
    random = Random(seed)
    for step in range(300):
        reference = f"P{random.randrange(12)}"
        now = NOW + timedelta(seconds=step)
        match random.randrange(5):
            case 0 | 1:
                delay = random.choice([None, None, Delay(5, "paid"), Delay(5, "failed")])
                forced = random.choice(["", "", "40305"])
                clearing.pay(books, ask(reference), now, forced=forced, delay=delay)
            case 2:
                clearing.cancel(books, reference, "M", now)
            case 3:
                wish = RefundAsk(
                    reference=f"R{random.randrange(20)}",
                    payment_reference=reference,
                    amount_minor=random.randrange(1, 120_00),
                )
                clearing.refund(books, wish, now)
            case _:
                books.conclude_due(now)
        assert books.prove().holds
        assert balance(books) >= 0
