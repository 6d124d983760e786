"""Gates in the book: what is closed stops in the step that would hold the money, nothing else does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from conftest import QUICK
from paper import PaperRail, paper_rails
from stories import ANA, BUDI, RUPIAH, account_of, balance, give_back, pay, proved, scan, transfer
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.outcome import Accepted, Refusal, Refused
from tangguh.guard.board import Board
from tangguh.guard.closure import Allowance, Closure, SignalClass, State
from tangguh.guard.scope import Scope
from tangguh.payments import flow
from tangguh.payments.gates.change import ChangeClosure, Close, Lapse, Narrow, ReadBoard, Widen
from tangguh.payments.gates.parked import Release, parked, release
from tangguh.payments.payment import Decided, Payment
from tangguh.payments.payment import State as PaymentState
from tangguh.rails.gatekeeper import behind
from unit.guard.test_closure import closure

QRIS_OUT = Scope(rail="qris", direction="out")


def shut(bank: Bank, scope: Scope = QRIS_OUT, **changes: object) -> Closure:
    """A closure that begins now."""
    now = bank.clock.now()
    values = {"id": bank.ids.next(), "scope": scope, "made_at": now} | changes
    values.setdefault("expires_at", now + timedelta(minutes=10))
    return closure(**values)


async def close(bank: Bank, one: Closure) -> Closure:
    done = await bank.desk.decide(Close(closure=one))
    assert isinstance(done, Closure), done
    return done


async def test_what_is_closed_stops_and_nothing_else_does(bank: Bank) -> None:
    """QRIS is closed: no money of it moves, a transfer inside the bank goes on."""
    one = await close(bank, shut(bank))
    before = await balance(bank, await account_of(bank, ANA))
    refused = await pay(bank, await scan(bank, 10_000 * RUPIAH))
    assert refused.state is PaymentState.REFUSED
    assert refused.refusal is Refusal.PROTECTIVE_CLOSURE
    assert str(one.id) in refused.refusal_detail
    assert await balance(bank, await account_of(bank, ANA)) == before
    assert (await pay(bank, await transfer(bank, 10_000 * RUPIAH))).state is PaymentState.POSTED
    await proved(bank)


async def test_a_closure_stands_between_two_orders_of_one_batch(bank: Bank) -> None:
    """Decided in order: the order before the closure goes, the one after it does not."""
    first, second = await scan(bank, RUPIAH, key="a"), await scan(bank, RUPIAH, key="b")
    a, _, b = await asyncio.gather(
        flow.pay(bank.desk, first), close(bank, shut(bank)), flow.pay(bank.desk, second)
    )
    assert isinstance(a, Decided) and isinstance(b, Decided)
    assert a.payment.state is not PaymentState.REFUSED
    assert b.payment.refusal is Refusal.PROTECTIVE_CLOSURE


async def test_money_back_is_never_closed(bank: Bank, qris: PaperRail) -> None:
    """Refunds pass the closure that stops payments."""
    qris.will("send", Accepted("N-1"))
    qris.will("refund", Accepted("N-2"))
    paid = await pay(bank, await scan(bank, 10_000 * RUPIAH))
    assert paid.state is PaymentState.POSTED
    await close(bank, shut(bank, Scope(rail="qris")))
    given = await flow.refund(bank.desk, give_back(paid, 10_000 * RUPIAH))
    assert isinstance(given, Decided)
    assert given.payment.state is PaymentState.POSTED


async def test_closures_survive_a_restart(dsn: str, clock: HandClock) -> None:
    """Closed before the end of the process, closed after it."""
    bank = await Bank.open(QUICK, dsn, rails=paper_rails(PaperRail()), clock=clock)
    one = await close(bank, shut(bank))
    await bank.close()
    again = await Bank.open(QUICK, dsn, rails=paper_rails(PaperRail()), clock=clock)
    board = await again.desk.decide(ReadBoard())
    assert board.closures == (one,)
    await again.close()


async def test_the_first_and_the_second_of_one_cause_are_one(bank: Bank) -> None:
    """Two detectors of the same trouble make one closure."""
    first = await close(bank, shut(bank))
    second = await close(bank, shut(bank))
    assert second.id == first.id
    assert len((await bank.desk.decide(ReadBoard())).closures) == 1


async def test_a_loose_closure_set_before_keeps_no_stricter_one_out(bank: Bank) -> None:
    """Somebody limits a scope to more than anybody pays, in the name the guard will use: the
    guard's closure stops payments all the same, once."""
    wide = Allowance(amount_max_minor=10**15, per_minute=10**6)
    loose = await close(bank, shut(bank, allowance=wide))
    again = await close(bank, shut(bank, allowance=wide))
    assert again.id == loose.id
    full = await close(bank, shut(bank))
    assert (full.id != loose.id, full.allowance) == (True, None)
    assert (await close(bank, shut(bank))).id == full.id
    refused = await pay(bank, await scan(bank, RUPIAH))
    assert refused.refusal is Refusal.PROTECTIVE_CLOSURE


