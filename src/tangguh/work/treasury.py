"""Keeps as much on the BI-FAST settlement account as is soon needed, and sweeps the rest (ring 2).

A move is begun in the book (an act with its reference), made at the hub under that reference, and
posted; whoever is interrupted makes it again under the same reference, which moves nothing twice.
Money is never sent after money that is missing: nothing is funded while BI-FAST is closed, while
the watch is blind or away, or above an hour's cap; why not is an act, once for each reason.
"""

from __future__ import annotations

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
_AGAIN_SECONDS: Final = 2.0
"""When it asks again while something keeps it from funding."""
_LOOK_BACK: Final = timedelta(hours=24)
_HOUR: Final = timedelta(hours=1)
_SECONDS_MAX: Final = 5.0
_OUT: Final = Scope(rail=RAIL, direction="out")


class TreasurySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``url``: where the settlement account is read and moved (``Funding``).

    ``watch_url`` must be said: while the watch there is away or blind, nothing is funded. Empty: a
    bank that has no watch.
    """

    url: str
    watch_url: str
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
        self.not_funded = ""
        """Why money that is wanted is not sent now; empty: nothing keeps it."""
        self._said: set[str] = set()
        """The reasons written down since money was last sent or could be: two that take turns
        are no news each time."""

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            beat()
            await self.safely()
            waits = _AGAIN_SECONDS if self.not_funded else self._settings.round_seconds
            await self._clock.sleep(min(waits, self._settings.round_seconds))

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
        if move is None or not await self._may(move):
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
        log.info("treasury.moved", kind=move.kind, minor=move.amount_minor)
        return True

    async def _end_what_was_begun(self, now: datetime) -> bool:
        """Whether nothing is under way any more."""
        since = id_at(now - _LOOK_BACK)
        rows = await self._pool.fetch(_QUERIES["moves_begun"], self._book_id, since)
        for row in rows:
            move = msgspec.json.decode(row["move_json"], type=Move)
            # Begun is not made: asked again, it may move the money for the first time now.
            if await self._may(move, is_begun=True):
                await self._make(row["reference"], move)
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

    async def _may(self, move: Move, *, is_begun: bool = False) -> bool:
        """Whether it may be made now; why not is written down when it is another reason."""
        if move.kind != "fund":
            return True
        why = await self._why_not_funded(move, is_begun=is_begun)
        if not why:
            self._said.clear()
        elif why not in self._said:
            log.error("treasury.not_funded", why=why)
            await self._desk.decide(Remember(ACTOR, "exposure.not_funded", RAIL, why))
            self._said.add(why)
        self.not_funded = why
        return not why

    async def _why_not_funded(self, move: Move, *, is_begun: bool) -> str:
        board = await self._desk.decide(ReadBoard())
        if any(one.scope.includes(_OUT) for one in board.closures):
            return "BI-FAST is closed"
        url = self._settings.watch_url
        if url:
            state = await read_watch(url)
            if state is None:
                return "the watch does not answer"
            if state.silent or state.blind:
                return "the watch sees nothing now"
        wanted = 0 if is_begun else move.amount_minor
        if await self._funded_lately() + wanted > self._settings.fund_per_hour_max_minor:
            return "an hour's cap"
        return ""

    async def _funded_lately(self) -> int:
        """What was begun within the hour and not called off, whichever process did it."""
        since = id_at(self._clock.now() - _HOUR)
        rows = await self._pool.fetch(_QUERIES["begun_since"], self._book_id, since)
        moves = [msgspec.json.decode(row["move_json"], type=Move) for row in rows]
        return sum(one.amount_minor for one in moves if one.kind == "fund")


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
