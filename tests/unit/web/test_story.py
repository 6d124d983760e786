"""A payment in words: every state has its own, and an unknown end is never shown as a known one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from tangguh.core.order import (
    Payee,
    PaymentOrder,
    ToAccount,
    ToBank,
    ToBiller,
    ToCash,
    ToMerchant,
    ToPurse,
    ToQris,
    ToWallet,
)
from tangguh.core.outcome import Refusal
from tangguh.core.service import (
    ATM_CARDLESS,
    BILL,
    QRIS_OFFUS,
    QRIS_ONUS,
    SPEND_CARD,
    TOPUP,
    TOPUP_CARD,
    TOPUP_SERVER,
    TRANSFER_BIFAST,
    TRANSFER_ONUS,
)
from tangguh.payments.payment import Payment, State
from tangguh.payments.store import Event
from tangguh.web.pages.arrival import Arrival, arrival_of
from tangguh.web.pages.people import Ends, Party
from tangguh.web.pages.screen import WORDS
from tangguh.web.pages.story import LOOKS, Side, may_retry, phase_of, steps, tell

NOON = datetime(2026, 3, 20, 5, tzinfo=UTC)
ENDS = Ends(Party("Citra", 10_100_000_011, 1), Party("Kopi", city="JEPARA", bank="GoPay"))
_MERCHANT = ToQris("", "", "", "", "", "Kopi", "JEPARA", "")


def payment(state: State, rail: str = "qris") -> Payment:
    payee = _MERCHANT if rail == "qris" else ToAccount(10_100_000_021)
    order = PaymentOrder(
        customer_id=1,
        idempotency_key="k",
        service="s",
        debtor=1,
        payee=payee,
        amount_minor=5_000_00,
    )
    return Payment(
        id=UUID(int=7),
        kind="payment",
        customer_id=1,
        service="s",
        rail=rail,
        state=state,
        debtor=10_100_000_011,
        creditor=2,
        amount_minor=5_000_00,
        tip_minor=0,
        fee_minor=0,
        currency="IDR",
        order=order,
        business_date=date(2026, 3, 20),
        accepted_at=NOON,
        network_reference="RRN1",
        refusal=Refusal.PARTNER_DECLINED if state in (State.REFUSED, State.VOIDED) else None,
        concluded_at=None if state in (State.HELD, State.UNANSWERED) else NOON,
    )


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("state", list(State))
def test_every_state_has_a_story_in_both_languages(language: str, state: State) -> None:
    """A label, a sentence with the sum in it (or that nothing was debited), a look of its own."""
    story = tell(WORDS[language], payment(state), ENDS, Side.PAYER, NOON)
    assert story.label
    assert "{" not in story.sentence
    assert story.is_open == (story.next_word_at is not None)
    assert story.may_retry == (state in (State.REFUSED, State.VOIDED))


def test_every_look_differs_without_colour() -> None:
    """In grey, ends that mean different things have different shapes."""
    shapes = {phase: look.icon for phase, look in LOOKS.items()}
    for phase in ("refused", "processing", "unanswered", "posted", "voided"):
        others = [icon for name, icon in shapes.items() if name not in (phase, "refunded")]
        assert shapes[phase] not in others


def test_silence_becomes_an_honest_unknown_after_ten_seconds() -> None:
    """Until then it is being processed; after it we say that we do not know."""
    held = payment(State.HELD)
    assert phase_of(held, NOON + timedelta(seconds=9)) == "processing"
    assert phase_of(held, NOON + timedelta(seconds=10)) == "unanswered"
    story = tell(WORDS["id"], held, ENDS, Side.PAYER, NOON + timedelta(seconds=11))
    assert story.sentence == (
        "GoPay belum menjawab. Rp5.000 ditahan di rekening Anda dan belum hilang. Jangan kirim "
        "ulang. Kami periksa otomatis; kabar paling lambat pukul 12.15 WIB."
    )


def test_the_next_word_moves_on_and_never_lies_in_the_past() -> None:
    """Nobody is shown a promise whose time has gone by."""
    late = NOON + timedelta(minutes=31)
    story = tell(WORDS["en"], payment(State.UNANSWERED), ENDS, Side.PAYER, late)
    assert story.next_word_at == NOON + timedelta(minutes=60)
    assert "update by 13:00 WIB" in story.sentence


def test_each_rail_says_who_has_the_money() -> None:
    """A merchant's bank received it; or it is in the other person's account."""
    qris = tell(WORDS["id"], payment(State.POSTED), ENDS, Side.PAYER, NOON)
    assert qris.sentence == "Diterima GoPay pukul 12.00 WIB. Ref. RRN1."
    to_person = Ends(ENDS.payer, Party("Ayu", 10_100_000_021, 2))
    onus = tell(WORDS["id"], payment(State.POSTED, "onus"), to_person, Side.PAYER, NOON)
    assert onus.sentence == "Sudah masuk ke rekening Ayu pukul 12.00 WIB."
    received = tell(WORDS["id"], payment(State.POSTED, "onus"), to_person, Side.PAYEE, NOON)
    assert received.label == "Uang masuk"


def paid_to(payee: Payee, service: str) -> Payment:
    done = payment(State.POSTED)
    order = msgspec.structs.replace(done.order, payee=payee, service=service)
    return msgspec.structs.replace(done, order=order, service=service)


@pytest.mark.parametrize("language", ["id", "en"])
def test_what_was_done_is_told_by_who_was_paid(language: str) -> None:
    """No sentence fits two cases: a wallet is no bank, cash goes into nobody's account."""
    paid = {
        Arrival.ACCOUNT: paid_to(ToAccount(10_100_000_021), TRANSFER_ONUS),
        Arrival.FAR_ACCOUNT: paid_to(ToBank("998", "1"), TRANSFER_BIFAST),
        Arrival.MERCHANT: paid_to(ToMerchant("M", "", "Kopi", ""), QRIS_ONUS),
        Arrival.FAR_MERCHANT: paid_to(_MERCHANT, QRIS_OFFUS),
        Arrival.WALLET: paid_to(ToWallet("gopay", "0812"), TOPUP["gopay"]),
        Arrival.BILL: paid_to(ToBiller("water", "1"), BILL["water"]),
        Arrival.POWER_CODE: paid_to(ToBiller("prepaid", "1"), BILL["prepaid"]),
        Arrival.CASH: paid_to(ToCash("T", "998"), ATM_CARDLESS),
        Arrival.PURSE: paid_to(ToPurse(1, "1", "server"), TOPUP_SERVER),
        Arrival.CHIP: paid_to(ToPurse(1, "1", "card"), TOPUP_CARD),
        Arrival.CHIP_SPENT: paid_to(ToAccount(1), SPEND_CARD),
    }
    assert set(paid) == set(Arrival)
    said = {}
    for arrival, done in paid.items():
        assert arrival_of(done) is arrival
        said[arrival] = tell(WORDS[language], done, ENDS, Side.PAYER, NOON).sentence
    alike = {Arrival.FAR_ACCOUNT, Arrival.FAR_MERCHANT}
    assert len({text for arrival, text in said.items() if arrival not in alike}) == len(paid) - 2
    assert "bank" not in said[Arrival.WALLET].lower()


