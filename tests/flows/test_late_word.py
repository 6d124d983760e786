"""Word that comes late, twice, or against what was settled: no money moves a second time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from conftest import QUICK
from paper import PaperRail
from serving import Answered, phones
from stories import RUPIAH, balance, count_of, give_back, now_is, pay, proved, refund, scan, told
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.outcome import Accepted, Declined, NotSent, Outcome, Refusal, Unanswered
from tangguh.payments.decide import Conclude
from tangguh.payments.payment import Decided, Payment, State
from tangguh.rails import signature
from tangguh.rails.qris.notice import NOTIFY
from tangguh.rails.qris.rail import QrisSettings

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NO = Declined(Refusal.PARTNER_DECLINED, "4035000")

Tell = Callable[..., Awaitable[Answered]]


async def conclude(bank: Bank, payment: Payment, outcome: Outcome) -> Decided:
    decided = await bank.desk.decide(Conclude(payment.id, outcome, bank.rules))
    assert isinstance(decided, Decided)
    return decided


@pytest.mark.parametrize(
    ("first", "later", "state"),
    [(Accepted("R"), NO, State.POSTED), (NO, Accepted("R"), State.VOIDED)],
)
async def test_a_contradiction_is_recorded_and_changes_nothing(
    bank: Bank, paper: PaperRail, first: Outcome, later: Outcome, state: State
) -> None:
    """Paid after it was voided, or declined after it was posted: a line in the timeline."""
    paper.will("send", first)
    payment = await pay(bank, await scan(bank, 10_000 * RUPIAH))
    before = await balance(bank, payment.debtor)
    decided = await conclude(bank, payment, later)
    assert (decided.payment.state, decided.repeated) == (state, True)
    assert await balance(bank, payment.debtor) == before
    assert (await told(bank, payment))[-1] == "contradicted"
    await proved(bank)


@pytest.mark.parametrize("later", [Accepted("R"), Unanswered("timeout")])
async def test_the_same_word_again_is_not_even_a_line(
    bank: Bank, paper: PaperRail, later: Outcome
) -> None:
    """An end confirmed, or a silence after it, adds nothing."""
    payment = await pay(bank, await scan(bank, 10_000 * RUPIAH))
    decided = await conclude(bank, payment, later)
    assert decided == Decided(payment, repeated=True)
    assert await told(bank, payment) == ["held", "posted"]


async def test_paid_word_after_all_of_it_was_refunded(bank: Bank) -> None:
    """A refunded payment was paid: hearing so again is no contradiction."""
    payment = await pay(bank, await scan(bank, 10_000 * RUPIAH))
    await refund(bank, give_back(payment, 10_000 * RUPIAH))
    decided = await conclude(bank, payment, Accepted("R"))
    assert (decided.payment.state, decided.repeated) == (State.REFUNDED, True)
    contradicted = await conclude(bank, payment, NotSent("no"))
    assert contradicted.payment.state is State.REFUNDED
    await proved(bank)


async def test_word_about_a_payment_nobody_made(bank: Bank) -> None:
    """It is refused; nothing is invented."""
    answer = await bank.desk.decide(Conclude(bank.ids.next(), Accepted("R"), bank.rules))
    assert answer.code is Refusal.PAYMENT_NOT_FOUND  # type: ignore[union-attr]


async def test_a_reference_no_database_can_keep_is_kept_without_what_it_cannot(
    bank: Bank, paper: PaperRail
) -> None:
    """A network may write anything into its reference; the book and its writer go on."""
    paper.will("send", Accepted("RRN\x001"), Declined(Refusal.PARTNER_DECLINED, "\x00\ud800"))
    payment = await pay(bank, await scan(bank, 10_000 * RUPIAH, key="a"))
    assert (payment.state, payment.network_reference) == (State.POSTED, "RRN\ufffd1")
    assert (await pay(bank, await scan(bank, 10_000, key="b"))).state is State.VOIDED
    await proved(bank)


# ---- notices over the partners' door -----------------------------------------------------------


@pytest.fixture
async def tell(bank: Bank, clock: HandClock, tmp_path: Path) -> AsyncIterator[Tell]:
    """Have the switch send a notice of a payment, signed by its key."""
    path = tmp_path / "switch.public.pem"
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    path.write_bytes(KEY.public_key().public_bytes(serialization.Encoding.PEM, public))
    switch = QrisSettings(url="http://127.0.0.1:9", switch_public_key_path=str(path))
    bank.settings = msgspec.structs.replace(QUICK, qris=switch)
    async with phones(bank, clock) as make:
        phone = await make(None)

        async def send(
            payment: Payment, status: str, *, key: Any = KEY, **changes: Any
        ) -> Answered:
            fields = {
                "originalReferenceNo": "RRN-N",
                "originalPartnerReferenceNo": payment.reference,
                "latestTransactionStatus": status,
                "amount": {"value": f"{payment.amount_minor // 100}.00", "currency": "IDR"},
            } | changes
            body = json.dumps(fields).encode()
            stamp = signature.timestamp_of(clock.now())
            text = signature.text_of_call("POST", NOTIFY.path, None, body, stamp)
            headers = {
                "X-Timestamp": stamp,
                "X-Signature": signature.sign_asymmetric(key, text),
                "X-External-Id": str(int.from_bytes(sha256(body).digest()[:12], "big")),
            }
            return await phone.ask("POST", NOTIFY.path, raw=body, headers=headers)

        yield send


@pytest.fixture
async def waiting(bank: Bank, paper: PaperRail) -> Payment:
    """A payment nobody has answered."""
    paper.will("send", Unanswered("timeout"))
    return await pay(bank, await scan(bank, 10_000 * RUPIAH))


async def test_a_notice_twice_concludes_once(bank: Bank, tell: Tell, waiting: Payment) -> None:
    """The switch says it was paid, and says so again."""
    assert (await tell(waiting, "00")).status == 200
    done = await now_is(bank, waiting)
    assert (done.state, done.network_reference) == (State.POSTED, "RRN-N")
    assert (await tell(waiting, "00")).status == 200
    assert await now_is(bank, waiting) == done
    assert await told(bank, waiting) == ["held", "unanswered", "posted"]
    await proved(bank)


async def test_a_notice_of_failure_gives_the_money_back(
    bank: Bank, tell: Tell, waiting: Payment
) -> None:
    """Declined by notice is declined."""
    assert (await tell(waiting, "06")).status == 200
    assert (await now_is(bank, waiting)).state is State.VOIDED
    await proved(bank)


async def test_a_notice_that_nothing_is_known_changes_nothing(
    bank: Bank, tell: Tell, waiting: Payment
) -> None:
    """In progress and never seen are no outcomes to act upon."""
    for status in ("03", "07", "99"):
        assert (await tell(waiting, status)).status == 200
    assert await now_is(bank, waiting) == waiting


async def test_a_forged_or_wrong_notice_is_not_taken(
    bank: Bank, tell: Tell, waiting: Payment
) -> None:
    """Another's key, another amount, another payment: refused with the standard's codes."""
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = await tell(waiting, "00", key=other)
    amount = await tell(waiting, "00", amount={"value": "1.00", "currency": "IDR"})
    unknown = await tell(waiting, "00", originalPartnerReferenceNo="0" * 32)
    nonsense = await tell(waiting, "00", originalPartnerReferenceNo="not-a-uuid")
    assert [one.body["responseCode"] for one in (forged, amount, unknown, nonsense)] == [
        "4015200", "4045213", "4045201", "4045201",
    ]  # fmt: skip
    still = await now_is(bank, waiting)
    assert (still.state, still.amount_minor) == (waiting.state, waiting.amount_minor)
    assert await count_of(bank, "payments") == 1
