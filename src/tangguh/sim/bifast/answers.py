"""The documents the hub writes: status reports, transfers, rejects, proxy and session answers."""

from __future__ import annotations

from typing import Any, Final

from tangguh.sim.bifast.clearing import Order, Said, minor_of, order_of
from tangguh.sim.bifast.directory import Entry
from tangguh.sim.bifast.paper import Paper, bank, find

TRANSFER: Final = "pacs.008.001.08"
REPORT: Final = "pacs.002.001.10"
REQUEST: Final = "pacs.028.001.04"
REJECT: Final = "admi.002.001.01"
REGISTRATION: Final = "prxy.001.001.01"
REGISTERED: Final = "prxy.002.001.01"
LOOK_UP: Final = "prxy.003.001.01"
LOOKED_UP: Final = "prxy.004.001.01"
SESSION: Final = "admn.001.001.01"
SESSION_ANSWER: Final = "admn.002.001.01"


def amount_of(minor: int) -> dict[str, str]:
    """Sen as messages write them."""
    return {"Value": f"{minor // 100}.{minor % 100:02d}", "Ccy": "IDR"}


def read_order(paper: Paper) -> Order | str:
    """The order in a pacs.008, or what is wrong with it."""
    tx = paper.find("FIToFICstmrCdtTrf.CdtTrfTxInf.0")
    texts = {
        name: find(tx, path)
        for name, path in (
            ("reference", "PmtId.EndToEndId"),
            ("transaction", "PmtId.TxId"),
            ("purpose", "PmtTpInf.CtgyPurp.Prtry"),
            ("debtor_bank", "DbtrAgt.FinInstnId.Othr.Id"),
            ("debtor_account", "DbtrAcct.Id.Othr.Id"),
            ("creditor_bank", "CdtrAgt.FinInstnId.Othr.Id"),
            ("creditor_account", "CdtrAcct.Id.Othr.Id"),
        )
    }
    for name, value in texts.items():
        if not isinstance(value, str) or not value:
            return f"{name} is missing"
    minor = minor_of(find(tx, "IntrBkSttlmAmt"))
    if minor is None:
        return "IntrBkSttlmAmt is no amount of rupiah"
    purpose = texts.pop("purpose")
    return Order(
        **texts,
        kind=purpose[:3],
        message_id=paper.text("FIToFICstmrCdtTrf.GrpHdr.MsgId"),
        amount_minor=minor,
        debtor_name=find(tx, "Dbtr.Nm") or "",
        creditor_name=find(tx, "Cdtr.Nm") or "",
        proxy_type=find(tx, "CdtrAcct.Prxy.Tp.Prtry") or "",
        proxy=find(tx, "CdtrAcct.Prxy.Id") or "",
        related=find(tx, "SplmtryData.0.Envlp.Dtl.RltdEndToEndId") or "",
        note=find(tx, "RmtInf.Ustrd.0") or "",
    )


def report(
    said: Said, order: Order, *, message_id: str, original: tuple[str, str], at: str
) -> dict[str, Any]:
    """A pacs.002 about an order. ``original``: MsgId and definition of what it answers."""
    reason: dict[str, Any] = {"Rsn": {"Prtry": said.reason}}
    if said.detail:
        reason["AddtlInf"] = [said.detail]
    row = said.row
    facts: dict[str, Any] = {
        "IntrBkSttlmAmt": amount_of(row.amount_minor if row else order.amount_minor)
    }
    known = order_of(row) if row is not None else order
    facts["DbtrAgt"] = bank(known.debtor_bank)
    facts["CdtrAgt"] = bank(known.creditor_bank)
    if said.name:
        facts["Cdtr"] = {"Pty": {"Nm": said.name}}
    facts["CdtrAcct"] = {"Id": {"Othr": {"Id": known.creditor_account}}}
    if said.account_type:
        facts["CdtrAcct"]["Tp"] = {"Prtry": said.account_type}
    settled = {"ClrSysRef": row.network_reference} if row and row.state == "paid" else {}
    tx = {
        "OrgnlEndToEndId": order.reference,
        "OrgnlTxId": known.transaction,
        "TxSts": said.status,
        "StsRsnInf": [reason],
        **settled,
        "OrgnlTxRef": facts,
    }
    return _report(tx, message_id, original, at)


def bare_report(
    said: Said, reference: str, *, message_id: str, original: tuple[str, str], at: str
) -> dict[str, Any]:
    """A pacs.002 about something the hub has never seen."""
    tx = {
        "OrgnlEndToEndId": reference,
        "TxSts": said.status,
        "StsRsnInf": [{"Rsn": {"Prtry": said.reason}}],
    }
    return _report(tx, message_id, original, at)


def _report(
    tx: dict[str, Any], message_id: str, original: tuple[str, str], at: str
) -> dict[str, Any]:
    return {
        "FIToFIPmtStsRpt": {
            "GrpHdr": {"MsgId": message_id, "CreDtTm": at},
            "OrgnlGrpInfAndSts": [{"OrgnlMsgId": original[0], "OrgnlMsgNmId": original[1]}],
            "TxInfAndSts": [tx],
        }
    }


