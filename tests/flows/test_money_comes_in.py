"""Money from other banks: announced, settled, sent twice, for accounts that are not there."""

from __future__ import annotations

import msgspec
import pytest

from stories import ANA, RUPIAH, account_of, balance, count_of, proved, put_state
from tangguh.app import Bank
from tangguh.core.outcome import Accepted, Declined, Refusal
from tangguh.core.service import IN_BIFAST
from tangguh.ledger import chart
from tangguh.ledger.account import AccountState
from tangguh.ledger.statement import balance as read_balance
from tangguh.payments.incoming.receiving import Receiving
from tangguh.payments.refund import AcceptRefund
from tangguh.rails.rail import Incoming


@pytest.fixture
def receiving(bank: Bank) -> Receiving:
    """The bank's door for networks."""
    return Receiving(bank.desk, bank.pool, bank.book_id)


async def incoming(bank: Bank, **changes: object) -> Incoming:
    """Rp 150.000 for Ana from another bank."""
    plain = Incoming(
        rail="bifast",
        service=IN_BIFAST,
        reference="20260320UJIAIDJ1010O0100000001",
        creditor=str(await account_of(bank, ANA)),
        amount_minor=150_000 * RUPIAH,
        currency="IDR",
        sender_name="BUDI",
        sender_bank="998",
        sender_account="770000001",
    )
    return msgspec.structs.replace(plain, **changes)


async def test_nothing_is_credited_before_it_is_settled(bank: Bank, receiving: Receiving) -> None:
    """Announced money is not Ana's yet; the settlement notice makes it hers, once."""
    account = await account_of(bank, ANA)
    before = (await balance(bank, account)).posted_minor
    asked = await incoming(bank)
    assert isinstance(await receiving.announce(asked), Accepted)
    assert (await balance(bank, account)).posted_minor == before
    for _ in range(2):
        said = await receiving.settled("bifast", asked.reference, Accepted("CLR-1"))
        assert isinstance(said, Accepted)
    assert (await balance(bank, account)).posted_minor == before + 150_000 * RUPIAH
    await proved(bank)


async def test_the_same_message_again_is_the_same_credit(bank: Bank, receiving: Receiving) -> None:
    """A duplicate and a re-delivery get the first answer; other content under it is refused."""
    asked = await incoming(bank)
    first = await receiving.announce(asked)
    assert await receiving.announce(asked) == first
    assert await count_of(bank, "payments") == 1
    other = msgspec.structs.replace(asked, amount_minor=asked.amount_minor + 1)
    said = await receiving.announce(other)
    assert said == Declined(Refusal.IDEMPOTENCY_KEY_REUSED, "amount")


async def test_an_account_that_is_not_there_is_refused(bank: Bank, receiving: Receiving) -> None:
    """No such number, letters, the bank's own accounts, a closed one: declined, and for ever."""
    for number, creditor in enumerate(("10999999999", "ABC", str(chart.FEES), "")):
        asked = await incoming(bank, creditor=creditor, reference=f"R{number}")
        assert await receiving.announce(asked) == Declined(Refusal.PAYEE_NOT_FOUND, "to")
    await put_state(bank, await account_of(bank, ANA), AccountState.CLOSED)
    asked = await incoming(bank)
    assert await receiving.announce(asked) == Declined(Refusal.PAYEE_ACCOUNT_CLOSED, "to")
    await proved(bank)


async def test_an_account_closed_between_announcement_and_settlement(
    bank: Bank, receiving: Receiving
) -> None:
    """The network has paid us: the money waits in suspense under the account's number."""
    asked = await incoming(bank)
    await receiving.announce(asked)
    await put_state(bank, await account_of(bank, ANA), AccountState.CLOSED)
    await receiving.settled("bifast", asked.reference, Accepted("CLR-1"))
    suspense = await read_balance(bank.pool, bank.book_id, chart.SUSPENSE)
    assert suspense is not None
    assert suspense.posted_minor == 150_000 * RUPIAH
    await proved(bank)


async def test_a_credit_that_is_called_off(bank: Bank, receiving: Receiving) -> None:
    """The network says that it was not settled: nothing was credited and nothing is held."""
    asked = await incoming(bank)
    await receiving.announce(asked)
    said = await receiving.settled("bifast", asked.reference, Declined(Refusal.PARTNER_DECLINED))
    assert isinstance(said, Declined)
    settlement = await read_balance(bank.pool, bank.book_id, chart.SETTLEMENT_BIFAST)
    assert settlement is not None
    assert (settlement.posted_minor, settlement.held_minor) == (0, 0)
    await proved(bank)


async def test_a_return_cannot_name_money_that_came_in(bank: Bank, receiving: Receiving) -> None:
    """Another bank "returns" what it had paid Ana: as a refund of that, it would rob her of it."""
    account = await account_of(bank, ANA)
    first = await incoming(bank)
    await receiving.announce(first)
    await receiving.settled("bifast", first.reference, Accepted("CLR-1"))
    before = (await balance(bank, account)).posted_minor
    for original in (f"in:{first.reference}", first.reference):
        number = first.reference[:-1] + original[:1]
        again = await incoming(bank, reference=number, original=original, creditor="10999999999")
        said = await receiving.announce(again)
        assert isinstance(said, Declined), said
    assert (await balance(bank, account)).posted_minor == before
    await proved(bank)


async def test_the_proof_sees_a_return_of_money_that_came_in(
    bank: Bank, receiving: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were it ever booked, the sums would still agree: this rule says what nobody may book."""
    first = await incoming(bank)
    await receiving.announce(first)
    await receiving.settled("bifast", first.reference, Accepted("CLR-1"))
    monkeypatch.setattr(AcceptRefund, "_may_refund", lambda *_: True)
    back = f"in:{first.reference}"
    again = await incoming(bank, reference=first.reference[:-1] + "9", original=back)
    assert isinstance(await receiving.announce(again), Accepted)
    proof = await bank.prove()
    wrong = [one.name for one in proof.invariants if not one.holds]
    assert wrong == ["only_what_left_us_is_returned"]
