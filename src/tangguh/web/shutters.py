"""What customers are told of closed gates: before they begin, and why they were refused.

A closed option stays visible with its reason, its next word and what works instead (DESIGN §5).
Read from the board, which is looked at anew at most twice a second.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from tangguh.core.clock import Clock
from tangguh.core.errors import TangguhError
from tangguh.core.outcome import Refusal
from tangguh.core.service import SERVICES
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.guard.board import Board, Gates
from tangguh.guard.closure import Allowance, Closure
from tangguh.guard.scope import Facts
from tangguh.guard.words import effect_of
from tangguh.payments.desk import Desk
from tangguh.payments.gates.change import ReadBoard
from tangguh.payments.payment import Payment

_QUERIES: Final = Queries("tangguh.payments.gates", "gates.sql")
_FRESH_SECONDS: Final = 0.5
FULL: Final = Allowance()
"""What a closure that has ended holds back: nothing."""
_PROTECTIVE: Final = frozenset({Refusal.PROTECTIVE_CLOSURE, Refusal.PROTECTIVE_LIMIT})


class Shut(msgspec.Struct, frozen=True):
    """One closed or limited service as its customers read it.

    ``state``: closed, limited or waiting (taken now, sent when it opens). ``alternative`` is a
    service that works now, or nothing.
    """

    state: str
    message_id: str
    message_en: str
    next_word_at: datetime | None
    since: datetime
    alternative: str

    def message(self, language: str) -> str:
        """The words in one language."""
        return self.message_id if language == "id" else self.message_en


class Shutters:
    """Tells of closures. One per door."""

    def __init__(self, desk: Desk, pool: Pool, book_id: int, clock: Clock) -> None:
        self._desk = desk
        self._pool = pool
        self._book_id = book_id
        self._clock = clock
        self._gates = Gates(Board())
        self._until = 0.0

    async def of(self, service: str, customer_id: int = 0, account: int = 0) -> Shut | None:
        """What is shut of a service for a customer, before anything is asked of them."""
        found = SERVICES.get(service)
        if found is None:
            return None
        facts = Facts(
            service=service,
            rail=found.rail,
            direction=found.direction,
            channel=found.channel,
            partner=found.partner,
            customer_id=customer_id,
            account=account,
        )
        gates, now = await self._board(), self._clock.now()
        if gates.is_quiet:
            return None
        stopped = gates.judge(facts, now)
        if stopped is not None:
            return _shut(stopped.by, "waiting" if stopped.parks else "closed", service, gates, now)
        for closure in gates.covering(facts):
            if closure.effect(now) is not None and not _is_everything(closure, now):
                return _shut(closure, "limited", service, gates, now)
        return None

    async def instead(self, service: str) -> str:
        """A service that does the same and is open now; empty when there is none."""
        return _alternative(service, await self._board(), self._clock.now())

    async def every(self, customer_id: int, account: int = 0) -> dict[str, Shut]:
        """Every service that is shut for a customer."""
        if (await self._board()).is_quiet:
            return {}
        found = {}
        for service in SERVICES:
            shut = await self.of(service, customer_id, account)
            if shut is not None:
                found[service] = shut
        return found

    async def of_refused(self, payment: Payment) -> Shut | None:
        """Why a payment was kept out, in the closure's own words, also when it is open again."""
        if payment.refusal not in _PROTECTIVE:
            return None
        gates, now = await self._board(), self._clock.now()
        try:
            closure_id = UUID(payment.refusal_detail.partition(" ")[0])
        except ValueError:
            return None
        closure = gates.board.find(closure_id) or await self._ended(closure_id)
        if closure is None:
            return None
        limited = payment.refusal is Refusal.PROTECTIVE_LIMIT
        return _shut(closure, "limited" if limited else "closed", payment.service, gates, now)

    async def _ended(self, closure_id: UUID) -> Closure | None:
        rows = await self._pool.fetch(_QUERIES["events_of_closure"], self._book_id, closure_id)
        return msgspec.json.decode(rows[-1]["closure_json"], type=Closure) if rows else None

    async def _board(self) -> Gates:
        moment = self._clock.monotonic()
        if moment >= self._until:
            try:
                board = await self._desk.decide(ReadBoard())
            except TangguhError:
                # The book says no to everything now anyway; the last board still tells the truth.
                return self._gates
            if board.version != self._gates.board.version:
                self._gates = Gates(board)
            self._until = moment + _FRESH_SECONDS
        return self._gates


def _is_everything(closure: Closure, now: datetime) -> bool:
    allowance = closure.effect(now)
    if allowance is None:
        return False
    small = allowance.amount_max_minor is not None or allowance.per_minute is not None
    return not small and allowance.amount_percent == 100


def _shut(closure: Closure, state: str, service: str, gates: Gates, now: datetime) -> Shut:
    allowance = closure.effect(now) if closure.is_in_force else FULL
    effect_id, effect_en = effect_of(allowance, parks=closure.parks)
    return Shut(
        state,
        f"{closure.message_id} {effect_id}",
        f"{closure.message_en} {effect_en}",
        closure.next_word_at,
        closure.made_at,
        closure.alternative or _alternative(service, gates, now),
    )


_INSTEAD: Final = {
    "mobile.transfer.bifast": ("mobile.transfer.cards",),
    "mobile.transfer.cards": ("mobile.transfer.bifast",),
    "mobile.qris.offus": ("mobile.transfer.bifast", "mobile.transfer.cards"),
    **{f"mobile.topup.{wallet}": ("mobile.bill.va",) for wallet in ("gopay", "ovo", "dana")},
}


def _alternative(service: str, gates: Gates, now: datetime) -> str:
    """A service that does the same and is open now; inside the bank always is the last resort."""
    for other in _INSTEAD.get(service, ()):
        found = SERVICES[other]
        facts = Facts(
            service=other, rail=found.rail, direction=found.direction, channel=found.channel
        )
        if gates.judge(facts, now) is None:
            return other
    return ""
