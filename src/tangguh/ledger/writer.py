"""The one writer of a book: collects commands, decides them in order, commits them in batches.

While one batch is being committed the next one is decided; when idle a command goes alone at
once. There is no timer. Nobody is answered before the commit. If a commit's fate is unknown the
writer takes the fence again, which tells for certain, or not in time: Ambiguous (ADR-0008).

From the moment a batch is closed until its fate is settled the writer is in doubt, and in doubt it
closes no other: whatever raises in between, the worst that follows is that it is dead and says so
(ADR-0032). What must be settled is settled before anything is logged.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

from tangguh.audit.journal import JournalPlan
from tangguh.audit.walk import Head
from tangguh.core.clock import Clock
from tangguh.core.errors import (
    Ambiguous,
    FenceLost,
    InvariantBroken,
    Misconfigured,
    Overloaded,
    StoreBroken,
    StoreCannotWrite,
    StoreUnavailable,
    TangguhError,
)
from tangguh.core.ids import Ids
from tangguh.core.marks import always
from tangguh.db.pool import UNWRITABLE
from tangguh.ledger import store
from tangguh.ledger.book import Book
from tangguh.ledger.command import Command
from tangguh.ledger.plans import LEDGER_JOURNALS
from tangguh.ledger.shelf import ShelfPlan
from tangguh.ledger.ticket import Ticket, loop_of, split
from tangguh.ledger.writing.decider import Decider as Decider
from tangguh.ledger.writing.decider import WriterSettings as WriterSettings
from tangguh.ledger.writing.lines import Lines
from tangguh.ledger.writing.loading import load_rows
from tangguh.ledger.writing.said import say as _say

A = TypeVar("A")

_BATCHES_BEFORE_LEARNING: Final = 20
"""When PostgreSQL is first asked to look at the tables; then at ten times that, and so on."""

_COMMANDS_PER_PAUSE: Final = 8
"""About a sixth of a millisecond of decisions: what a step of PostgreSQL may wait for us."""

_FAILURES_MAX: Final = 20
"""So often a batch is tried while PostgreSQL can be asked each time what became of it."""


class Writer:
    """Owns a book's rows in memory. ``start`` takes the fence, ``decide`` asks, ``stop`` drains."""

    def __init__(
        self,
        dsn: str,
        clock: Clock,
        ids: Ids,
        shelves: Iterable[ShelfPlan[Any, Any]] = (),
        journals: Iterable[JournalPlan] = (),
        settings: WriterSettings | None = None,
    ) -> None:
        self.settings = settings or WriterSettings()
        self._lines = Lines(dsn, self.settings.book_id, self.settings.silence_seconds_max)
        self._clock = clock
        self._journals = (*LEDGER_JOURNALS, *journals)
        self._book = Book(ids, shelves, journals)
        self._head = self._durable = store.Head(0, 0, b"")
        """What memory follows from. A batch is closed on it, so PostgreSQL, which compares it
        with its own, refuses whatever was decided on a batch that it does not have."""
        self._in_doubt = False
        self._failing_since: float | None = None
        self._failures = 0
        self._asked: set[asyncio.Future[list[Any]]] = set()
        self._queue: deque[Ticket] = deque()
        self._queued = 0
        self._hand: deque[Ticket] = deque()
        self._open: list[Ticket] = []
        self._open_commands = 0
        self._flying: deque[Ticket] = deque()
        self._flight: asyncio.Task[None] | None = None
        self._busy: dict[str, set[Any]] = {}
        self._wake = asyncio.Event()
        self._learn_at = _BATCHES_BEFORE_LEARNING
        self._learning: asyncio.Task[None] | None = None
        self._cautious = 0
        self._generation = 0
        self._deciding = False
        self._stopping = False
        self._dead: TangguhError | None = None
        self._task: asyncio.Task[None] | None = None
        self.batches = 0
        self.taken = 0
        self.shed = 0

    async def start(self) -> None:
        """Become the book's writer. Raises StoreUnavailable or Misconfigured."""
        await self._lines.open()
        self._adopt(await self._lines.take())
        self._task = asyncio.create_task(self._run(), name="book writer")
        self._task.add_done_callback(self._see_end)

    async def stop(self) -> None:
        """Answer what was handed in, then let go of the book."""
        self._stopping = True
        self._wake.set()
        tasks = [task for task in (self._task, self._flight, self._learning) if task is not None]
        if tasks:
            await asyncio.wait(tasks)
        await self._lines.close()

    async def decide(self, command: Command[A]) -> A:
        """The decision's answer, once it is durable.

        Raises Overloaded (queue full) or StoreUnavailable (nothing changed), Ambiguous (ask again
        with the same id), FenceLost (this writer is out), InvariantBroken (the decision is a bug).
        """
        (answer,) = await self.submit([command])
        if isinstance(answer, TangguhError):
            raise answer
        return answer  # type: ignore[no-any-return]

    def submit(self, commands: Sequence[Command[Any]]) -> asyncio.Future[list[Any]]:
        """Hand in several commands at once, at most a batch of them; each is decided by itself.

        The answers come in order; a decision that failed has its TangguhError in its place.
        """
        future: asyncio.Future[list[Any]] = loop_of(self._task).create_future()
        if self._dead is not None or self._stopping:
            future.set_exception(self._dead or StoreUnavailable("the book is closing"))
        elif self._queued + len(commands) > self.settings.queue_commands_max:
            self.shed += len(commands)
            future.set_exception(Overloaded(f"{self._queued} commands are waiting for the book"))
        elif len(commands) > self.settings.batch_commands_max:
            future.set_exception(Overloaded("more commands than one batch can hold"))
        else:
            self._asked.add(future)
            future.add_done_callback(self._asked.discard)
            self._queue.append(Ticket(commands, future, self._clock.monotonic()))
            self._queued += len(commands)
            self.taken += len(commands)
            self._wake.set()
        return future

    @property
    def queued(self) -> int:
        """Commands waiting to be decided: the admission control's measure."""
        return self._queued

    @property
    def waited(self) -> float:
        """Seconds the first command in the queue has waited; 0 when there is none."""
        return self._queue[0].waited(self._clock.monotonic()) if self._queue else 0.0

    @property
    def is_open(self) -> bool:
        """Whether commands are taken: it holds the fence, its loop runs, and it is not closing."""
        is_running = self._task is not None and not self._task.done()
        return self._dead is None and not self._stopping and is_running

    @property
    def head(self) -> Head:
        """The newest link that is known to be committed."""
        durable = self._durable
        return Head(durable.batch_no, durable.hash) if durable.batch_no else Head()

    @property
    def fate(self) -> TangguhError | None:
        """Why it stopped for good, or None while it works."""
        return self._dead

    # ---- the loop ------------------------------------------------------------------------------

    async def _run(self) -> None:
        while self._dead is None:
            await self._wake.wait()
            self._wake.clear()
            while self._dead is None and self._collect():
                await self._load_and_decide()
                self._commit_if_idle()
            if self._stopping and self._flight is None and not (self._queue or self._open):
                return

    def _see_end(self, task: asyncio.Task[None]) -> None:
        """The second line of defence: a task that ended by a fault leaves nobody waiting."""
        if task.cancelled():
            self._die(InvariantBroken(f"the {task.get_name()} was cancelled"))
        elif (fault := task.exception()) is not None:
            self._die(InvariantBroken(f"the {task.get_name()} ended: {fault!r}"))
        elif self._dead is not None:
            self._die(self._dead)
        self._wake.set()

    def _collect(self) -> bool:
        """Take in hand what fits into the open batch, one after a refused one; is there any?"""
        if self._cautious:
            if self._flight is None and not self._open and self._queue:
                self._cautious -= 1
                self._hand.append(self._queue.popleft())
            return bool(self._hand)
        room = self.settings.batch_commands_max - self._open_commands
        too_late = self._clock.monotonic() - self.settings.new_money_seconds_max
        while self._queue:
            ticket, count = self._queue[0], len(self._queue[0].commands)
            if ticket.lapses(too_late):
                self._queued -= count
                self.shed += count
            elif count <= room:
                room -= count
                self._hand.append(ticket)
            else:
                break
            self._queue.popleft()
        return bool(self._hand)

    async def _load_and_decide(self) -> None:
        generation = self._generation
        try:
            await self._lines.reading(self._load())
        except StoreUnavailable as unavailable:
            await self._lose_read_line(unavailable)
            return
        except Exception as bug:
            self._blame(self._let_go(), repr(bug))
            _say("exception", "book.load_failed")
            return
        if generation != self._generation:
            # Memory was rebuilt while we loaded: what was loaded before is gone, so load again.
            self._put_back()
            return
        await self._decide()

    def _let_go(self) -> list[Ticket]:
        tickets, self._hand = list(self._hand), deque()
        return tickets

    def _put_back(self) -> None:
        """What is in hand is for later."""
        self._queue.extendleft(reversed(self._let_go()))
        self._wake.set()

    async def _load(self) -> None:
        book = self._book
        # Before the keys are named: some of them are of today (limits), and today must not change
        # between naming and deciding.
        book.tick(self._clock.now())
        for shelf in book.shelves():
            shelf.trim(self._busy.get(shelf.plan.name, set()))
        commands = [command for ticket in self._hand for command in ticket.commands]
        await load_rows(book, commands, self._lines.read, self.settings.book_id)

    async def _decide(self) -> None:
        """Decide ticket by ticket, giving way now and then while a commit is in flight.

        Deciding holds the event loop: without the pauses PostgreSQL would wait for the end of
        these decisions at each of its own steps, and the two would not overlap.
        """
        generation = self._generation
        while self._hand:
            ticket = self._hand[0]
            await self._decide_one(ticket, generation)
            if self._generation != generation or self._dead is not None:
                # Memory was rebuilt while we paused: this ticket and the rest are decided anew.
                self._put_back()
                return
            self._queued -= len(ticket.commands)
            self._open.append(ticket)
            self._hand.popleft()
            self._open_commands += len(ticket.commands)
            self._commit_if_idle()

    async def _decide_one(self, ticket: Ticket, generation: int) -> None:
        book = self._book
        ticket.answers = []
        self._deciding = True
        for number, command in enumerate(ticket.commands, start=1):
            book.begin()
            try:
                ticket.answers.append(command.decide(book))
            except Exception as bug:
                book.undo()
                ticket.answers.append(InvariantBroken(f"{type(command).__name__}: {bug!r}"))
                always("book.decides", holds=False, detail=type(command).__name__)
                _say("exception", "book.decision_failed", command=type(command).__name__)
            if self._flight is not None and number % _COMMANDS_PER_PAUSE == 0:
                await asyncio.sleep(0)
                if self._generation != generation:
                    break
        self._deciding = False

    def _blame(self, tickets: list[Ticket], why: str) -> None:
        """Find the command that broke a batch: alone it is answered so, others go one at a time."""
        if len(tickets) == 1 and len(tickets[0].commands) == 1:
            self._queued -= 1
            tickets[0].fail(InvariantBroken(f"{type(tickets[0].commands[0]).__name__}: {why}"))
        else:
            singles = [single for ticket in tickets for single in split(ticket)]
            self._cautious += len(singles)
            self._queue.extendleft(reversed(singles))
        self._wake.set()

    # ---- committing ----------------------------------------------------------------------------

    def _commit_if_idle(self) -> None:
        is_busy = self._in_doubt or self._flight is not None or self._deciding
        if is_busy or self._dead is not None or not self._open:
            return
        self._in_doubt = True
        commands = self._open_commands
        self._flying.extend(self._open)
        self._open, self._open_commands = [], 0
        try:
            batch = self._seal(commands)
        except Exception as bug:
            # Nothing was sent: what the batch changed is dropped with the memory it changed.
            self._adopt(self._head)
            self._queued += commands
            tickets = list(self._flying)
            self._flying.clear()
            self._blame(tickets, repr(bug))
            _say("exception", "book.batch_cannot_be_sealed")
            return
        self._head = batch.head
        self._book.batch_no = batch.head.batch_no + 1
        self._flight = asyncio.create_task(self._fly(batch), name="book commit")
        self._flight.add_done_callback(self._see_end)

    def _seal(self, commands: int) -> store.Sealed:
        book = self._book
        appended = book.take_journals()
        rows = [(plan, appended[plan.table]) for plan in self._journals]
        self._busy = {shelf.plan.name: {*shelf.fresh, *shelf.changed} for shelf in book.shelves()}
        return store.seal(
            self.settings.book_id, self._head, book.now, commands, book.shelves(), rows
        )

    async def _fly(self, batch: store.Sealed) -> None:
        """Commit one batch and answer it, or find out what became of it."""
        try:
            try:
                await self._lines.commit(batch)
                self._landed(batch, batch.head)
            except FenceLost as lost:
                self._die(lost, flown=lost)  # PostgreSQL said so, and wrote nothing
            except StoreBroken:
                raise
            except (*UNWRITABLE, InvariantBroken) as refused:
                await self._recover(batch, StoreUnavailable(), f"PostgreSQL refused it: {refused}")
                _say("error", "book.batch_refused", batch=batch.head.batch_no, rule=str(refused))
            except StoreUnavailable as lost:
                await self._recover(batch, lost)
                _say("warning", "book.commit_unknown", batch=batch.head.batch_no, why=str(lost))
        except (FenceLost, Misconfigured, StoreUnavailable) as lost:
            self._die(lost)
        except BaseException as bug:
            self._die(InvariantBroken(f"a batch could not be committed: {bug!r}"))
            raise
        finally:
            self._flight = None
            self._commit_if_idle()
            self._wake.set()

    def _landed(self, batch: store.Sealed, head: store.Head) -> None:
        """What flew is durable: first the state, then the answers."""
        self._head = self._durable = head
        self._busy = {}
        self._failing_since, self._failures = None, 0
        self._in_doubt = False
        while self._flying:
            self._flying[0].answer()
            self._flying.popleft()
        self.batches += not batch.is_empty
        if self.batches >= self._learn_at:
            self._learn_at *= 10
            every = [shelf.plan.table for shelf in self._book.shelves() if shelf.plan.table]
            every += [plan.table for plan in self._journals]
            self._learning = asyncio.create_task(self._lines.learn(every), name="book statistics")

    async def _recover(
        self, batch: store.Sealed, lost: StoreUnavailable, refused: str = ""
    ) -> None:
        """Learn the batch's fate by taking the fence again; decide anew what was not committed.

        A batch that PostgreSQL refused is decided again one command at a time, so that only the
        command that breaks a rule is answered with a bug. One that fails for too long, or on a full
        disk, is given up: nothing of it was written, and its callers are told so.
        """
        if self._failing_since is None:
            self._failing_since = self._clock.monotonic()
        self._failures += 1
        head = await self._retake(batch)
        if head.hash == batch.head.hash:
            self._landed(batch, head)
            if any(one.future.done() and not one.future.cancelled() for one in self._open):
                self._adopt(head)  # they were told that nothing was done: so nothing is
                self._again("")
            return
        if head.hash != batch.previous.hash:
            raise FenceLost
        self._adopt(head)
        is_enough = self._failures > _FAILURES_MAX and self._is_hopeless()
        if isinstance(lost, StoreCannotWrite) or is_enough:
            for ticket in (*self._flying, *self._open):
                ticket.fail(lost)
            self._flying.clear()
            self._open, self._open_commands = [], 0
            await self._clock.sleep(self.settings.reconnect_seconds)
            return
        self._again(refused)

    def _again(self, refused: str) -> None:
        """Back into the queue, in the order they came."""
        flown = [ticket for ticket in self._flying if not ticket.future.done()]
        decided = (one for one in self._open if not one.future.done())
        again = [*decided] if refused else [*flown, *decided]
        self._queue.extendleft(reversed(again))
        self._queued += sum(len(ticket.commands) for ticket in again)
        self._open, self._open_commands = [], 0
        if refused and flown:
            self._queued += sum(len(ticket.commands) for ticket in flown)
            self._blame(flown, refused)
        self._flying.clear()

    async def _retake(self, batch: store.Sealed) -> store.Head:
        while True:
            try:
                return await self._lines.retake(batch.previous.epoch)
            except StoreUnavailable as lost:
                if self._is_hopeless():
                    self._give_up_on_waiting(lost)
                    if self._stopping:
                        raise
                await self._clock.sleep(self.settings.reconnect_seconds)

    def _is_hopeless(self) -> bool:
        """Whether callers have waited for long enough to be told what is known."""
        since, patience = self._failing_since, self.settings.ambiguity_seconds
        return since is not None and self._clock.monotonic() - since >= patience

    def _give_up_on_waiting(self, lost: StoreUnavailable) -> None:
        """Tell what is known: a batch that was sent is ambiguous, the rest did nothing."""
        for ticket in self._flying:
            ticket.fail(Ambiguous())
        for ticket in (*self._open, *self._queue):
            ticket.fail(lost)
        self._queued -= sum(len(ticket.commands) for ticket in self._queue)
        self._queue.clear()

    def _adopt(self, head: store.Head) -> None:
        """Begin anew from what PostgreSQL has. Only when all of it is done is there no doubt."""
        self._generation += 1
        self._busy = {}
        self._book.forget()
        self._book.batch_no = head.batch_no + 1
        self._head = self._durable = head
        self._in_doubt = False

    async def _lose_read_line(self, unavailable: StoreUnavailable) -> None:
        """Loading failed: nothing was decided. Connect again; say so if there is no hope just now.

        While a commit finds out its own fate there is hope: its tickets and these wait together.
        """
        if self._flight is not None:
            self._put_back()
            await asyncio.wait({self._flight})
        else:
            for ticket in self._hand:
                self._queued -= len(ticket.commands)
                ticket.fail(unavailable)
            self._hand.clear()
        if self._dead is None and not await self._lines.mend_read():
            await self._clock.sleep(self.settings.reconnect_seconds)
        self._wake.set()

    def _die(self, error: TangguhError, *, flown: TangguhError | None = None) -> None:
        """Never again. What flew may be there or not; of what was not sent nothing was done."""
        is_news = self._dead is None
        self._dead = error
        for ticket in self._flying:
            ticket.fail(flown or Ambiguous())
        for ticket in (*self._hand, *self._open, *self._queue):
            ticket.fail(error)
        for future in tuple(self._asked):
            if not future.done():
                future.set_exception(Ambiguous())
        for held in (self._flying, self._hand, self._open, self._queue):
            held.clear()
        self._open_commands = self._queued = 0
        self._wake.set()
        if is_news:
            _say("error", "book.writer_stopped", why=str(error))
