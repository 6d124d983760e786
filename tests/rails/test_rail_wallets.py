"""Every wallet over its own paths and within its own limits: the contract's main lines for each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from rails.harness import Keys
from rails.partner_harness import DODI, RINA, PartnerHarness, running
from tangguh.core.order import ToBiller, ToWallet
from tangguh.core.outcome import Accepted, Declined, NotSent, Refusal, Unanswered
from tangguh.rails.rail import Found
from tangguh.sim import faults

RP600K = 600_000_00


@pytest_asyncio.fixture(params=["gopay", "ovo", "dana", "isaku"])
async def wallet(
    request: pytest.FixtureRequest, keys: Keys, tmp_path: Path
) -> AsyncIterator[PartnerHarness]:
    """Each wallet and its rail."""
    async with running(keys, tmp_path, request.param) as harness:
        yield harness


async def test_the_customer_is_named_and_topped_up(wallet: PartnerHarness) -> None:
    """A number as people type it, the name, the session, and the money, once."""
    for typed in ("08121110001", "+62 812-111 0001", RINA):
        found = await wallet.rail.look_up(wallet.asked(ToWallet(wallet.partner, typed)))
        assert isinstance(found, Found), typed
        assert (found.name, found.payee.number) == ("RINA PUSPITA", RINA)
    assert found.payee.session
    assert isinstance(await wallet.send(wallet.instruction(payee=found.payee)), Accepted)
    assert (wallet.paid_count(), wallet.paid_minor()) == (1, RP600K)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("628121110003", Refusal.PAYEE_INACTIVE),
        ("628121110004", Refusal.WALLET_NOT_FOUND),
        ("628121119999", Refusal.WALLET_NOT_FOUND),
        ("0812", Refusal.WALLET_NOT_FOUND),
    ],
    ids=["blocked", "closed", "unknown", "no_number"],
)
async def test_who_cannot_be_topped_up(
    wallet: PartnerHarness, number: str, reason: Refusal
) -> None:
    """Refused when asked, and refused when paid all the same."""
    payee = ToWallet(wallet.partner, number)
    for outcome in (
        await wallet.rail.look_up(wallet.asked(payee)),
        await wallet.send(wallet.instruction(payee=payee)),
    ):
        assert isinstance(outcome, Declined)
        assert outcome.reason is reason
    assert wallet.paid_minor() == 0


@pytest.mark.parametrize("minor", [9_999_00, 10_000_50, 20_000_001_00])
async def test_sums_no_wallet_takes(wallet: PartnerHarness, minor: int) -> None:
    """Below the least, in sen, and above the most: nothing leaves."""
    outcome = await wallet.send(wallet.instruction(amount_minor=minor))
    assert outcome == Declined(Refusal.PARTNER_LIMIT, "amount")
    assert wallet.rail.health[wallet.partner].sent == 0


async def test_only_its_own_customers(wallet: PartnerHarness) -> None:
    """A rail that knows one wallet carries nothing to another, nor to a biller."""
    others = [ToWallet("paypal", RINA), ToBiller("water", "7001234")]
    for payee in others:
        assert isinstance(await wallet.rail.look_up(wallet.asked(payee)), Declined)
        asked = wallet.instruction(payee=payee)
        assert isinstance(await wallet.send(asked), Declined)
        assert isinstance(await wallet.inquire(asked), Unanswered)
        assert isinstance(await wallet.reverse(asked), Unanswered)


async def test_reply_lost(wallet: PartnerHarness) -> None:
    """Unanswered; asked, it was paid."""
    await wallet.break_with(faults.DropReply(seconds=0))
    asked = wallet.instruction()
    assert isinstance(await wallet.send(asked), Unanswered)
    assert isinstance(await wallet.inquire(asked), Accepted)


async def test_request_lost(wallet: PartnerHarness) -> None:
    """Unanswered; by its schedule it ends as never received."""
    await wallet.break_with(faults.DropRequest(seconds=0))
    asked = wallet.instruction()
    assert isinstance(await wallet.send(asked), Unanswered)
    assert await wallet.resolve(asked) == Declined(Refusal.NEVER_ARRIVED, "not_found")
    assert wallet.paid_minor() == 0


async def test_lies_stand_in_the_books(wallet: PartnerHarness) -> None:
    """What was said and what was paid differ by exactly the lies."""
    for books, kind in (("failed", Accepted), ("paid", Declined)):
        await wallet.break_with(faults.Lie(books=books))
        assert isinstance(await wallet.send(wallet.instruction(reference=books)), kind)
    assert wallet.paid_minor() == RP600K


async def test_down(wallet: PartnerHarness) -> None:
    """Nothing left, neither money nor question."""
    await wallet.break_with(faults.Down())
    assert isinstance(await wallet.send(wallet.instruction()), NotSent)
    assert isinstance(await wallet.rail.look_up(wallet.asked(wallet.payee())), NotSent)


async def test_the_banks_deposit_runs_out(keys: Keys, tmp_path: Path) -> None:
    """What the bank has with the wallet bounds all top-ups together; the payer is told so."""
    async with running(keys, tmp_path, "ovo", deposit_minor=RP600K) as wallet:
        assert isinstance(await wallet.send(wallet.instruction()), Accepted)
        more = wallet.instruction(reference="MORE", payee=ToWallet("ovo", DODI))
        outcome = await wallet.send(more)
        assert isinstance(outcome, Declined)
        assert outcome.reason is Refusal.PARTNER_FLOAT


async def test_a_purse_that_is_full(keys: Keys, tmp_path: Path) -> None:
    """Rp20 million is the most a wallet may hold."""
    async with running(keys, tmp_path, "dana") as wallet:
        full = wallet.instruction(amount_minor=20_000_000_00)
        assert isinstance(await wallet.send(full), Accepted)
        more = wallet.instruction(reference="MORE", amount_minor=10_000_00)
        outcome = await wallet.send(more)
        assert isinstance(outcome, Declined)
        assert outcome.reason is Refusal.PARTNER_LIMIT


async def test_isaku_takes_whole_thousands(keys: Keys, tmp_path: Path) -> None:
    """Others take any rupiah."""
    for partner, kind in (("isaku", Declined), ("gopay", Accepted)):
        async with running(keys, tmp_path, partner) as wallet:
            odd = wallet.instruction(amount_minor=10_500_00)
            assert isinstance(await wallet.send(odd), kind)
