"""The street holds: import contracts, checked by a machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def lint_imports(config: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "lint-imports"
    return subprocess.run(
        [program, "--config", str(config), "--no-cache"], capture_output=True, text=True, cwd=ROOT
    )


def test_every_import_contract_is_kept() -> None:
    """Imports go down the street only, thinking touches nothing, only db knows the driver."""
    done = lint_imports(ROOT / ".importlinter")
    assert done.returncode == 0, done.stdout


def test_a_broken_contract_is_seen(tmp_path: Path) -> None:
    """With the street turned round the same check fails: it is no formality."""
    text = (ROOT / ".importlinter").read_text()
    turned = text.replace("    db\n    core\n", "    core\n    db\n")
    assert turned != text
    config = tmp_path / "turned.ini"
    config.write_text(turned)
    assert lint_imports(config).returncode == 1
