"""Every command of every runbook, run as it stands, on a bank in the state the runbook is about.

One real bank for all of them, since each brings it back; the book that does not prove has its own.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from drills.test_up import port_pair, wait_for
from tangguh.cli.device import Device
from tangguh.cli.drills.kill_nine import codes
from tangguh.core.clock import SystemClock
from tangguh.customers.seed import DEMO_PIN

pytestmark = pytest.mark.drill

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
_BLOCK = re.compile(r"^ *```console\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
LOST = {"seed": 1, "faults": [{"name": "drop_reply", "seconds": 0.5}]}


class Said:
    """What the commands of one runbook printed, all of it, and which of them ended with a no."""

    def __init__(self) -> None:
        self.text = ""
        self.failed: list[str] = []


class Terminal:
    """A directory with a running bank in it, and somebody who types."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.printed = directory / "up.txt"
        ready = directory / "ready.json"
        port = port_pair()
        with self.printed.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tangguh", "up", "--port", str(port),
                 "--ready-file", str(ready)],
                stdout=out, stderr=subprocess.STDOUT, cwd=directory,
            )  # fmt: skip
        wait_for(lambda: ready.exists() or self.process.poll() is not None)
        assert ready.exists(), self.printed.read_text()
        self.addresses: dict[str, str] = json.loads(ready.read_text())
        self.data = directory / "tangguh-data"
        tokens = json.loads((self.data / "keys" / "staff.json").read_text())
        self._token = tokens["staff:1"]
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "XDG_CONFIG_HOME": str(directory / "config"),
            "TANGGUH_BANK": self.addresses["bank"],
            "TANGGUH_STATUS": self.addresses["status"],
            "TANGGUH_CONTROL": self.addresses["control"],
        }

    def type(self, command: str) -> subprocess.CompletedProcess[str]:
        """One line, as it stands."""
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.directory, env=self.environment, input=f"{self._token}\n",
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    def follow(self, name: str) -> Said:
        """Type every command of a runbook, in order."""
        said = Said()
        for command in commands(name):
            done = self.type(command)
            said.text += f"$ {command}\n{done.stdout}{done.stderr}"
            assert "Traceback" not in done.stderr, said.text
            if done.returncode:
                said.failed.append(command)
        return said

    def break_network(self, name: str, plan: object) -> None:
        """Have a simulated network misbehave; an empty plan heals it."""
        request = urllib.request.Request(
            f"{self.addresses['control']}/networks/{name}/faults",
            data=json.dumps(plan).encode(),
            method="PUT",
        )
        urllib.request.urlopen(request, timeout=10).close()

    async def pay_by_qris(self, phone: str) -> str:
        """A customer pays; the payment's id."""
        async with Device(self.addresses["bank"], SystemClock()) as device:
            assert (await device.log_in(phone, DEMO_PIN)).ok
            qr = (await codes(self.addresses["control"]))["V5"]
            order = {"kind": "qris", "from_account": await device.account(), "qr": qr}
            said = await device.pay(order | {"amount": "25000"})
            assert said.ok, said.body
            return str(said.body["id"])

    async def as_owner(self, sql: str) -> str:
        """What somebody with the owner's password does beside the bank."""
        password = (self.data / "keys" / "database-owner.secret").read_text().strip()
        connection = await asyncpg.connect(
            host=str(self.data / "sockets"), user="tangguh", database="tangguh", password=password
        )
        try:
            return str(await connection.fetchval(sql))
        finally:
            await connection.close()

    def is_healthy(self) -> bool:
        return '"ok":true' in self.type("curl -s -m 5 $TANGGUH_BANK/health").stdout

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=90)


def commands(name: str) -> list[str]:
    """What a runbook has its reader type: the lines with a prompt."""
    text = (RUNBOOKS / f"{name}.md").read_text("utf-8")
    lines = [line.strip() for block in _BLOCK.findall(text) for line in block.splitlines()]
    return [line[2:] for line in lines if line.startswith("$ ")]


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    opened = Terminal(tmp_path_factory.mktemp("oncall"))
    assert opened.type("tangguh staff login").returncode == 0
    yield opened
    opened.stop()


