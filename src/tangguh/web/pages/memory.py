"""What the pages remember in this process: last balances shown, and how often names were asked.

The balances are there so that a book out of reach never becomes a wrong zero (E09). They are read
when the book cannot be, for looking and nothing else: nothing is paid, changed or logged into by
what is remembered here. Everything is bounded.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from datetime import datetime
from typing import Final, Generic, TypeVar

import msgspec

from tangguh.access.session import Session
from tangguh.core.clock import Clock
from tangguh.customers.store import Customer, Held
from tangguh.web.pages.photo import Reader

K = TypeVar("K")
V = TypeVar("V")

_KEPT_MAX: Final = 20_000


class Known(msgspec.Struct, frozen=True):
    """Balances as they were at a time."""

    accounts: list[Held]
    as_of: datetime


class Memory:
    """Who is here and what they last saw. ``name_checks`` bounds looking names up by number."""

    def __init__(self, clock: Clock, kept_max: int = _KEPT_MAX) -> None:
        self.photos = Reader()
        self._visitors: _Recent[bytes, tuple[Session, Customer]] = _Recent(kept_max)
        self._known: _Recent[int, Known] = _Recent(kept_max)

    def keep_visitor(self, token: str, session: Session, customer: Customer) -> None:
        """Remember whose token this is (its hash)."""
        self._visitors.put(_digest(token), (session, customer))

    def visitor(self, token: str, now: datetime) -> tuple[Session | None, Customer | None]:
        """Whose token it was a moment ago, if the session has not ended since."""
        found = self._visitors.get(_digest(token))
        if found is None or found[0].expires_at <= now:
            return None, None
        return found

    def forget_visitor(self, token: str) -> None:
        """After a log out."""
        self._visitors.drop(_digest(token))

    def keep_balances(self, customer_id: int, accounts: list[Held], as_of: datetime) -> None:
        """Remember what was just shown."""
        self._known.put(customer_id, Known(accounts, as_of))

    def balances(self, customer_id: int) -> Known | None:
        """What was last shown, or None."""
        return self._known.get(customer_id)


class _Recent(Generic[K, V]):
    """The latest so many, the oldest forgotten first."""

    def __init__(self, kept_max: int) -> None:
        self._kept_max = kept_max
        self._kept: OrderedDict[K, V] = OrderedDict()

    def put(self, key: K, value: V) -> None:
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._kept_max:
            self._kept.popitem(last=False)

    def get(self, key: K) -> V | None:
        return self._kept.get(key)

    def drop(self, key: K) -> None:
        self._kept.pop(key, None)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
