"""A wallet's own rules, called at its counter without a socket; and its door, once, with one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rails.harness import CLIENT, SECRET, Keys
from tangguh.core.clock import HandClock
from tangguh.core.errors import Misconfigured
from tangguh.sim import faults
from tangguh.sim.faults import AnyFault
from tangguh.sim.wallets.wallet import Wallet, WalletSettings, accounts

NOON = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
RINA, DODI = "628121110001", "628121110002"
BLOCKED, CLOSED = "628121110003", "628121110004"


class Desk:
    """One wallet and what it says: its case and the answer's fields."""

    def __init__(self, folder: Path, keys: Keys, **changes: Any) -> None:
        self.clock = HandClock(NOON)
        self.wallet = Wallet(
            WalletSettings(
                client_id=CLIENT,
                client_secret=SECRET,
                partner_id="TGH",
                channel_id="95221",
                bank_public_key_path=keys.bank_public,
                switch_private_key_path=keys.switch_private,
                books_path=str(folder / "w.sqlite"),
                wallet="ovo",
                **changes,
            ),
            self.clock,
        )
        for number, name, state in accounts(0):
            self.wallet.ledger.open_account(number, name, state=state)

    def inquire(self, number: str = RINA, minor: int = 100_000_00) -> tuple[str, dict[str, Any]]:
        fields = {"partnerReferenceNo": "Q", "customerNumber": number, "amount": amount(minor)}
        said = self.wallet._inquire(fields, None)
        return said.case, said.fields

    def top_up(
        self,
        reference: str = "T1",
        number: str = RINA,
        minor: int = 100_000_00,
        fault: AnyFault | None = None,
    ) -> str:
        fields = {
            "partnerReferenceNo": reference,
            "customerNumber": number,
            "amount": amount(minor),
        }
        return self.wallet._top_up(fields, fault).case

    def status(self, reference: str = "T1") -> tuple[str, str]:
        said = self.wallet._status({"originalPartnerReferenceNo": reference}, None)
        return said.case, str(said.fields.get("latestTransactionStatus", ""))

    @property
    def paid_minor(self) -> int:
        proof = self.wallet.prove()
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
    """OVO with its customers."""
    made = Desk(tmp_path, keys)
    yield made
    made.wallet.ledger.close()


def test_an_inquiry_names_the_customer_and_moves_nothing(desk: Desk) -> None:
    case, fields = desk.inquire()
    assert (case, fields["customerName"]) == ("20000", "RINA PUSPITA")
    assert fields["maxAmount"] == amount(20_000_000_00)
    assert len(fields["sessionId"]) == 16
    assert desk.wallet.ledger.transfers() == []


@pytest.mark.parametrize(
    ("number", "case"), [(BLOCKED, "40318"), (CLOSED, "40411"), ("628121119999", "40411")]
)
def test_who_cannot_be_topped_up(desk: Desk, number: str, case: str) -> None:
    assert desk.inquire(number)[0] == case
    assert desk.top_up(number=number) == case
    assert desk.paid_minor == 0


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"partnerReferenceNo": "", "customerNumber": RINA, "amount": amount(1)},
        {"partnerReferenceNo": "R", "customerNumber": "0812", "amount": amount(1)},
        {"partnerReferenceNo": "R", "customerNumber": RINA, "amount": {"value": "1"}},
        {
            "partnerReferenceNo": "R",
            "customerNumber": RINA,
            "amount": {"value": "1.00", "currency": "USD"},
        },
    ],
)
def test_bodies_that_are_none(desk: Desk, fields: dict[str, Any]) -> None:
    """400, with the standard's complaint about the first bad field; nothing is written."""
    said = desk.wallet._top_up(fields, None)
    assert said.case in {"40001", "40002"}
    assert desk.wallet.ledger.transfers() == []


def test_the_same_top_up_again_gets_the_first_answer(desk: Desk) -> None:
    assert [desk.top_up() for _ in range(3)] == ["20000"] * 3
    assert desk.top_up(minor=1_00) == desk.top_up(number=DODI) == "40418"
    assert desk.paid_minor == 100_000_00


def test_a_purse_and_the_deposit_have_an_end(tmp_path: Path, keys: Keys) -> None:
    desk = Desk(tmp_path, keys, deposit_minor=20_500_000_00)
    assert desk.top_up("A", minor=20_000_000_00) == "20000"
    assert desk.top_up("B", minor=1) == "40302", "Rina's purse is full"
    assert desk.top_up("C", DODI, 500_000_01) == "40314", "the bank's deposit is used up"
    assert desk.top_up("D", DODI, 500_000_00) == "20000"
    assert desk.top_up("E", DODI, 0) == "40413"
    desk.wallet.ledger.close()


def test_status_of_each_end(desk: Desk) -> None:
    desk.top_up("PAID")
    desk.top_up("FAILED", fault=faults.Decline())
    desk.top_up("PENDING", fault=faults.Pending(seconds=60))
    assert desk.status("PAID") == ("20000", "00")
    assert desk.status("FAILED") == ("20000", "06")
    assert desk.status("PENDING") == ("20000", "03")
    assert desk.status("UNKNOWN") == ("40401", "")
    desk.clock.advance(60)
    assert desk.paid_minor == 200_000_00
    assert desk.status("PENDING") == ("20000", "00")
    assert desk.top_up("PENDING") == "20000", "and a repeat hears how it ended"


def test_lies_contradict_the_books_both_ways(desk: Desk) -> None:
    assert desk.top_up("YES", fault=faults.Lie(books="failed")) == "20000"
    assert desk.top_up("NO", fault=faults.Lie(books="paid")) == "40305"
    assert desk.paid_minor == 100_000_00
    assert desk.status("YES") == ("20000", "06")
    assert desk.status("NO") == ("20000", "00")


def test_a_lie_cannot_pay_what_may_not_be_paid(desk: Desk) -> None:
    desk.top_up("BLOCKED", BLOCKED, fault=faults.Lie(books="paid"))
    assert desk.paid_minor == 0


async def test_a_wallet_does_nothing_of_its_own_accord(desk: Desk) -> None:
    with pytest.raises(ValueError, match="cannot"):
        await desk.wallet.act("credit", {})


def test_books_filter_and_the_file_agrees(desk: Desk) -> None:
    desk.top_up("A")
    desk.top_up("B", DODI)
    books = desk.wallet.books({"account": DODI, "limit": "5"})
    assert [row.reference for row in books["transfers"]] == ["B"]
    lines = desk.wallet.settlement_file(NOON.date()).splitlines()
    assert lines[0] == "H|1|ovo|TGH|2026-03-20|0|IDR"
    assert lines[-1].startswith("T|2|200000.00|0.00|")
    with pytest.raises(ValueError, match="invalid literal"):
        desk.wallet.books({"limit": "many"})


def test_a_wallet_without_a_key_does_not_open(tmp_path: Path, keys: Keys) -> None:
    with pytest.raises(Misconfigured):
        Desk(tmp_path, keys, seed=1).wallet.__class__(
            WalletSettings(
                client_id="c",
                client_secret="s",
                partner_id="p",
                channel_id="1",
                bank_public_key_path=str(tmp_path / "none.pem"),
                switch_private_key_path=keys.switch_private,
                books_path=str(tmp_path / "x.sqlite"),
                wallet="ovo",
            ),
            HandClock(NOON),
        )


def test_settings_show_no_secret(tmp_path: Path, keys: Keys) -> None:
    desk = Desk(tmp_path, keys)
    assert SECRET not in repr(desk.wallet._settings)
    desk.wallet.ledger.close()
