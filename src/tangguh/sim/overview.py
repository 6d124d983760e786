"""What the networks' page shows of each: what is wrong, for how long, its books, whom it knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from tangguh.sim.faults import Dealt
from tangguh.sim.menu import PLACES, words_of
from tangguh.sim.network import Network
from tangguh.sim.passbook import TransferRow

_ROWS: Final = 12


class Row(msgspec.Struct, frozen=True):
    """One movement or message in a network's books. ``minor`` None: no money moves."""

    reference: str
    who: str
    state: str
    minor: int | None = None


class Known(msgspec.Struct, frozen=True):
    """Somebody or something the network knows. ``codes``: what can be scanned, by its label."""

    number: str
    name: str
    state: str = "open"
    minor: int | None = None
    codes: dict[str, str] = {}


class Wrong(msgspec.Struct, frozen=True):
    """One fault in force. ``seconds_left`` None: until it is healed."""

    words: str
    struck: int
    seconds_left: float | None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One network in the list."""

    name: str
    title: str
    speaks: str
    wrong: list[Wrong]
    asked: int


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One network whole: its line, where to call it, its books and whether they prove."""

    line: Line
    address: str
    holds: bool
    rows: list[Row]
    known: list[Known]


def line_of(name: str, dealt: Dealt) -> Line:
    """A network's line in the list."""
    place = PLACES[name]
    left = dealt.seconds_left or (None,) * len(dealt.faults)
    return Line(
        name=name,
        title=place.title,
        speaks=place.speaks,
        wrong=[
            Wrong(words_of(fault), struck, seconds)
            for fault, struck, seconds in zip(dealt.faults, dealt.struck, left, strict=True)
        ],
        asked=sum(dealt.asked.values()),
    )


def sheet_of(network: Network, dealt: Dealt, codes: Mapping[str, dict[str, str]]) -> Sheet:
    """Everything of one network. ``codes``: what its merchants show, by their number."""
    books = network.books({"limit": str(_ROWS)})
    return Sheet(
        line=line_of(network.name, dealt),
        address=network.address,
        holds=bool(network.prove().holds),
        rows=list(_rows(books)),
        known=list(_known(books, codes)),
    )


def _rows(books: Mapping[str, Any]) -> Iterable[Row]:
    """The newest movements, in whichever of the three makes of books they are."""
    names = {one.pan: one.name for one in books.get("merchants", ())}
    for one in books.get("payments", ()):
        who = names.get(one["merchant_pan"], "unknown")
        yield Row(one["reference"], who, one["state"], one["amount_minor"] + one["tip_minor"])
    rows: Iterable[TransferRow] = [*books.get("visitors", ()), *books.get("transfers", ())]
    people = {one.number: one.name for one in books.get("accounts", ())}
    for row in rows:
        who = people.get(row.account, row.account)
        yield Row(row.reference, who, row.state, row.amount_minor)
    for message in books.get("messages", ()):
        yield Row(message.reference, message.recipient, message.state)


def _known(books: Mapping[str, Any], codes: Mapping[str, dict[str, str]]) -> Iterable[Known]:
    for one in books.get("merchants", ()):
        yield Known(one.pan, one.name, minor=one.balance_minor, codes=codes.get(one.pan, {}))
    for one in books.get("accounts", ()):
        yield Known(one.number, one.name, one.state, one.balance_minor)
