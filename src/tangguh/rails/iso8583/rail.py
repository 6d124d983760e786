"""The card switch as a rail: transfers to other banks, and cash for their cards at our terminals.

Card switches have no status inquiry. What was not answered is reversed: 0420, then 0421 until the
switch answers. Whoever holds the payment (the resolver) keeps the list and repeats; this module
keeps only what a process may forget: cards in hand, late answers, what went out before.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, Generic, TypeVar

import msgspec
import structlog

from tangguh.core.clock import Clock
from tangguh.core.errors import Misconfigured
from tangguh.core.order import ToBank, ToCash
from tangguh.core.outcome import Accepted, Declined, NotSent, Outcome, Refusal, Unanswered
from tangguh.rails.iso8583 import codes, hsm
from tangguh.rails.iso8583.hsm import Hsm
from tangguh.rails.iso8583.line import Handler
from tangguh.rails.iso8583.link import Link
from tangguh.rails.iso8583.management import KEY_NAMES
from tangguh.rails.iso8583.message import Message, judge_format, reply_to
from tangguh.rails.iso8583.outbound import orders
from tangguh.rails.iso8583.outbound.orders import CardData
from tangguh.rails.iso8583.settings import (
    Iso8583Settings,
    check,
    check_keys,
    link_settings_of,
    origin_of,
)
from tangguh.rails.iso8583.soft_hsm import SoftHsm
from tangguh.rails.iso8583.trace import reversal_stan_of
from tangguh.rails.link import Health
from tangguh.rails.rail import Asked, Capabilities, Found, Instruction, Question, Refunding

_CARDS_MAX: Final = 1_024
_REMEMBERED_MAX: Final = 65_536
_NOT_FOUND: Final = "not_found"

T = TypeVar("T")

log = structlog.get_logger("tangguh.rails.iso8583")


class Iso8583Rail:
    """Carries transfers (ToBank) and withdrawals (ToCash). ``open`` before use, in one loop."""

    name = "iso8583"

    def __init__(
        self,
        settings: Iso8583Settings,
        clock: Clock,
        *,
        security: Hsm | None = None,
        handler: Handler | None = None,
        source: random.Random | None = None,
    ) -> None:
        """``handler`` answers the switch's own requests; see ``appoint``. Raises Misconfigured."""
        check(settings)
        if security is None:
            check_keys(settings)
            security = SoftHsm(
                settings.keys, clock=clock, window_seconds=settings.key_window_seconds
            )
        self.security = security
        self._settings = settings
        self._clock = clock
        self._origin = origin_of(settings)
        self._codes = codes.ResponseCodes(settings.response_codes, settings.reversal_codes)
        self._handler = handler if handler is not None else _nobody_home
        self._cards: _Recent[CardData] = _Recent(_CARDS_MAX)
        self._sent: _Recent[Outcome] = _Recent(_REMEMBERED_MAX)
        self._copied: _Recent[bool] = _Recent(_REMEMBERED_MAX)
        self._reversed: _Recent[bool] = _Recent(_REMEMBERED_MAX)
        self._late: _Recent[Message] = _Recent(_REMEMBERED_MAX)
        self.link = Link(
            link_settings_of(settings),
            security,
            clock,
            handler=self._answer,
            on_late=self._keep_late,
            source=source,
        )

    @property
    def health(self) -> Health:
        """What the link to the switch has seen."""
        return self.link.health

    def questions(self) -> Mapping[str, Question]:
        """The switch has an echo of its own."""
        return {"": self.link.is_there}

    def capabilities(self) -> Capabilities:
        """How long a send may take, and when to look again."""
        return Capabilities(
            settles_inside=False,
            send_timeout_seconds=self._settings.reply_timeout_seconds,
            inquiry_delays_seconds=self._settings.inquiry_delays_seconds,
        )

    def appoint(self, handler: Handler) -> None:
        """Who answers the switch's own requests from now on; until then they are told 91."""
        self._handler = handler

    async def open(self, keys: hsm.KeptKeys | None = None) -> None:
        """Begin to connect; sends before the switch signed us on are NotSent.

        ``keys``: those the switch gave us before, which are in force again, and where to keep the
        next ones. Raises what reading them raises.
        """
        link = self.link
        link.configured = {
            key: self.security.key_check_value(key)
            for _, key in KEY_NAMES
            if key in self._settings.keys
        }
        for kept in await keys.kept() if keys is not None else []:
            current = link.configured.get(kept.key, "")
            if current != kept.instead_of or not self.security.use_key(kept.key, kept.sealed):
                log.warning("iso8583.kept_key_not_used", key=kept.key)
        self.security.end_window()
        link.keys = keys
        await link.open()

    async def look_up(self, asked: Asked) -> Found | Declined | NotSent | Unanswered:
        """Whose account it is: 0200 391000, the name in DE48 of the answer."""
        payee = asked.payee
        if not isinstance(payee, ToBank):
            return Declined(Refusal.ORDER_INVALID)
        trace = self.link.numbers.next()
        question = orders.transfer_inquiry(self._origin, asked, payee, trace)
        if question is None or judge_format(question):
            return Declined(Refusal.ORDER_INVALID)
        answer = await self.link.ask(question)
        if not isinstance(answer, Message):
            return answer
        outcome = self._codes.outcome(answer.get(39), trace.rrn)
        if not isinstance(outcome, Accepted):
            return outcome
        name = orders.name_in(answer)
        if not name:
            return Unanswered("answer names nobody")
        known = msgspec.structs.replace(payee, name=name, inquiry=trace.rrn)
        return Found(payee=known, name=name)

    def carry(self, reference: str, card: CardData) -> None:
        """Hold a card's data for the send that follows at once; it is written nowhere."""
        self._cards.put(reference, card)

    async def send(self, instruction: Instruction) -> Outcome:
        """Pay once. After an Unanswered, reverse: a switch cannot be asked."""
        question = self._question(instruction)
        if not isinstance(question, Message):
            return question
        before = self._sent.get(instruction.reference)
        if before is not None:
            self._copied.put(instruction.reference, value=True)
        self._sent.put(instruction.reference, before or Unanswered("under way"))
        answer = await self.link.ask(question)
        if isinstance(answer, NotSent):
            if before is not None:
                # About this copy it is true; about the payment nothing is known.
                return Unanswered(answer.why)
            self._sent.take(instruction.reference)
        if not isinstance(answer, Message):
            return answer
        at_terminal = isinstance(instruction.payee, ToCash)
        approval = answer.get(38) if at_terminal else ""
        outcome = self._codes.outcome(answer.get(39), answer.get(37), approval)
        if isinstance(outcome, Declined):
            if isinstance(before, Unanswered | Accepted):
                return Unanswered("a copy was declined, the first one is not known")
            if at_terminal:
                outcome = _about_the_card(outcome)
        self._sent.put(instruction.reference, outcome)
        return outcome

    async def inquire(self, instruction: Instruction) -> Outcome:
        """What a late answer proves. A late yes proves nothing yet: it is to be reversed.

        Nor does a late no where several copies went out: the first may have been paid.
        """
        trace = orders.trace_for(instruction)
        late = self._late.get(f"0210{trace.rrn}{trace.stan}")
        if late is not None and self._copied.get(instruction.reference) is None:
            outcome = self._codes.outcome(late.get(39), trace.rrn)
            if isinstance(outcome, Declined):
                return outcome
        return Unanswered(_NOT_FOUND)

    async def reverse(self, instruction: Instruction) -> Outcome:
        """0420, and 0421 on every further call. The resolver repeats until it is answered."""
        rrn = orders.trace_for(instruction).rrn
        late = self._late.get(f"0430{rrn}{reversal_stan_of(instruction.payment_id)}")
        if late is not None:
            outcome = self._codes.outcome_of_reversal(late.get(39), rrn)
            if not isinstance(outcome, Unanswered):
                return outcome
        answer = await self._reverse(instruction)
        if not isinstance(answer, Message):
            return answer
        return self._codes.outcome_of_reversal(answer.get(39), rrn)

    async def reverse_partial(self, instruction: Instruction, dispensed_minor: int) -> Outcome:
        """Only part of the notes came out (DE95). Accepted: the switch has taken that down."""
        if not 0 < dispensed_minor < instruction.amount_minor:
            return Declined(Refusal.ORDER_INVALID)
        answer = await self._reverse(instruction, dispensed_minor)
        if not isinstance(answer, Message):
            return answer
        outcome = self._codes.outcome_of_reversal(answer.get(39), answer.get(37))
        if answer.get(39) == codes.APPROVED:
            return Accepted(answer.get(37))
        return outcome if isinstance(outcome, Declined) else Unanswered("not taken down")

    async def refund(self, refunding: Refunding) -> Outcome:
        """Notes that did not come out: a reversal of that part, or of all. Else there is none."""
        original = refunding.original
        if not isinstance(original.payee, ToCash):
            return Declined(Refusal.PAYMENT_NOT_REFUNDABLE)
        dispensed_minor = original.amount_minor - refunding.amount_minor
        if dispensed_minor > 0:
            return await self.reverse_partial(original, dispensed_minor)
        outcome = await self.reverse(original)
        match outcome:
            case Declined(code=code):
                return Accepted(code)
            case Accepted():
                return Declined(Refusal.PAYMENT_NOT_REFUNDABLE)
            case _:
                return outcome

    async def inquire_refund(self, refunding: Refunding) -> Outcome:
        """A reversal has no inquiry: it is repeated, and answered the same."""
        return await self.refund(refunding)

    async def close(self) -> None:
        """Sign off and let go of the connection."""
        await self.link.close()

    async def _answer(self, request: Message) -> Message | None:
        return await self._handler(request)

    def _question(self, instruction: Instruction) -> Message | Outcome:
        payee = instruction.payee
        question: Message | None = None
        if isinstance(payee, ToBank):
            question = orders.transfer(self._origin, instruction, self._pan_of(instruction))
        elif isinstance(payee, ToCash):
            card = self._cards.take(instruction.reference)
            if card is None:
                # It may have gone out before with the card: only a reversal is safe.
                return Unanswered("card is not in hand")
            try:
                block = self.security.translate_pin(
                    card.pin_block, card.pan, source=card.pin_key, target=hsm.ZPK
                )
            except Misconfigured:
                block = None
            if block is None:
                return Declined(Refusal.ORDER_INVALID, "pin_block")
            question = orders.withdrawal(self._origin, instruction, card, block)
        if question is None or judge_format(question):
            return Declined(Refusal.ORDER_INVALID)
        return question

    async def _reverse(
        self, instruction: Instruction, dispensed_minor: int = 0
    ) -> Message | Unanswered:
        """NotSent of a reversal is about that message, and must never free the payment."""
        pan = self._pan_of(instruction)
        if not pan:
            return Unanswered("card cannot be opened")
        message = orders.reversal(
            self._origin,
            instruction,
            pan,
            self._clock.now(),
            repeat=self._reversed.get(instruction.reference) is not None,
            dispensed_minor=dispensed_minor,
        )
        if message is None or judge_format(message):
            return Unanswered("this link cannot say it")
        answer = await self.link.ask(message)
        if isinstance(answer, NotSent):
            return Unanswered(answer.why)
        self._reversed.put(instruction.reference, value=True)
        return answer

    def _pan_of(self, instruction: Instruction) -> str:
        payee = instruction.payee
        if isinstance(payee, ToCash):
            return self.security.open_sealed(payee.sealed_pan) or ""
        return orders.account_pan(self._origin.pan_prefix, instruction.debtor_account)

    def _keep_late(self, answer: Message) -> None:
        """An answer nobody waits for: kept by its type, reference number and STAN."""
        self._late.put(f"{answer.mti}{answer.get(37)}{answer.get(11)}", answer)


class _Recent(Generic[T]):
    """The newest values by key; the oldest goes when there are too many."""

    def __init__(self, values_max: int) -> None:
        self._max = values_max
        self._values: OrderedDict[str, T] = OrderedDict()

    def put(self, key: str, value: T) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._max:
            self._values.popitem(last=False)

    def get(self, key: str) -> T | None:
        return self._values.get(key)

    def take(self, key: str) -> T | None:
        return self._values.pop(key, None)


def _about_the_card(outcome: Declined) -> Declined:
    """For cash there is no payee: what is not found is the card's account."""
    if outcome.reason is Refusal.FAR_ACCOUNT_NOT_FOUND:
        return Declined(Refusal.PARTNER_DECLINED, outcome.code)
    return outcome


async def _nobody_home(request: Message) -> Message | None:
    """The answer where nobody was appointed to give one."""
    return reply_to(request, codes.INOPERATIVE)
