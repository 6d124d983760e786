"""The treasury: begun, moved, posted, once; and nothing is sent after money that is missing."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from stories import balance, count_of, proved
from tangguh.app import Bank
from tangguh.guard.scope import Scope
from tangguh.ledger import chart
from tangguh.payments.gates.change import Close
from tangguh.settlement.funding.exposure import ExposureRules, Move
from tangguh.settlement.watched import WatchState
from tangguh.work.treasury import Account, HubFunding, Treasury, TreasurySettings
from unit.guard.test_closure import closure

RULES = ExposureRules(floor_minor=1_000, cap_minor=10_000)


class Hub:
    """A settlement account that knows references, and can lose its answers."""

    def __init__(self) -> None:
        self.balance = 0
        self.moves: dict[str, Move] = {}
        self.is_limited = True
        self.loses = self.refuses = self.away = False

    async def account(self) -> Account | None:
        return None if self.away else Account(self.balance, 0, self.is_limited)

    async def move(self, reference: str, move: Move) -> bool | None:
        if self.refuses:
            return False
        if reference not in self.moves:
            self.moves[reference] = move
            self.balance += move.amount_minor if move.kind == "fund" else -move.amount_minor
        return None if self.loses else True


def treasury(bank: Bank, hub: Hub, watch_url: str = "", **changes: int) -> Treasury:
    settings = TreasurySettings(url="", watch_url=watch_url, rules=RULES, **changes)
    return Treasury(bank.desk, bank.pool, bank.book_id, settings, hub)


async def there(bank: Bank) -> tuple[int, int]:
    """Prefunded and reserve, as the book signs them (a debit is a minus)."""
    prefunded = await balance(bank, chart.PREFUNDED_BIFAST)
    return prefunded.posted_minor, (await balance(bank, chart.RESERVE)).posted_minor


async def test_funded_and_swept(bank: Bank) -> None:
    """Both are postings; in between nothing is to be done."""
    hub = Hub()
    one = treasury(bank, hub)
    assert await one.round() == Move("fund", 1_000)
    assert await one.round() is None
    assert await there(bank) == (-1_000, 1_000)
    hub.balance += 500
    assert await one.round() == Move("sweep", 500)
    assert hub.balance == 1_000
    assert await there(bank) == (-500, 500)
    await proved(bank)


async def test_a_lost_answer_is_asked_again_under_the_same_reference(bank: Bank) -> None:
    """Moved once, posted once, whichever process ends it; nothing else is begun meanwhile."""
    hub = Hub()
    hub.loses = True
    first = treasury(bank, hub)
    assert await first.round() is None
    assert await first.round() is None
    assert len(hub.moves) == 1
    assert await there(bank) == (0, 0)
    hub.loses = False
    await treasury(bank, hub).round()
    await treasury(bank, hub).round()
    assert len(hub.moves) == 1
    assert await there(bank) == (-1_000, 1_000)


async def test_refused_for_certain_is_called_off(bank: Bank) -> None:
    """And may be begun again."""
    hub = Hub()
    hub.refuses = True
    one = treasury(bank, hub)
    assert await one.round() is None
    hub.refuses = False
    bank.clock.advance(1)  # type: ignore[attr-defined]
    assert await one.round() == Move("fund", 1_000)
    assert len(hub.moves) == 1


@pytest.mark.parametrize("why", ["closed", "away", "unlimited", "cap"])
async def test_when_nothing_is_funded(bank: Bank, why: str) -> None:
    """BI-FAST closed; the account not known; no limit to keep; an hour's cap."""
    hub = Hub()
    hub.away, hub.is_limited = why == "away", why != "unlimited"
    if why == "closed":
        now = bank.clock.now()
        shut = closure(
            id=bank.ids.next(),
            scope=Scope(rail="bifast", direction="out"),
            made_at=now,
            expires_at=now + timedelta(minutes=5),
        )
        await bank.desk.decide(Close(closure=shut))
    cap = {"fund_per_hour_max_minor": 999} if why == "cap" else {}
    assert await treasury(bank, hub, **cap).round() is None
    assert hub.moves == {}


