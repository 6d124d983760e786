"""Commands handed to the writer together, and who waits for their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from tangguh.core.errors import TangguhError
from tangguh.ledger.command import Command


class Ticket:
    """Commands handed in together, and who waits for their answers."""

    __slots__ = ("answers", "commands", "future")

    def __init__(self, commands: Sequence[Command[Any]], future: asyncio.Future[list[Any]]) -> None:
        self.commands = commands
        self.future = future
        self.answers: list[Any] = []

    def answer(self) -> None:
        """Tell the answers to whoever still waits."""
        if not self.future.done():
            self.future.set_result(self.answers)

    def fail(self, error: TangguhError) -> None:
        """Tell whoever still waits that there will be none."""
        if not self.future.done():
            self.future.set_exception(error)


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
