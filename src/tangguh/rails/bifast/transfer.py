"""pacs.008: credit transfer by account (010) or proxy (110), enquiry (510), return (011). Pure.

One message carries one transfer. What BI-FAST asks beyond the standard is checked here: rupiah with
two decimals, one transaction, CLRG, DEBT, and its own part under ``SplmtryData.Envlp``.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import msgspec

from tangguh.core.money import IDR, NotMoney, format_decimal, parse_decimal
from tangguh.core.text import shown
from tangguh.rails.bifast.grammar import proprietary
from tangguh.rails.bifast.grammar.schema import Fault, check
from tangguh.rails.bifast.grammar.tree import Branch, Node, at, branch, items, text
from tangguh.rails.bifast.ids import BY_ACCOUNT, BY_PROXY, ENQUIRY, RETURN
from tangguh.rails.bifast.message import agent, bic_of, instant_text, words_of

DEFINITION: Final = "pacs.008.001.08"
KINDS: Final = frozenset({BY_ACCOUNT, BY_PROXY, ENQUIRY, RETURN})
PERSON: Final = "01"
RESIDENT: Final = "01"
JAKARTA_TOWN: Final = "0300"
NAME_LENGTH_MAX: Final = 140
NOTE_LENGTH_MAX: Final = 140

_CONTROL: Final = re.compile(r"[^\x20-\x7E\xA0-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]+")
_VALUE: Final = re.compile(r"\d{1,16}\.\d\d", re.ASCII)
_PURPOSE: Final = re.compile(r"\d{5}", re.ASCII)
_TX: Final = "Document.FIToFICstmrCdtTrf.CdtTrfTxInf[0]"


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a transfer. ``bank`` is a BIC; ``sort`` 01 person, 02 company, 03 government."""

    name: str = ""
    account: str = ""
    account_type: str = "SVGS"
    bank: str = ""
    identity: str = ""
    sort: str = PERSON
    resident: str = RESIDENT
    town: str = JAKARTA_TOWN


class CreditTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """What a pacs.008 says. Amount in minor units of rupiah.

    ``kind`` is 010, 110, 510 or 011; ``channel`` 01 internet, 02 mobile, 03 counter, 99 other;
    ``purpose`` 01 investment, 02 wealth, 03 purchase, 99 other. ``related`` is the EndToEndId of
    the transfer that comes back (011).
    """

    kind: str
    message_id: str
    created_at: datetime
    end_to_end_id: str
    transaction_id: str
    amount_minor: int
    debtor: Party
    creditor: Party
    channel: str = "02"
    purpose: str = "99"
    proxy_type: str = ""
    proxy: str = ""
    note: str = ""
    related: str = ""


def plain(words: str, length_max: int) -> str:
    """Words of people as a message can carry them: one line, nothing unseen, cut."""
    return shown(_CONTROL.sub(" ", words), length_max)


def amount(minor: int) -> Branch:
    """An amount of rupiah: ``{"Value": "10000.00", "Ccy": "IDR"}``."""
    return {"Value": format_decimal(minor), "Ccy": IDR}


def minor_of(node: Node | None) -> int | None:
    """Minor units of an amount; None when it is not rupiah with two decimals."""
    value = text(node, "Value")
    if text(node, "Ccy") != IDR or _VALUE.fullmatch(value) is None:
        return None
    try:
        return parse_decimal(value)
    except NotMoney:
        return None


def document_of(transfer: CreditTransfer) -> Branch:
    """The Document of a pacs.008."""
    debtor, creditor = transfer.debtor, transfer.creditor
    account = _account(creditor)
    if transfer.proxy_type:
        account["Prxy"] = {"Tp": {"Prtry": transfer.proxy_type}, "Id": transfer.proxy}
    details: Branch = {
        "Dbtr": {"Tp": debtor.sort, "RsdntSts": debtor.resident, "TwnNm": debtor.town},
        "Cdtr": {"Tp": creditor.sort, "RsdntSts": creditor.resident, "TwnNm": creditor.town},
        **branch(RltdEndToEndId=transfer.related),
    }
    transaction: Branch = {
        "PmtId": {"EndToEndId": transfer.end_to_end_id, "TxId": transfer.transaction_id},
        "PmtTpInf": {
            "LclInstrm": {"Prtry": transfer.channel},
            "CtgyPurp": {"Prtry": transfer.kind + transfer.purpose},
        },
        "IntrBkSttlmAmt": amount(transfer.amount_minor),
        "ChrgBr": "DEBT",
        "Dbtr": _person(debtor),
        "DbtrAcct": _account(debtor),
        "DbtrAgt": agent(debtor.bank),
        "CdtrAgt": agent(creditor.bank),
        "Cdtr": _person(creditor),
        "CdtrAcct": account,
        "SplmtryData": [{"Envlp": {"Dtl": details}}],
    }
    if note := plain(transfer.note, NOTE_LENGTH_MAX):
        transaction["RmtInf"] = {"Ustrd": [note]}
    header: Branch = {
        "MsgId": transfer.message_id,
        "CreDtTm": instant_text(transfer.created_at),
        "NbOfTxs": "1",
        "SttlmInf": {"SttlmMtd": "CLRG"},
    }
    return {"FIToFICstmrCdtTrf": {"GrpHdr": header, "CdtTrfTxInf": [transaction]}}


def read(document: Branch) -> CreditTransfer | tuple[Fault, ...]:
    """The transfer of a Document that keeps its schema, or the rules of BI-FAST it breaks."""
    header = at(document, "FIToFICstmrCdtTrf", "GrpHdr")
    transactions = items(document, "FIToFICstmrCdtTrf", "CdtTrfTxInf")
    found = transactions[0] if transactions else None
    faults = _judge(header, transactions, found)
    minor = minor_of(at(found, "IntrBkSttlmAmt"))
    if faults or minor is None:
        return faults
    return _gather(header, found, minor)


