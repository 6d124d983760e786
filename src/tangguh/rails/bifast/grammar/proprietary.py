"""The messages of the scheme itself: proxies (prxy), network (admn), and what it adds to pacs.008.

ISO 20022 knows none of them. Names and codes of ``prxy`` as seen in public BI-FAST code; the inside
of ``admn`` and its function codes are our own proposal, since only their purpose is public.
In a plan below, ``!`` marks a required part; nothing repeats.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from tangguh.core.errors import Misconfigured
from tangguh.rails.bifast.grammar.schema import Group, Leaf, Part, Schema, Shape
from tangguh.rails.bifast.grammar.standard import NAMESPACE

SIGN_ON: Final = "001"
SIGN_OFF: Final = "002"
ECHO: Final = "301"

ACCOUNT_TYPES: Final = frozenset({"CACC", "SVGS", "LOAN", "CCRD", "UESB", "OTHR"})
REGISTRATIONS: Final = frozenset({"NEWR", "AMND", "DEAC", "SUSP", "SUSB", "ACTV", "ACTB", "PORT"})
PROXY_TYPES: Final = frozenset({"01", "02", "03"})
"""01 mobile number (62...), 02 e-mail address, 03 IPT id."""

_TEXT_35: Final = Leaf(length_min=1, length_max=35)
_TEXT_140: Final = Leaf(length_min=1, length_max=140)
_INSTANT: Final = Leaf(form="instant")
_BIC: Final = Leaf(pattern=r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}")
_AGENT: Final = {"FinInstnId!": {"Othr!": {"Id!": _BIC}}}
_ACCOUNT: Final = {
    "Id!": {"Othr!": {"Id!": Leaf(length_min=1, length_max=34)}},
    "Tp!": {"Prtry!": Leaf(values=ACCOUNT_TYPES)},
    "Nm": _TEXT_140,
}
_HEADER: Final = {"MsgId!": _TEXT_35, "CreDtTm!": _INSTANT}
_FROM: Final = {**_HEADER, "MsgSndr!": {"Agt!": _AGENT}}
_TO: Final = {**_HEADER, "MsgRcpt": {"Agt!": _AGENT}}
_PROXY_TYPE: Final = Leaf(values=PROXY_TYPES)
_PROXY: Final = {"Tp!": _PROXY_TYPE, "Val!": _TEXT_140}
_SECOND_ID: Final = {"Tp!": Leaf(values=frozenset({"01", "02"})), "Val!": _TEXT_35}
_CODE: Final = Leaf(pattern=r"[A-Z0-9]{4}")
_STATUS: Final = Leaf(values=frozenset({"ACTC", "RJCT"}))
_REASON: Final = {"Prtry!": _CODE}
_ORIGINAL: Final = {
    "OrgnlMsgId!": _TEXT_35,
    "OrgnlMsgNmId!": _TEXT_35,
    "OrgnlCreDtTm": _INSTANT,
}
_PERSON: Final = {
    "Tp": Leaf(values=frozenset({"01", "02", "03", "04", "99"})),
    "RsdntSts": Leaf(values=frozenset({"01", "02"})),
    "TwnNm": Leaf(pattern=r"\d{4}"),
}
_REGISTERED: Final = {
    "RegnId": _TEXT_35,
    "DsplNm": _TEXT_140,
    "Agt!": _AGENT,
    "Acct!": _ACCOUNT,
}

_PLANS: Final[dict[str, dict[str, Any]]] = {
    "prxy.001.001.01": {
        "PrxyRegn!": {
            "GrpHdr!": _FROM,
            "Regn!": {
                "RegnTp!": Leaf(values=REGISTRATIONS),
                "Prxy!": _PROXY,
                "PrxyRegn!": {**_REGISTERED, "ScndId": _SECOND_ID},
            },
        }
    },
    "prxy.002.001.01": {
        "PrxyRegnRspn!": {
            "GrpHdr!": _TO,
            "OrgnlGrpInf!": _ORIGINAL,
            "RegnRspn!": {
                "PrxRspnSts!": _STATUS,
                "StsRsnInf!": _REASON,
                "RegnId": _TEXT_35,
                "OrgnlRegnTp": Leaf(values=REGISTRATIONS),
                "Prxy": _PROXY,
                "PrxyRegn": {name.rstrip("!"): inner for name, inner in _REGISTERED.items()},
            },
        }
    },
    "prxy.003.001.01": {
        "PrxyLookUp!": {
            "GrpHdr!": _FROM,
            "LookUp!": {
                "PrxyOnly!": {
                    "LkUpTp!": Leaf(values=frozenset({"PXRS", "CHCK", "NMEQ"})),
                    "Id!": _TEXT_35,
                    "PrxyRtrvl!": _PROXY,
                }
            },
        }
    },
    "prxy.004.001.01": {
        "PrxyLookUpRspn!": {
            "GrpHdr!": _TO,
            "OrgnlGrpInf!": _ORIGINAL,
            "LkUpRspn!": {
                "OrgnlId!": _TEXT_35,
                "OrgnlPrxyRtrvl!": _PROXY,
                "RegnRspn!": {
                    "PrxRspnSts!": _STATUS,
                    "StsRsnInf!": _REASON,
                    "Regn": _REGISTERED,
                    "OrgnlRegnTp": Leaf(values=REGISTRATIONS),
                },
            },
        }
    },
    "admn.001.001.01": {
        "AdmnReq!": {
            "GrpHdr!": _HEADER,
            "AdmnTx!": {
                "FnctnCd!": Leaf(values=frozenset({SIGN_ON, SIGN_OFF, ECHO})),
                "InstrId!": _TEXT_35,
                "InstgAgt!": _AGENT,
            },
        }
    },
    "admn.002.001.01": {
        "AdmnRspn!": {
            "GrpHdr!": _HEADER,
            "OrgnlGrpInf!": _ORIGINAL,
            "AdmnTx!": {
                "FnctnCd!": Leaf(values=frozenset({SIGN_ON, SIGN_OFF, ECHO})),
                "OrgnlInstrId!": _TEXT_35,
                "TxSts!": _STATUS,
                "StsRsnInf!": _REASON,
            },
        }
    },
    "supplementary": {
        "Dtl!": {"Dbtr": _PERSON, "Cdtr": _PERSON, "RltdEndToEndId": _TEXT_35},
    },
}
PROPRIETARY: Final = frozenset(_PLANS) - {"supplementary"}
SUPPLEMENTARY: Final = "supplementary"
"""Not a message: what BI-FAST puts under ``SplmtryData.Envlp`` of a pacs.008."""


@cache
def schema_of(definition: str) -> Schema:
    """The schema of one message of the scheme. Raises Misconfigured for any other name."""
    plan = _PLANS.get(definition)
    if plan is None:
        raise Misconfigured(f"no schema of {definition}")
    shapes: dict[str, Shape] = {}
    _add("Document", plan, shapes)
    return Schema(namespace=NAMESPACE + definition, root="Document", shapes=shapes)


def _add(kind: str, plan: dict[str, Any], shapes: dict[str, Shape]) -> None:
    parts: dict[str, Part] = {}
    for marked, inner in plan.items():
        name = marked.rstrip("!")
        inner_kind = f"{kind}.{name}"
        if isinstance(inner, Leaf):
            shapes[inner_kind] = inner
        else:
            _add(inner_kind, inner, shapes)
        parts[name] = Part(name=name, kind=inner_kind, required=marked.endswith("!"))
    shapes[kind] = Group(parts=parts)
