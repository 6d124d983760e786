"""What each error of PostgreSQL means for the bank: one table, and the one translation by it.

Every SQLSTATE has a policy, by itself or by its class (its first two characters). What is not in
the table is a bug. Source: PostgreSQL's appendix A, "Error Codes". The driver's own exceptions end
here: nothing above this package sees them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import asyncpg

from tangguh.core.errors import (
    RowRefused,
    RowTaken,
    StoreBroken,
    StoreCannotWrite,
    StoreDamaged,
    StoreUnavailable,
    TangguhError,
)


class Policy(StrEnum):
    """What is done about an error.

    ``RETRY``: nothing is wrong with the data; the writer takes the fence again, callers hear 503.
    ``CANNOT_WRITE``: as RETRY, and new money is refused until it passes (disk full, read-only).
    ``VALUES``: the row is at fault; the command that brought it is answered with a bug, alone.
    ``BUG``: our statement or our schema is wrong; the writer ends and the process starts again.
    ``DAMAGED``: what is stored cannot be read; an integrity signal, never a quiet retry.
    """

    RETRY = "retry"
    CANNOT_WRITE = "cannot_write"
    VALUES = "values"
    BUG = "bug"
    DAMAGED = "damaged"


UNIQUE_VIOLATION: Final = "23505"

POLICIES: Final[dict[str, Policy]] = {
    "08": Policy.RETRY,  # connection exceptions
    "22": Policy.VALUES,  # data exceptions
    "23": Policy.VALUES,  # integrity constraints
    "25006": Policy.CANNOT_WRITE,  # read-only transaction: a standby, or an operator's switch
    "25P03": Policy.RETRY,  # idle in transaction for too long
    "26": Policy.RETRY,  # a prepared statement that a restarted server does not know
    "40": Policy.RETRY,  # serialization, deadlock, unknown completion
    "44": Policy.VALUES,  # a view's check option
    "53": Policy.RETRY,  # insufficient resources: memory, connections
    "53100": Policy.CANNOT_WRITE,  # disk full
    "54": Policy.VALUES,  # program limits: too many columns, too complex
    "55": Policy.RETRY,  # object in use, lock not available, server not in the needed state
    "57": Policy.RETRY,  # operator intervention: cancelled, shut down, crashed, starting
    "58": Policy.CANNOT_WRITE,  # system errors outside PostgreSQL: input and output
    "58P01": Policy.DAMAGED,  # a file of the database is not there
    "58P02": Policy.DAMAGED,  # a file of the database is there twice
    "P0001": Policy.VALUES,  # a trigger of ours said no
    "XX001": Policy.DAMAGED,  # a damaged page
    "XX002": Policy.DAMAGED,  # a damaged index
}

DRIVER_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""Everything the driver raises because of the server, the line or itself."""

UNREADABLE: Final = (
    asyncpg.DataCorruptedError,
    asyncpg.IndexCorruptedError,
    asyncpg.UndefinedFileError,
    asyncpg.DuplicateFileError,
    asyncpg.PostgresIOError,
    asyncpg.DataError,
    UnicodeDecodeError,
)
"""What a query that only reads, with no value from outside, fails with when what is stored is
damaged: all of DAMAGED, a disk that refuses (58030), a value that is none of its kind (class 22),
text that is no UTF-8. Anything else says that nobody looked, and nothing about what is stored.
"""

_ON_THE_LINE: Final = (
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""A driver that lost count of a line's state says so by an internal error: a session that was
ended in the middle of a statement looks like that, and what became of the statement is not known.
"""
_MAKE: Final[dict[Policy, type[TangguhError]]] = {
    Policy.RETRY: StoreUnavailable,
    Policy.CANNOT_WRITE: StoreCannotWrite,
    Policy.VALUES: RowRefused,
    Policy.BUG: StoreBroken,
    Policy.DAMAGED: StoreDamaged,
}


def policy_of(sqlstate: str) -> Policy:
    """The policy of one SQLSTATE: its own, else its class's, else BUG."""
    return POLICIES.get(sqlstate) or POLICIES.get(sqlstate[:2], Policy.BUG)


def translation_of(error: BaseException) -> TangguhError:
    """The bank's own error for one of the driver's. The text names the kind, never the values."""
    kind = type(error).__name__
    if isinstance(error, _ON_THE_LINE):
        return StoreUnavailable(f"PostgreSQL cannot be reached: {kind}")
    if not isinstance(error, asyncpg.PostgresError):
        return StoreBroken(f"the driver: {kind}")
    sqlstate = error.sqlstate or ""
    if sqlstate == UNIQUE_VIOLATION:
        return RowTaken(_rule_of(error, kind))
    policy = policy_of(sqlstate)
    if policy is Policy.VALUES:
        return RowRefused(_rule_of(error, kind))
    return _MAKE[policy](f"PostgreSQL: {kind} ({sqlstate})")


def _rule_of(error: asyncpg.PostgresError, kind: str) -> str:
    return getattr(error, "constraint_name", None) or kind