def transfer(order: Order, at: str) -> dict[str, Any]:
    """A pacs.008 to the bank."""
    account: dict[str, Any] = {
        "Id": {"Othr": {"Id": order.creditor_account}},
        "Tp": {"Prtry": "SVGS"},
    }
    if order.proxy_type:
        account["Prxy"] = {"Tp": {"Prtry": order.proxy_type}, "Id": order.proxy}
    person = {"Tp": "01", "RsdntSts": "01", "TwnNm": "0300"}
    details: dict[str, Any] = {"Dbtr": person, "Cdtr": person}
    if order.related:
        details["RltdEndToEndId"] = order.related
    tx: dict[str, Any] = {
        "PmtId": {"EndToEndId": order.reference, "TxId": order.transaction},
        "PmtTpInf": {"LclInstrm": {"Prtry": "02"}, "CtgyPurp": {"Prtry": f"{order.kind}99"}},
        "IntrBkSttlmAmt": amount_of(order.amount_minor),
        "ChrgBr": "DEBT",
        "Dbtr": {"Nm": order.debtor_name},
        "DbtrAcct": {"Id": {"Othr": {"Id": order.debtor_account}}, "Tp": {"Prtry": "SVGS"}},
        "DbtrAgt": bank(order.debtor_bank),
        "CdtrAgt": bank(order.creditor_bank),
        "Cdtr": {"Nm": order.creditor_name} if order.creditor_name else {},
        "CdtrAcct": account,
    }
    if order.note:
        tx["RmtInf"] = {"Ustrd": [order.note]}
    tx["SplmtryData"] = [{"Envlp": {"Dtl": details}}]
    header = {
        "MsgId": order.message_id,
        "CreDtTm": at,
        "NbOfTxs": "1",
        "SttlmInf": {"SttlmMtd": "CLRG"},
    }
    return {"FIToFICstmrCdtTrf": {"GrpHdr": header, "CdtTrfTxInf": [tx]}}


def reject(reference: str, reason: str, words: str) -> dict[str, Any]:
    """An admi.002."""
    return {
        "admi.002.001.01": {
            "RltdRef": {"Ref": reference or "NONE"},
            "Rsn": {"RjctgPtyRsn": reason, "RsnDesc": words[:350]},
        }
    }


def registered(paper: Paper, reason: str, registration: str, message_id: str) -> dict[str, Any]:
    """A prxy.002."""
    answer: dict[str, Any] = {
        "PrxRspnSts": "ACTC" if reason == "U000" else "RJCT",
        "StsRsnInf": {"Prtry": reason},
    }
    if reason == "U000":
        answer["RegnId"] = registration
    return {
        "PrxyRegnRspn": {
            "GrpHdr": {"MsgId": message_id, "CreDtTm": paper.created_at},
            "OrgnlGrpInf": _original(paper, "PrxyRegn"),
            "RegnRspn": answer,
        }
    }


def looked_up(paper: Paper, found: Entry | str, message_id: str) -> dict[str, Any]:
    """A prxy.004."""
    asked = paper.find("PrxyLookUp.LookUp.PrxyOnly") or {}
    answer: dict[str, Any] = {"PrxRspnSts": "RJCT", "StsRsnInf": {"Prtry": found}}
    if isinstance(found, Entry):
        answer = {
            "PrxRspnSts": "ACTC",
            "StsRsnInf": {"Prtry": "U000"},
            "Regn": {
                "RegnId": found.registration,
                "DsplNm": found.name,
                "Agt": bank(found.bank),
                "Acct": {
                    "Id": {"Othr": {"Id": found.account}},
                    "Tp": {"Prtry": found.account_type},
                    "Nm": found.name,
                },
            },
        }
    return {
        "PrxyLookUpRspn": {
            "GrpHdr": {"MsgId": message_id, "CreDtTm": paper.created_at},
            "OrgnlGrpInf": _original(paper, "PrxyLookUp"),
            "LkUpRspn": {
                "OrgnlId": asked.get("Id", ""),
                "OrgnlPrxyRtrvl": asked.get("PrxyRtrvl", {}),
                "RegnRspn": answer,
            },
        }
    }


def session(paper: Paper, message_id: str) -> dict[str, Any]:
    """An admn.002 that says yes."""
    return {
        "AdmnRspn": {
            "GrpHdr": {"MsgId": message_id, "CreDtTm": paper.created_at},
            "OrgnlGrpInf": _original(paper, "AdmnReq"),
            "AdmnTx": {
                "FnctnCd": paper.text("AdmnReq.AdmnTx.FnctnCd"),
                "OrgnlInstrId": paper.text("AdmnReq.AdmnTx.InstrId"),
                "TxSts": "ACTC",
                "StsRsnInf": {"Prtry": "U000"},
            },
        }
    }


def _original(paper: Paper, root: str) -> dict[str, str]:
    number = paper.text(f"{root}.GrpHdr.MsgId")
    return {"OrgnlMsgId": number, "OrgnlMsgNmId": paper.definition}
