"""What no honest device sends: each is answered with a problem that says where the money is."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from serving import Answered, Phone
from stories import count_of
from tangguh.app import Bank
from tangguh.web.problems import CONTENT_TYPE

TABLES = ("payments", "payment_events", "postings", "entries", "holds", "sessions", "acts")
MEMBERS = {"type", "title", "status", "code", "detail", "field", "money", "retry", "trace_id"}


async def sizes(bank: Bank) -> list[int]:
    return [await count_of(bank, table) for table in TABLES]


def is_problem(answer: Answered, status: int, code: str) -> None:
    """The answer is this problem, whole, and says that nothing moved."""
    assert (answer.status, answer.media) == (status, CONTENT_TYPE), answer.raw
    assert set(answer.body) >= MEMBERS
    assert (answer.code, answer.body["status"]) == (code, status)
    assert answer.body["money"] == "not_moved"
    assert answer.body["type"] == f"/problems/{code}"


def raw_order(account: str, **changes: str) -> bytes:
    """A transfer as bytes, with members replaced by JSON of the test's own."""
    members = {
        "kind": '"transfer"',
        "from_account": f'"{account}"',
        "to_account": '"10100000021"',
        "amount": '"1000.00"',
    } | changes
    return ("{" + ",".join(f'"{key}":{value}' for key, value in members.items()) + "}").encode()


NOT_JSON = {
    "nothing": b"",
    "half": b'{"kind": "transfer", ',
    "text": b"amount=1000",
    "not a number": b'{"amount": NaN}',
    "infinity": b'{"amount": Infinity}',
    "two documents": b"{}{}",
    "not utf-8": b'{"note": "\xff\xfe"}',
    "lone surrogate": b'{"note": "\\ud800"}',
    "nul byte": b'{"note": "\x00"}',
    "deep": b"[" * 10_000 + b"]" * 10_000,
    "deep objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
}


@pytest.mark.parametrize("name", NOT_JSON)
async def test_not_json(phone: Phone, bank: Bank, name: str) -> None:
    """Whatever is no JSON document is 400, before anything is looked at."""
    before = await sizes(bank)
    answer = await phone.pay(None, raw=NOT_JSON[name], headers={"Content-Type": "application/json"})
    assert answer.status in {400, 422}
    is_problem(answer, answer.status, "json_invalid" if answer.status == 400 else "body_invalid")
    assert await sizes(bank) == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": "1000"}, "amount"),
        ({"amount": "1e400"}, "amount"),
        ({"amount": "null"}, "amount"),
        ({"amount": '"-1"'}, "amount"),
        ({"amount": '"+1"'}, "amount"),
        ({"amount": '"1,000"'}, "amount"),
        ({"amount": '"1e3"'}, "amount"),
        ({"amount": '"0.001"'}, "amount"),
        ({"amount": '"١٠٠"'}, "amount"),
        ({"amount": '"99999999999999.00"'}, "amount"),
        ({"amount": '["1000.00"]'}, "amount"),
        ({"from_account": "10100000011"}, "from_account"),
        ({"from_account": '"10100000011\\n"'}, "from_account"),
        ({"to_account": '"' + "9" * 17 + '"'}, "to_account"),
        ({"to_account": "{}"}, "to_account"),
        ({"note": '"a\\u0000b"'}, "note"),
        ({"note": '"' + "x" * 101 + '"'}, "note"),
        ({"note": "true"}, "note"),
        ({"kind": '"wire"'}, ""),
        ({"kind": "1"}, "kind"),
        ({"more": "1"}, ""),
        ({"customer_id": "2"}, ""),
    ],
)
async def test_json_of_another_shape(
    phone: Phone, bank: Bank, changes: dict[str, str], field: str
) -> None:
    """Wrong types, unknown members and impossible values are 422, naming the member."""
    before = await sizes(bank)
    answer = await phone.pay(None, raw=raw_order(phone.account, **changes))
    is_problem(answer, 422, "body_invalid")
    assert field in answer.body["field"]
    assert await sizes(bank) == before


async def test_a_member_given_twice(phone: Phone, bank: Bank) -> None:
    """Two amounts in one order: which one was on the screen nobody can say, so neither counts."""
    raw = raw_order(phone.account)[:-1] + b',"amount":"9000.00"}'
    is_problem(await phone.pay(None, raw=raw), 400, "json_invalid")
    assert await count_of(bank, "payments") == 0


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_another_content_type(phone: Phone, bank: Bank, media: str) -> None:
    """Only JSON is read as JSON."""
    raw = raw_order(phone.account)
    is_problem(
        await phone.pay(None, raw=raw, headers={"Content-Type": media}), 415, "content_type_wrong"
    )
    with_charset = {"Content-Type": "application/json; charset=utf-8"}
    assert (await phone.pay(None, raw=raw, headers=with_charset)).status == 201


async def test_a_body_too_large(phone: Phone, bank: Bank) -> None:
    """One byte above the bound is refused; at the bound it is read."""
    limit = bank.door.settings.body_bytes_max
    order = raw_order(phone.account)
    too_large = order + b" " * (limit + 1 - len(order))
    is_problem(await phone.pay(None, raw=too_large), 413, "body_too_large")
    assert (await phone.pay(None, raw=too_large[:-1])).status == 201


