"""A running bank: what it is put together from, and its life from open to close."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from tangguh.access.pin import PinHasher
from tangguh.access.session import Sessions
from tangguh.access.staff import StaffRegister
from tangguh.app.care import Care
from tangguh.app.networks import (
    Switchboard,
    agreed_with_switch,
    guarded,
    rails_for,
    rules_for,
    switch_key,
)
from tangguh.audit.head import HeadFile
from tangguh.audit.trail import ACTS
from tangguh.config import Settings
from tangguh.core.clock import Clock, SystemClock
from tangguh.core.errors import Misconfigured
from tangguh.core.ids import Ids
from tangguh.core.money import IDR
from tangguh.core.supervision import Supervisor, TaskHealth, TaskState
from tangguh.customers import seed as demo
from tangguh.customers import store as customers
from tangguh.customers.demo import fill_products
from tangguh.customers.merchants import keep_terms
from tangguh.db.migrate import migrate
from tangguh.db.pool import Pool, connect, translated
from tangguh.db.safety import refuse_unsafe
from tangguh.db.space import Space
from tangguh.db.values import quick_uuid
from tangguh.disputes.rows import CASE_EVENTS, CASE_SHELVES
from tangguh.guard.rules import Rule
from tangguh.ledger.plans import LEDGER_JOURNALS
from tangguh.ledger.store import LEDGER
from tangguh.ledger.writer import Writer
from tangguh.notices.desk import customer
from tangguh.payments.checks.sealed import seal_old_rows
from tangguh.payments.desk import Desk
from tangguh.payments.incoming.receiving import Receiving
from tangguh.payments.merchant.mdr import discounts_in_force
from tangguh.payments.people.changes import CHANGE_EVENTS, PEOPLE_SHELVES
from tangguh.payments.people.rules import RULE_CHANGES, rules_in_force
from tangguh.payments.people.store import changed_rules
from tangguh.payments.plans import PAYMENT_JOURNALS, PAYMENT_SHELVES
from tangguh.payments.proof import Proof, prove
from tangguh.payments.redress.clock import RedressClock
from tangguh.payments.resolver import Resolver
from tangguh.payments.rules import within_ceilings
from tangguh.payments.signer import Signer, signer_of
from tangguh.payments.store import tariff_changes
from tangguh.payments.tariff import in_force
from tangguh.payments.terms.opening import OpenTariff, missing_opening
from tangguh.rails import signature
from tangguh.rails.bifast.receiver import BifastReceiver
from tangguh.rails.billers.rail import BillersRail
from tangguh.rails.gatekeeper import Gatekeeper, behind
from tangguh.rails.iso8583.door import Door as TerminalPort
from tangguh.rails.iso8583.hsm import Hsm
from tangguh.rails.iso8583.rail import Iso8583Rail
from tangguh.rails.iso8583.settings import dialect_of
from tangguh.rails.rail import Rail
from tangguh.recovery.book import CLIMB_EVENTS, RECOVERY_SHELVES
from tangguh.recovery.climber import Climber
from tangguh.recovery.recorder import Recorder
from tangguh.settlement.cycle import BackOffice
from tangguh.status.book import INCIDENT_EVENTS, STATUS_SHELVES
from tangguh.web import pages, server
from tangguh.web.api.document import staff as staff_document
from tangguh.web.door import Door
from tangguh.web.pages.demo import stories
from tangguh.web.partners import acquirer, hub, notices, transit
from tangguh.web.partners.guard import GuardDoor
from tangguh.web.partners.status import status_routes
from tangguh.web.staff import incidents as staff_incidents
from tangguh.web.staff import routes as staff_api
from tangguh.web.staff.door import StaffDoor
from tangguh.work.cards import CardOffice
from tangguh.work.control.room import ControlRoom
from tangguh.work.cycles import Cycles
from tangguh.work.guardian import Guardian
from tangguh.work.integrity.pulse import Pulse, refuse_other_head
from tangguh.work.issuer import IssuerDoor
from tangguh.work.link_keys import LinkKeys
from tangguh.work.names import AccountBook
from tangguh.work.signals.senses import BankSenses, watch_at
from tangguh.work.terminals import TerminalDoor
from tangguh.work.transit import TransitDesk
from tangguh.work.treasury import HubFunding, Treasury

_CALLER_SECONDS_MAX: Final = 5.0
"""So long the database may keep somebody waiting who waits for an answer over HTTP."""
_PROOF_SECONDS_MAX: Final = 600.0
"""So long a walk over the whole book, or a settlement cycle, may take."""
BANK_NAME: Final = "Bank Tangguh"
SHELVES: Final = (
    *PAYMENT_SHELVES,
    *PEOPLE_SHELVES,
    *RECOVERY_SHELVES,
    *CASE_SHELVES,
    *STATUS_SHELVES,
)
BESIDE: Final = (ACTS, CHANGE_EVENTS, CLIMB_EVENTS, RULE_CHANGES, CASE_EVENTS, INCIDENT_EVENTS)
"""Append-only tables in the hash chain beside the payments' own."""
CHAINED: Final = (*LEDGER_JOURNALS, *PAYMENT_JOURNALS, *BESIDE)
JOURNALS: Final = (*PAYMENT_JOURNALS, *BESIDE)


