"""The public page says what is known: by questions of our own, with their age, and not by silence."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from paper import PaperRail
from stories import RUPIAH, pay, scan, transfer
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.errors import StoreUnavailable
from tangguh.core.known import Tristate
from tangguh.core.outcome import NotSent
from tangguh.core.service import SERVICES, TRANSFER_BIFAST, TRANSFER_ONUS
from tangguh.db.pool import translated
from tangguh.status.snapshot import PublicStatus
from tangguh.work.incidents import assurance, looker
from tangguh.work.incidents.probes import BOOK, Probes

QRIS = "mobile.qris.offus"


async def look(bank: Bank, clock: HandClock, seconds: float = 5.0) -> None:
    """So much later our own questions are asked, and one round of the desk follows."""
    clock.advance(seconds)
    await bank.care.probes.ask_all()
    await bank.care.incidents.round()


def public(bank: Bank) -> PublicStatus:
    found = bank.care.incidents.snapshot()
    assert found is not None
    return found


def conditions(bank: Bank) -> dict[str, str]:
    return {one.id: str(one.condition) for one in public(bank).components}


async def gone(*_: Any, **__: Any) -> Any:
    raise StoreUnavailable("PostgreSQL cannot be reached")


def kill_database(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way to it fails at once, as when it is killed."""
    monkeypatch.setattr(bank.pool, "fetch", gone)
    monkeypatch.setattr(bank.pool, "fetchrow", gone)
    monkeypatch.setattr("tangguh.work.incidents.probes.connect", gone)
    bank.care._book.close()


async def hangs(*_: Any, **__: Any) -> Any:
    await asyncio.Event().wait()


# ---- the database ----------------------------------------------------------------------------


