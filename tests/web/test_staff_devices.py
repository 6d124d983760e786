"""A device of staff is a secret the bank issued: what a client calls itself decides nothing."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest

from serving import served
from tangguh.app import Bank
from tangguh.cli.staff.device import enrol_here, reset
from tangguh.cli.staff.gate import close
from tangguh.cli.staff.line import ask
from tangguh.customers.crew import enrol_crew
from web.test_staff_api import CLOSE, Desk
from web.test_staff_api import desk as desk

INSIDER, COLLEAGUE, COMMANDER = "staff:2", "staff:3", "staff:1"


async def closed(desk: Desk) -> str:
    _, made = await desk.ask("POST", "/gates", CLOSE, by=COMMANDER)
    return str(made["closure"]["id"])


async def wrong(desk: Desk, closure: str, **by: Any) -> tuple[int, Any]:
    """Somebody proposes that a closure was wrong."""
    return await desk.ask("POST", f"/gates/{closure}/false-positive", {"why": "x"}, **by)


async def sign(desk: Desk, change: dict[str, Any], **by: Any) -> tuple[int, Any]:
    path = f"/changes/{change['id']}/approve"
    return await desk.ask("POST", path, {"sha256": change["sha256"]}, **by)


async def frozen(bank: Bank) -> set[str]:
    return {one.id for one in await bank.staff.everyone() if not one.is_active}


async def trail(bank: Bank, what: str) -> list[tuple[str, str, str]]:
    rows = await bank.pool.fetch(
        "SELECT actor, subject, detail FROM acts WHERE what = $1 ORDER BY act_id", what
    )
    return [(row["actor"], row["subject"], row["detail"]) for row in rows]


@pytest.mark.parametrize("named", ["phone of staff:3", "the colleague's own"])
async def test_who_names_a_colleagues_device_changes_nothing_of_theirs(
    desk: Desk, bank: Bank, named: str
) -> None:
    """Neither by its name nor with its secret, stolen: refused, written down, and she goes on."""
    hers = await desk.enrol(COLLEAGUE)
    device = named if named.startswith("phone") else hers
    closure = await closed(desk)
    status, no = await wrong(desk, closure, by=INSIDER, device=device)
    assert (status, no["code"], no["field"]) == (403, "approver_not_allowed", "device")
    standing = "nobodys" if device != hers else "anothers"
    subject = INSIDER if device != hers else COLLEAGUE
    assert await trail(bank, "staff.device_refused") == [(INSIDER, subject, standing)]
    _, asked = await wrong(desk, closure, by=INSIDER)
    status, said = await sign(desk, asked["change"], by=COLLEAGUE)
    assert (status, said["change"]["state"]) == (200, "approved")
    assert await frozen(bank) == set()


async def test_a_stolen_token_alone_does_nothing(desk: Desk, bank: Bank) -> None:
    """It reads; a device it has issued to itself there is not, since the owner has one."""
    await desk.enrol(COLLEAGUE)
    assert (await desk.ask("GET", "/gates", by=COLLEAGUE, device=""))[0] == 200
    status, no = await desk.ask("POST", "/gates", CLOSE, by=COLLEAGUE, device="")
    assert (status, no["field"]) == (403, "device")
    status, no = await desk.ask("POST", "/devices", {}, by=COLLEAGUE, device="")
    assert (status, no["field"]) == (403, "device")
    status, no = await desk.ask("GET", "/gates", by=COLLEAGUE, device="made up")
    assert (status, no["field"]) == (403, "device"), "what is made up does not even read"
    assert len((await bank.control.board()).closures) == 0


async def test_a_device_is_of_one_account_only(desk: Desk, bank: Bank) -> None:
    """Two accounts at one device: the second does nothing there, and so signs nothing."""
    _, asked = await wrong(desk, await closed(desk), by=INSIDER)
    status, no = await sign(desk, asked["change"], by=COLLEAGUE, device=desk.devices[INSIDER])
    assert (status, no["code"]) == (403, "approver_not_allowed")
    assert len((await bank.control.board()).closures) == 1
    assert await frozen(bank) == set()


async def test_one_more_a_new_secret_and_an_end(desk: Desk) -> None:
    """Each from a device one has; what was replaced or ended opens nothing any more."""
    first = await desk.enrol(INSIDER)
    _, more = await desk.ask("POST", "/devices", {}, by=INSIDER)
    second = more["device"]
    _, new = await desk.ask("POST", "/devices", {"replaces": True}, by=INSIDER)
    closure = await closed(desk)
    assert (await wrong(desk, closure, by=INSIDER, device=first))[1]["detail"].endswith("ended")
    assert (await desk.ask("POST", "/devices/end", {}, by=INSIDER, device=new["device"]))[0] == 200
    assert (await wrong(desk, closure, by=INSIDER, device=new["device"]))[0] == 403
    assert (await wrong(desk, closure, by=INSIDER, device=second))[0] == 200
    for _ in range(4):
        await desk.ask("POST", "/devices", {}, by=INSIDER, device=second)
    status, no = await desk.ask("POST", "/devices", {}, by=INSIDER, device=second)
    assert (status, no["field"]) == (403, "device"), "at most five"


async def test_lost_devices_are_reset_by_two(desk: Desk, bank: Bank) -> None:
    """Nobody ends a colleague's devices alone; then the account begins anew."""
    old = await desk.enrol("staff:5")
    session = await bank.staff.open_session(desk.token_of("staff:5"), old)
    assert await bank.staff.find_by_session(session) is not None
    lost = {"staff": "staff:5", "why": "the laptop was stolen"}
    assert (await desk.ask("POST", "/devices/reset", lost | {"why": " "}, by=INSIDER))[0] == 422
    assert (await desk.ask("POST", "/devices/reset", lost | {"staff": "x"}, by=INSIDER))[0] == 422
    _, asked = await desk.ask("POST", "/devices/reset", lost, by=INSIDER)
    assert (await desk.ask("POST", "/devices/end", {}, by="staff:4", device=old))[0] == 403
    assert (await sign(desk, asked["change"], by="staff:4"))[0] == 403
    assert (await bank.staff.devices.held_by("staff:5", old)).standing == "own"
    assert (await sign(desk, asked["change"], by=COLLEAGUE))[0] == 200
    assert (await bank.staff.devices.held_by("staff:5", old)).standing == "ended"
    assert await bank.staff.find_by_session(session) is None, "its browser sessions end with it"
    status, fresh = await desk.ask("POST", "/devices", {}, by="staff:5", device="")
    assert (status, fresh["device"] == old) == (200, False)
    assert await trail(bank, "staff.devices_reset") == [(INSIDER, "staff:5", "")]


