"""The staff's door: who comes in, what a no looks like, what a closure looks like to customers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from as_documented import of_staff
from serving import Phone, served
from tangguh.app import Bank
from tangguh.customers.crew import enrol_crew
from unit.rails.qris.payloads import VALID

V5 = VALID["V5"].payload
CLOSE = {
    "scope": "rail=qris direction=out",
    "reason": "by_hand",
    "cause": "rehearsal",
    "message_id": "QRIS ditutup sementara. Saldo Anda tercatat.",
    "message_en": "QRIS is closed for now. Your balance is recorded.",
}


class Desk:
    """One member of staff at a terminal."""

    def __init__(self, http: aiohttp.ClientSession, url: str, tokens: dict[str, str]) -> None:
        self._http, self._url, self._tokens = http, url, tokens
        self.devices: dict[str, str] = {}

    def token_of(self, by: str) -> str:
        """The token of one account."""
        return self._tokens[by]

    async def enrol(self, by: str) -> str:
        """The device of one account; its first, when it has none."""
        if by not in self.devices:
            _, said = await self.ask("POST", "/devices", {}, by=by, device="")
            self.devices[by] = said.get("device", "")
        return self.devices[by]

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        by: str = "staff:1",
        token: str = "",
        device: str | None = None,
    ) -> tuple[int, Any]:
        if device is None:
            device = "" if token or method == "GET" else await self.enrol(by)
        headers = {"Authorization": f"Bearer {token or self._tokens[by]}"}
        if device:
            headers["X-Staff-Device"] = device
        async with self._http.request(
            method, f"{self._url}/staff/v1{path}", json=body, headers=headers
        ) as answer:
            raw = await answer.read()
        told = f"/staff/v1{path}"
        of_staff().judge(method, told, answer.status, answer.headers, raw)
        if body is not None:
            of_staff().judge_request(method, told, answer.status, json.dumps(body).encode())
        return answer.status, json.loads(raw)


@pytest.fixture
async def desk(bank: Bank) -> AsyncIterator[Desk]:
    tokens = await enrol_crew(bank.staff)
    async with served(bank.web()) as url, aiohttp.ClientSession() as http:
        yield Desk(http, url, tokens)


async def test_nobody_without_a_token(desk: Desk) -> None:
    for token in ("x", "é", "0" * 500):
        status, said = await desk.ask("GET", "/gates", token=token)
        assert (status, said["code"]) == (401, "not_logged_in")


async def test_a_frozen_account_is_nobody(desk: Desk, bank: Bank) -> None:
    await bank.staff.freeze("staff:2")
    status, _ = await desk.ask("GET", "/gates", by="staff:2")
    assert status == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**CLOSE, "scope": "rail=bi"}, "scope"),
        ({**CLOSE, "cause": ""}, "cause"),
        ({**CLOSE, "minutes": 0}, "expires_at"),
        ({**CLOSE, "minutes": -(10**15)}, "expires_at"),
        ({**CLOSE, "amount_max_minor": -1}, "amount_max_minor"),
        ({**CLOSE, "message_id": "Pindahkan saldo ke 0812 3456 7890."}, "message_id"),
        ({**CLOSE, "message_en": "All your money is safe."}, "message_en"),
        ({**CLOSE, "message_en": "Open evil.example and type your PIN."}, "message_en"),
    ],
)
async def test_a_no_names_the_field(desk: Desk, body: Any, field: str) -> None:
    status, said = await desk.ask("POST", "/gates", body)
    assert (status, said["code"], said["field"]) == (422, "order_invalid", field)
    _, found = await desk.ask("GET", "/gates")
    assert found["closures"] == []


@pytest.mark.parametrize("body", [[], {"scope": 5}, {**CLOSE, "more": 1}, None])
async def test_a_body_of_another_shape(desk: Desk, body: Any) -> None:
    status, said = await desk.ask("POST", "/gates", body)
    assert status in {400, 422}
    assert said["code"] in {"body_invalid", "json_invalid"}


async def test_an_id_that_is_none(desk: Desk) -> None:
    status, said = await desk.ask("POST", "/gates/7/confirm", {})
    assert (status, said["code"]) == (422, "parameter_invalid")
    status, said = await desk.ask("POST", f"/gates/{'0' * 32}/confirm", {})
    assert (status, said["code"]) == (404, "closure_not_found")


async def test_closing_and_signing_it_wrong(desk: Desk, phone: Phone) -> None:
    """From closed to lifted by two people, with what a customer sees meanwhile."""
    status, said = await desk.ask("POST", "/gates", CLOSE)
    assert status == 200, said
    closure = said["closure"]["id"]
    refused = await phone.pay(
        {"kind": "qris", "from_account": phone.account, "qr": V5, "amount": "10000.00"}
    )
    assert refused.body["state"] == "refused"
    shut = refused.body["refusal"]["shut"]
    assert shut["message_en"] == f"{CLOSE['message_en']} New transactions are refused for now."
    assert shut["alternative"] == "mobile.transfer.bifast"
    services = {one["id"]: one for one in (await phone.ask("GET", "/v1/services")).body["services"]}
    assert services["mobile.qris.offus"]["is_open"] is False
    assert services["mobile.qris.offus"]["shut"]["state"] == "closed"
    assert services["mobile.transfer.onus"] | {"name_id": "", "name_en": ""} == {
        "id": "mobile.transfer.onus", "name_id": "", "name_en": "", "is_open": True, "shut": None,
    }  # fmt: skip
    _, asked = await desk.ask(
        "POST", f"/gates/{closure}/false-positive", {"why": "rehearsal"}, by="staff:2"
    )
    change = asked["change"]
    assert change["payload"] == {"closure_id": closure, "why": "rehearsal"}
    path = f"/changes/{change['id']}/approve"
    status, no = await desk.ask("POST", path, {"sha256": change["sha256"]}, by="staff:2")
    assert (status, no["code"]) == (409, "same_person") or status in {403, 409, 422}
    status, yes = await desk.ask("POST", path, {"sha256": change["sha256"]}, by="staff:3")
    assert (status, yes["change"]["state"]) == (200, "approved")
    _, found = await desk.ask("GET", "/gates")
    assert found["closures"] == []
    _, history = await desk.ask("GET", "/gates/history")
    assert [one["what"] for one in history["events"]] == ["false_positive", "closed"]


async def test_the_way_back_by_http(desk: Desk) -> None:
    _, said = await desk.ask("POST", "/gates", CLOSE)
    closure = said["closure"]["id"]
    status, no = await desk.ask("POST", f"/ladders/{closure}/start", {}, by="staff:5")
    assert (status, no["code"]) == (no["status"], "approver_not_allowed")
    status, begun = await desk.ask("POST", f"/ladders/{closure}/start", {"control": "two checks"})
    assert (status, begun["rung"], begun["stages"]) == (200, "held", 11)
    _, ladders = await desk.ask("GET", "/ladders")
    assert [one["closure_id"] for one in ladders["ladders"]] == [closure]
    status, back = await desk.ask(
        "POST", f"/ladders/{closure}/back", {"why": "not yet"}, by="staff:5"
    )
    assert (status, back["state"]) == (200, "abandoned")
    _, steps = await desk.ask("GET", f"/ladders/{closure}")
    assert [one["what"] for one in steps["steps"]] == ["started", "explained", "abandoned"]


async def test_rules_are_tested_before_they_act(desk: Desk) -> None:
    _, found = await desk.ask("GET", "/rules")
    rule = found["rules"][0]
    status, test = await desk.ask("POST", "/rules/test", {"rule": rule})
    assert (status, test["may_go_live_alone"]) == (200, True)
    status, said = await desk.ask(
        "POST", "/rules", {"rule": {**rule, "threshold": 0}, "reason": "x"}
    )
    assert (status, said["field"]) == (422, "threshold")
    off = {"rule": {**rule, "mode": "off"}, "reason": "x"}
    status, asked = await desk.ask("POST", "/rules", off)
    assert status == 200
    sign = f"/changes/{asked['change']['id']}/approve"
    await desk.ask("POST", sign, {"sha256": asked["change"]["sha256"]}, by="staff:3")
    _, found = await desk.ask("GET", "/rules")
    assert next(one["mode"] for one in found["rules"] if one["id"] == rule["id"]) == "off"
    status, done = await desk.ask("POST", "/rules", {"rule": rule, "reason": "on again"})
    assert (status, done["mode"]) == (200, "live")


@pytest.mark.parametrize("poison", ["a\x00b", "a\u202eb", "a\u200bb"])
async def test_a_text_nobody_can_show_is_refused_by_name(desk: Desk, poison: str) -> None:
    status, said = await desk.ask("POST", "/gates", {**CLOSE, "message_id": poison})
    assert (status, said["code"], said["field"]) == (422, "body_invalid", "message_id")
    _, found = await desk.ask("GET", "/gates")
    assert found["closures"] == []


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/gates", "GET, HEAD, POST"), ("/changes", "GET, HEAD"), ("/outflows/book", "POST")],
)
async def test_another_method_names_all_there_are(desk: Desk, path: str, allowed: str) -> None:
    """Also where reading and doing have routes of their own under one path."""
    async with desk._http.put(f"{desk._url}/staff/v1{path}") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, allowed)
