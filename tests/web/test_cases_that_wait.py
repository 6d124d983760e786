"""A complaint that waits says for what, by when and where the money is, and staff see it too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from browsing import Tab, tabs
from conftest import QUICK
from paper import PaperRail, paper_rails
from serving import served
from stories import pay, scan
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.core.outcome import Unanswered
from tangguh.customers.crew import enrol_crew
from tangguh.db.objects import ObjectSettings
from tangguh.disputes.verdict import WaitsFor
from tangguh.web.care.story import waits_for
from tangguh.web.words import LANGUAGES, Words
from web.test_staff_api import Desk

CARE = "staff:6"
SAID = {"about": "failed_debited", "text": "Kasir bilang belum masuk."}


@pytest.fixture
async def bank(
    dsn: str, clock: HandClock, ids: Ids, paper: PaperRail, tmp_path: Path
) -> AsyncIterator[Bank]:
    settings = msgspec.structs.replace(QUICK, evidence=ObjectSettings(url=str(tmp_path)))
    opened = await Bank.open(settings, dsn, rails=paper_rails(paper), clock=clock, ids=ids)
    yield opened
    await opened.close()


@pytest.fixture
async def make_tab(bank: Bank) -> AsyncIterator[Any]:
    async with tabs(bank) as make:
        yield make


@pytest.fixture
async def tab(make_tab: Any) -> Tab:
    return await make_tab(1)


@pytest.fixture
async def desk(bank: Bank) -> AsyncIterator[Desk]:
    tokens = await enrol_crew(bank.staff)
    async with served(bank.web()) as url, aiohttp.ClientSession() as http:
        yield Desk(http, url, tokens)


async def reported(tab: Tab, payment_id: Any, key: str = "k") -> str:
    """The page of a report about a payment."""
    sent = await tab.send(f"/payments/{payment_id}/report", SAID | {"key": key})
    assert sent.leads_to.startswith("/reports/"), sent.text
    return (await tab.open(sent.leads_to)).text


async def test_a_payment_that_succeeded_is_said_to_have_succeeded(bank: Bank, tab: Tab) -> None:
    """It waits for the network's file, which is said, with its hour; it is not without an end."""
    payment = await pay(bank, await scan(bank, 5_400_000))
    text = await reported(tab, payment.id)
    assert "Menunggu berkas jaringan" in text
    assert "Pembayaran ini tercatat berhasil" in text
    assert "paling lambat besok pukul" in text or "paling lambat 2" in text
    for untrue in ("belum punya akhir", "Menunggu kepastian", "ditahan"):
        assert untrue not in text
    listed = (await tab.open("/reports")).text
    assert "Menunggu berkas jaringan" in listed
    shown = (await tab.open(f"/payments/{payment.id}")).text
    assert "Menunggu berkas jaringan" in shown


async def test_a_payment_without_an_answer_keeps_its_money_and_its_hour(
    bank: Bank, make_tab: Any, paper: PaperRail, clock: HandClock
) -> None:
    """Also 41 minutes later, when the bank has advanced it."""
    paper.will("send", Unanswered("timeout"))
    payment = await pay(bank, await scan(bank, 5_400_000))
    text = await reported(await make_tab(1), payment.id)
    assert "Jaringan belum menjawab" in text
    assert "ditahan di rekening Anda" in text
    clock.advance(timedelta(minutes=41).total_seconds())
    await bank.redress.round()
    await bank.care.complaints.round()
    [case] = await bank.care.complaints.store.of_customer(1)
    later: Tab = await make_tab(1)
    text = (await later.open(f"/reports/{case.id}")).text
    assert "kami talangi" in text
    assert "belum punya akhir" not in text


async def test_staff_see_it_and_may_take_it(bank: Bank, tab: Tab, desk: Desk) -> None:
    """After what waits for people, apart from it; whoever takes it asks, answers or hands on."""
    for key in ("a", "b", "c"):
        payment = await pay(bank, await scan(bank, 2_500_000, key=key))
        await reported(tab, payment.id, key=key)
    _, people = await desk.ask(
        "POST", "/cases", {"customer_id": 2, "about": "other", "text": "x", "key": "p"}, by=CARE
    )
    status, found = await desk.ask("GET", "/cases", by=CARE)
    assert status == 200
    assert [one["turn"] for one in found["cases"]] == ["people", "payment", "payment", "payment"]
    assert found["cases"][0]["id"] == people["id"]
    first, second, third = (one["id"] for one in found["cases"][1:])
    for path, body, state in (
        (f"/cases/{first}/papers", {"text": "Kirim fotonya."}, "needs_papers"),
        (f"/cases/{second}/escalate", {"text": "Sudah dua kali."}, "escalated"),
        (f"/cases/{third}/answer", {"outcome": "arrived"}, "decided"),
    ):
        status, case = await desk.ask("POST", path, body, by=CARE)
        assert (status, case["state"]) == (200, state), case


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", WaitsFor)
def test_every_reason_to_wait_has_its_own_words(language: str, reason: WaitsFor) -> None:
    words = Words(language)
    for part in ("state", "next", "did"):
        assert words.has(f"case.{part}_waiting_{reason.name.lower()}")
    assert waits_for(str(reason)) is reason
