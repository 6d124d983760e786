"""What the hub sends the bank: credits, notices, returns, copies, enquiries; over real TCP."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from rails.bifast_harness import SARI, BifastHarness, running
from rails.harness import NOON, Keys
from tangguh.core.outcome import Accepted, Declined, Refusal, Unanswered
from tangguh.rails.bifast import ids, message, session, status
from tangguh.rails.bifast.grammar.proprietary import ECHO
from tangguh.rails.bifast.message import Message, Received
from tangguh.rails.rail import Facts
from tangguh.sim import faults
from tangguh.sim.bifast.clearing import order_of

RP75K = 75_000_00


@pytest_asyncio.fixture(params=["json", "xml"])
async def far(
    request: pytest.FixtureRequest, keys: Keys, tmp_path: Path
) -> AsyncIterator[BifastHarness]:
    """The receiver and the hub that calls it, in both forms of a message."""
    async with running(keys, tmp_path, request.param) as harness:
        yield harness


class TestCredit:
    """Another bank's customer pays ours."""

    async def test_announced_then_settled(self, far: BifastHarness) -> None:
        """The bank says yes, the hub settles, the notice credits; all the facts came along."""
        row = await far.hub.originate("108", RP75K, note="bagi hasil")
        assert row.state == "paid"
        incoming = far.till.announced[row.reference]
        assert (incoming.creditor, incoming.amount_minor, incoming.currency) == (
            "108",
            RP75K,
            "IDR",
        )
        assert (incoming.sender_bank, incoming.sender_account) == ("998", "9980000001")
        assert (incoming.sender_name, incoming.note) == ("SARI WULANDARI", "bagi hasil")
        assert (incoming.rail, incoming.service, incoming.original) == (
            "bifast",
            "in.transfer.bifast",
            "",
        )
        assert far.till.ended == [(row.reference, Accepted(row.network_reference))]
        assert far.till.credited_minor == far.sent_minor() == RP75K

    async def test_by_proxy(self, far: BifastHarness) -> None:
        """Type 110 names the account too."""
        row = await far.hub.originate("108", RP75K, kind="110", proxy=("01", "628110000108"))
        assert row.state == "paid"
        assert far.till.credited_minor == RP75K

    async def test_nothing_is_credited_before_the_notice(self, far: BifastHarness) -> None:
        """An announcement alone moves nothing."""
        order = order_of(await far.hub.originate("108", RP75K))
        far.till.ended.clear()
        paper = far.hub._paper_of(
            msgspec.structs.replace(order, reference=order.reference[:-1] + "Z")
        )
        assert await far.hub.messenger.post(paper) is not None
        assert far.till.announcements == 2
        assert far.till.credited_minor == 0

    async def test_only_a_settlement_notice_settles(self, far: BifastHarness) -> None:
        """ACSC outside BizSvc STTL, or STTL that only says ACTC, credits nothing."""
        row = await far.hub.originate("108", RP75K)
        notice = far.hub.notice_of(row)
        far.till.ended.clear()
        assert (
            await far.hub.messenger.post(msgspec.structs.replace(notice, service="CLEAR")) is True
        )
        promise = copy.deepcopy(notice.document)
        promise["FIToFIPmtStsRpt"]["TxInfAndSts"][0]["TxSts"] = "ACTC"
        again = msgspec.structs.replace(notice, document=promise)
        assert await far.hub.messenger.post(again) is True
        assert far.till.ended == []
        assert await far.hub.messenger.post(notice) is True
        assert far.till.credited_minor == RP75K

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("IntrBkSttlmAmt", "Value"), "750000.00"),
            (("CdtrAcct", "Id", "Othr", "Id"), "109"),
        ],
    )
    async def test_a_notice_that_settles_something_else_is_told_to_the_book(
        self, far: BifastHarness, path: tuple[str, ...], value: str
    ) -> None:
        """Another sum or account than announced: what it names goes with it, nothing is credited."""
        far.till.says = Unanswered("busy")
        row = await far.hub.originate("108", RP75K)
        far.till.says = None
        assert await far.hub.messenger.post(far.hub._paper_of(order_of(row))) is not None
        notice = far.hub.notice_of(msgspec.structs.replace(row, state="paid"))
        other = copy.deepcopy(notice.document)
        place = other["FIToFIPmtStsRpt"]["TxInfAndSts"][0]["OrgnlTxRef"]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        assert await far.hub.messenger.post(msgspec.structs.replace(notice, document=other)) is True
        assert far.till.doubted == [row.reference]
        assert far.till.credited_minor == 0
        assert await far.hub.messenger.post(notice) is True
        assert far.till.credited_minor == RP75K

    @pytest.mark.parametrize(
        ("refusal", "code"),
        [
            (Refusal.PAYEE_NOT_FOUND, "U101"),
            (Refusal.ACCOUNT_CLOSED, "U102"),
            (Refusal.BALANCE_OUT_OF_RANGE, "U112"),
            (Refusal.ORDER_INVALID, "U110"),
        ],
    )
    async def test_refused(self, far: BifastHarness, refusal: Refusal, code: str) -> None:
        """The bank's no goes out with the network's code, and nobody is paid."""
        far.till.says = Declined(refusal)
        row = await far.hub.originate("108", RP75K)
        assert (row.state, row.code) == ("failed", code)
        assert far.sent_minor() == 0

    async def test_the_bank_does_not_know(self, far: BifastHarness) -> None:
        """503: the hub keeps it and comes again with DUPL; then it is credited once."""
        far.till.says = Unanswered("book is busy")
        row = await far.hub.originate("108", RP75K)
        assert row.state == "pending"
        far.till.says = None
        assert await far.hub.redeliver() == 1
        assert far.hub.passbook.transfer(row.reference).state == "paid"
        assert far.till.credited_minor == far.sent_minor() == RP75K

    async def test_the_bank_was_away(self, far: BifastHarness) -> None:
        """So with a bank whose port is closed."""
        await far.shut_the_bank()
        row = await far.hub.originate("108", RP75K)
        assert row.state == "pending"
        await far.open_the_bank()
        await far.hub.redeliver()
        assert far.till.credited_minor == far.sent_minor() == RP75K

    async def test_delivered_again_after_it_was_accepted(self, far: BifastHarness) -> None:
        """DUPL of a credit that was taken is answered ACTC and credited no second time."""
        row = await far.hub.originate("108", RP75K)
        paper = far.hub._paper_of(order_of(row))
        far.hub.messenger.keep(paper)
        far.hub.messenger.keep(far.hub.notice_of(row))
        assert await far.hub.redeliver() == 2
        answer = await far.hub.messenger.post(msgspec.structs.replace(paper, copy="DUPL"))
        assert answer.text("FIToFIPmtStsRpt.TxInfAndSts.0.TxSts") == "ACTC"
        assert far.till.credited_minor == far.sent_minor() == RP75K

    async def test_same_number_with_another_amount(self, far: BifastHarness) -> None:
        """A used EndToEndId with other content is U149."""
        order = order_of(await far.hub.originate("108", RP75K))
        other = msgspec.structs.replace(order, amount_minor=RP75K * 2)
        answer = await far.hub.messenger.post(far.hub._paper_of(other))
        assert answer.text("FIToFIPmtStsRpt.TxInfAndSts.0.StsRsnInf.0.Rsn.Prtry") == "U149"
        assert far.till.credited_minor == RP75K

    async def test_for_another_bank_or_from_ourselves(self, far: BifastHarness) -> None:
        """What is not ours to take is refused without asking the bank."""
        order = order_of(await far.hub.originate("108", RP75K))
        asked = far.till.announcements
        for changes, code in (
            ({"creditor_bank": "CENAIDJA"}, "U124"),
            ({"reference": "20250329TGUHIDJ1010O0200000001"}, "U110"),
            ({"amount_minor": 0}, "U111"),
        ):
            paper = far.hub._paper_of(msgspec.structs.replace(order, **changes))
            answer = await far.hub.messenger.post(paper)
            assert answer.text("FIToFIPmtStsRpt.TxInfAndSts.0.StsRsnInf.0.Rsn.Prtry") == code
        assert far.till.announcements == asked

    async def test_notice_lost_then_asked_for(self, far: BifastHarness) -> None:
        """The bank asks the hub itself: settled, unknown, or not settled yet."""
        row = await far.hub.originate("108", RP75K)
        said = await far.rail.inquire_incoming(row.reference)
        assert said == (Accepted(row.network_reference), Facts(RP75K, "108"))
        outcome, _ = await far.rail.inquire_incoming(row.reference[:-1] + "#")
        assert outcome == Unanswered("not_found")
        far.till.says = Unanswered("busy")
        waiting = await far.hub.originate("108", RP75K)
        outcome, _ = await far.rail.inquire_incoming(waiting.reference)
        assert outcome == Unanswered("in progress")
        far.till.says = Declined(Refusal.PAYEE_NOT_FOUND)
        refused = await far.hub.originate("108", RP75K)
        outcome, _ = await far.rail.inquire_incoming(refused.reference)
        assert outcome == Declined(Refusal.FAR_ACCOUNT_NOT_FOUND, "U101")


