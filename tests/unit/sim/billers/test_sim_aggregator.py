"""The billers' rules: whole, open and partial bills, tokens, and bills written on demand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rails.harness import CLIENT, SECRET, Keys
from tangguh.core.clock import HandClock
from tangguh.demo.bills import BILLS
from tangguh.rails.billers.rail import BILLERS
from tangguh.sim import faults
from tangguh.sim.billers.aggregator import Aggregator, AggregatorSettings
from tangguh.sim.faults import AnyFault

NOON = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
NUMBERS = {bill.customer_no: bill.number for bill in BILLS}
POWER = NUMBERS["538712340001"]
METER = NUMBERS["14512340001"]
SCHOOL = NUMBERS["20260001"]
OPEN = NUMBERS["0812000002"]


class Desk:
    """The aggregator's counter without a socket."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self.clock = HandClock(NOON)
        self.billers = Aggregator(
            AggregatorSettings(
                client_id=CLIENT,
                client_secret=SECRET,
                partner_id="TGH",
                channel_id="95221",
                bank_public_key_path=keys.bank_public,
                switch_private_key_path=keys.switch_private,
                books_path=str(folder / "b.sqlite"),
            ),
            self.clock,
        )
        for bill in BILLS:
            self.billers.ledger.open_account(bill.number, bill.name)

    def inquire(self, number: str, minor: int | None = None) -> tuple[str, dict[str, Any]]:
        fields: dict[str, Any] = {"virtualAccountNo": number, "inquiryRequestId": "Q"}
        if minor is not None:
            fields["amount"] = amount(minor)
        said = self.billers._inquire(fields, None)
        return said.case, said.fields.get("virtualAccountData", {})

    def pay(
        self, number: str, minor: int, request: str = "P1", fault: AnyFault | None = None
    ) -> tuple[str, dict[str, Any]]:
        fields = {
            "virtualAccountNo": number,
            "paymentRequestId": request,
            "paidAmount": amount(minor),
        }
        said = self.billers._pay(fields, fault)
        return said.case, said.fields.get("virtualAccountData", {})

    def status(self, number: str, request: str = "P1") -> tuple[str, dict[str, Any]]:
        fields = {"virtualAccountNo": number, "paymentRequestId": request}
        said = self.billers._status(fields, None)
        return said.case, said.fields.get("virtualAccountData", {})

    @property
    def paid_minor(self) -> int:
        proof = self.billers.prove()
        assert proof.holds
        return proof.totals.in_minor


