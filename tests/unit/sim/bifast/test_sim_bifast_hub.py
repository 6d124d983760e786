"""The simulated hub by itself: its papers, its directory, its books, its port, what it can do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from rails.bifast_harness import BifastHarness, running
from rails.harness import NOON, Keys
from tangguh.core.outcome import Accepted, Unanswered
from tangguh.rails.bifast import message
from tangguh.sim import faults
from tangguh.sim.bifast.books import HubBooks
from tangguh.sim.bifast.clearing import Order, enquire, minor_of, pay, status_of
from tangguh.sim.bifast.directory import CONFLICT, MISSING, SUSPENDED, Directory, Entry
from tangguh.sim.bifast.paper import NotPaper, find, is_sealed_by, open_paper, seal
from tangguh.sim.bifast.participants import demo_customers
from tangguh.sim.faults import Plan
from tangguh.sim.network import Network
from unit.rails.bifast.papers import KEY, documents, sealed

RP = 100
ENTRY = Entry(
    proxy_type="01",
    proxy="628111",
    registration="R1",
    bank="UJIAIDJ1",
    account="1",
    account_type="SVGS",
    name="SARI",
)


def order(reference: str, **changes: object) -> Order:
    """A transfer of Rp1.000 to Sari."""
    plain = Order(
        kind="010",
        message_id="M1",
        reference=reference,
        transaction="T1",
        amount_minor=1_000 * RP,
        debtor_bank="TGUHIDJ1",
        debtor_account="108",
        debtor_name="BUDI",
        creditor_bank="UJIAIDJ1",
        creditor_account="9980000001",
    )
    return msgspec.structs.replace(plain, **changes)


@pytest.fixture
def books(tmp_path: Path) -> HubBooks:
    """Books with the demo's customers."""
    books = HubBooks(str(tmp_path / "b.sqlite"), None, NOON)
    for one in demo_customers():
        books.open_account(one.number, one.name, state=one.state, opening_minor=one.opening_minor)
    return books


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    """An empty directory of proxies."""
    return Directory(str(tmp_path / "p.sqlite"))


@pytest.mark.parametrize("wire", ["json", "xml"])
@pytest.mark.parametrize("definition", sorted(documents()))
def test_a_second_reader_sees_what_the_bank_wrote(definition: str, wire: str) -> None:
    """The hub's own codec agrees with the bank's, to the signature, and the bank with the hub's."""
    paper = open_paper(sealed(definition, wire))
    assert (paper.definition, paper.document) == (definition, documents()[definition])
    assert is_sealed_by(paper, KEY.public_key())
    back = message.read(seal(paper, KEY))
    assert isinstance(back, message.Received), back
    assert back.message.document == documents()[definition]
    assert message.is_signed_by(back, KEY.public_key())
    spoiled = message.read(seal(paper, KEY, spoiled=True))
    assert isinstance(spoiled, message.Received)
    assert not message.is_signed_by(spoiled, KEY.public_key())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"<a/>",
        b'{"BusMsg":{"AppHdr":[],"Document":{}}}',
        b"<!DOCTYPE a><BusMsg><a/><b/></BusMsg>",
        b"x" * 70_000,
    ],
)
def test_no_paper(body: bytes) -> None:
    """The hub refuses what is no message."""
    with pytest.raises(NotPaper):
        open_paper(body)


def test_find_walks_lists_and_branches() -> None:
    """And stops without a word."""
    assert find({"A": [{"B": "c"}]}, "A.0.B") == "c"
    assert find({"A": [{"B": "c"}]}, "A.1.B") is None
    assert find({"A": "x"}, "A.B.C") is None


@pytest.mark.parametrize(
    ("amount", "minor"),
    [
        ({"Value": "10.05", "Ccy": "IDR"}, 1005),
        ({"Value": "10.5", "Ccy": "IDR"}, None),
        ({"Value": "10.05", "Ccy": "USD"}, None),
        ("10.05", None),
    ],
)
def test_amounts(amount: object, minor: int | None) -> None:
    """Rupiah with two decimals."""
    assert minor_of(amount) == minor


