"""`tangguh status` as a process of its own: it outlives the bank, and its own death."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tangguh.status.snapshot import PATH, sign
from unit.status.drafts import all_well, told

KEY = Ed25519PrivateKey.generate()
PATIENCE_SECONDS = 60.0


class Answers(BaseHTTPRequestHandler):
    """A bank that signs what is now."""

    def do_GET(self) -> None:
        now = datetime.now(UTC)
        body = sign(told(all_well(now), made_at=now), KEY)
        self.send_response(200 if self.path == PATH else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


class Page:
    """One `tangguh status` process."""

    def __init__(self, directory: Path, bank_port: int, *, supervised: bool) -> None:
        public = directory / "public.pem"
        public.write_bytes(
            KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        config = directory / "status.json"
        config.write_text(
            json.dumps(
                {
                    "snapshot_url": f"http://127.0.0.1:{bank_port}{PATH}",
                    "public_key_path": str(public),
                    "directory": str(directory / "site"),
                    "memory_path": str(directory / "memory.sqlite"),
                    "look_seconds": 0.1,
                    "silent_seconds": 0.5,
                    "down_seconds": 1.0,
                }
            )
        )
        ready = directory / "ready.json"
        ready.unlink(missing_ok=True)
        self._ready = ready
        words = ["--ready-file", str(ready)] if supervised else []
        self.index = directory / "site" / "index.html"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tangguh", "status", "--config", str(config), *words]
        )

    def url(self) -> str:
        until(lambda: self._ready.exists())
        return str(json.loads(self._ready.read_text())["status"])

    def says(self, text: str) -> bool:
        return self.index.exists() and text in self.index.read_text()

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE_SECONDS)


def until(is_so: Any) -> None:
    """Poll another process; it has no event to wait on."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def bank() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_bank_dies_then_the_page_dies_and_what_was_known_is_still_shown(
    bank: ThreadingHTTPServer, tmp_path: Path
) -> None:
    """The page says the bank is away; killed and started again it shows the last word and its age."""
    page = Page(tmp_path, bank.server_port, supervised=True)
    url = page.url()
    until(lambda: page.says("Semua 35 layanan bekerja"))
    with urllib.request.urlopen(f"{url}/en/", timeout=5) as answer:
        assert b"All 35 services work" in answer.read()
    bank.shutdown()
    bank.server_close()
    until(lambda: page.says("Kami tidak dapat menghubungi sistem bank sejak"))
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert b"keadaan terakhir yang kami ketahui" in answer.read()
    assert page.end(signal.SIGKILL) == -signal.SIGKILL

    page.index.unlink()
    again = Page(tmp_path, bank.server_port, supervised=True)
    again.url()
    until(lambda: again.says("Kami tidak dapat menghubungi sistem bank sejak"))
    assert again.says("keadaan terakhir yang kami ketahui")
    assert again.end() == 0


def test_started_by_itself_it_depends_on_nobody(tmp_path: Path) -> None:
    """The shell that started it ends; the page goes on."""
    page = Page(tmp_path, 9, supervised=True)
    page.url()
    assert page.end() == 0
    config = str(tmp_path / "status.json")
    script = (
        "import subprocess, sys; print(subprocess.Popen([sys.executable, '-m', 'tangguh', 'status',"
        f" '--config', {config!r}], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)"
    )
    page.index.unlink()
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    pid = int(done.stdout)
    until(lambda: page.says("Belum ada data dari bank"))
    before = page.index.stat().st_mtime_ns
    until(lambda: page.index.stat().st_mtime_ns > before)
    os.kill(pid, signal.SIGTERM)
    until(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text())


@pytest.mark.parametrize("text", ["{}", "not json", '{"snapshot_url": 1}'])
def test_settings_that_are_none_are_refused_in_words(tmp_path: Path, text: str) -> None:
    config = tmp_path / "status.json"
    config.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "tangguh", "status", "--config", str(config)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert str(config) in done.stderr
    assert "Traceback" not in done.stderr


def test_it_loads_nothing_of_the_bank() -> None:
    """A bug of the ledger, or a missing driver, cannot take the page down with it."""
    script = (
        "import sys, tangguh.cli.processes.status;"
        "print([one for one in sys.modules if one.startswith(('tangguh.ledger', 'tangguh.payments',"
        " 'tangguh.guard', 'tangguh.rails', 'tangguh.config', 'tangguh.app', 'asyncpg'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
