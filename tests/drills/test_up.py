"""`tangguh up` as a newcomer runs it: real processes, one data directory, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tangguh.core.service import SERVICES

PATIENCE_SECONDS = 90.0


class Up:
    """One `tangguh up` process."""

    def __init__(self, data: Path, port: int) -> None:
        self.data, self.port = data, port
        self.ready_file = data.parent / f"ready-{port}-{time.monotonic_ns()}.json"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tangguh", "up", "--data", str(data), "--port", str(port),
             "--ready-file", str(self.ready_file)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def until_ready(self) -> dict[str, str]:
        """Wait for the ready file; its addresses."""
        wait_for(lambda: self.ready_file.exists() or self.process.poll() is not None)
        assert self.ready_file.exists(), self.process.stdout.read()
        return json.loads(self.ready_file.read_text())

    def stop(self, number: int = signal.SIGINT) -> str:
        """Send a signal and wait for the end; what it printed."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.communicate(timeout=PATIENCE_SECONDS)[0]


def wait_for(is_so: object) -> None:
    """Poll a condition of other processes; they have no event to wait on."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def port_pair() -> int:
    """A free port whose successor is free too."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def tangguh(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tangguh", *words], capture_output=True, text=True, timeout=300
    )


def is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return json.load(answer)["ok"]
    except OSError:
        return False


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data directory; whatever still runs on it afterwards is ended."""
    yield tmp_path / "data"
    pid_file = tmp_path / "data" / "postgres" / "postmaster.pid"
    if pid_file.exists():
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGINT)
        wait_for(lambda: not pid_file.exists())


def test_up_opens_a_bank_and_ctrl_c_loses_nothing(data: Path) -> None:
    """It answers, refuses a second one on its data and a busy port, stops, and comes back whole."""
    port = port_pair()
    up = Up(data, port)
    addresses = up.until_ready()
    assert addresses["bank"] == f"http://127.0.0.1:{port}"
    assert is_healthy(port)

    again = tangguh("up", "--data", str(data), "--port", str(port_pair()))
    assert again.returncode == 1
    assert "already running" in again.stderr
    assert addresses["bank"] in again.stderr
    busy = tangguh("up", "--data", str(data.parent / "other"), "--port", str(port))
    assert busy.returncode == 1
    assert "is taken" in busy.stderr
    assert "Traceback" not in again.stderr + busy.stderr

    before = json.loads(tangguh("prove", "--data", str(data), "--json").stdout)
    assert before["passed"]
    printed = up.stop()
    assert up.process.returncode == 0, printed
    assert "Stopped" in printed
    assert not is_healthy(port)

    second = Up(data, port)
    second.until_ready()
    after = json.loads(tangguh("prove", "--data", str(data), "--json").stdout)
    assert after["passed"]
    assert (after["accounts"], after["entries"]) == (before["accounts"], before["entries"])
    second.stop(signal.SIGTERM)
    assert second.process.returncode == 0


def test_a_killed_up_is_found_again(data: Path) -> None:
    """SIGKILL of the parent: the bank ends with it, PostgreSQL stays and is taken over."""
    port = port_pair()
    first = Up(data, port)
    first.until_ready()
    first.process.kill()
    first.process.communicate()
    wait_for(lambda: not is_healthy(port))
    second = Up(data, port)
    second.until_ready()
    assert is_healthy(port)
    printed = second.stop()
    assert "taken over" in printed


@pytest.mark.parametrize("name", ["bank", "gateway", "status"])
def test_a_dead_process_is_started_again(data: Path, name: str) -> None:
    """SIGKILL of the bank's process, the gateway's or the page's: `up` starts it by itself."""
    port = port_pair()
    up = Up(data, port)
    up.until_ready()
    ready = data / "run" / f"{name}.ready"
    pid = json.loads(ready.read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: ready.exists() and json.loads(ready.read_text())["pid"] != pid)
    wait_for(lambda: is_healthy(port))
    assert "starting it again" in up.stop()


def test_smoke_pays_on_every_service() -> None:
    """One real act on each service of the table, five codes of other banks' merchants, and the proof."""
    done = tangguh("smoke", "--json")
    result = json.loads(done.stdout)
    assert done.returncode == 0, result
    assert result["passed"]
    assert {service["id"] for service in result["services"]} == set(SERVICES)
    assert all(service["ok"] for service in result["services"])
    assert result["subscription"]["state"] == "confirmed"
