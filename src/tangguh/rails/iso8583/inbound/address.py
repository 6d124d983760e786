"""The one place where a card message's institution and account are compared with ours. Pure.

DE100 is the receiving institution, DE127 the payee's bank on transfers; codes are padded with zeros
or spaces as each peer likes. Source: ISO 8583:1987, and README.md for DE127.
"""

from __future__ import annotations

from tangguh.rails.iso8583.message import Message

_RECEIVER, _PAYEES_BANK, _PAYER = 100, 127, 102


def institution(text: str) -> str:
    """A code without its padding."""
    return text.strip().lstrip("0")


def addressee_of(message: Message) -> str | None:
    """For which bank it is, without padding; empty when nobody is named, None when two are."""
    named = {institution(message.get(number)) for number in (_RECEIVER, _PAYEES_BANK)} - {""}
    if len(named) > 1:
        return None
    return named.pop() if named else ""


def is_same_account(said: str, known: str) -> bool:
    """Account numbers, with zeros before them or not; one that is left out says nothing."""
    bare = said.strip().lstrip("0")
    return not bare or bare == known.strip().lstrip("0")


def is_from(message: Message, account: str) -> bool:
    """Whether it pays from this account (DE102), or leaves that to the card."""
    return is_same_account(message.get(_PAYER), account)


def is_for(message: Message, ours: str, *, must_say: bool) -> bool:
    """Whether it is for us. ``must_say``: a message that names nobody is not."""
    addressee = addressee_of(message)
    if addressee == "":
        return not must_say
    return addressee == institution(ours)
