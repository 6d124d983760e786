"""The contract of what comes after: reversals, late words, refunds, parts, what the file says."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from rails.cards_harness import card_in_hand, cards, cash
from rails.harness import NOON, Far, Keys, refund_of
from rails.partner_harness import OPEN_BILL, SCHOOL_FEE, running
from tangguh.core.outcome import Accepted, Declined, NotSent, Refusal, Unanswered
from tangguh.sim import faults

RP600K = 600_000_00
RP200K = 200_000_00
NOT_FOUND = Unanswered("not_found")
LOST_REQUEST = faults.DropRequest(seconds=0)
LOST_REPLY = faults.DropReply(seconds=0)
OVERDUE_SECONDS = 650.0
"""Later than every rail gives up on a payment that its network does not know."""


class TestReverse:
    """A reversal never says no on the strength of silence."""

    async def test_what_never_came_ends_as_a_no(self, far: Far) -> None:
        """Asked by its own schedule, every rail comes to a certain no in the end."""
        await far.break_with(LOST_REQUEST)
        asked = far.instruction()
        await far.send(asked)
        assert isinstance(await far.resolve(asked), Declined)
        assert far.paid_minor() == 0

    async def test_whose_reply_was_lost_ends_by_the_books(self, far: Far) -> None:
        """Asked by its own schedule, the outcome is what the far books hold."""
        await far.break_with(LOST_REPLY)
        asked = far.instruction()
        await far.send(asked)
        outcome = await far.resolve(asked)
        assert isinstance(outcome, Accepted if far.paid_minor() else Declined)
        assert not isinstance(outcome, Unanswered)

    async def test_out_of_order_forbids(self, cancelling: Far) -> None:
        """A reversal that overtakes its payment forbids it for good."""
        asked = cancelling.instruction()
        assert isinstance(await cancelling.reverse(asked), Declined)
        assert isinstance(await cancelling.send(asked), Declined)
        assert cancelling.paid_minor() == 0

    async def test_out_of_order_where_nothing_forbids(self, waiting: Far) -> None:
        """Without a cancel a reversal that comes first decides nothing: the payment may follow."""
        asked = waiting.instruction()
        assert await waiting.reverse(asked) == NOT_FOUND
        assert isinstance(await waiting.send(asked), Accepted)
        assert isinstance(await waiting.inquire(asked), Accepted)
        assert isinstance(await waiting.reverse(asked), Accepted)
        assert waiting.paid_minor() == RP600K

    async def test_unknown_once_is_no_no(self, waiting: Far) -> None:
        """Soon after the send "not found" never frees a payment, however often it is asked."""
        await waiting.break_with(LOST_REQUEST)
        asked = waiting.instruction()
        await waiting.send(asked)
        for _ in range(3):
            await waiting.advance(60)
            assert await waiting.reverse(asked) == NOT_FOUND

    async def test_after_a_lost_request(self, cancelling: Far) -> None:
        """What never arrived is called off at once, and stays so."""
        await cancelling.break_with(LOST_REQUEST)
        asked = cancelling.instruction()
        await cancelling.send(asked)
        assert isinstance(await cancelling.reverse(asked), Declined)
        assert isinstance(await cancelling.reverse(asked), Declined)
        assert cancelling.paid_minor() == 0

    async def test_comes_too_late(self, too_late: Far) -> None:
        """What was paid stays paid, and the reversal says so."""
        await too_late.break_with(LOST_REPLY)
        asked = too_late.instruction()
        await too_late.send(asked)
        assert isinstance(await too_late.reverse(asked), Accepted)
        assert isinstance(await too_late.reverse(asked), Accepted)
        assert too_late.paid_minor() == RP600K

    async def test_undoes(self, undoing: Far) -> None:
        """What was paid is given back, once."""
        await undoing.break_with(LOST_REPLY)
        asked = undoing.instruction()
        await undoing.send(asked)
        assert undoing.paid_minor() == RP600K
        for _ in range(3):
            assert isinstance(await undoing.reverse(asked), Declined)
        assert undoing.paid_minor() == 0

    async def test_after_a_decline(self, far: Far) -> None:
        """What was declined stays declined."""
        await far.break_with(faults.Decline(count=1))
        asked = far.instruction()
        await far.send(asked)
        assert isinstance(await far.reverse(asked), Declined)
        assert far.paid_minor() == 0

    @pytest.mark.parametrize("fault", [LOST_REQUEST, LOST_REPLY], ids=["request", "reply"])
    async def test_lost_on_the_way(self, far: Far, fault: faults.AnyFault) -> None:
        """A reversal that is lost, or whose reply is, is Unanswered; a later one settles it."""
        asked = far.instruction()
        await far.break_with(LOST_REQUEST)
        await far.send(asked)
        await far.break_with(at(fault, far.traits.reversing))
        assert isinstance(await far.reverse(asked), Unanswered)
        await far.break_with()
        assert isinstance(await far.resolve(asked), Declined)
        assert far.paid_minor() == 0

    @pytest.mark.parametrize("form", ["malformed", "truncated", "oversized", "bad_signature"])
    async def test_spoiled_answer(self, far: Far, form: str) -> None:
        """An answer that is none never frees a payment."""
        asked = far.instruction()
        await far.send(asked)
        await far.break_with(faults.Garbage(form=form, services=(far.traits.reversing,)))
        assert isinstance(await far.reverse(asked), Unanswered)

    async def test_partner_down(self, far: Far) -> None:
        """A reversal that could not leave is Unanswered: NotSent would free the payment."""
        asked = far.instruction()
        await far.send(asked)
        await far.break_with(faults.Down())
        assert isinstance(await far.passing(far.rail.reverse(asked)), Unanswered)
        assert isinstance(await far.inquire(asked), Unanswered)
        assert far.paid_minor() == RP600K

    async def test_by_another_process(self, far: Far) -> None:
        """What one process sent another finds the truth of."""
        await far.break_with(LOST_REPLY)
        asked = far.instruction()
        await far.send(asked)
        heir = await far.restarted()
        far.rail = heir
        outcome = await far.resolve(asked, heir)
        assert isinstance(outcome, Accepted if far.paid_minor() else Declined)


class TestLateWords:
    """The network's word comes after ours was given."""

    async def test_late_success_after_the_payment_was_given_up(self, far: Far) -> None:
        """A request that wanders until we have given up on it is never carried out."""
        late = faults.Late(seconds=OVERDUE_SECONDS, carried_out="late")
        await far.break_with(late)
        asked = far.instruction()
        assert isinstance(await far.send(asked, await far.hurried()), Unanswered)
        await far.asleep()
        assert isinstance(await far.resolve(asked), Declined)
        await far.advance(OVERDUE_SECONDS)
        await far.settle()
        assert far.paid_minor() == 0
        assert not isinstance(await far.inquire(asked), Accepted)

    async def test_late_success_before_we_give_up(self, asked_about: Far) -> None:
        """A request that wanders a little is paid, and the inquiry finds it."""
        await asked_about.break_with(faults.Late(seconds=30, carried_out="late"))
        asked = asked_about.instruction()
        assert isinstance(await asked_about.send(asked, await asked_about.hurried()), Unanswered)
        assert await asked_about.inquire(asked) == NOT_FOUND
        await asked_about.asleep()
        await asked_about.advance(31)
        await asked_about.settle()
        assert isinstance(await asked_about.inquire(asked), Accepted)
        assert asked_about.paid_minor() == RP600K

    async def test_failure_after_in_progress(self, far: Far) -> None:
        """In progress becomes a no: nothing was paid, and the rail says so."""
        await far.break_with(faults.Pending(seconds=30, becomes="failed"))
        asked = far.instruction()
        assert isinstance(await far.send(asked), Unanswered)
        await far.advance(31)
        assert isinstance(await far.resolve(asked), Declined)
        assert far.paid_minor() == 0

    async def test_late_failure_after_success(self, far: Far) -> None:
        """A yes that turns out to be none is told as a no when asked: the bank's book decides."""
        await far.break_with(faults.Lie(books="failed"))
        asked = far.instruction()
        assert isinstance(await far.send(asked), Accepted)
        assert isinstance(await far.resolve(asked), Declined)
        assert far.paid_minor() == 0


