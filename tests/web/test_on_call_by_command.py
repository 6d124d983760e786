"""The commands of whoever is on call, against a bank that runs: what they print, keep and refuse."""

from __future__ import annotations

import asyncio
import io
import json
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from flows.test_settlement_cycle import line_of, ran, written
from paper import PaperRail
from serving import served
from stories import ANA, BUDI, CITRA, RUPIAH, account_of, pay, scan, transfer
from tangguh.app import Bank
from tangguh.cli.main import app
from tangguh.cli.oncall.payment import next_of
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.core.outcome import Accepted, Unanswered
from tangguh.customers.crew import enrol_crew
from tangguh.payments.decide import Conclude
from tangguh.payments.payment import Payment
from tangguh.payments.redress.policy import RedressPolicy
from tangguh.settlement.cycle import BackOffice
from web.test_on_call import complain

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guides" / "on-call.md"


async def whole_story(bank: Bank, paper: PaperRail, clock: HandClock, ids: Ids) -> Payment:
    """Lost, advanced, paid after all, complained of, listed by the night's file, repaid."""
    paper.will("send", Unanswered("timeout"))
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    clock.advance(15 * 60)
    assert await bank.redress.round() == 1
    await bank.care.word.round()
    clock.advance(60)
    await bank.desk.decide(Conclude(payment.id, Accepted("RRN260320000117"), bank.desk.rules))
    await bank.care.word.round()
    clock.advance(12 * 3600)
    office = BackOffice(bank.desk, bank.pool, bank.book_id, clock)
    assert (await ran(office, written(line_of(payment)))).matched == 1
    await complain(bank, ids, payment)
    await bank.care.word.round()
    clock.advance(RedressPolicy().notice_seconds)
    assert await bank.redress.round() == 1
    await bank.care.word.round()
    return payment


