"""``tangguh config show``: the settings in force, secrets masked.

Of a bank that runs on a data directory: what it was started with. Else what a bank would read from
the file and the environment.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from tangguh.cli.place import is_taken
from tangguh.config import load, masked, of
from tangguh.core.errors import Misconfigured

app = App(name="config", help="The settings in force.")


@app.command
def show(
    *,
    config: Annotated[
        Path | None, Parameter(help="A TOML file: what a bank started with it would use.")
    ] = None,
    data: Annotated[
        Path, Parameter(help="A data directory of tangguh up; its bank if one runs there.")
    ] = Path("tangguh-data"),
    as_json: Annotated[
        bool, Parameter(name="--json", negative="", help="Print one JSON document.")
    ] = False,
) -> None:
    """Print every setting with its value: the running bank's, or as read from the file."""
    try:
        running = None if config is not None else _running(data)
        shown = masked(load(config) if running is None else of(running))
    except Misconfigured as fault:
        print(f"tangguh: {fault}", file=sys.stderr)
        sys.exit(1)
    if as_json:
        print(msgspec.json.encode(shown).decode())
        return
    where = f"the bank that runs on {data}" if running is not None else "a bank started now"
    print(f"# the settings of {where}")
    print("\n".join(_lines(shown)))


def _running(data: Path) -> dict[str, Any] | None:
    """What the bank on this directory was started with; None when none runs there.

    Raises Misconfigured when one runs and its settings cannot be read: another user's, say.
    """
    if not is_taken(data):
        return None
    path = data / "run" / "bank.json"
    try:
        values: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError) as fault:
        raise Misconfigured(f"a bank runs on {data}, but {path} cannot be read") from fault
    return values


def _lines(values: dict[str, Any], prefix: str = "") -> list[str]:
    lines: list[str] = []
    for name, value in values.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            lines += _lines(value, f"{path}.")
        else:
            lines.append(f"{path} = {value!r}")
    return lines
