"""Every door of staff is an act of the table, also those added later."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from starlette.routing import BaseRoute, Mount, Route

import tangguh
from tangguh.access.acts import ACTS, Act, Kind
from tangguh.app import Bank
from tangguh.customers.crew import CREW
from web.test_every_route import routes_of
from web.test_staff_api import CLOSE, Desk
from web.test_staff_api import desk as desk

SOURCE = Path(tangguh.__file__).parent
ASKS_NOBODY = {"/staff", "/staff/login", "/staff/logout"}
BY_PEOPLE = {"Alone", "Propose", "Vote", "Carry", "ReadBoard", "Remember"}
"""What staff's code may have decided: each asks the table, reads, or only writes down."""


def staff_routes(routes: list[BaseRoute]) -> list[Route]:
    found: list[Route] = []
    for one in routes:
        if isinstance(one, Mount):
            found += staff_routes(list(one.routes))
        elif isinstance(one, Route) and one.path.startswith("/staff"):
            found.append(one)
    return found


def test_every_route_of_staff_is_an_act(bank: Bank) -> None:
    routes = staff_routes(routes_of(bank.web()))
    assert len(routes) > 40
    for one in routes:
        act = getattr(one.endpoint, "act", None)
        if one.path in ASKS_NOBODY:
            assert act is None
            continue
        assert act in ACTS, one.path
        changes = "POST" in (one.methods or set()) and not one.path.endswith(("preview", "test"))
        assert (
            changes != (ACTS[act].kind is Kind.READS)
            or one.path.startswith("/staff/queue")
            or (one.path == "/staff/figures")
        ), one.path


async def test_each_act_is_for_its_roles_at_the_door(desk: Desk, bank: Bank) -> None:
    """Asked before the body is read: whoever has no part learns nothing of what is wrong with it."""
    for one in staff_routes(routes_of(bank.web())):
        act = getattr(one.endpoint, "act", None)
        if act is None or not one.path.startswith("/staff/v1"):
            continue
        path = one.path.removeprefix("/staff/v1")
        for name in ("closure", "change", "incident", "case", "component", "file", "page"):
            path = path.replace(f"{{{name}}}", "0" * 32)
        path = path.replace("{report}", "initial.docx")
        (method,) = (one.methods or set()) - {"HEAD"}
        for who in CREW:
            status, said = (
                await desk.ask(method, path, {"nothing": 1}, by=who.id)
                if (method == "POST")
                else (0, None)
            )
            if said is None:
                break
            is_no = status == 403 and said["code"] == "approver_not_allowed"
            assert is_no == who.roles.isdisjoint(ACTS[act].makers), (path, who.id, said)


@pytest.mark.parametrize("package", ["web/staff", "work/control"])
def test_nothing_of_staff_is_decided_past_the_table(package: str) -> None:
    """Every ``decide`` in their code takes a command that asks the table, or reads."""
    for path in (SOURCE / package).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            is_decide = isinstance(node, ast.Call) and (
                isinstance(node.func, ast.Attribute) and node.func.attr in {"decide", "_decide"}
            )
            if not is_decide or not node.args:
                continue
            command = node.args[0]
            name = command.func.id if isinstance(command, ast.Call) and isinstance(
                command.func, ast.Name
            ) else ast.unparse(command)  # fmt: skip
            where = f"{path.name}:{node.lineno}: {name}"
            assert name in BY_PEOPLE | {"OverrideComponent"}, where


async def test_one_person_cannot_narrow_what_is_closed(desk: Desk) -> None:
    """Narrowing lets the rest go: it is an opening, and takes the people of one."""
    body = {**CLOSE, "signal_class": "C", "minutes": 5}
    _, made = await desk.ask("POST", "/gates", body)
    closure = made["closure"]["id"]
    narrower = {"scopes": ["rail=qris direction=out account=5"]}
    path = f"/gates/{closure}/narrow"
    status, no = await desk.ask("POST", path, narrower, by="staff:6")
    assert (status, no["code"]) == (403, "approver_not_allowed")
    status, asked = await desk.ask("POST", path, narrower, by="staff:2")
    assert status == 200
    _, board = await desk.ask("GET", "/gates")
    assert [one["id"] for one in board["closures"]] == [closure]
    sign = f"/changes/{asked['change']['id']}/approve"
    sha256 = {"sha256": asked["change"]["sha256"]}
    assert (await desk.ask("POST", sign, sha256, by="staff:2"))[0] == 403
    assert (await desk.ask("POST", sign, sha256, by="staff:5"))[0] == 403
    assert (await desk.ask("POST", sign, sha256, by="staff:3"))[0] == 200
    _, board = await desk.ask("GET", "/gates")
    assert [one["scope"] for one in board["closures"]] == narrower["scopes"]


@pytest.mark.parametrize("signal_class", ["A", "D"])
async def test_a_closure_of_money_or_control_is_narrowed_by_the_ladder_only(
    desk: Desk, signal_class: str
) -> None:
    body = {**CLOSE, "signal_class": signal_class}
    _, made = await desk.ask("POST", "/gates", body)
    path = f"/gates/{made['closure']['id']}/narrow"
    status, no = await desk.ask("POST", path, {"scopes": ["rail=qris direction=out account=5"]})
    assert (status, no["code"]) == (409, "gate_step_not_allowed")


async def test_who_answers_complaints_says_nothing_is_down(desk: Desk, bank: Bank) -> None:
    await bank.care.probes.ask_all()
    await bank.care.incidents.round()
    path = "/components/mobile.topup.gopay/override"
    down = {"condition": "down", "reason": "customers call"}
    status, no = await desk.ask("POST", path, down, by="staff:6")
    assert (status, no["code"]) == (403, "approver_not_allowed")
    status, asked = await desk.ask("POST", path, down, by="staff:2")
    assert status == 200
    await bank.care.incidents.round()
    assert bank.care.incidents.states["mobile.topup.gopay"].condition != "down"
    sign = f"/changes/{asked['change']['id']}/approve"
    status, _ = await desk.ask("POST", sign, {"sha256": asked["change"]["sha256"]}, by="staff:3")
    assert status == 200
    await bank.care.incidents.round()
    assert bank.care.incidents.states["mobile.topup.gopay"].condition == "down"


def test_the_acts_that_are_signed_are_the_kinds_the_room_carries() -> None:
    """Those that nobody would carry out could be signed and never done."""
    from tangguh.work.control.carrying import _MADE

    elsewhere = {Act.CARE_BULK, Act.CARE_PAY, Act.COMPONENT, Act.DEVICE_RESET}
    elsewhere |= {Act.TARIFF_SET, Act.BREAK_REPAIRED, Act.SUSPENSE_CLEARED, Act.FILE_SUPERSEDED}
    signed = {act for act, needs in ACTS.items() if needs.rule is not None}
    assert signed == {Act(kind) for kind in _MADE} | elsewhere
