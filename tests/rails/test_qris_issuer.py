"""What QRIS over SNAP adds to the contract: tokens, signatures, merchants, time, notices."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rails.harness import (
    MERCHANTS,
    NOON,
    SECRET,
    Keys,
    QrisHarness,
    instruction_to,
    payee_of,
    qris_settings,
    refund_of,
    running,
)
from tangguh.core.clock import HandClock
from tangguh.core.errors import Misconfigured
from tangguh.core.order import ToAccount
from tangguh.core.outcome import Accepted, Declined, NotSent, Refusal, Unanswered
from tangguh.rails.qris.notice import NOTIFY, Notice, read_notice
from tangguh.rails.qris.rail import QrisIssuer, retrieval_reference
from tangguh.sim import faults
from tangguh.sim.faults import Fault
from tangguh.sim.listener import Listener

RP600K = 600_000_00


def struck(qris: QrisHarness) -> int:
    return sum(qris.world.faults.dealt().struck)


@pytest.mark.parametrize("label", [label for label in MERCHANTS if label != "BLOCKED"])
async def test_every_demo_merchant_is_paid(qris: QrisHarness, label: str) -> None:
    """Each code of the table leads to a merchant that can be paid."""
    merchant = MERCHANTS[label]
    asked = instruction_to(payee_of(merchant, merchant.payloads[label]))
    assert isinstance(await qris.rail.send(asked), Accepted)
    account = qris.world.books.merchant(merchant.pan)
    assert account is not None
    assert account.balance_minor == RP600K == qris.paid_minor()


@pytest.mark.parametrize(
    ("changes", "amount_minor", "reason", "code"),
    [
        ({"merchant_pan": "936009110000000000"}, 1_00, Refusal.MERCHANT_NOT_FOUND, "4045008"),
        ({"merchant_id": "another"}, 1_00, Refusal.MERCHANT_NOT_FOUND, "4045008"),
        ({"nmid": "ID1025999999999"}, 1_00, Refusal.MERCHANT_NOT_FOUND, "4045008"),
        ({}, 10_000_000_01, Refusal.PARTNER_LIMIT, "4035002"),
        ({}, 0, Refusal.PARTNER_DECLINED, "4005001"),
    ],
    ids=["unknown", "other_id", "other_nmid", "limit", "nothing"],
)
async def test_rules_of_the_switch(
    qris: QrisHarness, changes: dict[str, str], amount_minor: int, reason: Refusal, code: str
) -> None:
    """The switch's no keeps its code and gets our reason."""
    payee = payee_of(MERCHANTS["V3"])
    changed = msgspec.structs.replace(payee, **changes)
    asked = instruction_to(changed, amount_minor=amount_minor)
    assert await qris.rail.send(asked) == Declined(reason, code)
    assert qris.paid_minor() == 0


async def test_blocked_merchant(qris: QrisHarness) -> None:
    """A blocked merchant is not paid, and the query remembers why."""
    asked = instruction_to(payee_of(MERCHANTS["BLOCKED"]))
    expected = Declined(Refusal.MERCHANT_BLOCKED, "4035019")
    assert await qris.rail.send(asked) == expected
    assert await qris.rail.inquire(asked) == expected


async def test_largest_amount_is_paid(qris: QrisHarness) -> None:
    """Rp10.000.000 itself is within the limit."""
    asked = qris.instruction(amount_minor=10_000_000_00)
    assert isinstance(await qris.rail.send(asked), Accepted)


async def test_one_token_for_many_payments(qris: QrisHarness) -> None:
    """Thirty payments at once ask for one token and share four connections."""
    rail = qris.another_rail(connections_max=4)
    asked = [qris.instruction(reference=f"R{number}") for number in range(30)]
    outcomes = await asyncio.gather(*(rail.send(each) for each in asked))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert rail.health.sent == rail.health.answered == 31
    assert qris.paid_minor() == 30 * RP600K


