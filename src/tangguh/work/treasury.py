"""Keeps as much on the BI-FAST settlement account as is soon needed, and sweeps the rest (ring 2).

A move is begun in the book (an act with its reference), made at the hub under that reference, and
posted; whoever is interrupted makes it again under the same reference, which moves nothing twice.
Money is never sent after money that is missing: nothing is funded while BI-FAST is closed, while
the watch is blind or away, or above an hour's cap.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar, Final, Protocol
from uuid import UUID, uuid5

import aiohttp
import msgspec
import structlog

from tangguh.audit.trail import Remember
from tangguh.core.clock import Clock
from tangguh.core.errors import TangguhError
from tangguh.core.outcome import Refused
from tangguh.core.supervision import beat
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.guard.scope import Scope
from tangguh.ledger import chart
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.ledger.posting import Posting
from tangguh.payments.desk import Desk
from tangguh.payments.gates.change import ReadBoard
from tangguh.settlement.funding.exposure import ExposureRules, Move, move_for, wanted_minor
from tangguh.settlement.store import id_at
from tangguh.settlement.watched import read_watch

log = structlog.get_logger("work.treasury")

RAIL: Final = "bifast"
ACTOR: Final = "bank:treasury"
_MOVES: Final = UUID("74726561-7375-5279-8000-000000000001")
_QUERIES: Final = Queries("tangguh.work", "treasury.sql")
_LOOK_BACK: Final = timedelta(hours=24)
_HOUR_SECONDS: Final = 3600.0
_SECONDS_MAX: Final = 5.0
_OUT: Final = Scope(rail=RAIL, direction="out")


class TreasurySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``url``: where the settlement account is read and moved (``Funding``).

    ``watch_url`` empty: nothing is funded on the watch's word, only on the board's.
    """

    url: str
    watch_url: str = ""
    rules: ExposureRules = ExposureRules()
    fund_per_hour_max_minor: int = 5_000_000_000 * 100
    round_seconds: float = 15.0


class Account(msgspec.Struct, frozen=True):
    """The settlement account at the hub. One without a limit needs no money on it."""

    balance_minor: int
    reserved_minor: int
    is_limited: bool


class Funding(Protocol):
    """Whoever keeps the settlement account. A move under a reference is made once."""

    async def account(self) -> Account | None:
        """What lies there; None: not known now."""
        ...

    async def move(self, reference: str, move: Move) -> bool | None:
        """Whether it was made, now or before; False: refused for certain; None: not known."""
        ...


class PostMove(msgspec.Struct, frozen=True, kw_only=True):
    """Book a move that was made: from the reserve to the settlement account, or back."""

    names_keys_at_once: ClassVar[bool] = True

    reference: str
    move: Move

    @property
    def posting_id(self) -> UUID:
        """The posting's id: the same for the same reference."""
        return uuid5(_MOVES, self.reference)

    def keys(self, _book: Book) -> Iterable[Key]:
        return [
            ("postings", self.posting_id),
            ("accounts", chart.PREFUNDED_BIFAST),
            ("accounts", chart.RESERVE),
        ]

    def decide(self, book: Book) -> Posting | Refused:
        """The posting, new or as it stands."""
        known = book.postings.get(self.posting_id)
        if known is not None:
            return known
        minor = self.move.amount_minor if self.move.kind == "fund" else -self.move.amount_minor
        entries = ((chart.PREFUNDED_BIFAST, -minor), (chart.RESERVE, minor))
        posted = book.post(self.posting_id, self.move.kind, entries, note=self.reference)
        if isinstance(posted, Posting):
            told = msgspec.json.encode(self.move).decode()
            Remember(ACTOR, "exposure.moved", self.reference, told).decide(book)
        return posted


