"""The one shape of every rail: send, inquire, reverse, refund, capabilities.

A rail carries instructions and reports outcomes. It decides nothing about money, holds no
transaction open, and never turns "no answer" into "no": ``link`` alone judges NotSent.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from tangguh.core.order import Payee
from tangguh.core.outcome import Outcome


class Capabilities(msgspec.Struct, frozen=True):
    """What a rail can do and how patient the resolver must be with it.

    ``inquiry_delays_seconds``: how long after the send each inquiry goes out; the last repeats.
    ``send_timeout_seconds``: after this a held payment counts as unanswered, never as not sent.
    """

    settles_inside: bool
    send_timeout_seconds: float
    inquiry_delays_seconds: tuple[float, ...]


class Instruction(msgspec.Struct, frozen=True, kw_only=True):
    """What a rail is told to carry: one payment, by the reference it keeps for ever.

    ``reference`` is unique per payment and the same on every send, inquiry and reversal, so that
    the network can recognise a repeat. Amounts in minor units; ``amount_minor`` includes no tip.
    """

    payment_id: UUID
    reference: str
    payee: Payee
    amount_minor: int
    tip_minor: int
    currency: str
    debtor_account: int
    accepted_at: datetime


class Refunding(msgspec.Struct, frozen=True, kw_only=True):
    """A refund to be carried: its own reference, and the payment it gives back from."""

    reference: str
    amount_minor: int
    reason: str
    original: Instruction


class Rail(Protocol):
    """A way for money to leave (or not leave) the bank. Every method returns, none raises."""

    name: str

    def capabilities(self) -> Capabilities:
        """What this rail can do."""
        ...

    async def send(self, instruction: Instruction) -> Outcome:
        """Ask the network to pay, once. A repeat with the same reference must not pay twice."""
        ...

    async def inquire(self, instruction: Instruction) -> Outcome:
        """Ask what became of it. One that does not know it: Unanswered("not_found")."""
        ...

    async def reverse(self, instruction: Instruction) -> Outcome:
        """Ask that it shall not happen.

        Declined: it did not and never will. Accepted: too late, it was paid. Unanswered: ask again.
        """
        ...

    async def refund(self, refunding: Refunding) -> Outcome:
        """Ask for money back from the payee. Same rule for repeats as ``send``."""
        ...

    async def inquire_refund(self, refunding: Refunding) -> Outcome:
        """Ask what became of a refund."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
