"""Logs: events and keys as JSON lines on standard error; never a PAN, PIN, token or full name."""

from __future__ import annotations

import logging
import sys
from typing import Any

import msgspec
import structlog


def to_stderr(*, level: str = "info") -> None:
    """Send every event to standard error, one JSON document a line."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_line),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _line(event: Any, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()