class TestRefund:
    """Money comes back once, never more than was paid."""

    async def test_refund_and_its_inquiry_agree(self, refunding: Far) -> None:
        """A refund is accepted, its repeat and its inquiry say the same."""
        asked = refunding.instruction()
        await refunding.send(asked)
        wanted = refund_of(asked, RP600K)
        first = await refunding.rail.refund(wanted)
        assert isinstance(first, Accepted)
        assert await refunding.rail.refund(wanted) == first
        assert await refunding.rail.inquire_refund(wanted) == first
        assert refunding.refunded_minor() == RP600K

    async def test_in_parts(self, refunding: Far) -> None:
        """Two parts make the whole; the payment stays a payment."""
        asked = refunding.instruction()
        await refunding.send(asked)
        for reference, minor in (("RF1", 200_000_00), ("RF2", 400_000_00)):
            wanted = refund_of(asked, minor, reference)
            assert isinstance(await refunding.rail.refund(wanted), Accepted)
        assert refunding.refunded_minor() == RP600K
        assert isinstance(await refunding.inquire(asked), Accepted)

    async def test_more_than_was_paid(self, refunding: Far) -> None:
        """What goes beyond the payment is declined, and the inquiry says so too."""
        asked = refunding.instruction()
        await refunding.send(asked)
        await refunding.rail.refund(refund_of(asked, 400_000_00))
        too_much = refund_of(asked, 200_000_01, "RF2")
        assert isinstance(await refunding.rail.refund(too_much), Declined)
        assert isinstance(await refunding.rail.inquire_refund(too_much), Declined)
        assert refunding.refunded_minor() == 400_000_00

    async def test_same_reference_other_amount(self, refunding: Far) -> None:
        """A used refund reference with another amount is Unanswered and gives nothing back."""
        asked = refunding.instruction()
        await refunding.send(asked)
        await refunding.rail.refund(refund_of(asked, 100_000_00))
        other = refund_of(asked, 300_000_00)
        assert isinstance(await refunding.rail.refund(other), Unanswered)
        assert isinstance(await refunding.rail.inquire_refund(other), Unanswered)
        assert refunding.refunded_minor() == 100_000_00

    async def test_of_what_was_never_paid(self, refunding: Far) -> None:
        """There is nothing to give back from an unknown payment."""
        wanted = refund_of(refunding.instruction(), RP600K)
        assert isinstance(await refunding.rail.refund(wanted), Declined)
        assert await refunding.rail.inquire_refund(wanted) == NOT_FOUND
        assert refunding.refunded_minor() == 0

    async def test_lost_request_and_lost_reply(self, refunding: Far) -> None:
        """Unanswered both times; the history tells which refund was made."""
        asked = refunding.instruction()
        await refunding.send(asked)
        lost, made = refund_of(asked, 100_00, "LOST"), refund_of(asked, 200_00, "MADE")
        await refunding.break_with(at(LOST_REQUEST, "78"))
        assert isinstance(await refunding.rail.refund(lost), Unanswered)
        await refunding.break_with(at(LOST_REPLY, "78"))
        assert isinstance(await refunding.rail.refund(made), Unanswered)
        assert await refunding.rail.inquire_refund(lost) == NOT_FOUND
        assert isinstance(await refunding.rail.inquire_refund(made), Accepted)
        assert refunding.refunded_minor() == 200_00

    async def test_lie(self, refunding: Far) -> None:
        """A false answer to a refund is found out by the inquiry."""
        asked = refunding.instruction()
        await refunding.send(asked)
        await refunding.break_with(at(faults.Lie(books="failed"), "78"))
        wanted = refund_of(asked, RP600K)
        assert isinstance(await refunding.rail.refund(wanted), Accepted)
        assert isinstance(await refunding.rail.inquire_refund(wanted), Declined)
        assert refunding.refunded_minor() == 0

    async def test_partner_down(self, refunding: Far) -> None:
        """A refund that could not leave is NotSent, as nothing else depends on it."""
        asked = refunding.instruction()
        await refunding.send(asked)
        await refunding.break_with(faults.Down())
        # The first may meet the dead idle connection.
        await refunding.rail.refund(refund_of(asked, RP600K))
        assert isinstance(await refunding.rail.refund(refund_of(asked, RP600K)), NotSent)
        assert isinstance(await refunding.rail.inquire_refund(refund_of(asked, 1)), Unanswered)
        assert refunding.refunded_minor() == 0

    async def test_where_nothing_is_refunded(self, keeping: Far) -> None:
        """The rail says that it cannot, and nothing is asked of the network."""
        asked = keeping.instruction()
        await keeping.send(asked)
        for ask in (keeping.rail.refund, keeping.rail.inquire_refund):
            outcome = await ask(refund_of(asked, RP600K))
            assert isinstance(outcome, Declined)
            assert outcome.reason is Refusal.PAYMENT_NOT_REFUNDABLE
        assert (keeping.paid_minor(), keeping.refunded_minor()) == (RP600K, 0)


