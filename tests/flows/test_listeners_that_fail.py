"""Whoever listens to payments may fail: the payment was decided, is sent, and is answered."""

from __future__ import annotations

from typing import Any

import pytest

from flows.test_gates import close, shut
from paper import PaperRail
from stories import RUPIAH, balance, pay, proved, scan
from tangguh.app import Bank
from tangguh.core.listeners import FAILED
from tangguh.core.marks import MARKS
from tangguh.core.outcome import Accepted
from tangguh.payments.gates.change import ReadBoard
from tangguh.payments.payment import Payment, State


class Deaf:
    """A listener that cannot."""

    def __init__(self) -> None:
        self.heard = 0

    def __call__(self, *_: Any) -> None:
        self.heard += 1
        raise RuntimeError("a bug in who listens")


@pytest.mark.parametrize("how", ["watch", "observe"])
async def test_a_payment_goes_on_though_a_listener_fails(
    bank: Bank, paper: PaperRail, how: str
) -> None:
    """It is sent to its rail and posted, whoever listens next still hears it, the guard is told."""
    deaf, hears = Deaf(), list[Payment]()
    listeners: Any = bank.desk._watchers if how == "watch" else bank.desk._observers
    listeners.all.insert(0, deaf)
    before = MARKS.reached[FAILED]
    bank.desk.watch(hears.append)
    paper.will("send", Accepted("RRN1"))
    payment = await pay(bank, await scan(bank, 30_000 * RUPIAH))
    assert payment.state is State.POSTED
    assert deaf.heard == 2
    assert [one.state for one in hears] == [State.HELD, State.POSTED]
    assert (await balance(bank, payment.debtor)).held_minor == 0
    assert MARKS.reached[FAILED] == before + 2
    await proved(bank)


async def test_a_closure_is_made_though_a_listener_fails(bank: Bank) -> None:
    """Whoever closes is told that it is closed."""
    deaf = Deaf()
    bank.desk._gate_listeners.all.insert(0, deaf)
    made = await close(bank, shut(bank))
    assert deaf.heard == 1
    board = await bank.desk.decide(ReadBoard())
    assert board.find(made.id) is not None
