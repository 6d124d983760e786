"""Mutated SNAP bodies, both ways: nothing raises, and whatever is no yes has its reason.

Ten thousand in the suite; ``python -m unit.rails.test_snap_fuzz 200000`` takes any number.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tangguh.core.outcome import Accepted, Declined, Unanswered
from tangguh.rails.billers import codes as billers
from tangguh.rails.ewallet import codes as wallets
from tangguh.rails.link import Reply
from tangguh.rails.qris import acquirer, codes, notice
from tangguh.rails.qris.fields import NoticeRefused, object_of
from tangguh.rails.qris.notice import Notice
from tangguh.rails.snap import (
    INCONSISTENT,
    INCONSISTENT_IS_SUCCESS,
    Answer,
    Endpoint,
    open_reply,
)

MONEY = {"value": "10000.00", "currency": "IDR"}
BILL = {
    "virtualAccountNo": "  9880812000002",
    "virtualAccountName": "PELANGGAN UJI",
    "paymentRequestId": "0195b2f1c3a07d4e8f00aa11bb22cc33",
    "totalAmount": MONEY,
    "paidAmount": MONEY,
    "paymentFlagStatus": "00",
    "virtualAccountTrxType": "C",
    "referenceNo": "B1",
    "billDetails": [{"billName": "Tagihan", "billAmount": MONEY}],
    "additionalInfo": {"token": "1234-5678-9012-3456-7890"},
}
ANSWERS: list[tuple[Endpoint, dict[str, Any], Callable[[Answer], object]]] = [
    (wallets.TOPUP, {"referenceNo": "W1", "amount": MONEY}, wallets.outcome_of_topup),
    (
        wallets.STATUS,
        {"latestTransactionStatus": "00", "originalReferenceNo": "W1"},
        wallets.outcome_of_status,
    ),
    (
        billers.INQUIRY,
        {"virtualAccountData": BILL},
        lambda answer: billers.bill_of(answer, "  9880812000002"),
    ),
    (billers.PAYMENT, {"virtualAccountData": BILL}, billers.outcome_of_payment),
    (billers.STATUS, {"virtualAccountData": BILL}, billers.outcome_of_status),
    (
        billers.STATUS,
        {"virtualAccountData": BILL},
        lambda answer: billers.tells_another_amount(answer, 1),
    ),
    (codes.PAYMENT, {"referenceNo": "Q1", "amount": MONEY}, codes.outcome_of_payment),
    (
        codes.QUERY,
        {"latestTransactionStatus": "00", "originalReferenceNo": "Q1", "amount": MONEY},
        codes.outcome_of_query,
    ),
    (codes.CANCEL, {"cancelTime": "2026-03-20T12:00:00+07:00"}, codes.outcome_of_cancel),
    (codes.REFUND, {"refundNo": "R1", "refundAmount": MONEY}, codes.outcome_of_refund),
    (
        codes.QUERY,
        {
            "latestTransactionStatus": "04",
            "originalReferenceNo": "Q1",
            "refundHistory": [{"partnerRefundNo": "R", "refundStatus": "00", "amount": MONEY}],
        },
        lambda answer: codes.outcome_of_refund_query(answer, "R", 10_000_00),
    ),
]
ASKED: list[tuple[dict[str, Any], Callable[[dict[str, Any]], object]]] = [
    (
        {
            "originalReferenceNo": "Q1",
            "originalPartnerReferenceNo": "P1",
            "latestTransactionStatus": "00",
            "amount": MONEY,
        },
        lambda fields: notice._read_fields(fields, "1"),
    ),
    (
        {
            "partnerReferenceNo": "V1",
            "merchantId": "M1",
            "amount": MONEY,
            "feeAmount": MONEY,
            "additionalInfo": {"merchantPan": "9360099900000000001", "issuerNns": "93600998"},
        },
        acquirer.merchant_paid,
    ),
    (
        {
            "partnerReferenceNo": "V1",
            "merchantId": "M1",
            "amount": MONEY,
            "additionalInfo": {"token": "T", "merchantPan": "9360099800000000001"},
        },
        acquirer.code_scanned,
    ),
]
BITS = [
    b"", b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"1e999", b"-1", b"NaN", b"0.001",
    b"\\u0000", b"\\ud800", b"\xff", b"\xc3", b"\0", b"9" * 400, b"A" * 400, b"[" * 400, b"IDR", b"USD",
    b"20000", b"2003800", b"4043801", b"5005000", b"00", b"03", b"06", b'{"value":1}', b"\xd9\xa3",
]  # fmt: skip
LEAVES: list[Any] = [
    None, True, 0, -1, 1e300, 10**30, "", " ", "0", "-1.00", "1.001", "1e5", "NaN", "٣", "\x00", "A" * 5_000,
    [], {}, [MONEY], {"value": MONEY}, {"value": "10000.00"}, {"value": 1.5, "currency": "IDR"},
]  # fmt: skip
FAMILIES = ("200", "202", "400", "401", "403", "404", "409", "429", "500", "504")


def mutated(body: bytes, source: random.Random) -> bytes:
    """One to three small wounds of the bytes."""
    for _ in range(source.randint(1, 3)):
        at = source.randrange(len(body) + 1)
        end = min(len(body), at + source.choice((0, 1, 2, 8, 40)))
        body = body[:at] + source.choice(BITS) + body[end:]
    return body


def regrown(tree: dict[str, Any], source: random.Random) -> bytes:
    """JSON that is whole, with a leaf of another sort, a name gone, or a branch too many."""
    node: Any = json.loads(json.dumps(tree))
    whole = node
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            break
        key = source.choice(keys)
        if isinstance(node[key], dict | list) and source.random() < 0.7:
            node = node[key]
            continue
        if source.random() < 0.2:
            del node[key]
        else:
            node[key] = source.choice(LEAVES)
        break
    return json.dumps(whole).encode()


def _answer(source: random.Random) -> str:
    endpoint, fields, reader = source.choice(ANSWERS)
    family = "200" if source.random() < 0.7 else source.choice(FAMILIES)
    case = "00" if source.random() < 0.7 else f"{source.randrange(25):02d}"
    said = {"responseCode": family + endpoint.service + case, "responseMessage": "x", **fields}
    body = json.dumps(said).encode()
    body = mutated(body, source) if source.random() < 0.5 else regrown(said, source)
    answer = open_reply(endpoint, Reply(int(family), body))
    if isinstance(answer, Unanswered):
        assert answer.why
        return "no answer"
    read = reader(answer)
    if isinstance(read, Unanswered):
        assert read.why
    elif isinstance(read, Declined):
        assert read.reason
        assert read.code
    elif isinstance(read, Accepted):
        same_again = answer.case == INCONSISTENT and answer.service in INCONSISTENT_IS_SUCCESS
        assert same_again or answer.code.startswith("200"), body
        assert isinstance(read.reference, str)
    return type(read).__name__


def _asked(source: random.Random) -> str:
    """What the switch signed, however strange it is."""
    tree, reader = source.choice(ASKED)
    whole = json.dumps(tree).encode()
    body = mutated(whole, source) if source.random() < 0.5 else regrown(tree, source)
    fields = object_of(body, "52")
    if isinstance(fields, NoticeRefused):
        return "no object"
    read = reader(fields)
    if isinstance(read, NoticeRefused):
        assert read.field
        assert read.detail
        assert len(read.response_code) == 7
    elif isinstance(read, Notice):
        assert read.amount_minor is None or read.amount_minor >= 0
    msgspec.json.encode(read)
    return type(read).__name__


def fuzz(count: int, seed: int) -> Counter[str]:
    """Mutate so many bodies and read every one; how many were what."""
    source = random.Random(seed)
    return Counter(
        _answer(source) if source.random() < 0.7 else _asked(source) for _ in range(count)
    )


@pytest.mark.parametrize("seed", [1, 20250329])
def test_ten_thousand_wounds(seed: int) -> None:
    """All sorts are met: no answer at all, yes, no, perhaps, refused and readable requests."""
    seen = fuzz(5_000, seed)
    assert seen.total() == 5_000
    assert min(seen[name] for name in ("no answer", "Accepted", "Declined", "Unanswered")) > 20
    assert min(seen[name] for name in ("no object", "NoticeRefused", "MerchantPaid")) > 20


if __name__ == "__main__":
    sys.stdout.write(f"{fuzz(int(sys.argv[1]), seed=1)}\n")