class TestNotice:
    """The hub's word on payments of ours."""

    async def test_closes_our_own_payment(self, far: BifastHarness) -> None:
        """Our payment is named by its EndToEndId, which is its reference."""
        asked = far.instruction()
        said = await far.rail.send(asked)
        await far.hub.settle()
        assert far.till.ended == [(said.reference, said)]

    async def test_told_twice(self, far: BifastHarness) -> None:
        """Two notices are two times the same word."""
        await far.break_with(faults.Twice())
        asked = far.instruction()
        said = await far.rail.send(asked)
        await far.hub.settle()
        assert far.till.ended == [(said.reference, said)] * 2
        assert far.paid_minor() == asked.amount_minor

    async def test_comes_when_the_reply_was_lost(self, far: BifastHarness) -> None:
        """The notice tells what the answer could not."""
        await far.break_with(faults.DropReply(seconds=0))
        asked = far.instruction()
        assert isinstance(await far.rail.send(asked), Unanswered)
        await far.hub.settle()
        assert [ref for ref, said in far.till.ended if isinstance(said, Accepted)] == [
            ids.end_to_end_id(asked, SARI, "TGUHIDJ1")
        ]

    async def test_no_notice_of_what_was_refused(self, far: BifastHarness) -> None:
        """Nothing was settled, nothing is told."""
        await far.break_with(faults.Decline())
        await far.rail.send(far.instruction())
        await far.hub.settle()
        assert far.till.ended == []

    async def test_pending_that_ends_is_told(self, far: BifastHarness) -> None:
        """Its time comes, somebody asks, and both the answer and the notice say the end."""
        await far.break_with(faults.Pending(seconds=30, becomes="failed"))
        asked = far.instruction()
        await far.rail.send(asked)
        await far.advance(31)
        assert isinstance(await far.rail.inquire(asked), Declined)
        await far.hub.settle()
        ((reference, said),) = far.till.ended
        assert reference == ids.end_to_end_id(asked, SARI, "TGUHIDJ1")
        assert isinstance(said, Declined)

    async def test_not_taken_is_told_again(self, far: BifastHarness) -> None:
        """A bank that answers 503 hears it again."""
        far.till.says = Unanswered("busy")
        await far.rail.send(far.instruction())
        await far.hub.settle()
        assert far.till.ended == []
        far.till.says = None
        await far.hub.redeliver()
        assert len(far.till.ended) == 1


