"""Looks at the book's rows, its chain and the clocks all day long, and tells the guard.

An account whose row was changed beside the book is closed at once (class A, one account); when it
is many, two people are asked and outgoing payments are capped meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import msgspec
import structlog

from tangguh.audit.journal import JournalPlan
from tangguh.core.clock import Clock
from tangguh.core.errors import TangguhError
from tangguh.core.marks import sometimes
from tangguh.db.pool import Connection, Pool
from tangguh.guard.budget import CAPS, PEOPLE_SECONDS, rule_on
from tangguh.guard.closure import SignalClass, State
from tangguh.guard.scope import Scope
from tangguh.ledger.pulse import PULSE, Broken, Walked, chain_from, rows_that_differ
from tangguh.payments.desk import Desk
from tangguh.payments.gates.change import ReadBoard
from tangguh.work.guardian import Guardian, GuardSettings

log = structlog.get_logger("guard.pulse")

_MESSAGE: Final = (
    "Saldo rekening ini sedang kami cocokkan. Pembayaran keluar ditutup sementara; "
    "uang Anda tercatat di buku bank.",
    "We are matching this account's balance. Outgoing payments are closed for now; "
    "your money is recorded in the bank's book.",
)
_MESSAGE_MANY: Final = (
    "Kami sedang mencocokkan saldo. Pembayaran besar ditutup sementara; "
    "uang Anda tercatat di buku bank.",
    "We are matching balances. Large payments are closed for now; "
    "your money is recorded in the bank's book.",
)
_ONE_BY_ONE_MAX: Final = 5
"""More accounts than this, changed at once, are one trouble and not several."""


class Pulse:
    """One book's pulse. ``walked`` is how far the chain was walked."""

    def __init__(
        self,
        guardian: Guardian,
        desk: Desk,
        pool: Pool,
        book_id: int,
        journals: Sequence[JournalPlan],
        clock: Clock,
        settings: GuardSettings,
    ) -> None:
        self._guardian = guardian
        self._desk = desk
        self._pool = pool
        self._book_id = book_id
        self._journals = journals
        self._clock = clock
        self._settings = settings
        self._told: set[str] = set()
        self.walked = Walked()
        self._looked = clock.monotonic()
        self.rounds = 0
        self.broken_now = 0

    @property
    def missed_rounds(self) -> float:
        """How many rounds could have been made since the last that was made."""
        return (self._clock.monotonic() - self._looked) / self._settings.pulse_seconds

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            try:
                await self.round()
            except TangguhError as trouble:
                log.warning("pulse.round_failed", why=str(trouble))
            except Exception:
                log.exception("pulse.broken")
            await self._clock.sleep(self._settings.pulse_seconds)

    async def round(self) -> list[Broken]:
        """Look once; what does not hold."""
        book, most = self._book_id, self._settings.tampered_accounts_max
        async with self._pool.connection() as connection:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                broken = await rows_that_differ(connection, book, most)
                torn = await self._walk(connection)
            there = await connection.fetchval(PULSE["database_clock"])
        offset = abs((there - self._clock.now()).total_seconds())
        if offset > self._settings.clock_offset_seconds_max:
            self._guardian.notice("clock.offset", "database", f"{offset:.1f} s apart")
        self.rounds += 1
        self._looked = self._clock.monotonic()
        self.broken_now = len(broken) + len(torn)
        for one in (*broken, *torn):
            await self._act_on(one)
        return [*broken, *torn]

    async def _walk(self, connection: Connection) -> list[Broken]:
        """Walk the chain on, a little at a time and never for long: payments come first."""
        until = self._clock.monotonic() + self._settings.walk_seconds_max
        while True:
            before = self.walked
            self.walked, torn = await chain_from(connection, self._book_id, self._journals, before)
            if torn or self.walked == before or self._clock.monotonic() >= until:
                return torn

    async def _act_on(self, broken: Broken) -> None:
        key = f"{broken.rule} {broken.detail} {broken.accounts}"
        if key in self._told:
            return
        self._told.add(key)
        sometimes(f"pulse.{broken.rule}")
        self._guardian.notice(broken.rule, f"book:{self._book_id}", broken.detail)
        if 0 < len(broken.accounts) <= _ONE_BY_ONE_MAX:
            for account in broken.accounts:
                await self._close(broken, Scope(account=account), alone=True)
        else:
            await self._close(broken, Scope(direction="out"), alone=False)

    async def _close(self, broken: Broken, scope: Scope, *, alone: bool) -> None:
        guardian = self._guardian
        evidence = msgspec.json.encode(broken).decode()
        board = await self._desk.decide(ReadBoard())
        ruling = rule_on(scope, SignalClass.INTEGRITY, 0, board.closures, guardian.normal())
        is_alone = alone and ruling.alone
        closure = guardian.draft(
            scope=scope,
            signal_class=SignalClass.INTEGRITY,
            reason=broken.rule.replace(".", "_"),
            cause=broken.detail,
            evidence=evidence,
            made_by="pulse",
            message=_MESSAGE if alone else _MESSAGE_MANY,
            expires_at=None if is_alone else self._clock.now() + timedelta(seconds=PEOPLE_SECONDS),
            allowance=None if is_alone else CAPS,
            state=State.CONTAINED if is_alone else State.AWAITING_PEOPLE,
        )
        await guardian.put(closure, "closed" if is_alone else "capped; two people are asked")
