"""What a command says when it cannot do what was asked: one sentence, and what to do next.

Exit codes of every command: 0 it is done, or the answer is yes; 1 it is not, or the answer is no;
2 the command itself was not understood.
"""

from __future__ import annotations

import sys
from typing import Final, NoReturn

from cyclopts import CycloptsError

from tangguh.cli.invocation import invoked
from tangguh.core.errors import StoreUnavailable, TangguhError

_NOT_UNDERSTOOD: Final = 2
_LOOK: Final = "; is it running, and is it the one that --dsn or TANGGUH_DB__DSN names?"


def fail(why: str, code: int = 1) -> NoReturn:
    """End the command, saying why on standard error."""
    print(f"tangguh: {why}", file=sys.stderr)
    sys.exit(code)


def not_understood(error: CycloptsError) -> NoReturn:
    """End with 2: what is wrong with the command line, and which help to read."""
    why = " ".join(str(error).split()).rstrip(".")
    command = " ".join((invoked(), *(error.command_chain or ())))
    fail(f"{why}; see `{command} --help`", _NOT_UNDERSTOOD)


def in_trouble(trouble: TangguhError) -> NoReturn:
    """End with 1: what went wrong; where nobody answers, what to look at."""
    step = _LOOK if isinstance(trouble, StoreUnavailable) else ""
    fail(f"{trouble}{step}")
