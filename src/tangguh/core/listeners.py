"""Who is told of what has happened already: a listener that fails stops nothing and nobody.

What is told is durable. A fault in hearing it must not turn it into an error, keep the next
listener from hearing, or skip what follows; it is counted (``FAILED``) and logged.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final, Generic, ParamSpec

import structlog

from tangguh.core.marks import sometimes

P = ParamSpec("P")
log = structlog.get_logger("listeners")

FAILED: Final = "listener.failed"
"""The mark that counts the failures of this process; ``/health`` shows it."""


class Listeners(Generic[P]):
    """Told in the order they were added. A listener must not block."""

    def __init__(self) -> None:
        self.all: list[Callable[P, object]] = []

    def add(self, listener: Callable[P, object]) -> None:
        """Tell it from now on."""
        self.all.append(listener)

    def tell(self, *about: P.args, **more: P.kwargs) -> None:
        """Tell everybody. Raises nothing that a listener raised."""
        for listener in self.all:
            try:
                listener(*about, **more)
            except Exception:
                sometimes(FAILED)
                with suppress(Exception):
                    log.exception("listener.failed", listener=repr(listener)[:100])
