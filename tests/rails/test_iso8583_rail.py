"""The card rail against the switch over TCP, judged by the switch's own books."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from rails.cards_harness import (
    NOON,
    RP100K,
    CardsHarness,
    card_in_hand,
    cards,
    cash,
    transfer,
)
from tangguh.core.order import ToBank, ToCash, ToWallet
from tangguh.core.outcome import Accepted, Declined, NotSent, Refusal, Unanswered
from tangguh.rails.iso8583.outbound import orders
from tangguh.rails.iso8583.trace import settled_as
from tangguh.rails.rail import Asked, Found
from tangguh.sim import faults

LOST_REQUEST = faults.DropRequest()
LOST_REPLY = faults.DropReply()
UNDONE = Declined(Refusal.NOT_CARRIED_OUT, "00")
NEVER_CAME = Declined(Refusal.NOT_CARRIED_OUT, "25")
SECOND = {"payment_id": UUID(int=77_000_000_000_078), "reference": "SECOND-REFERENCE"}


@pytest.fixture
async def far(tmp_path: Path) -> AsyncIterator[CardsHarness]:
    """A rail and its switch."""
    async with cards(tmp_path) as harness:
        yield harness


def asked(**changes: object) -> Asked:
    """Whose account is it?"""
    plain = Asked(
        reference="A1",
        payee=ToBank(bank="998", account="5260000001"),
        amount_minor=RP100K,
        debtor_account=108,
        debtor_name="PEMILIK UJI",
        asked_at=NOON,
    )
    return msgspec.structs.replace(plain, **changes)


class TestLookUp:
    async def test_the_payee_is_named(self, far: CardsHarness) -> None:
        found = await far.rail.look_up(asked())
        assert isinstance(found, Found)
        assert found.name == "RINA PUSPITA"
        assert isinstance(found.payee, ToBank)
        assert found.payee.name == "RINA PUSPITA"
        assert len(found.payee.inquiry) == 12
        assert far.paid_minor() == 0

    @pytest.mark.parametrize(
        ("account", "code", "reason"),
        [
            ("5260000009", "76", Refusal.FAR_ACCOUNT_NOT_FOUND),
            ("5260000003", "78", Refusal.FAR_ACCOUNT_NOT_FOUND),
            ("5260000002", "62", Refusal.PARTNER_DECLINED),
        ],
    )
    async def test_who_cannot_be_paid_is_declined(
        self, far: CardsHarness, account: str, code: str, reason: Refusal
    ) -> None:
        payee = ToBank(bank="998", account=account)
        assert await far.rail.look_up(asked(payee=payee)) == Declined(reason, code)

    async def test_other_payees_are_not_asked_for(self, far: CardsHarness) -> None:
        payee = ToWallet(wallet="gopay", number="081")
        assert await far.rail.look_up(asked(payee=payee)) == Declined(Refusal.ORDER_INVALID)

    async def test_no_answer_is_unanswered(self, far: CardsHarness) -> None:
        await far.break_with(faults.DropRequest(services=("39",)))
        assert isinstance(await far.passing(far.rail.look_up(asked())), Unanswered)


class TestSend:
    """A transfer is made once, or certainly not, or nobody knows."""

    async def test_pays_once(self, far: CardsHarness) -> None:
        assert await far.rail.send(transfer()) == Accepted("508805000123")
        assert far.paid_minor() == RP100K
        row = far.switch.ledger.transfers()[0]
        assert (row.account, row.counterpart) == ("998-5260000001", "108")
        assert row.reference == settled_as(orders.trace_for(transfer()))

    async def test_a_hundred_at_once_find_their_own_answers(self, far: CardsHarness) -> None:
        many = [
            transfer(payment_id=UUID(int=n), reference=f"REF-{n}", amount_minor=RP100K + n * 100)
            for n in range(60)
        ]
        outcomes = await asyncio.gather(*(far.rail.send(one) for one in many))
        assert outcomes == [Accepted(orders.trace_for(one).rrn) for one in many]
        assert far.paid_minor() == sum(one.amount_minor for one in many)

    @pytest.mark.parametrize(
        ("case", "code", "reason"),
        [
            ("40305", "05", Refusal.PARTNER_DECLINED),
            ("40302", "61", Refusal.PARTNER_LIMIT),
            ("40408", "76", Refusal.FAR_ACCOUNT_NOT_FOUND),
        ],
    )
    async def test_a_no_is_a_no(
        self, far: CardsHarness, case: str, code: str, reason: Refusal
    ) -> None:
        await far.break_with(faults.Decline(case=case))
        assert await far.rail.send(transfer()) == Declined(reason, code)
        assert far.paid_minor() == 0

    @pytest.mark.parametrize("case", ["50000", "50400"])
    async def test_a_switch_that_fails_is_no_no(self, far: CardsHarness, case: str) -> None:
        """91 and 96 may hide a payment that the other bank made."""
        await far.break_with(faults.Decline(case=case))
        assert isinstance(await far.rail.send(transfer()), Unanswered)

    async def test_above_the_limit(self, far: CardsHarness) -> None:
        outcome = await far.rail.send(transfer(amount_minor=60_000_000_00))
        assert outcome == Declined(Refusal.PARTNER_LIMIT, "61")

    async def test_what_this_link_cannot_say_is_declined(self, far: CardsHarness) -> None:
        for changes in (
            {"currency": "USD"},
            {"amount_minor": 10**12},
            {"payee": ToWallet(wallet="gopay", number="081")},
            {"payee": ToBank(bank="998", account="5" * 40)},
        ):
            outcome = await far.rail.send(transfer(**changes))
            assert outcome == Declined(Refusal.ORDER_INVALID)
        assert far.rail.health.sent == 1, "the sign-on"

    async def test_repeat_of_what_may_have_left_is_never_not_sent(self, far: CardsHarness) -> None:
        await far.break_with(LOST_REPLY)
        await far.passing(far.rail.send(transfer()))
        await far.break_with(faults.Down())
        await far.until(lambda: not far.rail.link.is_signed_on)
        assert isinstance(await far.rail.send(transfer()), Unanswered)

    async def test_no_to_a_copy_says_nothing_of_the_first(self, far: CardsHarness) -> None:
        await far.break_with(LOST_REPLY)
        await far.passing(far.rail.send(transfer()))
        far.switch.ledger.give_back(settled_as(orders.trace_for(transfer())), RP100K, NOON)
        await far.break_with()
        outcome = await far.rail.send(transfer())
        assert outcome == Unanswered("a copy was declined, the first one is not known")

    async def test_a_no_repeated_is_the_same_no(self, far: CardsHarness) -> None:
        await far.break_with(faults.Decline(case="40305"))
        first = await far.rail.send(transfer())
        assert await far.rail.send(transfer()) == first

    async def test_two_answers_are_one(self, far: CardsHarness) -> None:
        await far.break_with(faults.Twice())
        assert isinstance(await far.rail.send(transfer()), Accepted)
        await far.until(lambda: far.rail.link.traffic.late == 1)
        assert isinstance(await far.rail.send(transfer(**SECOND)), Accepted)


class TestNoAnswer:
    """What was not answered is reversed, until the switch has answered that."""

    async def test_reply_of_the_reversal_lost(self, far: CardsHarness) -> None:
        await far.break_with(LOST_REPLY, faults.DropReply(services=("0420",), count=2))
        await far.passing(far.rail.send(transfer()))
        for _ in range(2):
            outcome = await far.passing(far.rail.reverse(transfer()))
            assert isinstance(outcome, Unanswered)
        assert await far.rail.reverse(transfer()) == UNDONE
        assert far.paid_minor() == 0

    async def test_late_yes_is_not_believed_but_reversed(self, far: CardsHarness) -> None:
        await far.break_with(faults.Late(seconds=20))
        assert isinstance(await far.passing(far.rail.send(transfer())), Unanswered)
        await far.until(lambda: far.rail.link.traffic.late == 1)
        assert await far.rail.inquire(transfer()) == Unanswered("not_found")
        assert await far.rail.reverse(transfer()) == UNDONE
        assert far.paid_minor() == 0

    async def test_late_success_after_the_reversal(self, far: CardsHarness) -> None:
        """The request crawls behind its own reversal: the tombstone stops it."""
        await far.break_with(faults.Late(seconds=60, carried_out="late"))
        assert isinstance(await far.passing(far.rail.send(transfer())), Unanswered)
        assert await far.rail.reverse(transfer()) == NEVER_CAME
        await far.until(lambda: far.rail.link.traffic.late == 1)
        assert far.paid_minor() == 0
        assert await far.rail.inquire(transfer()) == Declined(Refusal.PARTNER_DECLINED, "12")

    async def test_late_no_is_believed(self, far: CardsHarness) -> None:
        await far.break_with(faults.Late(seconds=20))
        payee = ToBank(bank="998", account="5260000009")
        sent = transfer(payee=payee)
        assert isinstance(await far.passing(far.rail.send(sent)), Unanswered)
        await far.until(lambda: far.rail.link.traffic.late == 1)
        assert await far.rail.inquire(sent) == Declined(Refusal.FAR_ACCOUNT_NOT_FOUND, "76")

    async def test_late_no_to_a_copy_is_not_believed(self, far: CardsHarness) -> None:
        await far.break_with(LOST_REPLY)
        await far.passing(far.rail.send(transfer()))
        far.switch.ledger.give_back(settled_as(orders.trace_for(transfer())), RP100K, NOON)
        await far.break_with(faults.Late(seconds=20))
        assert isinstance(await far.passing(far.rail.send(transfer())), Unanswered)
        await far.until(lambda: far.rail.link.traffic.late == 1)
        assert await far.rail.inquire(transfer()) == Unanswered("not_found")

    async def test_in_progress_then_paid_then_reversed(self, far: CardsHarness) -> None:
        await far.break_with(faults.Pending(seconds=30))
        assert await far.rail.send(transfer()) == Unanswered("response code 68")
        far.clock.advance(31)
        assert far.paid_minor() == RP100K
        assert await far.rail.reverse(transfer()) == UNDONE
        assert far.paid_minor() == 0

    async def test_settled_long_ago_cannot_be_reversed(self, far: CardsHarness) -> None:
        await far.rail.send(transfer())
        far.clock.advance(90_000)
        await far.until(lambda: far.rail.link.is_signed_on)
        assert await far.passing(far.rail.reverse(transfer())) == Accepted("508805000123")
        assert far.paid_minor() == RP100K

    async def test_another_process_reverses_what_this_one_sent(self, far: CardsHarness) -> None:
        """STAN, reference number and DE90 follow from the instruction alone."""
        await far.break_with(LOST_REPLY)
        await far.passing(far.rail.send(transfer()))
        await far.rail.close()
        far.clock.advance(300)
        heir = await far.another_rail()
        assert await heir.reverse(transfer()) == UNDONE
        assert far.paid_minor() == 0

    async def test_line_cut_while_waiting_is_unanswered(self, far: CardsHarness) -> None:
        await far.break_with(LOST_REPLY)
        sending = asyncio.create_task(far.rail.send(transfer()))
        await far.until(lambda: far.paid_minor() > 0)
        await far.switch.act("cut", {})
        outcome = await sending
        assert isinstance(outcome, Unanswered)
        assert outcome.why.startswith("line ended")
        await far.until(lambda: far.rail.link.is_signed_on)
        assert await far.rail.reverse(transfer()) == UNDONE


class TestSpoiledAnswers:
    """An answer that is not one is Unanswered, and the reversal makes it right."""

    async def test_answer_to_another_stan_is_no_answer(self, far: CardsHarness) -> None:
        await far.break_with(faults.Garbage(form="other_reference"))
        assert await far.passing(far.rail.send(transfer())) == Unanswered("no answer in time")
        assert far.rail.link.traffic.late == 1

    @pytest.mark.parametrize("form", ["malformed", "oversized", "empty"])
    async def test_one_answer_that_is_garbage_costs_that_payment_alone(
        self, far: CardsHarness, form: str
    ) -> None:
        await far.break_with(faults.Garbage(form=form, count=1))
        outcome = await far.passing(far.rail.send(transfer()))
        assert outcome == Unanswered("no answer in time")
        assert far.rail.link.traffic.ended == 0
        assert far.rail.link.traffic.malformed == (0 if form == "empty" else 1)

    async def test_wrong_mac_is_counted(self, far: CardsHarness) -> None:
        await far.break_with(faults.Garbage(form="bad_signature"))
        outcome = await far.passing(far.rail.send(transfer()))
        assert outcome == Unanswered("answer has a wrong MAC")
        assert far.rail.link.traffic.mac_wrong == 1

    async def test_answer_byte_by_byte_is_an_answer(self, tmp_path: Path) -> None:
        async with cards(tmp_path, rail={"reply_timeout_seconds": 3e3, "echo_seconds": 9e3}) as far:
            await far.break_with(faults.Crawl(seconds_per_byte=0.5))
            assert isinstance(await far.passing(far.rail.send(transfer())), Accepted)


class TestCash:
    """Banknotes at our terminal for another bank's card."""

    async def test_the_card_is_debited_there(self, far: CardsHarness) -> None:
        order = cash(far.rail)
        far.rail.carry(order.reference, card_in_hand(far.rail))
        assert await far.rail.send(order) == Accepted("508805000777", "000777"), "with its DE38"
        assert far.drawn_minor() == RP100K

    async def test_without_the_card_nothing_is_sent_and_nothing_is_claimed(
        self, far: CardsHarness
    ) -> None:
        order = cash(far.rail)
        assert await far.rail.send(order) == Unanswered("card is not in hand")
        assert far.drawn_minor() == 0
        assert await far.rail.reverse(order) == NEVER_CAME

    async def test_a_card_is_in_hand_for_one_send(self, far: CardsHarness) -> None:
        order = cash(far.rail)
        far.rail.carry(order.reference, card_in_hand(far.rail))
        await far.rail.send(order)
        assert isinstance(await far.rail.send(order), Unanswered)
        assert far.drawn_minor() == RP100K

    async def test_wrong_pin(self, far: CardsHarness) -> None:
        order = cash(far.rail)
        far.rail.carry(order.reference, card_in_hand(far.rail, "000000"))
        assert await far.rail.send(order) == Declined(Refusal.PARTNER_DECLINED, "55")
        assert far.drawn_minor() == 0

    async def test_a_pin_block_that_does_not_open_is_not_sent_on(self, far: CardsHarness) -> None:
        order = cash(far.rail)
        for change in ({"pin_block": "00" * 8}, {"pin_key": "no such key"}):
            card = msgspec.structs.replace(card_in_hand(far.rail), **change)
            far.rail.carry(order.reference, card)
            assert await far.rail.send(order) == Declined(Refusal.ORDER_INVALID, "pin_block")

    async def test_no_notes_came_out(self, far: CardsHarness) -> None:
        order = cash(far.rail)
        far.rail.carry(order.reference, card_in_hand(far.rail))
        await far.rail.send(order)
        assert await far.rail.reverse(order) == UNDONE
        assert far.drawn_minor() == 0

    async def test_a_part_is_less_than_the_whole(self, far: CardsHarness) -> None:
        for dispensed in (0, -1, RP100K, RP100K + 1):
            outcome = await far.rail.reverse_partial(cash(far.rail), dispensed)
            assert outcome == Declined(Refusal.ORDER_INVALID)

    async def test_part_of_a_withdrawal_nobody_knows(self, far: CardsHarness) -> None:
        assert await far.rail.reverse_partial(cash(far.rail), 50_000_00) == NEVER_CAME

    async def test_a_seal_that_does_not_open_frees_nothing(self, far: CardsHarness) -> None:
        order = cash(far.rail)
        assert isinstance(order.payee, ToCash)
        spoiled = msgspec.structs.replace(order.payee, sealed_pan="00")
        outcome = await far.rail.reverse(msgspec.structs.replace(order, payee=spoiled))
        assert outcome == Unanswered("card cannot be opened")


