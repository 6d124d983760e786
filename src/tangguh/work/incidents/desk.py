"""The incident desk: turns what is seen into what is told, and keeps every story until it is clear.

Nothing is kept in memory that a restart would lose: which trouble is told of, how far its story is,
whose payments it touched and who was told of what lie in PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from tangguh.core.clock import Clock
from tangguh.core.errors import TangguhError
from tangguh.core.ids import Ids
from tangguh.core.listeners import Listeners
from tangguh.core.outcome import Refused
from tangguh.core.supervision import beat
from tangguh.db.pool import Pool
from tangguh.payments.desk import Desk
from tangguh.status import store
from tangguh.status.book import MoveIncident, OpenIncident, SetMoney, UpdateIncident
from tangguh.status.component import ComponentState, Condition, Reach, Stage, split
from tangguh.status.incident import KEPT, Incident, IncidentState
from tangguh.status.snapshot import Assurance as PublicAssurance
from tangguh.status.snapshot import PublicStatus, make
from tangguh.status.source import Source, extent_of
from tangguh.status.words.model import Facts, step_of, write
from tangguh.work.incidents.affected import Affected, money_of
from tangguh.work.incidents.assurance import Keeper
from tangguh.work.incidents.lint import lint_with
from tangguh.work.incidents.looker import Looker
from tangguh.work.incidents.settings import IncidentSettings
from tangguh.work.incidents.story import (
    Trouble,
    next_state,
    next_word_at,
    told_of_by,
    troubles_in,
    word_due,
)
from tangguh.work.incidents.telling import Telling

log = structlog.get_logger("incidents")

BANK: Final = "bank"
_LANGUAGES: Final = ("id", "en")
_WELL: Final = frozenset({IncidentState.MONITORING, IncidentState.SERVICE_RESTORED})
"""Where people may have left a story; what falls ill again is told by the bank, as all else is."""


class IncidentDesk:
    """The desk of one bank."""

    def __init__(
        self,
        *,
        desk: Desk,
        pool: Pool,
        book_id: int,
        clock: Clock,
        ids: Ids,
        looker: Looker,
        keeper: Keeper,
        affected: Affected,
        telling: Telling,
        settings: IncidentSettings,
        look_seconds: float,
        bank_name: str,
        app_url: str = "",
        page_url: str = "",
    ) -> None:
        self._desk = desk
        self._pool = pool
        self._book_id = book_id
        self._clock = clock
        self._ids = ids
        self._looker = looker
        self.keeper = keeper
        self.affected = affected
        self._telling = telling
        self.settings = settings
        self._look_seconds = look_seconds
        self._bank_name = bank_name
        self._app_url = app_url
        self.page_url = page_url
        self.states: dict[str, ComponentState] = {}
        self.open: tuple[Incident, ...] = ()
        """The incidents that are open, as of the newest round: banners are made from these."""
        self._recent: tuple[Incident, ...] = ()
        self._told_at: datetime | None = None
        self._listeners = Listeners[[Incident]]()

    def listen(self, listener: Callable[[Incident], None]) -> None:
        """Call ``listener`` with every incident that moved. It must not block."""
        self._listeners.add(listener)

    async def watch(self) -> None:
        """Look after look, until cancelled. No look waits for the book, so the page never does."""
        while True:
            beat()
            try:
                await self.look()
            except Exception:
                log.exception("incidents.look_broken")
            await self._clock.sleep(self._look_seconds)

    async def run(self) -> None:
        """Tell what is seen, round after round, until cancelled."""
        while True:
            beat()
            try:
                await self.tell()
            except TangguhError as trouble:
                log.warning("incidents.round_failed", why=str(trouble))
            except Exception:
                # A bug in a word must not stop the next look.
                log.exception("incidents.broken")
            await self._clock.sleep(self._look_seconds)

    async def round(self) -> None:
        """Look once, and tell what is seen."""
        await self.look()
        await self.tell()

    async def look(self) -> None:
        """Judge every component by what is known now."""
        self.states = await self._looker.look()

    async def tell(self) -> None:
        """Open what is new, move what has changed, count whose money is open, tell them.

        Not from what was read before: a story is told from facts of now, or not at all.
        """
        if not self._looker.is_read_now:
            return
        began = self._clock.now()
        troubles = troubles_in(self.states, self._looker.shut)
        known = await store.open_incidents(self._pool, self._book_id)
        for trouble in troubles:
            await self._open(told_of_by(trouble, known))
        stages = _stages_of(troubles)
        for incident in await store.open_incidents(self._pool, self._book_id):
            await self._go_on(incident, stages)
        now = self._clock.now()
        self.open = await store.open_incidents(self._pool, self._book_id)
        self._recent = await store.recent_incidents(self._pool, self._book_id, now - KEPT)
        self._told_at = began

    def computed(self, component: str) -> Condition:
        """How a component is by what is seen, without people's words."""
        return self._looker.computed(component)

    def snapshot(self) -> PublicStatus | None:
        """What the public page is made from, each fact with the time at which it was known.

        None before the first look.
        """
        if not self.states:
            return None
        known = {one.id: one for one in (*self._recent, *self.open)}
        return make(
            self._bank_name,
            self._clock.now(),
            self.states,
            known.values(),
            looked_at=self._looker.looked_at,
            read_at=self._read_at(),
            assurance=self._public_assurance(),
            app_url=self._app_url,
        )

    async def give_word(
        self, incident: Incident, to: IncidentState, *, by: str = BANK, stage: Stage | None = None
    ) -> Incident | Refused:
        """Give the model word that leads an incident to a state, or again where it is."""
        now = self._clock.now()
        extent = extent_of(self.states, incident.components)
        texts = write(step_of(incident, to, extent, now), self._facts(incident, to, stage))
        due = next_word_at(incident, self.settings, now) if to.owes_word else None
        lint = lint_with({language: self.keeper.assured(language) for language in _LANGUAGES})
        if to is incident.state and to is not IncidentState.RECOVERING:
            command: UpdateIncident | MoveIncident = UpdateIncident(
                incident_id=incident.id,
                texts=texts,
                lint=lint,
                by=by,
                next_update_at=due,
                extent=extent,
            )
        else:
            command = MoveIncident(
                incident_id=incident.id,
                to=to,
                texts=texts,
                lint=lint,
                by=by,
                next_update_at=due,
                stage=stage,
                extent=extent,
                follows=True if incident.state in _WELL else None,
            )
        moved = await self._desk.decide(command)
        if isinstance(moved, Refused):
            log.error("incidents.word_refused", to=str(to), field=moved.field, why=moved.detail)
            return moved
        self._listeners.tell(moved)
        return moved

    # ---- inside ----------------------------------------------------------------------------------

    def _read_at(self) -> datetime | None:
        """Since when nothing newer was read of the book: closures and people's words, stories."""
        decided = self._looker.decided
        if decided is None or self._told_at is None:
            return None
        return min(decided.known_at, self._told_at)

    async def _open(self, trouble: Trouble) -> None:
        opened = await self._desk.decide(
            OpenIncident(
                incident_id=self._ids.next(),
                kind=trouble.kind,
                components=trouble.components,
                begun_at=trouble.begun_at,
                cause_key=trouble.cause_key,
                by=BANK,
                closure_ids=trouble.closure_ids,
                ticket=trouble.ticket,
                stage=trouble.stage,
                source=trouble.source,
                extent=trouble.extent,
                ends_at=trouble.ends_at,
            )
        )
        if isinstance(opened, Refused):
            log.error("incidents.not_opened", field=opened.field, why=opened.detail)

    async def _go_on(self, incident: Incident, stages: dict[str, Stage | None]) -> None:
        heaps = await self.affected.sweep(incident)
        now = self._clock.now()
        counted = await self._desk.decide(
            SetMoney(incident_id=incident.id, money=money_of(heaps, now), by=BANK)
        )
        if isinstance(counted, Incident):
            incident = counted
        stage = _lowest(incident, stages)
        to = next_state(incident, self.states, stage, self.settings, now)
        moved: Incident | Refused | None = None
        if to is not None:
            moved = await self.give_word(incident, to, stage=stage)
        elif self._is_worse(incident) or word_due(incident, self.settings, now):
            moved = await self.give_word(incident, incident.state, stage=stage)
        if isinstance(moved, Incident):
            incident = moved
        if incident.state is IncidentState.DETECTED:
            return
        await self._telling.tell_touched(incident, heaps, now)
        if isinstance(moved, Incident):
            await self._telling.tell_subscribers(incident, self.states, self.keeper.newest, now)

    def _is_worse(self, incident: Incident) -> bool:
        """Whether more of it is missing than its newest word says."""
        now = extent_of(self.states, incident.components)
        is_told = incident.state is IncidentState.PUBLISHED and self.settings.words == "bank"
        return is_told and incident.source is not Source.UNKNOWN and now.rank > incident.extent.rank

    def _facts(self, incident: Incident, to: IncidentState, stage: Stage | None) -> Facts:
        works, _ = split(self.states.values())
        reach = {name: state.reach for name, state in self.states.items()}
        shares = [
            share
            for name in incident.components
            if name in self.states and (share := self.states[name].unanswered_permille) is not None
        ]
        now = self._clock.now()
        sentences = {language: self.keeper.assured(language) for language in _LANGUAGES}
        restored = incident.restored_at
        if to is IncidentState.SERVICE_RESTORED:
            restored = restored or now
        return Facts(
            kind=incident.kind,
            now=now,
            since=incident.begun_at,
            about=incident.components,
            works=works,
            partly=[name for name, how in reach.items() if how is Reach.PART],
            broken=[name for name, how in reach.items() if how is Reach.NONE],
            assurance_id=found.text if (found := sentences["id"]) else "",
            assurance_en=found.text if (found := sentences["en"]) else "",
            money=incident.money,
            stage=stage or incident.stage,
            unanswered_permille=max(shares, default=None),
            restored_at=restored,
            ticket=incident.ticket,
            until=incident.ends_at,
            source=incident.source,
            extent=extent_of(self.states, incident.components),
            worst=incident.worst,
        )

    def _public_assurance(self) -> PublicAssurance:
        texts = {language: self.keeper.assured(language) for language in _LANGUAGES}
        if texts["id"] is None or texts["en"] is None:
            return PublicAssurance()
        return PublicAssurance(
            text_id=texts["id"].text,
            text_en=texts["en"].text,
            proved_at=self.keeper.newest.proved_at,
        )


def _stages_of(troubles: list[Trouble]) -> dict[str, Stage | None]:
    """The stage of each closure the public feels."""
    return {closure: one.stage for one in troubles for closure in one.closure_ids}


def _lowest(incident: Incident, stages: dict[str, Stage | None]) -> Stage | None:
    """Of an incident's closures the one that lets the fewest in; None while one lets nobody in."""
    felt = [stages[one] for one in incident.closure_ids if one in stages]
    if not felt or any(one is None for one in felt):
        return None
    return min((one for one in felt if one is not None), key=lambda one: one.permille)
