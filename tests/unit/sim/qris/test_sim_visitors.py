"""Visitors at our merchants and shops elsewhere, against a bank whose answers are written here."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tangguh.core.clock import HandClock
from tangguh.rails.qris.cpm import CpmCode
from tangguh.rails.qris.cpm import encode as encode_cpm
from tangguh.rails.qris.shop import Shop, dynamic_text, static_text
from tangguh.sim.listener import Listener
from tangguh.sim.qris.visitors import Visitors, token_in
from tangguh.sim.snap import body_hash

NOON = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)
WARUNG = Shop(
    pan="936009990000000001",
    merchant_id="TGH000000001",
    nmid="ID1026000000001",
    criteria="UMI",
    name="WARUNG BU RATNA",
    city="JAKARTA PUSAT",
    postal_code="10110",
    category_code="5812",
)
CPM = encode_cpm(CpmCode(pan="9360099900000000001", token="1234567890", language="iden"))


class Bank:
    """Answers from a list for each service; the last one for ever. Keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.answers: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        routes = {
            "50": "/v1.0/qr/qr-mpm-payment",
            "51": "/v1.0/qr/qr-mpm-query",
            "60": "/v1.0/qr/qr-cpm-payment",
        }
        self.app = Starlette(
            routes=[
                Route(path, self._answer(service), methods=["POST"])
                for service, path in routes.items()
            ]
        )

    def will(self, service: str, *answers: tuple[str, dict[str, Any]]) -> None:
        """``case`` and fields; an empty case is no answer at all."""
        self.answers[service] = list(answers)

    def _answer(self, service: str) -> Any:
        async def answer(request: Request) -> Response:
            body = await request.body()
            self._verify(request, body)
            self.asked.append((service, msgspec.json.decode(body), dict(request.headers)))
            written = self.answers[service]
            case, fields = written[0] if len(written) == 1 else written.pop(0)
            if not case:
                return Response(b"<html>", 502)
            code = {"responseCode": case[:3] + service + case[3:], **fields}
            return Response(msgspec.json.encode(code), int(case[:3]))

        return answer

    @staticmethod
    def _verify(request: Request, body: bytes) -> None:
        stamp = request.headers["x-timestamp"]
        text = f"POST:{request.url.path}:{body_hash(body)}:{stamp}"
        signature = base64.b64decode(request.headers["x-signature"])
        KEY.public_key().verify(signature, text.encode(), padding.PKCS1v15(), SHA256())


@pytest.fixture
def bank() -> Bank:
    """Says yes to everything."""
    made = Bank()
    made.will("50", ("20000", {"referenceNo": "OURS1"}))
    made.will("51", ("20000", {"latestTransactionStatus": "00", "referenceNo": "OURS1"}))
    made.will("60", ("20000", {"referenceNo": "OURS2"}))
    return made


@pytest.fixture
async def visitors(bank: Bank, tmp_path: Path) -> AsyncIterator[Visitors]:
    """The switch's visitors, who know where the bank is."""
    listener = Listener(bank.app, "127.0.0.1", 0)
    await listener.open()
    made = Visitors(
        str(tmp_path / "visitors.sqlite"),
        f"{listener.url}/v1.0/qr/qr-mpm-notify",
        KEY,
        "TGH",
        HandClock(NOON),
        Random(1),
    )
    yield made
    await made.close()
    await listener.close(0.0)


async def test_a_visitor_pays_a_static_code(visitors: Visitors, bank: Bank) -> None:
    """Signed by the switch, for the merchant in the code, and due to the bank afterwards."""
    said = await visitors.pay({"payload": static_text(WARUNG), "amount_minor": 25_000_00})
    assert (said["case"], said["amount_minor"]) == ("20000", 25_000_00)
    service, body, headers = bank.asked[0]
    assert service == "50"
    assert body["merchantId"] == WARUNG.merchant_id
    assert body["amount"] == {"value": "25000.00", "currency": "IDR"}
    assert body["additionalInfo"]["merchantPan"] == WARUNG.pan
    assert body["additionalInfo"]["billNo"] == ""
    assert headers["x-partner-id"] == "TGH"
    row = visitors.ledger.transfer(said["reference"])
    assert row is not None
    assert (row.direction, row.state, row.network_reference) == ("out", "paid", "OURS1")


async def test_a_dynamic_code_says_how_much_and_for_what(visitors: Visitors, bank: Bank) -> None:
    payload = dynamic_text(WARUNG, 18_000_50, "S1")
    said = await visitors.pay({"payload": payload})
    assert said["amount_minor"] == 18_000_50
    assert bank.asked[0][1]["additionalInfo"]["billNo"] == "S1"


