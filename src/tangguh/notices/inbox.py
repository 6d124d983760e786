"""Reading notices: a customer's inbox, and, for those who answer for it, what reached nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from tangguh.db.pool import Pool
from tangguh.notices.notice import State, Via
from tangguh.notices.store import NOTICES


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One message in the app; ``read_at`` None: not seen yet."""

    id: UUID
    matter: str
    step: str
    title: str
    text: str
    made_at: datetime
    read_at: datetime | None


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One person whom a step of a matter has not reached, and why not, or not yet."""

    id: UUID
    person: str
    step: str
    state: State
    via: str
    due_at: datetime
    reason: str


class Count(msgspec.Struct, frozen=True):
    """How many notices of one step are in one state by one way, and how many were read."""

    step: str
    state: State
    via: str
    notices: int
    read: int


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One try to deliver one notice. ``reference`` is the provider's: the proof.

    ``outcome`` is under_way, delivered, later, rejected, or lost (its sender died before it could
    write down the answer). ``arrival`` is what the provider said afterwards, if it says it at all.
    """

    via: Via
    attempt: int
    address_id: UUID
    began_at: datetime
    outcome: str
    ended_at: datetime | None
    reference: str
    said: str
    arrival: str
    arrival_at: datetime | None


class Inbox:
    """The reading side of one book."""

    def __init__(self, pool: Pool, book_id: int) -> None:
        self._pool = pool
        self._book_id = book_id

    async def items(self, person: str, most: int, before: UUID | None = None) -> list[Item]:
        """What a person finds in the app, newest first; ``before``: the last one seen so far.

        Before what is no notice of theirs there is nothing.
        """
        rows = await self._pool.fetch(NOTICES["list_inbox"], self._book_id, person, before, most)
        return [
            Item(
                id=row["notice_id"],
                matter=row["matter"],
                step=row["step"],
                title=row["title"],
                text=row["body"],
                made_at=row["made_at"],
                read_at=row["read_at"],
            )
            for row in rows
        ]

    async def count_unread(self, person: str) -> int:
        """How many of them are new."""
        row = await self._pool.fetchrow(NOTICES["count_unread"], self._book_id, person)
        return int(row["unread"]) if row else 0

    async def mark_read(self, person: str, ids: Sequence[UUID], now: datetime) -> int:
        """Its reader has seen them; how many were new. Those of others stay as they are."""
        rows = await self._pool.fetch(NOTICES["mark_read"], self._book_id, list(ids), person, now)
        return len(rows)

    async def undelivered(self, matter: str, most: int) -> list[Listed]:
        """Whom no step of a matter has reached: not taken outside, not read in the app."""
        rows = await self._pool.fetch(NOTICES["list_undelivered"], self._book_id, matter, most)
        return [
            Listed(
                id=row["notice_id"],
                person=row["person"],
                step=row["step"],
                state=State(row["state"]),
                via=row["via"],
                due_at=row["due_at"],
                reason=row["reason"],
            )
            for row in rows
        ]

    async def counts(self, matter: str) -> list[Count]:
        """How many notices of a matter are where, by step."""
        rows = await self._pool.fetch(NOTICES["count_notices"], self._book_id, matter)
        return [
            Count(row["step"], State(row["state"]), row["via"], row["notices"], row["read"])
            for row in rows
        ]

    async def tries(self, notice_id: UUID) -> list[Try]:
        """Every try of one notice, oldest first."""
        rows = await self._pool.fetch(NOTICES["list_deliveries"], self._book_id, notice_id)
        return [Try(**{**row, "via": Via(row["via"])}) for row in rows]
