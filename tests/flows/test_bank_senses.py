"""What the bank says of itself to the ladder: a fact from whoever knows it, or that nobody does."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from conftest import QUICK
from paper import PaperRail, paper_rails
from stories import RUPIAH, pay, scan
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.recovery.readings import Outflow
from tangguh.work.control.outflow import BookOutflows
from tangguh.work.control.outflow import Outflow as Row


async def line_we_lack(bank: Bank, network: str) -> None:
    """A network's file has a payment that our book does not."""
    row: dict[str, Any] = {
        "book_id": bank.book_id, "break_id": bank.ids.next(), "network": network,
        "day": date(2026, 3, 19), "cycle": 1, "kind": "missing_in_book", "reference": "x",
        "account_id": 301001, "ours_minor": 0, "theirs_minor": 5, "found_at": bank.clock.now(),
        "owner": "desk", "proposal": "ask", "state": "open",
    }  # fmt: skip
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await bank.pool.fetch(
        f"INSERT INTO settlement_breaks ({', '.join(row)}) VALUES ({places})", *row.values()
    )


@pytest.mark.parametrize(
    ("network", "rail"),
    [
        ("qris", "qris"), ("cards", "iso8583"), ("gopay", "ewallet"), ("billers", "billers"),
        ("cards", ""),
    ],
)  # fmt: skip
async def test_a_line_we_lack_is_seen_on_whatever_rail_its_network_is(
    bank: Bank, network: str, rail: str
) -> None:
    """Cards settle as "cards" and are paid over "iso8583": one name compared with another is none."""
    assert await bank.senses.outflow(rail) == Outflow(0, 0)
    await line_we_lack(bank, network)
    assert await bank.senses.outflow(rail) == Outflow(1, 0)
    assert await bank.senses.unsettled(rail) == 1


async def test_no_file_is_no_matched_file(bank: Bank, clock: HandClock) -> None:
    """Until it is due nothing is missing; then nobody can say, until it is there."""
    await pay(bank, await scan(bank, 5 * RUPIAH))
    day = clock.now().date()
    clock.advance(35 * 3600)
    assert await bank.senses.unsettled("qris") == 0
    clock.advance(2 * 3600)
    assert await bank.senses.unsettled("qris") is None
    assert await bank.senses.outflow("qris") is None
    assert await bank.senses.outflow("") is None
    assert await bank.senses.unsettled("iso8583") == 0
    await bank.pool.fetch(
        "INSERT INTO settlement_files (book_id, network, day, cycle, revision, sha256, lines,"
        " owed_minor, due_minor, fee_minor, received_at, state)"
        " VALUES ($1, 'qris', $2, 1, 1, repeat('0', 64), 1, 1, 1, 1, $3, 'posted')",
        bank.book_id, day, clock.now(),
    )  # fmt: skip
    assert await bank.senses.unsettled("qris") == 0


async def test_inside_the_bank_the_proof_answers_for_it(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await bank.senses.outflow("onus") == Outflow(0, 0)

    async def two() -> int:
        return 2

    monkeypatch.setattr(bank.senses, "failing_invariants", two)
    assert await bank.senses.outflow("onus") == Outflow(2, 0)


async def test_what_was_booked_after_the_last_theft_explains_nothing_of_the_next(
    bank: Bank,
) -> None:
    """The watch began anew and counts from nought; four old bookings are not three new outflows."""
    old = [Row("bifast", seq, f"old-{seq}", 5) for seq in range(1, 5)]
    await bank.desk.decide(BookOutflows(rows=tuple(old)))
    new = [Row("bifast", seq, f"new-{seq}", 5) for seq in range(101, 104)]

    async def watch() -> Outflow:
        return Outflow(3, 100, tuple(row.posting_id for row in new))

    bank.senses._watches = {"bifast": watch}
    assert await bank.senses.outflow("bifast") == Outflow(3, 100)
    await bank.desk.decide(BookOutflows(rows=tuple(new)))
    assert await bank.senses.outflow("bifast") == Outflow(0, 100)


async def test_a_watch_that_is_away_is_away_for_every_scope_it_is_in(bank: Bank) -> None:
    async def away() -> None:
        return None

    bank.senses._watches = {"bifast": away}
    assert await bank.senses.outflow("bifast") is None
    assert await bank.senses.outflow("") is None


async def test_a_pulse_that_stopped_looking_says_nothing(bank: Bank, clock: HandClock) -> None:
    await bank.pulse.round()
    assert bank.senses.breaks_seen() == (0, 1)
    clock.advance(bank.settings.guard.pulse_seconds * 3)
    assert bank.senses.breaks_seen() == (0, 1)
    clock.advance(1)
    assert bank.senses.breaks_seen() is None


async def test_nobody_counts_while_the_guard_is_off_or_has_just_come(
    bank: Bank, dsn: str, clock: HandClock, ids: Ids, paper: PaperRail
) -> None:
    assert bank.senses.rate_of("qris") is None
    clock.advance(9)
    assert bank.senses.rate_of("qris") is None
    clock.advance(1)
    assert bank.senses.rate_of("qris") == 0
    await pay(bank, await scan(bank, 5 * RUPIAH))
    assert bank.senses.rate_of("qris") == pytest.approx(0.1)
    off = msgspec.structs.replace(QUICK, guard=msgspec.structs.replace(QUICK.guard, mode="off"))
    blind = await Bank.open(off, dsn, rails=paper_rails(paper), clock=clock, ids=ids)
    clock.advance(120)
    assert blind.senses.rate_of("qris") is None
    await blind.close()


async def test_no_backup_was_ever_restored(bank: Bank) -> None:
    assert await bank.senses.restore_faults() is None