@pytest.fixture
def lost_terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A bank of its own: nothing brings back what is done to it."""
    opened = Terminal(tmp_path)
    assert opened.type("tangguh staff login").returncode == 0
    yield opened
    opened.stop()


def test_the_first_minute(terminal: Terminal) -> None:
    said = terminal.follow("README")
    assert said.failed == [], said.text
    assert '"takes_new_money":true' in said.text
    assert "everything is open" in said.text


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("clock-was-set", "its machine's clock is +0.0 s away"),
        ("disk-full", '"disk":"enough"'),
        ("payment-unanswered", "Every rupiah is accounted for"),
        ("close-and-reopen", "everything is open"),
    ],
)
def test_on_a_bank_that_is_well(terminal: Terminal, name: str, word: str) -> None:
    """What can be looked at while nothing is wrong, and says so."""
    said = terminal.follow(name)
    assert said.failed == [], said.text
    assert word in said.text, said.text


def test_every_runbook_of_the_table_is_tried_here() -> None:
    """One that is added to the table and has commands is run by somebody."""
    source = Path(__file__).read_text("utf-8")
    for name in re.findall(r"\]\(([a-z-]+)\.md\)", (RUNBOOKS / "README.md").read_text("utf-8")):
        if commands(name):
            assert f'"{name}"' in source, name
    for path in RUNBOOKS.glob("*.md"):
        for command in commands(path.stem):
            assert shlex.split(command), command


async def test_a_partner_is_down(terminal: Terminal) -> None:
    terminal.break_network("qris", LOST)
    lost = await terminal.pay_by_qris("628110000001")
    terminal.break_network("qris", {"seed": 1, "faults": [{"name": "down"}]})
    said = terminal.follow("partner-down")
    assert said.failed == [], said.text
    assert lost in said.text
    assert "would stop" in said.text
    told = terminal.type(f"tangguh payment show {lost}").stdout
    assert "next: do not void it by hand" in told, told
    terminal.break_network("qris", {"seed": 1, "faults": []})
    wait_for(lambda: lost not in terminal.type("tangguh payment find --state unanswered").stdout)
    assert f"payment {lost}" in terminal.type(f"tangguh payment show {lost}").stdout


def test_the_database_is_dead(terminal: Terminal) -> None:
    pid = int((terminal.data / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: "PostgreSQL is back after" in terminal.printed.read_text())
    wait_for(terminal.is_healthy)
    said = terminal.follow("database-dead")
    assert said.failed == [], said.text
    assert "Every rupiah is accounted for" in said.text
    assert "PostgreSQL ended unexpectedly; starting it again" in terminal.printed.read_text()


def test_the_bank_is_silent_and_the_page_is_right(terminal: Terminal) -> None:
    """The bank is stopped where it stands: its health answers nobody, and the page's does."""
    serve = next(
        pid
        for pid in (int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit())
        if is_serve(pid, terminal.data)
    )
    os.kill(serve, signal.SIGSTOP)
    try:
        said = terminal.follow("status-page-stale")
        assert [one for one in said.failed if "TANGGUH_BANK" not in one] == [], said.text
        assert '"written":true' in said.text
        assert any("TANGGUH_BANK/health" in one for one in said.failed), said.text
    finally:
        os.kill(serve, signal.SIGCONT)
    wait_for(terminal.is_healthy)
    assert terminal.follow("status-page-stale").failed == []


def is_serve(pid: int, data: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except OSError:
        return False
    return "serve" in words and any(word.startswith(str(data)) for word in words)


async def test_the_book_does_not_prove(lost_terminal: Terminal) -> None:
    """Somebody with the owner's password makes an account richer."""
    before = lost_terminal.follow("book-does-not-prove")
    assert before.failed == [], before.text
    await lost_terminal.as_owner(
        "UPDATE accounts SET posted_minor = posted_minor + 100 WHERE account_id ="
        " (SELECT min(account_id) FROM accounts WHERE kind = 'customer') RETURNING account_id"
    )
    said = lost_terminal.follow("book-does-not-prove")
    assert said.failed == [one for one in commands("book-does-not-prove") if "prove" in one]
    assert "BROKEN" in said.text
    proof = json.loads((lost_terminal.directory / "proof.json").read_text())
    assert not proof["passed"]
    wait_for(lambda: "row" in lost_terminal.type("tangguh gate list --json").stdout)