class Treasury:
    """One bank's. ``round`` looks once."""

    def __init__(
        self, desk: Desk, pool: Pool, book_id: int, settings: TreasurySettings, funding: Funding
    ) -> None:
        self._desk = desk
        self._clock: Clock = desk.clock
        self._pool = pool
        self._book_id = book_id
        self._settings = settings
        self._funding = funding
        self._funded: deque[tuple[float, int]] = deque()

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            beat()
            await self.safely()
            await self._clock.sleep(self._settings.round_seconds)

    async def safely(self) -> None:
        """One round; its trouble is a line in the log."""
        try:
            await self.round()
        except TangguhError as trouble:
            log.warning("treasury.round_failed", why=str(trouble))
        except Exception:
            log.exception("treasury.broken")

    async def round(self) -> Move | None:
        """End what was begun; then move what is to be moved: that move, when it was made."""
        now = self._clock.now()
        if not await self._end_what_was_begun(now):
            return None
        account = await self._funding.account()
        if account is None or not account.is_limited:
            return None
        rules = self._settings.rules
        wanted = wanted_minor(await self._net(now), rules)
        move = move_for(account.balance_minor, account.reserved_minor, wanted, rules)
        if move is None or (move.kind == "fund" and not await self._may_fund(move)):
            return None
        reference = f"{move.kind.upper()}-{self._book_id}-{now:%Y%m%d%H%M%S%f}"
        told = msgspec.json.encode(move).decode()
        await self._desk.decide(Remember(ACTOR, "exposure.begun", reference, told))
        return move if await self._make(reference, move) else None

    async def _make(self, reference: str, move: Move) -> bool:
        made = await self._funding.move(reference, move)
        if made is None:
            log.warning("treasury.not_known", reference=reference)
            return False
        if not made:
            await self._desk.decide(Remember(ACTOR, "exposure.called_off", reference, move.kind))
            return False
        await self._desk.decide(PostMove(reference=reference, move=move))
        if move.kind == "fund":
            self._funded.append((self._clock.monotonic(), move.amount_minor))
        log.info("treasury.moved", kind=move.kind, minor=move.amount_minor)
        return True

    async def _end_what_was_begun(self, now: datetime) -> bool:
        """Whether nothing is under way any more."""
        since = id_at(now - _LOOK_BACK)
        rows = await self._pool.fetch(_QUERIES["moves_begun"], self._book_id, since)
        for row in rows:
            await self._make(row["reference"], msgspec.json.decode(row["move_json"], type=Move))
        if not rows:
            return True
        return not await self._pool.fetch(_QUERIES["moves_begun"], self._book_id, since)

    async def _net(self, now: datetime) -> list[int]:
        """Net outflow of each minute of the last day, quiet ones too, the oldest first."""
        since = now - _LOOK_BACK
        rows = await self._pool.fetch(_QUERIES["net_by_minute"], self._book_id, id_at(since), RAIL)
        minutes = [0] * (int(_LOOK_BACK.total_seconds()) // 60 + 1)
        for row in rows:
            place = int((row["minute"] - since).total_seconds() // 60)
            minutes[min(max(place, 0), len(minutes) - 1)] += row["minor"]
        # Quiet hours must not make the account of the busy ones small: only busy minutes begin one.
        first = next((place for place, minor in enumerate(minutes) if minor), len(minutes))
        return minutes[first:]

    async def _may_fund(self, move: Move) -> bool:
        board = await self._desk.decide(ReadBoard())
        if any(one.scope.includes(_OUT) for one in board.closures):
            log.warning("treasury.not_funded", why="BI-FAST is closed")
            return False
        url = self._settings.watch_url
        state = await read_watch(url) if url else None
        if state is not None and (state.blind or state.silent) and state.matched:
            log.warning("treasury.not_funded", why="the watch sees nothing now")
            return False
        now = self._clock.monotonic()
        while self._funded and self._funded[0][0] <= now - _HOUR_SECONDS:
            self._funded.popleft()
        together = sum(minor for _, minor in self._funded) + move.amount_minor
        if together > self._settings.fund_per_hour_max_minor:
            log.error("treasury.not_funded", why="an hour's cap")
            return False
        return True


class HubFunding:
    """The simulated hub's settlement account, by its control port."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/networks/{RAIL}"

    async def account(self) -> Account | None:
        """As the hub's books have it."""
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as http,
                http.get(f"{self._url}/books?limit=0") as answer,
            ):
                said = msgspec.json.decode(await answer.read())
                return msgspec.convert(said["settlement"], Account)
        except (*_LOST, msgspec.MsgspecError, KeyError, TypeError):
            return None

    async def move(self, reference: str, move: Move) -> bool | None:
        """``fund`` or ``sweep``; 400 is the hub's no."""
        fields = {"reference": reference, "amount_minor": move.amount_minor}
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as http,
                http.post(
                    f"{self._url}/acts/{move.kind}", data=msgspec.json.encode(fields)
                ) as answer,
            ):
                return {200: True, 400: False}.get(answer.status)
        except _LOST:
            return None


_TIMEOUT: Final = aiohttp.ClientTimeout(total=_SECONDS_MAX)
_LOST: Final = (aiohttp.ClientError, TimeoutError, OSError)
