"""The contract every rail keeps, over its real protocol, checked in the far side's own books."""

from __future__ import annotations

import msgspec

from rails.harness import Harness, OnUsHarness, QrisHarness, refund_of
from tangguh.core.outcome import Accepted, Declined, NotSent, Unanswered
from tangguh.sim import faults

RP600K = 600_000_00
LOST_REQUEST = faults.DropRequest(seconds=0)
LOST_REPLY = faults.DropReply(seconds=0)


class TestEveryRail:
    """What holds for a rail with or without a network behind it."""

    async def test_repeat_gives_the_same_answer(self, every: QrisHarness | OnUsHarness) -> None:
        """Sending twice under one reference gives one answer."""
        asked = every.instruction()
        first = await every.rail.send(asked)
        assert isinstance(first, Accepted)
        assert await every.rail.send(asked) == first

    async def test_inquiry_confirms_the_send(self, every: QrisHarness | OnUsHarness) -> None:
        """What was accepted is accepted when asked again, under the same network reference."""
        asked = every.instruction()
        first = await every.rail.send(asked)
        assert await every.rail.inquire(asked) == first

    async def test_reverse_comes_too_late(self, every: QrisHarness | OnUsHarness) -> None:
        """After a payment was accepted, a reversal says that it was paid."""
        asked = every.instruction()
        first = await every.rail.send(asked)
        assert await every.rail.reverse(asked) == first

    async def test_refund_and_its_inquiry_agree(self, every: QrisHarness | OnUsHarness) -> None:
        """A refund is accepted, its repeat and its inquiry say the same."""
        asked = every.instruction()
        await every.rail.send(asked)
        refunding = refund_of(asked, RP600K)
        first = await every.rail.refund(refunding)
        assert isinstance(first, Accepted)
        assert await every.rail.refund(refunding) == first
        assert await every.rail.inquire_refund(refunding) == first

    async def test_capabilities_give_the_resolver_a_schedule(
        self, every: QrisHarness | OnUsHarness
    ) -> None:
        """There is always a next inquiry, and the send has an end."""
        capabilities = every.rail.capabilities()
        assert capabilities.inquiry_delays_seconds
        assert capabilities.send_timeout_seconds > 0

    async def test_closing_twice_is_harmless(self, every: QrisHarness | OnUsHarness) -> None:
        """Closing is idempotent."""
        await every.rail.send(every.instruction())
        await every.rail.close()
        await every.rail.close()


