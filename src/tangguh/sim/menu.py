"""What the networks' page offers: each network's name, what it speaks, its faults, its own acts.

A fault is offered where it changes something. "Loses its replies" and "loses requests" are about
money: they strike what pays and what asks about a payment, so that nothing is known until they end.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.demo.neighbours import WALLETS
from tangguh.sim import faults
from tangguh.sim.faults import AnyFault

RUPIAH, TEXT = "rupiah", "text"
"""What is typed into a field: an amount without its sen, or anything."""


class Offer(msgspec.Struct, frozen=True):
    """One fault to choose."""

    words: str
    fault: AnyFault


class Field(msgspec.Struct, frozen=True):
    """One thing an act needs. ``value`` is there to begin with; ``hint`` says where to find it."""

    name: str
    label: str
    kind: str = TEXT
    value: str = ""
    hint: str = ""


class Act(msgspec.Struct, frozen=True):
    """Something the network does of its own accord."""

    what: str
    words: str
    fields: tuple[Field, ...]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One network as the page shows it."""

    title: str
    speaks: str
    offers: tuple[Offer, ...]
    acts: tuple[Act, ...] = ()


def words_of(fault: AnyFault) -> str:
    """What a fault does, as one says it."""
    match fault:
        case faults.Down():
            return "refuses connections"
        case faults.DropRequest():
            return "loses requests: nothing is carried out, nobody answers"
        case faults.DropReply():
            return "loses its replies: carried out, nobody hears of it"
        case faults.Late(carried_out="late"):
            return f"carries out and answers {fault.seconds:g} s late"
        case faults.Late():
            return f"answers {fault.seconds:g} s late"
        case faults.Twice():
            return "says everything twice"
        case faults.Decline():
            return "says no"
        case faults.Pending(becomes="failed"):
            return f"says “in progress”, fails after {fault.seconds:g} s"
        case faults.Pending():
            return f"says “in progress”, pays after {fault.seconds:g} s"
        case faults.Crawl():
            return f"answers a byte every {fault.seconds_per_byte:g} s"
        case faults.Lie(books="failed"):
            return "lies: says yes, its books say no"
        case faults.Lie():
            return "lies: says no, its books say yes"
        case faults.Garbage():
            return "answers with what nobody can read"


def _offers(money: tuple[str, ...], *more: AnyFault) -> tuple[Offer, ...]:
    chosen: tuple[AnyFault, ...] = (
        faults.DropReply(services=money),
        faults.DropRequest(services=money),
        faults.Down(),
        faults.Late(seconds=20),
        *more,
    )
    return tuple(Offer(words_of(one), one) for one in chosen)


_DECIDES: Final[tuple[AnyFault, ...]] = (
    faults.Late(seconds=20, carried_out="late"),
    faults.Decline(),
    faults.Pending(),
    faults.Crawl(),
    faults.Lie(books="failed"),
    faults.Lie(books="paid"),
    faults.Garbage(),
)
_AMOUNT: Final = Field("amount_minor", "Rupiah", RUPIAH, "50000")
_ACCOUNT: Final = Field("account", "Account at our bank", hint="as the guide shows it")

PLACES: Final[dict[str, Place]] = {
    "qris": Place(
        title="QRIS switch",
        speaks="SNAP",
        offers=_offers(("50", "51", "77", "78"), faults.Twice(), *_DECIDES),
        acts=(
            Act(
                "pay",
                "A visitor pays one of our shops",
                (Field("payload", "The shop's code", hint="from the guide"), _AMOUNT),
            ),
            Act(
                "scan",
                "A shop elsewhere scans our customer's code",
                (Field("payload", "The customer's code", hint="from the app"), _AMOUNT),
            ),
        ),
    ),
    "bifast": Place(
        title="BI-FAST hub",
        speaks="ISO 20022",
        offers=_offers(("010", "110", "000", "sttl"), faults.Twice(), *_DECIDES),
        acts=(Act("credit", "Somebody elsewhere pays our customer", (_ACCOUNT, _AMOUNT)),),
    ),
    "cards": Place(
        title="Card switch",
        speaks="ISO 8583",
        offers=_offers(("40", "01", "0420"), faults.Twice(), *_DECIDES),
        acts=(
            Act(
                "withdraw",
                "Our card at another bank's machine",
                (Field("pan", "Card number"), Field("pin", "PIN"), _AMOUNT),
            ),
            Act("credit", "Somebody elsewhere pays our customer", (_ACCOUNT, _AMOUNT)),
        ),
    ),
    **{
        wallet: Place(title=title, speaks="SNAP", offers=_offers(("38", "39"), *_DECIDES))
        for wallet, title in zip(WALLETS, ("GoPay", "OVO", "DANA", "iSaku"), strict=True)
    },
    "billers": Place(
        title="Billers",
        speaks="SNAP virtual accounts",
        offers=_offers(("25", "26"), *_DECIDES),
        acts=(
            Act(
                "bill",
                "Write a fresh bill",
                (
                    Field("service", "Biller", value="88001", hint="88001 is a virtual account"),
                    Field("customer_no", "Customer number", value="0812000003"),
                    _AMOUNT,
                ),
            ),
        ),
    ),
    "transit": Place(
        title="Transit operator",
        speaks="taps and files over HTTP",
        offers=_offers((), faults.Twice(), faults.Garbage()),
        acts=(
            Act(
                "ride",
                "A card is tapped and rides",
                (Field("number", "Number of the card", hint="from the guide"),),
            ),
        ),
    ),
    "post": Place(
        title="Post",
        speaks="SMTP, and SMS over HTTP",
        offers=_offers(
            (),
            faults.Twice(),
            faults.Decline(case="55011"),
            faults.Lie(books="failed", services=("sms",)),
        ),
    ),
}
"""By the network's name, in the order of the page."""