async def test_secrets_are_told_once_and_a_first_is_first_once(desk: Desk, bank: Bank) -> None:
    secret = await desk.enrol(INSIDER)
    rows = await bank.pool.fetch("SELECT staff_devices::text AS row FROM staff_devices")
    assert not any(secret in row["row"] for row in rows)
    again = await bank.staff.devices.issue_first(INSIDER)
    assert not isinstance(again, str)
    await bank.staff.freeze(INSIDER)
    assert (await bank.staff.devices.held_by(INSIDER, secret)).standing == "ended"


async def test_a_machine_enrols_itself_when_it_first_acts(
    bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The secret lies in a file of its own, for nobody else to read; a second account is refused."""
    tokens = await enrol_crew(bank.staff)
    path = tmp_path / "deep" / "staff-device"
    monkeypatch.setenv("TANGGUH_STAFF_DEVICE", str(path))
    async with served(bank.web()) as url:

        async def run(command: Any, *words: Any, by: str, **more: Any) -> str:
            await asyncio.to_thread(command, *words, bank=url, token=tokens[by], **more)
            return capsys.readouterr().out

        await run(enrol_here, by=INSIDER)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        kept = path.read_text("utf-8")
        another = await run(enrol_here, by=INSIDER, another=True)
        assert len(another.strip()) > 40
        await run(enrol_here, by=INSIDER, replaces=True)
        assert path.read_text("utf-8") != kept
        assert "proposed" in await run(reset, COLLEAGUE, why="lost", by=INSIDER)
        with pytest.raises(SystemExit):
            await run(close, "rail=qris direction=out", reason="by_hand", cause="x", by=COLLEAGUE)
        assert "another account's" in capsys.readouterr().err
        path.unlink()
        await run(close, "rail=qris direction=out", reason="by_hand", cause="x", by=COLLEAGUE)
        said = await asyncio.to_thread(ask, url, tokens[COLLEAGUE], "GET", "/staff/v1/gates")
        assert len(said["closures"]) == 1
        assert path.exists()
