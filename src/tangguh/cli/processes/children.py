"""Child processes of ``tangguh up``: started, awaited until ready, restarted when they die."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from tangguh.core.errors import StoreUnavailable

_READY_TIMEOUT_SECONDS: Final = 60.0
_STOP_TIMEOUT_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.02
_ASK: Final = b"GET /alive HTTP/1.1\r\nhost: %s\r\nconnection: close\r\n\r\n"
"""A page that nobody has: a refusal costs next to nothing."""


class Child:
    """One process of the bank: ``python -m tangguh <arguments>``, its log and its ready file."""

    def __init__(
        self, name: str, arguments: Sequence[str], *, run: Path, logs: Path, module: str = "tangguh"
    ) -> None:
        """``module``: what is run in the program's place, for drills."""
        self.name = name
        self.restarts = 0
        self._ready = run / f"{name}.ready"
        self._log = logs / f"{name}.log"
        self._command = [
            sys.executable, "-m", module, *arguments, "--ready-file", str(self._ready)
        ]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ""

    async def start(self) -> dict[str, Any]:
        """Start it and wait until it says it is ready; what it says (its addresses).

        Raises StoreUnavailable with the log's last lines when it ends or stays silent instead.
        """
        self._ready.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            # Its own session: Ctrl-C reaches the parent only, which then stops all in order.
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        waited = 0.0
        while not self._ready.exists():
            if self._process.poll() is not None or waited > _READY_TIMEOUT_SECONDS:
                self.kill()  # one that never became ready is not left to hang
                raise StoreUnavailable(f"{self.name} did not start:\n{self._last_words()}")
            await asyncio.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
        said: dict[str, Any] = msgspec.json.decode(self._ready.read_bytes())
        self._address = str(said.get(self.name) or said.get("control") or "")
        return said

    async def answers(self, seconds: float) -> bool:
        """Whether it says anything to a request; an error, or hanging up on us, is a word too.

        A frozen process does neither: the kernel takes the connection in its place, and that is
        all. True for one that listens nowhere: nothing can be concluded.
        """
        where = urlsplit(self._address)
        if where.hostname is None or where.port is None:
            return True
        try:
            async with asyncio.timeout(seconds):
                reader, writer = await asyncio.open_connection(where.hostname, where.port)
                try:
                    writer.write(_ASK % where.netloc.encode())
                    await reader.read(1)
                finally:
                    writer.close()
        except (TimeoutError, ConnectionRefusedError):
            return False  # nobody listens where it said it would
        except OSError:
            return True
        return True

    @property
    def pid(self) -> int:
        """Its process id; 0 before it was started."""
        return self._process.pid if self._process is not None else 0

    @property
    def has_ended(self) -> bool:
        """Whether it ended without being told to."""
        return self._process is not None and self._process.poll() is not None

    async def restart(self) -> dict[str, Any]:
        """Start it again after it died."""
        self.restarts += 1
        return await self.start()

    def kill(self) -> None:
        """SIGKILL, as the kernel or an operator would. For drills."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    async def stop(self) -> None:
        """SIGTERM, and wait until it has finished what it had begun; SIGKILL if it never does."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        waited = 0.0
        while self._process.poll() is None:
            if waited > _STOP_TIMEOUT_SECONDS:
                self._process.kill()
            await asyncio.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS

    def _last_words(self) -> str:
        try:
            return self._log.read_text(errors="replace")[-1200:]
        except OSError:
            return "(it left no log)"
