"""The treasury: begun, moved, posted, once; and nothing is sent after money that is missing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stories import balance, proved
from tangguh.app import Bank
from tangguh.guard.scope import Scope
from tangguh.ledger import chart
from tangguh.payments.gates.change import Close
from tangguh.settlement.funding.exposure import ExposureRules, Move
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


def treasury(bank: Bank, hub: Hub, **changes: int) -> Treasury:
    settings = TreasurySettings(url="", rules=RULES, **changes)
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


async def test_a_hub_that_is_not_there() -> None:
    """Not known is not no."""
    funding = HubFunding("http://127.0.0.1:1")
    assert await funding.account() is None
    assert await funding.move("FUND-X", Move("fund", 1)) is None