class TestTheRest:
    async def test_closing_twice_is_harmless(self, far: CardsHarness) -> None:
        await far.rail.close()
        await far.rail.close()
        assert isinstance(await far.rail.send(transfer()), NotSent)

    async def test_a_peer_may_have_codes_of_its_own(self, tmp_path: Path) -> None:
        async with cards(tmp_path, rail={"response_codes": {"91": "unreachable"}}) as far:
            await far.break_with(faults.Decline(case="50400"))
            outcome = await far.rail.send(transfer())
            assert outcome == Declined(Refusal.PARTNER_UNREACHABLE, "91")

    async def test_without_macs_both_sides_still_agree(self, tmp_path: Path) -> None:
        async with cards(tmp_path, mac_key="", rail={"with_mac": False}) as far:
            assert isinstance(await far.rail.send(transfer()), Accepted)

    async def test_a_switch_with_another_mac_key_declines(self, tmp_path: Path) -> None:
        async with cards(tmp_path, mac_key="00" * 16) as far:
            outcome = await far.passing(far.rail.send(transfer()))
            assert outcome == Unanswered("answer has a wrong MAC")
            assert far.paid_minor() == 0

    async def test_what_is_settled_is_in_the_file(self, far: CardsHarness) -> None:
        await far.rail.send(transfer())
        text = far.switch.settlement_file(NOON.date())
        assert f"|PAY|O|{settled_as(orders.trace_for(transfer()))}|" in text
        assert text.splitlines()[-1].startswith("T|1|100000.00|0.00|")
