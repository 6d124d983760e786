"""Answers that are almost right: each differs from a good one in one thing, and is Unanswered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rails.bifast_harness import SARI, SARI_BY_PHONE
from rails.harness import NOON, Keys
from tangguh.core.clock import HandClock
from tangguh.core.outcome import Accepted, Declined, Outcome, Refusal, Unanswered
from tangguh.rails.bifast import message, proxy, session, status, transfer
from tangguh.rails.bifast.message import Message, Received
from tangguh.rails.bifast.rail import BifastRail
from tangguh.rails.bifast.settings import BifastSettings
from tangguh.rails.bifast.status import StatusReport
from tangguh.rails.bifast.transfer import CreditTransfer
from tangguh.rails.rail import Asked, Found, Instruction
from tangguh.sim.listener import Listener

ASKED = Instruction(
    payment_id=UUID(int=77),
    reference=UUID(int=77).hex,
    payee=SARI,
    amount_minor=600_000_00,
    tip_minor=0,
    currency="IDR",
    debtor_account=108,
    accepted_at=NOON,
)
LOOKING = Asked(
    reference="LOOK",
    payee=SARI,
    amount_minor=600_000_00,
    debtor_account=108,
    debtor_name="BUDI",
    asked_at=NOON,
)
YES = Accepted("20250329TGUHIDJ1010O0200000025")


class Parrot:
    """A hub that answers every transfer with yes, changed by the test."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.http = 200
        self.report: dict[str, Any] = {}
        self.head: dict[str, Any] = {}
        self.instead: Callable[[Message], Message] | None = None
        self.key = keys.switch

    async def take(self, request: Request) -> Response:
        """Read the transfer or the status request, and answer."""
        received = message.read(await request.body())
        assert isinstance(received, Received)
        asked = received.message
        whole = (self.instead or self._answer)(asked)
        whole = msgspec.structs.replace(whole, **self.head)
        return Response(message.sealed(whole, self.key, "json"), self.http)

    def _answer(self, asked: Message) -> Message:
        return Message(
            sender="FASTIDJA",
            recipient="TGUHIDJ1",
            number="20250329FASTIDJA010R0200000001",
            definition=status.REPORT,
            service="CLEAR",
            created_at=NOON,
            document=status.document_of_report(self._report_on(asked)),
        )

    def _report_on(self, asked: Message) -> StatusReport:
        plain = StatusReport(
            message_id="R1",
            created_at=NOON,
            original_message_id="",
            original_definition=asked.definition,
            end_to_end_id=YES.reference,
            transaction_id=ASKED.payment_id.hex,
            status="ACTC",
            reason="U000",
            amount_minor=ASKED.amount_minor,
            creditor_account=SARI.account,
        )
        if asked.definition == transfer.DEFINITION:
            read = transfer.read(asked.document)
            assert isinstance(read, CreditTransfer)
            plain = msgspec.structs.replace(
                plain,
                original_message_id=read.message_id,
                end_to_end_id=read.end_to_end_id,
                creditor_name="SARI WULANDARI",
            )
        else:
            request = status.read_request(asked.document, NOON)
            assert isinstance(request, status.StatusRequest)
            plain = msgspec.structs.replace(plain, original_message_id=request.message_id)
        return msgspec.structs.replace(plain, **self.report)


class Both:
    """The rail and the parrot."""

    def __init__(self, rail: BifastRail, hub: Parrot) -> None:
        self.rail = rail
        self.hub = hub

    async def said(self) -> tuple[Outcome, Outcome]:
        """What a send and an inquiry make of it."""
        return await self.rail.send(ASKED), await self.rail.inquire(ASKED)


@pytest_asyncio.fixture
async def both(keys: Keys, tmp_path: Path) -> AsyncIterator[Both]:
    """A rail that calls a parrot."""
    hub = Parrot(keys)
    listener = Listener(
        Starlette(routes=[Route("/bifast/messages", hub.take, methods=["POST"])]), "127.0.0.1", 0
    )
    await listener.open()
    settings = BifastSettings(
        url=listener.url,
        private_key_path=keys.bank_private,
        hub_public_key_path=keys.switch_private.replace(".pem", ".pub.pem"),
    )
    rail = BifastRail(settings, HandClock(NOON), Random(1))
    yield Both(rail, hub)
    await rail.close()
    await listener.close(0.0)


async def test_a_good_answer_is_good(both: Both) -> None:
    """Or nothing below would prove anything."""
    assert await both.said() == (YES, YES)


@pytest.mark.parametrize(
    "facts",
    [
        {"transaction_id": ""},
        {"creditor_account": ""},
        {"reason": ""},
        {"reason": "U002"},
        {"status": "ACSP"},
        {"status": "ACSC", "settlement": "S1"},
    ],
)
async def test_what_an_answer_need_not_say(both: Both, facts: dict[str, Any]) -> None:
    """TxId, payee and a reason may be missing; the reference is ours all the same."""
    both.hub.report = facts
    assert await both.said() == (YES, YES)


