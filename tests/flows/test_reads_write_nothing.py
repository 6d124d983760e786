"""Whoever only asks writes nothing: by command, by route, and by saying a thing again."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import aiohttp
import msgspec
import pytest
from starlette.routing import Route

import tangguh
from serving import served
from stories import RUPIAH, newest_change, now_is, pay, transfer
from tangguh.access.session import Kind as SessionKind
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.errors import Ambiguous, FenceLost
from tangguh.core.ids import Ids
from tangguh.core.outcome import Refused
from tangguh.customers.crew import enrol_crew
from tangguh.disputes.case import About
from tangguh.disputes.complaints import Complaint
from tangguh.guard.closure import State
from tangguh.guard.scope import Scope
from tangguh.ledger.chart import Kind
from tangguh.ledger.command import OpenAccount
from tangguh.ledger.writer import Writer
from tangguh.payments.checks.find import Find, FindOrdered
from tangguh.payments.decide import Accept
from tangguh.payments.gates.change import Close, Lapse, ReadBoard, TakeBack
from tangguh.payments.gates.parked import Release
from tangguh.payments.payment import Payment
from tangguh.payments.preview import Preview
from unit.guard.test_closure import closure
from web.test_every_route import routes_of

SAYS: str = "Changes nothing"
Asking = Callable[[Bank, Payment], Any]

READS: dict[type, Asking] = {
    ReadBoard: lambda bank, paid: ReadBoard(),
    Find: lambda bank, paid: Find(paid.id),
    FindOrdered: lambda bank, paid: FindOrdered(paid.customer_id, "t-1"),
    Preview: lambda bank, paid: Preview(
        Accept(msgspec.structs.replace(paid.order, idempotency_key="t-2"), bank.desk.rules)
    ),
}
"""Every command that only reads, as somebody asks it."""
NOTHING_TO_DO: dict[str, Asking] = {
    "nothing lapsed": lambda bank, paid: Lapse(),
    "nothing of theirs": lambda bank, paid: TakeBack(by="pulse", reason="nobody's"),
    "not parked": lambda bank, paid: Release(payment_id=paid.id, rules=bank.desk.rules),
    "paid before": lambda bank, paid: Accept(paid.order, bank.desk.rules),
    "open before": lambda bank, paid: OpenAccount(paid.debtor, Kind.CUSTOMER, paid.customer_id),
    "closed before": lambda bank, paid: Close(closure=STANDING),
}
"""What changes something when there is something to change."""
STANDING = closure(scope=Scope(rail="bifast"), state=State.CONTAINED)


def commands() -> set[type]:
    """Every class of the bank's that is decided in the book."""
    found = set()
    for module in pkgutil.walk_packages(tangguh.__path__, "tangguh."):
        if not module.name.endswith("__main__"):
            for one in vars(importlib.import_module(module.name)).values():
                if isinstance(one, type) and {"decide", "keys"} <= set(dir(one)):
                    found.add(one)
    return found


@pytest.fixture
async def paid(bank: Bank) -> Payment:
    standing = msgspec.structs.replace(STANDING, made_at=bank.clock.now())
    assert not isinstance(await bank.desk.decide(Close(closure=standing)), Refused)
    return await pay(bank, await transfer(bank, 1_000 * RUPIAH))


def test_every_command_that_says_so_is_asked() -> None:
    """A command whose first words are that it changes nothing is in the list above."""
    every = commands()
    assert len(every) > 50, "the search finds nothing"
    saying = {one for one in every if SAYS in (one.__doc__ or "").replace("\n", " ")}
    assert saying == set(READS)


async def test_asking_writes_nothing(bank: Bank, dsn: str, paid: Payment) -> None:
    """No link and no row of any table, and the answer is the book's."""
    before, head = await newest_change(dsn), bank.writer.head
    for read in READS.values():
        assert await bank.desk.decide(read(bank, paid)) is not None
    assert await bank.desk.decide(Find(paid.id)) == await now_is(bank, paid)
    for moot in NOTHING_TO_DO.values():
        await bank.desk.decide(moot(bank, paid))
    assert await newest_change(dsn) == before
    assert bank.writer.head == head


