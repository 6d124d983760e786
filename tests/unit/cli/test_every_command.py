"""Every command of the command line, walked: its help, its JSON, and what it says when it cannot.

A new command is walked by itself: the list is the command line's own.
"""

from __future__ import annotations

import io
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App
from cyclopts.argument import ArgumentCollection

from tangguh.cli.invocation import invoked
from tangguh.cli.main import app, main

LONG = ("up", "smoke", "bench")
"""They need nothing and start real processes: called with nonsense only."""
MESSAGES = ("qris parse", "iso8583 decode", "bifast decode")
"""What they read may begin with a hyphen: an option nobody knows is a message to them."""
NEXT = re.compile(r"`[^`]*tangguh [a-z]|--[a-z]|TANGGUH_[A-Z]|standard input|YYYY-MM-DD")
"""What a sentence that says what to do next holds: a command, an option, a setting, a form."""


def leaves(of: App = app, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], App]]:
    """Every command that does something, with its words."""
    names = [name for name in of.resolved_commands() if not name.startswith("-")]
    if not names:
        yield path, of
    for name in names:
        yield from leaves(of[name], (*path, name))


COMMANDS = {" ".join(path): one for path, one in leaves()}


def arguments(name: str) -> ArgumentCollection:
    return COMMANDS[name].assemble_argument_collection()


def options(name: str) -> list[str]:
    return [word for one in arguments(name) for word in one.names]


class Said:
    """How a command ended, and what it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def helps(self) -> bool:
        """Whether it names what to do next, in a few lines, as a sentence and not as a trace."""
        lines = self.err.strip().splitlines()
        return (
            0 < len(lines) <= 3
            and lines[0].startswith("tangguh: ")
            and bool(NEXT.search(self.err))
            and "Traceback" not in self.err
            and "Errno" not in self.err
        )


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Any:
    """The command line in an empty directory of somebody whose environment says nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("TANGGUH_BANK", "TANGGUH_STAFF_TOKEN", "TANGGUH_DB__DSN", "TANGGUH_STAFF_DEVICE"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str, text: str = "") -> Said:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        try:
            main(list(words))
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        told = capsys.readouterr()
        return Said(code, told.out, told.err)

    return run


def nonsense(name: str, **known: str) -> list[str]:
    """A command with everything it asks for, each of it nonsense unless it is known."""
    words = name.split()
    for one in arguments(name):
        if not one.required and one.name not in known:
            continue
        value = known.get(one.name, "7" if one.hint is int else "nonsense")
        words += [one.name, value] if one.name.startswith("--") else [value]
    return words


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_walk_knows_every_command() -> None:
    """Seven of them lie at the top; the rest in groups."""
    assert {"up", "prove", "gate list", "ladder approve", "staff roles", "qris parse"} <= set(
        COMMANDS
    )
    assert len(COMMANDS) >= 50


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_says_what_it_is(name: str) -> None:
    """`--help` has a line for each, and no option stands there without a word."""
    assert len((COMMANDS[name].help or "").strip()) > 10
    silent = [one.name for one in arguments(name) if not (one.parameter.help or "").strip()]
    assert silent == []


def test_every_group_of_commands_has_a_line_for_each(call: Any) -> None:
    """`tangguh gate` alone lists what it can do."""
    for group in sorted({name.split()[0] for name in COMMANDS if " " in name}):
        said = call(group)
        assert said.code == 0
        for name in COMMANDS:
            if name.split()[0] == group:
                line = COMMANDS[name].help.split()[0]
                assert re.search(rf"{name.split()[1]}\s+{line}", said.out), name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_json(name: str) -> None:
    """A script reads what a person reads."""
    assert "--json" in options(name)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name.split()[0] not in LONG])
