"""The one shape of every rail: send, inquire, reverse, refund, capabilities.

A rail carries instructions and reports outcomes. It decides nothing about money, holds no
transaction open, and never turns "no answer" into "no": ``link`` alone judges NotSent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final, Protocol, runtime_checkable
from uuid import UUID

import msgspec

from tangguh.core.known import Tristate
from tangguh.core.order import Payee
from tangguh.core.outcome import Accepted, Declined, NotSent, Outcome, Unanswered


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
    ``authorisation`` is the ledger's leave to send it, empty for anything but ``send``.
    """

    payment_id: UUID
    reference: str
    payee: Payee
    amount_minor: int
    tip_minor: int
    currency: str
    debtor_account: int
    accepted_at: datetime
    debtor_name: str = ""
    service: str = ""
    note: str = ""
    authorisation: str = ""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a network says of a payee before anything is paid: the name, and what is owed.

    ``payee`` is complete: with the name, the inquiry's reference, the session. ``amount_minor`` is
    what a bill comes to, None where the payer chooses; ``fee_minor`` is the network's own fee.
    ``lines`` are (name, value) pairs for the payer's eyes.
    """

    payee: Payee
    name: str
    amount_minor: int | None = None
    fee_minor: int = 0
    lines: tuple[tuple[str, str], ...] = ()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """An inquiry before a payment: the payee as typed, how much is meant, and who asks."""

    reference: str
    payee: Payee
    amount_minor: int
    debtor_account: int
    debtor_name: str
    asked_at: datetime


@runtime_checkable
class Enquirer(Protocol):
    """A rail that can say who the payee is before the payer says yes."""

    async def look_up(self, asked: Asked) -> Found | Declined | NotSent | Unanswered:
        """Ask the network. Declined: no such payee, or no such bill. Moves nothing."""
        ...


Question = Callable[[], Awaitable[Tristate]]
"""One harmless question to a network. NO: it refuses, or does not answer, or not us."""


@runtime_checkable
class Probed(Protocol):
    """A rail whose networks can be asked whether they are there, without any payment."""

    def questions(self) -> Mapping[str, Question]:
        """By partner; the empty name is the whole rail."""
        ...


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A credit a network brings us. ``reference`` is its end-to-end id, the same on each copy.

    ``settled_as``: what the network's file calls it, where that is not its reference. ``original``
    is the reference of a payment of ours when this is that money coming back.
    """

    rail: str
    service: str
    reference: str
    creditor: str
    amount_minor: int
    currency: str
    sender_name: str = ""
    sender_bank: str = ""
    sender_account: str = ""
    note: str = ""
    original: str = ""
    settled_as: str = ""


class Facts(msgspec.Struct, frozen=True):
    """What a network's word names beside the end it tells. Amount in minor units.

    None and empty: it does not say. Whoever takes the word compares them with what was announced.
    ``bank``: the clearing code of the payee's bank; of money that comes to us, a bank it should not
    name at all.
    """

    amount_minor: int | None = None
    account: str = ""
    bank: str = ""


NO_FACTS: Final = Facts()


@runtime_checkable
class Announcing(Protocol):
    """A rail whose network announces credits before it settles them, and can be asked of them."""

    async def inquire_incoming(self, reference: str) -> tuple[Outcome, Facts]:
        """What became of a credit announced to us: Accepted is settled, Declined never will be.

        With what the answer names of it, to be compared with the announcement.
        """
        ...


class Receiver(Protocol):
    """The bank as a rail sees it when the network speaks first. Every method is safe to repeat."""

    async def announce(self, incoming: Incoming) -> Accepted | Declined | Unanswered:
        """May this credit come? Accepted reserves it; nothing is credited before ``settled``."""
        ...

    async def settled(
        self, rail: str, reference: str, outcome: Outcome, facts: Facts = NO_FACTS
    ) -> Accepted | Declined | Unanswered:
        """The network's word on an announced credit, or on a payment of ours by its reference.

        What ``facts`` name otherwise than the announcement is never booked as announced.
        """
        ...


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
