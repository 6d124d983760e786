"""The exception tree: only for what nobody asked for. A no is a Refusal, not an exception.

TangguhError
├── Misconfigured        the settings contradict themselves or name what is not there
├── StoreUnavailable     PostgreSQL cannot be reached; nothing was changed
│   ├── StoreCannotWrite it can be reached and takes no writes: disk full, read-only
│   └── Ambiguous        a commit was sent and its fate is unknown; ask again with the same id
├── Overloaded           a bounded queue is full; nothing was changed, try again later
├── FenceLost            another writer took the book; this one must stop
├── ContractBroken       a network broke its own protocol
└── InvariantBroken      our bug: log, page, close the scope
    ├── RowRefused       PostgreSQL will not write a row: its values are at fault
    │   └── RowTaken     the key is another row's already
    └── StoreBroken      our statement, schema or rights do not fit the database
        └── StoreDamaged what is stored cannot be read: an integrity signal
"""

from __future__ import annotations


class TangguhError(Exception):
    """Something nobody asked for. The docstring of each kind is its default message.

    ``retry_after_seconds``: when whoever asked is to ask again, where that is known.
    """

    retry_after_seconds: int | None = None

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class Misconfigured(TangguhError):
    """The settings contradict themselves or name something that is not there."""


class StoreUnavailable(TangguhError):
    """PostgreSQL cannot be reached; nothing was changed."""


class StoreCannotWrite(StoreUnavailable):
    """PostgreSQL takes no writes now (disk full, read-only); nothing was changed."""


class Ambiguous(StoreUnavailable):
    """A commit was sent and its fate is not known yet; ask again with the same id."""


class Overloaded(TangguhError):
    """A bounded queue is full; nothing was changed. Try again after ``retry_after_seconds``."""

    def __init__(self, message: str = "", retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class FenceLost(TangguhError):
    """Another writer holds this book; this one must stop."""


class ContractBroken(TangguhError):
    """A network broke its own protocol."""


class InvariantBroken(TangguhError):
    """A rule that must always hold does not. This is our bug."""


class RowRefused(InvariantBroken):
    """PostgreSQL will not write this row: its values are at fault. The message is the rule."""


class RowTaken(RowRefused):
    """The key is another row's already."""


class StoreBroken(InvariantBroken):
    """Our statement, our schema or our rights do not fit the database."""


class StoreDamaged(StoreBroken):
    """What is stored cannot be read: a damaged page, index or file."""
