"""The bank and the simulated post, both over TCP: an SMS, its receipt, and what gets lost between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from conftest import NOON, QUICK
from paper import PaperRail, paper_rails
from post_office import PHONE, SECRET, Office, office
from serving import served
from tangguh.app import Bank
from tangguh.cli.processes.ports import free_port
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.customers import seed
from tangguh.notices.address import address_of
from tangguh.notices.desk import to_customer
from tangguh.notices.notice import Notice, Via
from tangguh.notices.settings import NoticesSettings, SmsSettings
from tangguh.sim.faults import DropReply, Lie, Twice
from tangguh.sim.post.gateway import PATH
from tangguh.web.partners.receipts import PATH as RECEIPTS_PATH


class Street:
    """A bank that writes to people, and the post that takes it to them."""

    def __init__(self, bank: Bank, desk: Office, clock: HandClock) -> None:
        self.bank, self.desk, self.clock = bank, desk, clock

    async def tell(self, step: str = "begun") -> Notice:
        """A notice to the first customer by SMS, brought as far as it goes at once."""
        notice = Notice(
            id=self.bank.ids.next(), to=to_customer(1, "id"), matter="payment:7", step=step,
            template="payment_back", channels=(Via.SMS,), made_at=NOON,
            values={
                "service": "QRIS", "payee": "KOPI CONTOH", "total": 5_400_000,
                "at": NOON.isoformat(),
            },
        )  # fmt: skip
        told = await self.bank.care.notices.tell([notice])
        assert told.refused == {}
        return notice

    async def arrival(self, notice: Notice) -> list[tuple[str, str]]:
        """Every try with its outcome, and what the gateway said later."""
        tries = await self.bank.care.notices.tries(notice.id)
        return [(one.outcome, one.arrival) for one in tries]

    async def receipts(self) -> None:
        """Two seconds later: the post's receipts have gone out and were answered."""
        under_way = self.desk.post._receipts._under_way
        async with asyncio.timeout(10):
            await self.desk.clock.sleeper.acquire()
            self.desk.clock.advance(2)
            await asyncio.gather(*under_way)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
async def bank(
    dsn: str, clock: HandClock, ids: Ids, paper: PaperRail
) -> AsyncIterator[tuple[Bank, int]]:
    """The demo bank with an SMS gateway that is to open at a port."""
    port = free_port()
    sms = SmsSettings(url=f"http://127.0.0.1:{port}{PATH}", secret=SECRET)
    settings = QUICK.__class__(pin=QUICK.pin, notices=NoticesSettings(sms=sms))
    opened = await Bank.open(settings, dsn, rails=paper_rails(paper), clock=clock, ids=ids)
    yield opened, port
    await opened.close()


@pytest.fixture
async def street(
    bank: tuple[Bank, int], clock: HandClock, keys: Path, tmp_path: Path
) -> AsyncIterator[Street]:
    opened, port = bank
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(served(opened.web()))
        post = office(
            keys, tmp_path, sms_port=port, receipt_url=url + RECEIPTS_PATH, receipt_seconds=2.0
        )
        yield Street(opened, await stack.enter_async_context(post), clock)


async def test_an_sms_goes_out_and_its_signed_receipt_comes_back(street: Street) -> None:
    notice = await street.tell()
    assert await street.bank.care.notices.sender.round()
    assert await street.arrival(notice) == [("delivered", "")]
    await street.receipts()
    assert await street.arrival(notice) == [("delivered", "arrived")]
    [kept] = street.desk.kept
    assert (kept["recipient"], kept["state"]) == (PHONE, "arrived")


async def test_a_lost_sms_is_known_as_lost(street: Street) -> None:
    await street.desk.break_by(Lie(books="failed"))
    notice = await street.tell()
    await street.bank.care.notices.sender.round()
    await street.receipts()
    assert await street.arrival(notice) == [("delivered", "lost")]
    assert street.desk.kept[0]["state"] == "lost"


async def test_a_reply_that_was_lost_costs_a_second_try_and_no_second_sms(street: Street) -> None:
    """The first receipt names what the bank does not know yet; the repeat brings another."""
    await street.desk.break_by(DropReply(seconds=1, count=1))
    notice = await street.tell()
    round_one = asyncio.ensure_future(street.bank.care.notices.sender.round())
    await street.desk.clock.sleeper.acquire()
    await street.receipts()
    await round_one
    assert await street.arrival(notice) == [("later", "")]
    street.clock.advance(30)
    street.desk.clock.advance(28)
    await street.bank.care.notices.sender.round()
    await street.receipts()
    assert await street.arrival(notice) == [("later", ""), ("delivered", "arrived")]
    [kept] = street.desk.kept
    assert kept["repeats"] == 1


async def test_a_receipt_three_times_is_one(street: Street) -> None:
    await street.desk.break_by(Twice())
    notice = await street.tell()
    await street.bank.care.notices.sender.round()
    await street.receipts()
    assert await street.arrival(notice) == [("delivered", "arrived")]


async def test_only_the_gateways_signature_is_believed(
    street: Street, keys: Path, tmp_path: Path
) -> None:
    """The same receipt from a post with another secret changes nothing."""
    notice = await street.tell()
    await street.bank.care.notices.sender.round()
    [kept] = street.desk.kept
    told = {"id": kept["reference"], "status": "lost"}
    url = street.desk.post._receipts._url
    (tmp_path / "other").mkdir()
    async with office(keys, tmp_path / "other", secret="not the gateway's", receipt_url=url) as far:
        far.post.ledger.take(street.desk.post.ledger.messages()[0])
        assert (await far.post.act("receipt", told))["told"] == 401
    assert await street.arrival(notice) == [("delivered", "")]
    assert (await street.desk.post.act("receipt", told))["told"] == 204
    assert await street.arrival(notice) == [("delivered", "lost")]


async def test_every_person_of_the_demo_can_be_reached(street: Street) -> None:
    """By the number they log in with and by an address nobody can own; each in one spelling."""
    people, _, _ = seed.demo(1)
    addresses = [one for person in people for one in seed.addresses_of(person)]
    assert [address_of(via, given) for via, given in addresses] == [one for _, one in addresses]
    assert len(set(addresses)) == len(addresses) == 2 * len(people)
    rows = await street.bank.pool.fetch(
        "SELECT person, via, address, confirmed_at FROM notice_addresses WHERE book_id = 1"
    )
    kept = {(row["via"], row["address"]) for row in rows if row["confirmed_at"]}
    assert {(str(via), address) for via, address in addresses} <= kept
    assert all(address.endswith("@post.example") for via, address in kept if via == "email")
