"""The way back of a closed rail: by rungs, by gates, by people, against the real book."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from conftest import QUICK
from paper import PaperRail, paper_rails
from stories import ANA, BUDI, MERCHANT, RUPIAH, pay, proved, scan, transfer
from tangguh.access.people import Role, Staff
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.order import ToBank
from tangguh.core.outcome import Refused, Unanswered
from tangguh.core.service import QRIS_OFFUS, TRANSFER_BIFAST
from tangguh.guard.closure import Closure, SignalClass, State
from tangguh.guard.scope import Scope
from tangguh.payments.gates.change import Close, ReadBoard
from tangguh.payments.payment import State as PaymentState
from tangguh.payments.people.changes import Vote
from tangguh.payments.people.store import list_changes
from tangguh.recovery.book import Explain, StartClimb, StepBack
from tangguh.recovery.climb import Climb
from tangguh.recovery.climber import Looked, RecoverySettings, climbs_under_way
from tangguh.recovery.prober import Probe, Tried
from tangguh.recovery.readings import Outflow
from tangguh.recovery.rungs import LADDER
from unit.guard.test_closure import closure

SCALE = 1 / 60
PROBES = (
    Probe(service=QRIS_OFFUS, payee=MERCHANT),
    Probe(
        service=TRANSFER_BIFAST,
        payee=ToBank(bank="998", account="9980000001", name="BANK TANGGUH"),
    ),
)
STAFF = {
    role: Staff(id=f"staff:{number}", hr_id=f"hr-{number}", roles=frozenset({role}))
    for number, role in enumerate(Role, start=1)
}


@pytest.fixture
async def bank(dsn: str, clock: HandClock, paper: PaperRail) -> AsyncIterator[Bank]:
    settings = msgspec.structs.replace(
        QUICK,
        recovery=RecoverySettings(
            time_scale=SCALE, sample_scale=0.05, probes=PROBES, probes_per_look=20
        ),
    )
    bank = await Bank.open(settings, dsn, rails=paper_rails(paper), clock=clock)
    yield bank
    await bank.close()


class Way:
    """One closure of QRIS out, and everybody who has a part in its way back."""

    def __init__(self, bank: Bank, clock: HandClock, closed: Closure) -> None:
        self.bank = bank
        self.clock = clock
        self.closed = closed
        self.signs = True

    async def look(self, seconds: float = 1.0) -> Looked | None:
        """One look, and people who sign what they are shown."""
        self.clock.advance(seconds)
        await self.bank.pulse.round()
        looked = await self.bank.climber.look()
        if self.signs:
            for change in await list_changes(self.bank.pool, self.bank.book_id):
                for role in change.lacking_roles:
                    await self.bank.desk.decide(
                        Vote(change_id=change.id, by=STAFF[role], is_yes=True, sha256=change.sha256)
                    )
        return looked[0] if looked else None

    async def climb(self) -> Climb | None:
        found = await climbs_under_way(self.bank.pool, self.bank.book_id)
        return found[0] if found else None

    async def until(self, rung: str, looks: int = 200) -> list[str]:
        """Look until this rung is reached; the rungs on the way."""
        seen: list[str] = []
        for _ in range(looks):
            looked = await self.look()
            assert looked is not None
            if not seen or seen[-1] != looked.rung:
                seen.append(looked.rung)
            if looked.rung == rung:
                return seen
        raise AssertionError(f"stuck on {seen[-1]}: {looked.what}, {looked.why}")

    async def explained(self, *, without_restore: str = "there are no backups yet") -> None:
        for command in (
            StartClimb(closure_id=self.closed.id, by=("staff:1",)),
            Explain(
                closure_id=self.closed.id,
                by=("staff:1",),
                cause="a connector's key was copied",
                fix="key replaced",
                evidence="ticket 7",
                keys_rotated="connector",
                without_restore=without_restore,
            ),
        ):
            done = await self.bank.desk.decide(command)
            assert isinstance(done, Climb), done


@pytest.fixture
def parks() -> bool:
    """Whether the closure takes payments to send them later."""
    return False


@pytest.fixture
async def way(bank: Bank, clock: HandClock, parks: bool) -> Way:
    async def no_outflow() -> Outflow:
        return Outflow(0, 100)

    bank.senses._watches = {"qris": no_outflow}
    clock.advance(60)  # what customers ask for has been counted for a minute
    now = clock.now()
    one = closure(
        id=bank.ids.next(),
        scope=Scope(rail="qris", direction="out"),
        made_at=now,
        expires_at=now + timedelta(minutes=60),
        parks=parks,
    )
    closed = await bank.desk.decide(Close(closure=one))
    assert isinstance(closed, Closure)
    return Way(bank, clock, closed)


async def test_every_rung_in_order_and_never_two(way: Way) -> None:
    """From closed to half limits for everybody, each rung once, within the time asked."""
    began = way.clock.now()
    await way.explained()
    seen = await way.until("open_low")
    names = [rung.name for rung in LADDER]
    assert seen == names[names.index(seen[0]) : names.index("open_low") + 1]
    scaled_minutes = (way.clock.now() - began).total_seconds() / SCALE / 60
    assert scaled_minutes <= 80
    await proved(way.bank)


async def test_nobody_is_in_before_the_canary(way: Way) -> None:
    """While it is held, explained, matched and rehearsed only the bank's own account passes."""
    await way.explained()
    await way.until("rehearsed")
    refused = await pay(way.bank, await scan(way.bank, 10_000 * RUPIAH, key="a"))
    assert refused.state is PaymentState.REFUSED
    inside = await pay(way.bank, await transfer(way.bank, 10_000 * RUPIAH, key="b"))
    assert inside.state is PaymentState.POSTED