def test_paid_once_for_ever(books: HubBooks, directory: Directory) -> None:
    """The second time is U149 whatever it says; the status is the first one's."""
    assert pay(books, directory, order("E1"), NOON).status == "ACTC"
    for again in (order("E1"), order("E1", amount_minor=5)):
        said = pay(books, directory, again, NOON)
        assert (said.status, said.reason) == ("RJCT", "U149")
    said = status_of(books, "E1")
    assert (said.status, said.row.amount_minor) == ("ACSC", 1_000 * RP)
    assert books.prove().holds
    assert books.totals().in_minor == 1_000 * RP


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"creditor_account": "1"}, "U101"),
        ({"creditor_account": "9980000002"}, "U102"),
        ({"creditor_bank": "ZZZZIDJA"}, "U124"),
        ({"amount_minor": 0}, "U111"),
        ({"amount_minor": 250_000_000 * RP + 1}, "U112"),
        ({"kind": "110", "proxy_type": "01", "proxy": "628000"}, "U804"),
    ],
)
def test_refused_and_remembered(
    books: HubBooks, directory: Directory, changes: dict[str, object], reason: str
) -> None:
    """A no is written down: the status request says U107 with the reason."""
    said = pay(books, directory, order("E1", **changes), NOON)
    assert (said.status, said.reason) == ("RJCT", reason)
    later = status_of(books, "E1")
    assert (later.status, later.reason, later.detail) == ("OTHR", "U107", reason)
    assert books.totals().in_minor == 0


def test_enquiry_writes_nothing(books: HubBooks) -> None:
    """A name for an account."""
    assert enquire(books, order("E1", kind="510")).name == "SARI WULANDARI"
    assert status_of(books, "E1").reason == "U106"


def test_life_of_a_proxy(directory: Directory) -> None:
    """One bank holds it; another may only port it."""
    other = msgspec.structs.replace(ENTRY, bank="CENAIDJA", account="2", registration="R2")
    assert directory.maintain("AMND", ENTRY) == MISSING
    assert directory.maintain("NEWR", ENTRY) == "U000"
    assert directory.maintain("NEWR", other) == CONFLICT
    assert directory.maintain("DEAC", other) == CONFLICT
    assert directory.maintain("SUSP", ENTRY) == "U000"
    assert directory.resolve("01", "628111") == SUSPENDED
    assert directory.maintain("ACTV", ENTRY) == "U000"
    assert directory.maintain("AMND", msgspec.structs.replace(ENTRY, account="9")) == "U000"
    assert directory.resolve("01", "628111").account == "9"
    assert directory.maintain("PORT", other) == "U000"
    assert directory.resolve("01", "628111").bank == "CENAIDJA"
    assert directory.maintain("DEAC", other) == "U000"
    assert directory.resolve("01", "628111") == MISSING
    assert directory.maintain("NEWR", ENTRY) == "U000"


