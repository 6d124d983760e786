"""What must be there: the elements each kind of message cannot do without.

A kind is the message type and, for financial messages, the first two digits of DE3. Source: the
public field lists of ATM and transfer messages named in README.md.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from tangguh.rails.iso8583.message import Finding, Message

CASH: Final = "01"
BALANCE: Final = "31"
PURCHASE: Final = "00"
TRANSFER_INQUIRY: Final = "39"
TRANSFER: Final = "40"
BILL_INQUIRY: Final = "38"
BILL: Final = "50"
PIN_CHANGE: Final = "92"
CARDLESS: Final = "94"
"""Cash without a card: our own terminals only. 94 is ours, the lists give it no meaning."""

_TRACE: Final = (7, 11)
_FINANCIAL: Final = (3, 7, 11, 12, 13, 32, 37, 41, 49)
_TERMINAL: Final = (18, 42, 43)

_REQUESTS: Final[dict[str, tuple[int, ...]]] = {
    CASH: (*_FINANCIAL, *_TERMINAL, 4, 52),
    PURCHASE: (*_FINANCIAL, *_TERMINAL, 4),
    BALANCE: (*_FINANCIAL, *_TERMINAL, 52),
    "30": (*_FINANCIAL, *_TERMINAL),
    TRANSFER_INQUIRY: (*_FINANCIAL, 4, 102, 103, 127),
    BILL_INQUIRY: (*_FINANCIAL, 48),
    BILL: (*_FINANCIAL, 4, 48),
    PIN_CHANGE: (*_FINANCIAL, 52, 53),
    CARDLESS: (*_FINANCIAL, 4, 48),
}
_TRANSFER_BETWEEN_BANKS: Final = (*_FINANCIAL, 4, 48, 100, 102, 103, 127)
_TRANSFER_INSIDE: Final = (*_FINANCIAL, 4, 102, 103)
_BY_CARD: Final = frozenset((CASH, PURCHASE, BALANCE, PIN_CHANGE))

_OTHERS: Final[dict[str, tuple[int, ...]]] = {
    "0210": (3, 7, 11, 32, 37, 39),
    "0110": (3, 7, 11, 32, 37, 39),
    "0220": (3, 4, 7, 11, 32, 37, 39, 41, 49),
    "0230": (7, 11, 32, 37, 39),
    "0400": (3, 4, 7, 11, 32, 37, 41, 90),
    "0410": (7, 11, 32, 37, 39),
    "0420": (3, 4, 7, 11, 32, 37, 41, 90),
    "0430": (7, 11, 32, 37, 39),
    "0800": (*_TRACE, 70),
    "0810": (*_TRACE, 39, 70),
}


def kind_of(message: Message) -> str:
    """The first two digits of DE3: what is wanted."""
    return message.get(3)[:2]


def needed_in(message: Message) -> tuple[int, ...]:
    """The elements this kind of message must hold, in ascending order."""
    return _needed(message.mti[:3] + "0", message.get(3)[:4])


@lru_cache(maxsize=1024)
def _needed(first_of_its_kind: str, processing: str) -> tuple[int, ...]:
    if first_of_its_kind not in ("0100", "0200"):
        return tuple(sorted(_OTHERS.get(first_of_its_kind, _TRACE)))
    kind = processing[:2]
    if kind == TRANSFER:
        between_banks = processing[2:] == "10"
        return tuple(sorted(_TRANSFER_BETWEEN_BANKS if between_banks else _TRANSFER_INSIDE))
    return tuple(sorted(_REQUESTS.get(kind, _FINANCIAL)))


def judge(message: Message) -> tuple[Finding, ...]:
    """What is missing from a message whose fields are well formed."""
    findings = [
        Finding(str(number), "missing")
        for number in needed_in(message)
        if number not in message.fields
    ]
    asks = message.mti[:3] + "0" in ("0100", "0200")
    if asks and kind_of(message) in _BY_CARD and not (message.get(2) or message.get(35)):
        findings.append(Finding("2", "missing", "a card: DE2 or DE35"))
    pan, track = message.get(2), message.get(35)
    if pan and track and track.replace("D", "=").partition("=")[0] != pan:
        findings.append(Finding("35", "other_card", "track 2 is not of the card in DE2"))
    return tuple(findings)
