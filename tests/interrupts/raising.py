"""Raises at the n-th line that some functions run: every line of an error path has its turn.

A line counts when it is run for the first time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType, FunctionType
from typing import Any


class Lines:
    """Counts the lines run inside the given functions; at the ``at``-th it raises, once."""

    def __init__(self, codes: Iterable[CodeType], at: int, fault: BaseException) -> None:
        self._codes = frozenset(codes)
        self._at = at
        self._fault = fault
        self._seen: set[tuple[CodeType, int]] = set()
        self.struck = ""

    @contextmanager
    def traced(self) -> Iterator[None]:
        """Count and raise while inside."""
        before = sys.gettrace()
        sys.settrace(self._on_call)
        try:
            yield
        finally:
            sys.settrace(before)

    def _on_call(self, frame: FrameType, _: str, __: Any) -> Callable[..., Any] | None:
        return self._on_line if frame.f_code in self._codes else None

    def _on_line(self, frame: FrameType, event: str, _: Any) -> Callable[..., Any] | None:
        if event != "line" or self.struck:
            return self._on_line
        here = (frame.f_code, frame.f_lineno)
        if here in self._seen:
            return self._on_line
        self._seen.add(here)
        if len(self._seen) == self._at:
            self.struck = f"{frame.f_code.co_name}:{frame.f_lineno}"
            raise self._fault
        return self._on_line


def codes_of(*owners: Any, but: frozenset[str] = frozenset()) -> Iterator[CodeType]:
    """The code of every function of classes and modules."""
    for owner in owners:
        for name, found in vars(owner).items():
            function = found.fget if isinstance(found, property) else found
            if isinstance(function, FunctionType) and name not in but:
                yield function.__code__