async def test_token_is_renewed_before_it_runs_out(qris: QrisHarness) -> None:
    """At nine tenths of its life the token is renewed; no payment meets an expired one."""
    await qris.rail.send(qris.instruction())
    for clock in (qris.clock, qris.sim_clock):
        clock.advance(811)
    await qris.rail.send(qris.instruction(reference="LATER"))
    assert qris.rail.health.sent == 4


async def test_old_token_serves_while_renewal_fails(qris: QrisHarness) -> None:
    """A token service that is out of order does not stop payments while the token lives."""
    await qris.rail.send(qris.instruction())
    for clock in (qris.clock, qris.sim_clock):
        clock.advance(811)
    await qris.break_with(faults.Decline(services=("73",), case="50000"))
    assert isinstance(await qris.rail.send(qris.instruction(reference="LATER")), Accepted)
    assert isinstance(await qris.rail.send(qris.instruction(reference="AGAIN")), Accepted)
    assert struck(qris) == 1


async def test_expired_token_is_refreshed_once(keys: Keys, tmp_path: Path) -> None:
    """A token the switch no longer knows is replaced, and the same payment goes out again."""
    async with running(keys, tmp_path, token_seconds=100) as qris:
        await qris.rail.send(qris.instruction())
        qris.sim_clock.advance(120)
        assert isinstance(await qris.rail.send(qris.instruction(reference="LATER")), Accepted)
        assert qris.rail.health.sent == 2 + 3
        assert qris.paid_minor() == 2 * RP600K


async def test_expired_token_and_no_other(keys: Keys, tmp_path: Path) -> None:
    """Thrown back for its token and no new one to be had: certainly not paid."""
    async with running(keys, tmp_path, token_seconds=100) as qris:
        await qris.rail.send(qris.instruction())
        qris.sim_clock.advance(120)
        await qris.break_with(faults.Decline(services=("73",), case="50000"))
        outcome = await qris.rail.send(qris.instruction(reference="LATER"))
        assert outcome == Declined(Refusal.PARTNER_UNREACHABLE, "4015001")
        assert qris.paid_minor() == RP600K