class TestReturn:
    """Money comes back as a transfer of type 011."""

    async def test_names_its_original(self, far: BifastHarness) -> None:
        """The original is our EndToEndId, which Accepted carried."""
        asked = far.instruction()
        said = await far.rail.send(asked)
        back = await far.hub.give_back(said.reference)
        assert back.state == "paid"
        incoming = far.till.announced[back.reference]
        assert incoming.original == said.reference == ids.end_to_end_id(asked, SARI, "TGUHIDJ1")
        assert (incoming.creditor, incoming.amount_minor) == ("108", asked.amount_minor)
        assert far.paid_minor() == far.sent_minor() == asked.amount_minor
        account = far.hub.passbook.account("UJIAIDJ1:9980000001")
        assert account.balance_minor == 1_000_000_000_00

    async def test_only_of_what_was_paid(self, far: BifastHarness) -> None:
        """The hub returns nothing that it did not get."""
        with pytest.raises(ValueError, match="only a transfer that was paid"):
            await far.hub.give_back("20250329TGUHIDJ1010O0200000001")


class TestEnquiry:
    """Another bank asks who has an account with us."""

    async def test_name_or_no(self, far: BifastHarness) -> None:
        """A name, or a reason; an undecided bank says nothing."""
        said = await far.hub.enquire("108")
        assert (said.status, said.name) == ("ACTC", "BUDI SANTOSO")
        said = await far.hub.enquire("555")
        assert (said.status, said.reason, said.name) == ("RJCT", "U101", "")
        assert far.till.announcements == 0


