"""A PIN, a code or a card number in words that anybody sends: not kept, not logged, and said so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, get_args

import aiohttp
import msgspec
import pytest
from structlog.testing import capture_logs

from browsing import Tab, tabs
from serving import Phone, served
from stories import account_of
from tangguh.app import Bank
from tangguh.customers.crew import enrol_crew
from tangguh.web.api.table import OPERATIONS
from tangguh.web.gate import EXACT, REMOVED_HEADER, free_fields
from unit.rails.qris.payloads import VALID
from web.test_poison_texts import names_of_forms
from web.test_staff_api import CLOSE, Desk

V5 = VALID["V5"].payload
WORDS = "PIN saya 482913, kartu 4111 1111 1111 1111"
KEPT = "PIN saya ••••••, kartu •••• 1111"
TOLD = "pin, card"
SECRETS = ("482913", "4111 1111", "41111111")

READ_AS_IT_IS = {
    "phone", "pin", "device", "code", "attempt", "from_account", "to_account", "amount", "tip",
    "qr", "inquiry", "bank", "account", "via", "proxy", "wallet", "number", "biller",
    "customer_no", "bill_no", "endpoint", "p256dh", "auth", "kind",
}  # fmt: skip
"""Texts of the customers' API that machines read: numbers, choices, what the bank sealed."""


async def everything_kept(bank: Bank) -> str:
    """Every row of every table, as text."""
    tables = await bank.pool.fetch(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
    )
    assert len(tables) > 20
    kept = []
    for table in tables:
        rows = await bank.pool.fetch(f'SELECT t::text AS row FROM "{table["table_name"]}" AS t')
        kept += [row["row"] for row in rows]
    return "\n".join(kept)


async def nothing_leaked(bank: Bank, logs: list[Any]) -> None:
    kept = await everything_kept(bank)
    assert "••••" in kept
    for secret in SECRETS:
        assert secret not in kept
        assert secret not in str(logs)


def test_every_text_of_the_api_is_words_or_is_read_by_a_machine() -> None:
    """A new field of words that is not marked fails here."""
    unknown = set()
    for operation in OPERATIONS:
        free = free_fields(operation.takes) if operation.takes is not None else {}
        for shape in get_args(operation.takes) or (operation.takes,):
            for field in msgspec.structs.fields(shape) if shape is not None else ():
                is_text = "str" in str(field.type)
                if is_text and field.name not in free[shape] and field.name not in READ_AS_IT_IS:
                    unknown.add(f"{operation.id}.{field.name}")
    assert unknown == set()


def test_every_field_of_a_form_is_words_unless_it_is_named() -> None:
    assert {"text", "note", "reason", "when", "amount", "bill_no"} == set(
        names_of_forms()
    ) - EXACT - {"tip"}


@pytest.fixture
async def make_tab(bank: Bank) -> AsyncIterator[Any]:
    async with tabs(bank) as make:
        yield make


async def test_a_complaint_and_more_words_by_page(bank: Bank, make_tab: Any) -> None:
    tab: Tab = await make_tab(1)
    form = {"about": "other", "text": WORDS, "key": "k1"}
    with capture_logs() as logs:
        sent = await tab.send("/reports/new", form)
        assert sent.status == 303, sent.text
        assert sent.leads_to.endswith("?removed=pin.card")
        seen = await tab.open(sent.leads_to)
        assert "Kami menghapus PIN atau kata sandi, nomor kartu dari tulisan Anda" in seen.text
        assert KEPT in seen.text
        home = sent.leads_to.partition("?")[0]
        more = await tab.send(f"{home}/messages", {"text": f"OTP 123456. {WORDS}"})
        assert more.leads_to == f"{home}?removed=pin.code.card"
        assert "Kami menghapus" not in (await tab.open(home)).text
    await nothing_leaked(bank, logs)
    assert "123456" not in await everything_kept(bank)


async def test_a_form_that_comes_back_shows_words_without_the_secret(make_tab: Any) -> None:
    """Also what was not kept is not written into a page again."""
    tab: Tab = await make_tab(1)
    seen = await tab.send("/reports/new", {"about": "", "text": WORDS})
    assert seen.status == 422
    assert KEPT in seen.text
    assert "482913" not in seen.text
    assert "Kami menghapus" in seen.text