async def test_the_same_visit_is_written_once(visitors: Visitors) -> None:
    fields = {"payload": static_text(WARUNG), "amount_minor": 100_00, "reference": "VISIT"}
    await visitors.pay(fields)
    await visitors.pay(fields)
    assert visitors.ledger.totals().out_minor == 100_00
    assert visitors.ledger.prove().holds


async def test_a_no_is_written_as_one(visitors: Visitors, bank: Bank) -> None:
    bank.will("50", ("40319", {}))
    said = await visitors.pay({"payload": static_text(WARUNG), "amount_minor": 100_00})
    row = visitors.ledger.transfer(said["reference"])
    assert row is not None
    assert (row.state, row.code) == ("failed", "40319")
    assert [asked[0] for asked in bank.asked] == ["50"]


@pytest.mark.parametrize("no_word", ["", "50001", "50400", "20200"])
@pytest.mark.parametrize(
    ("status", "state"), [("00", "paid"), ("06", "failed"), ("03", None), (None, None)]
)
async def test_no_word_is_asked_about(
    visitors: Visitors, bank: Bank, no_word: str, status: str | None, state: str | None
) -> None:
    """A lost reply, a failing bank and "in progress" decide nothing: the query does, or nobody."""
    bank.will("50", (no_word, {}))
    bank.will("51", ("20000", {"latestTransactionStatus": status}) if status else ("", {}))
    said = await visitors.pay({"payload": static_text(WARUNG), "amount_minor": 100_00})
    assert [asked[0] for asked in bank.asked] == ["50", "51"]
    assert bank.asked[1][1] == {"originalPartnerReferenceNo": said["reference"]}
    row = visitors.ledger.transfer(said["reference"])
    assert (row.state if row is not None else None) == state


async def test_what_the_bank_does_not_know_was_not_paid(visitors: Visitors, bank: Bank) -> None:
    bank.will("50", ("", {}))
    bank.will("51", ("40401", {}))
    said = await visitors.pay({"payload": static_text(WARUNG), "amount_minor": 100_00})
    row = visitors.ledger.transfer(said["reference"])
    assert row is not None
    assert row.state == "failed"


async def test_a_shop_elsewhere_scans_our_customer(visitors: Visitors, bank: Bank) -> None:
    """The token in the code is what the bank is asked with; the bank owes what was paid."""
    said = await visitors.scan({"payload": CPM, "amount_minor": 27_500_00})
    assert said["case"] == "20000"
    assert bank.asked[0][1]["additionalInfo"]["token"] == "1234567890"
    row = visitors.ledger.transfer(said["reference"])
    assert row is not None
    assert (row.direction, row.state, row.amount_minor) == ("in", "paid", 27_500_00)


@pytest.mark.parametrize(("again", "state"), [("20000", "paid"), ("40300", "failed"), ("", None)])
async def test_a_scan_without_a_word_is_repeated_once(
    visitors: Visitors, bank: Bank, again: str, state: str | None
) -> None:
    """There is no query of it: the same request under the same reference gets the same answer."""
    bank.will("60", ("50001", {}), (again, {}))
    said = await visitors.scan({"payload": CPM, "amount_minor": 100_00})
    assert bank.asked[0][1] == bank.asked[1][1]
    first, second = (asked[2]["x-external-id"] for asked in bank.asked)
    assert first != second
    row = visitors.ledger.transfer(said["reference"])
    assert (row.state if row is not None else None) == state


@pytest.mark.parametrize("payload", ["", "000201", "26xx", "not a code", "0002010102116304ABCD"])
async def test_a_code_that_names_nobody(visitors: Visitors, bank: Bank, payload: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        await visitors.pay({"payload": payload, "amount_minor": 1})
    assert bank.asked == []


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "not base64!",
        base64.b64encode(b"no token here").decode(),
        base64.b64encode(b"\x9f\x74").decode(),
        base64.b64encode(b"\x9f\x74\x05\xff").decode(),
    ],
)
def test_a_shown_code_without_a_whole_token(payload: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        token_in(payload)


def test_the_token_is_read_by_a_reader_of_its_own() -> None:
    assert token_in(CPM) == "1234567890"


async def test_both_ways_are_in_the_settlement(visitors: Visitors) -> None:
    """What is due to the bank and what it owes."""
    await visitors.pay({"payload": static_text(WARUNG), "amount_minor": 100_00})
    await visitors.scan({"payload": CPM, "amount_minor": 40_00})
    lines = visitors.ledger.settlement_lines(NOON.date(), 0, ("12:00", "24:00"))
    assert [(one.kind, one.side, one.amount_minor) for one in lines] == [
        ("CRE", "I", 100_00),
        ("PAY", "O", 40_00),
    ]