class TestDoor:
    """Nobody gets in without the hub's signature, and nothing that is no message."""

    async def test_forged(self, far: BifastHarness) -> None:
        """A notice or a credit with a wrong signature is refused before the bank hears of it."""
        row = await far.hub.originate("108", RP75K)
        heard = (far.till.announcements, len(far.till.ended))
        for paper in (far.hub.notice_of(row), far.hub._paper_of(order_of(row))):
            assert await far.hub.forge(paper) is False
        assert (far.till.announcements, len(far.till.ended)) == heard

    async def test_too_old(self, far: BifastHarness) -> None:
        """A recorded message played again an hour later is refused."""
        row = await far.hub.originate("108", RP75K)
        heard = len(far.till.ended)
        far.clock.advance(3600)
        assert await far.hub.messenger.post(far.hub.notice_of(row)) is not True
        assert len(far.till.ended) == heard

    @pytest.mark.parametrize("body", [b"", b"{}", b"<BusMsg/>", b"\xff\xfe", b"[" * 100_000])
    async def test_no_message(self, far: BifastHarness, body: bytes) -> None:
        """400 and an admi.002 that says what is wrong."""
        code, said = await far.receiver.take(body, {})
        assert code == 400
        received = message.read(said)
        assert isinstance(received, Received)
        assert received.message.definition == status.REJECT
        assert message.is_signed_by(received, far.keys.bank.public_key())

    @pytest.mark.parametrize("odd", ["\\ud800", "\\u0000", "\\u202e", "<"])
    @pytest.mark.parametrize("name", ["BizMsgIdr", "MsgDefIdr", "CreDt", "Odd"])
    async def test_no_letter_of_a_header_ends_the_answer(
        self, far: BifastHarness, name: str, odd: str
    ) -> None:
        """Nobody need sign it: what is sent back in the answer can be written, whatever came."""
        body = (
            f'{{"BusMsg": {{"AppHdr": {{"{name}": "{odd}"}}, "Document": {{"{odd}": "{odd}"}}}}}}'
        )
        code, said = await far.receiver.take(body.encode(), {})
        assert code == 400
        received = message.read(said)
        assert isinstance(received, Received)
        assert message.is_signed_by(received, far.keys.bank.public_key())

    async def test_bad_signature_is_said_to_be_one(self, far: BifastHarness) -> None:
        """401 and U999."""
        code, said = await far.receiver.take(_echo(far, far.keys.bank), {})
        assert code == 401
        assert status.read_reject(message.read(said).message.document).reason == "U999"

    async def test_echo(self, far: BifastHarness) -> None:
        """The hub asks whether we are there."""
        code, said = await far.receiver.take(_echo(far, far.keys.switch), {})
        assert code == 200
        answer = session.read_answer(message.read(said).message.document)
        assert (answer.function, answer.status) == (ECHO, "ACTC")

    async def test_what_a_bank_does_not_take(self, far: BifastHarness) -> None:
        """A status request to us is rejected, not ignored."""
        request = status.StatusRequest(message_id="M1", created_at=NOON, end_to_end_id="E1")
        body = _sealed(far, status.REQUEST, status.document_of_request(request), far.keys.switch)
        code, said = await far.receiver.take(body, {})
        assert code == 200
        assert status.read_reject(message.read(said).message.document).reason == "U215"

    async def test_many_at_once(self, far: BifastHarness) -> None:
        """Fifty credits in one breath are fifty credits."""
        rows = await asyncio.gather(*(far.hub.originate("109", 100 + n) for n in range(50)))
        assert {row.state for row in rows} == {"paid"}
        assert far.till.credited_minor == far.sent_minor() == sum(100 + n for n in range(50))


def _echo(far: BifastHarness, key: object) -> bytes:
    ask = session.SessionAsk(message_id="M1", function=ECHO, instruction_id="I1", bank="FASTIDJA")
    return _sealed(far, session.ASK, session.document_of_ask(ask, NOON), key)


def _sealed(far: BifastHarness, definition: str, document: object, key: object) -> bytes:
    whole = Message(
        sender="FASTIDJA",
        recipient="TGUHIDJ1",
        number="20250329FASTIDJA000H0200000001",
        definition=definition,
        service="ISO",
        created_at=far.clock.now() - timedelta(seconds=1),
        document=document,
    )
    return message.sealed(whole, key, far.form)