def test_a_command_with_nothing_says_what_it_needs(call: Any, name: str) -> None:
    said = call(*name.split(), text="nonsense\n")
    assert said.code in (0, 1, 2)
    assert said.out or said.helps(), said.err
    assert said.code == 0 or said.out or said.helps(), said.err


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in MESSAGES])
def test_an_option_nobody_knows_leads_to_the_help(call: Any, name: str) -> None:
    said = call(*name.split(), "--nonsense")
    assert said.code == 2
    assert said.helps(), said.err
    assert f"`{invoked()} {name} --help`" in said.err


def test_a_command_nobody_knows_leads_to_the_help(call: Any) -> None:
    for words in (["nonsense"], ["gate", "nonsense"]):
        said = call(*words)
        assert said.code == 2
        assert said.helps(), said.err


@pytest.mark.parametrize("name", [name for name in COMMANDS if name.split()[0] not in LONG])
def test_nonsense_is_refused_in_a_sentence(call: Any, name: str) -> None:
    """Everything it asks for is given, and all of it is nonsense; no bank runs."""
    said = call(*nonsense(name), text="nonsense\n")
    assert said.code in ((0, 1) if name != "drill" else (2,))  # it knows its own names
    assert said.out or said.helps(), said.err


@pytest.mark.parametrize("name", [name for name in COMMANDS if "--bank" in options(name)])
def test_with_the_bank_stopped_it_says_so_and_what_to_do(
    call: Any, name: str, tmp_path: Path
) -> None:
    """The token is there, the bank is not."""
    rule = tmp_path / "rule.json"
    rule.write_text("{}")
    words = nonsense(name, **{"FILE": str(rule), "--cause": "why"})
    where = f"http://127.0.0.1:{closed_port()}"
    said = call(
        *words, "--bank", where, *(["--token", "nobody's"] if "--token" in options(name) else [])
    )
    assert said.code == 1
    assert said.helps(), said.err
    if name != "staff end":  # which needs a device first
        assert where in said.err
        assert "up` starts one" in said.err


@pytest.mark.parametrize("name", [name for name in COMMANDS if "--token" in options(name)])
def test_without_a_token_it_says_where_tokens_are(call: Any, name: str, tmp_path: Path) -> None:
    """Exit 1 without a word about tokens helped nobody."""
    rule = tmp_path / "rule.json"
    rule.write_text("{}")
    said = call(*nonsense(name, **{"FILE": str(rule), "--cause": "why"}))
    assert said.code == 1
    if name != "staff end":
        assert "TANGGUH_STAFF_TOKEN" in said.err
        assert "staff.json" in said.err
        assert "staff roles" in said.err


@pytest.mark.parametrize("name", [name for name in COMMANDS if "--dsn" in options(name)])
def test_with_the_database_stopped_it_says_so(call: Any, name: str) -> None:
    """The database that was named does not answer."""
    known = {"--network": "qris", "--day": "2026-03-20" if name.startswith("settlement") else "7", "--name": "transfer.onus",
             "--break-id": "01a224f6-22a3-742f-8914-ba39f1a346e6", "--reason": "why",
             "--posting-id": "01a224f6-22a3-742f-8914-ba39f1a346e6", "--file": "nowhere.csv"}  # fmt: skip
    words = nonsense(name, **known)
    more = ["--bank-is-stopped"] if "--bank-is-stopped" in options(name) else []
    dsn = f"postgresql://nobody@127.0.0.1:{closed_port()}/none"
    said = call(*words, *more, "--dsn", dsn)
    assert said.code == 1
    assert said.helps(), said.err


def test_roles_are_told_with_what_each_may_do(call: Any) -> None:
    """Who may close, who signs, and whose token in the demo that is."""
    told = call("staff", "roles").out
    assert re.search(r"risk_officer  \(staff:3\)", told)
    assert "gate.close_alone" in told.split("rail_owner")[1].split("risk_officer")[0]
    assert "signs what others began" in told.split("\nrisk_officer")[1].split("\nciso")[0]
    assert "case.answer" in told.split("\ncomplaints_officer")[1]
    assert "gate.close_alone" not in told.split("\ncomplaints_officer")[1]
