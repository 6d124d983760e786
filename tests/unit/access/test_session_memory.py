"""A session that nobody uses any more leaves memory; one in use is looked up seldom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from conftest import NOON
from tangguh.access.session import Sessions, SessionSettings
from tangguh.core.clock import HandClock


class Rows:
    """Finds a session for every token, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def fetchrow(self, _: str, *__: object) -> dict[str, Any]:
        self.asked += 1
        return {
            "customer_id": 1,
            "signing_key": b"k",
            "kind": "device",
            "opened_at": NOON,
            "expires_at": NOON + timedelta(days=1),
            "device_known_at": None,
        }


async def test_sessions_nobody_uses_leave_memory() -> None:
    rows, clock = Rows(), HandClock(NOON)
    nobody = cast(Any, None)
    sessions = Sessions(cast(Any, rows), 1, clock, nobody, nobody, SessionSettings())
    for number in range(300):
        await sessions.find(f"token-{number}")
    await sessions.find("token-299")
    assert (sessions.kept, rows.asked) == (300, 300)
    clock.advance(60)
    await sessions.find("token-299")
    assert (sessions.kept, rows.asked) == (1, 301)
