"""Readings of incidents beside the writer: the open ones, the recent ones, people's words."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.status.incident import Incident
from tangguh.status.judgement import Override

_QUERIES: Final = Queries("tangguh.status", "status.sql")
_incident: Final = msgspec.json.Decoder(Incident).decode
_override: Final = msgspec.json.Decoder(Override).decode
RECENT_MAX: Final = 200


class Happening(msgspec.Struct, frozen=True):
    """One row of the journal, as staff read it."""

    at: datetime
    what: str
    made_by: str
    event_json: str


async def open_incidents(pool: Pool, book_id: int) -> tuple[Incident, ...]:
    """Incidents whose service or money is not made good, drafts too, oldest first."""
    rows = await pool.fetch(_QUERIES["open_incidents"], book_id)
    return tuple(_incident(row["incident_json"]) for row in rows)


async def recent_incidents(pool: Pool, book_id: int, since: datetime) -> tuple[Incident, ...]:
    """The newest incidents that began since, at most ``RECENT_MAX``."""
    rows = await pool.fetch(_QUERIES["recent_incidents"], book_id, since, RECENT_MAX)
    return tuple(_incident(row["incident_json"]) for row in rows)


async def find_incident(pool: Pool, book_id: int, incident_id: UUID) -> Incident | None:
    """One incident; None when there is none."""
    rows = await pool.fetch(_QUERIES["find_incident"], book_id, incident_id)
    return _incident(rows[0]["incident_json"]) if rows else None


async def overrides(pool: Pool, book_id: int, now: datetime) -> dict[str, Override]:
    """People's words that stand now, by component."""
    rows = await pool.fetch(_QUERIES["all_overrides"], book_id)
    words = (_override(row["override_json"]) for row in rows)
    return {one.component: one for one in words if one.until is None or now < one.until}


async def events_of(pool: Pool, book_id: int, subject: str) -> tuple[Happening, ...]:
    """The journal of ``incident:<id>`` or ``component:<id>``, oldest first."""
    rows: list[Any] = await pool.fetch(_QUERIES["events_of_subject"], book_id, subject)
    return tuple(Happening(**row) for row in rows)
