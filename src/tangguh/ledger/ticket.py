"""Commands handed to the writer together, and who waits for their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from math import inf
from typing import Any

from tangguh.core.errors import Overloaded, TangguhError
from tangguh.ledger.command import Command


class Ticket:
    """Commands handed in together, and who waits for their answers."""

    __slots__ = ("answers", "came_at", "commands", "future")

    def __init__(
        self,
        commands: Sequence[Command[Any]],
        future: asyncio.Future[list[Any]],
        came_at: float = inf,
    ) -> None:
        self.commands = commands
        self.future = future
        self.came_at = came_at
        """On the clock's seconds; one that never came never lapses."""
        self.answers: list[Any] = []

    def lapses(self, before: float) -> bool:
        """Give up what came before that and is nothing but new money: it is too late to begin it.

        Money on its way back, and what a network said, are decided however late.
        """
        if self.came_at >= before or not all(map(_is_new_money, self.commands)):
            return False
        self.fail(Overloaded("the book had no time for it: nothing was begun"))
        return True

    def waited(self, now: float) -> float:
        """Seconds since it came."""
        return max(now - self.came_at, 0.0)

    def answer(self) -> None:
        """Tell the answers to whoever still waits."""
        if not self.future.done():
            self.future.set_result(self.answers)

    def fail(self, error: TangguhError) -> None:
        """Tell whoever still waits that there will be none."""
        if not self.future.done():
            self.future.set_exception(error)


def _is_new_money(command: Command[Any]) -> bool:
    return getattr(command, "takes_new_money", False)


def loop_of(task: asyncio.Task[Any] | None) -> asyncio.AbstractEventLoop:
    """The loop a task runs on; without one, the loop that runs now.

    Up to Python 3.11 the question which loop runs now asks the system for the process's number.
    """
    return asyncio.get_running_loop() if task is None else task.get_loop()


def split(ticket: Ticket) -> list[Ticket]:
    """One ticket per command; the parent is answered when the last of them is."""
    if len(ticket.commands) == 1:
        return [ticket]
    loop = asyncio.get_running_loop()
    singles = [Ticket([command], loop.create_future()) for command in ticket.commands]

    def gathered(_: asyncio.Future[list[Any]]) -> None:
        if all(single.future.done() for single in singles):
            ticket.answers = [_answer_of(single.future) for single in singles]
            ticket.answer()

    for single in singles:
        single.future.add_done_callback(gathered)
    return singles


def _answer_of(future: asyncio.Future[list[Any]]) -> Any:
    error = future.exception()
    return error if error is not None else future.result()[0]
