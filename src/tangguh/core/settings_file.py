"""A file of settings, TOML or JSON, as plain values: what every process of the bank is told."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from tangguh.core.errors import Misconfigured


def read_file(path: Path) -> dict[str, Any]:
    """The values in a TOML file, or a JSON one by its ending. Raises Misconfigured."""
    try:
        text = path.read_text(encoding="utf-8")
        values = msgspec.json.decode(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as fault:
        raise Misconfigured(f"{path}: {fault.strerror}") from fault
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.DecodeError) as fault:
        raise Misconfigured(f"{path}: {fault}") from fault
    if not isinstance(values, dict):
        raise Misconfigured(f"{path}: not a table of settings")
    return values