async def test_what_no_backup_has_shown_is_not_taken_for_shown(way: Way) -> None:
    """The book is proved and no backup was ever restored: it stays, and says what it lacks."""
    await way.explained(without_restore="")
    for _ in range(20):
        looked = await way.look()
    assert looked is not None
    assert (looked.rung, looked.what) == ("explained", "page")
    assert "no backup was ever restored" in looked.why


async def test_two_people_sign_that_it_goes_on_without_a_restored_backup(way: Way) -> None:
    """The reconciliation owner alone is not enough; the words are in what both sign."""
    await way.explained(without_restore="there are no backups yet")
    for _ in range(3):
        await way.look()
    changes = await list_changes(way.bank.pool, way.bank.book_id)
    asked = next(one for one in changes if msgspec.json.decode(one.payload)["to"] == "matched")
    assert set(asked.rule.roles) == {Role.RECON_OWNER, Role.RISK_OFFICER}
    assert msgspec.json.decode(asked.payload)["without_restore"] == "there are no backups yet"
    await way.until("rehearsed")


async def test_what_was_rehearsed_in_an_earlier_climb_rehearses_nothing_now(way: Way) -> None:
    await way.explained()
    await way.until("rehearsed")
    back = StepBack(closure_id=way.closed.id, by=("staff:1",), why="customers call")
    assert isinstance(await way.bank.desk.decide(back), Climb)
    await way.explained()
    await way.until("explained")
    assert way.bank.climber._tried[str(way.closed.id)].ended == 0


async def test_a_rehearsal_that_failed_is_counted_from_the_first_again(way: Way) -> None:
    """The network was not there for four probes: the look fails, and the next starts anew."""
    await way.explained()
    await way.until("matched")
    way.bank.climber._tried[str(way.closed.id)] = Tried(sent=9, right=5, wrong=4)
    await way.look()
    assert way.bank.climber._tried[str(way.closed.id)].wrong == 0
    await way.until("rehearsed")


async def test_one_unmatched_outflow_closes_it_at_the_next_look(way: Way) -> None:
    """F75: at one per cent the watch sees one outflow: held again, without a vote."""
    await way.explained()
    await way.until("one_percent")

    async def one() -> Outflow:
        return Outflow(1, 100)

    way.bank.senses._watches = {"qris": one}
    looked = await way.look()
    assert looked is not None
    assert (looked.what, looked.rung) == ("to_held", "held")
    board = await way.bank.desk.decide(ReadBoard())
    assert board.closures[0].allowance is None
    refused = await pay(way.bank, await scan(way.bank, 10_000 * RUPIAH))
    assert refused.state is PaymentState.REFUSED


