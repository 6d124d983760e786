"""What the writer says of itself in the log."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import structlog

log = structlog.get_logger("ledger.writer")


def say(level: str, event: str, **more: Any) -> None:
    """A line in the log, if there is one to be had: a log decides nothing here."""
    with suppress(Exception):
        getattr(log, level)(event, **more)