def _judge(header: Node | None, all_of: list[Node], found: Node | None) -> tuple[Fault, ...]:
    purpose = text(found, "PmtTpInf", "CtgyPurp", "Prtry")
    wrong: list[Fault] = []

    def ask(right: bool, path: str, rule: str, detail: str) -> None:  # noqa: FBT001
        if not right:
            wrong.append(Fault(path, rule, detail))

    ask(
        len(all_of) == 1 and text(header, "NbOfTxs") == "1",
        "Document.FIToFICstmrCdtTrf.GrpHdr.NbOfTxs",
        "enumeration",
        "one transaction a message",
    )
    path = "Document.FIToFICstmrCdtTrf.GrpHdr.SttlmInf.SttlmMtd"
    ask(text(header, "SttlmInf", "SttlmMtd") == "CLRG", path, "enumeration", "CLRG")
    ask(text(found, "ChrgBr") == "DEBT", f"{_TX}.ChrgBr", "enumeration", "DEBT")
    ask(
        _PURPOSE.fullmatch(purpose) is not None and purpose[:3] in KINDS,
        f"{_TX}.PmtTpInf.CtgyPurp.Prtry",
        "pattern",
        "type (010, 110, 510, 011) and two digits of purpose",
    )
    ask(
        minor_of(at(found, "IntrBkSttlmAmt")) is not None,
        f"{_TX}.IntrBkSttlmAmt",
        "digits",
        "rupiah with two decimals",
    )
    instructed = at(found, "InstdAmt")
    same = instructed is None or minor_of(instructed) == minor_of(at(found, "IntrBkSttlmAmt"))
    ask(same, f"{_TX}.InstdAmt", "digits", "what is instructed is what is settled, in rupiah")
    ask(at(found, "XchgRate") is None, f"{_TX}.XchgRate", "unknown", "nothing is exchanged")
    for name in ("PmtId.TxId", "PmtTpInf.LclInstrm.Prtry"):
        ask(bool(text(found, *name.split("."))), f"{_TX}.{name}", "required", "")
    for name in ("DbtrAgt", "CdtrAgt"):
        ask(bool(bic_of(found, name)), f"{_TX}.{name}.FinInstnId.Othr.Id", "required", "")
    for name in ("DbtrAcct", "CdtrAcct"):
        if name == "DbtrAcct" and purpose[:3] == ENQUIRY:
            continue  # who asks for a name need not say from which account
        ask(bool(_account_number(at(found, name))), f"{_TX}.{name}.Id.Othr.Id", "required", "")
    envelope = at(found, "SplmtryData", 0, "Envlp")
    if envelope is not None:
        schema = proprietary.schema_of(proprietary.SUPPLEMENTARY)
        wrong.extend(check(schema, envelope, f"{_TX}.SplmtryData[0].Envlp"))
    related = text(envelope, "Dtl", "RltdEndToEndId")
    path = f"{_TX}.SplmtryData[0].Envlp.Dtl.RltdEndToEndId"
    ask(bool(related) or purpose[:3] != RETURN, path, "required", "a return names its original")
    return tuple(wrong)


def _gather(header: Node | None, found: Node | None, minor: int) -> CreditTransfer:
    details = at(found, "SplmtryData", 0, "Envlp", "Dtl")
    purpose = text(found, "PmtTpInf", "CtgyPurp", "Prtry")
    return CreditTransfer(
        kind=purpose[:3],
        message_id=text(header, "MsgId"),
        created_at=_instant(text(header, "CreDtTm")),
        end_to_end_id=text(found, "PmtId", "EndToEndId"),
        transaction_id=text(found, "PmtId", "TxId"),
        amount_minor=minor,
        debtor=_party(found, "Dbtr", details),
        creditor=_party(found, "Cdtr", details),
        channel=text(found, "PmtTpInf", "LclInstrm", "Prtry"),
        purpose=purpose[3:],
        proxy_type=text(found, "CdtrAcct", "Prxy", "Tp", "Prtry"),
        proxy=text(found, "CdtrAcct", "Prxy", "Id"),
        note=shown(
            " ".join(line for line in items(found, "RmtInf", "Ustrd") if isinstance(line, str)),
            NOTE_LENGTH_MAX,
        ),
        related=text(details, "RltdEndToEndId"),
    )


def _instant(written: str) -> datetime:
    """The schema has seen that it is one; nine decimals are cut to the six Python keeps."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", written))


def _person(party: Party) -> Branch:
    identity: Node | None = None
    if party.identity:
        identity = {"PrvtId": {"Othr": [{"Id": party.identity}]}}
    return branch(Nm=plain(party.name, NAME_LENGTH_MAX), Id=identity)


def _account(party: Party) -> Branch:
    return {"Id": {"Othr": {"Id": party.account}}, "Tp": {"Prtry": party.account_type}}


def _account_number(node: Node | None) -> str:
    return text(node, "Id", "Othr", "Id")


def _party(found: Node | None, side: str, details: Node | None) -> Party:
    person = at(found, side)
    return Party(
        name=words_of(person, "Nm"),
        account=_account_number(at(found, f"{side}Acct")),
        account_type=text(found, f"{side}Acct", "Tp", "Prtry"),
        bank=bic_of(found, f"{side}Agt"),
        identity=text(person, "Id", "PrvtId", "Othr", 0, "Id"),
        sort=text(details, side, "Tp"),
        resident=text(details, side, "RsdntSts"),
        town=text(details, side, "TwnNm"),
    )