async def test_a_watch_that_is_silent_is_not_a_yes(way: Way) -> None:
    """F72: no reading of the outflow: it stays where it is and feeds the bank's own payments."""
    await way.explained()
    await way.until("one_percent")

    async def silent() -> None:
        return None

    way.bank.senses._watches = {"qris": silent}
    for _ in range(30):
        looked = await way.look()
        assert looked is not None
        assert looked.rung == "one_percent"
    assert looked.what in {"feed_synthetic", "page"}


async def test_without_signatures_it_waits(way: Way) -> None:
    """Nobody signs: it needs people, says whom, and stays."""
    way.signs = False
    await way.explained()
    for _ in range(10):
        looked = await way.look()
    assert looked is not None
    assert looked.what == "needs_people"
    assert looked.needs == ("incident_commander",)
    changes = await list_changes(way.bank.pool, way.bank.book_id)
    assert len(changes) == 1


async def test_a_network_that_fails_again_steps_back(way: Way, paper: PaperRail) -> None:
    """Two looks at a bad gate: one rung back."""
    await way.explained()
    await way.until("five_percent")
    paper.will("send", Unanswered("silence"))
    await way.bank.climber._prober.feed(
        way.bank.climber._prober.fitting(Scope(rail="qris")),
        60,
        way.bank.climber._tried[str(way.closed.id)],
    )
    rungs = []
    for _ in range(4):
        looked = await way.look()
        assert looked is not None
        rungs.append((looked.what, looked.rung))
    assert ("back", "one_percent") in rungs


async def test_a_person_may_close_it_again_at_any_time(way: Way) -> None:
    """Making it smaller needs nobody else."""
    await way.explained()
    await way.until("half")
    done = await way.bank.desk.decide(
        StepBack(closure_id=way.closed.id, by=("staff:9",), why="customers call")
    )
    assert not isinstance(done, Refused)
    board = await way.bank.desk.decide(ReadBoard())
    assert (board.closures[0].state, board.closures[0].allowance) == (State.CONFIRMED, None)


async def test_a_health_closure_of_little_opens_by_itself(
    bank: Bank, clock: HandClock, paper: PaperRail
) -> None:
    """Class C with little inside it: probes, a tenth, half, open; nobody is asked."""
    now = clock.now()
    one = closure(
        id=bank.ids.next(),
        scope=Scope(rail="qris", direction="out"),
        signal_class=SignalClass.HEALTH,
        reason="partner_silent",
        made_at=now,
        expires_at=now + timedelta(seconds=60),
        collateral_permille=20,
    )
    await bank.desk.decide(Close(closure=one))
    clock.advance(61)
    way = Way(bank, clock, one)
    seen = await way.until("open")
    assert seen == ["held", "probing", "tenth", "half", "open"]
    for _ in range(10):
        await way.look()
    assert (await bank.desk.decide(ReadBoard())).closures == ()
    assert await list_changes(bank.pool, bank.book_id) == []


@pytest.mark.parametrize("parks", [True])
async def test_parked_payments_are_sent_as_their_customers_are_let_in(way: Way) -> None:
    """F76: what waited is sent when its gate lets it through, paced, each once."""
    bank = way.bank
    waited = [
        await pay(bank, await scan(bank, 10_000 * RUPIAH, key=f"p{number}", by=by))
        for number, by in enumerate((ANA, BUDI))
    ]
    assert {payment.state for payment in waited} == {PaymentState.PARKED}
    await way.explained()
    await way.until("open_low")
    await way.look()
    states = await bank.pool.fetch(
        "SELECT state FROM payments WHERE payment_id = ANY($1::uuid[])", [one.id for one in waited]
    )
    assert {row["state"] for row in states} == {"posted"}
    await proved(bank)
