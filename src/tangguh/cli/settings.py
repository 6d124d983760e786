"""``tangguh config show``: the settings in force, secrets masked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from tangguh.config import load, masked
from tangguh.core.errors import Misconfigured

app = App(name="config", help="The settings in force.")


@app.command
def show(
    *,
    config: Annotated[Path | None, Parameter(help="A TOML file of settings.")] = None,
    as_json: Annotated[
        bool, Parameter(name="--json", negative="", help="Print one JSON document.")
    ] = False,
) -> None:
    """Print every setting with its value, as read from the file and the environment."""
    try:
        shown = masked(load(config))
    except Misconfigured as fault:
        print(f"tangguh: {fault}", file=sys.stderr)
        sys.exit(1)
    print(msgspec.json.encode(shown).decode() if as_json else "\n".join(_lines(shown)))


def _lines(values: dict[str, Any], prefix: str = "") -> list[str]:
    lines: list[str] = []
    for name, value in values.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            lines += _lines(value, f"{path}.")
        else:
            lines.append(f"{path} = {value!r}")
    return lines
