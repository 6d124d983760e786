"""The one place where an amount of a card message and its currency become Money. Pure.

An element that says how much means nothing without the one that says of what: DE4 with DE49 is
what the terminal pays out or takes, DE5 with DE50 what is settled, DE6 with DE51 what the account
is charged (ISO 8583:1987). The account here is in rupiah, so rupiah is what must be charged.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.core.money import Money
from tangguh.rails.iso8583.fields import Dialect, minor_of
from tangguh.rails.iso8583.message import Message

IDR_NUMERIC: Final = "360"
"""ISO 4217."""
_AMOUNT_DIGITS: Final = 12
_TRANSACTION, _SETTLED, _BILLED = (4, 49), (5, 50), (6, 51)


def charged_in(message: Message, dialect: Dialect) -> Money | None:
    """What a request or advice charges (or brings) the account; None when its elements disagree.

    The billing amount where there is one, else the transaction's own. Whoever decides compares the
    currency: of another one than rupiah only its number is told. An amount whose currency is not
    said is None, as are two sums of rupiah that differ.
    """
    said = {}
    for pair in (_TRANSACTION, _SETTLED, _BILLED):
        amount, unit = message.get(pair[0]), message.get(pair[1])
        if amount or (unit and pair != _TRANSACTION):
            money = _money(amount, unit, dialect)
            if money is None:
                return None
            said[pair] = money
    charged = said.get(_BILLED) or said.get(_TRANSACTION)
    if charged is None or _TRANSACTION not in said:
        return None
    differs = any(m.currency == charged.currency and m != charged for m in said.values())
    return None if differs else charged


def is_in_rupiah(message: Message) -> bool:
    """Whether nothing in it is in any other money: for terminals that hold rupiah only."""
    return all(message.get(unit) in {"", IDR_NUMERIC} for _, unit in (_TRANSACTION, _BILLED))


def dispensed_in(message: Message, dialect: Dialect) -> Money | None:
    """What of a reversed original did take place (DE95); None when that cannot be said in rupiah.

    Nothing where DE95 is absent or zeros. The first twelve digits are in the currency of DE49 (or
    of the original where that is absent), the second twelve in that of DE50.
    """
    replaced = message.get(95)
    if not replaced.strip("0CD"):
        return Money(0)
    unit = message.get(49)
    if unit in {"", IDR_NUMERIC}:
        minor = minor_of(replaced[:_AMOUNT_DIGITS], dialect)
    elif message.get(50) == IDR_NUMERIC:
        minor = minor_of(replaced[_AMOUNT_DIGITS : 2 * _AMOUNT_DIGITS], dialect)
    else:
        minor = None
    return Money(minor) if minor is not None else None


class SumsSaid(msgspec.Struct, frozen=True, kw_only=True):
    """The sums a reversal repeats of its original, as they came: figure and currency's number."""

    paid_out: str
    unit: str
    settled: str
    settled_unit: str
    billed: str
    billed_unit: str
    replaced: str


def sums_in(message: Message) -> SumsSaid:
    """What a reversal says of money, without reading any of it."""
    return SumsSaid(
        paid_out=message.get(4),
        unit=message.get(49),
        settled=message.get(5),
        settled_unit=message.get(50),
        billed=message.get(6),
        billed_unit=message.get(51),
        replaced=message.get(95)[:_AMOUNT_DIGITS],
    )


def paid_out_in(message: Message) -> str:
    """DE4 and DE49 in a row where another money than rupiah comes out; empty for rupiah."""
    unit = message.get(49)
    return "" if unit == IDR_NUMERIC else f"{message.get(4)}{unit}"


def differing_sum(
    said: SumsSaid, of_original: Money, dispensed: Money, paid_out: str, dialect: Dialect
) -> str:
    """What a reversal says of money otherwise than its original: ``amount``, ``currency`` or empty.

    ``of_original``: what the account was charged. A figure agrees when it is the original's, or
    what is left of it to go back where DE95 says how much came out. ``paid_out``: ``paid_out_in``
    of the original.
    """
    unit = paid_out[_AMOUNT_DIGITS:] or IDR_NUMERIC
    if said.unit not in {"", unit}:
        return "currency"
    if paid_out and not said.unit and said.replaced.strip("0CD"):
        return "currency"  # how much came out is then said in no currency
    if paid_out:
        whole, out = int(paid_out[:_AMOUNT_DIGITS]), int(said.replaced or 0)
        if int(said.paid_out) not in {whole, whole - out}:
            return "amount"
    if said.billed and said.billed_unit not in {"", IDR_NUMERIC}:
        return "currency"
    in_rupiah = (
        "" if paid_out else said.paid_out,
        said.settled if said.settled_unit == IDR_NUMERIC else "",
        said.billed,
    )
    right = {of_original.minor, of_original.minor - dispensed.minor}
    wrong = any(minor_of(figure, dialect) not in right for figure in in_rupiah if figure)
    return "amount" if wrong else ""


def _money(amount: str, unit: str, dialect: Dialect) -> Money | None:
    if not amount or not unit:
        return None
    if unit != IDR_NUMERIC:
        return Money(int(amount), unit)
    minor = minor_of(amount, dialect)
    return Money(minor) if minor is not None else None
