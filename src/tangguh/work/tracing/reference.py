"""What a reference that somebody reads out may be, and by what a payment answers to it. Pure.

A customer has the short reference of the page, a letter the case's number, a partner its own name
of the request, the card switch an RRN and a STAN, BI-FAST an EndToEndId. Nothing is guessed: every
payment that answers to the text is listed, with what of it the text is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from tangguh.core.order import PaymentOrder
from tangguh.core.service import SERVICES
from tangguh.payments.payment import Payment
from tangguh.payments.plans import key_of
from tangguh.rails.bifast import ids
from tangguh.rails.iso8583.trace import named_in

LENGTH_MAX: Final = 128
"""Longer than any reference of any network."""
LENGTH_MIN: Final = 4
_SHORT: Final = re.compile(r"[0-9A-F]{4}-?[0-9A-F]{4}-?[0-9A-F]{4}", re.IGNORECASE | re.ASCII)
_CASE: Final = re.compile(r"TG\d{2}-[0-9A-Z]{4}-[0-9A-Z]{4}", re.IGNORECASE | re.ASCII)
_RRN: Final = re.compile(r"\d{12}", re.ASCII)
_STAN: Final = re.compile(r"\d{6}", re.ASCII)
_CARDS: Final = "iso8583"
_RAILS: Final = tuple(sorted({service.rail for service in SERVICES.values()}))
_IN_ORDER: Final = ("network_reference", "original", "returned_as", "bill")
_IN_PAYEE: Final = ("rrn", "trace", "inquiry", "session", "bill", "customer_no")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A reference, and what it would be under each index: ids, keys, names on the wire, a case.

    ``short``: the last twelve characters of an id, or empty. ``day``: the day the text itself
    names, where its form says one.
    """

    text: str
    ids: tuple[UUID, ...] = ()
    keys: tuple[str, ...] = ()
    rails: tuple[str, ...] = _RAILS
    wires: tuple[str, ...] = ()
    case_number: str = ""
    short: str = ""
    day: date | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it can only name one thing: nothing else need be looked through."""
        return bool(self.ids or self.case_number)


def read(typed: str, today: date) -> Asked:
    """What somebody typed as a reference; spaces around it are none of it."""
    text = typed.strip()
    found = _as_id(text)
    if _CASE.fullmatch(text):
        return Asked(text=text, case_number=text.upper())
    return Asked(
        text=text,
        ids=(found,) if found is not None else (),
        keys=(text, f"0:{text}", *(f"0:{rail}:{text}" for rail in _RAILS)),
        wires=(text, f"in:{text}"),
        short=text.replace("-", "").lower() if _SHORT.fullmatch(text) else "",
        day=_day_in(text, today),
    )


def why(asked: Asked, payment: Payment) -> str:
    """What of the payment the text is, in words; empty when it is nothing of it."""
    return next(_whys(asked, payment), "")


def _whys(asked: Asked, payment: Payment) -> Iterator[str]:
    text = asked.text
    if payment.id in asked.ids:
        yield "payment id"
    if asked.short and payment.id.hex.endswith(asked.short):
        yield "short reference"
    if payment.wire in asked.wires:
        yield "the network's name of it"
    if payment.network_reference == text:
        yield "the network's reference"
    named = named_in(payment.wire, payment.accepted_at) if payment.rail == _CARDS else None
    if named is not None and text in (named.rrn, named.stan):
        yield "RRN" if text == named.rrn else "STAN"
    order = payment.order
    if key_of(order) in asked.keys or f":{order.idempotency_key}".endswith(f":{text}"):
        yield "the order's key"
    for field in _IN_ORDER:
        if getattr(order, field, "") == text:
            yield field
    if isinstance(order, PaymentOrder):
        for field in _IN_PAYEE:
            if getattr(order.payee, field, "") == text:
                yield _PAYEE_WORDS.get(field, field)


_PAYEE_WORDS: Final = {
    "rrn": "the terminal's RRN",
    "trace": "the terminal's STAN",
    "inquiry": "the inquiry before it",
    "session": "the wallet's session",
    "customer_no": "the biller's customer number",
}


def _as_id(text: str) -> UUID | None:
    bare = text.replace("-", "")
    try:
        return UUID(hex=bare) if len(bare) == 32 and bare.isalnum() else None
    except ValueError:
        return None


def _day_in(text: str, today: date) -> date | None:
    """The day in an EndToEndId (yyyyMMdd) or an RRN (last digit of the year, day of the year)."""
    try:
        if ids.FORM.fullmatch(text):
            return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
        if _RRN.fullmatch(text) and 1 <= int(text[1:4]) <= 366:
            year = today.year - (today.year - int(text[0])) % 10
            found = date(year, 1, 1) + timedelta(days=int(text[1:4]) - 1)
            return found if found <= today + timedelta(days=1) else found.replace(year=year - 10)
    except ValueError:
        return None
    return None


def stretch_of(asked: Asked, days: int, now: datetime) -> tuple[datetime, datetime]:
    """From when to when payments are looked through: so many days back, and the day it names."""
    begins = now - timedelta(days=days)
    if asked.day is not None:
        named = datetime(asked.day.year, asked.day.month, asked.day.day, tzinfo=UTC)
        begins = min(begins, named - timedelta(days=1))
    return begins, now + timedelta(days=1)
