"""The writer as its callers see it, and the bounds it works within."""

from __future__ import annotations

from typing import Protocol, TypeVar

import msgspec

from tangguh.ledger.command import Command

A = TypeVar("A")


class Decider(Protocol):
    """Whoever can have a command decided: the writer in this process, or one behind a socket."""

    async def decide(self, command: Command[A]) -> A:
        """The durable answer. Raises Overloaded, StoreUnavailable or Ambiguous."""
        ...


class WriterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one writer, each with its unit.

    ``silence_seconds_max``: a connection on which one step takes longer is cut and made anew.
    ``new_money_seconds_max``: an order that waited longer is not begun; its caller hears Overloaded
    before any of the doors has stopped listening (``web.answer_seconds``).
    """

    book_id: int = 1
    batch_commands_max: int = 2_000
    queue_commands_max: int = 20_000
    ambiguity_seconds: float = 5.0
    reconnect_seconds: float = 0.1
    silence_seconds_max: float = 5.0
    new_money_seconds_max: float = 3.0
