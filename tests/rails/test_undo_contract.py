"""The contract of undoing, for every rail: in any order, twice, in part, late, and never counted.

A network that undoes gives back what was paid; one that does not says that it stays paid. Each case
runs for every rail that has it; for one that has not, a test says so and what it does instead.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pytest

from machines import FEE, Machines, machines_of
from paper import PaperRail
from rails.cards_harness import CardsHarness, card_in_hand, cash
from rails.harness import Far, OnUsHarness
from rails.traits import TRAITS, Point
from stories import ANA, MERCHANT, RUPIAH, account_of, proved
from tangguh.app import Bank
from tangguh.core import service as names
from tangguh.core.clock import HandClock, business_date
from tangguh.core.order import Payee, PaymentOrder, RefundOrder, ToBank, ToBiller, ToWallet
from tangguh.core.outcome import (
    Accepted,
    Declined,
    NotSent,
    Outcome,
    Refusal,
    Refused,
    Unanswered,
)
from tangguh.payments import flow
from tangguh.payments import store as payments
from tangguh.payments.refund import AcceptRefund
from tangguh.rails.iso8583 import hsm
from tangguh.rails.rail import Rail

RP600K = 600_000_00
RP200K = 200_000_00
DAY_SECONDS = 86_400.0


async def ends_undone(far: Far, outcome: Outcome) -> None:
    """Given back where the network undoes; else it says that it stays paid, and it does."""
    if far.traits.has("undo"):
        assert isinstance(outcome, Declined)
        assert far.paid_minor() == 0
    else:
        assert isinstance(outcome, Accepted)
        assert far.paid_minor() == RP600K


class TestAtTheNetwork:
    """A payment of ours, taken back where it was carried."""

    async def test_original_then_undo(self, far: Far) -> None:
        asked = far.instruction()
        assert isinstance(await far.send(asked), Accepted)
        await ends_undone(far, await far.reverse(asked))

    async def test_undo_then_original(self, cancelling: Far) -> None:
        asked = cancelling.instruction()
        assert isinstance(await cancelling.reverse(asked), Declined)
        assert isinstance(await cancelling.send(asked), Declined)
        assert cancelling.paid_minor() == 0

    async def test_undo_then_original_where_nothing_can_be_called_off(self, waiting: Far) -> None:
        """Such a network says nothing certain, so nobody may take it for a no."""
        asked = waiting.instruction()
        assert isinstance(await waiting.reverse(asked), Unanswered)
        assert isinstance(await waiting.send(asked), Accepted)
        # As the resolver walks: it asks first, and reverses only what nobody knows.
        assert isinstance(await waiting.inquire(asked), Accepted)
        await ends_undone(waiting, await waiting.reverse(asked))

    async def test_undo_twice(self, far: Far) -> None:
        asked = far.instruction()
        await far.send(asked)
        for _ in range(2):
            await ends_undone(far, await far.reverse(asked))

    async def test_late_by_a_day(self, far: Far) -> None:
        """Whatever was short-lived (a token, a session) is over by then, and made anew."""
        asked = far.instruction()
        await far.send(asked)
        await far.advance(DAY_SECONDS)
        await ends_undone(far, await far.reverse(asked))

    async def test_after_settlement(self, far: Far) -> None:
        asked = far.instruction()
        await far.send(asked)
        today = business_date(far.clock.now())
        await far.advance(DAY_SECONDS)
        assert far.network.settlement_file(today)
        await ends_undone(far, await far.reverse(asked))

    async def test_after_the_process_that_sent_it(self, far: Far) -> None:
        """What was held in memory, a card for instance, is gone."""
        asked = far.instruction()
        await far.send(asked)
        heir = await far.restarted()
        far.rail = heir
        await ends_undone(far, await far.reverse(asked, heir))

    async def test_a_part(self, far: Far) -> None:
        """Only notes come out in part; elsewhere there is nothing to call a part undone with."""
        if not isinstance(far, CardsHarness):
            assert not hasattr(far.rail, "reverse_partial"), "then it has to be tested here"
            return
        asked = cash(far.rail, amount_minor=RP600K)
        far.rail.carry(asked.reference, card_in_hand(far.rail))
        assert isinstance(await far.send(asked), Accepted)
        for _ in range(2):
            outcome = await far.passing(far.rail.reverse_partial(asked, RP200K))
            assert isinstance(outcome, Accepted)
            assert far.drawn_minor() == RP200K

    async def test_inside_the_bank_nothing_is_taken_back_by_a_rail(self) -> None:
        """On-us payments end in the step that accepts them: the book undoes them, not a rail."""
        rail: Rail = OnUsHarness().rail
        assert rail.capabilities().settles_inside


BILLER = ToBiller(biller="electricity", customer_no="123456789012", name="PENERIMA UJI")
WAYS: Final[dict[str, tuple[str, Payee]]] = {
    "qris": (names.QRIS_OFFUS, MERCHANT),
    "ewallet": (names.TOPUP["dana"], ToWallet(wallet="dana", number="081234567890")),
    "billers": (names.BILL["electricity"], BILLER),
    "bifast": (names.TRANSFER_BIFAST, ToBank(bank="014", account="5260000001", name="UJI")),
    "iso8583": (names.TRANSFER_CARDS, ToBank(bank="014", account="5260000001", name="UJI")),
}
"""A service of every rail that leaves the bank."""
NOT_PAID: Final[dict[str, Callable[[PaperRail], None]]] = {
    "declined": lambda paper: paper.will("send", Declined(Refusal.PARTNER_DECLINED, "05")),
    "not sent": lambda paper: paper.will("send", NotSent("not connected")),
}
AMOUNT = 100_000 * RUPIAH


class TestInTheBook:
    """What was undone was never counted against a limit, on any rail."""

    async def order(self, bank: Bank, rail: str) -> PaymentOrder:
        service, payee = WAYS[rail]
        return PaymentOrder(
            customer_id=ANA, idempotency_key="u-1", service=service,
            debtor=await account_of(bank, ANA), payee=payee, amount_minor=AMOUNT,
        )  # fmt: skip

    async def used(self, bank: Bank, rail: str) -> tuple[int, ...]:
        account, today = await account_of(bank, ANA), business_date(bank.clock.now())
        service = WAYS[rail][0]
        return tuple(
            [
                await payments.used_today(bank.pool, bank.book_id, account, name, today)
                for name in (service, service.partition(".")[0])
            ]
        )

    @pytest.mark.parametrize("how", NOT_PAID)
    @pytest.mark.parametrize("rail", WAYS)
    async def test_what_was_never_paid(
        self, bank: Bank, paper: PaperRail, rail: str, how: str
    ) -> None:
        NOT_PAID[how](paper)
        assert not isinstance(await flow.pay(bank.desk, await self.order(bank, rail)), Refused)
        assert set(await self.used(bank, rail)) == {0}

    @pytest.mark.parametrize("rail", WAYS)
    async def test_unanswered_and_called_off_a_day_later(
        self, bank: Bank, paper: PaperRail, rail: str
    ) -> None:
        paper.will("send", Unanswered("silent"))
        paper.will("reverse", Declined(Refusal.PARTNER_DECLINED, "25"))
        await flow.pay(bank.desk, await self.order(bank, rail))
        assert max(await self.used(bank, rail)) == AMOUNT
        assert isinstance(bank.clock, HandClock)
        bank.clock.advance(60.0)
        await bank.resolver.round()
        assert set(await self.used(bank, rail)) == {0}

    @pytest.mark.parametrize("part_minor", [AMOUNT, AMOUNT // 4])
    @pytest.mark.parametrize("rail", WAYS)
    async def test_what_the_network_brings_back(
        self, bank: Bank, rail: str, part_minor: int
    ) -> None:
        """A return or a reversal, of all of it or of a part; the same word again takes no more."""
        paid = await flow.pay(bank.desk, await self.order(bank, rail))
        assert not isinstance(paid, Refused)
        first = {minor for minor in await self.used(bank, rail) if minor}
        assert first == {AMOUNT}
        undo = RefundOrder(
            requested_by=0, idempotency_key="back", payment_id=paid.payment.id,
            amount_minor=part_minor, with_fee=True,
        )  # fmt: skip
        for _ in range(2):
            decided = await bank.desk.decide(AcceptRefund(undo, bank.desk.rules, forced=True))
            assert not isinstance(decided, Refused)
        left = {minor for minor in await self.used(bank, rail) if minor}
        assert left == ({AMOUNT - part_minor} - {0})
        await proved(bank)

    async def test_what_a_payee_gives_back_was_paid_all_the_same(self, bank: Bank) -> None:
        """A refund is the payee's money: it counted, and stays counted."""
        paid = await flow.pay(bank.desk, await self.order(bank, "qris"))
        assert not isinstance(paid, Refused)
        refund = RefundOrder(
            requested_by=0, idempotency_key="r", payment_id=paid.payment.id, amount_minor=AMOUNT
        )
        assert not isinstance(await flow.refund(bank.desk, refund), Refused)
        assert max(await self.used(bank, "qris")) == AMOUNT


