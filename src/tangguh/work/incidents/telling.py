"""Word of an incident to the people it touched, and to whoever asked for word of its services.

One message a person, however many services are touched: the matter is the incident, and the step is
told once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog

from tangguh.core.bounded import Recent
from tangguh.core.format import percent
from tangguh.core.ids import Ids
from tangguh.notices.assurance import Assurance
from tangguh.notices.desk import Notices, Told, to_customer
from tangguh.notices.notice import Notice, Person, Urgency, Via
from tangguh.payments.payment import promised_at
from tangguh.status.component import ComponentState, Stage, names_of, split
from tangguh.status.incident import Incident, IncidentState
from tangguh.status.words.model import joined, limit_of
from tangguh.work.incidents.affected import Heap

log = structlog.get_logger("incidents.telling")

CHANNELS: Final = (Via.IN_APP, Via.PUSH, Via.SMS)
_NAMES_MAX: Final = 3
_TOLD_MAX: Final = 200_000
_TOLD_AGE_MAX: Final = timedelta(days=1)
"""Of what was told lately nothing is asked again; beyond, the notices themselves know it."""
_WORKS_MAX: Final = 5


class Telling:
    """Tells people of incidents."""

    def __init__(self, notices: Notices, ids: Ids, review_days: int) -> None:
        self._notices = notices
        self._ids = ids
        self._review = timedelta(days=review_days)
        self._told: Recent[tuple[UUID, int], str] = Recent(_TOLD_MAX, _TOLD_AGE_MAX)

    async def tell_touched(self, incident: Incident, heaps: Sequence[Heap], now: datetime) -> int:
        """Tell everybody touched what they must know now; how many messages are new.

        A message is made only for whoever is a step further than at the last round.
        """
        steps = {
            heap.customer_id: (heap, _step_of(incident, heap))
            for heap in heaps
            if heap.customer_id != 0
        }
        made: dict[int, Notice] = {}
        for customer_id, (heap, step) in steps.items():
            if self._told.get((incident.id, customer_id), now) != step:
                made[customer_id] = self._personal(incident, heap, now)
        told = await self._tell(list(made.values()))
        for customer_id, notice in made.items():
            if notice.id not in told.refused:
                self._told.keep((incident.id, customer_id), steps[customer_id][1], now)
        return len(told.new)

    async def tell_subscribers(
        self,
        incident: Incident,
        states: dict[str, ComponentState],
        assurance: Assurance,
        now: datetime,
    ) -> int:
        """Tell whoever asked for word of its services where the story stands."""
        made = []
        for one in await self._notices.subscribers_of(incident.components):
            wanted = self._public(incident, states, assurance, one.person.language, now)
            if wanted is not None:
                step, template, values = wanted
                made.append(
                    self._notice(incident, one.person, step, template, values, (one.via,), now)
                )
        return len((await self._tell(made)).new)

    async def _tell(self, made: list[Notice]) -> Told:
        told = await self._notices.tell(made)
        for refused in told.refused.values():
            log.error("incidents.notice_refused", field=refused.field, why=refused.detail)
        return told

    def _personal(self, incident: Incident, heap: Heap, now: datetime) -> Notice:
        person = to_customer(heap.customer_id, heap.language)
        # The payments' own promise, the same as on their pages; the incident's is for the service.
        by = min((promised_at(since, now) for since in heap.open_since), default=now).isoformat()
        values: dict[str, Any] = {
            "service": subject(incident.components, heap.language),
            "since": incident.begun_at.isoformat(),
            "count": heap.open,
            "amount": heap.open_minor,
            "by": by,
        }
        if heap.open:
            template = "incident_begun_yours"
            if incident.state is IncidentState.SERVICE_RESTORED:
                template = "incident_restored_yours"
                values["since"] = (incident.restored_at or now).isoformat()
        else:
            template = "incident_money_resolved_yours"
            values = {
                "at": now.isoformat(),
                "count": heap.affected,
                "arrived": heap.arrived,
                "returned": heap.came_back,
                "amount": heap.came_back_minor,
                "by": (now + self._review).isoformat(),
            }
        step = _step_of(incident, heap)
        return self._notice(incident, person, step, template, values, CHANNELS, now)

    def _public(
        self,
        incident: Incident,
        states: dict[str, ComponentState],
        assurance: Assurance,
        language: str,
        now: datetime,
    ) -> tuple[str, str, dict[str, Any]] | None:
        service = subject(incident.components, language)
        by = (incident.next_update_at or now).isoformat()
        match incident.state:
            case IncidentState.PUBLISHED if incident.begun_at > now:
                begins, ends = incident.begun_at, incident.ends_at or incident.begun_at
                return (
                    "planned",
                    "incident_planned",
                    {"service": service, "since": begins.isoformat(), "at": ends.isoformat()},
                )
            case IncidentState.PUBLISHED:
                works, _ = split(states.values())
                names = names_of(works, language)[:_WORKS_MAX]
                return (
                    "begun",
                    "incident_begun",
                    {
                        "service": service,
                        "since": incident.begun_at.isoformat(),
                        "works": ", ".join(names),
                        "by": by,
                        "assurance": msgspec.to_builtins(assurance),
                    },
                )
            case IncidentState.RECOVERING if incident.stage is not None:
                return (
                    f"stage-{incident.stage.number}",
                    "incident_stage",
                    _stage_values(service, incident.stage, by, language),
                )
            case IncidentState.SERVICE_RESTORED:
                return (
                    "restored",
                    "incident_restored",
                    {
                        "service": service,
                        "since": (incident.restored_at or now).isoformat(),
                        "count": incident.money.open,
                        "by": by,
                    },
                )
            case IncidentState.MONEY_RESOLVED:
                return (
                    "resolved",
                    "incident_money_resolved",
                    {
                        "service": service,
                        "at": (incident.resolved_at or now).isoformat(),
                        "count": incident.money.affected,
                        "arrived": incident.money.arrived,
                        "returned": incident.money.came_back,
                        "by": (now + self._review).isoformat(),
                    },
                )
            case _:
                return None

    def _notice(
        self,
        incident: Incident,
        person: Person,
        step: str,
        template: str,
        values: dict[str, Any],
        channels: tuple[Via, ...],
        now: datetime,
    ) -> Notice:
        return Notice(
            id=self._ids.next(),
            to=person,
            matter=f"incident:{incident.id}",
            step=step,
            template=template,
            values=values,
            channels=channels,
            made_at=now,
            urgency=Urgency.NOW if step == "begun" else Urgency.CAN_WAIT,
            ticket=incident.ticket,
        )


def _step_of(incident: Incident, heap: Heap) -> str:
    """How far one person's story is; each step is told once."""
    if not heap.open:
        return f"resolved-{heap.affected}"
    return "restored" if incident.state is IncidentState.SERVICE_RESTORED else "begun"


def subject(components: Sequence[str], language: str) -> str:
    """What an incident is about, short enough for a title."""
    names = names_of(components, language)
    if len(names) > _NAMES_MAX:
        return f"{len(names)} layanan" if language == "id" else f"{len(names)} services"
    return joined(names, language)


def _stage_values(service: str, stage: Stage, by: str, language: str) -> dict[str, Any]:
    return {
        "service": service,
        "stage": stage.number,
        "stages": stage.last,
        "since": stage.since.isoformat(),
        "percent": percent(stage.permille * 10, language),
        "limit": limit_of(stage, language),
        "by": by,
    }
