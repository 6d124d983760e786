"""BI-FAST messages for tests: whole, in both forms, computed from the published forms of ids."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import rsa

from tangguh.rails.bifast import message, proxy, session, status, transfer
from tangguh.rails.bifast.grammar.tree import Branch
from tangguh.rails.bifast.message import Message
from tangguh.rails.bifast.transfer import CreditTransfer, Party

NOW = datetime(2021, 12, 12, 3, 4, 5, 678000, tzinfo=UTC)
NUMBER = "20211212SIHBIDJ1110O0200000603"
"""The published example of a BizMsgIdr: a transfer by proxy over the mobile channel."""
MSG_ID = "20211212SIHBIDJ111000000603"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)

TRANSFER = CreditTransfer(
    kind="110",
    message_id=MSG_ID,
    created_at=NOW,
    end_to_end_id=NUMBER,
    transaction_id="0193a5c0f1e27abc8def001122334455",
    amount_minor=1_234_500_50,
    debtor=Party(name="BUDI SANTOSO", account="108", bank="SIHBIDJ1", identity="3171010101800001"),
    creditor=Party(name="SARI & WULANDARI <1>", account="9980000001", bank="UJIAIDJ1"),
    proxy_type="01",
    proxy="6281299980001",
    note='uang kos "mei" é',
)
REPORT = status.StatusReport(
    message_id="20211212FASTIDJA11000000001",
    created_at=NOW,
    original_message_id=MSG_ID,
    original_definition=transfer.DEFINITION,
    end_to_end_id=NUMBER,
    transaction_id=TRANSFER.transaction_id,
    status="ACSC",
    reason="U000",
    detail="U101",
    settlement="FAST2021121200000603",
    amount_minor=1_234_500_50,
    debtor_bank="SIHBIDJ1",
    creditor_bank="UJIAIDJ1",
    creditor_name="SARI",
    creditor_account="9980000001",
    creditor_account_type="SVGS",
)
REGISTRATION = proxy.Registration(
    verb="NEWR",
    proxy_type="02",
    proxy="budi@tangguh.example",
    account="108",
    account_type="SVGS",
    name="BUDI",
    bank="SIHBIDJ1",
    identity_type="01",
    identity="3171010101800001",
)


def documents() -> dict[str, Branch]:
    """One Document of every kind this bank writes or reads from its own builders."""
    ask = session.SessionAsk(message_id="M1", function="301", instruction_id="I1", bank="SIHBIDJ1")
    answer = session.SessionAnswer(
        original="M1", function="301", instruction_id="I1", status="ACTC", reason="U000"
    )
    request = status.StatusRequest(message_id="M2", created_at=NOW, end_to_end_id=NUMBER)
    reject = status.Reject(
        reference=NUMBER, reason="U215", location="AppHdr.Fr", description="is required"
    )
    return {
        transfer.DEFINITION: transfer.document_of(TRANSFER),
        status.REPORT: status.document_of_report(REPORT),
        status.REQUEST: status.document_of_request(request),
        status.REJECT: status.document_of_reject(reject),
        proxy.REGISTRATION: proxy.document_of_registration(REGISTRATION, "M3", NOW),
        proxy.LOOK_UP: proxy.document_of_look_up("01", "6281299980001", "SIHBIDJ1", "M4", NOW),
        session.ASK: session.document_of_ask(ask, NOW),
        session.ANSWER: session.document_of_answer(answer, "M5", NOW),
    }


def whole(definition: str, document: Branch, *, service: str = "CLEAR", copy: str = "") -> Message:
    """A message from the published example's bank to the hub."""
    return Message(
        sender="SIHBIDJ1",
        recipient="FASTIDJA",
        number=NUMBER,
        definition=definition,
        service=service,
        created_at=NOW,
        document=document,
        copy=copy,
    )


def sealed(definition: str, wire: str) -> bytes:
    """The bytes of one of the documents above, signed."""
    return message.sealed(whole(definition, documents()[definition]), KEY, wire)