async def test_a_body_that_does_not_say_how_large_it_is(phone: Phone, bank: Bank) -> None:
    """Sent in pieces it is cut off as soon as it is too large, and a lie is not believed."""
    parts = urlsplit(phone._url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = (
        f"POST /v1/payments HTTP/1.1\r\nHost: bank\r\nAuthorization: Bearer {phone.token}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    writer.write(head.encode())
    writer.write(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
    for _ in range(8):
        writer.write(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
    answer = await reader.readuntil(b"}")
    assert b" 413 " in answer.splitlines()[0]
    assert b"body_too_large" in answer
    writer.close()


@pytest.mark.parametrize(
    "path",
    [
        "/v1/nothing",
        "/v2/payments",
        "/v1/payments/x/y/z",
        "/v1/" + "a" * 4_000,
        "/static/../app.py",
        "/static/%2e%2e/server.py",
    ],
)
async def test_nothing_here(phone: Phone, path: str) -> None:
    """An unknown path is 404, as a problem."""
    is_problem(await phone.ask("GET", path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/payments", {"GET", "POST"}),
        ("DELETE", "/v1/payments", {"GET", "POST"}),
        ("GET", "/v1/sessions", {"POST"}),
        ("PATCH", "/v1/me", {"GET"}),
        ("POST", "/v1/accounts", {"GET"}),
        ("TRACE", "/v1/me", {"GET"}),
        ("OPTIONS", "/v1/me", {"GET"}),
        ("POST", "/openapi.json", {"GET", "HEAD"}),
    ],
)
async def test_another_method(phone: Phone, method: str, path: str, allowed: set[str]) -> None:
    """405 with the methods there are."""
    answer = await phone.ask(method, path)
    is_problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    "path",
    [
        "/v1/payments?limit=0",
        "/v1/payments?limit=101",
        "/v1/payments?limit=x",
        "/v1/payments?limit=1e1",
        "/v1/payments?limit=%D9%A1",
        "/v1/payments?limit=" + "9" * 400,
        "/v1/payments?before=x",
        "/v1/payments/not-a-uuid",
        "/v1/accounts/{account}/entries?before=0",
        "/v1/accounts/{account}/entries?before=" + "9" * 30,
        "/v1/accounts/{account}/entries?limit=-1",
        "/v1/accounts/{account}/balance",
        "/v1/accounts/{account}/balance?at=",
        "/v1/accounts/{account}/balance?at=yesterday",
        "/v1/accounts/{account}/balance?at=2026-03-20T05:00:00",
        "/v1/accounts/{account}/balance?at=nan",
        "/v1/accounts/{account}/balance?at=inf",
        "/v1/accounts/{account}/balance?at=1e400",
        "/v1/accounts/{account}/balance?at=253402300800",
        "/v1/accounts/{account}/balance?at=-62135596801",
        "/v1/accounts/{account}/balance?at=1e18",
        "/v1/accounts/{account}/balance?at=" + quote("2016-12-31T23:59:60Z"),
        "/v1/accounts/{account}/balance?at=" + quote("0001-01-01T00:00:00+14:00"),
        "/v1/accounts/{account}/balance?at=" + quote("9999-12-31T23:59:59-14:00"),
    ],
)
async def test_a_malformed_parameter(phone: Phone, path: str) -> None:
    """Parameters that cannot be meant are 422 and name themselves."""
    answer = await phone.ask("GET", path.replace("{account}", phone.account))
    is_problem(answer, 422, "parameter_invalid")
    assert answer.body["field"] in {"limit", "before", "at", "payment_id"}


@pytest.mark.parametrize("account", ["0", "-1", "١", "x", "9" * 17, "9" * 400, "1.5", "~"])
async def test_a_malformed_account_number_is_no_account(phone: Phone, account: str) -> None:
    """What cannot be a number of an account is not found, like any number that is not yours."""
    answer = await phone.ask("GET", f"/v1/accounts/{account}/entries")
    is_problem(answer, 404, "account_not_found")


@pytest.mark.parametrize("qr", ["x", "0" * 512, "😀" * 100, "00020101021226" + "9" * 400])
async def test_a_code_that_is_none(phone: Phone, bank: Bank, qr: str) -> None:
    """Reading says what is wrong with it; paying it is refused; neither breaks anything."""
    reading = await phone.ask("POST", "/v1/qris/readings", {"qr": qr})
    assert (reading.status, reading.body["valid"]) == (200, False)
    assert reading.body["errors"]
    order = {"kind": "qris", "from_account": phone.account, "qr": qr, "amount": "1.00"}
    is_problem(await phone.pay(order), 422, "qr_invalid")
    assert await count_of(bank, "payments") == 0


async def test_nothing_hostile_leaves_the_bank_ill(phone: Phone, bank: Bank) -> None:
    """After a hundred bad requests at once a good one is served."""
    bad: list[Any] = [phone.pay(None, raw=raw) for raw in NOT_JSON.values()] * 1
    answers = await asyncio.gather(*bad)
    assert {answer.status for answer in answers} <= {400, 415, 422}
    good = await phone.pay(json.loads(raw_order(phone.account)), key="good")
    assert good.status == 201
    assert bank.writer.is_open