def watch_says(monkeypatch: pytest.MonkeyPatch, state: WatchState | None) -> None:
    async def read(_url: str) -> WatchState | None:
        return state

    monkeypatch.setattr("tangguh.work.treasury.read_watch", read)


SIGHT = WatchState(
    rail="bifast", at="", last_seq=1, last_row_at="", lag_seconds=0.0, lag_p99_seconds=0.0,
    feed_age_seconds=0.0, silent=False, blind="", balance_minor=0, over_exposed=False, matched=0,
    unmatched_count=0, unmatched=[], closed=[], faults=[],
)  # fmt: skip


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (None, "the watch does not answer"),
        (msgspec.structs.replace(SIGHT, blind="no book"), "the watch sees nothing now"),
        (msgspec.structs.replace(SIGHT, silent=True), "the watch sees nothing now"),
        (msgspec.structs.replace(SIGHT, silent=True, matched=9), "the watch sees nothing now"),
    ],
)
async def test_no_money_is_sent_while_nobody_sees_where_it_goes(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, state: WatchState | None, why: str
) -> None:
    """Not funded, said once for each reason, and funded when the watch sees again."""
    hub = Hub()
    one = treasury(bank, hub, watch_url="http://watch")
    watch_says(monkeypatch, state)
    for _ in range(3):
        assert await one.round() is None
    assert hub.moves == {}
    assert one.not_funded == why
    acts = await bank.pool.fetch("SELECT detail FROM acts WHERE what = 'exposure.not_funded'")
    assert [row["detail"] for row in acts] == [why]
    watch_says(monkeypatch, SIGHT)
    assert await one.round() == Move("fund", 1_000)
    assert one.not_funded == ""


async def test_reasons_that_alternate_are_each_said_once(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watch that comes and goes every few seconds is no news each time; after a good one it is."""
    hub = Hub()
    one = treasury(bank, hub, watch_url="http://watch")
    told = await count_of(bank, "acts")
    seen = (None, msgspec.structs.replace(SIGHT, silent=True))
    for _ in range(20):
        for state in seen:
            watch_says(monkeypatch, state)
            await one.round()
    assert await count_of(bank, "acts") == told + 2
    watch_says(monkeypatch, SIGHT)
    assert await one.round() == Move("fund", 1_000)
    hub.balance = 0
    before = await count_of(bank, "acts")
    watch_says(monkeypatch, None)
    await one.round()
    assert await count_of(bank, "acts") == before + 1


async def test_a_move_that_was_begun_waits_for_the_watch_too(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked again, it may move the money for the first time; money that comes back need not wait."""
    hub = Hub()
    watch_says(monkeypatch, SIGHT)
    hub.loses = True
    await treasury(bank, hub, watch_url="http://watch").round()
    hub.loses, hub.moves, hub.balance = False, {}, 0
    watch_says(monkeypatch, None)
    one = treasury(bank, hub, watch_url="http://watch")
    await one.round()
    assert hub.moves == {}
    watch_says(monkeypatch, SIGHT)
    await one.round()
    assert hub.balance == 1_000
    hub.balance += 500
    watch_says(monkeypatch, None)
    assert await one.round() == Move("sweep", 500)


async def test_an_hours_cap_is_not_forgotten_by_a_restart(bank: Bank) -> None:
    hub = Hub()
    assert await treasury(bank, hub, fund_per_hour_max_minor=1_500).round() == Move("fund", 1_000)
    hub.balance = 0
    bank.clock.advance(1)  # type: ignore[attr-defined]
    again = treasury(bank, hub, fund_per_hour_max_minor=1_500)
    assert await again.round() is None
    assert again.not_funded == "an hour's cap"
    bank.clock.advance(3600)  # type: ignore[attr-defined]
    assert await again.round() == Move("fund", 1_000)


async def test_a_hub_that_is_not_there() -> None:
    """Not known is not no."""
    funding = HubFunding("http://127.0.0.1:1")
    assert await funding.account() is None
    assert await funding.move("FUND-X", Move("fund", 1)) is None
