"""pacs.002 (answer and settlement notice), pacs.028 (status request), admi.002 (reject). Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from tangguh.rails.bifast.grammar.schema import Fault
from tangguh.rails.bifast.grammar.tree import Branch, Node, at, branch, items, text
from tangguh.rails.bifast.message import agent, bic_of, instant_text, words_of
from tangguh.rails.bifast.transfer import NAME_LENGTH_MAX, amount, minor_of, plain

REPORT: Final = "pacs.002.001.10"
REQUEST: Final = "pacs.028.001.04"
REJECT: Final = "admi.002.001.01"

_TX: Final = "Document.FIToFIPmtStsRpt.TxInfAndSts[0]"


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a pacs.002 says of one transfer. Amount in minor units, None where it does not say.

    ``status`` is TxSts, ``reason`` its StsRsnInf, ``detail`` a second code the hub adds (the first
    reason of a transfer asked about later). ``settlement`` is ClrSysRef. Creditor facts come with
    the answer to an enquiry.
    """

    message_id: str
    created_at: datetime
    original_message_id: str
    original_definition: str
    end_to_end_id: str
    transaction_id: str = ""
    status: str
    reason: str = ""
    detail: str = ""
    settlement: str = ""
    amount_minor: int | None = None
    debtor_bank: str = ""
    creditor_bank: str = ""
    creditor_name: str = ""
    creditor_account: str = ""
    creditor_account_type: str = ""


class StatusRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a pacs.028 asks: what became of the transfer with this EndToEndId."""

    message_id: str
    created_at: datetime
    end_to_end_id: str
    transaction_id: str = ""


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """What an admi.002 says: the message with this number was not taken, and why."""

    reference: str
    reason: str
    location: str = ""
    description: str = ""


def document_of_report(report: StatusReport) -> Branch:
    """The Document of a pacs.002."""
    reason: Branch = {
        **branch(Rsn=branch(Prtry=report.reason)),
        **branch(AddtlInf=[report.detail] if report.detail else None),
    }
    person = branch(Nm=plain(report.creditor_name, NAME_LENGTH_MAX))
    account: Branch = {}
    if report.creditor_account:
        account["Id"] = {"Othr": {"Id": report.creditor_account}}
        account.update(branch(Tp=branch(Prtry=report.creditor_account_type)))
    original = branch(
        IntrBkSttlmAmt=None if report.amount_minor is None else amount(report.amount_minor),
        DbtrAgt=agent(report.debtor_bank) if report.debtor_bank else None,
        CdtrAgt=agent(report.creditor_bank) if report.creditor_bank else None,
        Cdtr=branch(Pty=person),
        CdtrAcct=account,
    )
    transaction = branch(
        OrgnlEndToEndId=report.end_to_end_id,
        OrgnlTxId=report.transaction_id,
        TxSts=report.status,
        StsRsnInf=[reason] if reason else None,
        ClrSysRef=report.settlement,
        OrgnlTxRef=original,
    )
    group: Branch = {
        "OrgnlMsgId": report.original_message_id,
        "OrgnlMsgNmId": report.original_definition,
    }
    header: Branch = {"MsgId": report.message_id, "CreDtTm": instant_text(report.created_at)}
    return {
        "FIToFIPmtStsRpt": {
            "GrpHdr": header,
            "OrgnlGrpInfAndSts": [group],
            "TxInfAndSts": [transaction],
        }
    }


def read_report(document: Branch, created_at: datetime) -> StatusReport | tuple[Fault, ...]:
    """The report of a Document that keeps its schema. ``created_at`` is the header's."""
    report = at(document, "FIToFIPmtStsRpt")
    found = items(report, "TxInfAndSts")
    if len(found) != 1:
        return (Fault("Document.FIToFIPmtStsRpt.TxInfAndSts", "repeats", "exactly one"),)
    transaction = found[0]
    for name in ("OrgnlEndToEndId", "TxSts"):
        if not text(transaction, name):
            return (Fault(f"{_TX}.{name}", "required"),)
    original = at(transaction, "OrgnlTxRef")
    stated = at(original, "IntrBkSttlmAmt")
    minor = minor_of(stated)
    if stated is not None and minor is None:
        path = f"{_TX}.OrgnlTxRef.IntrBkSttlmAmt"
        return (Fault(path, "digits", "rupiah with two decimals"),)
    return StatusReport(
        message_id=text(report, "GrpHdr", "MsgId"),
        created_at=created_at,
        original_message_id=text(report, "OrgnlGrpInfAndSts", 0, "OrgnlMsgId"),
        original_definition=text(report, "OrgnlGrpInfAndSts", 0, "OrgnlMsgNmId"),
        end_to_end_id=text(transaction, "OrgnlEndToEndId"),
        transaction_id=text(transaction, "OrgnlTxId"),
        status=text(transaction, "TxSts"),
        reason=text(transaction, "StsRsnInf", 0, "Rsn", "Prtry"),
        detail=text(transaction, "StsRsnInf", 0, "AddtlInf", 0),
        settlement=text(transaction, "ClrSysRef"),
        amount_minor=minor,
        debtor_bank=bic_of(original, "DbtrAgt"),
        creditor_bank=bic_of(original, "CdtrAgt"),
        **_creditor(original),
    )


def _creditor(original: Node | None) -> dict[str, str]:
    return {
        "creditor_name": words_of(original, "Cdtr", "Pty", "Nm"),
        "creditor_account": text(original, "CdtrAcct", "Id", "Othr", "Id"),
        "creditor_account_type": text(original, "CdtrAcct", "Tp", "Prtry"),
    }


def document_of_request(request: StatusRequest) -> Branch:
    """The Document of a pacs.028."""
    header: Branch = {"MsgId": request.message_id, "CreDtTm": instant_text(request.created_at)}
    asked = branch(OrgnlEndToEndId=request.end_to_end_id, OrgnlTxId=request.transaction_id)
    return {"FIToFIPmtStsReq": {"GrpHdr": header, "TxInf": [asked]}}


def read_request(document: Branch, created_at: datetime) -> StatusRequest | tuple[Fault, ...]:
    """The request of a Document that keeps its schema."""
    asked = items(document, "FIToFIPmtStsReq", "TxInf")
    if len(asked) != 1 or not text(asked[0], "OrgnlEndToEndId"):
        path = "Document.FIToFIPmtStsReq.TxInf[0].OrgnlEndToEndId"
        return (Fault(path, "required", "one original a message"),)
    return StatusRequest(
        message_id=text(document, "FIToFIPmtStsReq", "GrpHdr", "MsgId"),
        created_at=created_at,
        end_to_end_id=text(asked[0], "OrgnlEndToEndId"),
        transaction_id=text(asked[0], "OrgnlTxId"),
    )


def document_of_reject(reject: Reject) -> Branch:
    """The Document of an admi.002."""
    reason: Branch = {
        "RjctgPtyRsn": reject.reason,
        **branch(ErrLctn=reject.location[:350], RsnDesc=reject.description[:350]),
    }
    return {"admi.002.001.01": {"RltdRef": {"Ref": reject.reference}, "Rsn": reason}}


def read_reject(document: Branch) -> Reject:
    """The reject of a Document that keeps its schema."""
    body = at(document, "admi.002.001.01")
    return Reject(
        reference=text(body, "RltdRef", "Ref"),
        reason=text(body, "Rsn", "RjctgPtyRsn"),
        location=words_of(body, "Rsn", "ErrLctn"),
        description=words_of(body, "Rsn", "RsnDesc"),
    )