def amount(minor: int) -> dict[str, str]:
    return {"value": f"{minor // 100}.{minor % 100:02d}", "currency": "IDR"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Both sides' key pairs."""
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def desk(tmp_path: Path, keys: Keys) -> Iterator[Desk]:
    """The aggregator with its bills."""
    made = Desk(tmp_path, keys)
    yield made
    made.billers.ledger.close()


def test_every_bill_is_of_a_biller_the_rail_knows() -> None:
    services = {biller.service_id for biller in BILLERS.values()}
    assert {bill.service for bill in BILLS} == services
    assert len(NUMBERS) == len(BILLS)


def test_a_bill_of_two_months_is_paid_whole_and_once(desk: Desk) -> None:
    case, told = desk.inquire(POWER)
    assert (case, told["totalAmount"], told["virtualAccountTrxType"]) == (
        "20000",
        amount(611_250_00),
        "C",
    )
    assert [line["billName"] for line in told["billDetails"]] == ["Februari 2026", "Maret 2026"]
    assert desk.pay(POWER, 611_249_99, "SHORT")[0] == "40413"
    assert desk.pay(POWER, 611_250_00)[0] == "20000"
    assert desk.pay(POWER, 611_250_00)[0] == "20000", "a copy gets the first answer"
    assert desk.pay(POWER, 611_250_00, "P2")[0] == "40414", "a second payment does not"
    assert desk.inquire(POWER)[0] == "40414"
    assert desk.paid_minor == 611_250_00


@pytest.mark.parametrize(
    ("customer_no", "case"),
    [("538712340009", "40414"), ("820250101000009", "40419")],
    ids=["paid", "expired"],
)
def test_bills_that_cannot_be_paid(desk: Desk, customer_no: str, case: str) -> None:
    number = NUMBERS[customer_no]
    assert desk.inquire(number)[0] == case
    assert desk.pay(number, 90_000_00)[0] == case
    assert desk.inquire("   10001000000000000")[0] == "40412"
    assert desk.paid_minor == 0


def test_tokens_are_sold_again_and_again_each_with_its_digits(desk: Desk) -> None:
    case, told = desk.inquire(METER, 50_000_00)
    assert (case, told["totalAmount"]) == ("20000", amount(50_000_00))
    tokens = []
    for number in range(3):
        case, told = desk.pay(METER, 50_000_00, f"T{number}")
        assert case == "20000"
        tokens.append(told["additionalInfo"]["token"])
    assert len(set(tokens)) == 3
    assert all(len(token) == 20 and token.isdigit() for token in tokens)
    assert desk.pay(METER, 50_000_00, "T0")[1]["additionalInfo"]["token"] == tokens[0]
    assert desk.status(METER, "T1")[1]["additionalInfo"]["token"] == tokens[1]


def test_savings_that_were_paid_into_owe_nothing(desk: Desk) -> None:
    savings = "   880010812000002"
    assert desk.pay(savings, 50_000_00, "S")[0] == "20000"
    case, told = desk.inquire(savings)
    assert (case, told["totalAmount"]) == ("20000", amount(0))


def test_a_school_fee_in_parts(desk: Desk) -> None:
    assert desk.pay(SCHOOL, 199_999_99, "A")[0] == "40413", "less than the least"
    assert desk.pay(SCHOOL, 2_300_000_00, "B")[0] == "20000"
    assert desk.inquire(SCHOOL)[1]["totalAmount"] == amount(100_000_00)
    assert desk.pay(SCHOOL, 100_000_01, "C")[0] == "40413", "more than is left"
    assert desk.pay(SCHOOL, 100_000_00, "D")[0] == "20000", "what is left may be below the least"
    assert desk.inquire(SCHOOL)[0] == "40414"
    assert desk.paid_minor == 2_400_000_00


def test_an_open_bill_takes_what_comes(desk: Desk) -> None:
    for number, minor in enumerate((1_00, 5_000_000_00)):
        assert desk.pay(OPEN, minor, f"O{number}")[0] == "20000"
    assert desk.pay(OPEN, 99, "O9")[0] == "40413"


def test_the_same_request_with_other_content(desk: Desk) -> None:
    desk.pay(OPEN, 100_00)
    case, told = desk.pay(OPEN, 200_00)
    assert (case, told["paidAmount"]) == ("40418", amount(100_00))
    case, told = desk.pay(METER, 100_00)
    assert (case, told["virtualAccountNo"]) == ("40418", OPEN)
    assert desk.paid_minor == 100_00


def test_status_of_each_end(desk: Desk) -> None:
    desk.pay(OPEN, 100_00, "PAID")
    desk.pay(OPEN, 100_00, "FAILED", faults.Decline())
    desk.pay(OPEN, 100_00, "PENDING", faults.Pending(seconds=60, becomes="failed"))
    flags = {name: desk.status(OPEN, name)[1]["paymentFlagStatus"] for name in
             ("PAID", "FAILED", "PENDING")}  # fmt: skip
    assert flags == {"PAID": "00", "FAILED": "01", "PENDING": "03"}
    assert desk.status(OPEN, "UNKNOWN") == ("40401", {})
    desk.clock.advance(60)
    assert desk.paid_minor == 100_00
    assert desk.status(OPEN, "PENDING")[1]["paymentFlagStatus"] == "01"


def test_a_bill_in_progress_is_not_paid_twice(desk: Desk) -> None:
    """A second payment of a whole bill while the first is pending must not make it too much."""
    desk.pay(POWER, 611_250_00, "P1", faults.Pending(seconds=60))
    second, _ = desk.pay(POWER, 611_250_00, "P2")
    desk.clock.advance(61)
    assert desk.paid_minor == 611_250_00, second


def test_lies_contradict_the_books(desk: Desk) -> None:
    assert desk.pay(OPEN, 100_00, "YES", faults.Lie(books="failed"))[0] == "20000"
    assert desk.pay(OPEN, 100_00, "NO", faults.Lie(books="paid"))[0] == "40305"
    assert desk.paid_minor == 100_00


async def test_a_bill_written_on_demand(desk: Desk) -> None:
    made = await desk.billers.act(
        "bill", {"service": "20001", "customer_no": "7009999", "amount_minor": 12_345_00}
    )
    assert made == {"number": "   200017009999"}
    assert desk.inquire(made["number"])[1]["totalAmount"] == amount(12_345_00)
    assert desk.pay(made["number"], 12_345_00)[0] == "20000"
    with pytest.raises(ValueError, match="cannot"):
        await desk.billers.act("credit", {})


async def test_a_bill_that_lacks_something_is_refused(desk: Desk) -> None:
    with pytest.raises(ValueError, match="customer_no"):
        await desk.billers.act("bill", {"service": "20001", "amount_minor": 1})


def test_the_file_has_every_payment(desk: Desk) -> None:
    desk.pay(POWER, 611_250_00)
    desk.pay(OPEN, 100_00, "P2")
    assert (
        desk.billers.settlement_file(NOON.date()).splitlines()[-1].startswith("T|2|611350.00|0.00|")
    )
