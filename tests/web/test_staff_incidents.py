"""Incidents by the staff's door: words, steps, two people for better news, reports."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import docx
import pytest

from paper import PaperRail
from serving import served
from stories import RUPIAH, now_is, pay, proved, scan
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.outcome import Unanswered
from tangguh.customers.crew import enrol_crew
from web.test_staff_api import CLOSE, Desk

WORD = {
    "headline": "QRIS kami tutup sementara.",
    "happened": "Sejak 12.00 WIB sistem kami melihat selisih.",
    "money": "Dana yang belum pasti ditahan di rekening pemiliknya.",
    "do": "Jangan kirim ulang pembayaran yang menunggu kepastian.",
}
EN = {
    "headline": "We have paused QRIS.",
    "happened": "Our system saw a difference at 12:00 WIB.",
    "money": "Money not yet certain is on hold in its owner's account.",
    "do": "Please do not send payments again that await confirmation.",
}
HASH = "ab" * 32


@pytest.fixture
async def desk(bank: Bank) -> AsyncIterator[Desk]:
    tokens = await enrol_crew(bank.staff)
    async with served(bank.web()) as url, aiohttp.ClientSession() as http:
        desk = Desk(http, url, tokens)
        desk.url, desk.http = url, http  # type: ignore[attr-defined]
        desk.tokens = tokens  # type: ignore[attr-defined]
        yield desk


async def incident(desk: Desk, bank: Bank, clock: HandClock) -> str:
    """An incident the desk has published, of QRIS closed by hand."""
    status, said = await desk.ask("POST", "/gates", CLOSE)
    assert status == 200, said
    clock.advance(12)
    await bank.care.probes.ask_all()
    await bank.care.incidents.round()
    _, said = await desk.ask("GET", "/incidents")
    (found,) = said["incidents"]
    assert found["state"] == "published"
    return str(found["id"])


async def test_people_give_their_own_word_and_the_house_rules_hold(
    desk: Desk, bank: Bank, clock: HandClock
) -> None:
    number = await incident(desk, bank, clock)
    status, said = await desk.ask("POST", f"/incidents/{number}/word", {"id": WORD, "en": EN})
    assert (status, said["updates"][-1]["by"]) == (200, "staff:1")
    for field, text, rule in (
        ("happened", "Ada pemeliharaan sistem.", "ticket_missing"),
        ("money", "Uang Anda aman.", "text_not_allowed"),
        ("do", "Coba beberapa saat lagi.", "text_not_allowed"),
        ("money", "", "text_not_allowed"),
    ):
        body = {"id": {**WORD, field: text}, "en": EN}
        status, said = await desk.ask("POST", f"/incidents/{number}/word", body)
        assert said["code"] == rule, (field, said)
    await proved(bank)


async def test_nobody_calls_it_over_while_the_gate_is_closed_or_money_is_open(
    desk: Desk, bank: Bank, clock: HandClock
) -> None:
    number = await incident(desk, bank, clock)
    body = {"id": WORD, "en": EN, "to": "money_resolved"}
    status, said = await desk.ask("POST", f"/incidents/{number}/word", body)
    assert status in {409, 422}
    status, said = await desk.ask("POST", f"/incidents/{number}/review", {"id": "x", "en": "x"})
    assert (status, said["code"]) == (409, "incident_step_not_allowed")


async def test_worse_is_said_alone_and_better_by_two(
    desk: Desk, bank: Bank, clock: HandClock
) -> None:
    await bank.care.probes.ask_all()
    await bank.care.incidents.round()
    path = "/components/mobile.topup.gopay/override"
    worse = {"condition": "degraded", "reason": "customers call"}
    status, said = await desk.ask("POST", path, worse)
    assert (status, said["condition"]) == (200, "degraded")
    await bank.care.probes.ask_all()
    await bank.care.incidents.round()
    shown = bank.care.incidents.states["mobile.topup.gopay"]
    assert shown.condition == "degraded"
    status, said = await desk.ask("POST", path, {"reason": "it was the phones"})
    assert status == 200
    change = said["change"]
    await bank.care.probes.ask_all()
    await bank.care.incidents.round()
    assert bank.care.incidents.states["mobile.topup.gopay"].condition == "degraded"
    sign = f"/changes/{change['id']}/approve"
    status, said = await desk.ask("POST", sign, {"sha256": change["sha256"]}, by="staff:3")
    assert status == 200, said
    await bank.care.probes.ask_all()
    await bank.care.incidents.round()
    assert bank.care.incidents.states["mobile.topup.gopay"].condition == "operational"
    await proved(bank)


@pytest.mark.parametrize(
    ("component", "body", "field"),
    [
        ("mobile.nothing", {"condition": "down", "reason": "x"}, "component"),
        ("mobile.topup.gopay", {"condition": "fine", "reason": "x"}, "condition"),
    ],
)
async def test_a_no_names_the_field(
    desk: Desk, bank: Bank, component: str, body: Any, field: str
) -> None:
    await bank.care.probes.ask_all()
    await bank.care.incidents.round()
    status, said = await desk.ask("POST", f"/components/{component}/override", body)
    assert (status, said["field"]) == (422, field)


async def test_the_act_for_many_by_http(
    desk: Desk, bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    paper.will("send", Unanswered("timeout"))
    made = [
        await pay(bank, await scan(bank, 54_000 * RUPIAH, key=f"q-{by}", by=by)) for by in (1, 2)
    ]
    number = await incident(desk, bank, clock)
    most = {"advance_max_minor": 100_000 * RUPIAH}
    _, seen = await desk.ask("POST", f"/incidents/{number}/bulk/preview", most)
    assert (seen["payments"], seen["advances_minor"]) == (2, 108_000 * RUPIAH)
    status, said = await desk.ask("POST", f"/incidents/{number}/bulk", most)
    assert status == 200, said
    sign = f"/changes/{said['change']['id']}/approve"
    status, _ = await desk.ask("POST", sign, {"sha256": said["change"]["sha256"]}, by="staff:3")
    assert status == 200
    await bank.care.bulk.finish()
    assert [(await now_is(bank, one)).advanced_minor for one in made] == [54_000 * RUPIAH] * 2
    await proved(bank)


async def test_drafts_for_authorities_and_the_clock_that_stops_when_one_was_sent(
    desk: Desk, bank: Bank, clock: HandClock
) -> None:
    number = await incident(desk, bank, clock)
    token = desk.tokens["staff:1"]  # type: ignore[attr-defined]
    headers = {"Authorization": f"Bearer {token}"}
    base = f"{desk.url}/staff/v1/incidents/{number}/reports"  # type: ignore[attr-defined]
    http: aiohttp.ClientSession = desk.http  # type: ignore[attr-defined]
    async with http.get(f"{base}/initial.docx", headers=headers) as answer:
        assert answer.status == 200
        words = docx.Document(io.BytesIO(await answer.read()))
    cells = [c.text for table in words.tables for row in table.rows for c in row.cells]
    assert any("INC-20260320-" in text for text in cells)
    assert any(text.startswith("[ISI:") for text in cells)
    async with http.get(f"{base}/full.pdf", headers=headers) as answer:
        assert (await answer.read()).startswith(b"%PDF-")
    sent = {"deadline": "ojk-initial", "sha256": HASH, "reference": "OJK/1"}
    status, _ = await desk.ask("POST", f"/incidents/{number}/reports/sent", sent)
    assert status == 200
    _, found = await desk.ask("GET", f"/incidents/{number}?personal_data=yes")
    clocks = {one["deadline"]: one["urgency"] for one in found["clocks"]}
    assert clocks["ojk-initial"] == "sent"
    assert clocks["bi-incident"] in {"soon", "running"}
    assert "pdp-breach" in clocks
    for wrong in ({**sent, "sha256": "x"}, {**sent, "deadline": "nobody"}):
        status, _ = await desk.ask("POST", f"/incidents/{number}/reports/sent", wrong)
        assert status == 422
    await proved(bank)


async def test_an_incident_that_is_not_there(desk: Desk) -> None:
    for path in ("", "/reports/initial.docx"):
        status, said = await desk.ask("GET", f"/incidents/{'0' * 32}{path}")
        assert (status, said["code"]) == (404, "incident_not_found")


async def test_the_banks_own_money_for_a_case_is_proposed_by_one_and_signed_by_another(
    desk: Desk, bank: Bank
) -> None:
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    body = {
        "customer_id": 1,
        "payment_id": str(payment.id),
        "about": "not_mine",
        "text": "x",
        "key": "k",
    }
    status, case = await desk.ask("POST", "/cases", body, by="staff:6")
    assert status in {200, 201}, case
    number = case["id"]
    word = {"outcome": "paid_by_bank", "why": "x"}
    status, said = await desk.ask("POST", f"/cases/{number}/answer", word, by="staff:6")
    assert (status, said["field"]) == (422, "outcome")
    order = {"account": payment.debtor, "amount_minor": 54_000 * RUPIAH, "why": "our mistake"}
    status, said = await desk.ask("POST", f"/cases/{number}/pay", order)
    assert status == 200, said
    sign = f"/changes/{said['change']['id']}/approve"
    status, _ = await desk.ask("POST", sign, {"sha256": said["change"]["sha256"]}, by="staff:3")
    assert status == 200
    _, case = await desk.ask("GET", f"/cases/{number}", by="staff:6")
    assert case["outcome"] == "paid_by_bank"
    await proved(bank)
