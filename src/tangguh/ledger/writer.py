"""The one writer of a book: collects commands, decides them in order, commits them in batches.

While one batch is being committed the next one is decided; when idle a command goes alone at
once. There is no timer. Nobody is answered before the commit. If a commit's fate is unknown the
writer takes the fence again, which tells for certain; callers hear Ambiguous only when
PostgreSQL cannot be asked in time (ADR-0008).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol, TypeVar

import msgspec
import structlog

from tangguh.audit.journal import JournalPlan
from tangguh.audit.walk import Head
from tangguh.core.clock import Clock
from tangguh.core.errors import (
    Ambiguous,
    FenceLost,
    InvariantBroken,
    Overloaded,
    StoreUnavailable,
    TangguhError,
)
from tangguh.core.ids import Ids
from tangguh.core.marks import always
from tangguh.db.pool import UNWRITABLE, Connection, cut_after, translated
from tangguh.ledger import store
from tangguh.ledger.book import Book
from tangguh.ledger.command import Command
from tangguh.ledger.plans import LEDGER_JOURNALS
from tangguh.ledger.shelf import ShelfPlan
from tangguh.ledger.ticket import Ticket, split

A = TypeVar("A")
log = structlog.get_logger("ledger.writer")

_KEY_ROUNDS_MAX: Final = 4
"""A command may name more keys once its first are loaded; more rounds than this is a bug."""


_BATCHES_BEFORE_LEARNING: Final = 20
"""When PostgreSQL is first asked to look at the tables; then at ten times that, and so on."""

_COMMANDS_PER_PAUSE: Final = 8
"""About a sixth of a millisecond of decisions: what a step of PostgreSQL may wait for us."""

_COMMANDS_PER_LOOK: Final = 32
"""The same for naming keys, which is quicker."""

_CLOSE_SECONDS_MAX: Final = 2.0
"""What saying good-bye may take before the line is just cut."""


class Decider(Protocol):
    """Whoever can have a command decided: the writer in this process, or one behind a socket."""

    async def decide(self, command: Command[A]) -> A:
        """The durable answer. Raises Overloaded, StoreUnavailable or Ambiguous."""
        ...


class WriterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one writer, each with its unit.

    ``silence_seconds_max``: a connection on which one step takes longer is cut and made anew.
    """

    book_id: int = 1
    batch_commands_max: int = 2_000
    queue_commands_max: int = 20_000
    ambiguity_seconds: float = 5.0
    reconnect_seconds: float = 0.1
    silence_seconds_max: float = 10.0


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
        self._dsn = dsn
        self._clock = clock
        self._journals = (*LEDGER_JOURNALS, *journals)
        self._book = Book(ids, shelves, journals)
        self._head = store.Head(0, 0, b"")
        self._queue: deque[Ticket] = deque()
        self._queued = 0
        self._open: list[Ticket] = []
        self._open_commands = 0
        self._flight: asyncio.Task[None] | None = None
        self._flying: list[Ticket] = []
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
        self._read = await store.open_line(self._dsn)
        self._write = await store.open_line(self._dsn)
        with translated():
            self._adopt(await store.take_book(self._write, self.settings.book_id))
        self._task = asyncio.create_task(self._run(), name="book writer")

    async def stop(self) -> None:
        """Answer what was handed in, then let go of the book."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
        if self._learning is not None:
            await self._learning
        for connection in (self._read, self._write):
            await _close(connection)

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
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        if self._dead is not None or self._stopping:
            future.set_exception(self._dead or StoreUnavailable("the book is closing"))
        elif self._queued + len(commands) > self.settings.queue_commands_max:
            self.shed += len(commands)
            future.set_exception(Overloaded(f"{self._queued} commands are waiting for the book"))
        elif len(commands) > self.settings.batch_commands_max:
            future.set_exception(Overloaded("more commands than one batch can hold"))
        else:
            self._queue.append(Ticket(commands, future))
            self._queued += len(commands)
            self.taken += len(commands)
            self._wake.set()
        return future

    @property
    def queued(self) -> int:
        """Commands waiting to be decided: the admission control's measure."""
        return self._queued

    @property
    def is_open(self) -> bool:
        """Whether commands are taken: it holds the fence and is not closing."""
        return self._dead is None and not self._stopping and self._task is not None

    @property
    def head(self) -> Head:
        """The newest link that is known to be committed."""
        return Head(self._head.batch_no, self._head.hash) if self._head.batch_no else Head()

    @property
    def fate(self) -> TangguhError | None:
        """Why it stopped for good, or None while it works."""
        return self._dead

    # ---- the loop ------------------------------------------------------------------------------

    async def _run(self) -> None:
        while self._dead is None:
            await self._wake.wait()
            self._wake.clear()
            while self._dead is None and (tickets := self._collect()):
                await self._load_and_decide(tickets)
                self._commit_if_idle()
            if self._stopping and not self._queue and self._flight is None and not self._open:
                return

    def _collect(self) -> list[Ticket]:
        """Tickets that still fit into the open batch; after a refused batch, one at a time."""
        if self._cautious:
            if self._flight is not None or self._open or not self._queue:
                return []
            self._cautious -= 1
            return [self._queue.popleft()]
        room = self.settings.batch_commands_max - self._open_commands
        tickets: list[Ticket] = []
        while self._queue and len(self._queue[0].commands) <= room:
            ticket = self._queue.popleft()
            room -= len(ticket.commands)
            tickets.append(ticket)
        return tickets

    async def _load_and_decide(self, tickets: list[Ticket]) -> None:
        generation = self._generation
        try:
            with translated(), cut_after(self._read, self.settings.silence_seconds_max):
                await self._load(tickets)
        except StoreUnavailable as unavailable:
            await self._lose_read_connection(tickets, unavailable)
            return
        except Exception as bug:
            log.exception("book.load_failed")
            self._blame(tickets, repr(bug))
            return
        if generation != self._generation:
            # Memory was rebuilt while we loaded: what was loaded before is gone, so load again.
            self._queue.extendleft(reversed(tickets))
            self._wake.set()
            return
        await self._decide(tickets)

    async def _load(self, tickets: list[Ticket]) -> None:
        book = self._book
        # Before the keys are named: some of them are of today (limits), and today must not change
        # between naming and deciding.
        book.tick(self._clock.now())
        for shelf in book.shelves():
            shelf.trim(self._busy.get(shelf.plan.name, set()))
        commands: Sequence[Command[Any]] = [c for ticket in tickets for c in ticket.commands]
        shelves = {shelf.plan.name: shelf for shelf in book.shelves()}
        rows = {name: shelf.rows for name, shelf in shelves.items()}
        for _ in range(_KEY_ROUNDS_MAX):
            wanted: dict[str, dict[Any, None]] = {}
            curious: list[tuple[Command[Any], list[tuple[str, Any]]]] = []
            for number, command in enumerate(commands, start=1):
                missing = [(name, key) for name, key in command.keys(book) if key not in rows[name]]
                for name, key in missing:
                    wanted.setdefault(name, {})[key] = None
                if missing and not command.names_keys_at_once:
                    curious.append((command, missing))
                if number % _COMMANDS_PER_LOOK == 0:
                    await asyncio.sleep(0)
            for name, keys in wanted.items():
                await store.load(self._read, self.settings.book_id, shelves[name], list(keys))
            # Only a row that was found can name more rows; one that is absent says nothing.
            commands = [
                command
                for command, missing in curious
                if any(rows[name].get(key) is not None for name, key in missing)
            ]
            if not commands:
                return

    async def _decide(self, tickets: list[Ticket]) -> None:
        """Decide ticket by ticket, giving way now and then while a commit is in flight.

        Deciding holds the event loop: without the pauses PostgreSQL would wait for the end of
        these decisions at each of its own steps, and the two would not overlap.
        """
        generation = self._generation
        for number, ticket in enumerate(tickets):
            await self._decide_one(ticket, generation)
            if self._generation != generation or self._dead is not None:
                # Memory was rebuilt while we paused: this ticket and the rest are decided anew.
                self._queue.extendleft(reversed(tickets[number:]))
                self._wake.set()
                return
            self._queued -= len(ticket.commands)
            self._open.append(ticket)
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
                log.exception("book.decision_failed", command=type(command).__name__)
                always("book.decides", holds=False, detail=type(command).__name__)
                ticket.answers.append(InvariantBroken(f"{type(command).__name__}: {bug!r}"))
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
        if self._flight is not None or not self._open or self._deciding:
            return
        tickets, commands = self._open, self._open_commands
        self._open, self._open_commands = [], 0
        try:
            batch = self._seal(commands)
        except Exception as bug:
            # Nothing was sent: what the batch changed is dropped with the memory it changed.
            log.exception("book.batch_cannot_be_sealed")
            self._adopt(self._head)
            self._queued += commands
            self._blame(tickets, repr(bug))
            return
        self._flying = tickets
        self._book.batch_no = batch.head.batch_no + 1
        self._flight = asyncio.create_task(self._fly(batch), name="book commit")

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
                with translated(), cut_after(self._write, self.settings.silence_seconds_max):
                    await store.commit(self._write, batch)
                self._landed(batch.head)
            except (*UNWRITABLE, InvariantBroken) as refused:
                rule = getattr(refused, "constraint_name", None) or str(refused)
                log.exception("book.batch_refused", rule=rule)
                await self._recover(batch, f"PostgreSQL refused it: {rule}")
            except StoreUnavailable as lost:
                log.warning("book.commit_unknown", batch=batch.head.batch_no, why=str(lost))
                await self._recover(batch)
        except (FenceLost, StoreUnavailable) as lost:
            self._die(lost)
        except Exception as bug:
            log.exception("book.commit_failed")
            self._die(InvariantBroken(f"a batch could not be committed: {bug!r}"))
        finally:
            self._flight = None
            if self._dead is None:
                self._commit_if_idle()
            self._wake.set()

    def _landed(self, head: store.Head) -> None:
        self._head = head
        self._busy = {}
        self.batches += 1
        if self.batches >= self._learn_at:
            self._learn_at *= 10
            self._learning = asyncio.create_task(self._learn(), name="book statistics")
        for ticket in self._flying:
            ticket.answer()
        self._flying = []

    async def _recover(self, batch: store.Sealed, refused: str | None = None) -> None:
        """Learn the batch's fate by taking the fence again; decide anew what was not committed.

        A batch that PostgreSQL refused is decided again one command at a time, so that only the
        command that breaks a rule is answered with a bug.
        """
        head = await self._retake(batch)
        if head.hash == batch.head.hash:
            self._landed(head)
            return
        if head.hash != batch.previous.hash:
            raise FenceLost
        flown, waiting = self._flying, self._open
        self._flying, self._open, self._open_commands = [], [], 0
        self._adopt(head)
        flown = [ticket for ticket in flown if not ticket.future.done()]
        again = [ticket for ticket in waiting if not ticket.future.done()]
        if refused is None:
            again = [*flown, *again]
        self._queue.extendleft(reversed(again))
        self._queued += sum(len(ticket.commands) for ticket in again)
        if refused is not None and flown:
            self._queued += sum(len(ticket.commands) for ticket in flown)
            self._blame(flown, refused)

    async def _retake(self, batch: store.Sealed) -> store.Head:
        deadline = self._clock.monotonic() + self.settings.ambiguity_seconds
        while True:
            try:
                with translated():
                    await self._reconnect()
                    with cut_after(self._write, self.settings.silence_seconds_max):
                        return await store.retake_book(
                            self._write, self.settings.book_id, batch.head.epoch
                        )
            except StoreUnavailable:
                if self._clock.monotonic() >= deadline:
                    self._give_up_on_waiting()
                    if self._stopping:
                        raise
                await self._clock.sleep(self.settings.reconnect_seconds)

    def _give_up_on_waiting(self) -> None:
        """Tell what is known: a batch that was sent is ambiguous, the rest did nothing."""
        for ticket in self._flying:
            ticket.fail(Ambiguous())
        for ticket in (*self._open, *self._queue):
            ticket.fail(StoreUnavailable())
        self._queued -= sum(len(ticket.commands) for ticket in self._queue)
        self._queue.clear()

    def _adopt(self, head: store.Head) -> None:
        """Begin anew from what PostgreSQL has."""
        self._generation += 1
        self._head = head
        self._busy = {}
        self._book.forget()
        self._book.batch_no = head.batch_no + 1

    async def _reconnect(self) -> None:
        for connection in (self._read, self._write):
            await _close(connection, at_once=True)
        self._read = await store.open_line(self._dsn)
        self._write = await store.open_line(self._dsn)

    async def _lose_read_connection(
        self, tickets: list[Ticket], unavailable: StoreUnavailable
    ) -> None:
        """Loading failed: nothing was decided. Connect again; say so if there is no hope just now.

        While a commit finds out its own fate there is hope: its tickets and these wait together.
        """
        if self._flight is not None:
            self._queue.extendleft(reversed(tickets))
            await asyncio.wait({self._flight})
            self._wake.set()
        else:
            for ticket in tickets:
                self._queued -= len(ticket.commands)
                ticket.fail(unavailable)
        if self._dead is not None or not self._read.is_closed():
            return
        try:
            self._read = await store.open_line(self._dsn)
        except StoreUnavailable:
            await self._clock.sleep(self.settings.reconnect_seconds)

    async def _learn(self) -> None:
        """Beside the work, on a connection of its own; not worth stopping for if it fails."""
        tables = [shelf.plan.table for shelf in self._book.shelves() if shelf.plan.table]
        with suppress(StoreUnavailable):
            await store.learn(self._dsn, [*tables, *(plan.table for plan in self._journals)])

    def _die(self, error: TangguhError) -> None:
        self._dead = error
        log.error("book.writer_stopped", why=str(error))
        for ticket in [*self._flying, *self._open, *self._queue]:
            ticket.fail(error)
        self._flying, self._open, self._open_commands = [], [], 0
        self._queue.clear()
        self._queued = 0


async def _close(connection: Connection, *, at_once: bool = False) -> None:
    if at_once:
        connection.terminate()
    elif not connection.is_closed():
        with suppress(StoreUnavailable), translated():
            await connection.close(timeout=_CLOSE_SECONDS_MAX)
