"""The references networks know our payments by, made from a number of the day. Pure.

Two networks count for themselves: BI-FAST by an end-to-end id whose last eight characters are the
sequence, the card switch by STAN and RRN. The number comes from the book, so none is given twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from tangguh.core.order import PaymentOrder, ToBank, ToCash
from tangguh.rails.bifast.ids import business_number, kind_of
from tangguh.rails.iso8583.trace import STAN_VALUES, Trace, reference_number, settled_as

_RRN: Final = 12

Naming = Callable[[int, datetime, PaymentOrder], str]


def bifast_naming(bic: str) -> Naming:
    """EndToEndIds of this bank: date, BIC, type, channel and the number in eight digits."""

    def name(number: int, accepted_at: datetime, order: PaymentOrder) -> str:
        payee = order.payee if isinstance(order.payee, ToBank) else ToBank(bank="", account="")
        return business_number(accepted_at, bic, kind_of(payee), f"{number:08d}")

    return name


def card_naming(number: int, accepted_at: datetime, order: PaymentOrder) -> str:
    """DE7, DE11 and DE37 in a row: the STAN is the number of the day, the RRN holds it too.

    Cash at our terminals keeps the reference number the terminal printed.
    """
    stan = f"{number % STAN_VALUES:06d}"
    payee = order.payee
    printed = payee.rrn if isinstance(payee, ToCash) else ""
    is_printed = len(printed) == _RRN and printed.isdecimal()
    return settled_as(
        Trace(accepted_at, stan, printed if is_printed else reference_number(accepted_at, stan))
    )
