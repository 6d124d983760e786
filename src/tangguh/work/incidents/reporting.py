"""Reports to authorities: facts from what was recorded, clocks, and who sent what.

Nothing here is sent by the bank. People download a draft, finish and send it, and say so; what they
sent is remembered in the hash chain by its hash.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from tangguh.access.people import Staff
from tangguh.audit.trail import Remember
from tangguh.core.deadlines import DEADLINES
from tangguh.core.outcome import Refusal, Refused
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.disputes.store import CaseStore
from tangguh.guard.closure import Closure
from tangguh.guard.scope import text_of
from tangguh.notices.desk import Notices
from tangguh.payments.desk import Desk
from tangguh.recovery.climb import Climb
from tangguh.status import store
from tangguh.status.component import COMPONENTS
from tangguh.status.incident import Incident
from tangguh.status.regulator.clocks import RunningClock, Sent, clocks_of
from tangguh.status.regulator.drafts import (
    Document,
    Facts,
    Figures,
    Line,
    Report,
    draft,
    monthly,
)
from tangguh.work.incidents.assurance import Keeper

SENT: Final = "report.sent"
_QUERIES: Final = Queries("tangguh.work.incidents", "incidents.sql")
_GATES: Final = Queries("tangguh.payments.gates", "gates.sql")
_CLIMBS: Final = Queries("tangguh.recovery", "recovery.sql")
_HASH_LENGTH: Final = 64
_OPEN: Final = frozenset({"received", "waiting", "with_staff", "needs_papers", "escalated"})


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What people add that no record holds. ``personal_data``: which data, empty for none known."""

    personal_data: str = ""
    loss_minor: int | None = None
    contact: str = ""
    police_report: str = ""


