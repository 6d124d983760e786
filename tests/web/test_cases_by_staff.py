"""Complaints by the staff API: the queue with its clocks, every act by its maker, the figures."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import msgspec
import pytest
from docx import Document

from as_documented import of_staff
from conftest import QUICK
from paper import PaperRail, paper_rails
from serving import served
from stories import now_is, pay, scan
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.core.outcome import Unanswered
from tangguh.customers.crew import enrol_crew
from tangguh.db.objects import ObjectSettings
from tangguh.disputes.store import Count
from tangguh.web.staff.figures import bounds_of, sum_up
from unit.disputes.test_evidence import bomb_png, picture
from web.test_staff_api import Desk

CARE = "staff:6"
TAKEN = {"customer_id": 1, "about": "other", "text": "Menelepon: kartu tertelan.", "key": "c1"}


@pytest.fixture
async def bank(
    dsn: str, clock: HandClock, ids: Ids, paper: PaperRail, tmp_path: Path
) -> AsyncIterator[Bank]:
    """A bank that keeps evidence in a directory."""
    settings = msgspec.structs.replace(QUICK, evidence=ObjectSettings(url=str(tmp_path)))
    opened = await Bank.open(settings, dsn, rails=paper_rails(paper), clock=clock, ids=ids)
    yield opened
    await opened.close()


class Care(Desk):
    """A desk that also sends and fetches files."""

    async def send(self, path: str, content: bytes, by: str = CARE) -> tuple[int, Any]:
        device = await self.enrol(by)
        headers = {"Authorization": f"Bearer {self._tokens[by]}", "X-Staff-Device": device}
        async with self._http.post(
            f"{self._url}/staff/v1{path}", data=io.BytesIO(content), headers=headers
        ) as answer:
            raw = await answer.read()
        of_staff().judge("POST", f"/staff/v1{path}", answer.status, answer.headers, raw)
        return answer.status, json.loads(raw)

    async def fetch(self, path: str, by: str = CARE) -> tuple[int, str, bytes]:
        headers = {"Authorization": f"Bearer {self._tokens[by]}"}
        async with self._http.get(f"{self._url}/staff/v1{path}", headers=headers) as answer:
            raw = await answer.read()
        of_staff().judge("GET", f"/staff/v1{path}", answer.status, answer.headers, raw)
        return answer.status, answer.content_type, raw


@pytest.fixture
async def care(bank: Bank) -> AsyncIterator[Care]:
    tokens = await enrol_crew(bank.staff)
    async with served(bank.web()) as url, aiohttp.ClientSession() as http:
        yield Care(http, url, tokens)


async def taken(care: Care, **changes: Any) -> dict[str, Any]:
    status, case = await care.ask("POST", "/cases", TAKEN | changes, by=CARE)
    assert status == 200, case
    return dict(case)


async def test_a_case_is_taken_down_once_and_its_maker_is_in_the_chain(care: Care) -> None:
    first = await taken(care)
    assert (await taken(care))["number"] == first["number"]
    assert (first["channel"], first["customer_id"]) == ("staff", 1)
    assert {event["by"] for event in first["timeline"]} == {CARE, "bank"}
    assert first["timeline"][0]["by"] == CARE
    _, found = await care.ask("GET", "/cases", by=CARE)
    assert [one["number"] for one in found["cases"]] == [first["number"]]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"customer_id": 999_999}, "order_invalid", "customer_id"),
        ({"text": " \x00 "}, "body_invalid", "text"),
        ({"key": ""}, "order_invalid", "key"),
        ({"payment_id": str(UUID(int=1))}, "payment_not_found", "payment_id"),
        ({"about": "weather"}, "body_invalid", "about"),
    ],
)
async def test_what_cannot_be_taken_down(
    care: Care, change: dict[str, Any], code: str, field: str
) -> None:
    _, said = await care.ask("POST", "/cases", TAKEN | change, by=CARE)
    assert (said["code"], said["field"]) == (code, field)
    assert (await care.ask("GET", "/cases", by=CARE))[1]["cases"] == []


async def test_those_who_answer_for_gates_alone_read_no_case(care: Care) -> None:
    case = await taken(care)
    own = f"/cases/{case['id']}"
    for method, path, body in (
        ("GET", "/cases", None),
        ("POST", "/cases", TAKEN),
        ("GET", own, None),
        ("POST", f"{own}/answer", {"outcome": "refused", "why": "x"}),
        ("POST", f"{own}/papers", {"text": "x"}),
        ("POST", f"{own}/claim", {"text": "x"}),
        ("GET", "/complaints/figures?month=2026-03", None),
    ):
        status, said = await care.ask(method, path, body, by="staff:2")
        assert (status, said["code"]) == (403, "approver_not_allowed"), path
    assert (await care.send(f"{own}/evidence", picture(), by="staff:2"))[0] == 403
    assert (await care.fetch(f"{own}/evidence/1/pages/1", by="staff:2"))[0] == 403


async def test_papers_more_time_up_and_the_answer(care: Care, clock: HandClock) -> None:
    case = await taken(care)
    own = f"/cases/{case['id']}"
    status, asked = await care.ask("POST", f"{own}/papers", {"text": "Foto KTP"}, by=CARE)
    assert (status, asked["state"], asked["why"]) == (200, "needs_papers", "Foto KTP")
    status, given = await care.send(f"{own}/evidence", picture())
    assert (status, given["state"], len(given["evidence"])) == (200, "with_staff", 1)
    assert (await care.fetch(f"{own}/evidence/1/pages/1"))[:2] == (200, "image/jpeg")
    status, later = await care.ask("POST", f"{own}/extend", {"text": "Menunggu switch"}, by=CARE)
    assert (status, later["is_extended"]) == (200, True)
    assert (await care.ask("POST", f"{own}/extend", {"text": "Lagi"}, by=CARE))[0] == 409
    status, up = await care.ask("POST", f"{own}/escalate", {"text": "Perlu putusan"}, by=CARE)
    assert (status, up["state"]) == (200, "escalated")
    stale = {"outcome": "refused", "why": "Bukan kartu kami.", "was": 1}
    assert (await care.ask("POST", f"{own}/answer", stale, by=CARE))[1]["field"] == "state"
    body = stale | {"was": up["events"]}
    status, decided = await care.ask("POST", f"{own}/answer", body, by=CARE)
    assert (status, decided["state"], decided["decided_by"]) == (200, "decided", CARE)
    assert [one["what"] for one in decided["timeline"]] == [
        "opened", "with_staff", "papers_asked", "evidence", "papers_came", "extended", "escalated",
        "decided",
    ]  # fmt: skip
    for name in ("papers", "extend", "escalate", "claim"):
        status, no = await care.ask("POST", f"{own}/{name}", {"text": " "}, by=CARE)
        assert (status, no["code"]) == (422, "order_invalid")


async def test_a_no_without_a_reason_and_a_case_that_is_none(care: Care) -> None:
    case = await taken(care)
    path = f"/cases/{case['id']}/answer"
    status, said = await care.ask("POST", path, {"outcome": "refused"}, by=CARE)
    assert (status, said["field"]) == (422, "why")
    none = f"/cases/{UUID(int=7)}"
    assert (await care.ask("GET", none, by=CARE))[1]["code"] == "case_not_found"
    assert (await care.ask("GET", "/cases/7", by=CARE))[1]["code"] == "parameter_invalid"
    assert (await care.send(f"{none}/evidence", picture()))[1]["code"] == "case_not_found"


async def test_a_poisoned_file_and_one_too_large(care: Care) -> None:
    case = await taken(care)
    path = f"/cases/{case['id']}/evidence"
    assert (await care.send(path, bomb_png()))[1]["code"] == "evidence_refused"
    large = picture() + bytes(5 * 1024 * 1024)
    assert (await care.send(path, large))[1]["code"] == "body_too_large"


async def test_what_is_late_says_so_and_the_bank_says_what_it_sees(
    care: Care, bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    paper.will("send", Unanswered("timeout"))
    payment = await pay(bank, await scan(bank, 54_000_00))
    about = {"about": "failed_debited", "payment_id": str(payment.id), "key": "c2"}
    waits = await taken(care, **about)
    assert (waits["state"], waits["verdict"]["says"]) == ("waiting", "wait")
    assert waits["payment"]["id"] == str(payment.id)
    assert (await now_is(bank, payment)).is_open
    people = await taken(care)
    assert people["verdict"]["says"] == "ask_staff"
    assert people["clock"]["is_overdue"] is False
    clock.advance(60 * 24 * 3600)
    _, found = await care.ask("GET", f"/cases/{people['id']}", by=CARE)
    assert (found["clock"]["is_late"], found["clock"]["is_overdue"]) == (True, True)
    assert found["clock"]["seconds_left"] < 0


async def test_the_months_figures_as_values_and_as_papers(care: Care) -> None:
    case = await taken(care)
    body = {"outcome": "refused", "why": "Bukan kartu kami."}
    await care.ask("POST", f"/cases/{case['id']}/answer", body, by=CARE)
    await taken(care, key="c2", about="cash")
    _, found = await care.ask("GET", "/complaints/figures?month=2026-03", by=CARE)
    assert found["opened"] == {"other": 1, "cash": 1}
    assert (found["decided"], found["still_open"], found["overdue"]) == ({"refused": 1}, 1, 0)
    _, empty = await care.ask("GET", "/complaints/figures?month=2026-02", by=CARE)
    assert empty["opened"] == {}
    status, media, pdf = await care.fetch("/complaints/figures.pdf?month=2026-03")
    assert (status, media, pdf[:5]) == (200, "application/pdf", b"%PDF-")
    status, _, docx = await care.fetch("/complaints/figures.docx?month=2026-03&language=en")
    assert status == 200
    assert any("2026-03" in one.text for one in Document(io.BytesIO(docx)).paragraphs)
    for wrong in ("2026-13", "2026-3", "", "2026-03-01", "1926-03", "٢٠٢٦-٠٣"):
        _, said = await care.ask("GET", f"/complaints/figures?month={wrong}", by=CARE)
        assert (said["code"], said["field"]) == ("parameter_invalid", "month"), wrong


def test_a_month_is_jakartas_and_december_has_an_end() -> None:
    start, end = bounds_of("2025-12")
    assert (start.isoformat(), end.isoformat()) == (
        "2025-12-01T00:00:00+07:00",
        "2026-01-01T00:00:00+07:00",
    )


def test_the_figures_add_up() -> None:
    counts = [
        Count("cash", "decided", "refused", 2, 0),
        Count("cash", "with_staff", "", 3, 1),
        Count("other", "closed", "refused", 1, 0),
        Count("other", "waiting", "", 1, 0),
    ]
    found = sum_up("Bank", "2026-03", counts)
    assert (found.opened, found.decided) == ({"cash": 5, "other": 2}, {"refused": 3})
    assert (found.still_open, found.overdue) == (4, 1)
