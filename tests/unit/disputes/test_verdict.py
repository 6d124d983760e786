"""What the bank's own evidence may say of a case, and what it must leave to people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from tangguh.core.order import Payee, PaymentOrder, ToAccount, ToBiller, ToCash, ToPurse, ToWallet
from tangguh.core.service import ATM_CARDLESS, ATM_CASH, BILL, CARD_CASH, TOPUP, TOPUP_CARD
from tangguh.disputes.case import About, Case, Outcome, open_case
from tangguh.disputes.verdict import AskStaff, Decide, Seen, Wait, judge
from tangguh.payments.payment import Payment, State
from tangguh.payments.redress.policy import RedressPolicy

NOW = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
SUM = 10_000_000
OWN_ATM = ToCash(terminal="ATM00001", acquirer="999", vault=101_101)
THEIR_ATM = ToCash(terminal="ATM99801", acquirer="998")
CARD = ToPurse(34_000_000_001, "6032980000000001", "card")
TOKEN_METER = ToBiller("prepaid", "32100000001")


def posted(service: str, rail: str, payee: Payee, **more: object) -> Payment:
    values = {
        "id": UUID(int=1),
        "kind": "payment",
        "customer_id": 1,
        "service": service,
        "rail": rail,
        "state": State.POSTED,
        "debtor": 10_000_000_001,
        "creditor": 102_003,
        "amount_minor": SUM,
        "tip_minor": 0,
        "fee_minor": 0,
        "currency": "IDR",
        "order": PaymentOrder(
            customer_id=1,
            idempotency_key="k",
            service=service,
            debtor=10_000_000_001,
            payee=payee,
            amount_minor=SUM,
        ),
        "business_date": date(2026, 3, 20),
        "accepted_at": NOW,
        "concluded_at": NOW,
    } | more
    return Payment(**values)  # type: ignore[arg-type]


def about(what: About) -> Case:
    return open_case(
        case_id=UUID(int=2),
        number="TG26-0000-0000",
        customer_id=1,
        about=what,
        channel="app",
        language="id",
        text_sha256="",
        now=NOW,
        payment_id=UUID(int=1),
    )


def say(payment: Payment, what: About = About.FAILED_DEBITED, **seen: object) -> object:
    facts = Seen(payment=payment, **seen)  # type: ignore[arg-type]
    return judge(about(what), facts, RedressPolicy(), NOW + timedelta(hours=2))


@pytest.mark.parametrize("what", [About.CASH, About.FAILED_DEBITED, About.OTHER])
@pytest.mark.parametrize(
    ("service", "payee"),
    [(ATM_CASH, OWN_ATM), (ATM_CARDLESS, OWN_ATM), (CARD_CASH, THEIR_ATM)],
)
@pytest.mark.parametrize("settled", [False, True])
def test_no_notes_came_out_is_with_people_at_once_and_never_called_arrived(
    what: About, service: str, payee: ToCash, *, settled: bool
) -> None:
    """Settled says that the banks agree. Whether notes came out, only the machine's journal says."""
    payment = posted(service, "onus", payee)
    said = say(payment, what, listed_minor=SUM if settled else None)
    assert isinstance(said, AskStaff)
    assert "journal" in said.why


def test_our_own_machine_does_not_wait_for_a_file_that_will_not_list_it() -> None:
    said = say(posted(ATM_CASH, "onus", OWN_ATM), About.CASH)
    assert said == AskStaff("our machine's journal says whether the notes came out")


def test_a_card_that_was_not_tapped_is_told_to_tap() -> None:
    """The money is on the server; the chip has it only after a reader."""
    payment = posted(TOPUP_CARD, "emoney", CARD, creditor=CARD.account_id)
    said = say(payment, About.TOPUP, is_inside=True, waits_for_tap=True)
    assert isinstance(said, Decide)
    assert said.outcome is Outcome.WAITS_FOR_TAP


def test_a_card_that_was_tapped_has_it() -> None:
    payment = posted(TOPUP_CARD, "emoney", CARD, creditor=CARD.account_id)
    said = say(payment, About.TOPUP, is_inside=True)
    assert isinstance(said, Decide)
    assert said.outcome is Outcome.ARRIVED


def test_a_power_token_nobody_has_seen_has_not_arrived() -> None:
    payment = posted(BILL["prepaid"], "billers", TOKEN_METER)
    said = say(payment, listed_minor=SUM)
    assert isinstance(said, AskStaff)
    assert "token" in said.why


def test_a_power_token_the_bank_has_is_given_in_the_answer() -> None:
    payment = posted(BILL["prepaid"], "billers", TOKEN_METER)
    said = say(payment, receipt="1234 5678 9012 3456 7890")
    assert isinstance(said, Decide)
    assert said.outcome is Outcome.TOKEN_GIVEN


def test_a_transfer_inside_the_bank_is_there_with_its_posting() -> None:
    payment = posted("mobile.transfer.onus", "onus", ToAccount(10_000_000_002))
    said = say(payment, is_inside=True)
    assert isinstance(said, Decide)
    assert said.outcome is Outcome.ARRIVED


def test_a_wallet_top_up_is_read_in_the_wallets_file() -> None:
    payment = posted(TOPUP["gopay"], "ewallet", ToWallet("gopay", "62812"))
    assert isinstance(say(payment), Wait)
    said = say(payment, listed_minor=SUM)
    assert isinstance(said, Decide)
    assert said.outcome is Outcome.ARRIVED
