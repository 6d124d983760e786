"""What a drill reads out of the networks' own books."""

from __future__ import annotations

import json
from typing import Any, cast

from tangguh.cli.drills.care.gave_back import gave_back
from tangguh.cli.smoke_walks import Control

BOOKS: dict[str, dict[str, Any]] = {
    "/books": {
        "payments": [
            {
                "reference": "Q1",
                "refunded_minor": 500,
                "refunds": [
                    {"reference": "R1", "state": "failed"},
                    {"reference": "R2", "state": "paid"},
                ],
            },
            {"reference": "Q2", "refunded_minor": 0, "refunds": []},
        ]
    },
    "/networks/cards/books": {"transfers": [{"reference": "C1", "given_back_minor": 700}]},
    "/networks/bifast/books": {
        "transfers": [
            {"direction": "out", "amount_minor": 900, "detail": json.dumps({"related": "B1"})},
            {"direction": "out", "amount_minor": 11, "detail": "{}"},
            {"direction": "in", "amount_minor": 13, "detail": json.dumps({"related": "B2"})},
        ]
    },
}


class Books:
    """A control port on paper."""

    async def get(self, path: str) -> Any:
        return BOOKS[path.partition("?")[0]]


async def test_sums_of_all_and_the_refunds_that_made_them() -> None:
    """Refunds that the switch refused gave nothing back."""
    there = await gave_back(cast("Control", Books()))
    assert there.minor == {"Q1": 500, "Q2": 0, "C1": 700, "B1": 900}
    assert there.refunds == {"Q1": {"R2"}, "Q2": set()}