class Reporting:
    """Drafts and clocks of one bank's incidents."""

    def __init__(
        self,
        *,
        desk: Desk,
        pool: Pool,
        book_id: int,
        keeper: Keeper,
        notices: Notices,
        cases: CaseStore,
        bank_name: str,
        page_url: str,
    ) -> None:
        self._desk = desk
        self._pool = pool
        self._book_id = book_id
        self._keeper = keeper
        self._notices = notices
        self._cases = cases
        self._bank_name = bank_name
        self._page_url = page_url

    async def clocks(self, incident: Incident, *, personal_data: bool) -> list[RunningClock]:
        """Every deadline of an incident. It begins with the look that saw it: then we knew."""
        rows = await self._pool.fetch(
            _QUERIES["reports_sent"], self._book_id, f"incident:{incident.id}"
        )
        sent = []
        for row in rows:
            detail = msgspec.json.decode(row["detail"])
            sent.append(
                Sent(
                    deadline_id=detail["deadline"],
                    at=row["at"],
                    by=row["actor"],
                    sha256=detail["sha256"],
                    reference=detail["reference"],
                )
            )
        return clocks_of(incident.begun_at, personal_data=personal_data, sent=tuple(sent))

    async def draft(
        self, report: Report, incident: Incident, told: Told, language: str
    ) -> Document:
        """A report as it can be written now."""
        clocks = await self.clocks(incident, personal_data=bool(told.personal_data))
        return draft(report, await self.facts(incident, told), clocks, language)

    async def remember_sent(
        self, by: Staff, incident: Incident, deadline_id: str, sha256: str, reference: str
    ) -> Refused | None:
        """Somebody has sent a report. Refuses ORDER_INVALID naming the field."""
        if deadline_id not in DEADLINES:
            return Refused(Refusal.ORDER_INVALID, "deadline", "there is no such deadline")
        if len(sha256) != _HASH_LENGTH or not all(one in "0123456789abcdef" for one in sha256):
            return Refused(Refusal.ORDER_INVALID, "sha256", "64 hexadecimal digits")
        detail = msgspec.json.encode(
            {"deadline": deadline_id, "sha256": sha256, "reference": reference[:100]}
        ).decode()
        await self._desk.decide(Remember(by.id, SENT, f"incident:{incident.id}", detail))
        return None

    async def facts(self, incident: Incident, told: Told) -> Facts:
        """What was recorded of an incident, and what people add."""
        money = incident.money
        is_counted = money.counted_at is not None
        ids = incident.closure_ids
        closures = [found for text in ids if (found := await self._closure(text))]
        climbs = [climb for text in ids if (climb := await self._climb(text))]
        people = await self._pool.fetchrow(
            _QUERIES["people_of_incident"], self._book_id, incident.id
        )
        counts = await self._notices.counts(f"incident:{incident.id}")
        newest = self._keeper.newest
        return Facts(
            number=f"INC-{incident.begun_at:%Y%m%d}-{incident.id.hex[-6:].upper()}",
            bank=self._bank_name,
            kind=str(incident.kind),
            known_at=incident.begun_at,
            begun_at=incident.begun_at,
            restored_at=incident.restored_at,
            services=incident.components,
            unaffected=tuple(one for one in COMPONENTS if one not in incident.components),
            scope="; ".join(text_of(one.scope) for one in closures),
            cause="; ".join(dict.fromkeys(one.cause for one in climbs if one.cause_known)),
            fix="; ".join(dict.fromkeys(one.fix for one in climbs if one.fix)),
            loss_minor=told.loss_minor,
            customers=int(people["people"]) if people is not None and is_counted else None,
            payments=money.affected if is_counted else None,
            payments_minor=money.affected_minor if is_counted else None,
            open=money.open if is_counted else None,
            came_back=money.came_back if is_counted else None,
            arrived=money.arrived if is_counted else None,
            books_hold=newest.proof_holds if newest.proved_at is not None else None,
            books_at=newest.proved_at,
            personal_data=told.personal_data,
            people_told=sum(one.notices for one in counts if one.step == "begun"),
            public_url=self._page_url,
            contact=told.contact,
            police_report=told.police_report,
            timeline=await self._timeline(incident),
        )

    async def figures(self, start: datetime, end: datetime, month: str, contact: str) -> Figures:
        """The month's complaints."""
        opened: dict[str, int] = {}
        decided: dict[str, int] = {}
        still_open = overdue = 0
        for one in await self._cases.counts(start, end, self._desk.clock.now()):
            opened[one.about] = opened.get(one.about, 0) + one.cases
            overdue += one.overdue
            if one.state in _OPEN:
                still_open += one.cases
            elif one.outcome:
                decided[one.outcome] = decided.get(one.outcome, 0) + one.cases
        return Figures(
            bank=self._bank_name,
            month=month,
            opened=opened,
            decided=decided,
            still_open=still_open,
            overdue=overdue,
            contact=contact,
        )

    async def monthly(self, figures: Figures, language: str) -> Document:
        """The month's figures as a report."""
        return monthly(figures, language)

    async def _timeline(self, incident: Incident) -> tuple[Line, ...]:
        lines = [Line(at=incident.begun_at, what="begun", by="bank")]
        events = await store.events_of(self._pool, self._book_id, f"incident:{incident.id}")
        lines += [
            Line(at=one.at, what=f"incident {one.what}", by=one.made_by)
            for one in events
            if one.what != "money"
        ]
        for text in incident.closure_ids:
            rows = await self._pool.fetch(_GATES["events_of_closure"], self._book_id, UUID(text))
            for row in rows:
                closure = msgspec.json.decode(row["closure_json"], type=Closure)
                what = f"gate {row['what']}: {text_of(closure.scope)}"
                lines.append(Line(at=row["at"], what=what, by=row["made_by"]))
        return tuple(lines)

    async def _closure(self, text: str) -> Closure | None:
        rows = await self._pool.fetch(_GATES["events_of_closure"], self._book_id, UUID(text))
        return msgspec.json.decode(rows[-1]["closure_json"], type=Closure) if rows else None

    async def _climb(self, text: str) -> Climb | None:
        rows = await self._pool.fetch(_CLIMBS["climb_events"], self._book_id, UUID(text))
        return msgspec.json.decode(rows[-1]["climb_json"], type=Climb) if rows else None
