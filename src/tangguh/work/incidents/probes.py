"""Questions of our own: is the book there, does each network answer? No payment is needed for it.

They run beside each other, each with a deadline, so that one that hangs delays no other. A question
without an answer is asked again soon: what is down is known quickly, and what is back, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from tangguh.core.clock import Clock
from tangguh.core.errors import TangguhError
from tangguh.core.known import Tristate
from tangguh.core.service import Service
from tangguh.core.supervision import beat
from tangguh.db.pool import Connection, connect, cut_after, translated
from tangguh.payments.desk import Desk
from tangguh.payments.gates.change import ReadBoard
from tangguh.rails.rail import Probed, Question, Rail
from tangguh.status.observation import Probe
from tangguh.work.incidents.affected import INCIDENTS

log = structlog.get_logger("incidents.probes")

BOOK: Final = ("", "")
"""The key of the bank's own book."""
INSIDE: Final = frozenset({"onus", "emoney"})
"""Rails that need the book and nobody else."""
_SILENT_SECONDS: Final = 2.5
_UNWRITTEN_SECONDS: Final = 60.0
"""So long nobody needs to know that the disk takes what is written."""

Key = tuple[str, str]
"""Rail and partner; an empty partner stands for the whole rail."""


class BookQuestion:
    """Whether the book decides and PostgreSQL answers and takes writes, on a line of its own.

    Looks write nothing, so an idle book would not notice a disk that takes nothing. ``written``
    tells how many batches the writer has committed; when there was none for a minute, a sign of
    life is written, which leaves no row (ADR-0044).
    """

    def __init__(self, desk: Desk, dsn: str, book_id: int, written: Callable[[], int]) -> None:
        self._desk = desk
        self._dsn = dsn
        self._book_id = book_id
        self._written = written
        self._known = written()
        self._known_at = desk.clock.monotonic()
        self._line: Connection | None = None

    async def __call__(self) -> Tristate:
        """NO when either cannot be had. A line that failed is made anew the next time."""
        try:
            await self._desk.decide(ReadBoard())
            if self._line is None or self._line.is_closed():
                self._line = await connect(self._dsn)
            with translated(), cut_after(self._line, _SILENT_SECONDS):
                if (
                    await self._line.fetchval(INCIDENTS["book_is_there"], self._book_id)
                    != self._book_id
                ):
                    return Tristate.NO
                await self._see_it_written(self._line)
        except TangguhError:
            return Tristate.NO
        return Tristate.YES

    async def _see_it_written(self, line: Connection) -> None:
        """By what the writer wrote itself; by a sign of life when it had nothing to write."""
        now, written = self._desk.clock.monotonic(), self._written()
        if written == self._known:
            if now - self._known_at < _UNWRITTEN_SECONDS:
                return
            await self._sign(line)
        self._known, self._known_at = written, now

    async def _sign(self, line: Connection) -> None:
        await line.execute(INCIDENTS["sign_of_life"])

    def close(self) -> None:
        """Let go of the line."""
        if self._line is not None:
            self._line.terminate()


class Probes:
    """The newest answer to each question; ``run`` asks until cancelled."""

    def __init__(
        self,
        questions: Mapping[Key, Question],
        clock: Clock,
        *,
        probe_seconds: float,
        again_seconds: float = 1.0,
        deadline_seconds: float = 3.0,
    ) -> None:
        """``again_seconds``: how soon a question that failed is asked again."""
        self._questions = dict(questions)
        self._clock = clock
        self._probe_seconds = probe_seconds
        self._again_seconds = again_seconds
        self._deadline_seconds = deadline_seconds
        self._listeners: list[Callable[[Key, Probe], None]] = []
        self.newest: dict[Key, Probe] = {}

    def listen(self, listener: Callable[[Key, Probe], None]) -> None:
        """Call ``listener`` with every answer from now on. It must not block."""
        self._listeners.append(listener)

    @property
    def book(self) -> Probe | None:
        """The newest word on our own book."""
        return self.newest.get(BOOK)

    def of(self, service: Service) -> Probe | None:
        """The newest word on whoever carries a service; None: nobody can be asked."""
        if service.rail in INSIDE:
            return self.book
        named = self.newest.get((service.rail, service.partner))
        return named if named is not None else self.newest.get((service.rail, ""))

    async def run(self) -> None:
        """Ask on and on, each question at its own pace, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for key in self._questions:
                group.create_task(self._ask_on(key))

    async def ask_all(self) -> None:
        """Ask everything once, beside each other."""
        await asyncio.gather(*(self.ask(key) for key in self._questions))

    async def ask(self, key: Key) -> Probe:
        """Ask one question. No answer in time is a no, and so is a question that breaks."""
        at = self._clock.now()
        try:
            async with asyncio.timeout(self._deadline_seconds):
                answer = await self._questions[key]()
        except TimeoutError:
            answer = Tristate.NO
        except Exception:
            log.exception("probes.broken", rail=key[0], partner=key[1])
            answer = Tristate.NO
        before = self.newest.get(key)
        first = Probe(answer=answer, at=at, since=at, ours=key == BOOK)
        probe = first if before is None else before.then(answer, at)
        if before is None or before.answer is not answer:
            log.warning("probes.changed", rail=key[0], partner=key[1], answer=answer.value)
        self.newest[key] = probe
        for listener in self._listeners:
            listener(key, probe)
        return probe

    async def _ask_on(self, key: Key) -> None:
        while True:
            beat(self._probe_seconds)
            probe = await self.ask(key)
            is_well = probe.answer is Tristate.YES
            await self._clock.sleep(self._probe_seconds if is_well else self._again_seconds)


def questions_of(rails: Mapping[str, Rail], book: Question) -> dict[Key, Question]:
    """Every question the bank can ask: its own book, and each network of a rail that has one."""
    found: dict[Key, Question] = {BOOK: book}
    for name, rail in rails.items():
        if isinstance(rail, Probed):
            found |= {(name, partner): one for partner, one in rail.questions().items()}
    return found
