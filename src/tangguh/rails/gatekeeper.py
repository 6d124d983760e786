"""The gatekeeper of one rail: nothing is sent that the ledger did not sign (ring 1, in-process).

It wraps any rail. Only ``send`` makes money leave, so only ``send`` is judged; inquiries,
reversals, refunds and whatever else a rail can do pass. A gateway that runs apart checks the same
authorisation again where the rail has one: this one needs no network to say no.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tangguh.core import authorisation
from tangguh.core.authorisation import Facts, creditor_of
from tangguh.core.clock import Clock
from tangguh.core.outcome import Outcome, Unanswered
from tangguh.rails.link import withheld
from tangguh.rails.rail import Capabilities, Instruction, Rail, Refunding

log = structlog.get_logger("rails.gatekeeper")

Alarm = Callable[[str, str, str], None]
"""Told (rail, reference, why) of every message that was refused: a signal of class A."""

REUSED: Final = "reused"
_OPTIONAL: Final = ("look_up", "inquire_incoming", "questions")
"""What some rails can do beyond ``Rail`` and are asked for by ``isinstance`` of a protocol."""


def log_alarm(rail: str, reference: str, why: str) -> None:
    """The alarm nobody has wired to anything better."""
    log.error("gatekeeper.refused", rail=rail, reference=reference, why=why)


class Gatekeeper:
    """A rail behind its gate. What it can do beyond ``Rail`` is found on it as on the rail."""

    def __init__(
        self,
        name: str,
        rail: Rail,
        public_key: Ed25519PublicKey,
        clock: Clock,
        alarm: Alarm = log_alarm,
    ) -> None:
        self.name = name
        self.inner = rail
        self.alarm = alarm
        self._public_key = public_key
        self._clock = clock
        self._used: dict[str, datetime] = {}
        self._until_forgotten: deque[tuple[datetime, str]] = deque()
        for what in _OPTIONAL:
            # In the instance's own dict: isinstance of a protocol looks past __getattr__.
            if hasattr(rail, what):
                setattr(self, what, getattr(rail, what))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def capabilities(self) -> Capabilities:
        """The rail's."""
        return self.inner.capabilities()

    async def send(self, instruction: Instruction) -> Outcome:
        """Send what is authorised, once.

        NotSent: no authorisation covers it, and nothing left. A reference that was let out before
        is Unanswered: this copy did not leave, but the first one may have paid.
        """
        if why := self._judge(instruction):
            self.alarm(self.name, instruction.reference, why)
            if why == REUSED:
                return Unanswered("not authorised: reused")
            return withheld(f"not authorised: {why}")
        return await self.inner.send(instruction)

    async def inquire(self, instruction: Instruction) -> Outcome:
        """The rail's."""
        return await self.inner.inquire(instruction)

    async def reverse(self, instruction: Instruction) -> Outcome:
        """The rail's."""
        return await self.inner.reverse(instruction)

    async def refund(self, refunding: Refunding) -> Outcome:
        """The rail's: a refund brings money back to us."""
        return await self.inner.refund(refunding)

    async def inquire_refund(self, refunding: Refunding) -> Outcome:
        """The rail's."""
        return await self.inner.inquire_refund(refunding)

    async def close(self) -> None:
        """The rail's."""
        await self.inner.close()

    def _judge(self, instruction: Instruction) -> str:
        """What is wrong with it; empty when it may go. A reference that may go is used up."""
        now, token = self._clock.now(), instruction.authorisation
        if why := authorisation.verify(self._public_key, token, self._facts_of(instruction), now):
            return why
        while self._until_forgotten and self._until_forgotten[0][0] <= now:
            self._used.pop(self._until_forgotten.popleft()[1], None)
        reference = instruction.reference
        if reference in self._used:
            return REUSED
        found = authorisation.read(token)
        assert found is not None
        self._used[reference] = found.expires_at
        self._until_forgotten.append((found.expires_at, reference))
        return ""

    def _facts_of(self, instruction: Instruction) -> Facts:
        return Facts(
            reference=instruction.reference,
            rail=self.name,
            debtor=instruction.debtor_account,
            creditor=creditor_of(instruction.payee),
            amount_minor=instruction.amount_minor + instruction.tip_minor,
        )


def behind(rail: Rail | None) -> Rail | None:
    """The rail itself, where somebody has to know which one it is."""
    return rail.inner if isinstance(rail, Gatekeeper) else rail