async def test_the_database_is_killed_and_within_30_seconds_nothing_is_called_well(
    bank: Bank, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await look(bank, clock)
    assert set(conditions(bank).values()) == {"operational"}
    read_at = public(bank).read_at
    kill_database(bank, monkeypatch)
    for _ in range(2):
        await look(bank, clock)
    assert set(conditions(bank).values()) == {"down"}
    said = public(bank)
    assert said.read_at == read_at
    assert {one.known_at for one in said.components} == {clock.now()}


async def test_the_database_hangs_and_the_page_neither_hangs_nor_stays_well(
    bank: Bank, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped server answers nothing and refuses nothing: no look and no page waits for it."""
    monkeypatch.setattr(looker, "_READ_SECONDS", 0.01)
    monkeypatch.setattr(bank.care.probes, "_deadline_seconds", 0.01)
    await bank.care.probes.ask(BOOK)
    await bank.care.incidents.round()
    monkeypatch.setattr(bank.care.probes, "_deadline_seconds", 5.0)
    await look(bank, clock)
    monkeypatch.setattr(bank.care.probes, "_deadline_seconds", 0.01)
    monkeypatch.setattr(bank.pool, "fetch", hangs)
    monkeypatch.setattr(bank.desk, "decide", hangs)
    looked = []
    for _ in range(2):
        async with asyncio.timeout(2.0):
            await look(bank, clock)
        looked.append(public(bank).looked_at)
    assert looked == [clock.now() - timedelta(seconds=5), clock.now()]
    assert set(conditions(bank).values()) == {"down"}


async def test_a_database_that_takes_no_writes_is_seen_before_anybody_pays(
    bank: Bank, clock: HandClock
) -> None:
    """Looks are answered as ever, since they write nothing; the book cannot take a payment."""
    await look(bank, clock)
    await look(bank, clock)
    assert set(conditions(bank).values()) == {"operational"}
    line = bank.care._book._line
    assert line is not None
    await line.execute("SET default_transaction_read_only = on")
    for _ in range(2):
        await look(bank, clock)
    assert conditions(bank)[TRANSFER_ONUS] == "down"
    await line.execute("SET default_transaction_read_only = off")
    for _ in range(2):
        await look(bank, clock)
    assert conditions(bank)[TRANSFER_ONUS] == "operational"


async def test_an_idle_book_is_signed_once_a_minute_and_a_busy_one_is_not(
    bank: Bank, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the disk takes what is written is known within a minute, and nobody waits for it twice."""
    signs, question = [0], bank.care._book
    real = question._sign

    async def sign(line: Any) -> None:
        signs[0] += 1
        await real(line)

    monkeypatch.setattr(question, "_sign", sign)
    await look(bank, clock)
    signs[0] = 0
    for _ in range(120):
        await look(bank, clock)
    assert 9 <= signs[0] <= 10
    signs[0] = 0
    for number in range(12):
        await pay(bank, await transfer(bank, RUPIAH, key=f"busy-{number}"))
        await look(bank, clock, 30)
    assert signs[0] == 0


async def test_an_idle_book_that_cannot_be_signed_is_down(
    bank: Bank, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL reads and its disk takes nothing: nobody has to pay for it to be seen."""
    await look(bank, clock)
    line = bank.care._book._line
    assert line is not None

    async def full(_: Any) -> None:
        with translated():
            raise asyncpg.DiskFullError("could not write to the log")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bank.care._book, "_sign", full)
        clock.advance(60)
        for _ in range(2):
            await look(bank, clock)
        assert conditions(bank)[TRANSFER_ONUS] == "down"
    before = await flushed(line)
    for _ in range(2):
        await look(bank, clock)
    assert conditions(bank)[TRANSFER_ONUS] == "operational"
    assert await flushed(line) > before, "the sign that is made is on the disk"


async def flushed(line: Any) -> int:
    """How far the server's log is on its disk."""
    return int(await line.fetchval("SELECT pg_current_wal_flush_lsn() - '0/0'::pg_lsn"))


async def test_it_is_well_again_only_when_the_book_was_read_again(
    bank: Bank, clock: HandClock
) -> None:
    await look(bank, clock)
    with pytest.MonkeyPatch.context() as patch:
        kill_database(bank, patch)
        for _ in range(3):
            await look(bank, clock)
    await look(bank, clock)
    assert conditions(bank)[TRANSFER_ONUS] == "down"
    await look(bank, clock)
    assert set(conditions(bank).values()) == {"operational"}
    assert public(bank).read_at == clock.now()


async def test_what_is_closed_cannot_be_read_and_so_nothing_is_called_well(
    bank: Bank, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The book answers our question, its reading fails: a closure nobody reads may be in force."""
    await look(bank, clock)
    monkeypatch.setattr(bank.pool, "fetch", gone)
    for _ in range(7):
        await look(bank, clock)
    assert set(conditions(bank).values()) == {"not_measured"}


async def test_a_round_that_fails_leaves_the_time_of_the_last_that_did_not(
    bank: Bank, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await look(bank, clock)
    before = public(bank).read_at
    monkeypatch.setattr("tangguh.work.incidents.desk.store.open_incidents", gone)
    for _ in range(3):
        with suppress(StoreUnavailable):
            await look(bank, clock)
    assert public(bank).read_at == before


# ---- the networks ----------------------------------------------------------------------------


async def test_a_network_that_refuses_is_seen_without_a_customer(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    await look(bank, clock)
    paper.there = Tristate.NO
    for _ in range(2):
        await look(bank, clock)
    said = conditions(bank)
    assert said[QRIS] == said[TRANSFER_BIFAST] == "partner_outage"
    assert said[TRANSFER_ONUS] == "operational"
    (incident,) = [one for one in bank.care.incidents.open if QRIS in one.components]
    assert incident.components
    paper.there = Tristate.YES
    await look(bank, clock)
    assert conditions(bank)[QRIS] == "partner_outage"
    await look(bank, clock)
    assert conditions(bank)[QRIS] == "operational"


async def test_nine_of_nine_payments_fail_and_the_page_says_so_within_30_seconds(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    """Too few for a share, and not one of them ended well."""
    await bank.care.incidents.round()
    paper.will("send", NotSent("connection refused"))
    for number in range(9):
        await pay(bank, await scan(bank, 54_000 * RUPIAH, key=f"k{number}", by=number + 1))
    for _ in range(3):
        await look(bank, clock)
    assert conditions(bank)[QRIS] == "partner_outage"


async def test_failures_from_before_a_network_came_back_do_not_keep_it_down(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    await look(bank, clock)
    paper.will("send", NotSent("connection refused"))
    paper.there = Tristate.NO
    for number in range(12):
        await pay(bank, await scan(bank, 54_000 * RUPIAH, key=f"k{number}", by=number + 1))
    for _ in range(2):
        await look(bank, clock)
    assert conditions(bank)[QRIS] == "partner_outage"
    paper.there = Tristate.YES
    for _ in range(3):
        await look(bank, clock)
    assert conditions(bank)[QRIS] == "operational"


async def test_one_network_that_hangs_delays_no_other_question(
    bank: Bank, clock: HandClock
) -> None:
    answered: list[str] = []

    async def quick() -> Tristate:
        answered.append("quick")
        return Tristate.YES

    async def breaks() -> Tristate:
        raise RuntimeError("a bug in a rail")

    questions = {("a", ""): hangs, ("b", ""): quick, ("c", ""): breaks}
    probes = Probes(questions, clock, probe_seconds=5, deadline_seconds=0.05)
    await probes.ask_all()
    assert answered == ["quick"]
    assert {key[0]: one.answer for key, one in probes.newest.items()} == {
        "a": Tristate.NO, "b": Tristate.YES, "c": Tristate.NO,
    }  # fmt: skip


async def test_what_failed_is_asked_again_soon_and_what_is_well_at_its_pace(
    clock: HandClock,
) -> None:
    asked: list[datetime] = []
    answers = [Tristate.YES, Tristate.NO, Tristate.NO, Tristate.YES]

    async def question() -> Tristate:
        asked.append(clock.now())
        return answers[min(len(asked), len(answers)) - 1]

    probes = Probes({("a", ""): question}, clock, probe_seconds=5, again_seconds=1)
    running = asyncio.create_task(probes.run())
    for _ in range(14):
        await asyncio.sleep(0.001)
        clock.advance(0.5)
    await asyncio.sleep(0.001)
    running.cancel()
    assert [(at - asked[0]).total_seconds() for at in asked] == [0, 5, 6, 7]


# ---- what nobody used ------------------------------------------------------------------------


async def test_a_service_nobody_used_and_nobody_asked_about_is_not_measured(
    bank: Bank, clock: HandClock
) -> None:
    await bank.care.incidents.round()
    assert conditions(bank) == dict.fromkeys(SERVICES, "not_measured")
    assert bank.care.incidents.open == ()
    await look(bank, clock)
    assert conditions(bank) == dict.fromkeys(SERVICES, "operational")


# ---- "your money is safe" --------------------------------------------------------------------


class TheWatch:
    """What the watch says of itself."""

    def __init__(self, **more: Any) -> None:
        self.silent = False
        self.blind = ""
        self.unmatched_count = 0
        vars(self).update(more)


@pytest.mark.parametrize(
    ("watch", "sees"),
    [
        (None, Tristate.UNKNOWN),
        (TheWatch(blind="the book cannot be read"), Tristate.UNKNOWN),
        (TheWatch(silent=True), Tristate.UNKNOWN),
        (TheWatch(unmatched_count=1), Tristate.NO),
        (TheWatch(), Tristate.YES),
    ],
    ids=["away", "blind", "silent", "unmatched", "sees"],
)
async def test_safe_is_withheld_while_the_watch_does_not_see(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, watch: TheWatch | None, sees: Tristate
) -> None:
    async def read(_: str) -> TheWatch | None:
        return watch

    monkeypatch.setattr(assurance, "read_watch", read)
    bank.care.keeper._watch_url = "http://watch.example"
    await bank.care.probes.ask_all()
    assert await bank.care.keeper.see() is sees


async def test_safe_is_withheld_as_soon_as_the_book_cannot_be_read(
    bank: Bank, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = bank.care.keeper
    await look(bank, clock)
    await keeper.look()
    keeper.newest = type(keeper.newest)(
        proved_at=clock.now(), proof_holds=True, matched_at=clock.now(), match_holds=True,
        sight=keeper.newest.sight,
    )  # fmt: skip
    assert keeper.assured("id") is not None
    kill_database(bank, monkeypatch)
    for _ in range(2):
        await look(bank, clock)
        await keeper.see()
    assert keeper.assured("id") is None
    assert public(bank).assurance.proved_at is None


async def test_safe_is_withheld_when_nobody_looked_for_a_while(
    bank: Bank, clock: HandClock
) -> None:
    """The loop that looks has died: its last good word is not repeated for ever."""
    keeper = bank.care.keeper
    await bank.care.probes.ask_all()
    await keeper.see()
    keeper.newest = type(keeper.newest)(
        proved_at=clock.now(), proof_holds=True, matched_at=clock.now(), match_holds=True,
        sight=keeper.newest.sight,
    )  # fmt: skip
    assert keeper.assured("en") is not None
    clock.advance(21)
    assert keeper.assured("en") is None
