"""The HTTP server of our processes: told to stop, it answers what was asked, and we go on.

uvicorn raises a signal again once it has served, which ends the process before anything after it
runs: a walk that was under way would not be waited for, a file not be whole.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

import uvicorn

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Server(uvicorn.Server):
    """Serves until it is told to stop. ``on_exit`` is called at once then."""

    on_exit: Callable[[], object] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Hear the signals while serving, and keep them."""
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self.on_exit is not None:
            self.on_exit()

    def end(self) -> None:
        """Answer what was asked, then stop."""
        self.should_exit = True
