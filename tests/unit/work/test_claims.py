"""People's words are held against what is known: a plain lie is refused with the fact."""

from __future__ import annotations

import msgspec
import pytest

from conftest import NOON
from tangguh.status.component import COMPONENTS, ComponentState, Condition, Reach
from tangguh.work.incidents.lint import lint_with

GOPAY = "mobile.topup.gopay"
NAME = COMPONENTS[GOPAY].name("en")
NAMA = COMPONENTS[GOPAY].name("id")
WELL = {
    one: ComponentState(component=one, condition=Condition.OPERATIONAL, reach=Reach.ALL, since=NOON)
    for one in COMPONENTS
}


def broken(condition: Condition) -> dict[str, ComponentState]:
    return WELL | {GOPAY: msgspec.structs.replace(WELL[GOPAY], condition=condition)}


CLAIMS = [
    ("All services work.", "en"),
    ("We looked again. All our services are back to normal", "en"),
    ("Everything works again.", "en"),
    (f"{NAME} is working normally.", "en"),
    ("Semua layanan berjalan normal.", "id"),
    ("Seluruh layanan kami tidak ada gangguan.", "id"),
    (f"{NAMA} sudah pulih.", "id"),
]


@pytest.mark.parametrize(("text", "language"), CLAIMS)
@pytest.mark.parametrize("condition", [Condition.DOWN, Condition.NOT_MEASURED])
def test_a_service_that_does_not_work_is_not_said_to(
    text: str, language: str, condition: Condition
) -> None:
    """Nor one of which nothing is known; the same words pass when they are true."""
    faults = lint_with({}, broken(condition))(text, language, False)
    assert any(one.startswith("contradicts: ") and str(condition) in one for one in faults), faults
    assert not any("contradicts" in one for one in lint_with({}, WELL)(text, language, False))
    nothing_known = lint_with({}, {})(text, language, False)
    assert any("not_measured" in one for one in nothing_known)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("No money is missing.", "en"),
        ("No customer lost money.", "en"),
        ("Nothing has been lost.", "en"),
        ("Your money is all there.", "en"),
        ("Tidak ada uang yang hilang.", "id"),
        ("Tidak ada dana nasabah yang hilang.", "id"),
        ("Saldo Anda utuh.", "id"),
        ("Saldo Anda tidak terpengaruh.", "id"),
    ],
)
def test_that_no_money_is_missing_is_said_by_the_proof_only(text: str, language: str) -> None:
    """Even when all is well: people do not know it."""
    assert any("without_proof" in one for one in lint_with({}, WELL)(text, language, False))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (f"{NAME} is not working. We tell more by 12:30.", "en"),
        (f"We will tell you when {NAME} works again.", "en"),
        ("Other services can be used.", "en"),
        ("Please do not send payments again that await confirmation.", "en"),
        (f"{NAMA} belum berjalan normal.", "id"),
        (f"Kami mengabari Anda ketika {NAMA} pulih.", "id"),
        ("Dana yang belum pasti ditahan di rekening pemiliknya.", "id"),
        ("Money not yet certain is on hold in its owner's account.", "en"),
    ],
)
def test_what_claims_nothing_false_may_be_said(text: str, language: str) -> None:
    states = broken(Condition.DOWN)
    assert lint_with({}, states)(text, language, False) == []
