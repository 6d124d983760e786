"""Logs: events and keys as JSON lines on standard error; never a PAN, PIN, token or full name.

A log decides nothing, so it can harm nothing: a line that cannot be written (disk full, pipe closed
or stuck) is dropped and counted, nothing is raised, and nobody waits for it. The first line that
gets through again says how many were lost.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from collections import deque
from contextlib import suppress
from typing import Any, Final

import msgspec
import structlog

from tangguh.core.marks import MARKS

_LINES_MAX: Final = 10_000
_END_SECONDS_MAX: Final = 1.0
DROPPED: Final = "log.line_dropped"
"""The mark that counts dropped lines; ``/health`` shows it."""


class LogLines:
    """Lines on their way to a file descriptor, written by a thread of their own."""

    def __init__(self, descriptor: int, lines_max: int = _LINES_MAX) -> None:
        self._descriptor = descriptor
        self._lines: deque[bytes] = deque()
        self._lines_max = lines_max
        self._wake = threading.Event()
        self._is_ending = False
        self._untold = 0
        self._thread = threading.Thread(target=self._write_on, name="log", daemon=True)
        self._thread.start()

    def msg(self, line: str) -> None:
        """Hand in one line. Never waits, never raises; drops it when too many are waiting."""
        if len(self._lines) >= self._lines_max:
            self.drop()
            return
        self._lines.append(line.encode("utf-8", "backslashreplace") + b"\n")
        self._wake.set()

    debug = info = warning = error = critical = exception = failure = log = fatal = msg

    def drop(self) -> None:
        """Count a line that is lost."""
        self._untold += 1
        MARKS.sometimes(DROPPED)

    def end(self) -> None:
        """Write what is waiting, within a second."""
        self._is_ending = True
        self._wake.set()
        self._thread.join(_END_SECONDS_MAX)

    def _write_on(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._lines:
                self._write(self._lines.popleft())
            if self._is_ending:
                return

    def _write(self, line: bytes) -> None:
        try:
            if self._untold:
                lost = {"event": "log.lines_dropped", "lines": self._untold, "level": "error"}
                self._write_whole(msgspec.json.encode(lost) + b"\n")
                self._untold = 0
            self._write_whole(line)
        except OSError:
            self.drop()

    def _write_whole(self, line: bytes) -> None:
        while line:
            line = line[os.write(self._descriptor, line) :]


def to_stderr(*, level: str = "info") -> None:
    """Send every event to standard error, one JSON document a line."""
    configure(LogLines(sys.stderr.fileno()), level=level)


def configure(lines: LogLines, *, level: str = "info") -> None:
    """Send every event to these lines."""
    atexit.register(lines.end)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_line),
        ],
        wrapper_class=_that_cannot_raise(getattr(logging, level.upper()), lines),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )


def _that_cannot_raise(level: int, lines: LogLines) -> Any:
    base: Any = structlog.make_filtering_bound_logger(level)

    class Quiet(base):  # type: ignore[misc]
        """A logger for which an event that cannot be put into words is a dropped line."""

        def _proxy_to_logger(self, *given: Any, **more: Any) -> Any:
            try:
                return super()._proxy_to_logger(*given, **more)
            except Exception:
                with suppress(Exception):
                    lines.drop()

    return Quiet


def _line(event: Any, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()