class Terminal:
    """A second terminal: the command line as it is typed, against one bank."""

    def __init__(
        self, url: str, tokens: dict[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.url, self.tokens = url, tokens
        self._capsys = capsys

    async def run(self, *words: str) -> tuple[int, str, str]:
        """How it ended, and what it said on either way out."""

        def typed() -> int:
            try:
                app(list(words), exit_on_error=False, result_action="return_value")
            except SystemExit as end:
                return int(end.code or 0)
            return 0

        self._capsys.readouterr()
        code = await asyncio.to_thread(typed)
        said = self._capsys.readouterr()
        return code, said.out, said.err

    async def log_in(self, by: str = "staff:1") -> None:
        code, _, why = await self.run(
            "staff", "login", "--bank", self.url, f"--token={self.tokens[by]}"
        )
        assert code == 0, why


@pytest.fixture
async def terminal(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Terminal]:
    for name in ("TANGGUH_STAFF_TOKEN", "TANGGUH_BANK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TANGGUH_STAFF_DEVICE", str(tmp_path / "staff-device"))
    monkeypatch.setenv("TANGGUH_STAFF_LOGIN", str(tmp_path / "deep" / "staff-login"))
    tokens = await enrol_crew(bank.staff)
    async with served(bank.web()) as url:
        yield Terminal(url, tokens, capsys)


async def test_a_token_is_said_once_and_kept_for_nobody_else(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deep" / "staff-login"
    code, _, why = await terminal.run("gate", "list")
    assert (code, "tangguh staff login" in why) == (1, True)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{terminal.tokens['staff:1']}\n"))
    code, said, why = await terminal.run("staff", "login", "--bank", terminal.url)
    assert code == 0, why
    assert said.startswith(f"you are staff:1 (incident_commander) at {terminal.url}\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    code, said, _ = await terminal.run("gate", "list")
    assert (code, said) == (0, "everything is open\n"), "at the bank of the log-in, by its token"
    code, said, _ = await terminal.run("staff", "whoami")
    assert (code, "the bank's time is 2026-03-20 12:00:00 WIB" in said) == (0, True)
    code, _, why = await terminal.run("gate", "list", "--bank", "http://127.0.0.1:9")
    assert (code, f"you are logged in at {terminal.url}" in why) == (1, True), "sent nowhere else"
    code, said, _ = await terminal.run("staff", "logout")
    assert (code, said, path.exists()) == (0, "logged out\n", False)
    assert (await terminal.run("staff", "logout"))[1] == "nobody was logged in\n"


async def test_a_token_that_is_nobodys_is_not_kept(terminal: Terminal, tmp_path: Path) -> None:
    code, _, why = await terminal.run("staff", "login", "--bank", terminal.url, "--token", "x")
    assert (code, "nobody's; `" in why) == (1, True)
    assert not (tmp_path / "deep" / "staff-login").exists()
    code, _, why = await terminal.run(
        "staff", "login", "--bank", "http://127.0.0.1:9", "--token", "x"
    )
    assert (code, "no bank answers" in why) == (1, True)


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda path: path.chmod(0o640), "others can read it"),
        (lambda path: path.write_text("{}"), "begins anew"),
        (lambda path: path.write_bytes(b"\xff"), "begins anew"),
    ],
)
async def test_a_log_in_that_others_read_or_nobody_can_is_not_used(
    terminal: Terminal, tmp_path: Path, spoil: Callable[[Path], object], word: str
) -> None:
    await terminal.log_in()
    spoil(tmp_path / "deep" / "staff-login")
    code, _, why = await terminal.run("gate", "list")
    assert (code, word in why) == (1, True), why


async def test_a_payment_lost_advanced_and_repaid_is_told_as_the_guide_shows_it(
    terminal: Terminal, bank: Bank, paper: PaperRail, clock: HandClock, ids: Ids, tmp_path: Path
) -> None:
    """What stands in the guide is what the command prints."""
    await terminal.log_in()
    payment = await whole_story(bank, paper, clock, ids)
    short = "-".join(payment.id.hex[at : at + 4].upper() for at in (20, 24, 28))
    _, said, why = await terminal.run("payment", "show", short)
    assert not why
    kept = tmp_path / "payment-show.txt"
    kept.write_text(said, "utf-8")
    assert f"$ tangguh payment show {short}\n{said}```" in GUIDE.read_text("utf-8"), kept
    number = said.partition("\ncomplaints\n  ")[2].split()[0]
    assert (await terminal.run("payment", "show", number))[1] == said
    _, as_json, _ = await terminal.run("payment", "show", short, "--json")
    assert json.loads(as_json)["payment"]["id"] == str(payment.id)


async def test_several_are_listed_and_nothing_says_what_to_do(
    terminal: Terminal, bank: Bank
) -> None:
    await terminal.log_in()
    first = await pay(bank, await transfer(bank, 5_000 * RUPIAH, key="again-7"))
    second = await pay(bank, await transfer(bank, 5_000 * RUPIAH, key="again-7", by=BUDI, to=CITRA))
    code, said, why = await terminal.run("payment", "show", "again-7")
    assert (code, "say which" in why) == (1, True)
    assert [line.split()[0] for line in said.splitlines()] == [str(second.id), str(first.id)]
    code, said, _ = await terminal.run("payment", "show", "again-7", "--json")
    assert (code, len(json.loads(said)["payments"])) == (1, 2)
    code, said, why = await terminal.run("payment", "show", "nothing-9")
    assert (code, said, "payment find" in why) == (1, "", True)
    code, said, _ = await terminal.run("payment", "find", "--amount", "5000")
    assert (code, len(said.splitlines())) == (0, 2)
    code, said, _ = await terminal.run("payment", "find", "--state", "unanswered", "--days", "1")
    nothing = "none from 2026-03-19 12:01:00 WIB to 2026-03-20 12:01:00 WIB\n"
    assert (code, said) == (0, nothing), "nothing is an answer, and good news"
    code, _, why = await terminal.run("payment", "find", "--account", "12")
    assert (code, why) == (
        1,
        "tangguh: parameter_invalid (account): the end of either side's number, 4 to 16 digits\n",
    )


async def test_cases_incidents_and_customers_are_read_in_a_terminal(
    terminal: Terminal, bank: Bank, paper: PaperRail, ids: Ids
) -> None:
    await terminal.log_in()
    paper.will("send", Unanswered("timeout"))
    lost = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    case = await complain(bank, ids, lost)
    code, said, _ = await terminal.run("case", "show", case.number)
    assert code == 0
    assert f"its story: tangguh payment show {lost.id}" in said
    assert "Uang saya ke mana?" not in said
    for words in (("case", "list"), ("incident", "list"), ("customer", "show", "1")):
        code, said, why = await terminal.run(*words)
        assert (code, why) == (0, ""), words
        assert said
        code, said, why = await terminal.run(*words, "--json")
        assert (code, why, isinstance(json.loads(said), dict)) == (0, "", True), words
    _, said, _ = await terminal.run("customer", "show", str(await account_of(bank, ANA)))
    assert "payments whose end nobody knows" in said
    assert str(lost.id) in said
    code, _, why = await terminal.run("case", "show", "TG26-0000-0000")
    assert (code, "tangguh case list" in why) == (1, True)
    code, _, why = await terminal.run("incident", "show", "0" * 32)
    assert (code, "tangguh incident list" in why) == (1, True)


async def test_an_incident_is_told_with_its_words_and_its_clocks(
    terminal: Terminal, bank: Bank
) -> None:
    from tangguh.cli.staff.line import ask

    await terminal.log_in()
    new = {"kind": "partner_outage", "components": ["mobile.qris.offus"], "cause_key": "qris.out"}
    made = await asyncio.to_thread(
        ask, terminal.url, terminal.tokens["staff:1"], "POST", "/staff/v1/incidents", new
    )
    _, said, _ = await terminal.run("incident", "list")
    assert said.startswith(f"{made['id']}  detected")
    code, said, why = await terminal.run("incident", "show", made["id"])
    assert (code, why) == (0, "")
    for word in ("nobody has been told yet", "nobody has counted yet", "journal", "authorities"):
        assert word in said, said


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({"breaks": [{"state": "open"}]}, "open break"),
        ({"cases": [{"state": "with_staff", "number": "TG26-7K3M-9QXD"}]}, "case show TG26-7K3M"),
        ({"state": "parked"}, "gate list"),
        ({"state": "unanswered"}, "do not void it by hand"),
        (
            {"redress": {"advance": "owed", "take_back_at": "2026-03-23T05:16:00Z"}},
            "taken back 2026-03-23 12:16:00 WIB",
        ),
        ({"redress": {"advance": "given", "still_out": "54000.00"}}, "Rp54.000"),
        ({"redress": {"advance": "settled", "still_out": "0.00"}}, "nothing of it is open"),
        ({}, "nothing of it is open"),
    ],
)
def test_what_to_do_next_follows_from_what_is_open(told: dict[str, Any], word: str) -> None:
    state = told.pop("state", "posted")
    whole = {"payment": {"state": state}, "breaks": [], "redress": None, "cases": []} | told
    assert word in next_of(whole)
