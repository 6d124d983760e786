"""What the bank needs and what its tests need are apart, and both are pinned by hash."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
RUN, DEV = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
_PINNED = re.compile(r"([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==([^ ;\\]+)")


def name_of(requirement: str) -> str:
    """The normalised name of a distribution (PEP 503)."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def pinned(lock: Path) -> dict[str, set[str]]:
    """Names and versions of a lock file; a name may have one version for each platform."""
    versions: dict[str, set[str]] = {}
    for line in lock.read_text("utf-8").splitlines():
        if found := _PINNED.match(line):
            versions.setdefault(name_of(found[1]), set()).add(found[2])
    return versions


def group(name: str) -> set[str]:
    """The names of a dependency group, with those of the groups in it."""
    names: set[str] = set()
    for one in PROJECT["dependency-groups"][name]:
        names |= {name_of(one)} if isinstance(one, str) else group(one["include-group"])
    return names


def imported() -> dict[str, str]:
    """The top-level modules that the bank's own code imports, each with a file that does."""
    found: dict[str, str] = {}
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [one.name for one in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                found.setdefault(name.partition(".")[0], str(path.relative_to(ROOT)))
    known = sys.stdlib_module_names | {"tangguh"}
    return {name: path for name, path in found.items() if name not in known}


def test_the_bank_imports_only_what_it_declares() -> None:
    """Not what a test brings, nor what another package happens to bring."""
    declared = {name_of(one) for one in PROJECT["project"]["dependencies"]}
    known = packages_distributions()
    strange = {
        module: path
        for module, path in imported().items()
        if declared.isdisjoint(name_of(one) for one in known.get(module, []))
    }
    assert not strange, f"put it under dependencies, with its row in ADR-0002: {strange}"


def test_what_the_bank_needs_holds_nothing_of_the_tests() -> None:
    """The first lock has every dependency and what builds the bank; the second the tests' too."""
    declared = {name_of(one) for one in PROJECT["project"]["dependencies"]}
    run, dev = pinned(RUN), pinned(DEV)
    assert declared | group("build") <= set(run)
    only_tests = group("dev") - group("build")
    assert only_tests
    assert only_tests.isdisjoint(run)
    assert only_tests <= set(dev)


def test_both_locks_name_the_same_versions() -> None:
    """What is tested is what runs."""
    run, dev = pinned(RUN), pinned(DEV)
    assert {name: dev.get(name) for name in run} == run


@pytest.mark.parametrize("lock", [RUN, DEV], ids=lambda lock: str(lock.name))
def test_every_package_is_held_to_its_hashes(lock: Path) -> None:
    text = lock.read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) >= len(pinned(lock)) > 50
    for line in lines:
        assert _PINNED.match(line), line[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), line[:80]


@pytest.mark.parametrize(
    ("target", "needs"),
    [("run", "setup"), ("test", "setup-dev"), ("check", "setup-dev"), ("drills", "setup-dev")],
)
def test_a_bank_is_opened_without_the_tests_packages(target: str, needs: str) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert f"\n{target}: {needs}\n" in makefile
