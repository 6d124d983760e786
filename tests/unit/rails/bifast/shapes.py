"""Messages as participants' middleware and its mock hub write them: one for each named oddity.

Written by us after the shapes of public code; every one must be read, and what it says must be what
``SAYS`` names.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any, Final

from tangguh.rails.bifast.grammar import codec
from tangguh.rails.bifast.message import tree_of
from unit.rails.bifast.papers import NOW, documents, whole

TRANSFER = "pacs.008.001.08"
REPORT = "pacs.002.001.10"
REQUEST = "pacs.028.001.04"
REJECT = "admi.002.001.01"
REGISTERED = "prxy.002.001.01"
LOOKED_UP = "prxy.004.001.01"
_ACCOUNT = {"Id": {"Othr": {"Id": "9980000001"}}, "Tp": {"Prtry": "SVGS"}, "Nm": "SARI"}
_AGENT = {"FinInstnId": {"Othr": {"Id": "UJIAIDJ1"}}}
_HEADER = {"MsgId": "M9", "CreDtTm": "2021-12-12T03:04:05.678Z"}
_ORIGINAL = {
    "OrgnlMsgId": "M4",
    "OrgnlMsgNmId": "prxy.003.001.01",
    "OrgnlCreDtTm": "2021-12-12T03:04:05.678Z",
}
_DONE = {"PrxRspnSts": "ACTC", "StsRsnInf": {"Prtry": "U000"}}
_FOUND = {"RegnId": "R77", "DsplNm": "SARI", "Agt": _AGENT, "Acct": _ACCOUNT}

Change = Callable[[Any], None]


def tree(definition: str, document: Any = None) -> dict[str, Any]:
    """The two parts of a message, for changing."""
    made = document if document is not None else copy.deepcopy(documents()[definition])
    return copy.deepcopy(tree_of(whole(definition, made)))


def as_json(definition: str, change: Change, document: Any = None) -> bytes:
    """A message in JSON with one thing changed."""
    parts = tree(definition, document)
    change(parts)
    return json.dumps({"BusMsg": parts}).encode()


def order_of(parts: Any) -> Any:
    return parts["Document"]["FIToFICstmrCdtTrf"]["CdtTrfTxInf"][0]


def report_of(parts: Any) -> Any:
    return parts["Document"]["FIToFIPmtStsRpt"]["TxInfAndSts"][0]


def _amount(value: Any) -> Change:
    def change(parts: Any) -> None:
        order_of(parts)["IntrBkSttlmAmt"]["Value"] = value

    return change


def _enquiry(parts: Any) -> None:
    order_of(parts)["PmtTpInf"]["CtgyPurp"]["Prtry"] = "51099"
    del order_of(parts)["DbtrAcct"]


def _in_order(**fields: Any) -> Change:
    def change(parts: Any) -> None:
        order_of(parts).update(fields)

    return change


def _proxy_type(parts: Any) -> None:
    order_of(parts)["CdtrAcct"]["Prxy"] = {"Tp": {"Prtry": ""}, "Id": ""}


def _nothing(_: Any) -> None:
    return


def _rooted(root: str) -> Change:
    def change(parts: Any) -> None:
        parts["Document"] = {root: parts["Document"].pop("admi.002.001.01")}

    return change


def _looked_up(**answer: Any) -> dict[str, Any]:
    return {
        "PrxyLookUpRspn": {
            "GrpHdr": _HEADER,
            "OrgnlGrpInf": _ORIGINAL,
            "LkUpRspn": {
                "OrgnlId": "M4",
                "OrgnlPrxyRtrvl": {"Tp": "01", "Val": "6281299980001"},
                "RegnRspn": {**_DONE, **answer},
            },
        }
    }


def _registered(**answer: Any) -> dict[str, Any]:
    return {
        "PrxyRegnRspn": {
            "GrpHdr": _HEADER,
            "OrgnlGrpInf": _ORIGINAL,
            "RegnRspn": {**_DONE, **answer},
        }
    }


def _one_report(parts: Any) -> None:
    report = parts["Document"]["FIToFIPmtStsRpt"]
    report["TxInfAndSts"] = report["TxInfAndSts"][0]
    report["OrgnlGrpInfAndSts"] = report["OrgnlGrpInfAndSts"][0]


def _number_of_payments(parts: Any) -> None:
    parts["Document"]["FIToFICstmrCdtTrf"]["GrpHdr"]["NbOfTxs"] = 1


def _nulls(parts: Any) -> None:
    order_of(parts).update(RmtInf=None, Purp=None, UltmtDbtr=None)
    parts["AppHdr"]["CpyDplct"] = None


def _booleans(parts: Any) -> None:
    parts["AppHdr"]["PssblDplct"] = False
    parts["Document"]["FIToFICstmrCdtTrf"]["GrpHdr"]["BtchBookg"] = True


def _xml(definition: str, swap: tuple[bytes, bytes]) -> bytes:
    made = codec.encode(tree(definition), "xml")
    assert swap[0] in made, made
    return made.replace(*swap, 1)


_XSI: Final = (
    b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x x.xsd"'
)

SHAPES: Final[dict[str, tuple[str, bytes]]] = {
    "an amount as a number": (TRANSFER, as_json(TRANSFER, _amount(1234500.5))),
    "a count as a number": (TRANSFER, as_json(TRANSFER, _number_of_payments)),
    "a whole amount as a number": (
        TRANSFER, as_json(TRANSFER, _amount(1234500)).replace(b"1234500,", b"1234500.50,"),
    ),
    "booleans": (TRANSFER, as_json(TRANSFER, _booleans)),
    "nulls": (TRANSFER, as_json(TRANSFER, _nulls)),
    "an empty note": (TRANSFER, as_json(TRANSFER, _in_order(RmtInf={"Ustrd": [""]}))),
    "no notes": (TRANSFER, as_json(TRANSFER, _in_order(RmtInf={"Ustrd": []}))),
    "a note without its list": (TRANSFER, as_json(TRANSFER, _in_order(RmtInf={"Ustrd": "kos"}))),
    "an empty proxy type": (TRANSFER, as_json(TRANSFER, _proxy_type)),
    "an enquiry without the asker's account": (TRANSFER, as_json(TRANSFER, _enquiry)),
    "one transfer without its list": (
        TRANSFER,
        as_json(
            TRANSFER,
            lambda parts: parts["Document"]["FIToFICstmrCdtTrf"].update(
                CdtTrfTxInf=order_of(parts)
            ),
        ),
    ),
    "supplementary data without its list": (
        TRANSFER,
        as_json(
            TRANSFER,
            lambda parts: order_of(parts).update(SplmtryData=order_of(parts)["SplmtryData"][0]),
        ),
    ),
    "a report without its lists": (REPORT, as_json(REPORT, _one_report)),
    "a report with empty parts": (
        REPORT,
        as_json(REPORT, lambda parts: report_of(parts).update(AccptncDtTm="", ChrgsInf=[])),
    ),
    "a request as it is": (REQUEST, as_json(REQUEST, _nothing)),
    "a reject under MessageReject": (REJECT, as_json(REJECT, _rooted("MessageReject"))),
    "a reject under MsgRjct": (REJECT, as_json(REJECT, _rooted("MsgRjct"))),
    "a registration with its verb and proxy": (
        REGISTERED,
        as_json(
            REGISTERED,
            _nothing,
            _registered(
                RegnId="R77", OrgnlRegnTp="NEWR", Prxy={"Tp": "01", "Val": "6281299980001"}
            ),
        ),
    ),
    "a registration with its number inside": (
        REGISTERED,
        as_json(REGISTERED, _nothing, _registered(PrxyRegn=[{"RegnId": "R77", "DsplNm": ""}])),
    ),
    "a look-up under PrxyRegn": (
        LOOKED_UP, as_json(LOOKED_UP, _nothing, _looked_up(PrxyRegn=[_FOUND])),
    ),
    "a look-up with its proxy again": (
        LOOKED_UP,
        as_json(
            LOOKED_UP,
            _nothing,
            _looked_up(Regn=_FOUND, Prxy={"Tp": "01", "Val": "6281299980001"}, OrgnlRegnTp=""),
        ),
    ),
    "where a schema lies, at the envelope": (
        TRANSFER, _xml(TRANSFER, (b"<BusMsg", b"<BusMsg" + _XSI)),
    ),
    "where a schema lies, at the document": (
        TRANSFER, _xml(TRANSFER, (b"<Document", b"<Document" + _XSI)),
    ),
    "where a schema lies, at the header": (REPORT, _xml(REPORT, (b"<AppHdr", b"<AppHdr" + _XSI))),
}  # fmt: skip

BARE: Final[dict[str, tuple[str, bytes]]] = {
    "a bare document in JSON": (
        TRANSFER, json.dumps({"Document": documents()[TRANSFER]}).encode(),
    ),
    "a bare reject under MessageReject": (
        REJECT,
        json.dumps(
            {"Document": {"MessageReject": documents()[REJECT]["admi.002.001.01"]}}
        ).encode(),
    ),
    "a bare document in XML": (
        TRANSFER,
        b"<?xml version='1.0'?>"
        + codec.encode(tree(TRANSFER), "xml").partition(b"</AppHdr>")[2].removesuffix(b"</BusMsg>"),
    ),
}  # fmt: skip
SAYS: Final = NOW
