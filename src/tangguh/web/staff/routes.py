"""The staff API's routes. Each is one act of the control room; nothing is decided here."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from starlette.routing import BaseRoute

from tangguh.access.acts import Act
from tangguh.core.outcome import Refusal, Refused
from tangguh.db.queries import Queries
from tangguh.guard.rules import Rule
from tangguh.guard.scope import text_of
from tangguh.recovery.climb import Climb
from tangguh.recovery.climber import climbs_under_way
from tangguh.web.staff import cases, devices, pages
from tangguh.web.staff.door import Call, StaffDoor, route
from tangguh.web.staff.oncall import routes as oncall
from tangguh.web.staff.views import change_view, climb_view, closure_view
from tangguh.work.control.room import CloseOrder

_HISTORY: Final = Queries("tangguh.payments.gates", "gates.sql")
_CLIMBS: Final = Queries("tangguh.recovery", "recovery.sql")
_EVENTS_MAX: Final = 200


class ScopeOnly(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scope as one line of text."""

    scope: str


class Scopes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Several scopes."""

    scopes: tuple[str, ...]


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reason in words."""

    why: str


class Start(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it may open again: a cause with fix and evidence, or the control in place of a cause."""

    cause: str = ""
    fix: str = ""
    evidence: str = ""
    control: str = ""
    keys_rotated: str = ""
    without_restore: str = ""
    suspected_group: str = ""


class Yes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hash of exactly what was shown."""

    sha256: str


class NewRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule to be tested or put in force."""

    rule: Rule
    reason: str = ""
    days: int = 7


async def list_gates(call: Call) -> Any:
    """Every closure in force."""
    board, now = await call.staff.room.board(), call.staff.door.clock.now()
    return {
        "version": board.version,
        "closures": [closure_view(one, now) for one in board.closures],
        "said": list(call.staff.guardian.said)[-50:],
    }


async def gate_history(call: Call) -> Any:
    """What happened to gates, newest first."""
    door = call.staff.door
    rows = await door.pool.fetch(_HISTORY["gate_events"], door.book_id, _EVENTS_MAX)
    return {
        "events": [
            {
                "at": row["at"],
                "closure": row["closure_id"],
                "what": row["what"],
                "by": row["made_by"],
                "version": row["version"],
            }
            for row in rows
        ]
    }


async def preview_gate(call: Call) -> Any:
    """What a closure would stop."""
    return await call.staff.room.preview(call.read(ScopeOnly).scope)


async def close_gate(call: Call) -> Any:
    """Close at once, or propose it when it is the whole bank."""
    return _closed(call, await call.staff.room.close(call.by, call.read(CloseOrder)))


async def confirm_gate(call: Call) -> Any:
    """Stand behind a closure."""
    return _closed(call, await call.staff.room.confirm(call.by, call.id("closure")))


async def widen_gate(call: Call) -> Any:
    """Propose the next wider scope."""
    scope = call.read(ScopeOnly).scope
    return _proposed(await call.staff.room.widen(call.by, call.id("closure"), scope))


async def narrow_gate(call: Call) -> Any:
    """Propose to keep only parts of it closed."""
    scopes = call.read(Scopes).scopes
    return _proposed(await call.staff.room.narrow(call.by, call.id("closure"), scopes))


async def declare_wrong(call: Call) -> Any:
    """Propose that a closure was wrong."""
    why = call.read(Why).why
    return _proposed(await call.staff.room.declare_wrong(call.by, call.id("closure"), why))


async def list_ladders(call: Call) -> Any:
    """Every climb that goes on, with its newest look."""
    door = call.staff.door
    climbs = await climbs_under_way(door.pool, door.book_id)
    newest = call.staff.climber.newest
    return {"ladders": [climb_view(one, newest.get(one.closure_id)) for one in climbs]}


async def ladder_history(call: Call) -> Any:
    """Every step of one climb."""
    door = call.staff.door
    rows = await door.pool.fetch(_CLIMBS["climb_events"], door.book_id, call.id("closure"))
    return {
        "steps": [
            {
                "at": row["at"],
                "what": row["what"],
                "why": row["why"],
                "by": row["made_by"],
                "rung": msgspec.json.decode(row["climb_json"], type=Climb).here.name,
            }
            for row in rows
        ]
    }


async def start_ladder(call: Call) -> Any:
    """Begin the way back of a closure."""
    told = call.read(Start)
    facts = msgspec.structs.asdict(told)
    group = facts.pop("suspected_group")
    done = await call.staff.room.start(call.by, call.id("closure"), facts, group)
    return done if isinstance(done, Refused) else climb_view(done, None)


async def step_back(call: Call) -> Any:
    """Close it again."""
    done = await call.staff.room.back(call.by, call.id("closure"), call.read(Why).why)
    return done if isinstance(done, Refused) else climb_view(done, None)


async def list_changes(call: Call) -> Any:
    """What people are asked, newest first."""
    now = call.staff.door.clock.now()
    return {"changes": [change_view(one, now) for one in await call.staff.room.changes()]}


async def approve_change(call: Call) -> Any:
    """Say yes to exactly what was shown."""
    sha256 = call.read(Yes).sha256
    return _proposed(await call.staff.room.approve(call.by, call.id("change"), sha256))


async def deny_change(call: Call) -> Any:
    """Say no."""
    return _proposed(await call.staff.room.deny(call.by, call.id("change")))


async def book_outflows(call: Call) -> Any:
    """Propose to book what left without a payment into suspense."""
    return _proposed(await call.staff.room.book_outflows(call.by))


async def list_rules(call: Call) -> Any:
    """The guard's rules in force."""
    return {"rules": [{**msgspec.to_builtins(one)} for one in call.staff.guardian.rules]}


async def test_rule(call: Call) -> Any:
    """What a rule would have closed."""
    asked = call.read(NewRule)
    if not 1 <= asked.days <= 28:
        return Refused(Refusal.ORDER_INVALID, "days", "1 to 28 days")
    test = await call.staff.room.test_rule(asked.rule, asked.days)
    return {**msgspec.to_builtins(test), "may_go_live_alone": test.may_go_live_alone}


async def set_rule(call: Call) -> Any:
    """Put a rule in force, or propose it when its back-test stops too much."""
    asked = call.read(NewRule)
    done = await call.staff.room.set_rule(call.by, asked.rule, asked.reason)
    if isinstance(done, Rule):
        return {"rule": done.id, "mode": done.mode, "where": text_of(done.where)}
    return _proposed(done)


def routes(staff: StaffDoor) -> list[BaseRoute]:
    """Everything staff can do by HTTP."""
    gate, ladder, change = "/staff/v1/gates/{closure}", "/staff/v1/ladders/{closure}", "{change}"
    table = (
        ("GET", "/staff/v1/gates", list_gates, Act.READ),
        ("GET", "/staff/v1/gates/history", gate_history, Act.READ),
        ("POST", "/staff/v1/gates/preview", preview_gate, Act.PREVIEW),
        ("POST", "/staff/v1/gates", close_gate, Act.GATE_CLOSE_ALONE),
        ("POST", f"{gate}/confirm", confirm_gate, Act.GATE_CONFIRM),
        ("POST", f"{gate}/widen", widen_gate, Act.GATE_WIDEN),
        ("POST", f"{gate}/narrow", narrow_gate, Act.GATE_NARROW),
        ("POST", f"{gate}/false-positive", declare_wrong, Act.GATE_FALSE_POSITIVE),
        ("GET", "/staff/v1/ladders", list_ladders, Act.READ),
        ("GET", ladder, ladder_history, Act.READ),
        ("POST", f"{ladder}/start", start_ladder, Act.LADDER_START),
        ("POST", f"{ladder}/back", step_back, Act.LADDER_BACK),
        ("GET", "/staff/v1/changes", list_changes, Act.READ),
        ("POST", f"/staff/v1/changes/{change}/approve", approve_change, Act.CHANGE_VOTE),
        ("POST", f"/staff/v1/changes/{change}/deny", deny_change, Act.CHANGE_VOTE),
        ("POST", "/staff/v1/outflows/book", book_outflows, Act.OUTFLOW_BOOKED),
        ("GET", "/staff/v1/rules", list_rules, Act.READ),
        ("POST", "/staff/v1/rules/test", test_rule, Act.PREVIEW),
        ("POST", "/staff/v1/rules", set_rule, Act.RULE_SET),
    )
    told = [route(staff, method, path, handler, act) for method, path, handler, act in table]
    looked_up = oncall.routes(staff)
    return [
        *told,
        *looked_up,
        *devices.routes(staff),
        *cases.routes(staff),
        *pages.routes(staff),
    ]


def _closed(call: Call, done: Any) -> Any:
    if isinstance(done, Refused):
        return done
    if hasattr(done, "scope"):
        return {"closure": closure_view(done, call.staff.door.clock.now())}
    return _proposed(done)


def _proposed(done: Any) -> Any:
    return done if isinstance(done, Refused) else {"change": change_view(done, done.made_at)}
