"""The composition root: settings in, a running bank out. The only module that knows every other."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from types import TracebackType
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from starlette.types import ASGIApp

from tangguh.access.pin import PinHasher
from tangguh.access.session import Sessions
from tangguh.audit.trail import ACTS
from tangguh.config import Settings
from tangguh.core.clock import Clock, SystemClock
from tangguh.core.errors import Misconfigured
from tangguh.core.ids import Ids
from tangguh.core.money import IDR
from tangguh.core.service import SERVICES
from tangguh.customers import seed as demo
from tangguh.customers import store as customers
from tangguh.db.migrate import migrate
from tangguh.db.pool import Pool
from tangguh.ledger.store import LEDGER
from tangguh.ledger.writer import Writer
from tangguh.payments.desk import Desk
from tangguh.payments.plans import PAYMENT_JOURNALS, PAYMENT_SHELVES
from tangguh.payments.proof import Proof, prove
from tangguh.payments.resolver import Resolver
from tangguh.payments.rules import DEFAULT_FEES, DEFAULT_LIMITS, Rules, Way, within_ceilings
from tangguh.payments.store import tariff_changes
from tangguh.payments.tariff import in_force
from tangguh.rails.onus import OnUs
from tangguh.rails.qris.rail import QrisIssuer
from tangguh.rails.rail import Rail
from tangguh.web import pages, partners, server
from tangguh.web.door import Door

BANK_NAME: Final = "Bank Tangguh"
JOURNALS: Final = (*PAYMENT_JOURNALS, ACTS)


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
    ) -> None:
        self.settings = settings
        self.book_id = settings.book.book_id
        self.pool = pool
        self.clock = clock
        self.ids = ids
        self.rails = rails
        self.rules = rules_for(rails)
        self.writer = Writer(dsn, clock, ids, PAYMENT_SHELVES, JOURNALS, settings.book)
        self.desk = Desk(self.writer, rails, self.rules, clock)
        self.pins = PinHasher(settings.pin)
        self.sessions = Sessions(
            pool, self.book_id, clock, self.pins, settings.pin, settings.session
        )
        self.resolver = Resolver(self.desk, pool, self.book_id, settings.resolver)
        self.door = Door(
            pool=pool,
            book_id=self.book_id,
            desk=self.desk,
            writer=self.writer,
            sessions=self.sessions,
            clock=clock,
            ids=ids,
            settings=settings.web,
            bank_name=BANK_NAME,
        )
        self._resolving: asyncio.Task[None] | None = None

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

        ``rails`` stands in for the configured ones (simulation, tests). Raises StoreUnavailable,
        Misconfigured.
        """
        clock = clock or SystemClock()
        ids = ids or Ids(clock)
        pool = await Pool.open(dsn, size_max=settings.db.pool_connections_max)
        async with pool.connection() as connection:
            await migrate(connection)
            await connection.execute(LEDGER["create_book"], settings.book.book_id, IDR)
        carried = rails if rails is not None else rails_for(settings, clock)
        bank = cls(settings, dsn, pool, carried, clock, ids)
        await bank.writer.start()
        await demo.open_own_accounts(bank.writer)
        await bank.read_tariff()
        return bank

    async def __aenter__(self) -> Bank:
        self._resolving = asyncio.create_task(self.resolver.run(), name="resolver")
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
        notices = partners.routes(self.door, _switch_key(self.settings))
        return server.build(self.door, (*notices, *pages.routes(self.door)))

    async def fill_demo(self, seed: int) -> bool:
        """Seed an empty bank with people; False when there are customers already."""
        if await customers.find(self.pool, self.book_id, 1) is not None:
            return False
        people = await demo.fill(self.writer, self.pool, self.book_id, seed)
        await asyncio.gather(
            *(self.sessions.set_pin(person.customer_id, demo.DEMO_PIN) for person in people)
        )
        return True

    async def read_tariff(self) -> None:
        """Take the limits and fees that are in force in the database from now on."""
        limits, fees = in_force(await tariff_changes(self.pool, self.book_id))
        self.rules = Rules(self.rules.ways, within_ceilings(limits), fees)
        self.desk.rules = self.rules

    async def prove(self) -> Proof:
        """Check every money invariant on one snapshot."""
        async with self.pool.connection() as connection:
            return await prove(connection, self.book_id, (ACTS,))

    async def close(self) -> None:
        """Finish what is under way, answer everybody, let go of the book."""
        await self.door.close()
        if self._resolving is not None:
            self._resolving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._resolving
        await self.writer.stop()
        for rail in self.rails.values():
            await rail.close()
        self.pins.close()
        await self.pool.close()


def rails_for(settings: Settings, clock: Clock) -> dict[str, Rail]:
    """The rails this bank is connected to. Raises Misconfigured when one is not set up."""
    if settings.qris is None:
        raise Misconfigured("qris: no switch is configured (section [qris])")
    return {"onus": OnUs(), "qris": QrisIssuer(settings.qris, clock)}


def _switch_key(settings: Settings) -> RSAPublicKey | None:
    """The key that verifies the switch's notices. Raises Misconfigured when it cannot be used."""
    path = settings.qris.switch_public_key_path if settings.qris is not None else ""
    if not path:
        return None
    try:
        key = load_pem_public_key(Path(path).read_bytes())
    except (OSError, ValueError) as fault:
        raise Misconfigured(f"qris.switch_public_key_path: {fault}") from fault
    if not isinstance(key, RSAPublicKey):
        raise Misconfigured("qris.switch_public_key_path: not an RSA key")
    return key


def rules_for(rails: dict[str, Rail]) -> Rules:
    """What the book needs to know of the rails, and the bank's limits and fees."""
    ways: dict[str, Way] = {}
    for service in SERVICES.values():
        if service.rail in rails:
            can = rails[service.rail].capabilities()
            ways[service.id] = Way(
                service.rail,
                can.settles_inside,
                can.send_timeout_seconds,
                can.inquiry_delays_seconds,
            )
    return Rules(ways, within_ceilings(DEFAULT_LIMITS), dict(DEFAULT_FEES))