async def test_a_strangers_report(bank: Bank, make_tab: Any) -> None:
    tab: Tab = await make_tab(None)
    form = {"about": "cash", "text": WORDS, "when": "PIN 482913", "contact": "081199900001"}
    with capture_logs() as logs:
        sent = await tab.send("/report", form)
    assert sent.status == 200, sent.text
    assert "Kami menghapus" in sent.text
    await nothing_leaked(bank, logs)


async def test_the_note_of_a_transfer_by_page(bank: Bank, make_tab: Any) -> None:
    """It is gone before the review is sealed, which stands in an address."""
    tab: Tab = await make_tab(1)
    found = await tab.send("/transfer", {"to": str(await account_of(bank, 2))})
    form = {"to": found.sealed("to"), "amount": "10000", "note": WORDS}
    with capture_logs() as logs:
        sent = await tab.send("/transfer/amount", form)
        assert sent.leads_to.endswith("&removed=pin.card")
        seen = await tab.open(sent.leads_to)
        assert "Kami menghapus" in seen.text
        assert KEPT in seen.text
        paid = await tab.send("/review", {"order": sent.sealed(), "pin": "290325"})
        assert paid.leads_to.startswith("/payments/")
    await nothing_leaked(bank, logs)


async def test_every_text_of_the_customers_api(bank: Bank, phone: Phone, make_phone: Any) -> None:
    other: Phone = await make_phone(2)
    qris = {"kind": "qris", "from_account": phone.account, "qr": V5, "amount": "10000.00"}
    with capture_logs() as logs:
        paid = await phone.pay(phone.transfer(other.account, note=WORDS), key="a")
        scanned = await phone.pay(qris | {"note": WORDS}, key="b")
        refund = {"amount": "10.00", "reason": WORDS}
        back = await other.order(f"/v1/payments/{paid.body['id']}/refunds", refund, key="c")
        told = {"about": "other", "text": WORDS}
        opened = await phone.ask("POST", "/v1/complaints", told, headers={"Idempotency-Key": "d"})
        path = f"/v1/complaints/{opened.body['id']}/messages"
        more = await phone.ask("POST", path, {"text": WORDS})
    for answer in (paid, scanned, back, opened, more):
        assert answer.status in {200, 201, 202}, answer.raw
        assert answer.headers[REMOVED_HEADER] == TOLD
    assert [one["text"] for one in more.body["messages"]] == [KEPT, KEPT]
    await nothing_leaked(bank, logs)
    clean = await phone.pay(phone.transfer(other.account, note="makan"), key="e")
    assert REMOVED_HEADER not in clean.headers


async def test_the_same_complaint_again_is_the_same_one(phone: Phone) -> None:
    told = {"about": "other", "text": WORDS}
    key = {"Idempotency-Key": "d"}
    first = await phone.ask("POST", "/v1/complaints", told, headers=key)
    again = await phone.ask("POST", "/v1/complaints", told, headers=key)
    assert (again.status, again.body["id"]) == (200, first.body["id"])


async def test_every_word_of_staff(bank: Bank, phone: Phone) -> None:
    """Whoever answers the telephone writes down what they hear."""
    tokens = await enrol_crew(bank.staff)
    async with served(bank.web()) as url, aiohttp.ClientSession() as http:
        desk = Desk(http, url, tokens)
        taken = {"customer_id": 1, "about": "other", "text": WORDS, "key": "c1"}
        with capture_logs() as logs:
            status, case = await desk.ask("POST", "/cases", taken, by="staff:6")
            assert status == 200, case
            own = f"/cases/{case['id']}"
            for path, body in (
                (f"{own}/papers", {"text": WORDS}),
                (f"{own}/answer", {"outcome": "refused", "why": WORDS}),
            ):
                status, said = await desk.ask("POST", path, body, by="staff:6")
                assert status == 200, said
            closure = CLOSE | {"cause": WORDS, "evidence": WORDS}
            status, said = await desk.ask("POST", "/gates", closure)
            assert status == 200, said
    await nothing_leaked(bank, logs)
