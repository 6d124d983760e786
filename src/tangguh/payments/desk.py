"""The desk a payment is handled at: the book, the rails, the rules and the clock in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from tangguh.core.clock import Clock
from tangguh.core.errors import Misconfigured, StoreCannotWrite
from tangguh.core.listeners import Listeners
from tangguh.core.order import Origin
from tangguh.guard.closure import Closure
from tangguh.ledger.command import Command
from tangguh.ledger.writer import Decider
from tangguh.payments.gates.facts import NO_ORIGIN
from tangguh.payments.payment import Decided, Payment
from tangguh.payments.rules import Rules
from tangguh.payments.signer import Signer
from tangguh.rails.rail import Enquirer, Instruction, Rail, Refunding

A = TypeVar("A")


class Desk:
    """What the walk needs. Everybody who watches payments is told after each durable decision."""

    def __init__(
        self,
        book: Decider,
        rails: Mapping[str, Rail],
        rules: Rules,
        clock: Clock,
        signer: Signer | None = None,
    ) -> None:
        self._book = book
        self._rails = dict(rails)
        self._signer = signer
        self._watchers = Listeners[[Payment]]()
        self._observers = Listeners[[Payment, Origin]]()
        self._gate_listeners = Listeners[[]]()
        self.rules = rules
        self.clock = clock
        self.takes_new_money: Callable[[], bool] = lambda: True
        """Whether there is room to write down new money and what follows; set by who measures."""

    async def decide(self, command: Command[A]) -> A:
        """Have a command decided; tell the watchers when it was about a payment."""
        if getattr(command, "takes_new_money", False) and not self.takes_new_money():
            raise StoreCannotWrite("the disk is filling up: no new money for now")
        answer = await self._book.decide(command)
        if isinstance(answer, Decided) and not answer.repeated:
            self._watchers.tell(answer.payment)
            self._observers.tell(answer.payment, getattr(command, "origin", NO_ORIGIN))
        elif isinstance(answer, Closure | tuple) and answer:
            self._gate_listeners.tell()
        return answer

    def watch(self, watcher: Callable[[Payment], None]) -> None:
        """Call ``watcher`` with every payment a durable decision changed. It must not block."""
        self._watchers.add(watcher)

    def observe(self, observer: Callable[[Payment, Origin], None]) -> None:
        """As ``watch``, with where the order came from. For the guard."""
        self._observers.add(observer)

    def on_gates(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after a decision that may have changed the board. It must not block."""
        self._gate_listeners.add(listener)

    def enquirer(self, rail: str) -> Enquirer | None:
        """The rail of this name, when it can say who a payee is."""
        found = self._rails.get(rail)
        return found if isinstance(found, Enquirer) else None

    def authorise(self, payment: Payment) -> str:
        """The ledger's leave to send a held payment; empty at a desk that signs nothing.

        Raises InvariantBroken for a payment that is not held: ask only after the durable decision.
        """
        return self._signer.authorise(payment) if self._signer is not None else ""

    def rail_of(self, payment: Payment) -> Rail:
        """The rail that carries it."""
        try:
            return self._rails[payment.rail]
        except KeyError:
            raise Misconfigured(f"no rail is called {payment.rail!r}") from None


def instruction_of(payment: Payment, authorisation: str = "") -> Instruction:
    """What the rail is told of a payment; the same on every send, inquiry and reversal."""
    order = payment.order
    payee = getattr(order, "payee", None)
    if payee is None:
        raise Misconfigured(f"{payment.id} is a refund and has no payee of its own")
    return Instruction(
        payment_id=payment.id,
        reference=payment.reference,
        payee=payee,
        amount_minor=payment.amount_minor,
        tip_minor=payment.tip_minor,
        currency=payment.currency,
        debtor_account=payment.debtor,
        accepted_at=payment.accepted_at,
        debtor_name=getattr(order, "debtor_name", ""),
        service=payment.service,
        note=getattr(order, "note", ""),
        authorisation=authorisation,
    )


def refunding_of(refund: Payment, original: Payment) -> Refunding:
    """What the rail is told of a refund."""
    return Refunding(
        reference=refund.reference,
        amount_minor=refund.amount_minor,
        reason=getattr(refund.order, "reason", ""),
        original=instruction_of(original),
    )
