"""The numbers BI-FAST messages carry. Pure but for the random source it is given.

``BizMsgIdr`` and ``EndToEndId``: yyyyMMdd, BIC (8), type (3), originator (O us, R the hub's answer,
H the hub), channel (2), sequence (8): thirty characters. ``MsgId``: the same without originator and
channel. Dates are Jakarta days.

The EndToEndId is the idempotency key end to end. The book names a payment with it before anything
is sent (``work.naming``, by its number of the day), so it is the instruction's ``reference``,
the same on each send and inquiry. An instruction that was not named so gets one made of its payment
id: letters and digits, since eight digits of an id would meet at ten thousand payments a day, and
letters at two million. If two ever meet, the TxId (the whole payment id) and the amount tell them
apart, and the outcome is Unanswered, never the other payment's.
"""

from __future__ import annotations

import random
import re
from datetime import datetime
from typing import Final
from uuid import UUID

from tangguh.core.clock import JAKARTA
from tangguh.core.order import ToBank
from tangguh.rails.rail import Instruction

BY_ACCOUNT: Final = "010"
BY_PROXY: Final = "110"
RETURN: Final = "011"
ENQUIRY: Final = "510"
STATUS: Final = "000"
REGISTER: Final = "710"
MAINTAIN: Final = "720"
RESOLVE: Final = "610"
MOBILE: Final = "02"
OUTBOUND: Final = "O"

FORM: Final = re.compile(r"\d{8}[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}\d{3}[ORH]\d{2}[A-Z0-9]{8}")
"""The form of BizMsgIdr and EndToEndId."""
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SEQUENCES: Final = len(_DIGITS) ** 8


def sequence_of(number: int) -> str:
    """Eight letters and digits of a whole number; the high part is dropped."""
    number %= _SEQUENCES
    written = ""
    for _ in range(8):
        number, digit = divmod(number, len(_DIGITS))
        written = _DIGITS[digit] + written
    return written


def business_number(day: datetime, bic: str, kind: str, sequence: str) -> str:
    """A BizMsgIdr of ours, by the mobile channel."""
    return f"{_day(day)}{bic}{kind}{OUTBOUND}{MOBILE}{sequence}"


def message_number(day: datetime, bic: str, kind: str, sequence: str) -> str:
    """A MsgId."""
    return f"{_day(day)}{bic}{kind}{sequence}"


def kind_of(payee: ToBank) -> str:
    """The transaction type of a transfer to this payee."""
    return BY_PROXY if payee.proxy_type else BY_ACCOUNT


def end_to_end_id(instruction: Instruction, payee: ToBank, bic: str) -> str:
    """The EndToEndId of a payment: its reference, or made of payment_id, accepted_at and kind."""
    if is_ours(instruction.reference, bic):
        return instruction.reference
    sequence = sequence_of(instruction.payment_id.int)
    return business_number(instruction.accepted_at, bic, kind_of(payee), sequence)


def message_number_of(end_to_end: str) -> str:
    """The MsgId of the transfer with this EndToEndId: the same without originator and channel."""
    return end_to_end[:19] + end_to_end[22:]


def transaction_id(payment_id: UUID) -> str:
    """The TxId of a payment: its whole id, 32 hexadecimal digits."""
    return payment_id.hex


def is_ours(end_to_end: str, bic: str) -> bool:
    """Whether an EndToEndId was made by this bank for a payment that left it."""
    return FORM.fullmatch(end_to_end) is not None and maker_of(end_to_end) == bic


def type_in(end_to_end: str) -> str:
    """The transaction type an EndToEndId names."""
    return end_to_end[16:19]


def maker_of(end_to_end: str) -> str:
    """The BIC of the bank that made an EndToEndId."""
    return end_to_end[8:16]


def moves_money(end_to_end: str) -> bool:
    """Whether it belongs to a transfer and not to an enquiry."""
    if FORM.fullmatch(end_to_end) is None:
        return False
    return type_in(end_to_end) in (BY_ACCOUNT, BY_PROXY, RETURN)


class Numbers:
    """Fresh sequences for messages that nobody has to find again, such as inquiries."""

    def __init__(self, source: random.Random | None = None) -> None:
        # They only have to differ: a generator seeded by the system is enough.
        self._random = source if source is not None else random.Random()  # noqa: S311

    def next(self) -> str:
        """Eight letters and digits."""
        return sequence_of(self._random.randrange(_SEQUENCES))


def _day(instant: datetime) -> str:
    return f"{instant.astimezone(JAKARTA):%Y%m%d}"
