"""The contract every rail keeps, over its real protocol, checked in the far side's own books.

What a network lacks is named in ``traits`` with its reason; for those rails the opposite is tested.
"""

from __future__ import annotations

import asyncio

import pytest

from rails.harness import Far, OnUsHarness
from rails.traits import TRAITS
from rails.wire import Wire
from tangguh.core.known import Tristate
from tangguh.core.order import ToPurse
from tangguh.core.outcome import Accepted, Declined, NotSent, Refusal, Unanswered
from tangguh.rails.rail import Probed
from tangguh.sim import faults

RP600K = 600_000_00
NOT_FOUND = Unanswered("not_found")
LOST_REQUEST = faults.DropRequest(seconds=0)
LOST_REPLY = faults.DropReply(seconds=0)
FORMS = (
    "malformed",
    "truncated",
    "oversized",
    "empty",
    "other_service",
    "other_reference",
    "bad_signature",
)


def test_whoever_lacks_something_says_why() -> None:
    """No rail is excused in silence."""
    for name, traits in TRAITS.items():
        assert all(len(reason) > 10 for reason in traits.lacks.values()), name


class TestEveryRail:
    """What holds for a rail with or without a network behind it."""

    async def test_repeat_gives_the_same_answer(self, every: Far | OnUsHarness) -> None:
        """Sending twice under one reference gives one answer."""
        asked = every.instruction()
        first = await every.rail.send(asked)
        assert isinstance(first, Accepted)
        assert await every.rail.send(asked) == first

    async def test_capabilities_give_the_resolver_a_schedule(
        self, every: Far | OnUsHarness
    ) -> None:
        """There is always a next inquiry, and the send has an end."""
        capabilities = every.rail.capabilities()
        assert capabilities.inquiry_delays_seconds
        assert capabilities.send_timeout_seconds > 0
        assert list(capabilities.inquiry_delays_seconds) == sorted(
            capabilities.inquiry_delays_seconds
        )

    async def test_closing_twice_is_harmless(self, every: Far | OnUsHarness) -> None:
        """Closing is idempotent."""
        await every.rail.send(every.instruction())
        await every.rail.close()
        await every.rail.close()


