"""Signatures, receipts and addresses: what strangers hand us is judged before it is believed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.outcome import Refused
from tangguh.notices.address import address_of
from tangguh.notices.channels.outlet import is_public
from tangguh.notices.notice import Via
from tangguh.notices.signature import Arrival, Receipt, is_signed, receipt_of, signed, token_of

NOW = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
SECRET = "a secret of more than thirty-two characters"
POINT = "B" + "A" * 86
BROWSER = {"endpoint": "https://push.example/1", "keys": {"p256dh": POINT, "auth": "A" * 22}}


def receipt(said: Any, *, secret: str = SECRET, at: datetime = NOW) -> Receipt | Refused:
    body = json.dumps(said).encode()
    return receipt_of(signed(secret, body, at), body, SECRET, NOW)


@pytest.mark.parametrize(
    ("status", "arrival"),
    [
        ("delivered", Arrival.ARRIVED), ("sent", Arrival.UNDER_WAY), ("undelivered", Arrival.LOST),
        ("expired", Arrival.LOST),
    ],
)  # fmt: skip
def test_a_receipt_is_what_the_gateway_says(status: str, arrival: Arrival) -> None:
    assert receipt({"id": "g-1", "status": status, "why": "x"}) == Receipt("g-1", arrival, "x")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"id": "g-1", "status": "perhaps"}, "status"),
        ({"id": "g-1", "status": ["delivered"]}, "status"),
        ({"id": "", "status": "delivered"}, "id"),
        ({"id": "g\x00", "status": "delivered"}, "id"),
        ({"id": "g\udcff", "status": "delivered"}, "id"),
        ({"id": 7, "status": "delivered"}, "id"),
        ({"status": "delivered"}, "body"),
        (["id", "status"], "body"),
        (None, "body"),
    ],
)
def test_what_is_not_understood_is_no_yes(said: Any, field: str) -> None:
    refused = receipt(said)
    assert isinstance(refused, Refused)
    assert refused.field == field


def test_only_the_gateway_and_only_now() -> None:
    said = {"id": "g-1", "status": "delivered"}
    assert isinstance(receipt(said, secret=SECRET + "x"), Refused)
    for away in (timedelta(seconds=301), timedelta(seconds=-301)):
        assert isinstance(receipt(said, at=NOW + away), Refused)
    assert isinstance(receipt(said, at=NOW - timedelta(seconds=299)), Receipt)


@given(st.binary(max_size=80), st.text(max_size=20), st.text(max_size=80))
def test_no_bytes_break_the_judge(body: bytes, stamp: str, signature: str) -> None:
    headers = {"X-Timestamp": stamp, "X-Signature": signature}
    assert isinstance(receipt_of(headers, body, SECRET, NOW), Refused)
    assert isinstance(receipt_of(signed(SECRET, body, NOW), body, SECRET, NOW), Refused)


def test_body_time_and_secret_are_all_signed() -> None:
    headers = signed(SECRET, b"body", NOW)
    assert is_signed(SECRET, {name.lower(): one for name, one in headers.items()}, b"body", NOW)
    assert not is_signed(SECRET, headers, b"bodY", NOW)
    later = {**headers, "X-Timestamp": str(int(NOW.timestamp()) + 1)}
    assert not is_signed(SECRET, later, b"body", NOW)
    assert not is_signed(SECRET, {}, b"body", NOW)


def test_tokens_are_for_one_purpose_and_subject() -> None:
    made = {
        token_of(*one)
        for one in (("k", "p", "s"), ("k2", "p", "s"), ("k", "p2", "s"), ("k", "p", "s2"))
    }
    assert len(made) == 4
    assert {len(token) for token in made} == {22}


@pytest.mark.parametrize(
    ("via", "given_", "kept"),
    [
        (Via.EMAIL, " Rani@Bank.Example ", "Rani@bank.example"),
        (Via.SMS, "0811 000-0001", "628110000001"),
        (Via.SMS, "+62 811 0000001", "628110000001"),
        (Via.SMS, "٠٨١١٠٠٠٠٠٠١", "628110000001"),
        (Via.WEBHOOK, "https://hooks.example:8443/x?y=1", "https://hooks.example:8443/x?y=1"),
        (Via.PUSH, json.dumps(BROWSER | {"expirationTime": None}), json.dumps(BROWSER, separators=(",", ":"))),
    ],
)  # fmt: skip
def test_an_address_is_kept_in_one_spelling(via: Via, given_: str, kept: str) -> None:
    assert address_of(via, given_) == kept


@pytest.mark.parametrize(
    ("via", "given_"),
    [
        (Via.EMAIL, "rani"), (Via.EMAIL, "a@b"), (Via.EMAIL, "a@b.id\r\nBcc: c@d.id"),
        (Via.EMAIL, "a b@c.id"), (Via.EMAIL, "a@-b.id"), (Via.EMAIL, ""),
        (Via.SMS, "123"), (Via.SMS, "0811-x"),
        (Via.WEBHOOK, "ftp://x.example"), (Via.WEBHOOK, "https://u:p@x.example/"),
        (Via.WEBHOOK, "https://x.example:99999/"), (Via.WEBHOOK, "https:///x"),
        (Via.WEBHOOK, "https://x.example/a b"), (Via.WEBHOOK, "https://[::1/"),
        (Via.PUSH, "{}"), (Via.PUSH, "null"), (Via.PUSH, "\udcff"),
        (Via.PUSH, json.dumps(BROWSER | {"keys": {"p256dh": "A" * 87, "auth": "A" * 22}})),
        (Via.PUSH, json.dumps(BROWSER | {"keys": {"p256dh": POINT, "auth": "A"}})),
        (Via.PUSH, json.dumps(BROWSER | {"endpoint": "file:///etc/passwd"})),
        (Via.IN_APP, "customer:1"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(via: Via, given_: str) -> None:
    assert isinstance(address_of(via, given_), Refused)


@given(st.sampled_from(Via), st.text(max_size=40))
def test_no_text_breaks_the_judge_of_addresses(via: Via, text: str) -> None:
    assert address_of(via, text)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "localhost", "",
    ],
)  # fmt: skip
def test_where_strangers_may_not_send_us(address: str) -> None:
    assert not is_public(address)


def test_the_public_internet_is_public() -> None:
    assert is_public("8.8.8.8")
    assert is_public("::ffff:8.8.8.8")
    assert is_public("2606:4700:4700::1111")


def test_a_word_given_twice_is_no_word() -> None:
    body = b'{"id": "g-1", "status": "failed", "status": "delivered"}'
    refused = receipt_of(signed(SECRET, body, NOW), body, SECRET, NOW)
    assert isinstance(refused, Refused)
    assert refused.field == "body"
