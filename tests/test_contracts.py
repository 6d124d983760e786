"""The street holds: import contracts, checked by a machine."""

from __future__ import annotations

import configparser
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


def test_the_contracts_name_every_package_there_is() -> None:
    """A package that was added is under every contract that means all of them."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    packages = {
        f"tangguh.{path.stem}"
        for path in (ROOT / "src" / "tangguh").iterdir()
        if not path.name.startswith("_") and path.suffix in {"", ".py"}
    }

    def named(contract: str, key: str) -> set[str]:
        return set(contracts[f"importlinter:contract:{contract}"][key].split())

    assert named("driver", "source_modules") == packages - {"tangguh.db"}
    shared = {"tangguh.sim", "tangguh.core", "tangguh.listeners", "tangguh.demo"}
    assert named("sim", "forbidden_modules") == packages - shared
    assert named("sim-visitors", "source_modules") == packages - {"tangguh.sim", "tangguh.cli"}


def test_what_is_declared_pure_is_there() -> None:
    """A module that was renamed does not leave its contract in silence."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    for contract in ("pure", "plain"):
        for module in contracts[f"importlinter:contract:{contract}"]["source_modules"].split():
            path = ROOT / "src" / Path(*module.split("."))
            assert path.is_dir() or path.with_suffix(".py").is_file(), module


TOUCHES: frozenset[str] = frozenset({"clock", "listeners", "supervision"})
"""What lies in core and is not pure."""


def test_all_of_core_is_declared_pure() -> None:
    """Whatever is added to core only thinks, unless it is named here."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    declared = set(contracts["importlinter:contract:pure"]["source_modules"].split())
    there = {path.stem for path in (ROOT / "src" / "tangguh" / "core").glob("[a-z]*.py")}
    assert {f"tangguh.core.{name}" for name in there - TOUCHES} <= declared
