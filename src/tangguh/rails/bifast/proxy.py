"""prxy: our customers' proxies registered (001, 002), anybody's looked up (003, 004). Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

import msgspec

from tangguh.rails.bifast.grammar.tree import Branch, at, branch, text
from tangguh.rails.bifast.message import agent, bic_of, instant_text, words_of
from tangguh.rails.bifast.transfer import NAME_LENGTH_MAX, plain

REGISTRATION: Final = "prxy.001.001.01"
REGISTERED: Final = "prxy.002.001.01"
LOOK_UP: Final = "prxy.003.001.01"
LOOKED_UP: Final = "prxy.004.001.01"
NEW: Final = "NEWR"
ACCEPTED: Final = "ACTC"

_FORMS: Final = {
    "01": re.compile(r"62\d{8,13}", re.ASCII),
    "02": re.compile(r"[^@\s]{1,64}@[^@\s]{1,75}"),
    "03": re.compile(r"[A-Za-z0-9._-]{1,140}"),
}


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """What shall become of one proxy of a customer of ours.

    ``verb`` is NEWR, AMND, DEAC, SUSP, SUSB, ACTV, ACTB or PORT. ``registration`` is the hub's
    number, empty for a new one. ``identity`` with its type: 01 NIK, 02 passport.
    """

    verb: str
    proxy_type: str
    proxy: str
    account: str
    account_type: str
    name: str
    bank: str
    registration: str = ""
    identity_type: str = ""
    identity: str = ""


class ProxyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The hub's answer to either: ``status`` ACTC or RJCT, its reason, and what it knows.

    ``original`` is the MsgId of the question. The account's facts are there after a look-up.
    """

    original: str
    status: str
    reason: str
    registration: str = ""
    proxy_type: str = ""
    proxy: str = ""
    name: str = ""
    bank: str = ""
    account: str = ""
    account_type: str = ""


def is_proxy(proxy_type: str, proxy: str) -> bool:
    """Whether a proxy has the form of its type: 62 and digits, an e-mail address, an IPT id."""
    form = _FORMS.get(proxy_type)
    return form is not None and form.fullmatch(proxy) is not None


def document_of_registration(asked: Registration, message_id: str, now: datetime) -> Branch:
    """The Document of a prxy.001."""
    registered: Branch = {
        **branch(RegnId=asked.registration, DsplNm=plain(asked.name, NAME_LENGTH_MAX)),
        "Agt": agent(asked.bank),
        "Acct": _account(asked.account, asked.account_type, asked.name),
    }
    if asked.identity:
        registered["ScndId"] = {"Tp": asked.identity_type, "Val": asked.identity}
    return {
        "PrxyRegn": {
            "GrpHdr": _header(asked.bank, message_id, now),
            "Regn": {
                "RegnTp": asked.verb,
                "Prxy": {"Tp": asked.proxy_type, "Val": asked.proxy},
                "PrxyRegn": registered,
            },
        }
    }


def document_of_look_up(
    proxy_type: str, proxy: str, bank: str, message_id: str, now: datetime
) -> Branch:
    """The Document of a prxy.003 that resolves a proxy (PXRS)."""
    return {
        "PrxyLookUp": {
            "GrpHdr": _header(bank, message_id, now),
            "LookUp": {
                "PrxyOnly": {
                    "LkUpTp": "PXRS",
                    "Id": message_id,
                    "PrxyRtrvl": {"Tp": proxy_type, "Val": proxy},
                }
            },
        }
    }


def read_registered(document: Branch) -> ProxyAnswer:
    """The answer in a prxy.002 that keeps its schema."""
    body = at(document, "PrxyRegnRspn")
    answer = at(body, "RegnRspn")
    return ProxyAnswer(
        original=text(body, "OrgnlGrpInf", "OrgnlMsgId"),
        status=text(answer, "PrxRspnSts"),
        reason=text(answer, "StsRsnInf", "Prtry"),
        registration=text(answer, "RegnId"),
    )


def read_looked_up(document: Branch) -> ProxyAnswer:
    """The answer in a prxy.004 that keeps its schema."""
    body = at(document, "PrxyLookUpRspn")
    answer = at(body, "LkUpRspn", "RegnRspn")
    found = at(answer, "Regn")
    account = at(found, "Acct")
    return ProxyAnswer(
        original=text(body, "OrgnlGrpInf", "OrgnlMsgId"),
        status=text(answer, "PrxRspnSts"),
        reason=text(answer, "StsRsnInf", "Prtry"),
        registration=text(found, "RegnId"),
        proxy_type=text(body, "LkUpRspn", "OrgnlPrxyRtrvl", "Tp"),
        proxy=text(body, "LkUpRspn", "OrgnlPrxyRtrvl", "Val"),
        name=words_of(account, "Nm") or words_of(found, "DsplNm"),
        bank=bic_of(found, "Agt"),
        account=text(account, "Id", "Othr", "Id"),
        account_type=text(account, "Tp", "Prtry"),
    )


def _header(bank: str, message_id: str, now: datetime) -> Branch:
    sender: Branch = {"Agt": agent(bank)}
    return {"MsgId": message_id, "CreDtTm": instant_text(now), "MsgSndr": sender}


def _account(number: str, account_type: str, name: str) -> Branch:
    return {
        "Id": {"Othr": {"Id": number}},
        "Tp": {"Prtry": account_type},
        **branch(Nm=plain(name, NAME_LENGTH_MAX)),
    }
