"""Two writers of one story: what people set stands, and every word fits what can be used."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tangguh.app import Bank
from tangguh.core.clock import HandClock
from web.test_staff_api import CLOSE, Desk
from web.test_staff_api import desk as desk
from web.test_staff_incidents import EN, WORD

GOPAY = "mobile.topup.gopay"
NEW = {"kind": "degraded", "components": [GOPAY], "cause_key": "customers call"}


async def look(bank: Bank, clock: HandClock, seconds: float = 5.0) -> Any:
    """So much later, one round of the desk; the one incident there is."""
    clock.advance(seconds)
    await bank.care.probes.ask_all()
    await bank.care.incidents.round()
    public = bank.care.incidents.snapshot()
    assert public is not None
    return public.incidents[0] if public.incidents else None


def said(story: Any) -> str:
    """The newest word as a reader has it, both languages."""
    texts = story.updates[-1].texts.values()
    return " ".join(part for text in texts for part in text.parts).lower()


async def test_a_closure_by_hand_as_a_trial_is_told_as_what_it_is(
    desk: Desk, bank: Bank, clock: HandClock
) -> None:
    await desk.ask("POST", "/gates", {**CLOSE, "cause": "uji coba", "evidence": ""})
    text = said(await look(bank, clock))
    for invented in ("pergerakan", "movements", "dicocokkan", "melindungi", "protect"):
        assert invented not in text
    assert "petugas bank menutupnya" in text


async def test_a_limit_is_never_told_as_stopped_nor_as_open_again(
    desk: Desk, bank: Bank, clock: HandClock
) -> None:
    body = {**CLOSE, "amount_max_minor": 5_000_000, "signal_class": "C", "minutes": 5}
    _, made = await desk.ask("POST", "/gates", body)
    story = await look(bank, clock)
    assert "batasi" in said(story)
    assert "tutup sementara" not in said(story)
    path = f"/gates/{made['closure']['id']}/false-positive"
    _, asked = await desk.ask("POST", path, {"why": "x"}, by="staff:2")
    sign = f"/changes/{asked['change']['id']}/approve"
    status, _ = await desk.ask("POST", sign, {"sha256": asked["change"]["sha256"]}, by="staff:3")
    assert status == 200
    story = await look(bank, clock)
    assert story.state == "monitoring"
    assert "dibuka lagi" not in said(story)
    assert "open again" not in said(story)
    assert "tidak dibatasi lagi" in said(story)


async def test_what_is_closed_after_it_was_limited_is_told_at_the_next_look(
    desk: Desk, bank: Bank, clock: HandClock
) -> None:
    await desk.ask("POST", "/gates", {**CLOSE, "amount_max_minor": 5_000_000})
    assert "batasi" in said(await look(bank, clock))
    await desk.ask("POST", "/gates", {**CLOSE, "reason": "worse"})
    assert "kami tutup sementara" in said(await look(bank, clock))


async def test_an_incident_that_people_open_on_a_healthy_service_stands(
    desk: Desk, bank: Bank, clock: HandClock
) -> None:
    """Five seconds later it was "open again", for a service that was never closed."""
    await look(bank, clock)
    status, _ = await desk.ask("POST", "/incidents", NEW)
    assert status == 200
    for _ in range(4):
        story = await look(bank, clock)
        assert story.state == "published"
    await look(bank, clock, 3600)
    assert story.state == "published"
    text = said(story)
    assert "petugas kami mencatat" in text
    for more in ("kami tutup sementara", "kami hentikan", "terlambat", "dibuka lagi", "open again"):
        assert more not in text
    body = {"id": WORD, "en": EN, "to": "monitoring"}
    status, _ = await desk.ask("POST", f"/incidents/{story.id}/word", body)
    assert status == 200
    assert (await look(bank, clock, 3600)).state == "monitoring"


async def test_people_may_let_what_is_seen_move_it_on(
    desk: Desk, bank: Bank, clock: HandClock
) -> None:
    await look(bank, clock)
    await desk.ask("POST", "/incidents", {**NEW, "follow": True})
    assert (await look(bank, clock)).state == "published"
    assert (await look(bank, clock)).state == "monitoring"


async def test_what_falls_ill_again_after_people_called_it_well_is_told(
    desk: Desk, bank: Bank, clock: HandClock
) -> None:
    await look(bank, clock)
    await desk.ask("POST", "/incidents", NEW)
    story = await look(bank, clock)
    body = {"id": WORD, "en": EN, "to": "monitoring"}
    await desk.ask("POST", f"/incidents/{story.id}/word", body)
    await desk.ask("POST", "/gates", {**CLOSE, "scope": "service=mobile.topup.gopay"})
    assert (await look(bank, clock)).state == "published"


async def test_the_word_degraded_of_people_is_theirs(
    desk: Desk, bank: Bank, clock: HandClock
) -> None:
    await look(bank, clock)
    await desk.ask(
        "POST", f"/components/{GOPAY}/override", {"condition": "degraded", "reason": "calls"}
    )
    text = said(await look(bank, clock))
    assert "petugas kami mencatat gangguan" in text
    assert "terlambat" not in text
    assert "kami tutup" not in text


def plan(clock: HandClock, begins: int, ends: int) -> dict[str, Any]:
    now = clock.now()
    return {
        "kind": "scheduled_change", "components": [GOPAY], "cause_key": "CHG-7", "ticket": "CHG-7",
        "starts_at": (now + timedelta(minutes=begins)).isoformat(),
        "ends_at": (now + timedelta(minutes=ends)).isoformat(),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("begins", "ends", "field"),
    [(59, 120, "starts_at"), (-5, 120, "starts_at"), (90, 90, "ends_at"), (90, None, "ends_at")],
)
async def test_planned_work_has_a_beginning_an_end_and_a_notice_before(
    desk: Desk, clock: HandClock, begins: int, ends: int | None, field: str
) -> None:
    body = plan(clock, begins, ends or 0)
    if ends is None:
        del body["ends_at"]
    status, no = await desk.ask("POST", "/incidents", body)
    assert (status, no["field"]) == (422, field)


async def test_only_a_change_is_planned_and_a_time_has_its_offset(
    desk: Desk, clock: HandClock
) -> None:
    body = plan(clock, 90, 120)
    status, no = await desk.ask("POST", "/incidents", {**body, "kind": "down"})
    assert (status, no["field"]) == (422, "starts_at")
    status, no = await desk.ask("POST", "/incidents", {**body, "starts_at": "2026-03-20T22:00:00"})
    assert (status, no["code"]) == (422, "body_invalid")


async def test_a_plan_is_told_before_begins_on_time_and_is_late_when_it_is_late(
    desk: Desk, bank: Bank, clock: HandClock
) -> None:
    await look(bank, clock)
    status, made = await desk.ask("POST", "/incidents", plan(clock, 90, 120))
    assert status == 200, made
    story = await look(bank, clock)
    assert "mulai pukul 13.30" in said(story)
    assert "seperti sekarang" in said(story)
    assert "ditutup" not in said(story)
    story = await look(bank, clock, 89 * 60)
    assert len(story.updates) == 1
    body = {**CLOSE, "scope": f"service={GOPAY}", "evidence": '{"ticket": "CHG-7"}'}
    clock.advance(60)
    await desk.ask("POST", "/gates", body)
    story = await look(bank, clock)
    assert "dimulai pukul 13.30" in said(story)
    assert "kami tutup sementara" in said(story)
    assert bank.care.incidents.states[GOPAY].condition == "scheduled_change"
    story = await look(bank, clock, 30 * 60)
    assert "sudah lewat" in said(story)
    assert story.state == "published"


async def test_a_ticket_nobody_announced_makes_no_planned_change(
    desk: Desk, bank: Bank, clock: HandClock
) -> None:
    body = {**CLOSE, "scope": f"service={GOPAY}", "evidence": '{"ticket": "CHG-8"}'}
    await desk.ask("POST", "/gates", body)
    text = said(await look(bank, clock))
    assert "petugas bank menutupnya" in text
    assert bank.care.incidents.states[GOPAY].condition == "protective_restriction"


async def test_a_plan_for_tonight_explains_nothing_that_is_ill_now(
    desk: Desk, bank: Bank, clock: HandClock
) -> None:
    await look(bank, clock)
    await desk.ask("POST", "/incidents", plan(clock, 90, 120))
    await look(bank, clock)
    await desk.ask("POST", "/gates", {**CLOSE, "scope": f"service={GOPAY}"})
    await look(bank, clock)
    assert len(bank.care.incidents.open) == 2


async def test_people_do_not_say_that_all_is_well_beside_what_is_down(
    desk: Desk, bank: Bank, clock: HandClock
) -> None:
    """Refused with the fact it contradicts; nothing of it is published."""
    await bank.care.probes.ask_all()
    await bank.care.incidents.round()
    path = f"/components/{GOPAY}/override"
    status, _ = await desk.ask("POST", path, {"condition": "degraded", "reason": "slow"})
    assert status == 200
    _, made = await desk.ask("POST", "/incidents", NEW)
    await look(bank, clock)
    word = f"/incidents/{made['id']}/word"
    for happened in ("Semua layanan berjalan normal.", "Tidak ada uang yang hilang."):
        body = {"id": WORD | {"happened": happened}, "en": EN}
        status, no = await desk.ask("POST", word, body)
        assert (status, no["code"]) == (422, "text_not_allowed"), no
        rule = "without_proof" if "uang" in happened else "degraded"
        assert rule in no["detail"], no
    assert (await desk.ask("POST", word, {"id": WORD, "en": EN}))[0] == 200
