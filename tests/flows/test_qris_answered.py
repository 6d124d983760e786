"""A QRIS payment whose network answers: accepted, declined, or certainly not sent."""

from __future__ import annotations

import pytest

from paper import PaperRail
from stories import RUPIAH, balance, pay, proved, scan, told
from tangguh.app import Bank
from tangguh.core.outcome import Accepted, Declined, NotSent, Refusal
from tangguh.ledger import chart
from tangguh.payments.payment import State


async def test_accepted(bank: Bank, paper: PaperRail) -> None:
    """The network has paid: the money is posted to what we owe it, with its reference kept."""
    paper.will("send", Accepted("RRN000000042"))
    order = await scan(bank, 25_000 * RUPIAH, tip_minor=2_000 * RUPIAH)
    before = await balance(bank, order.debtor)
    payment = await pay(bank, order)
    assert payment.state is State.POSTED
    assert payment.network_reference == "RRN000000042"
    after = await balance(bank, order.debtor)
    assert (after.posted_minor, after.held_minor) == (before.posted_minor - 27_000 * RUPIAH, 0)
    assert (await balance(bank, chart.SETTLEMENT_QRIS)).posted_minor == 27_000 * RUPIAH
    assert await told(bank, payment) == ["held", "posted"]
    assert paper.asked == [("send", payment.reference)]
    await proved(bank)


@pytest.mark.parametrize(
    ("outcome", "refusal"),
    [
        (Declined(Refusal.MERCHANT_BLOCKED, "4035001"), Refusal.MERCHANT_BLOCKED),
        (Declined(Refusal.PARTNER_LIMIT, "4035002"), Refusal.PARTNER_LIMIT),
        (NotSent("connection refused"), Refusal.PARTNER_UNREACHABLE),
    ],
)
async def test_declined_or_not_sent(
    bank: Bank, paper: PaperRail, outcome: Declined | NotSent, refusal: Refusal
) -> None:
    """A certain no gives the whole sum back at once and says why."""
    paper.will("send", outcome)
    order = await scan(bank, 25_000 * RUPIAH)
    before = await balance(bank, order.debtor)
    payment = await pay(bank, order)
    assert (payment.state, payment.refusal) == (State.VOIDED, refusal)
    after = await balance(bank, order.debtor)
    assert (after.posted_minor, after.held_minor) == (before.posted_minor, 0)
    assert await told(bank, payment) == ["held", "voided"]
    await proved(bank)


async def test_while_the_network_thinks_the_money_is_held(bank: Bank, paper: PaperRail) -> None:
    """Between the hold and the answer the sum is the customer's and cannot be spent."""
    seen: list[tuple[int, int]] = []

    def look() -> Accepted:
        row = bank.writer._book.accounts.rows[order.debtor]
        seen.append((row.posted_minor, row.held_minor))  # type: ignore[union-attr]
        return Accepted("RRN1")

    paper.will("send", look)
    order = await scan(bank, 10_000 * RUPIAH)
    before = await balance(bank, order.debtor)
    await pay(bank, order)
    assert seen == [(before.posted_minor, 10_000 * RUPIAH)]


async def test_refused_before_anything_was_sent(bank: Bank, paper: PaperRail) -> None:
    """What we refuse ourselves, no network ever hears of."""
    payment = await pay(bank, await scan(bank, 10_000_001 * RUPIAH))
    assert payment.state is State.REFUSED
    assert paper.asked == []
