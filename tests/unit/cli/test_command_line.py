"""What the command line says of itself, and of the bank beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tangguh.cli import main
from tangguh.cli.main import app
from tangguh.cli.place import Place, is_taken
from tangguh.cli.settings import show
from tangguh.config import load


def test_every_command_has_a_line_and_stands_in_a_group(capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty names without a word beside them help nobody."""
    app([], exit_on_error=False, result_action="return_value")
    told = capsys.readouterr().out
    lines = [line.strip("│ ").split(None, 1) for line in told.splitlines() if line[:1] == "│"]
    names = {words[0]: words[1] for words in lines if len(words) == 2}
    commands = [name for name in app.resolved_commands() if not name.startswith("-")]
    assert len(commands) >= 20
    for name in commands:
        assert len(names.get(name, "")) > 10, f"{name} has no line of help"
    assert told.count("╭─") == 5


def test_the_settings_shown_are_those_of_the_bank_that_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not the defaults of a bank that nobody started; and secrets stay masked."""
    place = Place(tmp_path / "data")
    place.take()
    values = msgspec.to_builtins(load(None, {}))
    values["web"] |= {"port": 9123, "sealing_key": "0badc0de"}
    place.write_run_file("bank.json", values)
    try:
        show(data=tmp_path / "data", as_json=True)
        told = capsys.readouterr().out
        assert json.loads(told)["web"]["port"] == 9123
        assert "0badc0de" not in told
        show(data=tmp_path / "data")
        assert f"the bank that runs on {tmp_path / 'data'}" in capsys.readouterr().out
    finally:
        place.leave()
    show(data=tmp_path / "data")
    assert "a bank started now" in capsys.readouterr().out


def test_settings_that_cannot_be_read_are_not_replaced_by_defaults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bank runs there, but what it uses is unknown: said so."""
    place = Place(tmp_path / "data")
    place.take()
    try:
        with pytest.raises(SystemExit):
            show(data=tmp_path / "data")
        assert "cannot be read" in capsys.readouterr().err
    finally:
        place.leave()


def test_a_directory_is_taken_only_while_somebody_holds_it(tmp_path: Path) -> None:
    """By the kernel's lock, not by a file that a dead process left."""
    place = Place(tmp_path / "data")
    assert not is_taken(tmp_path / "data")
    place.take()
    assert is_taken(tmp_path / "data")
    place.leave()
    assert not is_taken(tmp_path / "data")


@pytest.mark.parametrize("words", ["staff roles", "config show"])
def test_whoever_reads_only_the_first_lines_sees_no_fault(words: str, tmp_path: Path) -> None:
    """``tangguh payment find | head``: the reader has gone before everything is written."""
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {sys.executable} -m tangguh {words} | true"],
        capture_output=True, text=True, cwd=tmp_path, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (141, "")


def test_another_pipe_that_breaks_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A network that hung up in the middle of a command must not pass for a reader who left."""

    def hangs_up(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(main, "app", hangs_up)
    with (tmp_path / "out").open("w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        with pytest.raises(BrokenPipeError):
            main.main([])
