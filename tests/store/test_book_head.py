"""The end of the chain after a restart: what was known outside the database must still be there."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest

from conftest import QUICK
from paper import PaperRail, paper_rails
from store.test_tampered_rows import by_sql
from stories import pay, proved, transfer
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.errors import Misconfigured
from tangguh.core.ids import Ids

LAST = "(SELECT max(batch_no) FROM batches)"
CUT = (
    f"DELETE FROM batches WHERE batch_no > {LAST} - 5",
    "DELETE FROM entries WHERE batch_no > (SELECT max(batch_no) FROM batches)",
    f"UPDATE books SET batch_no = {LAST},"
    f" head_hash = (SELECT hash FROM batches WHERE batch_no = {LAST})",
)
FORGED = ("UPDATE books SET head_hash = sha256('x')",)
REWRITTEN = (f"UPDATE batches SET hash = sha256('x') WHERE batch_no = {LAST}", *FORGED)


async def opened(dsn: str, clock: HandClock, paper: PaperRail, file: Path, seed: int) -> Bank:
    guard = msgspec.structs.replace(QUICK.guard, head_path=str(file), tail_batches=3)
    settings = msgspec.structs.replace(QUICK, guard=guard)
    ids = Ids(clock, random.Random(seed))
    return await Bank.open(settings, dsn, rails=paper_rails(paper), clock=clock, ids=ids)


async def lived(bank: Bank) -> None:
    for number in range(8):
        await pay(bank, await transfer(bank, 100_00, key=f"l{number}"))


@pytest.mark.parametrize("statements", [CUT, FORGED, REWRITTEN], ids=["cut", "forged", "rewritten"])
async def test_a_bank_does_not_start_on_a_head_it_did_not_leave(
    bank: Bank, dsn: str, clock: HandClock, paper: PaperRail, tmp_path: Path, statements: tuple[str]
) -> None:
    """Cut off consistently, so that the database alone looks whole; forged; both together."""
    file = tmp_path / "book-head.json"
    first = await opened(dsn, clock, paper, file, 2)
    await lived(first)
    await first.close()
    await by_sql(bank, *statements)
    with pytest.raises(Misconfigured, match="known|head"):
        await opened(dsn, clock, paper, file, 3)


async def test_a_bank_starts_again_on_the_head_it_left(
    bank: Bank, dsn: str, clock: HandClock, paper: PaperRail, tmp_path: Path
) -> None:
    """Also when the book grew after the file was written, and when it goes on walking."""
    file = tmp_path / "book-head.json"
    first = await opened(dsn, clock, paper, file, 2)
    await first.pulse.remember(first.head_file)  # type: ignore[arg-type]
    kept = file.read_bytes()
    await lived(first)
    await first.close()
    file.write_bytes(kept)
    second = await opened(dsn, clock, paper, file, 3)
    assert await second.pulse.round() == []
    await lived(second)
    await proved(second)
    await second.close()


async def test_a_file_that_cannot_be_read_is_no_leave_to_believe_the_database(
    bank: Bank, dsn: str, clock: HandClock, paper: PaperRail, tmp_path: Path
) -> None:
    file = tmp_path / "book-head.json"
    file.write_text("{}")
    with pytest.raises(Misconfigured, match="book-head"):
        await opened(dsn, clock, paper, file, 2)


async def test_damage_at_the_end_of_a_long_chain_is_seen_at_the_first_look(
    bank: Bank, dsn: str, clock: HandClock, paper: PaperRail, tmp_path: Path
) -> None:
    """The newest links first; the walk over everything has no time left in this look."""
    await lived(bank)
    await by_sql(bank, f"UPDATE postings SET note = 'x' WHERE batch_no = {LAST} - 1")
    again = await opened(dsn, clock, paper, tmp_path / "none.json", 4)
    again.pulse._settings = msgspec.structs.replace(
        again.pulse._settings, recheck_seconds_max=-1.0, recheck_round_seconds=1e9, tail_batches=12
    )
    found = await again.pulse.round()
    assert {one.rule for one in found} == {"chain.broken"}
    assert again.pulse.whole_rounds == 0
    await again.close()