@pytest.mark.parametrize(
    "facts",
    [
        {"original_message_id": "ANOTHER"},
        {"end_to_end_id": "20250329TGUHIDJ1010O0200000026"},
        {"transaction_id": UUID(int=78).hex},
        {"amount_minor": None},
        {"amount_minor": ASKED.amount_minor - 1},
        {"creditor_account": "9980000002"},
        {"status": "ACTC", "reason": "U101"},
        {"status": "PDNG"},
        {"status": "RJCT", "reason": "U999"},
        {"status": "RJCT", "reason": "U900"},
        {"status": "RJCT", "reason": "U101", "end_to_end_id": "20250329TGUHIDJ1010O0200000026"},
        {"status": "RJCT", "reason": "U101", "transaction_id": UUID(int=78).hex},
        {"status": "RJCT", "reason": "U101", "amount_minor": 1},
        {"status": "OTHR", "reason": "U107", "original_message_id": "ANOTHER"},
        {"status": "KSTS", "reason": "K000"},
    ],
)
async def test_one_thing_wrong_in_the_report(both: Both, facts: dict[str, Any]) -> None:
    """Neither yes nor no, for a send and for an inquiry."""
    both.hub.report = facts
    for outcome in await both.said():
        assert isinstance(outcome, Unanswered), facts


@pytest.mark.parametrize(
    "head",
    [
        {"sender": "UJIAIDJ1"},
        {"recipient": "UJIAIDJ1"},
        {"sender": "TGUHIDJ1", "recipient": "FASTIDJA"},
    ],
)
async def test_one_thing_wrong_in_the_header(both: Both, head: dict[str, Any]) -> None:
    """Signed by the hub, but not said by it, or not to us."""
    both.hub.head = head
    for outcome in await both.said():
        assert isinstance(outcome, Unanswered), head


async def test_a_no_without_an_amount_is_a_no(both: Both) -> None:
    """Only a yes has to name its amount."""
    both.hub.report = {"status": "RJCT", "reason": "U101", "amount_minor": None}
    no = Declined(Refusal.FAR_ACCOUNT_NOT_FOUND, "U101")
    assert await both.said() == (no, no)


async def test_an_answer_of_another_kind(both: Both) -> None:
    """A yes to an echo is no yes to a transfer."""

    def echo(asked: Message) -> Message:
        answer = session.SessionAnswer(
            original="M", function="301", instruction_id="I", status="ACTC", reason="U000"
        )
        document = session.document_of_answer(answer, "M1", NOON)
        return msgspec.structs.replace(
            asked,
            sender="FASTIDJA",
            recipient="TGUHIDJ1",
            definition=session.ANSWER,
            document=document,
        )

    both.hub.instead = echo
    assert await both.said() == (Unanswered("answer is of another kind"),) * 2


async def test_our_own_message_sent_back(both: Both) -> None:
    """An echo of what we said, under our own signature, is nobody's yes."""
    both.hub.instead = lambda asked: asked
    both.hub.key = both.hub.keys.bank
    for outcome in await both.said():
        assert isinstance(outcome, Unanswered)


@pytest.mark.parametrize("http", [500, 503, 599])
async def test_a_server_error_is_no_answer_whatever_it_says(both: Both, http: int) -> None:
    """Behind a broken door nobody knows who spoke."""
    both.hub.http = http
    for outcome in await both.said():
        assert isinstance(outcome, Unanswered)


@pytest.mark.parametrize(
    ("reason", "reference", "expected"),
    [
        ("U215", "", Declined(Refusal.PARTNER_DECLINED, "U215")),
        ("U999", "", Unanswered("rejected with U999")),
        ("SOMETHING", "", Unanswered("rejected with an unknown reason")),
        ("U215", "ANOTHER", Unanswered("answer speaks of another message")),
    ],
)
async def test_rejects(both: Both, reason: str, reference: str, expected: Outcome) -> None:
    """An admi.002 is certain only with a certain reason about our message; of a question, never."""

    def reject(asked: Message) -> Message:
        said = status.Reject(reference=reference or asked.number, reason=reason)
        return msgspec.structs.replace(
            asked,
            sender="FASTIDJA",
            recipient="TGUHIDJ1",
            definition=status.REJECT,
            document=status.document_of_reject(said),
        )

    both.hub.instead = reject
    sent, inquired = await both.said()
    assert sent == expected
    assert isinstance(inquired, Unanswered)


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"creditor_account": "9980000002"},
        {"creditor_name": ""},
        {"end_to_end_id": YES.reference},
        {"original_message_id": "ANOTHER"},
        {"status": "ACTC", "reason": "U101"},
    ],
)
async def test_names(both: Both, facts: dict[str, Any]) -> None:
    """A name is believed only of the account and the question it was asked for."""
    both.hub.report = facts
    found = await both.rail.look_up(LOOKING)
    if facts:
        assert isinstance(found, Unanswered), facts
    else:
        assert isinstance(found, Found)


