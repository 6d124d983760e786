"""Every problem as an example: the very body that is sent with that code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from tangguh.web.problems import OF_REFUSAL, OF_REQUEST, Kind, problem

_KINDS: Final[dict[str, Kind]] = {
    **{str(code): kind for code, kind in OF_REFUSAL.items()},
    **OF_REQUEST,
}
_TOLD: Final[dict[str, dict[str, Any]]] = {
    "rate_limited": {"retry_after_seconds": 3},
    "overloaded": {"retry_after_seconds": 1},
    "pin_wrong": {"tries_left": 2},
    "pin_locked": {"until": "2026-03-20T05:15:00Z", "retry_after_seconds": 900},
    "code_needed": {"attempt": "bHAx0vTq5m0eWq2n", "field": "code"},
    "code_wrong": {"attempt": "bHAx0vTq5m0eWq2n", "field": "code", "tries_left": 2},
    "parameter_invalid": {"field": "limit", "detail": "a whole number from 1 to 100"},
    "header_invalid": {"field": "Idempotency-Key"},
    "body_invalid": {"field": "amount", "detail": "Expected `str`, got `int`"},
    "signature_missing": {"field": "X-Signature"},
    "signature_wrong": {"field": "X-Signature"},
    "signature_expired": {"field": "X-Timestamp", "detail": "the clocks differ by 412 seconds"},
}
"""What a problem says beside its code, where it says more."""


def _example(code: str) -> dict[str, Any]:
    said = msgspec.structs.replace(problem(code), **_TOLD.get(code, {}))
    return {"summary": said.title, "value": msgspec.to_builtins(said)}


EXAMPLES: Final[dict[str, dict[str, Any]]] = {code: _example(code) for code in _KINDS}


def by_status(codes: Iterable[str]) -> dict[int, list[str]]:
    """The codes under the HTTP status each is answered with, in the order of statuses."""
    found: dict[int, list[str]] = {}
    for code in codes:
        found.setdefault(_KINDS[code].status, []).append(code)
    return dict(sorted(found.items()))