@pytest.mark.parametrize("field", ["amount_max_minor", "per_minute", "amount_percent"])
async def test_no_gate_lets_less_than_nothing_through(bank: Bank, field: str) -> None:
    one = shut(bank, allowance=Allowance(**{field: -1}))
    refused = await bank.desk.decide(Close(closure=one))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.field) == (Refusal.ORDER_INVALID, field)


async def test_a_limited_gate_limits(bank: Bank, clock: HandClock) -> None:
    """By amount, by half of the limits, by rate; each says so."""
    await close(bank, shut(bank, allowance=Allowance(amount_max_minor=5_000 * RUPIAH)))
    small = await pay(bank, await scan(bank, 5_000 * RUPIAH, key="a"))
    assert small.refusal is None
    large = await pay(bank, await scan(bank, 5_000 * RUPIAH + 1, key="b"))
    assert large.refusal is Refusal.PROTECTIVE_LIMIT


async def test_a_rate_is_counted_in_the_book(bank: Bank, clock: HandClock) -> None:
    """Three a minute: the fourth waits for the next minute."""
    await close(bank, shut(bank, allowance=Allowance(per_minute=3)))
    states = [
        (await pay(bank, await scan(bank, RUPIAH, key=f"k{number}"))).refusal for number in range(4)
    ]
    assert states == [None, None, None, Refusal.PROTECTIVE_LIMIT]
    clock.advance(60)
    assert (await pay(bank, await scan(bank, RUPIAH, key="k5"))).refusal is None
    await proved(bank)


async def test_a_health_closure_becomes_a_probe_by_itself(bank: Bank, clock: HandClock) -> None:
    """Its time over and nobody there: some payments go through again."""
    await close(bank, shut(bank, signal_class=SignalClass.HEALTH, reason="slow"))
    assert (await pay(bank, await scan(bank, RUPIAH, key="a"))).refusal is not None
    clock.advance(601)
    assert (await pay(bank, await scan(bank, RUPIAH, key="b"))).refusal is None
    clock.advance(601)
    lapsed = await bank.desk.decide(Lapse())
    assert [one.state for one in lapsed] == [State.LAPSED]
    assert (await bank.desk.decide(ReadBoard())).closures == ()


async def test_an_integrity_closure_stays(bank: Bank, clock: HandClock) -> None:
    """Its time over and nobody there: it stays closed."""
    await close(bank, shut(bank))
    clock.advance(3 * 24 * 3600)
    assert await bank.desk.decide(Lapse()) == ()
    assert (await pay(bank, await scan(bank, RUPIAH))).refusal is Refusal.PROTECTIVE_CLOSURE


async def test_wider_by_one_step_only(bank: Bank) -> None:
    """From one account on one rail to the rail; never from there to the whole bank."""
    account = await account_of(bank, ANA)
    narrow = await close(bank, shut(bank, Scope(rail="qris", account=account)))
    too_far = await bank.desk.decide(
        Widen(closure_id=narrow.id, wider=shut(bank, Scope(direction="out")), by="rule:x")
    )
    assert isinstance(too_far, Refused)
    assert too_far.code is Refusal.GATE_STEP_NOT_ALLOWED
    wide = await bank.desk.decide(
        Widen(closure_id=narrow.id, wider=shut(bank, Scope(rail="qris")), by="rule:x")
    )
    assert isinstance(wide, Closure)
    assert wide.replaces == narrow.id
    board = await bank.desk.decide(ReadBoard())
    assert [one.id for one in board.closures] == [wide.id]
    assert narrow.id in board.ended


async def test_narrowing_lets_the_clean_half_go(bank: Bank) -> None:
    """Only what is bad stays closed; nothing outside what was closed can be added."""
    wide = await close(bank, shut(bank))
    ana = await account_of(bank, ANA)
    outside = await bank.desk.decide(
        Narrow(
            closure_id=wide.id, scopes=(Scope(rail="onus"),), ids=(bank.ids.next(),), by="rule:x"
        )
    )
    assert isinstance(outside, Refused)
    scope = Scope(rail="qris", direction="out", account=ana)
    await bank.desk.decide(
        Narrow(closure_id=wide.id, scopes=(scope,), ids=(bank.ids.next(),), by="rule:x")
    )
    assert (await pay(bank, await scan(bank, RUPIAH, key="a"))).refusal is not None
    assert (await pay(bank, await scan(bank, RUPIAH, key="b", by=BUDI))).refusal is None


