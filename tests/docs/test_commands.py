"""What documents tell people to type beside `tangguh`: it is run, each kind where it can be."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import aiohttp
import msgspec
import pytest

from tangguh.cli.bench import app as bench
from tangguh.cli.drills.register import DRILLS
from tangguh.cli.outside import NETWORKS, Outside
from tangguh.cli.place import Place
from tangguh.cli.processes.ports import free_ports
from tangguh.core.clock import SystemClock
from tangguh.sim.process import SimSettings, World

ROOT = Path(__file__).parents[2]
WALKED = {"docs/tutorial/first-hour.md", "README.md"}
"""Their console blocks are walked in order, against a bank: tests/drills."""
DOCUMENTS = {
    str(path.relative_to(ROOT)): path.read_text("utf-8")
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/**/*.md")])
}


def blocks(kind: str) -> list[tuple[str, str]]:
    """Every fenced block of a kind, with its document."""
    return [
        (name, block)
        for name, text in DOCUMENTS.items()
        for block in re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)
    ]


def typed(*begins: str) -> list[str]:
    """Everything in back quotes or in a plain block that begins with one of these words."""
    found = set()
    for text in DOCUMENTS.values():
        lines = [
            line
            for block in re.findall(r"```\n(.*?)```", text, re.DOTALL)
            for line in block.splitlines()
        ]
        for line in [*re.findall(r"`([^`\n]+)`", text), *lines]:
            if line.split(" ")[0] in begins:
                found.add(line.split("  #")[0].split(" # ")[0].strip())
    return sorted(found)


@pytest.mark.parametrize("command", typed("make"))
def test_what_make_is_asked_for_is_there(command: str) -> None:
    """The target exists, and a setting named with it is one it uses."""
    words = command.split()[1:]
    done = subprocess.run(["make", "-n", "-C", str(ROOT), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in (word.partition("=")[0] for word in words if "=" in word):
        assert f"$({name})" in (ROOT / "Makefile").read_text("utf-8")


def test_make_run_answers_on_the_port_that_was_asked_for() -> None:
    done = subprocess.run(
        ["make", "-n", "-o", "setup", "-C", str(ROOT), "run", "PORT=9000", "DATA=elsewhere"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert "tangguh up --port 9000 --data elsewhere" in done.stdout


@pytest.mark.parametrize("command", typed("uv", "pip"))
def test_how_a_lock_is_made_names_what_is_there(command: str) -> None:
    """Its files, and the group of dependencies; it is not run, for it asks the registry."""
    words = command.split()
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    for option, value in pairwise(words):
        if option in ("-o", "--constraint"):
            assert (ROOT / value).is_file()
        if option == "--group":
            assert value in groups
    assert "pyproject.toml" in words or words == ["pip", "install", "."]


@pytest.mark.parametrize("script", sorted(
    {name for text in DOCUMENTS.values() for name in re.findall(r"\bscripts/[\w/.-]+\w", text)}
))  # fmt: skip
def test_every_script_that_is_named_is_there(script: str) -> None:
    path = ROOT / script
    assert path.exists()
    if path.suffix == ".py":
        compile(path.read_text("utf-8"), script, "exec")
    elif path.is_file():
        assert subprocess.run(["bash", "-n", str(path)]).returncode == 0


def test_every_drill_and_bench_that_is_named_is_there() -> None:
    """Their options are looked at elsewhere; here it is their names."""
    benches = {name for name in bench.resolved_commands() if not name.startswith("-")}
    for name, text in DOCUMENTS.items():
        for kind, one in re.findall(r"tangguh (drill|bench) ([a-z][\w-]+)", text):
            assert one in (DRILLS if kind == "drill" else benches), f"{name}: {kind} {one}"


@pytest.mark.parametrize(("name", "block"), blocks("python"), ids=lambda one: one[:30])
def test_every_piece_of_python_runs(name: str, block: str, tmp_path: Path) -> None:
    """As it stands, in a process of its own; of one that awaits, its form and what it imports."""
    tree = compile(block, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)
    if any(isinstance(node, ast.Await | ast.AsyncWith | ast.AsyncFor) for node in ast.walk(tree)):
        lines = [
            ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        block = "\n".join(lines)
    done = subprocess.run(
        [sys.executable, "-c", block], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("name", "block"), blocks("toml"), ids=lambda one: one[:30])
def test_every_piece_of_settings_reads(name: str, block: str) -> None:
    assert tomllib.loads(block)


@pytest.mark.parametrize(
    ("name", "block"),
    [one for one in blocks("console") if one[0] not in WALKED],
    ids=lambda one: one[:30],
)
def test_every_console_block_is_typed_in_order(name: str, block: str, tmp_path: Path) -> None:
    """In an empty directory, where no bank runs: files are made and read, the rest says why not.

    What stands below a command is what it prints.
    """
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("TANGGUH_")
    }
    (tmp_path / "tangguh").symlink_to(ROOT / "tangguh")
    path = f"{Path(sys.executable).parent}:{tmp_path}:{environment['PATH']}"
    environment |= {"PATH": path, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        if re.search(r"tangguh (up|smoke|drill|bench)\b", command):
            continue  # real processes, run in tests/drills
        done = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path,
            env=environment, timeout=60, input="",
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        # curl has numbers of its own for an address that is not set and a bank that is not there.
        no_bank = (3, 7) if command.startswith("curl") else ()
        assert done.returncode in (0, 1, *no_bank), f"{command}: {done.stderr}"
        if printed.strip() and done.returncode == 0:
            assert printed.strip() in done.stdout, f"{command}: {done.stdout}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = Place(tmp_path_factory.mktemp("outside"))
    made.take()
    return made


@pytest.fixture
async def world(place: Place) -> AsyncIterator[World]:
    """Every network a demo has, and no bank."""
    ports = dict(zip(NETWORKS, free_ports(len(NETWORKS)), strict=True))
    outside = Outside(place, "http://127.0.0.1:9", "http://127.0.0.1:9", 1, ports)
    settings = msgspec.convert(outside.sim_settings(0), SimSettings)
    async with World(settings, SystemClock()) as opened:
        yield opened


async def test_every_call_of_the_networks_is_made(world: World) -> None:
    """`curl` of a fault or an act: the place is there and takes the body as written."""
    calls = typed("curl")
    assert len(calls) >= 6
    async with aiohttp.ClientSession() as session:
        for call in calls:
            words = shlex.split(call)
            method, body = words[words.index("-X") + 1], words[words.index("-d") + 1]
            where = next(word for word in words if word.startswith("localhost:8081"))
            url = world.addresses.control + where.removeprefix("localhost:8081")
            async with session.request(method, url, data=body) as answer:
                said = await answer.text()
                # "..." stands for something of the reader's: refused in words, and only that.
                assert answer.status == 200 or ("..." in body and answer.status == 400), (
                    call,
                    said,
                )
                json.loads(said)