class TestPart:
    """Parts: of a bill that allows it, and of the notes that came out. Others pay whole."""

    async def test_a_bill_is_paid_in_parts(self, keys: Keys, tmp_path: Path) -> None:
        """Each part counts; less than the least and more than what is left are declined."""
        async with running(keys, tmp_path, "billers") as far:
            told = []
            for number, minor in enumerate((100_000_00, 2_000_000_00, 500_000_00, 400_000_00)):
                asked = far.instruction(
                    reference=f"PART{number}", payee=SCHOOL_FEE, amount_minor=minor
                )
                told.append(type(await far.send(asked)))
            assert told == [Declined, Accepted, Declined, Accepted]
            assert far.paid_minor() == 2_400_000_00
            after = far.instruction(reference="PART9", payee=SCHOOL_FEE, amount_minor=RP200K)
            assert await far.send(after) == Declined(Refusal.BILL_PAID, "40414")

    async def test_part_of_the_notes_came_out(self, tmp_path: Path) -> None:
        """DE95: the card is given back what did not come out, once."""
        async with cards(tmp_path) as far:
            order = cash(far.rail)
            far.rail.carry(order.reference, card_in_hand(far.rail))
            await far.rail.send(order)
            half = order.amount_minor // 2
            for _ in range(2):
                assert isinstance(await far.rail.reverse_partial(order, half), Accepted)
            assert far.drawn_minor() == half

    async def test_the_rest_of_a_part_may_still_be_reversed(self, tmp_path: Path) -> None:
        """What was given back in part can be given back whole, and no more."""
        async with cards(tmp_path) as far:
            order = cash(far.rail)
            far.rail.carry(order.reference, card_in_hand(far.rail))
            await far.rail.send(order)
            await far.rail.reverse_partial(order, order.amount_minor // 4)
            for _ in range(2):
                assert isinstance(await far.reverse(order), Declined)
            assert far.drawn_minor() == 0

    async def test_whole_or_not_at_all(self, whole: Far) -> None:
        """Where there are no parts, what is paid is the sum that was asked for."""
        odd = whole.instruction(amount_minor=123_000_00)
        assert isinstance(await whole.send(odd), Accepted)
        assert whole.paid_minor() == 123_000_00


class TestTheFile:
    """What the network settles is what its books say, whatever was told."""

    async def test_paid_and_lied_about(self, far: Far) -> None:
        """The file has what was paid and not what was only said."""
        asked = {name: far.instruction(reference=f"FILE-{name}") for name in ("A", "B", "C")}
        await far.send(asked["A"])
        await far.break_with(faults.Lie(books="failed"))
        await far.send(asked["B"])
        await far.break_with(faults.Lie(books="paid"))
        await far.send(asked["C"])
        lines = far.network.settlement_file(NOON.date()).splitlines()
        paid = [line for line in lines if line.startswith("D|")]
        assert [line.split("|")[2:4] for line in paid] == [["PAY", "O"], ["PAY", "O"]]
        assert lines[-1].split("|")[:4] == ["T", "2", f"{2 * RP600K // 100}.00", "0.00"]

    async def test_an_open_bill_takes_any_sum(self, keys: Keys, tmp_path: Path) -> None:
        """As often as one likes, each under its own reference, all in the file."""
        async with running(keys, tmp_path, "billers") as far:
            for number, minor in enumerate((100_00, 250_000_00)):
                asked = far.instruction(
                    reference=f"OPEN{number}", payee=OPEN_BILL, amount_minor=minor
                )
                assert isinstance(await far.send(asked), Accepted)
            text = far.network.settlement_file(NOON.date())
            assert text.splitlines()[-1].startswith("T|2|250100.00|0.00|")


def at(fault: faults.AnyFault, service: str) -> faults.AnyFault:
    """The fault, aimed at one operation."""
    return msgspec.structs.replace(fault, services=(service,))
