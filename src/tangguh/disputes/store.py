"""Reading cases from PostgreSQL, and keeping beside the book what people wrote. Only the writer
writes cases.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.disputes.case import Case
from tangguh.disputes.rows import decode_case

DISPUTES: Final = Queries("tangguh.disputes", "disputes.sql")


class Event(msgspec.Struct, frozen=True):
    """One line of a case's timeline."""

    seq: int
    at: datetime
    state: str
    what: str
    detail: str
    by: str


class Message(msgspec.Struct, frozen=True):
    """What somebody wrote."""

    at: datetime
    by: str
    body: str


class Count(msgspec.Struct, frozen=True):
    """So many complaints of one kind in one state; ``overdue`` of them past the rule's deadline."""

    about: str
    state: str
    outcome: str
    cases: int
    overdue: int


class CaseStore:
    """The cases of one book."""

    def __init__(self, pool: Pool, book_id: int) -> None:
        self._pool = pool
        self._book_id = book_id

    async def find(self, case_id: UUID) -> Case | None:
        """One case, or None."""
        row = await self._pool.fetchrow(DISPUTES["find_case"], self._book_id, case_id)
        return decode_case(row["case_json"]) if row is not None else None

    async def find_by_number(self, number: str) -> Case | None:
        """One case by its number, or None."""
        row = await self._pool.fetchrow(DISPUTES["find_by_number"], self._book_id, number)
        return decode_case(row["case_json"]) if row is not None else None

    async def of_customer(self, customer_id: int, count_max: int = 50) -> list[Case]:
        """A customer's cases, newest first."""
        return await self._cases("cases_of_customer", customer_id, count_max)

    async def of_payment(self, payment_id: UUID) -> list[Case]:
        """A payment's cases, newest first."""
        return await self._cases("cases_of_payment", payment_id)

    async def of_incident(self, incident_id: UUID, count_max: int = 100_000) -> list[Case]:
        """The cases an incident brought."""
        return await self._cases("cases_of_incident", incident_id, count_max)

    async def waited_for(self) -> set[UUID]:
        """The payments that cases wait for."""
        rows = await self._pool.fetch(DISPUTES["waited_for"], self._book_id)
        return {row["payment_id"] for row in rows}

    async def queue(self, count_max: int = 100) -> list[Case]:
        """What people must act on, the most urgent first."""
        return await self._cases("queue", count_max)

    async def waiting(self, count_max: int = 100) -> list[Case]:
        """What waits for its payment's own clock, the soonest first."""
        return await self._cases("waiting_cases", count_max)

    async def due(self, now: datetime, count_max: int = 200) -> list[Case]:
        """Cases whose time to act is over."""
        return await self._cases("cases_due", now, count_max)

    async def counts(self, start: datetime, end: datetime, now: datetime) -> list[Count]:
        """How many complaints were opened in a time, by kind, state and outcome."""
        rows = await self._pool.fetch(DISPUTES["counts_between"], self._book_id, start, end, now)
        return [
            Count(row["about"], row["state"], row["outcome"] or "", row["cases"], row["overdue"])
            for row in rows
        ]

    async def timeline(self, case_id: UUID) -> list[Event]:
        """What happened to a case, in order."""
        rows = await self._pool.fetch(DISPUTES["events_of_case"], self._book_id, case_id)
        return [Event(*row) for row in rows]

    async def write(self, message_id: UUID, case_id: UUID, at: datetime, by: str, body: str) -> str:
        """Keep what somebody wrote; its SHA-256, for the chain."""
        await self._pool.fetch(
            DISPUTES["add_message"], self._book_id, message_id, case_id, at, by, body
        )
        return text_hash(body)

    async def messages(self, case_id: UUID) -> list[Message]:
        """What was written in a case, oldest first."""
        rows = await self._pool.fetch(DISPUTES["messages_of_case"], self._book_id, case_id)
        return [Message(*row) for row in rows]

    async def add_contact(self, case_id: UUID, address: str, code: str) -> None:
        """Keep how to reach somebody without an account, and the hash of their code."""
        digest = code_hash(code)
        await self._pool.fetch(DISPUTES["add_contact"], self._book_id, case_id, address, digest)

    async def contact(self, case_id: UUID) -> tuple[str, bytes] | None:
        """Their address and the hash of their code, or None."""
        row = await self._pool.fetchrow(DISPUTES["contact_of_case"], self._book_id, case_id)
        return (row["address"], row["code_sha256"]) if row is not None else None

    async def _cases(self, block: str, *values: object) -> list[Case]:
        rows = await self._pool.fetch(DISPUTES[block], self._book_id, *values)
        return [decode_case(row["case_json"]) for row in rows]


def text_hash(body: str) -> str:
    """SHA-256 of a text, hex."""
    return hashlib.sha256(body.encode(errors="replace")).hexdigest()


def code_hash(code: str) -> bytes:
    """SHA-256 of the code somebody follows their case with."""
    return hashlib.sha256(code.strip().upper().encode(errors="replace")).digest()
