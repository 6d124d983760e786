"""Commands that decide in the book of a bank that is stopped.

The book has one writer. While a bank runs it is that bank; a command can only take its place when
somebody says, with ``--bank-is-stopped``, that no bank runs on this database. Should one run all
the same, the fence stops it (ADR-0008), never both at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Final, TypeVar

from cyclopts import Parameter

from tangguh.app import Bank
from tangguh.cli.invocation import invoked
from tangguh.config import Settings, load
from tangguh.core.errors import Misconfigured

Stopped = Annotated[
    bool,
    Parameter(
        name="--bank-is-stopped", negative="", help="Take the book: no bank runs on this database."
    ),
]
_NOT_OURS: Final = (
    "a running bank is the only one to decide in its book; "
    "when none runs on this database, say --bank-is-stopped"
)
T = TypeVar("T")


async def in_the_book(dsn: str, act: Callable[[Bank], Awaitable[T]], *, is_stopped: bool) -> T:
    """Open the bank without its rails, act, and close it. Raises Misconfigured when not told so."""
    if not is_stopped:
        raise Misconfigured(_NOT_OURS)
    settings, where = place_of(dsn)
    bank = await Bank.open(settings, where, rails={})
    try:
        return await act(bank)
    finally:
        await bank.close()


def place_of(dsn: str) -> tuple[Settings, str]:
    """The settings and which database. Raises Misconfigured when nothing says which."""
    settings = load(None)
    where = dsn or settings.db.dsn
    if not where:
        raise Misconfigured(
            "no database was named: --dsn or TANGGUH_DB__DSN says which; a bank of "
            f"`{invoked()} up` keeps its own in its data directory (see `{invoked()} prove --help`)"
        )
    return settings, where