class Bank:
    """A running bank: ``async with await Bank.open(...)``. Closing it loses nothing."""

    def __init__(
        self,
        settings: Settings,
        dsn: str,
        pool: Pool,
        rails: dict[str, Rail],
        clock: Clock,
        ids: Ids,
        signer: Signer,
    ) -> None:
        self.settings = settings
        self.dsn = dsn
        self.book_id = settings.book.book_id
        self.pool = pool
        self.clock = clock
        self.ids = ids
        self.rails = rails
        self.rules = rules_for(rails, settings)
        self.writer = Writer(dsn, clock, ids, SHELVES, JOURNALS, settings.book)
        self.desk = Desk(self.writer, rails, self.rules, clock, signer)
        self.pins = PinHasher(settings.pin, clock)
        self.sessions = Sessions(
            pool.within(_CALLER_SECONDS_MAX),
            self.book_id,
            clock,
            self.pins,
            settings.pin,
            settings.session,
        )
        self.resolver = Resolver(self.desk, pool, self.book_id, settings.resolver)
        self.redress = RedressClock(self.desk, pool, self.book_id, settings.redress)
        self.receiving = Receiving(self.desk, pool, self.book_id)
        self.bifast = self._bifast_door()
        self.terminals: TerminalPort | None = None
        self._open_card_doors()
        self.door = Door(
            pool=pool.within(_CALLER_SECONDS_MAX),
            book_id=self.book_id,
            desk=self.desk,
            writer=self.writer,
            sessions=self.sessions,
            clock=clock,
            ids=ids,
            settings=settings.web,
            bank_name=BANK_NAME,
            devices=settings.devices,
        )
        self.guardian = Guardian(self.desk, ids, settings.guard, self._rules)
        self.door.notice = self.guardian.notice
        self.guard_door = GuardDoor(self.desk, self.guardian, self.book_id, settings.guard)
        self.pulse = Pulse(
            self.guardian,
            self.desk,
            pool.within(_PROOF_SECONDS_MAX),
            self.book_id,
            CHAINED,
            clock,
            settings.guard,
            shelves=SHELVES,
            known=lambda: self.writer.head,
        )
        path = settings.guard.head_path
        self.head_file = HeadFile(Path(path), self.book_id) if path else None
        for rail in rails.values():
            if isinstance(rail, Gatekeeper):
                rail.alarm = self._unauthorised
        self.staff = StaffRegister(pool, self.book_id, clock)
        self._prepare_recovery()
        self.control = ControlRoom(
            self.desk,
            pool,
            self.book_id,
            ids,
            self.staff,
            self.guardian,
            watch_url=settings.guard.watch_url,
        )
        self.care = Care(self)
        self._look_after_itself()

    @classmethod
    async def open(
        cls,
        settings: Settings,
        dsn: str,
        *,
        rails: dict[str, Rail] | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
    ) -> Bank:
        """Bring the database up to date, take the book and start working.

        ``dsn`` is the book's writer's; everything else enters as ``db.web_dsn``, if there is one.
        ``rails`` stands in for the configured ones (simulation, tests). Raises StoreUnavailable,
        Misconfigured.
        """
        clock = clock or SystemClock()
        ids = ids or Ids(clock, make=quick_uuid)
        switchboard = Switchboard()
        await _prepare(dsn, settings.book.book_id)
        pool = await Pool.open(
            settings.db.web_dsn or dsn, size_max=settings.db.pool_connections_max
        )
        if settings.db.pepper_key:
            pool.pepper = settings.db.pepper_key.encode()
        carried = rails if rails is not None else rails_for(settings, clock, switchboard)
        signer = signer_of(settings.authorise)
        bank = cls(settings, dsn, pool, guarded(carried, signer, clock), clock, ids, signer)
        if bank.issuer is not None:
            switchboard.handler = bank.issuer.handle
        await bank.writer.start()
        try:
            bank.pulse.resume(await refuse_other_head(pool, bank.book_id, bank.head_file))
        except Misconfigured:
            await bank.writer.stop()
            await pool.close()
            raise
        await seal_old_rows(bank.writer, pool, bank.book_id, SHELVES)
        await demo.open_own_accounts(bank.writer)
        await keep_terms(bank.writer, pool, bank.book_id)
        await bank.read_tariff()
        await bank.guardian.reload()
        return bank

    async def __aenter__(self) -> Bank:
        start = self.supervisor.start
        start("disk", self.space.run)
        start("resolver", self.resolver.run)
        start("redress", self.redress.run)
        for name, run in (await self.care.start()).items():
            start(name, run)
        if self.settings.guard.mode != "off":
            start("guardian", self.guardian.run)
            start("pulse", self.pulse.run)
            if self.head_file is not None:
                start("head", partial(self.pulse.keep_head, self.head_file))
            start("climber", self.climber.run)
        if self.settings.cycles is not None:
            office = BackOffice(
                self.desk, self.pool.within(_PROOF_SECONDS_MAX), self.book_id, self.clock
            )
            start("cycles", Cycles(office, self.settings.cycles).run)
        if self.settings.treasury is not None:
            funding = HubFunding(self.settings.treasury.url)
            settings = self.settings.treasury
            treasury = Treasury(self.desk, self.pool, self.book_id, settings, funding)
            await treasury.safely()  # so that the first payment finds an account with money
            start("treasury", treasury.run)
        if isinstance(card_rail := behind(self.rails.get("iso8583")), Iso8583Rail):
            await card_rail.open(LinkKeys(self.pool, self.book_id, self.clock))
        if self.terminals is not None:
            await self.terminals.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.close()

    def web(self) -> ASGIApp:
        """The bank's web door as an ASGI application."""
        key = switch_key(self.settings)
        agreed = agreed_with_switch(self.settings)
        partners = [
            *notices.routes(self.door, key, agreed),
            *acquirer.routes(self.door, key, agreed),
            *(hub.routes(self.bifast) if self.bifast is not None else ()),
            *self._transit_routes(),
            *self.guard_door.routes(),
            *status_routes(self.care.incidents, self.settings.status, self.clock),
        ]
        page = self.settings.status.page_url if self.settings.status is not None else ""
        stories.attach(self.door, self.control, status_url=page)
        staff = StaffDoor(self.door, self.control, self.guardian, self.climber)
        people = [
            *staff_api.routes(staff),
            *staff_incidents.routes(
                staff, self.care.incidents, self.care.bulk, self.care.payouts, self.care.reporting
            ),
        ]
        people.append(staff_document.described(staff, people))
        return server.build(self.door, (*partners, *people, *pages.routes(self.door)))

    def _transit_routes(self) -> list[BaseRoute]:
        settings = self.settings.transit
        if settings is None:
            return []
        key = signature.load_public_key(Path(settings.public_key_path))
        counter = TransitDesk(self.desk, self.pool, self.book_id, settings)
        return transit.routes(counter, key, self.clock)

    def _bifast_door(self) -> BifastReceiver | None:
        if self.settings.bifast is None:
            return None
        names = AccountBook(self.pool, self.book_id)
        return BifastReceiver(self.settings.bifast, self.clock, self.receiving, names)

    def _security(self) -> Hsm | None:
        card_rail = behind(self.rails.get("iso8583"))
        return card_rail.security if isinstance(card_rail, Iso8583Rail) else None

    def _open_card_doors(self) -> None:
        """The doors cards come in by: the switch's and our own terminals'."""
        self.issuer: IssuerDoor | None = None
        card_rail, settings = behind(self.rails.get("iso8583")), self.settings.iso8583
        if settings is None or not isinstance(card_rail, Iso8583Rail):
            return
        security = card_rail.security
        office = CardOffice(self.pool, self.book_id, security, self.clock, settings.pan_prefix)
        self.issuer = IssuerDoor(
            self.desk, self.pool, self.book_id, office, self.receiving, dialect_of(settings)
        )
        if self.settings.terminals is None:
            return
        billers = behind(self.rails.get("billers"))
        counter = TerminalDoor(
            self.desk,
            self.pool,
            self.book_id,
            office,
            card_rail,
            billers if isinstance(billers, BillersRail) else None,
            self.settings.terminals.line.dialect,
        )
        self.terminals = TerminalPort(
            self.settings.terminals, security, self.clock, handler=counter.handle
        )

    async def fill_demo(self, seed: int) -> bool:
        """Seed an empty bank with people; False when there are customers already."""
        if await customers.find(self.pool, self.book_id, 1) is not None:
            return False
        people = await demo.fill(self.writer, self.pool, self.book_id, seed)
        security = self._security()
        people += await fill_products(self.writer, self.pool, self.book_id, seed, security)
        for person in people:
            if await self.sessions.set_pin(person.customer_id, demo.DEMO_PIN):
                raise Misconfigured("the demo's PIN is one that nobody may have")
        know = self.care.notices.know
        await asyncio.gather(
            *(
                know(customer(person.customer_id), via, address, person.language)
                for person in people
                for via, address in demo.addresses_of(person)
            )
        )
        return True

    async def read_tariff(self) -> None:
        """Take the limits, fees and discounts that are in force in the database from now on.

        What a new book begins with is written down first, once.
        """
        changes = await tariff_changes(self.pool, self.book_id)
        if missing := missing_opening(changes):
            await self.writer.decide(OpenTariff(missing))
            changes = await tariff_changes(self.pool, self.book_id)
        limits, fees = in_force(changes)
        self.rules = msgspec.structs.replace(
            self.rules,
            limits=within_ceilings(limits),
            fees_minor=fees,
            discounts=discounts_in_force(changes),
        )
        self.desk.rules = self.rules

    async def prove(self) -> Proof:
        """Check every money invariant on one snapshot."""
        async with self.pool.within(_PROOF_SECONDS_MAX).connection() as connection:
            return await prove(connection, self.book_id, BESIDE, SHELVES)

    def _prepare_recovery(self) -> None:
        """The way back: what is recorded, what can be asked, who climbs."""
        self.recorder = Recorder()
        self.senses = BankSenses(
            pool=self.pool,
            book_id=self.book_id,
            clock=self.clock,
            rails=self.rails,
            guardian=self.guardian,
            pulse=self.pulse,
            recorder=self.recorder,
            prove=self.prove,
            watches={"bifast": watch_at(watch)} if (watch := self.settings.guard.watch_url) else {},
        )
        self.climber = Climber(
            self.desk,
            self.pool,
            self.book_id,
            self.ids,
            self.recorder,
            self.senses,
            self.settings.recovery,
            load=lambda: (self.writer.taken, self.writer.shed),
        )
        self.guardian.pass_on(self.recorder.see)

    async def _rules(self) -> tuple[Rule, ...]:
        return rules_in_force(await changed_rules(self.pool, self.book_id))

    def _unauthorised(self, rail: str, reference: str, why: str) -> None:
        """A message without the ledger's leave was stopped at a rail (ring 1)."""
        if why == "creditor":
            self.senses.wrong_payees.append(self.clock.now())
        self.guardian.notice("message.unauthorised", f"{rail}:{reference}", why)

    def _look_after_itself(self) -> None:
        """Its loops and its database's disk, and who is told of them."""
        self.supervisor = Supervisor(self.clock)
        self.space = Space(self.settings.db.space, self.clock)
        self.desk.takes_new_money = lambda: self.space.takes_new_money
        self.door.space, self.door.tasks = self.space, self.tasks

    def tasks(self) -> list[TaskHealth]:
        """Every long-running task of this process, the book's writer first."""
        state = TaskState.RUNNING if self.writer.is_open else TaskState.STOPPED
        fate = self.writer.fate
        writer = TaskHealth("book writer", state, 0.0, 0, str(fate) if fate is not None else "")
        card_rail = behind(self.rails.get("iso8583"))
        link = card_rail.link.supervisor.state() if isinstance(card_rail, Iso8583Rail) else []
        return [writer, *self.supervisor.state(), *link]

    def let_go(self) -> None:
        """Answer those who only wait for news: the bank is about to stop."""
        self.guard_door.close()
        self.door.live.close()

    async def close(self) -> None:
        """Finish what is under way, answer everybody, let go of the book."""
        await self.door.close()
        if self.terminals is not None:
            await self.terminals.close()
        await self.supervisor.stop()
        await self.care.close()
        self.guardian.close()
        await self.writer.stop()
        if self.head_file is not None:
            await self.pulse.remember(self.head_file)
        for rail in self.rails.values():
            await rail.close()
        self.pins.close()
        await self.pool.close()


async def _prepare(dsn: str, book_id: int) -> None:
    """The schema up to date and a book to take. Raises Misconfigured, StoreUnavailable."""
    connection = await connect(dsn)
    try:
        await refuse_unsafe(connection)
        with translated():
            await migrate(connection)
            await connection.execute(LEDGER["create_book"], book_id, IDR)
    finally:
        await connection.close()
