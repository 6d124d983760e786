"""A network's second word compared with what we have: what differs, and how it is kept. Pure.

A network speaks more than once of one payment: it announces, settles, answers, lists. A later word
is never assumed to say the same: what it names is compared, and what differs is kept in the
payment's timeline in words that are read again when the differences get their owners.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from tangguh.core.order import PaymentOrder, ToBank
from tangguh.core.outcome import Accepted, Outcome
from tangguh.payments.payment import Payment, State
from tangguh.rails.rail import Facts

EVENT: Final = "contradicted"
"""What such a line of the timeline is called."""

_SAID: Final = re.compile(
    r"the network now says (?P<end>\w+)"
    r"(?:, amount (?P<amount>\d{1,18}))?(?:, undone (?P<undone>\d{1,18}))?"
    r"(?:, account (?P<account>.*))?"
)
_ACCOUNT_MAX: Final = 34


class Said(msgspec.Struct, frozen=True):
    """What a contradicting word said: paid or not, and what of amount or account it named.

    ``undone_minor``: what of the payment had been taken back by then.
    """

    is_paid: bool
    amount_minor: int | None
    account: str
    undone_minor: int = 0


def differing(payment: Payment, facts: Facts) -> str:
    """What a yes names otherwise than the payment has it: ``amount``, ``account`` or empty."""
    if facts.amount_minor is not None and facts.amount_minor != payment.to_payee_minor:
        return "amount"
    if not _is_its_account(payment, facts):
        return "account"
    return ""


def contradicts(payment: Payment, outcome: Outcome, facts: Facts) -> bool:
    """Whether a word on a payment that has ended says anything else than the book."""
    said_paid = isinstance(outcome, Accepted)
    was_paid = payment.state in {State.POSTED, State.REFUNDED}
    return said_paid != was_paid or (said_paid and bool(differing(payment, facts)))


def told(outcome: Outcome, payment: Payment, facts: Facts) -> str:
    """The line's detail: the end the network names and whatever of it differs from ours."""
    words = f"the network now says {type(outcome).__name__.lower()}"
    if not isinstance(outcome, Accepted):
        return words
    if facts.amount_minor is not None and facts.amount_minor != payment.to_payee_minor:
        words += f", amount {facts.amount_minor}"
    if not _is_its_account(payment, facts):
        where = "/".join(part for part in (facts.bank, facts.account) if part)
        words += f", account {where[:_ACCOUNT_MAX]}"
    return words


def told_after_undoing(payment: Payment, taken_minor: int, why: str = "") -> str:
    """The line's detail where a network says how much took place, of what may be undone in part."""
    words = f"the network now says {'accepted' if taken_minor else 'declined'}"
    if taken_minor:
        words += f", amount {taken_minor}"
    if undone := payment.refunded_minor + payment.refunding_minor:
        words += f", undone {undone}"
    return f"{words}; {why}" if why else words


def read(detail: str) -> Said | None:
    """What ``told`` wrote; None for other words."""
    found = _SAID.match(detail)
    if found is None:
        return None
    amount = found["amount"]
    return Said(
        found["end"] == "accepted",
        int(amount) if amount is not None else None,
        found["account"] or "",
        int(found["undone"] or 0),
    )


def _is_its_account(payment: Payment, facts: Facts) -> bool:
    """Whether the payee a word names, as far as it does, is the payment's."""
    order, account = payment.order, facts.account
    if isinstance(order, PaymentOrder):
        payee = order.payee
        if not isinstance(payee, ToBank):
            return True
        same_bank = not facts.bank or not payee.bank or facts.bank == payee.bank
        return same_bank and account in ("", payee.account)
    if facts.bank:
        return False
    if not account:
        return True
    return account.isascii() and account.isdigit() and int(account) == payment.creditor
