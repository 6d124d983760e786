"""What staff on call do not see whole: account and card numbers, names, phones, tokens. Pure.

An account is shown by its last four digits and a name by its initials: enough to be sure that two
people speak of the same, too little to copy. Whatever is told of a payment goes through its
``Masks`` last, so that a number that slipped into a free text is masked there too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, TypeVar

import msgspec

from tangguh.core.order import PaymentOrder
from tangguh.ledger import chart
from tangguh.payments.payment import Payment
from tangguh.rails.iso8583.message import masked_pan

DOTS: Final = "\N{MIDDLE DOT}" * 4
_TAIL: Final = 4
_WORD: Final = re.compile(r"\S+")
_LONG: Final = re.compile(r"(?<!\d)\d{13,19}(?!\d)", re.ASCII)
_NAMES: Final = ("name", "debtor_name", "sender_name")
_NUMBERS: Final = ("account", "proxy", "number", "customer_no", "sender_account", "sealed_pan")
_FREE: Final = frozenset({"detail", "why", "reason", "said"})
"""Texts that somebody wrote; a reference may look like a card's number and is none."""
T = TypeVar("T")


def number(text: object) -> str:
    """Four dots and the last four characters; of what is hardly longer, the dots alone."""
    digits = str(text)
    return DOTS + (digits[-_TAIL:] if len(digits) > _TAIL + 1 else "")


def name(text: str) -> str:
    """The first letter of each word, and three dots."""
    return _WORD.sub(lambda word: word[0][0] + DOTS[:3], text)


def account(account_id: int) -> str:
    """A customer's account by its tail, one of the bank's own by its number and kind."""
    if account_id <= chart.OWN_ACCOUNT_MAX:
        kind = chart.OWN_ACCOUNTS.get(account_id)
        return f"{account_id} ({kind})" if kind is not None else str(account_id)
    return number(account_id)


def is_luhn(digits: str) -> bool:
    """Whether a number ends in the check digit of payment cards (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def cards(text: str) -> str:
    """A text that somebody wrote, with whatever has the form of a card's number masked."""
    return _LONG.sub(_card_masked, text)


class Masks:
    """What must not be read in anything that is told of some payments, and what stands there.

    ``clean`` goes through every text of a value but ids.
    """

    def __init__(self, secrets: Iterable[tuple[str, str]] = ()) -> None:
        known = {secret: shown for secret, shown in secrets if len(secret) > _TAIL}
        self._shown = known
        longest = sorted(known, key=len, reverse=True)
        parts = "|".join(re.escape(secret) for secret in longest)
        self._secret = re.compile(rf"(?<![\w]){f'(?:{parts})'}(?![\w])") if parts else None

    def text(self, text: str, *, free: bool = False) -> str:
        """The same text, each secret masked; in a free text also what may be a card's number."""
        if self._secret is not None:
            text = self._secret.sub(lambda found: self._shown[found[0]], text)
        return cards(text) if free else text

    def clean(self, value: T) -> T:
        """The same value with every text in it masked."""
        return msgspec.convert(self._walk(msgspec.to_builtins(value), ""), type(value))

    def _walk(self, value: Any, key: str) -> Any:
        match value:
            case str():
                is_id = key.endswith("id")
                return value if is_id else self.text(value, free=key in _FREE)
            case list() | tuple():
                return [self._walk(one, key) for one in value]
            case dict():
                return {name: self._walk(one, name) for name, one in value.items()}
        return value


def secrets_of(payment: Payment) -> Iterable[tuple[str, str]]:
    """The numbers and names one payment's order carries, and how each is shown."""
    for account_id in (payment.debtor, payment.creditor):
        if account_id > chart.OWN_ACCOUNT_MAX:
            yield str(account_id), number(account_id)
    order = payment.order
    parts: list[object] = [order]
    if isinstance(order, PaymentOrder):
        parts.append(order.payee)
    for part in parts:
        for field in _NAMES:
            if text := _text(part, field):
                yield text, name(text)
        for field in _NUMBERS:
            if text := _text(part, field):
                yield text, number(text)


def _text(part: object, field: str) -> str:
    found = getattr(part, field, "")
    return found if isinstance(found, str) else ""


def _card_masked(found: re.Match[str]) -> str:
    return masked_pan(found[0]) if is_luhn(found[0]) else found[0]
