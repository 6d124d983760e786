"""PostgreSQL failing below everything of the bank's: the driver's own methods raise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

SECRET = "the balance of somebody else is 12345"
"""What a server's message might tell, and no answer may."""


def raised(sqlstate: str) -> asyncpg.PostgresError:
    """What the driver raises for this SQLSTATE, with all that a server says beside it."""
    fields = {"S": "ERROR", "V": "ERROR", "C": sqlstate, "M": SECRET, "D": SECRET, "H": SECRET}
    found = asyncpg.PostgresError.new(fields | {"s": "public", "t": "accounts", "n": "rule"})
    assert isinstance(found, asyncpg.PostgresError)
    return found


class Line:
    """Fails statements whose text holds ``where``, so many times."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.where = ""
        self.times = 0
        self.struck = 0

    def strike(self, error: BaseException, where: str, times: int = 1_000) -> None:
        """Fail from now on."""
        self.error, self.where, self.times = error, where, times

    def see(self, sql: str) -> None:
        """Raise, if this statement is meant."""
        if self.error is not None and self.times and self.where in sql:
            self.times -= 1
            self.struck += 1
            raise self.error


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """What the driver's own methods raise, below everything of the bank's."""
    line = Line()
    for name in ("execute", "fetch", "fetchrow", "fetchval"):
        real = getattr(asyncpg.Connection, name)

        def failing(self: Any, sql: str, *values: Any, _real: Any = real, **more: Any) -> Any:
            async def do() -> Any:
                line.see(sql)
                return await _real(self, sql, *values, **more)

            return do()

        monkeypatch.setattr(asyncpg.Connection, name, failing)
    yield line
    line.error = None
