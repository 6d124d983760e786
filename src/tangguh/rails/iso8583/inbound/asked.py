"""The switch's own requests read into facts, and the answers that carry more than a code.

For whoever decides (the handler of a rail or a door): nothing here knows an account of ours.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.core.money import Money
from tangguh.rails.iso8583 import codes, required
from tangguh.rails.iso8583.fields import ASCII, Dialect, amount_text
from tangguh.rails.iso8583.inbound.money import (
    SumsSaid,
    charged_in,
    dispensed_in,
    paid_out_in,
    sums_in,
)
from tangguh.rails.iso8583.inbound.original import settled_name
from tangguh.rails.iso8583.message import Message, masked_pan, reply_to
from tangguh.rails.rail import Incoming

_NAME, _REFERENCE = 30, 16
_AVAILABLE: Final = "1002360"
"""DE54: savings account (10), available balance (02), rupiah."""


class CardAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What a card wants at a terminal. ``kind`` is DE3's first two digits (``required``).

    ``reference``: its name for ever (``original``); ``settled``: its name in the settlement file.
    ``money`` is nothing where nothing is to move; ``paid_out``: what came out where that was other
    money than rupiah. ``advice``: it has happened already (0220), and ``code`` is how it ended.
    """

    reference: str
    settled: str
    kind: str
    pan: str
    pin_block: str
    new_pin_block: str
    money: Money
    terminal: str
    acquirer: str
    location: str
    trace: str
    rrn: str
    data: str
    advice: bool
    code: str
    merchant: str
    paid_out: str

    def __repr__(self) -> str:
        return f"CardAsked({self.kind}, {masked_pan(self.pan)}, {self.reference})"


class ReversalAsked(msgspec.Struct, frozen=True, kw_only=True):
    """An original that shall not have happened, or only for ``dispensed``.

    ``original`` is the name it had or will have when it comes late. The rest is what it says of the
    original, to be compared with it; empty: not said.
    """

    original: str
    kind: str
    pan: str
    dispensed: Money
    sums: SumsSaid
    terminal: str
    merchant: str
    payer: str
    payee: str

    def __repr__(self) -> str:
        return f"ReversalAsked({self.kind}, {masked_pan(self.pan)}, {self.original})"


def card_in(message: Message, reference: str, dialect: Dialect = ASCII) -> CardAsked | None:
    """A 0200 or 0220 of a card; None when its amounts make no sense."""
    money = charged_in(message, dialect) if message.get(4) else Money(0)
    if money is None:
        return None
    return CardAsked(
        reference=reference,
        settled=settled_name(message),
        kind=required.kind_of(message),
        pan=_card_in(message),
        pin_block=message.get(52),
        new_pin_block=message.get(53),
        money=money,
        terminal=message.get(41).strip(),
        acquirer=message.get(32),
        location=message.get(43).strip(),
        trace=message.get(11),
        rrn=message.get(37),
        data=message.get(48),
        advice=message.mti[:3] == "022",
        code=message.get(39),
        merchant=message.get(42).strip(),
        paid_out=paid_out_in(message) if message.get(4) else "",
    )


def credit_in(
    message: Message, reference: str, service: str, dialect: Dialect = ASCII
) -> Incoming | None:
    """A 0200 401000 to an account of ours; None when it is no such message.

    ``reference`` is its name for ever: the rail's name, then the network's.
    """
    money = charged_in(message, dialect)
    if required.kind_of(message) != required.TRANSFER or money is None or not message.get(103):
        return None
    told = message.get(48)
    rail, _, named = reference.partition(":")
    return Incoming(
        rail=rail,
        service=service,
        reference=named,
        settled_as=settled_name(message),
        creditor=message.get(103),
        amount_minor=money.minor,
        currency=money.currency,
        sender_name=told[_NAME + _REFERENCE :].strip(),
        sender_bank=message.get(32),
        sender_account=message.get(102),
        note=told[_NAME : _NAME + _REFERENCE].strip(),
    )


def reversal_in(
    message: Message, original: str | None, dialect: Dialect = ASCII
) -> ReversalAsked | None:
    """A 0400, 0420 or a repeat of it, of the original it names; None when it makes no sense."""
    dispensed = dispensed_in(message, dialect)
    if message.mti[1] != "4" or original is None or dispensed is None:
        return None
    return ReversalAsked(
        original=original,
        kind=required.kind_of(message),
        pan=_card_in(message),
        dispensed=dispensed,
        sums=sums_in(message),
        terminal=message.get(41).strip(),
        merchant=message.get(42).strip(),
        payer=message.get(102).strip(),
        payee=message.get(103).strip(),
    )


def name_answer(request: Message, name: str) -> Message:
    """Yes to an inquiry: the account's name in DE48."""
    plain = "".join(letter if " " <= letter <= "~" else "?" for letter in name)
    return reply_to(request, codes.APPROVED, {48: f"{plain:<{_NAME}.{_NAME}}{'':46}"})


def balance_answer(request: Message, balance_minor: int, dialect: Dialect = ASCII) -> Message:
    """Yes to a balance inquiry: what is available, in DE54."""
    amount = amount_text(abs(balance_minor), dialect)
    if amount is None:
        return reply_to(request, codes.MALFUNCTION)
    sign = "C" if balance_minor >= 0 else "D"
    return reply_to(request, codes.APPROVED, {54: f"{_AVAILABLE}{sign}{amount}"})


def _card_in(message: Message) -> str:
    """The card's number: DE2, or what the stripe says of it."""
    return message.get(2) or message.get(35).replace("D", "=").partition("=")[0]
