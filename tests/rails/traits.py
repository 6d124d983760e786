"""What each rail's network can do, so that the contract expects the right thing of it.

``lacks`` names what a network does not have, each with the reason. A test about such a point runs
for the rails that have it; another runs for those that lack it and says what they do instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

Point = Literal["inquiry", "cancel", "refund", "tip", "signed_answers", "undo", "part"]


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """One rail.

    ``inquiry``: the network can be asked what became of a payment. ``cancel``: a reversal forbids
    a payment that never came, for good. ``undo``: a reversal gives back what was paid. ``tip``: an
    order may carry one. ``part``: a payment may be made, or given back, in part.
    ``reversing``: the network's name of the operation a reversal goes out as. ``replayed``: what
    the network says of bytes it has seen before. ``amount`` is Rp600.000 as the answers write it,
    ``other_amount`` another sum in as many characters.
    """

    lacks: Mapping[Point, str]
    paying: str
    reversing: str
    replayed: bytes
    amount: bytes = b"600000.00"
    other_amount: bytes = b"300000.00"

    def has(self, point: Point) -> bool:
        """Whether the network has it."""
        return point not in self.lacks


_NO_CANCEL: Final = "SNAP has no cancel of it; what is unknown after the clock skew never was"
_NOT_SIGNED: Final = "SNAP answers carry no signature"
_TOO_LATE: Final = "what was paid stays paid; a reversal says so"
_BIFAST: Final = Traits(
    lacks={
        "cancel": "BI-FAST has nothing to cancel with: only not found twice, far apart, is a no",
        "refund": "a payee gives back by a transfer of their own (011)",
        "undo": _TOO_LATE,
        "part": "a credit transfer is whole or not at all",
    },
    paying="010",
    reversing="000",
    replayed=b"U149",
)

TRAITS: Final[dict[str, Traits]] = {
    "qris": Traits(
        lacks={
            "signed_answers": _NOT_SIGNED,
            "undo": _TOO_LATE,
            "part": "an MPM payment is whole; parts come back as refunds, tested there",
        },
        paying="50",
        reversing="77",
        replayed=b'"4095000"',
    ),
    "ewallet": Traits(
        lacks={
            "cancel": _NO_CANCEL,
            "refund": "wallets give nothing back by themselves",
            "tip": "a top-up has no tip",
            "signed_answers": _NOT_SIGNED,
            "undo": _TOO_LATE,
            "part": "a top-up is whole",
        },
        paying="38",
        reversing="39",
        replayed=b'"4093800"',
    ),
    "billers": Traits(
        lacks={
            "cancel": _NO_CANCEL,
            "refund": "a paid bill is the biller's to give back",
            "tip": "a bill has no tip",
            "signed_answers": _NOT_SIGNED,
            "undo": _TOO_LATE,
        },
        paying="25",
        reversing="26",
        replayed=b'"4092500"',
    ),
    "bifast_json": _BIFAST,
    "bifast_xml": _BIFAST,
    "iso8583": Traits(
        lacks={
            "inquiry": "card switches have no status inquiry: what was not answered is reversed",
            "refund": "card switches carry none",
        },
        paying="40",
        reversing="0420",
        replayed=b"0210",
        amount=b"000060000000",
        other_amount=b"000030000000",
    ),
}
"""Every rail with a far side. ``onus`` has none: it is in the tests about every rail."""


def having(point: Point) -> list[str]:
    """The rails that have it."""
    return [name for name, traits in TRAITS.items() if traits.has(point)]


def lacking(point: Point) -> list[str]:
    """The rails that lack it."""
    return [name for name, traits in TRAITS.items() if not traits.has(point)]