def test_retry_is_offered_only_where_it_cannot_pay_twice() -> None:
    """Refused and voided; never while open, never when done."""
    assert {state for state in State if may_retry(payment(state))} == {
        State.REFUSED,
        State.VOIDED,
    }


def test_the_timeline_tells_repeated_questions_once() -> None:
    """Four inquiries are one line with how often and the last time."""
    asked = [
        Event(2 + n, NOON + timedelta(seconds=n), State.UNANSWERED, "unanswered", "silent")
        for n in range(4)
    ]
    told = steps(WORDS["id"], [Event(1, NOON, State.HELD, "held", ""), *asked])
    assert [(one.times, one.is_last) for one in told] == [(1, False), (4, True)]
    assert told[1].last_at == NOON + timedelta(seconds=3)


def test_a_card_that_was_topped_up_is_told_to_be_tapped() -> None:
    """The chip has the balance only after a reader; a ride that was paid needs no tap."""
    topped = paid_to(ToPurse(1, "5270000000000001", "card"), TOPUP_CARD)
    assert "Tempelkan kartu" in tell(WORDS["id"], topped, ENDS, Side.PAYER, NOON).sentence
    ride = paid_to(ToAccount(10_100_000_021), SPEND_CARD)
    assert "Tempelkan" not in tell(WORDS["id"], ride, ENDS, Side.PAYER, NOON).sentence
