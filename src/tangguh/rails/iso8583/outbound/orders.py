"""The messages we send to the switch: inquiry, transfer, withdrawal and their reversals.

Built from an instruction alone, so that a reversal names its original in the same words from any
process. Field lists and the layout of DE48 are those of the golden messages in README.md.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, time
from typing import Final

import msgspec

from tangguh.core.money import IDR
from tangguh.core.order import ToBank, ToCash
from tangguh.rails.iso8583 import codes
from tangguh.rails.iso8583.fields import ASCII, Dialect, amount_text
from tangguh.rails.iso8583.message import Message
from tangguh.rails.iso8583.trace import (
    Trace,
    named_in,
    original_elements,
    reversal_stan_of,
    times_of,
    trace_of,
)
from tangguh.rails.rail import Asked, Instruction

TRANSFER_INQUIRY: Final = "391000"
TRANSFER: Final = "401000"
WITHDRAWAL: Final = "011000"
ATM_CHANNEL: Final = "6011"
MOBILE_CHANNEL: Final = "6019"

_IDR_NUMERIC: Final = "360"
_ENTRY_BY_CARD: Final = "021"
_NAME, _REFERENCE = 30, 16
_ACCOUNT_DIGITS: Final = 10
_RRN: Final = 12
_NNS_BEGINS: Final = "9360"
_FULL_REVERSAL: Final = "0" * 42


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. ``institution`` is DE32, ``terminal`` DE41, ``acceptor`` DE42 (15), ``location``
    DE43 (25 name, 13 city, 2 country) of a payment that comes from no terminal.
    """

    institution: str
    pan_prefix: str
    terminal: str = "APP00001"
    acceptor: str = ""
    location: str = ""
    cut_over: time = time(23, 0)
    dialect: Dialect = ASCII


class CardData(msgspec.Struct, frozen=True, kw_only=True):
    """What a foreign card says at our terminal: never written down, gone after the send.

    ``pin_block`` under the key named ``pin_key``.
    """

    pan: str
    track_2: str
    pin_block: str
    pin_key: str

    def __repr__(self) -> str:
        return "CardData(...)"


def location_of(name: str, city: str, country: str = "ID") -> str:
    """DE43, 40 characters."""
    return f"{_plain(name, 25)}{_plain(city, 13)}{country}"


def account_pan(prefix: str, account: int) -> str:
    """A card number for an account without a card: prefix (8), account (10), check digit."""
    digits = f"{prefix}{account % 10**_ACCOUNT_DIGITS:0{_ACCOUNT_DIGITS}d}"
    return digits + check_digit(digits)


def check_digit(digits: str) -> str:
    """Luhn's, for the digits before it (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return str(-total % 10)


def transfer_inquiry(origin: Origin, asked: Asked, payee: ToBank, trace: Trace) -> Message | None:
    """0200 391000: whose account is it? None: the amount cannot be said on this link."""
    fields = _transfer_fields(origin, payee, asked.debtor_account, MOBILE_CHANNEL)
    fields[2] = account_pan(origin.pan_prefix, asked.debtor_account)
    return _financial(origin, TRANSFER_INQUIRY, trace, asked.amount_minor, fields)


def transfer(origin: Origin, instruction: Instruction, pan: str) -> Message | None:
    """0200 401000: pay it. None: this instruction cannot be said on this link."""
    payee = instruction.payee
    if not isinstance(payee, ToBank) or instruction.currency != IDR:
        return None
    fields = _transfer_fields(origin, payee, instruction.debtor_account, _channel_of(instruction))
    fields[2] = pan
    fields[48] = (
        _plain(payee.name, _NAME)
        + _plain(instruction.reference[-_REFERENCE:], _REFERENCE)
        + _plain(instruction.debtor_name, _NAME)
    )
    return _financial(origin, TRANSFER, trace_for(instruction), _sum_of(instruction), fields)


def withdrawal(
    origin: Origin, instruction: Instruction, card: CardData, pin_block: str
) -> Message | None:
    """0200 011000: banknotes at our terminal for another bank's card. ``pin_block`` under ZPK."""
    payee = instruction.payee
    if not isinstance(payee, ToCash) or instruction.currency != IDR:
        return None
    fields = _terminal_fields(origin, payee, card.pan)
    fields[35] = card.track_2
    fields[52] = pin_block
    return _financial(origin, WITHDRAWAL, trace_for(instruction), _sum_of(instruction), fields)


