"""The API's document and its problems: complete, valid, and the same table as the routes."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema_rs
import pytest

from serving import Phone
from tangguh.app import Bank
from tangguh.core.errors import (
    Ambiguous,
    ContractBroken,
    FenceLost,
    InvariantBroken,
    Misconfigured,
    Overloaded,
    StoreUnavailable,
    TangguhError,
)
from tangguh.core.outcome import Refusal
from tangguh.web.api.openapi import document
from tangguh.web.api.operations import of_error
from tangguh.web.api.table import OPERATIONS
from tangguh.web.problems import OF_REFUSAL, OF_REQUEST, problem

DOCUMENT: dict[str, Any] = json.loads(json.dumps(document(OPERATIONS)))
SECURITY_HEADERS = {
    "content-security-policy": "default-src 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "microphone=()",
    "cache-control": "no-store",
}
NOT_SAID_BY_THE_API = {
    "pin_locked",  # pages: a session that was wrong too often
    # what only the book's own commands can answer
    "hold_not_found", "posting_not_found", "hold_already_posted", "hold_already_voided",
    "hold_already_expired", "hold_not_yet_expired", "post_exceeds_hold",
    "posting_already_reversed", "posting_is_a_reversal",
    # a refused payment is a payment: the reason is in it, not a problem
    "payee_account_closed", "accounts_must_be_different",
    "limit_per_day", "limit_per_month", "purse_limit",
    "merchant_not_found", "merchant_blocked", "currency_not_supported",
    "protective_closure", "protective_limit", "never_arrived", "not_carried_out",
    # said to staff, never to customers
    "change_already_pending", "change_ended", "change_expired", "change_differs",
    "approver_not_allowed", "same_person", "change_not_found", "closure_not_found",
    "gate_step_not_allowed", "advance_not_possible",
    "two_people_needed", "incident_not_found", "incident_step_not_allowed", "money_still_open",
    "next_word_missing", "ticket_missing", "text_not_allowed",
    # an amount of the API has at most thirteen digits
    "amount_too_large",
    # said by pages and by the router
    "method_not_allowed", "not_acceptable",
}  # fmt: skip


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        found = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return found + [one for inside in value.values() for one in references(inside)]
    if isinstance(value, list):
        return [one for inside in value for one in references(inside)]
    return []


def test_the_document_has_the_form_of_openapi_31() -> None:
    """Version, info, paths with operations, responses with descriptions; ids are unique."""
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert {"title", "version"} <= set(DOCUMENT["info"])
    ids: list[str] = []
    for path, methods in DOCUMENT["paths"].items():
        assert path.startswith("/v1/")
        for method, operation in methods.items():
            assert method in {"get", "post", "put", "patch", "delete"}
            ids.append(operation["operationId"])
            assert operation["responses"]
            for status, response in operation["responses"].items():
                assert re.fullmatch(r"[1-5]\d\d", status)
                assert response["description"]
            in_path = set(re.findall(r"{(\w+)}", path))
            declared = [one for one in operation.get("parameters", []) if one["in"] == "path"]
            assert {one["name"] for one in declared} == in_path
            assert all(one["required"] for one in declared)
    assert len(ids) == len(set(ids)) == len(OPERATIONS)


def test_every_reference_leads_somewhere() -> None:
    """No schema is named that is not there, and none is there that nobody names."""
    known = DOCUMENT["components"]["schemas"]
    named = {reference.removeprefix("#/components/schemas/") for reference in references(DOCUMENT)}
    assert named <= set(known)
    assert set(known) <= named


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_every_schema_is_a_schema(name: str) -> None:
    """Each is valid JSON Schema 2020-12, and a validator can be made of it."""
    schema = {
        "$ref": f"#/components/schemas/{name}",
        "components": DOCUMENT["components"],
        "$schema": "https://json-schema.org/draft/2020-12/schema",
    }
    jsonschema_rs.Draft202012Validator(schema)


@pytest.mark.parametrize("refusal", Refusal)
def test_every_refusal_has_its_problem(refusal: Refusal) -> None:
    """A no of the bank is a problem with a title, a status of its own kind, and a retry."""
    found = problem(refusal)
    assert 400 <= found.status < 600
    assert found.title
    assert found.money == "not_moved"
    assert found.retry in {"safe", "same_key", "after", "never"}


def test_every_code_is_documented_or_said_to_be_unreachable() -> None:
    """A code is listed at an operation that can answer it, or in the list above with a reason."""
    listed: set[str] = set()
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            for response in operation["responses"].values():
                about = response["description"]
                if about.startswith("Problem: "):
                    listed |= set(about.removeprefix("Problem: ").split(", "))
    every = {str(code) for code in OF_REFUSAL} | set(OF_REQUEST)
    assert listed <= every
    assert every - listed == NOT_SAID_BY_THE_API


@pytest.mark.parametrize(
    ("error", "code", "money", "retry"),
    [
        (StoreUnavailable(), "unavailable", "not_moved", "same_key"),
        (FenceLost(), "unavailable", "not_moved", "same_key"),
        (Ambiguous(), "ambiguous", "unknown", "same_key"),
        (Overloaded(), "overloaded", "not_moved", "after"),
        (InvariantBroken(), "internal", "unknown", "same_key"),
        (Misconfigured(), "internal", "unknown", "same_key"),
        (ContractBroken(), "internal", "unknown", "same_key"),
    ],
)
def test_what_nobody_asked_for_says_where_the_money_is(
    error: TangguhError, code: str, money: str, retry: str
) -> None:
    """Each error is a problem that is honest about the money and about asking again."""
    found = of_error(error)
    assert (found.code, found.money, found.retry) == (code, money, retry)
    assert str(error) not in found.detail


async def test_the_document_is_served(phone: Phone) -> None:
    """At /openapi.json, to anybody."""
    answer = await phone.ask("GET", "/openapi.json", headers={"Authorization": ""})
    assert (answer.status, answer.body) == (200, DOCUMENT)


@pytest.mark.parametrize(
    "path", ["/v1/me", "/v1/nothing", "/openapi.json", "/health", "/", "/v1/accounts/1/entries"]
)
async def test_every_answer_carries_the_protective_headers(phone: Phone, path: str) -> None:
    """Whatever is answered, by whichever road, the browser is told to be careful, once."""
    for headers in ({}, {"Authorization": ""}):
        answer = await phone.ask("GET", path, headers=headers)
        for name, value in SECURITY_HEADERS.items():
            given = answer.headers.getall(name)
            assert len(given) == 1, name
            assert value in given[0]


async def test_an_error_of_ours_carries_them_too(
    phone: Phone, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our mistake is a problem as well, without a word of its inside."""

    async def broken(*_: object) -> None:
        raise ZeroDivisionError("secret inside")

    monkeypatch.setattr("tangguh.web.api.mobile.customers.accounts_of", broken)
    answer = await phone.ask("GET", "/v1/accounts")
    assert (answer.status, answer.code, answer.body["money"]) == (500, "internal", "unknown")
    assert b"secret" not in answer.raw
    for name in SECURITY_HEADERS:
        assert len(answer.headers.getall(name)) == 1


async def test_health_asks_the_book(phone: Phone, bank: Bank) -> None:
    """Open while the writer has the book; 503 once it has lost it."""
    assert (await phone.ask("GET", "/health")).body["ok"] is True
    await bank.writer.stop()
    answer = await phone.ask("GET", "/health")
    assert (answer.status, answer.body["ok"]) == (503, False)
