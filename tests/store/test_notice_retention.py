"""What is forgotten and what stays, on real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from conftest import NOON
from store.test_notices import Line
from tangguh.core.clock import HandClock
from tangguh.core.errors import Misconfigured
from tangguh.core.ids import Ids
from tangguh.core.outcome import Refused
from tangguh.db.pool import Pool
from tangguh.notices import retention
from tangguh.notices.desk import Notices, to_customer
from tangguh.notices.notice import Notice, Via
from tangguh.notices.retention import Forgotten
from tangguh.notices.sender import Sender
from tangguh.notices.settings import NoticesSettings
from tangguh.notices.store import NOTICES, NoticeStore

SETTINGS = NoticesSettings(
    link_key="a key of more than thirty-two characters",
    confirm_url="https://status.example/k?t={token}",
    unsubscribe_url="https://status.example/u?t={token}",
    keep_days=400,
)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    opened = await Pool.open(dsn, size_max=3)
    yield opened
    await opened.close()


@pytest.fixture
def notices(pool: Pool, clock: HandClock, ids: Ids) -> Notices:
    return Notices(pool, 1, SETTINGS, clock, ids)


WAITING = (
    "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


class Story:
    """Notices, and a sender with an e-mail server on paper."""

    def __init__(self, notices: Notices, pool: Pool, clock: HandClock, ids: Ids) -> None:
        self.notices, self.pool, self.clock, self.ids = notices, pool, clock, ids
        self.line = Line(Via.EMAIL)
        store = NoticeStore(pool, 1, SETTINGS.rules)
        self.sender = Sender(store, {Via.EMAIL: self.line}, SETTINGS, clock)

    async def ask(self, address: str) -> str:
        """Somebody wants word; the token that agrees."""
        asked = await self.notices.subscribe(Via.EMAIL, address, {"bifast": "BI-FAST"}, "en")
        assert not isinstance(asked, Refused), asked
        while await self.sender.round():
            pass
        return self.line.brought[-1][0].text.partition("k?t=")[2].split()[0]

    async def tell(self, step: str) -> None:
        """A customer is told, and their e-mail server takes it."""
        assert await self.notices.know("customer:1", Via.EMAIL, "rani@example.org", "id") is None
        values: dict[str, Any] = {
            "service": "Transfer BI-FAST", "since": NOON.isoformat(), "count": 3,
            "amount": 5_400_000, "by": (NOON + timedelta(hours=2)).isoformat(),
        }  # fmt: skip
        notice = Notice(
            id=self.ids.next(), to=to_customer(1, "id"), matter="incident:7", step=step,
            template="incident_begun_yours", values=values, channels=(Via.IN_APP, Via.EMAIL),
            made_at=self.clock.now(),
        )  # fmt: skip
        told = await self.notices.tell([notice])
        assert told.new, told.refused

    async def addresses(self) -> list[str]:
        rows = await self.pool.fetch("SELECT address FROM notice_addresses ORDER BY address")
        return [row["address"] for row in rows]

    async def steps(self) -> list[tuple[str, int]]:
        """What is still there to be read, and how many tries are kept with each."""
        rows = await self.pool.fetch(
            "SELECT n.step, count(d.notice_id) AS tries FROM notices AS n"
            " LEFT JOIN notice_deliveries AS d USING (book_id, notice_id)"
            " WHERE n.matter = 'incident:7' GROUP BY n.step ORDER BY n.step"
        )
        return [(row["step"], row["tries"]) for row in rows]


@pytest.fixture
def story(notices: Notices, pool: Pool, clock: HandClock, ids: Ids) -> Story:
    return Story(notices, pool, clock, ids)


async def test_whoever_never_agreed_is_not_kept(story: Story) -> None:
    """An address somebody typed is forgotten with its question; whoever agreed stays."""
    await story.ask("stranger@example.org")
    token = await story.ask("rani@example.org")
    assert not isinstance(await story.notices.confirm(token), Refused)
    assert await story.notices.retention.round() == Forgotten(0, 0)
    story.clock.advance(24 * 3600 + 1)
    assert await story.notices.retention.round() == Forgotten(1, 0)
    assert await story.addresses() == ["rani@example.org"]
    assert len(await story.notices.subscribers_of(["bifast"])) == 1


async def test_whoever_agreed_once_is_not_forgotten_for_a_question_left_open(story: Story) -> None:
    token = await story.ask("rani@example.org")
    assert not isinstance(await story.notices.confirm(token), Refused)
    await story.ask("rani@example.org")
    story.clock.advance(24 * 3600 + 1)
    assert await story.notices.retention.round() == Forgotten(1, 0)
    assert await story.addresses() == ["rani@example.org"]
    assert len(await story.notices.subscribers_of(["bifast"])) == 1


async def test_whoever_asks_again_at_that_moment_is_kept(story: Story) -> None:
    """The address is looked at after the new question is written, not before."""
    await story.ask("rani@example.org")
    story.clock.advance(24 * 3600 + 1)
    now = story.clock.now()
    [known] = await story.pool.fetch("SELECT person FROM notice_addresses")
    async with story.pool.transaction() as tx:
        await tx.fetch(
            NOTICES["know_address"], 1, story.ids.next(), known["person"], Via.EMAIL,
            "rani@example.org", "en", now, None,
        )  # fmt: skip
        await tx.fetch(
            NOTICES["add_subscription"], 1, story.ids.next(), known["person"], ["bifast"], now,
            now + timedelta(hours=24), b"c" * 32, b"u" * 32,
        )  # fmt: skip
        forgetting = asyncio.create_task(story.notices.retention.round())
        async with asyncio.timeout(10):
            while not await story.pool.fetch(WAITING):
                assert not forgetting.done()
    assert await forgetting == Forgotten(1, 0)
    assert await story.addresses() == ["rani@example.org"]


async def test_old_word_goes_with_its_tries_and_young_word_stays(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are: a few at a time, until none is left."""
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    for step in ("a", "b", "c", "d", "e"):
        await story.tell(step)
    while await story.sender.round():
        pass
    story.clock.advance(399 * 86_400)
    await story.tell("young")
    assert await story.notices.retention.round() == Forgotten(0, 0)
    kept = await story.steps()
    assert len(kept) == 6
    assert sum(tries for _, tries in kept) >= 1
    story.clock.advance(2 * 86_400)
    assert await story.notices.retention.round() == Forgotten(0, 5)
    assert await story.steps() == [("young", 0)]
    rows = await story.pool.fetch("SELECT 1 FROM notice_deliveries")
    assert rows == []


async def test_what_is_still_on_its_way_is_never_forgotten(story: Story) -> None:
    await story.tell("late")
    story.clock.advance(500 * 86_400)
    assert await story.notices.retention.round() == Forgotten(0, 0)
    while await story.sender.round():
        pass
    assert await story.notices.retention.round() == Forgotten(0, 1)


def test_word_is_kept_as_long_as_it_can_be_disputed(pool: Pool, clock: HandClock, ids: Ids) -> None:
    settings = msgspec.structs.replace(SETTINGS, keep_days=179)
    with pytest.raises(Misconfigured, match="keep_days"):
        Notices(pool, 1, settings, clock, ids)
