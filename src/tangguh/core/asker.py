"""Whether whoever asked still waits: what waits its turn is dropped when nobody does.

The listener that took a request sets it; whoever lets work wait looks before it begins. Asking
again costs an order of money nothing (the same key, the same payment), so its waiting is ended by
time alone: in a crowd that gives up sooner than the queue moves, nothing would ever be done.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Final


def _stays() -> bool:
    return False


HAS_GONE: Final[ContextVar[Callable[[], bool]]] = ContextVar("has_gone", default=_stays)
"""Tells whether whoever asked has gone away. By default they stay."""