class TestSend:
    """A payment is made once, or certainly not, or nobody knows."""

    async def test_pays_once(self, far: Harness) -> None:
        """An accepted payment is in the far books, once."""
        assert isinstance(await far.rail.send(far.instruction()), Accepted)
        assert far.paid_minor() == RP600K

    async def test_tip_goes_to_the_payee_too(self, far: Harness) -> None:
        """The payee receives amount and tip."""
        asked = far.instruction(tip_minor=5_000_00)
        assert isinstance(await far.rail.send(asked), Accepted)
        assert far.paid_minor() == RP600K + 5_000_00

    async def test_same_reference_pays_once(self, far: Harness) -> None:
        """Repeats under one reference never pay again."""
        for _ in range(3):
            await far.rail.send(far.instruction())
        assert far.paid_minor() == RP600K

    async def test_same_reference_other_content(self, far: Harness) -> None:
        """Other content under a used reference is not yes and not no, and pays nothing."""
        await far.rail.send(far.instruction())
        other = far.instruction(amount_minor=RP600K + 1)
        assert isinstance(await far.rail.send(other), Unanswered)
        assert isinstance(await far.rail.inquire(other), Unanswered)
        assert far.paid_minor() == RP600K

    async def test_declined(self, far: Harness) -> None:
        """A no is a no: nothing is paid, and the inquiry says the same."""
        await far.break_with(faults.Decline())
        asked = far.instruction()
        outcome = await far.rail.send(asked)
        assert isinstance(outcome, Declined)
        assert await far.rail.inquire(asked) == outcome
        assert far.paid_minor() == 0

    async def test_request_lost(self, far: Harness) -> None:
        """A lost request is Unanswered; asked, the far side knows nothing of it."""
        await far.break_with(LOST_REQUEST)
        asked = far.instruction()
        assert isinstance(await far.rail.send(asked), Unanswered)
        assert await far.rail.inquire(asked) == Unanswered("not_found")
        assert far.paid_minor() == 0

    async def test_reply_lost(self, far: Harness) -> None:
        """A lost reply is Unanswered; asked, the far side says that it paid."""
        await far.break_with(LOST_REPLY)
        asked = far.instruction()
        assert isinstance(await far.rail.send(asked), Unanswered)
        assert isinstance(await far.rail.inquire(asked), Accepted)
        assert far.paid_minor() == RP600K

    async def test_reply_lost_then_sent_again(self, far: Harness) -> None:
        """A repeat after a lost reply finds the first payment."""
        await far.break_with(faults.DropReply(seconds=0, count=1))
        await far.rail.send(far.instruction())
        assert isinstance(await far.rail.send(far.instruction()), Accepted)
        assert far.paid_minor() == RP600K

    async def test_in_progress(self, far: Harness) -> None:
        """In progress is Unanswered, and stays so when asked."""
        await far.break_with(faults.Pending(seconds=60))
        asked = far.instruction()
        assert await far.rail.send(asked) == Unanswered("in progress")
        assert await far.rail.inquire(asked) == Unanswered("in progress")
        assert far.paid_minor() == 0

    async def test_down(self, far: Harness) -> None:
        """A closed port is the one thing that is certainly NotSent; afterwards all is well."""
        await far.break_with(faults.Down())
        assert isinstance(await far.rail.send(far.instruction()), NotSent)
        assert isinstance(await far.rail.inquire(far.instruction()), Unanswered)
        await far.break_with()
        assert isinstance(await far.rail.send(far.instruction()), Accepted)
        assert far.paid_minor() == RP600K

    async def test_goes_down_with_connections_open(self, far: Harness) -> None:
        """A partner that dies takes its idle connections along; nothing is sent into them."""
        await far.rail.send(far.instruction())
        await far.break_with(faults.Down())
        outcome = await far.rail.send(far.instruction(reference="SECOND"))
        assert isinstance(outcome, NotSent | Unanswered)
        assert far.paid_minor() == RP600K

    async def test_says_yes_but_did_not_pay(self, far: Harness) -> None:
        """A false yes is believed, as nothing contradicts it; the far books tell the truth."""
        await far.break_with(faults.Lie(books="failed"))
        asked = far.instruction()
        assert isinstance(await far.rail.send(asked), Accepted)
        assert isinstance(await far.rail.inquire(asked), Declined)
        assert far.paid_minor() == 0

    async def test_says_no_but_paid(self, far: Harness) -> None:
        """A false no is believed, as nothing contradicts it; the far books tell the truth."""
        await far.break_with(faults.Lie(books="paid"))
        asked = far.instruction()
        assert isinstance(await far.rail.send(asked), Declined)
        assert isinstance(await far.rail.inquire(asked), Accepted)
        assert far.paid_minor() == RP600K

    async def test_garbage(self, far: Harness) -> None:
        """Whatever is not a whole answer to what was asked is Unanswered; the truth is there."""
        forms = ("malformed", "truncated", "oversized", "empty", "other_service", "other_reference")
        for number, form in enumerate(forms):
            await far.break_with(faults.Garbage(form=form))
            asked = far.instruction(reference=f"GARBAGE{number}")
            assert isinstance(await far.rail.send(asked), Unanswered), form
            assert isinstance(await far.rail.inquire(asked), Accepted), form
        assert far.paid_minor() == len(forms) * RP600K


class TestReverse:
    """A reversal never says no on the strength of silence."""

    async def test_before_the_payment_arrives(self, far: Harness) -> None:
        """A reversal that overtakes its payment forbids it for good."""
        asked = far.instruction()
        assert isinstance(await far.rail.reverse(asked), Declined)
        assert isinstance(await far.rail.send(asked), Declined)
        assert isinstance(await far.rail.inquire(asked), Declined)
        assert far.paid_minor() == 0

    async def test_after_a_lost_request(self, far: Harness) -> None:
        """What never arrived is called off."""
        await far.break_with(LOST_REQUEST)
        asked = far.instruction()
        await far.rail.send(asked)
        assert isinstance(await far.rail.reverse(asked), Declined)
        assert isinstance(await far.rail.reverse(asked), Declined)
        assert far.paid_minor() == 0

    async def test_after_a_lost_reply(self, far: Harness) -> None:
        """What was paid stays paid, and the reversal says so."""
        await far.break_with(LOST_REPLY)
        asked = far.instruction()
        await far.rail.send(asked)
        assert isinstance(await far.rail.reverse(asked), Accepted)
        assert far.paid_minor() == RP600K

    async def test_after_a_decline(self, far: Harness) -> None:
        """What was declined stays declined."""
        await far.break_with(faults.Decline(count=1))
        asked = far.instruction()
        await far.rail.send(asked)
        assert isinstance(await far.rail.reverse(asked), Declined)
        assert far.paid_minor() == 0

    async def test_while_in_progress(self, far: Harness) -> None:
        """What is being decided is neither yes nor no."""
        await far.break_with(faults.Pending(seconds=60))
        asked = far.instruction()
        await far.rail.send(asked)
        assert isinstance(await far.rail.reverse(asked), Unanswered)

    async def test_lost_on_the_way(self, far: Harness) -> None:
        """A reversal that is lost, or whose reply is, is Unanswered; a second one settles it."""
        asked = far.instruction()
        for fault in (LOST_REQUEST, LOST_REPLY):
            await far.break_with(_at(fault, "77"))
            assert isinstance(await far.rail.reverse(asked), Unanswered)
        await far.break_with()
        assert isinstance(await far.rail.reverse(asked), Declined)
        assert isinstance(await far.rail.send(asked), Declined)

    async def test_partner_down(self, far: Harness) -> None:
        """A reversal that could not leave is Unanswered: NotSent would free the payment."""
        await far.rail.send(far.instruction())
        await far.break_with(faults.Down())
        assert isinstance(await far.rail.reverse(far.instruction()), Unanswered)
        assert isinstance(await far.rail.inquire(far.instruction()), Unanswered)
        assert isinstance(
            await far.rail.inquire_refund(refund_of(far.instruction(), 1)), Unanswered
        )
        assert far.paid_minor() == RP600K


