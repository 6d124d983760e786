"""The switch's own requests read into facts, and the answers that carry more than a code.

For whoever decides (the handler of a rail or a door): nothing here knows an account of ours.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.core.money import IDR
from tangguh.rails.iso8583 import codes, required
from tangguh.rails.iso8583.fields import ASCII, Dialect, amount_text, minor_of
from tangguh.rails.iso8583.message import Message, masked_pan, reply_to
from tangguh.rails.rail import Incoming

_NAME, _REFERENCE = 30, 16
_AVAILABLE: Final = "1002360"
"""DE54: savings account (10), available balance (02), rupiah."""
_BALANCE_DIGITS: Final = 12


class CardAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What a card wants at a terminal. ``kind`` is DE3's first two digits (``required``).

    ``amount_minor`` 0 where nothing is to move. ``advice``: it has happened already (0220).
    """

    reference: str
    kind: str
    pan: str
    pin_block: str
    new_pin_block: str
    amount_minor: int
    terminal: str
    acquirer: str
    location: str
    trace: str
    rrn: str
    data: str
    advice: bool

    def __repr__(self) -> str:
        return f"CardAsked({self.kind}, {masked_pan(self.pan)}, {self.reference})"


class ReversalAsked(msgspec.Struct, frozen=True, kw_only=True):
    """An original that shall not have happened, or only for ``dispensed_minor``.

    ``original`` is the reference that the original had or will have when it comes late.
    """

    original: str
    kind: str
    amount_minor: int
    dispensed_minor: int


def reference_of(message: Message) -> str:
    """What a request is known by for ever: acquirer, DE7, STAN, DE37. The same on each copy."""
    return _reference(message.get(32), message.get(7), message.get(11), message.get(37))


def card_in(message: Message, dialect: Dialect = ASCII) -> CardAsked | None:
    """A 0200 or 0220 of a card; None when its amount is none."""
    amount = minor_of(message.get(4), dialect) if message.get(4) else 0
    if amount is None:
        return None
    track_pan = message.get(35).replace("D", "=").partition("=")[0]
    return CardAsked(
        reference=reference_of(message),
        kind=required.kind_of(message),
        pan=message.get(2) or track_pan,
        pin_block=message.get(52),
        new_pin_block=message.get(53),
        amount_minor=amount,
        terminal=message.get(41).strip(),
        acquirer=message.get(32),
        location=message.get(43).strip(),
        trace=message.get(11),
        rrn=message.get(37),
        data=message.get(48),
        advice=message.mti[:3] == "022",
    )


def credit_in(
    message: Message, rail: str, service: str, dialect: Dialect = ASCII
) -> Incoming | None:
    """A 0200 401000 to an account of ours; None when it is no such message."""
    amount = minor_of(message.get(4), dialect)
    if required.kind_of(message) != required.TRANSFER or amount is None or not message.get(103):
        return None
    told = message.get(48)
    return Incoming(
        rail=rail,
        service=service,
        reference=reference_of(message),
        creditor=message.get(103),
        amount_minor=amount,
        currency=IDR,
        sender_name=told[_NAME + _REFERENCE :].strip(),
        sender_bank=message.get(32),
        sender_account=message.get(102),
        note=told[_NAME : _NAME + _REFERENCE].strip(),
    )


def reversal_in(message: Message, dialect: Dialect = ASCII) -> ReversalAsked | None:
    """A 0400, 0420 or a repeat of it; None when its elements make no sense."""
    elements, amount = message.get(90), minor_of(message.get(4), dialect)
    replaced = message.get(95)[:_BALANCE_DIGITS] or "0" * _BALANCE_DIGITS
    dispensed = minor_of(replaced, dialect)
    if message.mti[1] != "4" or amount is None or dispensed is None or dispensed > amount:
        return None
    acquirer = elements[20:31].lstrip("0").zfill(len(message.get(32)))
    return ReversalAsked(
        original=_reference(acquirer, elements[10:20], elements[4:10], message.get(37)),
        kind=required.kind_of(message),
        amount_minor=amount,
        dispensed_minor=dispensed,
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


def _reference(acquirer: str, at: str, stan: str, rrn: str) -> str:
    return f"{acquirer}-{at}-{stan}-{rrn}"