class TestAtTheDoors:
    """The switch and our machines take back what they asked for."""

    @pytest.mark.parametrize("dispensed", [0, AMOUNT // 2])
    @pytest.mark.parametrize("passed", [timedelta(), timedelta(days=1), timedelta(days=40)])
    @pytest.mark.parametrize("kind", ["elsewhere", "ours", "cardless"])
    async def test_at_any_age(
        self, bank: Bank, kind: str, passed: timedelta, dispensed: int
    ) -> None:
        machines: Machines = await machines_of(bank)
        before = await machines.ana_has()
        await machines.code("12345678", AMOUNT)
        request = {
            "elsewhere": lambda: machines.ask("01", AMOUNT, hsm.ZPK),
            "ours": lambda: machines.ask("01", AMOUNT, hsm.TPK),
            "cardless": lambda: machines.ask("94", AMOUNT, hsm.TPK, de48="12345678"),
        }[kind]()
        ask = machines.elsewhere if kind == "elsewhere" else machines.at_ours
        assert await ask(request) == "00"
        assert isinstance(bank.clock, HandClock)
        bank.clock.advance(passed.total_seconds())
        for _ in range(2):
            assert await ask(machines.undo(request, dispensed)) == "00"
            assert await ask(request) in {"94", "14", "12"}, "14: its code, 12: its day is over"
        fee = FEE if kind == "elsewhere" and dispensed else 0
        assert await machines.ana_has() == before - dispensed - fee
        bank.clock.advance(-passed.total_seconds())
        service = {
            "elsewhere": names.CARD_CASH, "ours": names.ATM_CASH, "cardless": names.ATM_CARDLESS,
        }[kind]  # fmt: skip
        assert await machines.used(service) == dispensed
        await proved(bank)


def test_a_rail_that_joins_has_to_say_what_it_can_undo() -> None:
    """Every rail with a far side is above: by what it can, or by what it does instead."""
    points: tuple[Point, ...] = ("undo", "cancel", "part")
    for name, traits in TRAITS.items():
        assert name.partition("_")[0] in WAYS, name
        for point in points:
            assert traits.has(point) or traits.lacks[point], (name, point)