class TestRefund:
    """Money comes back once, never more than was paid."""

    async def test_in_parts(self, far: Harness) -> None:
        """Two parts make the whole; the payment stays a payment."""
        asked = far.instruction()
        await far.rail.send(asked)
        for reference, minor in (("RF1", 200_000_00), ("RF2", 400_000_00)):
            refunding = refund_of(asked, minor, reference)
            assert isinstance(await far.rail.refund(refunding), Accepted)
        assert far.refunded_minor() == RP600K
        assert isinstance(await far.rail.inquire(asked), Accepted)

    async def test_more_than_was_paid(self, far: Harness) -> None:
        """What goes beyond the payment is declined, and the inquiry says so too."""
        asked = far.instruction()
        await far.rail.send(asked)
        await far.rail.refund(refund_of(asked, 400_000_00))
        too_much = refund_of(asked, 200_000_01, "RF2")
        assert isinstance(await far.rail.refund(too_much), Declined)
        assert isinstance(await far.rail.inquire_refund(too_much), Declined)
        assert far.refunded_minor() == 400_000_00

    async def test_same_reference_other_amount(self, far: Harness) -> None:
        """A used refund reference with another amount is Unanswered and gives nothing back."""
        asked = far.instruction()
        await far.rail.send(asked)
        await far.rail.refund(refund_of(asked, 100_000_00))
        other = refund_of(asked, 300_000_00)
        assert isinstance(await far.rail.refund(other), Unanswered)
        assert isinstance(await far.rail.inquire_refund(other), Unanswered)
        assert far.refunded_minor() == 100_000_00

    async def test_of_what_was_never_paid(self, far: Harness) -> None:
        """There is nothing to give back from an unknown payment."""
        refunding = refund_of(far.instruction(), RP600K)
        assert isinstance(await far.rail.refund(refunding), Declined)
        assert await far.rail.inquire_refund(refunding) == Unanswered("not_found")
        assert far.refunded_minor() == 0

    async def test_lost_request_and_lost_reply(self, far: Harness) -> None:
        """Unanswered both times; the history tells which refund was made."""
        asked = far.instruction()
        await far.rail.send(asked)
        lost, made = refund_of(asked, 100_00, "LOST"), refund_of(asked, 200_00, "MADE")
        await far.break_with(_at(LOST_REQUEST, "78"))
        assert isinstance(await far.rail.refund(lost), Unanswered)
        await far.break_with(_at(LOST_REPLY, "78"))
        assert isinstance(await far.rail.refund(made), Unanswered)
        assert await far.rail.inquire_refund(lost) == Unanswered("not_found")
        assert isinstance(await far.rail.inquire_refund(made), Accepted)
        assert far.refunded_minor() == 200_00

    async def test_lie(self, far: Harness) -> None:
        """A false answer to a refund is found out by the inquiry."""
        asked = far.instruction()
        await far.rail.send(asked)
        await far.break_with(_at(faults.Lie(books="failed"), "78"))
        refunding = refund_of(asked, RP600K)
        assert isinstance(await far.rail.refund(refunding), Accepted)
        assert isinstance(await far.rail.inquire_refund(refunding), Declined)
        assert far.refunded_minor() == 0

    async def test_partner_down(self, far: Harness) -> None:
        """A refund that could not leave is NotSent, as nothing else depends on it."""
        asked = far.instruction()
        await far.rail.send(asked)
        await far.break_with(faults.Down())
        await far.rail.refund(refund_of(asked, RP600K))  # may meet the dead idle connection
        assert isinstance(await far.rail.refund(refund_of(asked, RP600K)), NotSent)
        assert far.refunded_minor() == 0


def _at(fault: faults.AnyFault, service: str) -> faults.AnyFault:
    return msgspec.structs.replace(fault, services=(service,))
