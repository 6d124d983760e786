"""Network management (0800): signing on and off, the echo, the cut-over, new keys.

DE70 says which: 161 brings a key, 101 too, or says that the keys before are over; 162 asks which
keys we have, and is told their check values. A key travels in DE48: three letters of its name, 32
hex digits under the ZMK, six of its check value. That layout of DE48, and what 101 and 162 mean,
are ours: every switch has its own.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.rails.iso8583 import hsm
from tangguh.rails.iso8583.codes import APPROVED
from tangguh.rails.iso8583.message import Message
from tangguh.rails.iso8583.trace import Trace

SIGN_ON: Final = "001"
SIGN_OFF: Final = "002"
KEYS_IN_FORCE: Final = "101"
KEY_CHANGE: Final = "161"
KEYS_ASKED: Final = "162"
CUT_OVER: Final = "201"
ECHO: Final = "301"

REQUEST: Final = "0800"
_NAME, _KEY, _CHECK = 3, 32, 6
_KEYS: Final = {"ZPK": hsm.ZPK, "MAK": hsm.MAK}


class NewKey(msgspec.Struct, frozen=True):
    """A key as it travels. ``key`` is its name in the security module."""

    key: str
    wrapped: str
    check_value: str

    def __repr__(self) -> str:
        return f"NewKey({self.key})"


KEY_NAMES: Final = tuple(_KEYS.items())


def request_for(what: str, trace: Trace, institution: str) -> Message:
    """An 0800 of ours. ``what`` is DE70."""
    fields = {7: f"{trace.at:%m%d%H%M%S}", 11: trace.stan, 33: institution, 70: what}
    return Message(REQUEST, fields)


def approves(answer: object, what: str) -> bool:
    """Whether an answer is the 0810 that says yes to it."""
    return isinstance(answer, Message) and answer.get(39) == APPROVED and answer.get(70) == what


def key_in(message: Message) -> NewKey | None:
    """The key an 0800/161 brings; None when DE48 is not laid out so."""
    text = message.get(48)
    if len(text) != _NAME + _KEY + _CHECK or text[:_NAME] not in _KEYS:
        return None
    return NewKey(_KEYS[text[:_NAME]], text[_NAME : _NAME + _KEY], text[_NAME + _KEY :])
