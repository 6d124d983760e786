"""Notices on real PostgreSQL: told once, claimed by one, counted exactly, listed when not reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from conftest import NOON
from tangguh.core.clock import HandClock
from tangguh.core.errors import RowRefused
from tangguh.core.ids import Ids
from tangguh.core.outcome import Refused
from tangguh.db.pool import Pool
from tangguh.notices.channels.channel import Delivered, Delivery, Later, Message, Rejected
from tangguh.notices.desk import Notices, to_customer
from tangguh.notices.notice import Notice, Rules, State, Urgency, Via
from tangguh.notices.sender import Sender
from tangguh.notices.settings import NoticesSettings
from tangguh.notices.signature import Arrival, Receipt
from tangguh.notices.store import NoticeStore

SETTINGS = NoticesSettings(
    link_key="a key of more than thirty-two characters",
    confirm_url="https://status.example/k?t={token}",
    unsubscribe_url="https://status.example/u?t={token}",
)
VALUES = {
    "service": "Transfer BI-FAST", "since": NOON.isoformat(), "count": 3, "amount": 5_400_000,
    "by": (NOON + timedelta(hours=2)).isoformat(),
}  # fmt: skip


class Line:
    """A way out that says what the test writes; what it brought is kept."""

    def __init__(self, via: Via, *answers: Delivery) -> None:
        self.via, self.at_once, self.timeout_seconds = via, 8, 5.0
        self.answers = list(answers)
        self.brought: list[tuple[Message, str]] = []
        self.holds: asyncio.Event | None = None
        self.is_broken = False

    async def deliver(self, message: Message, address: str) -> Delivery:
        self.brought.append((message, address))
        if self.is_broken:
            raise RuntimeError("a bug, about 628110000001")
        if self.holds is not None:
            await self.holds.wait()
        return self.answers.pop(0) if self.answers else Delivered(f"ref-{len(self.brought)}")

    async def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    opened = await Pool.open(dsn, size_max=4)
    yield opened
    await opened.close()


@pytest.fixture
def notices(pool: Pool, clock: HandClock, ids: Ids) -> Notices:
    return Notices(pool, 1, SETTINGS, clock, ids)


class Story:
    """Notices with lines on paper, and a sender over them."""

    def __init__(self, notices: Notices, pool: Pool, clock: HandClock, ids: Ids) -> None:
        self.notices, self.pool, self.clock, self.ids = notices, pool, clock, ids
        self.lines = {via: Line(via) for via in (Via.PUSH, Via.SMS, Via.EMAIL)}

    def sender(self, rules: Rules | None = None, *vias: Via) -> Sender:
        settings = msgspec.structs.replace(SETTINGS, rules=rules or Rules())
        lines = {via: self.lines[via] for via in vias or self.lines}
        return Sender(NoticeStore(self.pool, 1, settings.rules), lines, settings, self.clock)

    def notice(self, customer_id: int = 1, **changes: Any) -> Notice:
        made = Notice(
            id=self.ids.next(), to=to_customer(customer_id, "id"), matter="incident:7",
            step="begun", template="incident_begun_yours", values=VALUES,
            channels=(Via.IN_APP, Via.SMS, Via.EMAIL), made_at=self.clock.now(),
        )  # fmt: skip
        return msgspec.structs.replace(made, **changes)

    async def tell(self, *notices: Notice) -> None:
        told = await self.notices.tell(notices)
        assert len(told.new) == len(notices), told.refused

    async def reachable(self, customer_id: int = 1) -> None:
        person = f"customer:{customer_id}"
        assert await self.notices.know(person, Via.SMS, "0811 000 0001", "id") is None
        assert await self.notices.know(person, Via.EMAIL, "rani@example.org", "id") is None

    async def states(self) -> list[tuple[str, str, str]]:
        rows = await self.pool.fetch("SELECT state, via, reason FROM notices ORDER BY notice_id")
        return [tuple(row) for row in rows]

    async def drain(self, sender: Sender | None = None) -> None:
        async with asyncio.timeout(60):
            while await (sender or self.sender()).round():
                pass


@pytest.fixture
def story(notices: Notices, pool: Pool, clock: HandClock, ids: Ids) -> Story:
    return Story(notices, pool, clock, ids)


async def test_the_same_step_of_a_matter_is_told_once(story: Story) -> None:
    """Whatever asks for it: an incident over five components is one message."""
    first = story.notice()
    await story.tell(first)
    told = await story.notices.tell([first, *(story.notice() for _ in range(5))])
    assert (told.new, told.known) == (frozenset(), 6)
    await story.tell(
        story.notice(step="stage-1"), story.notice(2), story.notice(matter="payment:7")
    )
    twice = [story.notice(3), story.notice(3)]
    assert len((await story.notices.tell(twice)).new) == 1


async def test_what_breaks_a_rule_is_refused_and_the_others_are_told(story: Story) -> None:
    wrong = story.notice(2, values=VALUES | {"amount": "Rp54.000"})
    nobody = story.notice(step="NO")
    told = await story.notices.tell([story.notice(1), wrong, nobody])
    assert len(told.new) == 1
    assert {one.field for one in told.refused.values()} == {"amount", "step"}


async def test_a_person_has_few_devices_and_the_oldest_make_room(story: Story) -> None:
    """Somebody who gives a thousand addresses is not written to a thousand times."""
    for number in range(13):
        story.clock.advance(1)
        await story.notices.know("customer:1", Via.SMS, f"0811000{number:04d}", "id")
    await story.notices.know("customer:2", Via.SMS, "08110009999", "id")
    rows = await story.pool.fetch("SELECT person, address FROM notice_addresses ORDER BY known_at")
    mine = [row["address"] for row in rows if row["person"] == "customer:1"]
    assert mine == [f"62811000{number:04d}" for number in range(3, 13)]
    assert len(rows) == len(mine) + 1


async def test_it_is_in_the_app_at_once_and_read_by_its_reader_alone(story: Story) -> None:
    late = [story.notice(step=f"s-{number}") for number in range(3)]
    await story.tell(*late, story.notice(2))
    items = await story.notices.inbox(1)
    assert [item.step for item in items] == ["s-2", "s-1", "s-0"]
    assert items[0].text.startswith(
        "Transfer BI-FAST: ada gangguan atau pembatasan sejak pukul 12.00 WIB."
    )
    assert [item.step for item in await story.notices.inbox(1, 2, items[0].id)] == ["s-1", "s-0"]
    assert await story.notices.inbox(2, 2, items[0].id) == []
    assert await story.notices.count_unread(1) == 3
    assert await story.notices.mark_read(2, [late[0].id]) == 0
    assert await story.notices.mark_read(1, [late[0].id]) == 1
    assert await story.notices.mark_read(1, [late[0].id]) == 0
    assert await story.notices.count_unread(1) == 2
    assert await story.notices.count_unread(2) == 1


async def test_one_way_that_takes_it_is_enough(story: Story) -> None:
    await story.reachable()
    notice = story.notice()
    await story.tell(notice)
    await story.drain()
    assert await story.states() == [("delivered", "sms", "")]
    assert story.lines[Via.EMAIL].brought == []
    tries = await story.notices.tries(notice.id)
    assert [(one.via, one.outcome, one.reference) for one in tries] == [
        (Via.SMS, "delivered", "ref-1")
    ]
    assert await story.notices.undelivered("incident:7") == []


async def test_refused_for_good_goes_the_next_way(story: Story) -> None:
    await story.reachable()
    story.lines[Via.SMS].answers = [Rejected("HTTP 422", gone=True)]
    await story.tell(story.notice())
    await story.drain()
    assert await story.states() == [("delivered", "email", "sms: HTTP 422")]
    await story.tell(story.notice(step="stage-1"))
    await story.drain()
    assert (await story.states())[1] == ("delivered", "email", "sms: no address")


async def test_put_off_is_tried_until_the_end_and_listed(story: Story) -> None:
    """Every try under the same key, each after its pause; then the list, with every reason."""
    await story.reachable()
    rules = Rules(backoff_seconds=(10, 30))
    sender = story.sender(rules)
    for via in (Via.SMS, Via.EMAIL):
        story.lines[via].answers = [Later("HTTP 503")] * 2
    notice = story.notice()
    await story.tell(notice)
    assert await sender.round() == 1
    assert await sender.round() == 0
    story.clock.advance(10)
    await story.drain(sender)
    story.clock.advance(10)
    await story.drain(sender)
    assert await story.states() == [
        ("failed", "email", "sms: HTTP 503 (2 tries); email: HTTP 503 (2 tries)")
    ]
    assert len({message.key for message, _ in story.lines[Via.SMS].brought}) == 1
    assert [one.outcome for one in await story.notices.tries(notice.id)] == ["later"] * 4
    listed = await story.notices.undelivered("incident:7")
    assert [(one.person, one.state) for one in listed] == [("customer:1", State.FAILED)]
    await story.notices.mark_read(1, [notice.id])
    assert await story.notices.undelivered("incident:7") == []


async def test_no_way_out_is_said_and_stays_in_the_app(story: Story) -> None:
    await story.tell(story.notice(), story.notice(2, channels=(Via.IN_APP,)))
    await story.tell(story.notice(3, channels=(Via.WEBHOOK,)))
    await story.drain()
    assert sorted(await story.states()) == [
        ("failed", "webhook", "webhook: not configured"),
        ("in_app", "", "in the app only"),
        ("in_app", "email", "sms: no address; email: no address"),
    ]
    counts = await story.notices.counts("incident:7")
    assert {(one.state, one.notices) for one in counts} == {
        (State.FAILED, 1), (State.IN_APP, 1),
    }  # fmt: skip
    assert sum(one.notices for one in counts) == 3


async def test_a_broken_channel_costs_its_own_notices_a_try(story: Story) -> None:
    await story.reachable(1)
    await story.reachable(2)
    story.lines[Via.SMS].is_broken = True
    await story.tell(story.notice(1), story.notice(2, channels=(Via.EMAIL,)))
    assert await story.sender().round() == 2
    assert {state[0] for state in await story.states()} == {"due", "delivered"}


async def test_a_channel_that_hangs_does_not_stop_the_others(story: Story) -> None:
    await story.reachable(1)
    await story.reachable(2)
    line = story.lines[Via.SMS]
    line.holds = asyncio.Event()
    await story.tell(story.notice(1), story.notice(2, channels=(Via.EMAIL,)))
    running = asyncio.create_task(story.sender().run())
    async with asyncio.timeout(10):
        while [state[0] for state in await story.states()] != ["sending", "delivered"]:
            await asyncio.sleep(0.01)
        line.holds.set()
        while [state[0] for state in await story.states()] != ["delivered", "delivered"]:
            await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_so_many_within_an_hour_and_the_rest_stays_in_the_app(story: Story) -> None:
    await story.reachable()
    rules = Rules(per_hour_max=2)
    await story.tell(*(story.notice(step=f"s-{number}") for number in range(4)))
    await story.drain(story.sender(rules))
    states = [state[0] for state in await story.states()]
    assert sorted(states) == ["delivered", "delivered", "held_back", "held_back"]
    assert len(await story.notices.inbox(1)) == 4
    assert len(await story.notices.undelivered("incident:7")) == 2
    story.clock.advance(3601)
    await story.tell(story.notice(step="s-9"))
    await story.drain(story.sender(rules))
    assert len(story.lines[Via.SMS].brought) == 3


async def test_a_log_in_code_waits_for_no_turn_and_takes_nobodys(story: Story) -> None:
    """It lives for minutes; and who makes codes be sent holds back nothing else of the customer."""
    await story.reachable()
    rules = Rules(per_hour_max=2)
    code = {"template": "login_code", "values": {"code": "123456", "by": story.clock.now().isoformat()},
            "channels": (Via.SMS,)}  # fmt: skip
    await story.tell(*(story.notice(step=f"code-{number}", **code) for number in range(5)))
    await story.drain(story.sender(rules))
    await story.tell(*(story.notice(step=f"s-{number}") for number in range(2)))
    await story.drain(story.sender(rules))
    await story.tell(story.notice(step="code-9", **code))
    await story.drain(story.sender(rules))
    assert [state[0] for state in await story.states()] == ["delivered"] * 8


async def test_the_closing_word_of_a_payment_is_never_held_back(story: Story) -> None:
    """Whoever was told "wait" is told the end, however many messages the hour has seen."""
    await story.reachable()
    rules = Rules(per_hour_max=2)
    await story.tell(*(story.notice(step=f"s-{number}") for number in range(3)))
    await story.drain(story.sender(rules))
    end = {
        "service": "QRIS",
        "payee": "Kopi",
        "total": 3_000_000,
        "at": story.clock.now().isoformat(),
    }
    await story.tell(story.notice(step="end", template="payment_back", values=end))
    await story.drain(story.sender(rules))
    assert [one.step for one in await story.notices.undelivered("incident:7")] == ["s-2"]


async def test_the_rate_holds_with_many_senders_at_once(story: Story) -> None:
    """However the claims fall: nobody gets more than the rule, and nothing goes twice."""
    await story.reachable()
    rules = Rules(per_hour_max=3)
    story.lines[Via.SMS].at_once = 1
    await story.tell(*(story.notice(step=f"s-{number}") for number in range(24)))
    senders = [story.sender(rules) for _ in range(4)]
    await asyncio.gather(*(story.drain(sender) for sender in senders))
    keys = [message.key for message, _ in story.lines[Via.SMS].brought]
    assert len(keys) == len(set(keys)) == 3
    assert sorted({state[0] for state in await story.states()}) == ["delivered", "held_back"]


async def test_several_senders_bring_each_once(story: Story) -> None:
    people = range(1, 61)
    for customer_id in people:
        await story.reachable(customer_id)
    await story.tell(*(story.notice(customer_id) for customer_id in people))
    await asyncio.gather(*(story.drain(story.sender()) for _ in range(3)))
    keys = [message.key for message, _ in story.lines[Via.SMS].brought]
    assert len(keys) == len(set(keys)) == len(people)


async def test_whoever_has_no_app_waits_for_a_turn(story: Story) -> None:
    asked = await story.notices.subscribe(Via.EMAIL, "a@example.org", {"bifast": "BI-FAST"}, "id")
    assert not isinstance(asked, Refused)
    rules = Rules(per_hour_max=1)
    await story.drain(story.sender(rules))
    again = await story.notices.subscribe(Via.EMAIL, "a@example.org", {"qris": "QRIS"}, "id")
    assert not isinstance(again, Refused)
    await story.drain(story.sender(rules))
    assert [state[0] for state in await story.states()] == ["delivered", "due"]
    story.clock.advance(3600)
    await story.drain(story.sender(rules))
    assert [state[0] for state in await story.states()] == ["delivered", "delivered"]


async def test_what_can_wait_goes_in_the_morning(story: Story) -> None:
    await story.reachable()
    story.clock.advance(10 * 3600)  # 22.00 WIB
    can_wait = {"urgency": Urgency.CAN_WAIT, "made_at": story.clock.now()}
    await story.tell(story.notice(**can_wait), story.notice(step="now"))
    await story.drain()
    assert [state[0] for state in await story.states()] == ["due", "delivered"]
    assert len(await story.notices.inbox(1)) == 2
    story.clock.advance(9 * 3600)
    await story.drain()
    assert [state[0] for state in await story.states()] == ["delivered", "delivered"]


async def test_a_sender_that_died_is_replaced_and_the_key_is_the_same(story: Story) -> None:
    """Between delivery and record: the provider sees the same key twice, and may drop one."""
    await story.reachable()
    notice = story.notice()
    await story.tell(notice)
    line = story.lines[Via.SMS]
    line.holds = asyncio.Event()
    dying = asyncio.create_task(story.sender().round())
    async with asyncio.timeout(10):
        while not line.brought:
            await asyncio.sleep(0.01)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    line.holds = None
    assert await story.sender().round() == 0
    story.clock.advance(3600)
    await story.drain()
    assert await story.states() == [("delivered", "sms", "")]
    assert len(line.brought) == 2
    assert len({message.key for message, _ in line.brought}) == 1
    tries = await story.notices.tries(notice.id)
    assert [(one.attempt, one.outcome) for one in tries] == [(1, "lost"), (2, "delivered")]


async def test_one_browser_of_two_is_enough_and_the_dead_one_is_forgotten(story: Story) -> None:
    address = '{"endpoint":"https://push.example/%s","keys":{"p256dh":"B' + "A" * 86 + '","auth":"'
    for name in ("old", "new"):
        given = address % name + "A" * 22 + '"}}'
        assert await story.notices.know("customer:1", Via.PUSH, given, "id") is None
    story.lines[Via.PUSH].answers = [Rejected("HTTP 410", gone=True), Delivered("m-1")]
    await story.tell(
        story.notice(channels=(Via.PUSH,)), story.notice(step="two", channels=(Via.PUSH,))
    )
    await story.drain()
    assert {state[0] for state in await story.states()} == {"delivered"}
    gone = await story.pool.fetch("SELECT 1 FROM notice_addresses WHERE gone_at IS NOT NULL")
    assert len(gone) == 1


async def test_a_receipt_is_proof_and_a_lost_one_goes_the_next_way(story: Story) -> None:
    await story.reachable()
    notice, other = story.notice(), story.notice(step="two")
    await story.tell(notice, other)
    await story.drain()
    store = NoticeStore(story.pool, 1, Rules())
    references = {
        one: (await story.notices.tries(one))[0].reference for one in (notice.id, other.id)
    }
    now = story.clock.now()
    for arrival, is_new in (
        (Arrival.UNDER_WAY, True),
        (Arrival.ARRIVED, True),
        (Arrival.LOST, False),
    ):
        receipt = Receipt(references[notice.id], arrival)
        assert await store.take_receipt(Via.SMS, receipt, now) is is_new
    assert (await story.notices.tries(notice.id))[0].arrival == "arrived"
    assert await store.take_receipt(Via.SMS, Receipt(references[other.id], Arrival.LOST), now)
    assert not await store.take_receipt(Via.SMS, Receipt("nobody's", Arrival.LOST), now)
    await story.drain()
    assert await story.states() == [
        ("delivered", "sms", ""),
        ("delivered", "email", "sms: taken, and did not arrive"),
    ]


async def test_ten_thousand_people_are_told_and_each_is_delivered_or_listed(story: Story) -> None:
    """Told twice, delivered once each, with a way that refuses some."""
    count = 10_000
    await story.pool.fetch(
        "INSERT INTO notice_addresses SELECT 1, gen_random_uuid(), 'customer:' || n, 'sms',"
        " (628110000000 + n)::text, 'id', now(), now(), NULL, '' FROM generate_series(1, $1) AS n",
        count - 100,
    )
    line = story.lines[Via.SMS]
    line.at_once = 250
    line.answers = [Rejected("HTTP 422")] * 50
    people = [
        story.notice(number, channels=(Via.IN_APP, Via.SMS)) for number in range(1, count + 1)
    ]
    assert len((await story.notices.tell(people)).new) == count
    assert (await story.notices.tell(people)).known == count
    await story.drain()
    states = {one.state: one.notices for one in await story.notices.counts("incident:7")}
    assert states == {State.DELIVERED: count - 150, State.FAILED: 50, State.IN_APP: 100}
    assert len(await story.notices.undelivered("incident:7")) == 150
    assert len(line.brought) == count - 100


# ---- subscriptions ---------------------------------------------------------------------------


async def subscribed(story: Story, *components: str, via: Via = Via.EMAIL) -> tuple[str, str]:
    """Ask, and answer from the address; the token of the question and the one that ends it."""
    asked = await story.notices.subscribe(
        via, "a@example.org", {one: one.upper() for one in components}, "en"
    )
    assert not isinstance(asked, Refused), asked
    await story.drain()
    message = story.lines[Via.EMAIL].brought[-1][0]
    token = message.text.partition("k?t=")[2].split()[0]
    assert not isinstance(await story.notices.confirm(token), Refused)
    return token, asked.person.id


async def test_nobody_is_told_before_they_agreed(story: Story) -> None:
    asked = await story.notices.subscribe(Via.EMAIL, "a@example.org", {"bifast": "BI-FAST"}, "en")
    assert not isinstance(asked, Refused)
    assert await story.notices.subscribers_of(["bifast"]) == []
    await story.tell(story.notice(to=asked.person, channels=(Via.EMAIL,)))
    await story.drain()
    assert [message.matter for message, _ in story.lines[Via.EMAIL].brought] == [
        f"subscription:{asked.id}"
    ]
    assert [state[0] for state in await story.states()] == ["delivered", "failed"]


async def test_one_person_is_told_once_whatever_they_subscribed_to(story: Story) -> None:
    await subscribed(story, "bifast", "qris")
    _, person = await subscribed(story, "qris", "atm")
    found = await story.notices.subscribers_of(["bifast", "qris", "atm"])
    assert [(one.person.id, one.person.language, one.via) for one in found] == [
        (person, "en", Via.EMAIL)
    ]
    assert await story.notices.subscribers_of(["cards"]) == []


async def test_tokens_are_kept_as_hashes_only(story: Story) -> None:
    """Neither the subscription nor the message in the database holds one."""
    token, _ = await subscribed(story, "bifast")
    for table in ("notices", "notice_subscriptions", "notice_deliveries", "notice_addresses"):
        rows = await story.pool.fetch(f"SELECT one::text AS row FROM {table} AS one")
        assert rows
        assert not any(token in row["row"] for row in rows)


async def test_it_is_ended_for_one_component_or_for_all(story: Story) -> None:
    _, person = await subscribed(story, "bifast", "qris")
    [one] = await story.notices.subscribers_of(["qris"])
    await story.tell(story.notice(to=one.person, channels=(one.via,)))
    await story.drain()
    token = story.lines[Via.EMAIL].brought[-1][0].unsubscribe_url.partition("u?t=")[2]
    assert not await story.notices.unsubscribe(token + "x")
    assert await story.notices.unsubscribe(token, ["qris"])
    assert await story.notices.subscribers_of(["qris"]) == []
    assert len(await story.notices.subscribers_of(["bifast"])) == 1
    assert await story.notices.unsubscribe(token)
    assert not await story.notices.unsubscribe(token)
    assert await story.notices.subscribers_of(["bifast"]) == []
    kept = await story.pool.fetch("SELECT 1 FROM notice_addresses WHERE person = $1", person)
    assert kept == []


async def test_a_question_grows_old(story: Story) -> None:
    await story.notices.subscribe(Via.EMAIL, "a@example.org", {"bifast": "BI-FAST"}, "en")
    await story.drain()
    token = story.lines[Via.EMAIL].brought[0][0].text.partition("k?t=")[2].split()[0]
    story.clock.advance(24 * 3600)
    assert isinstance(await story.notices.confirm(token), Refused)


async def test_two_who_ask_for_one_address_are_one_subscriber(story: Story) -> None:
    asked = await asyncio.gather(
        *(
            story.notices.subscribe(Via.EMAIL, "a@Example.org", {"bifast": "BI-FAST"}, "id")
            for _ in range(4)
        )
    )
    people = {one.person.id for one in asked if not isinstance(one, Refused)}
    assert len(people) == 1


@pytest.mark.parametrize(
    ("address", "components", "language"),
    [
        ("nobody", {"bifast": "x"}, "id"),
        ("a@example.org", {}, "id"),
        ("a@example.org", {"BI FAST": "x"}, "id"),
        ("a@example.org", {"bifast": "x"}, "jv"),
    ],
)
async def test_wishes_that_are_none(
    story: Story, address: str, components: dict[str, str], language: str
) -> None:
    asked = await story.notices.subscribe(Via.EMAIL, address, components, language)
    assert isinstance(asked, Refused)
    assert await story.states() == []


# ---- what the database refuses ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ("state = 'gone'", "notice_state_is_known"),
        ("urgency = 'never'", "notice_urgency_is_known"),
        ("via = ''", "what_is_on_its_way_has_a_way"),
        ("state = 'failed'", "an_end_without_delivery_has_a_reason"),
        ("in_app = false, read_at = now()", "only_what_is_in_the_app_is_read_there"),
        ("in_app = false, state = 'held_back', reason = 'x'", "what_is_kept_in_the_app_is_there"),
    ],
)
async def test_impossible_notices_are_refused(story: Story, changes: str, rule: str) -> None:
    await story.tell(story.notice())
    with pytest.raises(RowRefused) as refused:
        await story.pool.fetch(f"UPDATE notices SET {changes}")
    assert str(refused.value) == rule


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ("outcome = 'perhaps'", "delivery_outcome_is_known"),
        ("outcome = 'under_way'", "what_ended_says_when"),
        ("reference = ''", "a_delivery_has_its_proof"),
        ("arrival = 'maybe', arrival_at = now()", "arrival_is_known"),
        ("arrival = 'arrived'", "an_arrival_says_when"),
    ],
)
async def test_a_delivery_without_proof_is_refused(story: Story, changes: str, rule: str) -> None:
    await story.reachable()
    await story.tell(story.notice())
    await story.drain()
    with pytest.raises(RowRefused) as refused:
        await story.pool.fetch(f"UPDATE notice_deliveries SET {changes}")
    assert str(refused.value) == rule
