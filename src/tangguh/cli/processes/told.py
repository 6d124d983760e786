"""What a process of the bank says at its start: why it cannot, or where it answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

from cyclopts import Parameter

from tangguh.cli.invocation import invoked
from tangguh.cli.trouble import fail

ReadyJson = Annotated[
    bool,
    Parameter(name="--json", negative="", help="Print one JSON document once it answers: where."),
]


def settings_refused(process: str, config: Path, fault: Exception) -> NoReturn:
    """End with 1: what is wrong with its file of settings, and where one may be looked at."""
    said = str(fault)
    where = "" if said.startswith(str(config)) else f"{config}: "
    fail(
        f"{where}{said}; `{invoked()} up` starts this process by itself, and leaves the settings "
        f"it gave it in run/{process}.json of its data directory"
    )