@pytest.mark.parametrize(
    ("original", "value", "status_code", "bank", "account", "name"),
    [
        (None, None, "ACTC", "UJIAIDJ1", "9980000001", "SARI"),
        ("ANOTHER", None, "ACTC", "UJIAIDJ1", "9980000001", "SARI"),
        (None, "6281299980002", "ACTC", "UJIAIDJ1", "9980000001", "SARI"),
        (None, None, "ACTC", "ZZZZIDJ1", "9980000001", "SARI"),
        (None, None, "RJCT", "UJIAIDJ1", "9980000001", "SARI"),
    ],
)
async def test_proxies(
    both: Both,
    original: str | None,
    value: str | None,
    status_code: str,
    bank: str,
    account: str,
    name: str,
) -> None:
    """Of the first only is anybody paid: its answer is about the number that was typed."""

    def looked_up(asked: Message) -> Message:
        body = asked.document["PrxyLookUp"]
        regn = {
            "Agt": message.agent(bank),
            "Acct": {"Id": {"Othr": {"Id": account}}, "Tp": {"Prtry": "SVGS"}, "Nm": name},
        }
        document = {
            "PrxyLookUpRspn": {
                "GrpHdr": {"MsgId": "R1", "CreDtTm": "2025-03-29T05:00:00Z"},
                "OrgnlGrpInf": {
                    "OrgnlMsgId": original or body["GrpHdr"]["MsgId"],
                    "OrgnlMsgNmId": proxy.LOOK_UP,
                },
                "LkUpRspn": {
                    "OrgnlId": "X",
                    "OrgnlPrxyRtrvl": {"Tp": "01", "Val": value or "6281299980001"},
                    "RegnRspn": {
                        "PrxRspnSts": status_code,
                        "StsRsnInf": {"Prtry": "U000"},
                        "Regn": regn,
                    },
                },
            }
        }
        return _from_the_hub(asked, proxy.LOOKED_UP, document)

    both.hub.instead = looked_up
    found = await both.rail.look_up(msgspec.structs.replace(LOOKING, payee=SARI_BY_PHONE))
    good = (original, value, status_code, bank) == (None, None, "ACTC", "UJIAIDJ1")
    assert isinstance(found, Found if good else Unanswered), found


@pytest.mark.parametrize(("original", "kind"), [(None, Accepted), ("ANOTHER", Unanswered)])
async def test_registrations(
    both: Both, original: str | None, kind: type[Accepted | Unanswered]
) -> None:
    """Another bank's registration is not ours."""

    def registered(asked: Message) -> Message:
        number = asked.document["PrxyRegn"]["GrpHdr"]["MsgId"]
        document = {
            "PrxyRegnRspn": {
                "GrpHdr": {"MsgId": "R1", "CreDtTm": "2025-03-29T05:00:00Z"},
                "OrgnlGrpInf": {
                    "OrgnlMsgId": original or number,
                    "OrgnlMsgNmId": proxy.REGISTRATION,
                },
                "RegnRspn": {
                    "PrxRspnSts": "ACTC",
                    "StsRsnInf": {"Prtry": "U000"},
                    "RegnId": "R9",
                },
            }
        }
        return _from_the_hub(asked, proxy.REGISTERED, document)

    both.hub.instead = registered
    mine = proxy.Registration(
        verb="NEWR",
        proxy_type="02",
        proxy="a@b.id",
        account="108",
        account_type="SVGS",
        name="BUDI",
        bank="TGUHIDJ1",
    )
    assert isinstance(await both.rail.register(mine), kind)


@pytest.mark.parametrize(
    ("original", "function", "kind"),
    [(None, "301", Accepted), ("ANOTHER", "301", Unanswered), (None, "001", Unanswered)],
)
async def test_echoes(
    both: Both, original: str | None, function: str, kind: type[Accepted | Unanswered]
) -> None:
    """An answer to somebody's sign-on says nothing of our echo."""

    def answered(asked: Message) -> Message:
        answer = session.SessionAnswer(
            original=original or session.read_ask(asked.document).message_id,
            function=function,
            instruction_id="I",
            status="ACTC",
            reason="U000",
        )
        return _from_the_hub(asked, session.ANSWER, session.document_of_answer(answer, "M", NOON))

    both.hub.instead = answered
    assert isinstance(await both.rail.echo(), kind)


def _from_the_hub(asked: Message, definition: str, document: Any) -> Message:
    return msgspec.structs.replace(
        asked, sender="FASTIDJA", recipient="TGUHIDJ1", definition=definition, document=document
    )