def reversal(
    origin: Origin,
    instruction: Instruction,
    pan: str,
    at: datetime,
    *,
    repeat: bool,
    dispensed_minor: int = 0,
) -> Message | None:
    """0420, or 0421 when it was sent before: the original shall not have happened.

    ``dispensed_minor`` above zero: only that much has. STAN, DE37 and DE90 never change.
    """
    payee = instruction.payee
    if isinstance(payee, ToBank):
        channel = _channel_of(instruction)
        fields = _transfer_fields(origin, payee, instruction.debtor_account, channel)
        fields[2], kind = pan, TRANSFER
    elif isinstance(payee, ToCash):
        fields, kind = _terminal_fields(origin, payee, pan), WITHDRAWAL
    else:
        return None
    original = trace_for(instruction)
    trace = Trace(at, reversal_stan_of(instruction.payment_id), original.rrn)
    message = _financial(origin, kind, trace, _sum_of(instruction), fields)
    dispensed = amount_text(dispensed_minor, origin.dialect)
    if message is None or dispensed is None:
        return None
    more = {
        22: "",
        39: codes.PARTIAL if dispensed_minor else codes.LATE,
        90: original_elements(
            "0200", original.stan, times_of(original.at, origin.cut_over)[7], origin.institution
        ),
        95: dispensed.ljust(len(_FULL_REVERSAL), "0") if dispensed_minor else _FULL_REVERSAL,
    }
    return Message("0421" if repeat else "0420", message.with_fields(more).fields)


def trace_for(instruction: Instruction) -> Trace:
    """The payment's own numbers. Cash keeps the reference number that its terminal gave.

    The book names its payments by their STAN of the day (``named``); an instruction it did not name
    so has numbers made of its payment id.
    """
    named = named_in(instruction.reference, instruction.accepted_at)
    trace = named or trace_of(instruction.payment_id, instruction.accepted_at)
    payee = instruction.payee
    if isinstance(payee, ToCash) and len(payee.rrn) == _RRN and payee.rrn.isdecimal():
        return trace._replace(rrn=payee.rrn)
    return trace


def name_in(answer: Message) -> str:
    """The payee's name as an inquiry's answer has it: the first thirty characters of DE48."""
    return answer.get(48)[:_NAME].strip()


def _financial(
    origin: Origin, kind: str, trace: Trace, minor: int, more: dict[int, str]
) -> Message | None:
    amount = amount_text(minor, origin.dialect)
    if amount is None:
        return None
    fields = {
        3: kind,
        4: amount,
        **times_of(trace.at, origin.cut_over),
        11: trace.stan,
        22: _ENTRY_BY_CARD,
        32: origin.institution,
        37: trace.rrn,
        49: _IDR_NUMERIC,
    }
    message = Message("0200", fields)
    return message.with_fields(more)


def _transfer_fields(origin: Origin, payee: ToBank, account: int, channel: str) -> dict[int, str]:
    return {
        18: channel,
        41: _plain(origin.terminal, 8),
        42: _acceptor_of(origin),
        43: origin.location or location_of("MOBILE", ""),
        100: payee.bank,
        102: str(account),
        103: payee.account,
        127: payee.bank,
    }


def _terminal_fields(origin: Origin, payee: ToCash, pan: str) -> dict[int, str]:
    issuer = pan[5:8] if pan.startswith(_NNS_BEGINS) else ""
    return {
        2: pan,
        18: ATM_CHANNEL,
        41: _plain(payee.terminal, 8),
        42: _acceptor_of(origin),
        43: _plain(payee.location, 38) + "ID",
        100: issuer,
    }


def _acceptor_of(origin: Origin) -> str:
    return origin.acceptor or f"{origin.institution:0<3}{1:012d}"


def _channel_of(instruction: Instruction) -> str:
    return ATM_CHANNEL if instruction.service.startswith("atm.") else MOBILE_CHANNEL


def _sum_of(instruction: Instruction) -> int:
    return instruction.amount_minor + instruction.tip_minor


def _plain(text: str, width: int) -> str:
    """Printable ASCII of exactly that width: accents go, what has no letter there becomes ``?``."""
    bare = unicodedata.normalize("NFKD", text)
    letters = "".join(
        character if " " <= character <= "~" else "?"
        for character in bare
        if not unicodedata.combining(character)
    )
    return letters[:width].ljust(width)