class TestSend:
    """A payment is made once, or certainly not, or nobody knows."""

    async def test_pays_once(self, far: Far) -> None:
        """An accepted payment is in the far books, once."""
        assert isinstance(await far.send(far.instruction()), Accepted)
        assert (far.paid_count(), far.paid_minor()) == (1, RP600K)

    async def test_two_payments_are_two(self, far: Far) -> None:
        """Another reference is another payment, to the same payee and of the same sum."""
        for reference in ("FIRST", "SECOND"):
            assert isinstance(await far.send(far.instruction(reference=reference)), Accepted)
        assert (far.paid_count(), far.paid_minor()) == (2, 2 * RP600K)

    async def test_many_at_once_find_their_own_answers(self, far: Far) -> None:
        """Answers are never mixed up."""
        many = [far.instruction(reference=f"MANY{n}") for n in range(20)]
        outcomes = await asyncio.gather(*(far.send(one) for one in many))
        assert all(isinstance(outcome, Accepted) for outcome in outcomes)
        assert len(set(outcomes)) == len(many)
        assert far.paid_minor() == len(many) * RP600K

    async def test_duplicate_pays_once(self, far: Far) -> None:
        """Repeats under one reference never pay again, not even at once or after a restart."""
        asked = far.instruction()
        await asyncio.gather(*(far.send(asked) for _ in range(3)))
        heir = await far.restarted()
        await far.send(asked, heir)
        assert (far.paid_count(), far.paid_minor()) == (1, RP600K)

    async def test_replayed_bytes_pay_once(self, far: Far) -> None:
        """The very bytes of a payment, sent again, are recognised."""
        async with Wire(*far.whereabouts()) as wire:
            rail = await far.over(wire)
            assert isinstance(await far.send(far.instruction(), rail), Accepted)
            told = await wire.replay(far.traits.replayed)
            assert far.traits.replayed in told
        assert (far.paid_count(), far.paid_minor()) == (1, RP600K)

    async def test_same_reference_other_amount(self, far: Far) -> None:
        """Other content under a used reference is not yes and not no, and pays nothing."""
        asked = far.instruction()
        await far.send(asked)
        other = far.instruction(amount_minor=RP600K + 1_000_00)
        assert isinstance(await far.send(other), Unanswered)
        assert isinstance(await far.inquire(other), Unanswered)
        assert far.paid_minor() == RP600K

    async def test_same_reference_other_payee(self, far: Far) -> None:
        """Nor does somebody else get it."""
        await far.send(far.instruction(amount_minor=500_000_00))
        other = far.instruction(amount_minor=500_000_00, payee=far.other_payee())
        assert isinstance(await far.send(other), Unanswered)
        assert (far.paid_count(), far.paid_minor()) == (1, 500_000_00)

    async def test_declined(self, far: Far) -> None:
        """A no is a no: nothing is paid, and a repeat gets the same no."""
        await far.break_with(faults.Decline())
        asked = far.instruction()
        outcome = await far.send(asked)
        assert isinstance(outcome, Declined)
        assert await far.send(asked) == outcome
        assert far.paid_minor() == 0

    async def test_what_a_rail_cannot_carry_is_declined(self, far: Far) -> None:
        """Another rail's payee, and money that is no rupiah; nothing leaves."""
        purse = far.instruction(payee=ToPurse(account_id=1, number="1"))
        assert isinstance(await far.send(purse), Declined)
        dollars = far.instruction(currency="USD", reference="DOLLARS")
        assert isinstance(await far.send(dollars), Declined)
        assert far.paid_minor() == 0

    async def test_tip_goes_to_the_payee_too(self, tipping: Far) -> None:
        """The payee receives amount and tip."""
        asked = tipping.instruction(tip_minor=5_000_00)
        assert isinstance(await tipping.send(asked), Accepted)
        assert tipping.paid_minor() == RP600K + 5_000_00

    async def test_without_tips_a_tip_is_declined(self, tipless: Far) -> None:
        """Else the payer would be debited for what the payee never gets."""
        asked = tipless.instruction(tip_minor=5_000_00)
        assert await tipless.send(asked) == Declined(Refusal.ORDER_INVALID, "tip")
        assert tipless.paid_minor() == 0

    async def test_request_lost(self, far: Far) -> None:
        """A lost request is Unanswered; asked, the far side knows nothing of it."""
        await far.break_with(LOST_REQUEST)
        asked = far.instruction()
        assert isinstance(await far.send(asked), Unanswered)
        assert await far.inquire(asked) == NOT_FOUND
        assert far.paid_minor() == 0

    async def test_reply_lost(self, far: Far) -> None:
        """A lost reply is Unanswered, and it was paid."""
        await far.break_with(LOST_REPLY)
        assert isinstance(await far.send(far.instruction()), Unanswered)
        assert far.paid_minor() == RP600K

    async def test_reply_lost_then_sent_again(self, far: Far) -> None:
        """A repeat after a lost reply finds the first payment."""
        await far.break_with(faults.DropReply(seconds=0, count=1))
        asked = far.instruction()
        await far.send(asked)
        assert isinstance(await far.send(asked), Accepted)
        assert far.paid_minor() == RP600K

    async def test_silent(self, far: Far) -> None:
        """A network that says nothing and hangs on is Unanswered when patience ends."""
        await far.break_with(faults.DropRequest(seconds=3600))
        asked = far.instruction()
        assert isinstance(await far.send(asked, await far.hurried()), Unanswered)
        assert far.paid_minor() == 0

    async def test_slow(self, far: Far) -> None:
        """Later than patience is Unanswered, though it was paid."""
        await far.break_with(faults.Late(seconds=60))
        asked = far.instruction()
        assert isinstance(await far.send(asked, await far.hurried()), Unanswered)
        assert far.paid_minor() == RP600K

    async def test_dripping(self, far: Far) -> None:
        """An answer that comes a byte at a time is none within patience."""
        await far.break_with(faults.Crawl(seconds_per_byte=1))
        assert isinstance(await far.send(far.instruction(), await far.hurried()), Unanswered)
        assert far.paid_minor() == RP600K

    async def test_told_twice(self, far: Far) -> None:
        """Two answers are one payment."""
        await far.break_with(faults.Twice())
        assert isinstance(await far.send(far.instruction()), Accepted)
        await far.settle()
        assert (far.paid_count(), far.paid_minor()) == (1, RP600K)

    async def test_down(self, far: Far) -> None:
        """A closed port is the one thing that is certainly NotSent; afterwards all is well."""
        await far.break_with(faults.Down())
        asked = far.instruction()
        assert isinstance(await far.send(asked), NotSent)
        assert isinstance(await far.inquire(asked), Unanswered)
        await far.break_with()
        await far.ready()
        assert isinstance(await far.send(asked), Accepted)
        assert far.paid_minor() == RP600K

    async def test_goes_down_with_connections_open(self, far: Far) -> None:
        """A partner that dies takes its idle connections along; nothing is sent into them."""
        await far.send(far.instruction())
        await far.break_with(faults.Down())
        outcome = await far.send(far.instruction(reference="SECOND"))
        assert isinstance(outcome, NotSent | Unanswered)
        assert far.paid_minor() == RP600K

    async def test_pays_after_going_down_and_coming_back(self, far: Far) -> None:
        """What was paid before is known afterwards."""
        asked = far.instruction()
        first = await far.send(asked)
        await far.break_with(faults.Down())
        await far.break_with()
        await far.ready()
        await far.send(asked)  # may meet the dead idle connection
        assert await far.send(asked) == first
        assert (far.paid_count(), far.paid_minor()) == (1, RP600K)

    @pytest.mark.parametrize("form", FORMS)
    async def test_garbage(self, far: Far, form: str) -> None:
        """Whatever is not a whole, signed answer to what was asked is Unanswered."""
        await far.break_with(faults.Garbage(form=form))
        asked = far.instruction()
        assert isinstance(await far.send(asked), Unanswered)
        assert far.paid_minor() == RP600K

    async def test_answer_about_part_of_it(self, far: Far) -> None:
        """An answer whose amount is another is no yes; where answers are signed, not even read."""
        async with Wire(*far.whereabouts()) as wire:
            rail = await far.over(wire)
            wire.spoil(far.traits.amount, far.traits.other_amount)
            assert isinstance(await far.send(far.instruction(), rail), Unanswered)
            assert wire.spoiled
        assert far.paid_minor() == RP600K

    async def test_unsigned_request_pays_nothing(self, far: Far) -> None:
        """A request whose signature or MAC is wrong is not carried out, and is no yes."""
        outcome = await far.send(far.instruction(), await far.stranger())
        assert isinstance(outcome, Declined | Unanswered)
        assert far.paid_minor() == 0


