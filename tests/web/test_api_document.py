"""The API's document and its problems: complete, valid, and the same table as the routes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from openapi_spec_validator import validate

from as_documented import document_of_staff
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
from tangguh.web.api.document import staff, staff_rows
from tangguh.web.api.document.customers import document
from tangguh.web.api.operations import Operation, decoded, of_error
from tangguh.web.api.table import OPERATIONS
from tangguh.web.gate import check_body
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
    "purse_limit",
    "merchant_not_found", "merchant_blocked", "currency_not_supported",
    "never_arrived", "not_carried_out",
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


def operations(of: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, name, one) for path, all in of["paths"].items() for name, one in all.items()]


def contents(of: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Everything that is asked or told in a body: where, in which medium, and what of it."""
    for _, _, one in operations(of):
        sides = {"request": one.get("requestBody", {})} | one["responses"]
        for side, said in sides.items():
            for media, content in said.get("content", {}).items():
                yield f"{one['operationId']} {side}", media, content


@pytest.fixture(scope="module")
def staff_document() -> dict[str, Any]:
    """Of the staff's routes as they are."""
    return document_of_staff()


@pytest.fixture(params=["customers", "staff"])
def either(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Both documents."""
    found: dict[str, Any] = (
        DOCUMENT if request.param == "customers" else request.getfixturevalue("staff_document")
    )
    return found


def test_the_document_is_what_openapi_31_says(either: dict[str, Any]) -> None:
    """By the specification's own schema, with every reference leading somewhere."""
    validate(either)
    assert either["openapi"].startswith("3.1.")
    assert either["info"]["description"]
    assert [one["url"] for one in either["servers"]] == ["/"]


def test_every_operation_is_named_told_and_tagged(either: dict[str, Any]) -> None:
    """By an id of its own, in a sentence, under a tag that is explained; each one of the table."""
    tags = {one["name"]: one["description"] for one in either["tags"]}
    ids: list[str] = []
    for path, method, one in operations(either):
        assert method in {"get", "post", "put", "patch", "delete"}
        ids.append(one["operationId"])
        assert len(one["summary"]) > 5, path
        assert one["description"].endswith("."), path
        assert tags[one["tags"][0]], path
        for status, response in one["responses"].items():
            assert re.fullmatch(r"[1-5]\d\d", status)
            assert response["description"]
        in_path = set(re.findall(r"{(\w+)}", path))
        declared = [one for one in one.get("parameters", []) if one["in"] == "path"]
        assert {one["name"] for one in declared} == in_path
        assert all(one["required"] for one in declared)
        assert all(one["description"] for one in one.get("parameters", []))
    assert len(ids) == len(set(ids))
    if either is DOCUMENT:
        assert len(ids) == len(OPERATIONS)
    assert set(tags) == {one["tags"][0] for _, _, one in operations(either)}


def test_every_route_of_staff_has_its_row(staff_document: dict[str, Any]) -> None:
    """And no row is left of a route that went."""
    missing = staff.undescribed(staff_document)
    assert not missing, f"describe them in web/api/document/staff_rows.py: {missing}"
    there = {
        (method.upper(), path.removeprefix(staff.PREFIX))
        for path, method, _ in operations(staff_document)
    }
    assert set(staff_rows.ROWS) == there


def test_every_reference_leads_somewhere(either: dict[str, Any]) -> None:
    """No component is named that is not there, and none is there that nobody names."""
    known = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "examples", "headers")
        for name in either["components"][kind]
    }
    named = set(references(either))
    assert named <= known
    unnamed = known - named - {f"#/components/headers/{name}" for name in ("Location",)}
    assert not unnamed


def test_everything_said_has_an_example_that_fits(either: dict[str, Any]) -> None:
    """Each body that is asked or told, and each problem, in the shape that is stated for it.

    A file has none: it is said what it is and how large at most.
    """
    components = either["components"]
    asked = 0
    for where, media, content in contents(either):
        if content["schema"].get("format") == "binary":
            assert content["schema"]["contentMediaType"] == media, where
            continue
        assert content["examples"], where
        judge = jsonschema_rs.Draft202012Validator(
            content["schema"] | {"components": components}, validate_formats=True
        )
        for name, example in content["examples"].items():
            if reference := example.get("$ref"):
                example = components["examples"][reference.rpartition("/")[2]]
                assert example["value"]["code"] == name
            assert example["summary"]
            found = [str(one) for one in judge.iter_errors(example["value"])]
            assert not found, (where, name, found)
            asked += 1
    assert asked > 300


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.takes is not None], ids=lambda one: one.id
)
def test_what_is_shown_to_ask_is_what_the_bank_reads(operation: Operation) -> None:
    """Each example of a request goes through the very decoder of the route."""
    (content,) = [
        one["requestBody"]["content"]["application/json"]
        for _, _, one in operations(DOCUMENT)
        if one["operationId"] == operation.id
    ]
    for example in content["examples"].values():
        raw = json.dumps(example["value"]).encode()
        body = decoded(msgspec.json.Decoder(operation.takes), raw)
        check_body(raw, body, lines=operation.keeps_lines, typed=operation.typed)


@pytest.mark.parametrize("refusal", Refusal)
def test_every_refusal_has_its_problem(refusal: Refusal) -> None:
    """A no of the bank is a problem with a title, a status of its own kind, and a retry."""
    found = problem(refusal)
    assert 400 <= found.status < 600
    assert found.title
    # Of a hold that was posted the money is where it was to go.
    was_posted = refusal is Refusal.HOLD_ALREADY_POSTED
    assert found.money == ("moved" if was_posted else "not_moved")
    assert found.retry in {"safe", "same_key", "after", "never"}


def test_every_code_is_documented_or_said_to_be_unreachable() -> None:
    """A code is listed at an operation that can answer it, or in the list above with a reason."""
    listed = set(DOCUMENT["components"]["examples"])
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
