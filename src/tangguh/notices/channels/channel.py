"""The port every way out fulfils, and its three answers.

"Nobody knows" is no yes: it is Later, and the same ``key`` goes with the next try, so that a
provider that did take the first drops the second.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from tangguh.notices.notice import Via


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel brings. ``key`` is the same for every try at one address.

    ``title`` holds no amounts; ``sms`` is one SMS; ``text`` is the whole, one answer a line.
    ``unsubscribe_url`` is empty for whoever did not subscribe.
    """

    key: str
    notice_id: str
    matter: str
    step: str
    language: str
    title: str
    text: str
    sms: str
    made_at: str
    is_urgent: bool = True
    unsubscribe_url: str = ""


class Delivered(msgspec.Struct, frozen=True):
    """The provider has taken it. ``reference`` is its own: the proof of delivery."""

    reference: str
    said: str = ""


class Later(msgspec.Struct, frozen=True):
    """Not taken, or nobody knows: try again. ``after_seconds`` is what the provider asked for."""

    why: str
    after_seconds: float | None = None


class Rejected(msgspec.Struct, frozen=True):
    """Refused for good. ``gone``: this address will never take anything again."""

    why: str
    gone: bool = False


Delivery = Delivered | Later | Rejected


class Channel(Protocol):
    """One way out. It raises nothing but CancelledError, and never waits without an end."""

    @property
    def via(self) -> Via:
        """Which way it is."""
        ...

    @property
    def at_once(self) -> int:
        """How many messages it brings at the same time."""
        ...

    @property
    def timeout_seconds(self) -> float:
        """How long one delivery may take."""
        ...

    async def deliver(self, message: Message, address: str) -> Delivery:
        """Bring one message to one address."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...
