"""House rules that a machine can hold. Each message says what to do instead.

Sizes are ratchets: an exemption carries today's number and may only shrink.
"""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "tangguh"

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
PACKAGE_LINES_MAX = 2_600
LINE_LENGTH_MAX = 100
TRACKED_BYTES_MAX = 500_000

EXEMPT: dict[str, int] = {}
"""path or path::function → its lines today. May only shrink."""

BANNED_NAMES = {
    "utils", "helpers", "common", "misc", "manager", "service", "base", "impl", "tools", "lib",
}  # fmt: skip
NAMED_FOR_A_REASON = {"core/service.py"}  # a service is what a customer can do (glossary)

BANNED_CALLS = {
    "time.time": "use the injected Clock",
    "time.sleep": "await clock.sleep(...)",
    "datetime.now": "use the injected Clock",
    "datetime.utcnow": "use the injected Clock",
    "uuid4": "use the injected Ids",
    "uuid.uuid4": "use the injected Ids",
    "os.environ": "settings are read in config.py only",
    "os.getenv": "settings are read in config.py only",
    "print": "log an event, or print in the command line only",
}
ALLOWED_CALLS = {
    ("core/clock.py", "datetime.now"),
    ("config.py", "os.environ"),
    ("cli/device.py", "uuid4"),  # a customer's phone, not the bank
}


def _declared_pure() -> frozenset[str]:
    """The modules that only think, as the import contracts declare them; there is no second list."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    return frozenset(
        module
        for contract in ("pure", "plain")
        for module in contracts[f"importlinter:contract:{contract}"]["source_modules"].split()
    )


PURE = _declared_pure()


def is_pure(name: str) -> bool:
    """Whether a source, or the package it is in, is declared to only think."""
    parts = ["tangguh", *Path(name).with_suffix("").parts]
    return any(".".join(parts[:size]) in PURE for size in range(2, len(parts) + 1))


def sources() -> list[Path]:
    return sorted(SRC.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(SRC).as_posix()


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


# ---- the checks, each a generator of complaints about one source -----------------------------


def too_long(name: str, text: str) -> Iterator[str]:
    """Files, functions and lines above their size."""
    lines = text.splitlines()
    if len(lines) > EXEMPT.get(name, FILE_LINES_MAX):
        yield f"{name}: {len(lines)} lines; split it by noun"
    for number, line in enumerate(lines, start=1):
        if len(line) > LINE_LENGTH_MAX:
            yield f"{name}:{number}: {len(line)} columns; at most {LINE_LENGTH_MAX}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            size = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            if size > EXEMPT.get(f"{name}::{node.name}", FUNCTION_LINES_MAX):
                yield f"{name}: {node.name} has {size} lines; give its second half a name"


def badly_named(name: str, _: str) -> Iterator[str]:
    """Files are nouns of the domain."""
    if name in NAMED_FOR_A_REASON:
        return
    for part in Path(name).with_suffix("").parts:
        if part in BANNED_NAMES:
            yield f"{name}: {part!r} says nothing; name the file by what it holds"


def impure(name: str, text: str) -> Iterator[str]:
    """What thinks does not touch."""
    if not is_pure(name):
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.AsyncFunctionDef):
            yield f"{name}: {node.name} is async; a pure module only thinks (ADR-0004)"


def forbidden_calls(name: str, text: str) -> Iterator[str]:
    """Time, chance and settings are injected."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        said = ast.unparse(node)
        if said == "print" and name.startswith("cli/"):
            continue
        if said in BANNED_CALLS and (name, said) not in ALLOWED_CALLS:
            yield f"{name}:{node.lineno}: {said}; {BANNED_CALLS[said]}"


def left_over(name: str, text: str) -> Iterator[str]:
    """No reminders in the code: an issue, or nothing."""
    for number, line in enumerate(text.splitlines(), start=1):
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
            yield f"{name}:{number}: finish it, or open an issue"


def undocumented(name: str, text: str) -> Iterator[str]:
    """Every module and every public class and function says what it is."""
    tree = ast.parse(text)
    if text.strip() and not ast.get_docstring(tree):
        yield f"{name}: the module says nothing of itself"
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if not node.name.startswith("_") and not ast.get_docstring(node):
            yield f"{name}: {node.name} has no docstring"


CHECKS = (too_long, badly_named, impure, forbidden_calls, left_over, undocumented)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_sources_keep_the_house_rules(check: object) -> None:
    """No source has a complaint."""
    complaints = [
        complaint for path in sources() for complaint in check(name_of(path), path.read_text())
    ]
    assert complaints == []


def test_packages_stay_readable_on_a_sunday_morning() -> None:
    """A package (without its sub-packages) has at most so many lines."""
    for package in {path.parent for path in sources()}:
        lines = sum(len(path.read_text().splitlines()) for path in package.glob("*.py"))
        assert lines <= PACKAGE_LINES_MAX, f"{name_of(package)}: {lines} lines; split by noun"


def test_exemptions_are_still_needed() -> None:
    """An exemption that is no longer true is taken away."""
    for name, lines in EXEMPT.items():
        path, _, function = name.partition("::")
        text = (SRC / path).read_text()
        assert lines > (FUNCTION_LINES_MAX if function else FILE_LINES_MAX)
        assert (function or path) in text or function == ""


def test_documents_have_one_title() -> None:
    """One first-level heading per Markdown file, and it comes first."""
    for path in tracked():
        if path.suffix == ".md":
            text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
            titles = [line for line in text.splitlines() if line.startswith("# ")]
            assert len(titles) == 1, f"{path.name}: {len(titles)} titles"
            assert text.startswith("# "), f"{path.name} does not begin with its title"


def test_nothing_of_this_machine_is_in_the_project() -> None:
    """No paths of a machine, no hosts of package registries, no large blobs."""
    words = ["/wo" + "rk/", "/fa" + "rm/", "/ro" + "ot/", "py" + "pi.org", "npm" + "js."]
    for path in tracked():
        assert path.stat().st_size <= TRACKED_BYTES_MAX, f"{path.name} is too large to track"
        if path.suffix in {".png", ".lock"}:
            continue
        text = path.read_text(errors="replace")
        for word in words:
            assert word not in text, f"{path.relative_to(ROOT)} names {word}"


PLANTED = {
    "too_long": ("core/money.py", '"""X."""\n' + "x = 1\n" * 501),
    "badly_named": ("core/utils.py", ""),
    "impure": ("core/money.py", '"""X."""\nasync def touch() -> None:\n    """X."""\n'),
    "forbidden_calls": ("core/money.py", '"""X."""\nimport time\nNOW = time.time()\n'),
    "left_over": ("core/money.py", '"""X."""\n# TO' + "DO later\n"),
    "undocumented": ("core/money.py", '"""X."""\ndef shout() -> None:\n    return None\n'),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_each_check_sees_what_is_planted(check: object) -> None:
    """A check that cannot fail is no check."""
    name, text = PLANTED[check.__name__]
    assert list(check(name, text))
    assert not list(check("core/fine.py", '"""Fine."""\n\nX = 1\n'))
