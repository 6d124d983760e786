"""What the documents promise is run: commands exist, links lead somewhere, JSON keys are there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("*.md")]
    if path.name != "LICENSE"
)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_COMMAND = re.compile(r"^(?:\$ )?(?:\./|\.venv/bin/)?tangguh (.+?)(?:\s+#.*)?$", re.MULTILINE)
LONG = ("up", "drill", "bench", "smoke", "serve", "gateway", "sim", "watch", "status", "prove")
"""Run elsewhere (tests/drills); here their options must be known to the command line."""


_NOBODYS = tempfile.mkdtemp(prefix="tangguh-documents-")
"""Where somebody who has never logged in keeps their settings: documents end log-ins too."""


def tangguh(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tangguh", *words],
        input=text,
        capture_output=True,
        text=True,
        env=os.environ | {"XDG_CONFIG_HOME": _NOBODYS, "TANGGUH_BANK": "http://127.0.0.1:9"},
    )


@cache
def help_of(*words: str) -> str:
    """What the command line says of a command and its options."""
    told = tangguh(*words, "--help")
    assert told.returncode == 0, told.stderr
    return told.stdout


def commands() -> list[str]:
    found: list[str] = []
    for document in DOCUMENTS:
        for block in re.findall(r"```(?:console)?\n(.*?)```", document.read_text(), re.DOTALL):
            found += _COMMAND.findall(block)
        found += re.findall(r"`(?:\./|\.venv/bin/)?tangguh ([^`]+)`", document.read_text())
    return sorted({command for command in found if "<" not in command and "|" not in command})


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(document: Path) -> None:
    """Links inside the project are not broken."""
    for target in _LINK.findall(document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


@pytest.mark.parametrize("command", commands())
def test_every_command_in_the_documents_exists(command: str) -> None:
    """Short ones are run; of long ones every option is in their help."""
    words = shlex.split(command)
    if words[0] not in LONG:
        done = tangguh(*[word for word in words if word != "..."], text="not a code\n")
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr
        return
    help_words = words[:2] if words[0] == "bench" else words[:1]
    told = help_of(*help_words)
    for option in (word for word in words if word.startswith("--")):
        assert option in told, f"{command}: {option} is not in its help"


def test_qris_parse_gives_the_promised_keys() -> None:
    """The contract of the command line: valid, kind, errors, warnings, fields."""
    done = tangguh("qris", "parse", "-", "--json", text="000201\n")
    verdict = json.loads(done.stdout)
    assert {"valid", "kind", "errors", "warnings", "fields"} <= verdict.keys()
    assert done.returncode == 1


def test_config_show_is_one_json_document() -> None:
    """Machine-readable, with secrets masked."""
    done = tangguh("config", "show", "--json", "--data", "no-bank-here")
    assert json.loads(done.stdout)["db"] == {
        "dsn": "", "web_dsn": "", "pool_connections_max": 10, "pepper_key": "",
        "space": {"ballast_mib": 64, "free_mib_min": 512, "path": ""},
    }  # fmt: skip


def test_the_makefile_has_the_promised_targets() -> None:
    """A newcomer's commands: setup, run, test, check."""
    makefile = (ROOT / "Makefile").read_text()
    for target in ("help", "setup", "run", "test", "check", "drills"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_make_alone_says_what_there_is() -> None:
    """A newcomer types ``make`` and changes nothing by it."""
    told = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True).stdout
    for word in ("make run", "PORT=", "DATA=", "make test", "./tangguh --help"):
        assert word in told


def test_the_wrapper_works_from_anywhere(tmp_path: Path) -> None:
    """A second terminal, in any directory, without the environment on its path."""
    if not (ROOT / ".venv" / "bin" / "tangguh").exists():
        pytest.skip("this clone's environment is elsewhere")
    done = subprocess.run([ROOT / "tangguh", "--version"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr
