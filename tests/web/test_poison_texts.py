"""Texts no database keeps and no page shows, at every door of the web: each is a no with a name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import aiohttp
import msgspec
import pytest

import tangguh.web
from serving import Phone, served
from tangguh.access.session import Kind
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.disputes.case import About
from tangguh.web.api.operations import Operation
from tangguh.web.api.table import OPERATIONS
from tangguh.web.pages import PAGES
from tangguh.web.pages.frame import SESSION_COOKIE
from tangguh.web.pages.seal import form_token

NUL = "a\x00b"
_HEX = "0190aaaa-0000-7000-8000-000000000001"
WHOLE: dict[str, Any] = {
    "kind": None, "from_account": "10100000011", "to_account": "10100000021", "amount": "1000.00",
    "tip": "0.00", "note": "makan", "qr": "000201", "inquiry": "abcdefghijkl", "reason": "salah",
    "bank": "014", "account": "1234567890", "via": "bifast", "proxy": "628110000001",
    "wallet": "dana", "number": "628110000001", "biller": "water", "customer_no": "12345678",
    "bill_no": "INV-1", "phone": "628110000001", "pin": "123456", "text": "uang tidak sampai",
    "device": "", "code": "", "attempt": "",
    "about": str(next(iter(About))), "payment_id": _HEX, "endpoint": "https://push.example/x", "minutes": 5,
    "ids": [_HEX], "keys": {"p256dh": "x", "auth": "y"}, "expiration_time": None,
}  # fmt: skip


def shapes_of(operation: Operation) -> list[type[msgspec.Struct]]:
    return list(get_args(operation.takes)) or [operation.takes]


def bodies() -> Iterator[tuple[Operation, dict[str, Any], str]]:
    """Each operation's body, with NUL in one of its texts."""
    for operation in OPERATIONS:
        for shape in shapes_of(operation) if operation.takes is not None else ():
            whole = {
                name: WHOLE[name] for name in shape.__struct_fields__
            }  # a new field without its example fails here
            if shape.__struct_config__.tag_field:
                whole[shape.__struct_config__.tag_field] = shape.__struct_config__.tag
            elif "kind" in whole:
                whole["kind"] = "cash"
            for name, value in whole.items():
                if isinstance(value, str):
                    yield operation, {**whole, name: NUL}, name


@pytest.mark.parametrize(
    ("operation", "body", "field"),
    [pytest.param(*one, id=f"{one[0].id}-{one[1].get('kind', '')}-{one[2]}") for one in bodies()],
)
async def test_nul_in_any_text_of_any_operation_is_refused_by_name(
    phone: Phone, operation: Operation, body: dict[str, Any], field: str
) -> None:
    path = operation.path.format(
        payment_id=_HEX, complaint_id=_HEX, merchant_id="M1", account="10100000011"
    )
    answer = await phone.order(path, body)
    assert answer.status in {400, 422}, answer.raw
    if field != "kind":
        assert field in answer.body["field"], answer.raw


@pytest.mark.parametrize("mark", ["\u202e", "\u200b", "\ufeff", "\u0085"])
async def test_a_note_that_reads_backwards_is_refused_by_the_api(phone: Phone, mark: str) -> None:
    answer = await phone.pay(phone.transfer("10100000021", note=f"ma{mark}kan"))
    assert (answer.status, answer.body["field"]) == (422, "note"), answer.raw


@pytest.mark.parametrize(
    "path", ["/v1/payments/%00", "/v1/shops/A%00/bills", "/v1/accounts/%E2%80%AE"]
)
async def test_nul_in_an_address_is_refused(phone: Phone, path: str) -> None:
    answer = await phone.ask("GET", path)
    assert (answer.status, answer.body["field"]) == (422, "path")
    answer = await phone.ask("GET", "/v1/payments?before=%00")
    assert (answer.status, answer.body["field"]) == (422, "query")


def names_of_forms() -> list[str]:
    """Every field any page reads, found in the pages' own source."""
    pages = Path(tangguh.web.__file__).parent
    found = {
        name
        for path in [*pages.rglob("pages/**/*.py"), *pages.rglob("staff/*.py")]
        for name in re.findall(r"""typed\(\s*"([a-z_]+)"\s*\)""", path.read_text())
    }
    return sorted(found)


async def test_nul_in_any_field_of_any_form_is_a_page_and_never_our_mistake(
    bank: Bank, clock: HandClock
) -> None:
    opened = await bank.sessions.open(1, Kind.BROWSER)
    token = form_token(bank.door.seals, opened.session)
    names = names_of_forms()
    assert {"phone", "note", "to", "text", "contact", "number"} <= set(names)
    wrong: list[str] = []
    pages = [page for page in PAGES if page.post is not None]
    async with served(bank.web()) as url, aiohttp.ClientSession() as http:
        for place in range(max(len(pages), len(names))):
            page, field = pages[place % len(pages)], names[place % len(names)]
            clock.advance(2.0)  # so that no turn is missing
            async with http.post(
                url + re.sub(r"\{\w+\}", _HEX, page.path),
                data={"csrf": token, field: NUL},
                headers={"Origin": url, "Cookie": f"{SESSION_COOKIE}={opened.token}"},
                allow_redirects=False,
            ) as answer:
                text = await answer.text()
                if answer.status != 422 or f'data-field="{field}"' not in text:
                    wrong.append(f"{page.path} {field} {answer.status}")
    assert not wrong