@pytest.mark.parametrize("read", READS, ids=lambda read: read.__name__)
async def test_a_writer_that_was_deposed_answers_none(
    bank: Bank, dsn: str, clock: HandClock, ids: Ids, paid: Payment, read: type
) -> None:
    """It cannot know what its successor has decided since."""
    successor = Writer(dsn, clock, ids)
    await successor.start()
    with pytest.raises((FenceLost, Ambiguous)):
        await bank.desk.decide(READS[read](bank, paid))
    assert not bank.writer.is_open
    await successor.stop()


@pytest.fixture
async def asked(bank: Bank, paid: Payment) -> AsyncIterator[Callable[[str], Any]]:
    """``await asked(path)``: the status of the door's answer to whoever may see it."""
    tokens = await enrol_crew(bank.staff)
    opened = await bank.sessions.open(paid.customer_id, SessionKind.DEVICE)
    async with served(bank.web()) as url, aiohttp.ClientSession() as http:

        async def ask(path: str) -> int:
            token = tokens["staff:6"] if path.startswith("/staff") else opened.token
            headers = {"Authorization": f"Bearer {token}"}
            async with http.get(url + path, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                return answer.status

        yield ask


@pytest.fixture
async def case(bank: Bank, paid: Payment) -> UUID:
    said = Complaint(
        case_id=bank.ids.next(),
        customer_id=paid.customer_id,
        about=About.FAILED_DEBITED,
        text="",
        channel="app",
        language="id",
        payment_id=paid.id,
    )
    opened = await bank.care.complaints.open(said)
    assert not isinstance(opened, Refused)
    return opened.id


def read_paths(bank: Bank, things: dict[str, object]) -> list[str]:
    """Every path that is read by customers, by staff and by a watch, of things that are there."""
    paths = set()
    for route in routes_of(bank.web()):
        if isinstance(route, Route) and "GET" in (route.methods or ()):
            if route.path.startswith(("/v1/", "/staff/v1/", "/health")):
                path = re.sub(
                    r"/(\w+)/\{[^}]*\}",
                    lambda found: f"/{found[1]}/{things.get(found[1], 'x1')}",
                    route.path,
                )
                paths.add(path)
    return sorted(paths)


async def test_reading_by_any_door_writes_nothing(
    bank: Bank, dsn: str, paid: Payment, case: UUID, asked: Callable[[str], Any]
) -> None:
    """Every route that is read, asked twice: the board, a payment, a case, a rule and the rest.

    Who of the staff looked at whose payment or case is an act: the record itself is wanted.
    """
    things = {"payments": paid.id, "complaints": case, "cases": case, "accounts": paid.debtor}
    paths = read_paths(bank, {**things, "customers": paid.customer_id})
    assert len(paths) > 30, "the walk walks nothing"
    before, good, noted = await newest_change(dsn), set(), set()
    for path in paths:
        for _ in range(2):
            if await asked(path) == 200:
                good.add(path)
        after = await newest_change(dsn)
        wrote = {name for name in after if after[name] != before[name]}
        if "acts" in wrote:
            noted.add(path)
            wrote -= {"acts", "batches", "books"}
        assert wrote == set(), (path, wrote)
        before = after
    who = (f"/staff/v1/payments/{paid.id}", f"/staff/v1/cases/{case}")
    shown = {"/staff/v1/gates", "/staff/v1/rules", f"/v1/payments/{paid.id}"}
    assert {*shown, f"/v1/complaints/{case}", *who} <= good
    whose = ("/staff/v1/payments", "/staff/v1/cases/", "/staff/v1/customers/")
    assert all(path.startswith(whose) for path in noted), noted