@pytest.mark.parametrize(
    "fault",
    [
        faults.DropRequest(services=("73",), seconds=0),
        faults.DropReply(services=("73",), seconds=0),
        faults.Decline(services=("73",), case="50400"),
        faults.Garbage(services=("73",)),
        faults.Garbage(services=("73",), form="other_service"),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_no_token_is_not_sent(qris: QrisHarness, fault: faults.AnyFault) -> None:
    """Without a token the payment never leaves."""
    await qris.break_with(fault)
    assert isinstance(await qris.rail.send(qris.instruction()), NotSent)
    assert isinstance(await qris.rail.inquire(qris.instruction()), Unanswered)
    assert qris.world.books.payments() == []


async def test_wrong_secret_is_turned_away(qris: QrisHarness) -> None:
    """The switch refuses a signature made with another secret, and pays nothing."""
    rail = qris.another_rail(client_secret=SECRET + "!")
    outcome = await rail.send(qris.instruction())
    assert outcome == Declined(Refusal.PARTNER_UNREACHABLE, "4015000")
    assert isinstance(await rail.inquire(qris.instruction()), Unanswered)
    assert isinstance(await rail.reverse(qris.instruction()), Unanswered)
    assert qris.world.books.payments() == []


async def test_wrong_key_gets_no_token(qris: QrisHarness) -> None:
    """The switch gives no token to a key it does not know."""
    rail = qris.another_rail(private_key_path=qris.keys.switch_private)
    assert isinstance(await rail.send(qris.instruction()), NotSent)


@pytest.mark.parametrize("changes", [{"partner_id": "X"}, {"channel_id": "1"}, {"client_id": "X"}])
async def test_wrong_identity_is_turned_away(qris: QrisHarness, changes: dict[str, str]) -> None:
    """Whoever says another name is not served."""
    outcome = await qris.another_rail(**changes).send(qris.instruction())
    assert isinstance(outcome, Declined | NotSent)
    assert qris.world.books.payments() == []


async def test_clocks_apart(qris: QrisHarness) -> None:
    """A timestamp more than five minutes off is turned away."""
    await qris.rail.send(qris.instruction())
    qris.clock.advance(301)
    outcome = await qris.rail.send(qris.instruction(reference="LATER"))
    assert outcome == Declined(Refusal.PARTNER_UNREACHABLE, "4015000")


async def test_late_answer(qris: QrisHarness) -> None:
    """An answer after our patience is Unanswered; it was paid, and the query says so."""
    rail = qris.another_rail(total_timeout_seconds=0.3)
    await rail.inquire(qris.instruction())
    await qris.break_with(faults.Late(seconds=20))
    assert isinstance(await rail.send(qris.instruction()), Unanswered)
    await qris.world.settle()
    assert isinstance(await rail.inquire(qris.instruction()), Accepted)
    assert qris.paid_minor() == RP600K


async def test_late_arrival_after_the_reversal(qris: QrisHarness) -> None:
    """A request that creeps through the network after it was called off pays nothing."""
    rail = qris.another_rail(total_timeout_seconds=0.3)
    await rail.inquire(qris.instruction())
    await qris.break_with(faults.Late(seconds=20, carried_out="late"))
    assert isinstance(await rail.send(qris.instruction()), Unanswered)
    assert await rail.inquire(qris.instruction()) == Unanswered("not_found")
    assert isinstance(await rail.reverse(qris.instruction()), Declined)
    qris.sim_clock.advance(20)
    await qris.world.settle()
    assert isinstance(await rail.inquire(qris.instruction()), Declined)
    assert qris.paid_minor() == 0


async def test_late_arrival_without_reversal(qris: QrisHarness) -> None:
    """Not found is not yet no: the same request may still arrive and pay."""
    rail = qris.another_rail(total_timeout_seconds=0.3)
    await rail.inquire(qris.instruction())
    await qris.break_with(faults.Late(seconds=20, carried_out="late"))
    await rail.send(qris.instruction())
    assert await rail.inquire(qris.instruction()) == Unanswered("not_found")
    qris.sim_clock.advance(20)
    await qris.world.settle()
    assert isinstance(await rail.inquire(qris.instruction()), Accepted)


async def test_crawling_answer(qris: QrisHarness) -> None:
    """A reply that drips is cut off by the total time."""
    rail = qris.another_rail(total_timeout_seconds=0.3)
    await rail.inquire(qris.instruction())
    await qris.break_with(faults.Crawl(seconds_per_byte=1))
    assert isinstance(await rail.send(qris.instruction()), Unanswered)
    assert isinstance(await rail.inquire(qris.instruction()), Accepted)
    assert qris.paid_minor() == RP600K


async def test_slow_partner_fills_its_bulkhead_only(qris: QrisHarness) -> None:
    """With every connection hanging the next payment is NotSent at once."""
    rail = qris.another_rail(connections_max=2, waiting_max=0)
    await rail.inquire(qris.instruction())
    await qris.break_with(faults.DropRequest(seconds=60))
    hanging = [
        asyncio.create_task(rail.send(qris.instruction(reference=f"H{number}")))
        for number in range(2)
    ]
    for _ in hanging:
        await qris.sim_clock.sleeper.acquire()
    assert await rail.send(qris.instruction()) == NotSent("link is full")
    qris.sim_clock.advance(60)
    outcomes = await asyncio.gather(*hanging)
    assert all(isinstance(outcome, Unanswered) for outcome in outcomes)


@pytest.mark.parametrize("carried_out", ["at_once", "late"])
async def test_going_down_cuts_requests_in_hand(qris: QrisHarness, carried_out: Any) -> None:
    """A request under way when the switch dies is Unanswered; its books say how far it came."""
    await qris.break_with(faults.Late(seconds=600, carried_out=carried_out))
    sending = asyncio.create_task(qris.rail.send(qris.instruction()))
    await qris.sim_clock.sleeper.acquire()
    await qris.break_with(faults.Down())
    assert isinstance(await sending, Unanswered)
    assert qris.paid_minor() == (RP600K if carried_out == "at_once" else 0)


async def test_cancelled_payment(qris: QrisHarness) -> None:
    """A send that is cancelled raises, is counted as unanswered, and may have been paid."""
    await qris.rail.inquire(qris.instruction())
    await qris.break_with(faults.DropReply(seconds=60))
    sending = asyncio.create_task(qris.rail.send(qris.instruction()))
    await qris.sim_clock.sleeper.acquire()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert qris.rail.health.unanswered == 1
    assert isinstance(await qris.rail.inquire(qris.instruction()), Accepted)


async def test_cancelled_caller_leaves_the_token_to_others(qris: QrisHarness) -> None:
    """One caller that gives up does not take away the token others wait for."""
    await qris.break_with(faults.Late(services=("73",), seconds=5))
    first = asyncio.create_task(qris.rail.send(qris.instruction(reference="FIRST")))
    second = asyncio.create_task(qris.rail.send(qris.instruction(reference="SECOND")))
    await qris.sim_clock.sleeper.acquire()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    qris.sim_clock.advance(5)
    assert isinstance(await second, Accepted)


@pytest.mark.parametrize(
    ("becomes", "expected"),
    [
        ("paid", Accepted("Q000000000000001")),
        ("failed", Declined(Refusal.PARTNER_DECLINED, "4035005")),
    ],
)
async def test_in_progress_ends(qris: QrisHarness, becomes: Any, expected: object) -> None:
    """What was in progress becomes paid or failed, and the query follows."""
    await qris.break_with(faults.Pending(seconds=30, becomes=becomes, count=1))
    await qris.rail.send(qris.instruction())
    qris.sim_clock.advance(30)
    assert await qris.rail.inquire(qris.instruction()) == expected
    assert await qris.rail.send(qris.instruction()) == expected
    assert await qris.rail.reverse(qris.instruction()) == (
        expected if isinstance(expected, Accepted) else Declined(Refusal.NOT_CARRIED_OUT, "2007700")
    )


@pytest.mark.parametrize("case", ["20200", "42900", "50000", "50400", "40400", "40900", "40399"])
async def test_code_that_is_neither_yes_nor_no(qris: QrisHarness, case: str) -> None:
    """In progress, too many, broken, timed out, unknown: none of them is a no."""
    if case != "20200":
        await qris.break_with(faults.Decline(case=case))
    else:
        await qris.break_with(faults.Pending())
    assert isinstance(await qris.rail.send(qris.instruction()), Unanswered)


async def test_query_that_is_refused_says_nothing(qris: QrisHarness) -> None:
    """A no to the question is no answer about the payment."""
    await qris.rail.send(qris.instruction())
    await qris.break_with(faults.Decline(services=("51", "77"), case="40305"))
    assert isinstance(await qris.rail.inquire(qris.instruction()), Unanswered)
    assert isinstance(await qris.rail.reverse(qris.instruction()), Unanswered)
    refunding = refund_of(qris.instruction(), 1)
    assert isinstance(await qris.rail.inquire_refund(refunding), Unanswered)


@pytest.mark.parametrize("service", ["50", "51", "77", "78"])
async def test_answer_about_another_payment(qris: QrisHarness, service: str) -> None:
    """An answer that names another reference is never taken for ours."""
    asked = qris.instruction()
    if service != "50":
        await qris.rail.send(asked)
    await qris.break_with(faults.Garbage(form="other_reference", services=(service,)))
    calls = {
        "50": lambda: qris.rail.send(asked),
        "51": lambda: qris.rail.inquire(asked),
        "77": lambda: qris.rail.reverse(qris.instruction(reference="NEVER")),
        "78": lambda: qris.rail.refund(refund_of(asked, 1_00)),
    }
    assert isinstance(await calls[service](), Unanswered)


async def test_other_amount_in_the_query(qris: QrisHarness) -> None:
    """A query that confirms another amount than ours confirms nothing."""
    await qris.rail.send(qris.instruction())
    assert isinstance(await qris.rail.inquire(qris.instruction(amount_minor=1_00)), Unanswered)
    assert isinstance(await qris.rail.inquire(qris.instruction(tip_minor=1_00)), Unanswered)


async def test_restart_forgets_tokens_and_nothing_else(keys: Keys, tmp_path: Path) -> None:
    """A switch that starts anew over its books knows its payments; the bank asks for a token."""
    async with running(keys, tmp_path) as first:
        await first.rail.send(first.instruction())
    async with running(keys, tmp_path) as second:
        second.clock.advance(1)  # the switch remembers the first run's external ids too
        assert isinstance(await second.rail.inquire(second.instruction()), Accepted)
        assert second.paid_minor() == RP600K


async def test_told_twice_by_notice(keys: Keys, tmp_path: Path) -> None:
    """The switch answers and tells the same twice more; both notices verify and agree."""
    heard: list[Notice | object] = []

    async def hear(request: Request) -> Response:
        body = await request.body()
        key = keys.switch.public_key()
        path = request.url.path
        heard.append(read_notice(request.method, path, request.headers, body, key=key, now=NOON))
        return JSONResponse({"responseCode": "2005200", "responseMessage": "Successful"})

    bank = Listener(Starlette(routes=[Route(NOTIFY.path, hear, methods=["POST"])]), "127.0.0.1", 0)
    await bank.open()
    async with running(keys, tmp_path, notify_url=bank.url + NOTIFY.path) as qris:
        await qris.break_with(faults.Twice())
        outcome = await qris.rail.send(qris.instruction())
        await qris.world.settle()
    await bank.close(0)
    first, second = heard
    assert isinstance(first, Notice) and isinstance(second, Notice)
    assert (first.reference, first.outcome) == (qris.instruction().reference, outcome)
    assert first.amount_minor == RP600K
    assert first.external_id != second.external_id
    assert qris.world.switch.notifier.acknowledged == 2


async def test_notice_to_a_bank_that_is_away(keys: Keys, tmp_path: Path) -> None:
    """Nobody listening for notices does not disturb the payment."""
    async with running(keys, tmp_path, notify_url="http://127.0.0.1:1/x") as qris:
        await qris.break_with(faults.Twice())
        assert isinstance(await qris.rail.send(qris.instruction()), Accepted)
        await qris.world.settle()
        assert (qris.world.switch.notifier.told, qris.world.switch.notifier.acknowledged) == (2, 0)


async def test_only_qris_payees(qris: QrisHarness) -> None:
    """An order for another rail is a definite no."""
    asked = instruction_to(ToAccount(account_id=1))
    assert await qris.rail.send(asked) == Declined(Refusal.ORDER_INVALID)


def test_retrieval_reference() -> None:
    """Year's last digit, day of the year, hour in Jakarta, six digits of the payment's id."""
    asked = instruction_to(payee_of(MERCHANTS["V3"]))
    assert retrieval_reference(asked) == "508812000007"


def test_settings_show_no_secret(keys: Keys) -> None:
    """Neither repr nor error tells the secret."""
    settings = qris_settings(keys, "http://127.0.0.1:1")
    assert SECRET not in repr(settings)
    assert SECRET not in repr(vars(QrisIssuer(settings, HandClock(NOON))._caller))


@pytest.mark.parametrize("missing", ["client_id", "client_secret", "issuer_nns", "url"])
def test_settings_must_be_complete(keys: Keys, missing: str) -> None:
    """An identity that is not set is said at the start, by name."""
    settings = msgspec.structs.replace(qris_settings(keys, "http://a:1"), **{missing: ""})
    with pytest.raises(Misconfigured):
        QrisIssuer(settings, HandClock(NOON))


def test_key_must_be_readable(keys: Keys, tmp_path: Path) -> None:
    """A key file that is missing or is no key is said at the start."""
    whole = qris_settings(keys, "http://a:1")
    (tmp_path / "no.pem").write_text("-----BEGIN NOTHING-----")
    for name in ("no.pem", "missing.pem"):
        settings = msgspec.structs.replace(whole, private_key_path=str(tmp_path / name))
        with pytest.raises(Misconfigured):
            QrisIssuer(settings, HandClock(NOON))


def test_every_fault_names_its_place() -> None:
    """All faults aim the same way, so that one filter serves them all."""
    assert all(issubclass(kind, Fault) for kind in faults.AnyFault.__args__)
