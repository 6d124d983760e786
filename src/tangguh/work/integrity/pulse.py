"""Looks at the book's rows, its chain and the clocks all day long, and tells the guard.

Every account at each look; the newest batches at once; everything ever written again and again, a
part at a time. An account whose row was changed beside the book is closed at once (class A, one
account); when it is many, or more than accounts, two people are asked and outgoing payments are
capped meanwhile.

A look that could not be made (PostgreSQL busy, away, told to stop) says nothing about the book: it
is made again. What nobody has seen for long is no good news, so then the same is done, and undone
by the next look that succeeds.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import structlog

from tangguh.audit.head import HeadFile
from tangguh.audit.journal import JournalPlan
from tangguh.audit.walk import Head, head_of, head_trouble
from tangguh.core.clock import Clock
from tangguh.core.errors import Misconfigured, TangguhError
from tangguh.core.marks import sometimes
from tangguh.core.supervision import beat
from tangguh.db.errors import UNREADABLE
from tangguh.db.pool import Connection, Pool
from tangguh.db.safety import unsafe_settings
from tangguh.guard.budget import CAPS, PEOPLE_SECONDS, rule_on
from tangguh.guard.closure import SignalClass, State
from tangguh.guard.scope import Scope
from tangguh.ledger.checks.pulse import PULSE, Broken, rows_that_differ
from tangguh.ledger.shelf import ShelfPlan
from tangguh.payments.checks.recheck import Recheck, Trouble
from tangguh.payments.desk import Desk
from tangguh.payments.gates.change import ReadBoard
from tangguh.work.guardian import Guardian, GuardSettings

log = structlog.get_logger("guard.pulse")

_MESSAGE: Final = (
    "Saldo rekening ini sedang kami cocokkan dengan catatan transaksinya.",
    "We are matching this account's balance with its transactions.",
)
_MESSAGE_MANY: Final = (
    "Kami sedang mencocokkan saldo dengan catatan transaksi.",
    "We are matching balances with their transactions.",
)
_ONE_BY_ONE_MAX: Final = 5
"""More accounts than this, changed at once, are one trouble and not several."""
_UNREADABLE_MAX: Final = 50
"""Accounts that cannot be read are closed one by one up to here: what they have is not known."""
_TOLD_MAX: Final = 1_000
_KEPT_MAX: Final = 100
"""Batches known to be in trouble that are looked at again at each look, to see it end."""
_BLIND: Final = "pulse.blind"
_UNREADABLE: Final = "row.unreadable"
_WALK_KEPT_SECONDS: Final = 60.0
"""How often the place of the walk is kept on the disk when there is nothing else to keep."""
_FIRST_STEP: Final = 25
_STEP_MAX: Final = 2_000


class Pulse:
    """One book's pulse.

    ``known`` is the newest link that this bank itself has committed, ``file`` where that is kept
    outside the database. ``last_look_at``: when the book was last seen whole; None until then.
    """

    def __init__(
        self,
        guardian: Guardian,
        desk: Desk,
        pool: Pool,
        book_id: int,
        journals: Sequence[JournalPlan],
        clock: Clock,
        settings: GuardSettings,
        *,
        shelves: Sequence[ShelfPlan[Any, Any]] = (),
        known: Callable[[], Head] = Head,
    ) -> None:
        self._guardian = guardian
        self._desk = desk
        self._pool = pool
        self._book_id = book_id
        self._recheck = Recheck(book_id, journals, shelves, clock)
        self._clock = clock
        self._settings = settings
        self._looked = clock.monotonic()
        self._known = known
        self._told: OrderedDict[str, int] = OrderedDict()
        """What people were called for, and the last round that found it still so."""
        self._troubled: OrderedDict[int, None] = OrderedDict()
        self._front: Head | None = None
        self._again = 1
        self._step = _FIRST_STEP
        self._whole_troubles: list[Broken] = []
        self.whole_rounds = 0
        self.whole_round_at: datetime | None = None
        self.rounds = 0
        self.broken_now = 0
        self.blind_rounds = 0
        self.last_look_at: datetime | None = None
        self._seen_at = clock.now()
        self._is_capped = True
        """Whether the board may have a closure for want of sight: perhaps from before a start."""

    @property
    def is_blind(self) -> bool:
        """Whether looks fail and the last that did not is so long ago that the worst is feared."""
        silent = self._clock.monotonic() - self._looked
        return self.blind_rounds > 0 and silent >= self._settings.blind_seconds_max

    @property
    def missed_rounds(self) -> float:
        """How many rounds could have been made since the last that was made."""
        return (self._clock.monotonic() - self._looked) / self._settings.pulse_seconds

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            beat()
            try:
                await self.round()
            except TangguhError as trouble:
                since = self._seen_at.isoformat()
                log.warning("pulse.could_not_look", why=str(trouble), not_seen_since=since)
            except Exception:
                log.exception("pulse.broken")
            await self._clock.sleep(self._settings.pulse_seconds)

    async def round(self) -> list[Broken]:
        """Look once, and act on what does not hold. Raises what kept it from looking."""
        broken: list[Broken] = []
        try:
            await self._look(broken)
        except Exception as trouble:
            self.blind_rounds += 1
            for one in broken:  # found before it could not go on
                await self._act_on(one)
            if self.is_blind:
                told = f"not seen since {self._seen_at:%Y-%m-%d %H:%M:%S} UTC: {trouble}"
                await self._act_on(Broken(_BLIND, told))
            raise
        self.blind_rounds = 0
        self.last_look_at = self._seen_at = self._clock.now()
        self._looked = self._clock.monotonic()
        self.rounds += 1
        self.broken_now = len(broken)
        for one in broken:
            await self._act_on(one)
        self._forget_healed(broken)
        await self._see_again()
        return broken

    async def look(self) -> list[Broken]:
        """Look once; what does not hold. Raises what kept it from looking."""
        broken: list[Broken] = []
        await self._look(broken)
        return broken

    async def _look(self, broken: list[Broken]) -> None:
        """Look once, and put down what does not hold as it is found."""
        known = self._known()
        async with self._pool.connection() as connection:
            try:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    await self._look_at_all(connection, known, broken)
            except UNREADABLE as error:
                broken.append(Broken(_UNREADABLE, str(error)))
            there = await connection.fetchval(PULSE["database_clock"])
        offset = abs((there - self._clock.now()).total_seconds())
        if offset > self._settings.clock_offset_seconds_max:
            self._guardian.notice("clock.offset", "database", f"{offset:.1f} s apart")

    async def _look_at_all(self, connection: Connection, known: Head, broken: list[Broken]) -> None:
        # Planned for what is asked: a plan for any span of accounts would be a slow one.
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        if unsafe := await unsafe_settings(connection):
            broken.append(Broken("store.unsafe", unsafe))
        broken += await rows_that_differ(
            connection, self._book_id, self._settings.tampered_accounts_max
        )
        if trouble := await head_trouble(connection, self._book_id, known):
            broken.append(Broken("chain.broken", trouble))
        broken += await self._recheck.open_payments(connection)
        await self._walk(connection, broken)
        broken += self._whole_troubles

    # ---- the chain, from both ends ------------------------------------------------------------

    async def _walk(self, connection: Connection, broken: list[Broken]) -> None:
        """What is known to be in trouble, what is new, then a part of all there ever was.

        What was found counts also when a later part could not be looked at: the walk has gone on.
        """
        head = await head_of(connection, self._book_id)
        if head is None:
            return
        found: list[Trouble] = []
        try:
            for batch_no in list(self._troubled):
                part = await self._recheck.part(connection, batch_no, batch_no)
                found += part.troubles
                if not part.troubles:
                    del self._troubled[batch_no]
            began = self._clock.monotonic()
            await self._walk_new(connection, head, found)
            await self._walk_again(connection, head, found, self._clock.monotonic() - began)
        finally:
            for one in found:
                if len(self._troubled) < _KEPT_MAX:
                    self._troubled[one.batch_no] = None
            once = {(one.batch_no, one.broken): one for one in found}
            broken += [one.broken for one in once.values()]

    async def _walk_new(self, connection: Connection, head: Head, found: list[Trouble]) -> None:
        """The newest batches, first the last so many; never for long: payments come first."""
        if self._front is None:
            self._front = Head(max(head.batch_no - self._settings.tail_batches, 0))
        until = self._clock.monotonic() + self._settings.walk_seconds_max
        step = _FIRST_STEP
        while self._front.batch_no < head.batch_no:
            first = self._front.batch_no + 1
            last = min(first + step - 1, head.batch_no)
            found += (await self._recheck.part(connection, first, last)).troubles
            self._front = Head(last)
            step = min(step * 2, _STEP_MAX)
            if self._clock.monotonic() >= until:
                break

    async def _walk_again(
        self, connection: Connection, head: Head, found: list[Trouble], spent: float
    ) -> None:
        """So much of everything that a whole round takes no longer than is allowed; more of it in
        what time the newest batches left: when many pay, they are not kept waiting for it.
        """
        settings = self._settings
        looks = max(settings.recheck_round_seconds / settings.pulse_seconds, 1.0)
        least = int(head.batch_no / looks) + 1
        until = self._clock.monotonic() + settings.recheck_seconds_max - spent
        done = 0
        while (has_time := self._clock.monotonic() < until) or done < least:
            if self._again > head.batch_no:
                self._again = 1  # first: whatever keeps us from the whole must not stop the walk
                self._whole_troubles = await self._recheck.whole(connection)
                self.whole_rounds += 1
                self.whole_round_at = self._clock.now()
                break
            began = self._clock.monotonic()
            step = self._step if has_time else min(self._step, least - done)
            last = min(self._again + step - 1, head.batch_no)
            found += (await self._recheck.part(connection, self._again, last)).troubles
            done += last - self._again + 1
            self._again = last + 1
            if step == self._step:
                self._pace(self._clock.monotonic() - began)

    def _pace(self, seconds: float) -> None:
        """Parts as large as the time for them: each has a cost of its own, whatever its size."""
        if seconds < self._settings.recheck_seconds_max / 2:
            self._step = min(self._step * 2, _STEP_MAX)
        elif seconds > self._settings.recheck_seconds_max:
            self._step = max(self._step // 2, _FIRST_STEP)

    # ---- what is remembered outside the database --------------------------------------------

    def resume(self, rechecked: int) -> None:
        """Go on where the walk over everything had come to before the start."""
        self._again = rechecked + 1

    async def keep_head(self, file: HeadFile) -> None:
        """Keep the newest link in the file, until cancelled. A full disk is told and tried on.

        How far the walk has come is kept with it. While there is no new link that is all there is
        to keep, and a minute of the walk is walked again sooner than written down at each look.
        """
        kept_at = -_WALK_KEPT_SECONDS
        while True:
            beat()
            now = self._clock.monotonic()
            if not file.has(self._known()) or now - kept_at >= _WALK_KEPT_SECONDS:
                await self.remember(file)
                kept_at = now
            await self._clock.sleep(self._settings.head_seconds)

    async def remember(self, file: HeadFile) -> None:
        """Keep the newest link this bank has committed in the file."""
        head = self._known()
        if head.batch_no:
            try:
                await file.write(head, self._again - 1)
            except OSError as fault:
                log.warning("pulse.head_not_kept", why=str(fault))

    # ---- acting --------------------------------------------------------------------------------

    async def _act_on(self, broken: Broken) -> None:
        key = f"{broken.rule} {'' if broken.rule == _BLIND else broken.detail}"
        key += f" {broken.accounts}"
        if key in self._told:
            self._told[key] = self.rounds
            self._told.move_to_end(key)
            return
        sometimes(f"pulse.{broken.rule}")
        self._guardian.notice(broken.rule, f"book:{self._book_id}", broken.detail)
        most = _UNREADABLE_MAX if broken.rule == _UNREADABLE else _ONE_BY_ONE_MAX
        if 0 < len(broken.accounts) <= most:
            for account in broken.accounts:
                await self._close(broken, Scope(account=account), alone=True)
        else:
            await self._close(broken, Scope(direction="out"), alone=False)
        self._told[key] = self.rounds
        while len(self._told) > _TOLD_MAX:
            self._told.popitem(last=False)

    def _forget_healed(self, broken: list[Broken]) -> None:
        """What a whole look did not find any more was put right: found again it is told again."""
        is_whole = not any(one.rule == _UNREADABLE for one in broken)
        if not is_whole or len(self._troubled) >= _KEPT_MAX:
            return  # it ended where it could not read on, or there is more than one look sees again
        for key, seen in list(self._told.items()):
            if seen == self.rounds:
                break  # so was the rest: the newest sight is last
            del self._told[key]

    async def _see_again(self) -> None:
        """A look succeeded: what was closed because none did is open again."""
        if self._is_capped:
            await self._guardian.take_back("pulse", _reason(_BLIND), "the book is seen again")
            self._is_capped = False
        for key in [key for key in self._told if key.startswith(f"{_BLIND} ")]:
            del self._told[key]

    async def _close(self, broken: Broken, scope: Scope, *, alone: bool) -> None:
        guardian = self._guardian
        evidence = msgspec.json.encode(broken).decode()
        board = await self._desk.decide(ReadBoard())
        self._is_capped = self._is_capped or broken.rule == _BLIND
        ruling = rule_on(scope, SignalClass.INTEGRITY, 0, board.closures, guardian.normal())
        is_alone = alone and ruling.alone
        closure = guardian.draft(
            scope=scope,
            signal_class=SignalClass.INTEGRITY,
            reason=_reason(broken.rule),
            cause=broken.detail,
            evidence=evidence,
            made_by="pulse",
            message=_MESSAGE if alone else _MESSAGE_MANY,
            expires_at=None if is_alone else self._clock.now() + timedelta(seconds=PEOPLE_SECONDS),
            allowance=None if is_alone else CAPS,
            state=State.CONTAINED if is_alone else State.AWAITING_PEOPLE,
        )
        await guardian.put(closure, "closed" if is_alone else "capped; two people are asked")


def _reason(rule: str) -> str:
    """The closure's stable code for a rule of the pulse."""
    return rule.replace(".", "_")


async def refuse_other_head(pool: Pool, book_id: int, file: HeadFile | None) -> int:
    """Refuse to go on from a head that is not the chain's end, or not what this bank knew.

    Gives how far the walk over everything had come. Raises Misconfigured: whoever starts on such a
    book chains new links to an invented one, or gives out numbers that were given before.
    """
    kept = file.read() if file is not None else None
    async with pool.connection() as connection:
        trouble = await head_trouble(connection, book_id, kept[0] if kept is not None else None)
    if trouble:
        raise Misconfigured(f"book {book_id}: {trouble}; see docs/runbooks/book-head.md")
    return kept[1] if kept is not None else 0