@pytest_asyncio.fixture
async def far(keys: Keys, tmp_path: Path) -> AsyncIterator[BifastHarness]:
    """A hub that runs, with a bank."""
    async with running(keys, tmp_path) as harness:
        yield harness


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The bank's and the hub's key pairs, in PEM files."""
    return Keys(tmp_path_factory.mktemp("keys"))


async def test_is_a_network(far: BifastHarness) -> None:
    """As the control port and the drills know one."""
    network: Network = far.hub
    assert network.name == "bifast"
    await network.put_plan(Plan(faults=(faults.Decline(count=1),)))
    await far.rail.send(far.instruction())
    await far.rail.send(far.instruction(reference="TWO"))
    assert network.dealt().struck == (1,)
    shown = network.books({"state": "paid", "limit": "10"})
    assert [row.state for row in shown["transfers"]] == ["paid"]
    assert shown["totals"].in_minor == 600_000 * RP
    assert network.prove().holds


async def test_a_lost_reply_takes_its_notice_with_it_when_told_so(far: BifastHarness) -> None:
    """Else the bank would hear by the notice what the reply had said."""
    told: list[str] = []

    async def notify(reference: str, _times: int) -> None:
        told.append(reference)

    far.hub.door._notify = notify
    for services, heard in ((("010",), 1), (("010", "sttl"), 0)):
        told.clear()
        await far.break_with(faults.DropReply(seconds=0, services=services))
        sent = far.instruction(reference=f"LOST{len(services)}")
        assert isinstance(await far.rail.send(sent), Unanswered)
        await far.hub.door.settle()
        assert len(told) == heard


async def test_faults_find_their_aim(far: BifastHarness) -> None:
    """By payee, and by the beginning of the reference."""
    await far.break_with(
        faults.Decline(payee="0149990001"), faults.Decline(reference_prefix="19990101")
    )
    assert isinstance(await far.rail.send(far.instruction()), Accepted)


async def test_settlement_file_has_both_sides(far: BifastHarness) -> None:
    """What our customers paid, what they got, and the sums."""
    said = await far.rail.send(far.instruction())
    got = await far.hub.originate("108", 75_000 * RP)
    lines = far.hub.settlement_file(date(2025, 3, 29)).splitlines()
    assert lines[0] == "H|1|bifast|TGUHIDJ1|2025-03-29|0|IDR"
    assert f"|PAY|O|{said.reference}|" in lines[1]
    assert f"|CRE|I|{got.reference}|" in lines[2]
    assert lines[3].startswith("T|2|600000.00|75000.00|")


async def test_acts_on_command(far: BifastHarness) -> None:
    """What the control port can make it do."""
    made = await far.hub.act(
        "credit", {"account": "108", "amount_minor": 5_000 * RP, "note": "hai"}
    )
    assert made["state"] == "paid"
    said = await far.rail.send(far.instruction())
    back = await far.hub.act("return", {"reference": said.reference})
    assert back["kind"] == "011"
    assert await far.hub.act("enquire", {"account": "109"}) == {
        "status": "ACTC",
        "reason": "U000",
        "name": "CITRA AYU",
    }
    assert await far.hub.act("redeliver", {}) == {"delivered": 0}
    for what, fields in (
        ("dance", {}),
        ("credit", {"debtor": "X:1", "amount_minor": 1}),
        ("credit", {"account": "108"}),
        ("return", {"reference": "none"}),
    ):
        with pytest.raises(ValueError):
            await far.hub.act(what, fields)


async def test_books_outlive_the_process(far: BifastHarness, keys: Keys, tmp_path: Path) -> None:
    """A second hub over the same files knows the first one's payments and proxies."""
    await far.rail.send(far.instruction())
    far.hub.directory.put(ENTRY)
    again = await BifastHarness(keys, tmp_path).open()
    try:
        assert again.paid_minor() == 600_000 * RP
        assert isinstance(await again.rail.inquire(again.instruction()), Accepted)
        assert again.hub.directory.entry("01", "628111") == ENTRY
    finally:
        await again.close()


async def test_nobody_gets_in_unsigned(far: BifastHarness) -> None:
    """Rubbish is 400, a stranger's message 401; nothing is written."""
    import aiohttp

    async with aiohttp.ClientSession() as session:
        for body, code in ((b"{}", 400), (sealed("pacs.008.001.08", "json"), 401)):
            async with session.post(f"{far.hub.address}/bifast/messages", data=body) as response:
                assert response.status == code
    assert far.hub.passbook.transfers() == []


async def test_same_seed_same_numbers(far: BifastHarness) -> None:
    """Rehearsals can be repeated."""
    row = await far.hub.originate("108", 100)
    assert row.reference[:19] == "20250329UJIAIDJ1010"
    assert json.loads(row.detail)["debtor_name"] == "SARI WULANDARI"
    assert datetime.fromisoformat(row.made_at) == datetime(2025, 3, 29, 5, tzinfo=UTC)
