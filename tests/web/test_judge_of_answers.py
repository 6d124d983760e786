"""The judge that every web test passes its answers through finds what the documents do not allow."""

from __future__ import annotations

import json
from typing import Any

import pytest

from as_documented import Documented, NotDocumented, customers, of_staff
from tangguh.web.problems import CONTENT_TYPE

JSON = {"content-type": "application/json"}
PROBLEM = {"content-type": CONTENT_TYPE}
ME = {"customer_id": 1, "full_name": "Nasabah Contoh", "language": "id"}
NO = {
    "type": "/problems/session_ended", "title": "", "status": 401, "code": "session_ended", "detail": "",
    "field": "", "money": "not_moved", "retry": "safe", "trace_id": "", "retry_after_seconds": None,
    "tries_left": None, "until": None, "attempt": None,
}  # fmt: skip
GATES = {"version": 1, "closures": [], "said": []}
Case = tuple[str, int, dict[str, str], Any]
FITS: list[Case] = [
    ("/v1/me", 200, JSON, ME),
    ("/v1/me", 401, PROBLEM, NO),
    ("/v1/nothing", 404, PROBLEM, NO | {"code": "not_found"}),
    ("/staff/v1/gates", 200, JSON, GATES),
    ("/demo", 418, {}, {"anything": "that is not of these documents"}),
]
DIFFERS: dict[str, Case] = {
    "a member nobody named": ("/v1/me", 200, JSON, ME | {"pin_hash": "x"}),
    "a member that is missing": ("/v1/me", 200, JSON, {"customer_id": 1}),
    "a word that is none of them": ("/v1/me", 200, JSON, ME | {"language": "nl"}),
    "a status": ("/v1/me", 201, JSON, ME),
    "a medium": ("/v1/me", 200, {"content-type": "text/html"}, ME),
    "a code": ("/v1/me", 401, PROBLEM, NO | {"code": "pin_wrong"}),
    "a page that is there and is in no document": ("/v1/secret", 200, JSON, {}),
    "a member nobody named, to staff": ("/staff/v1/gates", 200, JSON, GATES | {"token": "x"}),
}


def judge(case: Case) -> None:
    path, status, headers, body = case
    judged: Documented = of_staff() if path.startswith("/staff") else customers()
    judged.judge("GET", path, status, headers, json.dumps(body).encode())


@pytest.mark.parametrize("case", FITS, ids=lambda case: case[0])
def test_what_is_documented_passes(case: Case) -> None:
    judge(case)


@pytest.mark.parametrize("name", DIFFERS)
def test_what_is_not_is_found(name: str) -> None:
    with pytest.raises(NotDocumented):
        judge(DIFFERS[name])


def test_a_body_that_was_taken_and_is_not_as_documented_is_found() -> None:
    """What the bank takes beyond what it says is a limit nobody told."""
    body = {"scope": "rail=qris", "more": 1}
    raw = json.dumps(body).encode()
    of_staff().judge_request("POST", "/staff/v1/gates/preview", 422, raw)
    with pytest.raises(NotDocumented):
        of_staff().judge_request("POST", "/staff/v1/gates/preview", 200, raw)
