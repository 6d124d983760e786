"""What the pages remember in this process: last balances shown, answers to forms, unsent forms.

The balances are there so that a book out of reach never becomes a wrong zero (E09). They are read
when the book cannot be, for looking and nothing else: nothing is paid, changed or logged into by
what is remembered here. Everything is bounded.

An answer to a form is kept so that the browser's "back" shows it without sending the form again; a
form whose session had ended, so that it goes on after the log-in.
"""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

import msgspec

from tangguh.access.session import Session
from tangguh.core.clock import Clock
from tangguh.customers.store import Customer, Held
from tangguh.web.pages.photo import Reader

K = TypeVar("K")
V = TypeVar("V")

_KEPT_MAX: Final = 20_000
_NAME_BYTES: Final = 16
_NEVER_KEPT: Final = frozenset({"pin", "csrf"})
_PAGES_MAX: Final = 1_000
_FORMS_MAX: Final = 500
_PAGE_BYTES_MAX: Final = 256 * 1024
_KEPT_FOR: Final = timedelta(minutes=30)


class Known(msgspec.Struct, frozen=True):
    """Balances as they were at a time."""

    accounts: list[Held]
    as_of: datetime


class Shown(msgspec.Struct, frozen=True):
    """A page that answered a form: whose (a session's hash; empty: nobody's), and what it said."""

    whose: bytes
    status: int
    body: bytes
    at: datetime


class Form(msgspec.Struct, frozen=True):
    """A form that was sent after its session had ended: where to, what was in it, but no PIN."""

    session: Session
    path: str
    fields: dict[str, str]
    had_pin: bool
    at: datetime


class Memory:
    """Who is here, what they last saw, and what they sent too late."""

    def __init__(self, clock: Clock, kept_max: int = _KEPT_MAX) -> None:
        self.photos = Reader()
        self._visitors: _Recent[bytes, tuple[Session, Customer]] = _Recent(kept_max)
        self._known: _Recent[int, Known] = _Recent(kept_max)
        self._clock = clock
        self._pages: _Recent[str, Shown] = _Recent(_PAGES_MAX)
        self._forms: _Recent[str, Form] = _Recent(_FORMS_MAX)

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

    def keep_page(self, whose: bytes, status: int, body: bytes) -> str:
        """Remember a page that answered a form, so that going back shows it; its name, or empty."""
        if len(body) > _PAGE_BYTES_MAX:
            return ""
        name = secrets.token_urlsafe(_NAME_BYTES)
        packed = zlib.compress(body, level=1)
        self._pages.put(name, Shown(whose, status, packed, self._clock.now()))
        return name

    def page(self, name: str, whose: bytes) -> tuple[int, bytes] | None:
        """The status and body of a page that was shown to the same session; None after a while."""
        found = self._pages.get(name)
        if found is None or found.whose != whose or self._is_old(found.at):
            return None
        return found.status, zlib.decompress(found.body)

    def keep_form(self, session: Session, path: str, fields: dict[str, str]) -> str:
        """Remember a form whose session had ended, without its PIN; its name."""
        name = secrets.token_urlsafe(_NAME_BYTES)
        kept = {field: text for field, text in fields.items() if field not in _NEVER_KEPT}
        form = Form(session, path, kept, "pin" in fields, self._clock.now())
        self._forms.put(name, form)
        return name

    def form(self, name: str, customer_id: int) -> Form | None:
        """A form of this customer's; None after a while."""
        found = self._forms.get(name)
        is_theirs = found is not None and found.session.customer_id == customer_id
        return found if found is not None and is_theirs and not self._is_old(found.at) else None

    def _is_old(self, at: datetime) -> bool:
        return self._clock.now() - at > _KEPT_FOR

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