async def test_every_change_is_in_the_chain(bank: Bank) -> None:
    """Closing, confirming and lifting leave a row each, and the chain proves."""
    one = await close(bank, shut(bank))
    for to in (State.CONFIRMED, State.RECOVERING, State.LIFTED):
        moved = await bank.desk.decide(
            ChangeClosure(closure_id=one.id, to=to, what=str(to), by=("staff:1", "staff:2"))
        )
        assert isinstance(moved, Closure)
    rows = await bank.pool.fetch("SELECT what, made_by FROM gate_events ORDER BY event_id")
    assert [row["what"] for row in rows] == ["closed", "confirmed", "recovering", "lifted"]
    await proved(bank)
    gone = await bank.desk.decide(
        ChangeClosure(closure_id=one.id, to=State.LIFTED, what="lifted", by=("staff:1",))
    )
    assert isinstance(gone, Refused)
    assert gone.code is Refusal.CLOSURE_NOT_FOUND


class TestParked:
    """A closure that parks takes the order, reserves the money and sends nothing."""

    async def wait(self, bank: Bank) -> tuple[Closure, Payment]:
        one = await close(bank, shut(bank, parks=True))
        return one, await pay(bank, await scan(bank, 10_000 * RUPIAH))

    async def test_sent_when_the_gate_opens(self, bank: Bank, qris: PaperRail) -> None:
        qris.will("send", Accepted("N-1"))
        one, payment = await self.wait(bank)
        assert payment.state is PaymentState.PARKED
        assert qris.asked == []
        assert (await balance(bank, payment.debtor)).held_minor == payment.total_minor
        assert [found.id for found in await parked(bank.pool, bank.book_id, 10)] == [payment.id]
        still = await release(bank.desk, payment)
        assert isinstance(still, Decided) and still.repeated
        for to in (State.RECOVERING, State.LIFTED):
            await bank.desk.decide(
                ChangeClosure(closure_id=one.id, to=to, what="x", by=("staff:1",))
            )
        sent = await release(bank.desk, payment)
        assert isinstance(sent, Decided)
        assert sent.payment.state is PaymentState.POSTED
        await proved(bank)

    async def test_given_back_when_it_waited_long_enough(
        self, bank: Bank, qris: PaperRail, clock: HandClock
    ) -> None:
        _, payment = await self.wait(bank)
        clock.advance(4 * 3600 + 1)
        await bank.resolver.round()
        found = await bank.desk.decide(Release(payment.id, bank.rules))
        assert isinstance(found, Decided)
        assert found.payment.state is PaymentState.VOIDED
        assert (await balance(bank, payment.debtor)).held_minor == 0
        assert qris.asked == []
        await proved(bank)

    async def test_a_restart_keeps_it(self, bank: Bank, qris: PaperRail) -> None:
        """The resolver never asks the network about what was never sent."""
        await self.wait(bank)
        await bank.resolver.round()
        assert qris.asked == []


@pytest.fixture
def qris(bank: Bank) -> PaperRail:
    rail = behind(bank.rails["qris"])
    assert isinstance(rail, PaperRail)
    return rail


def test_the_board_is_plain_data() -> None:
    """It is read back as it was written, whatever is in it."""
    board = Board(3, (closure(allowance=Allowance(permille=5, accounts=(1,))),), (UUID(int=3),))
    assert msgspec.json.decode(msgspec.json.encode(board), type=Board) == board


async def test_a_balance_changed_by_sql_buys_nothing_after_a_restart(
    dsn: str, clock: HandClock
) -> None:
    """The row says a billion more; the entries do not, and they are what is believed."""
    bank = await Bank.open(QUICK, dsn, rails=paper_rails(PaperRail()), clock=clock)
    await bank.fill_demo(seed=1)
    account = await account_of(bank, ANA)
    true = (await balance(bank, account)).posted_minor
    await bank.close()
    again = await Bank.open(QUICK, dsn, rails=paper_rails(PaperRail()), clock=clock)
    await again.pool.fetch(
        "UPDATE accounts SET posted_minor = posted_minor + 100000000000 WHERE account_id = $1",
        account,
    )
    refused = await pay(again, await transfer(again, true + RUPIAH, key="more"))
    assert refused.refusal is Refusal.INSUFFICIENT_FUNDS
    paid = await pay(again, await transfer(again, RUPIAH, key="some"))
    assert paid.state is PaymentState.POSTED
    assert (await balance(again, account)).posted_minor == true - RUPIAH, "the row is true again"
    await proved(again)
    await again.close()
