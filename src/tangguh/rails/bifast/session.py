"""admn: sign-on, sign-off and echo, asked (001) and answered (002), either way. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from tangguh.rails.bifast.grammar.tree import Branch, at, text
from tangguh.rails.bifast.message import agent, bic_of, instant_text

ASK: Final = "admn.001.001.01"
ANSWER: Final = "admn.002.001.01"


class SessionAsk(msgspec.Struct, frozen=True, kw_only=True):
    """``function`` is ``proprietary.SIGN_ON``, ``SIGN_OFF`` or ``ECHO``; ``bank`` who asks."""

    message_id: str
    function: str
    instruction_id: str
    bank: str


class SessionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer; ``original`` is the MsgId of the question. ``status`` ACTC or RJCT."""

    original: str
    function: str
    instruction_id: str
    status: str
    reason: str


def document_of_ask(ask: SessionAsk, now: datetime) -> Branch:
    """The Document of an admn.001."""
    return {
        "AdmnReq": {
            "GrpHdr": {"MsgId": ask.message_id, "CreDtTm": instant_text(now)},
            "AdmnTx": {
                "FnctnCd": ask.function,
                "InstrId": ask.instruction_id,
                "InstgAgt": agent(ask.bank),
            },
        }
    }


def read_ask(document: Branch) -> SessionAsk:
    """The question in an admn.001 that keeps its schema."""
    body = at(document, "AdmnReq")
    return SessionAsk(
        message_id=text(body, "GrpHdr", "MsgId"),
        function=text(body, "AdmnTx", "FnctnCd"),
        instruction_id=text(body, "AdmnTx", "InstrId"),
        bank=bic_of(body, "AdmnTx", "InstgAgt"),
    )


def document_of_answer(answer: SessionAnswer, message_id: str, now: datetime) -> Branch:
    """The Document of an admn.002."""
    return {
        "AdmnRspn": {
            "GrpHdr": {"MsgId": message_id, "CreDtTm": instant_text(now)},
            "OrgnlGrpInf": {"OrgnlMsgId": answer.original, "OrgnlMsgNmId": ASK},
            "AdmnTx": {
                "FnctnCd": answer.function,
                "OrgnlInstrId": answer.instruction_id,
                "TxSts": answer.status,
                "StsRsnInf": {"Prtry": answer.reason},
            },
        }
    }


def read_answer(document: Branch) -> SessionAnswer:
    """The answer in an admn.002 that keeps its schema."""
    body = at(document, "AdmnRspn")
    return SessionAnswer(
        original=text(body, "OrgnlGrpInf", "OrgnlMsgId"),
        function=text(body, "AdmnTx", "FnctnCd"),
        instruction_id=text(body, "AdmnTx", "OrgnlInstrId"),
        status=text(body, "AdmnTx", "TxSts"),
        reason=text(body, "AdmnTx", "StsRsnInf", "Prtry"),
    )
