"""How whoever reads our lines can call this program from where they are."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

_WRAPPER = "tangguh"


def invoked() -> str:
    """``./tangguh`` beside a clone's wrapper, ``tangguh`` where it is on the path, else in full."""
    installed = Path(sys.executable).with_name(_WRAPPER)
    if Path(_WRAPPER).is_file() and Path(".venv/bin", _WRAPPER).resolve() == installed:
        return f"./{_WRAPPER}"
    found = shutil.which(_WRAPPER)
    if found is not None and Path(found).resolve() == installed.resolve():
        return _WRAPPER
    return str(installed)
