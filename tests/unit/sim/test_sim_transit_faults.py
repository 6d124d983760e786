"""The transit operator's readers fail as they are told, and the bank's word decides."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rails.harness import Keys
from tangguh.core.clock import HandClock
from tangguh.sim.faults import AnyFault, Down, DropReply, DropRequest, Garbage, Plan, Twice
from tangguh.sim.transit.operator import Operator, OperatorSettings

NOON = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    """An operator whose bank always loads Rp10.000 and keeps what it was sent."""
    keys = Keys(tmp_path)
    made = Operator(
        OperatorSettings(
            bank_url="http://127.0.0.1:9",
            private_key_path=keys.switch_private,
            line_key="00" * 16,
            books_path=str(tmp_path / "transit.sqlite"),
        ),
        HandClock(NOON),
    )
    made.heard = []  # type: ignore[attr-defined]

    async def bank(_path: str, content: bytes, _headers: dict[str, str]) -> dict[str, Any]:
        made.heard.append(content)  # type: ignore[attr-defined]
        return {"loaded": "10000.00"}

    monkeypatch.setattr(made, "_ask", bank)
    yield made
    made.ledger.close()


@pytest.mark.parametrize(
    ("fault", "heard", "loaded"),
    [
        (None, 1, 10_000_00),
        (Down(), 0, 0),
        (DropRequest(), 0, 0),
        (DropReply(), 1, 0),
        (Twice(), 2, 10_000_00),
    ],
)
async def test_a_tap_that_is_struck(
    operator: Operator, fault: AnyFault | None, heard: int, loaded: int
) -> None:
    """What the bank hears and what comes onto the chip: nothing the operator did not learn."""
    await operator.put_plan(Plan(faults=(fault,) if fault else ()))
    assert await operator.tap("6001") == loaded
    assert len(operator.heard) == heard  # type: ignore[attr-defined]
    assert operator.prove().holds


async def test_a_spoiled_file_is_not_what_was_signed(operator: Operator) -> None:
    """Garbage on the way: one byte is missing, so the signature cannot hold."""
    await operator.send()
    await operator.put_plan(Plan(faults=(Garbage(services=("file",)),)))
    await operator.send()
    whole, spoiled = operator.heard  # type: ignore[attr-defined]
    assert spoiled == whole[:-1]
