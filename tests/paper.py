"""A rail on paper: its answers are written by the test, and it remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from tangguh.core.known import Tristate
from tangguh.core.outcome import Accepted, Outcome, Unanswered
from tangguh.rails.onus import OnUs
from tangguh.rails.rail import Asked, Capabilities, Found, Instruction, Question, Rail, Refunding

Answer = Outcome | Callable[[], Outcome]


class PaperRail:
    """Answers each kind of call from its own list, the last answer for ever."""

    name = "qris"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.answers: dict[str, list[Answer]] = {
            "send": [Accepted("RRN000000001")],
            "inquire": [Unanswered("not_found")],
            "reverse": [Unanswered("silent")],
            "refund": [Accepted("REF000000001")],
            "inquire_refund": [Unanswered("not_found")],
        }
        self.gate: asyncio.Event | None = None
        self.asking: asyncio.Event | None = None
        self.there = Tristate.YES

    def will(self, kind: str, *answers: Answer) -> None:
        """From now on answer calls of this kind so."""
        self.answers[kind] = list(answers)

    def capabilities(self) -> Capabilities:
        return Capabilities(
            settles_inside=False,
            send_timeout_seconds=20.0,
            inquiry_delays_seconds=(3.0, 10.0, 30.0, 60.0),
        )

    def questions(self) -> dict[str, Question]:
        return {"": self._is_there}

    async def _is_there(self) -> Tristate:
        return self.there

    async def look_up(self, asked: Asked) -> Found:
        """Whoever is asked about is there, under a name of no one's."""
        payee = asked.payee
        if hasattr(payee, "name"):
            payee = msgspec.structs.replace(payee, name="PENERIMA UJI")
        return Found(payee=payee, name="PENERIMA UJI")

    async def send(self, instruction: Instruction) -> Outcome:
        if self.gate is not None:
            await self.gate.wait()
        return self._answer("send", instruction.reference)

    async def inquire(self, instruction: Instruction) -> Outcome:
        if self.asking is not None:
            await self.asking.wait()
        return self._answer("inquire", instruction.reference)

    async def reverse(self, instruction: Instruction) -> Outcome:
        return self._answer("reverse", instruction.reference)

    async def refund(self, refunding: Refunding) -> Outcome:
        return self._answer("refund", refunding.reference)

    async def inquire_refund(self, refunding: Refunding) -> Outcome:
        return self._answer("inquire_refund", refunding.reference)

    async def close(self) -> None:
        """Nothing to let go of."""

    def _answer(self, kind: str, reference: str) -> Outcome:
        self.asked.append((kind, reference))
        written = self.answers[kind]
        answer = written[0] if len(written) == 1 else written.pop(0)
        return answer() if callable(answer) else answer


def paper_rails(paper: PaperRail) -> dict[str, Rail]:
    """A bank connected to every network there is, all of them on one sheet of paper."""
    far = ("qris", "bifast", "iso8583", "ewallet", "billers")
    return {"onus": OnUs(), "emoney": OnUs("emoney"), **dict.fromkeys(far, paper)}
