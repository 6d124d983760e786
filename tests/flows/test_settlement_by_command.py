"""The command line on the database of a bank that is stopped; what it refuses of one that runs."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from paper import PaperRail
from stories import RUPIAH, now_is, pay, proved, scan
from tangguh.access.staff import StaffRegister
from tangguh.app import Bank
from tangguh.core.clock import SystemClock
from tangguh.core.outcome import Unanswered
from tangguh.customers.crew import enrol_crew
from tangguh.payments.payment import State
from tangguh.sim.settlement import SettlementLine, file_of

DAY = date(2026, 3, 20)
CYCLE = ("--network", "qris", "--day", "2026-03-20", "--cycle", "2")


TOKENS: dict[str, str] = {}
"""Whose tokens the commands are given: the first proposes, the second signs."""


async def command(*words: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", "from tangguh.cli.settlement import app; app()", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.DEVNULL,
        env={**os.environ, **TOKENS},
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def told(*words: str) -> Any:
    code, out, err = await command(*words, "--json")
    assert code == 0, out + err
    return json.loads(out)


def a_file(path: Path, *lines: SettlementLine) -> Path:
    file = path / "qris-2026-03-20-2.txt"
    file.write_text(file_of("qris", "BANKTANGGUH", DAY, 2, lines))
    return file


async def a_pair(bank: Bank) -> tuple[str, str]:
    """The tokens of who answers for reconciliation and of the risk officer."""
    crew = await enrol_crew(StaffRegister(bank.pool, bank.book_id, SystemClock()))
    return crew["staff:5"], crew["staff:3"]


async def test_a_days_settlement_by_hand(
    bank: Bank, dsn: str, tmp_path: Path, paper: PaperRail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Check, run, run again, look at the break, repair it by two people, see it in suspense."""
    paper.will("send", Unanswered("silence"))
    paid = await pay(bank, await scan(bank, 20_000 * RUPIAH))
    known, unknown = (
        SettlementLine(
            kind="PAY", side="O", reference=reference, network_reference="Q1",
            amount_minor=20_000 * RUPIAH, at="2026-03-20T06:00:00+00:00",
        )
        for reference in (paid.reference, "f" * 32)
    )  # fmt: skip
    a_file(tmp_path, known, unknown)
    assert (await told("check", *CYCLE, "--file", str(tmp_path)))["lines"] == 2
    place = ("--dsn", dsn)
    running = ("run", *CYCLE, "--file", str(tmp_path), *place)
    code, _, err = await command(*running)
    assert code == 1
    assert "--bank-is-stopped" in err
    ran = await told(*running, "--bank-is-stopped")
    assert (ran["matched"], ran["breaks"], ran["accepted"]) == (1, 1, 1)
    assert (await told(*running, "--bank-is-stopped"))["repeated"]
    (found,) = (await told("breaks", *place))["breaks"]
    assert found["kind"] == "missing_in_book"
    assert found["difference_minor"] == 20_000 * RUPIAH
    mending = ("repair", found["break_id"], "--reason", "seen there", *place, "--bank-is-stopped")
    code, _, err = await command(*mending)
    assert (code, "TANGGUH_STAFF_TOKEN" in err) == (1, True)
    recon, risk = await a_pair(bank)
    monkeypatch.setitem(TOKENS, "TANGGUH_STAFF_TOKEN", recon)
    monkeypatch.setitem(TOKENS, "TANGGUH_SECOND_STAFF_TOKEN", recon)
    code, out, _ = await command(*mending)
    assert (code, "one person" in out) == (1, True), out
    monkeypatch.setitem(TOKENS, "TANGGUH_SECOND_STAFF_TOKEN", risk)
    done = await told(*mending)
    assert (done["state"], done["approved_by"]) == ("repaired", "staff:3")
    aged = await told("ageing", *place)
    assert [one["posting_id"] for one in aged["suspended"]] == [done["posting_id"]]
    assert aged["breaks"] == []
    assert (await now_is(bank, paid)).state is State.POSTED
    await proved(bank)


async def test_a_wrong_file_is_told_by_line_and_field(tmp_path: Path) -> None:
    """For people and for machines; nothing is needed but the file."""
    file = a_file(tmp_path)
    file.write_text(file.read_text().replace("T|0|0.00", "T|1|0.00"))
    code, out, _ = await command("check", *CYCLE, "--file", str(file))
    assert (code, out.startswith("refused: line 2, lines:")) == (1, True)
    code, out, _ = await command("check", *CYCLE, "--file", str(file), "--json")
    assert code == 1
    assert json.loads(out)["field"] == "lines"
    for words in (("--file", str(tmp_path / "none.txt")), ()):
        code, _, err = await command("check", *CYCLE, *words)
        assert code == (1 if words else 2), "no file is no answer; no word of one is no command"
        assert err.startswith("tangguh: ")