class TestInquire:
    """A network that can be asked tells the truth of its books."""

    async def test_confirms_the_send(self, asked_about: Far) -> None:
        """What was accepted is accepted when asked again, under the same network reference."""
        asked = asked_about.instruction()
        first = await asked_about.send(asked)
        assert await asked_about.inquire(asked) == first

    async def test_confirms_a_no(self, asked_about: Far) -> None:
        """A no stays a no."""
        await asked_about.break_with(faults.Decline(count=1))
        asked = asked_about.instruction()
        await asked_about.send(asked)
        assert isinstance(await asked_about.inquire(asked), Declined)

    async def test_after_a_lost_reply(self, asked_about: Far) -> None:
        """It was paid."""
        await asked_about.break_with(LOST_REPLY)
        asked = asked_about.instruction()
        await asked_about.send(asked)
        assert isinstance(await asked_about.inquire(asked), Accepted)

    @pytest.mark.parametrize(("becomes", "kind"), [("paid", Accepted), ("failed", Declined)])
    async def test_in_progress(self, asked_about: Far, becomes: str, kind: type) -> None:
        """In progress is neither yes nor no, until it is over."""
        await asked_about.break_with(faults.Pending(seconds=60, becomes=becomes))
        asked = asked_about.instruction()
        assert await asked_about.send(asked) == Unanswered("in progress")
        assert await asked_about.inquire(asked) == Unanswered("in progress")
        assert isinstance(await asked_about.reverse(asked), Unanswered)
        assert asked_about.paid_minor() == 0
        await asked_about.advance(61)
        assert isinstance(await asked_about.inquire(asked), kind)
        assert asked_about.paid_minor() == (RP600K if kind is Accepted else 0)

    async def test_finds_the_lie(self, asked_about: Far) -> None:
        """A false answer is believed, as nothing contradicts it; the far books tell the truth."""
        await asked_about.break_with(faults.Lie(books="failed"))
        asked = asked_about.instruction(reference="SAID-YES")
        assert isinstance(await asked_about.send(asked), Accepted)
        assert isinstance(await asked_about.inquire(asked), Declined)
        assert asked_about.paid_minor() == 0
        await asked_about.break_with(faults.Lie(books="paid"))
        asked = asked_about.instruction(reference="SAID-NO")
        assert isinstance(await asked_about.send(asked), Declined)
        assert isinstance(await asked_about.inquire(asked), Accepted)
        assert asked_about.paid_minor() == RP600K

    @pytest.mark.parametrize(
        "form", ["malformed", "other_service", "other_reference", "bad_signature"]
    )
    async def test_spoiled_answer_says_nothing(self, asked_about: Far, form: str) -> None:
        """An inquiry trusts no more than a send does."""
        asked = asked_about.instruction()
        await asked_about.send(asked)
        service = "51" if asked_about.traits.reversing == "77" else asked_about.traits.reversing
        await asked_about.break_with(faults.Garbage(form=form, services=(service,)))
        assert isinstance(await asked_about.inquire(asked), Unanswered)

    async def test_without_an_inquiry_nothing_is_claimed(self, never_asked: Far) -> None:
        """A network that cannot be asked is not: only a reversal decides."""
        await never_asked.break_with(LOST_REPLY)
        asked = never_asked.instruction()
        await never_asked.send(asked)
        assert await never_asked.inquire(asked) == NOT_FOUND

    async def test_without_an_inquiry_a_lie_is_found_by_its_file_only(
        self, never_asked: Far
    ) -> None:
        """A false yes is believed; the far books tell the truth."""
        await never_asked.break_with(faults.Lie(books="failed"))
        assert isinstance(await never_asked.send(never_asked.instruction()), Accepted)
        assert never_asked.paid_minor() == 0
        await never_asked.break_with(faults.Lie(books="paid"))
        second = never_asked.instruction(reference="SECOND")
        assert isinstance(await never_asked.send(second), Declined)
        assert never_asked.paid_minor() == RP600K


class TestIsItThere:
    """A question that moves nothing tells whether a network serves us, without any payment."""

    async def test_it_answers_while_it_is_up_and_not_while_it_is_down(self, far: Far) -> None:
        assert isinstance(far.rail, Probed)
        questions = far.rail.questions()
        assert questions
        await far.send(far.instruction())
        for question in questions.values():
            assert await question() is Tristate.YES
        before = (far.paid_count(), far.paid_minor())
        await far.break_with(faults.Down())
        for question in questions.values():
            assert await question() is Tristate.NO
        await far.break_with()
        assert (far.paid_count(), far.paid_minor()) == before
