"""``tangguh bench recon``: a settlement file of a million lines against as many records of ours.

Each size runs in a process of its own, so that its peak of memory is its own. The file is written
to disk first, read in chunks, checked whole (totals, hash, duplicates, every field), and matched;
breaks of every kind are planted by the seed and each of them must be found. Making the file and our
records is not measured; holding our records in memory is.
"""

from __future__ import annotations

import gc
import random
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

from tangguh.settlement.file import Expected, Reader
from tangguh.settlement.formats import NETWORKS
from tangguh.settlement.match import ENDED, OPEN, POSTED, Kind, Matcher, Records
from tangguh.settlement.source import Kept
from tangguh.sim.settlement import SettlementLine, file_of

SIZES: Final = (100_000, 300_000, 1_000_000)
_DAY: Final = date(2026, 3, 20)
_BEGINS: Final = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
_NETWORK: Final = "qris"
_SEED: Final = 42
_PLANTED_EACH: Final = 40
_OF_A_FILE: Final = tuple(kind for kind in Kind if kind is not Kind.ACCOUNT_DIFFERS)
"""A file names no accounts of people: only a network's notice can differ in one."""
_KINDS: Final = (*_OF_A_FILE, "proven", "disproven", "absent")
_LINES_MIN: Final = 2 * len(_KINDS)
_MIB: Final = 1024 * 1024


class Measured(msgspec.Struct, frozen=True):
    """One size. ``seconds``: file read, checked and matched. ``rss_mib``: the process's peak."""

    lines: int
    seconds: float
    lines_per_second: float
    rss_mib: float
    breaks: int
    planted: int
    all_found: bool


class Recon(msgspec.Struct, frozen=True):
    """Every size, and how much longer a line takes in the largest file than in the smallest."""

    bench: str
    results: list[Measured]
    linear_ratio: float
    passed: bool


def recon(
    *,
    lines: Annotated[int, Parameter(help="Lines of the largest file.")] = 1_000_000,
    as_json: Annotated[
        bool, Parameter(name="--json", negative="", help="Print one JSON document.")
    ] = False,
    one: Annotated[bool, Parameter(help="Measure this size only, in this process.")] = False,
) -> None:
    """Match settlement files of rising size. Exits 0 when every planted break was found."""
    if lines < _LINES_MIN:
        print(f"tangguh: --lines: at least {_LINES_MIN}, so that a break fits", file=sys.stderr)
        sys.exit(1)
    if one:
        print(msgspec.json.encode(measure(lines)).decode())
        return
    sizes = [*(size for size in SIZES if size < lines), lines]
    results = [_in_a_child(size) for size in sizes]
    ratio = results[0].lines_per_second / results[-1].lines_per_second
    report = Recon("recon", results, round(ratio, 2), all(each.all_found for each in results))
    print(msgspec.json.encode(report).decode() if as_json else _table(report))
    sys.exit(0 if report.passed else 1)


def _in_a_child(lines: int) -> Measured:
    words = [sys.executable, "-m", "tangguh", "bench", "recon", "--one", "--lines", str(lines)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        print(f"tangguh: {done.stderr[-500:]}", file=sys.stderr)
        sys.exit(1)
    return msgspec.json.decode(done.stdout, type=Measured)


def measure(lines: int) -> Measured:
    """Match a file of so many lines with our side of it; look for what was planted."""
    expected = Expected(network=NETWORKS[_NETWORK], day=_DAY, cycle=2)
    with tempfile.TemporaryDirectory(prefix="tangguh-recon-") as directory:
        path = Path(directory) / "settlement.txt"
        # Another process writes the file: what writing takes is not what matching takes.
        subprocess.run(
            [sys.executable, "-c", _WRITE, str(lines), str(path)], check=True, capture_output=True
        )
        gc.freeze()
        began = perf_counter()
        records, planted = our_side(lines)
        made = perf_counter() - began
        matcher = Matcher(records, NETWORKS[_NETWORK].accounts[0])
        began = perf_counter()
        reader = Reader(Kept(path).chunks(), expected)
        matcher.take(reader)
        if reader.refused is not None:
            raise SystemExit(f"the bench's own file was refused: {reader.refused}")
        matched = matcher.judge()
        took = perf_counter() - began
    found = Counter(str(each.kind) for each in matched.breaks)
    found |= Counter(
        proven=len(matched.proven), disproven=len(matched.disproven), absent=len(matched.absent)
    )
    listed = reader.totals.lines if reader.totals is not None else 0
    print(f"records made in {made:.1f} s", file=sys.stderr)
    return Measured(
        listed,
        round(took, 2),
        round(listed / took, 1),
        round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MIB, 1),
        len(matched.breaks),
        planted.total(),
        dict(found) == dict(planted),
    )


_WRITE: Final = (
    "import sys; from pathlib import Path; from tangguh.cli.bench.recon import their_side; "
    "Path(sys.argv[2]).write_text(their_side(int(sys.argv[1])))"
)


def their_side(lines: int) -> str:
    """The network's file: so many lines, a few for what is planted among them."""
    written: list[SettlementLine] = []
    for number, minor, fate in _story(lines):
        if fate in {Kind.MISSING_IN_FILE, "absent"}:
            continue
        said = minor + 100 if fate is Kind.AMOUNT_DIFFERS else minor
        written.append(_line(number, said))
        if fate == "disproven":
            written.append(_line(number, minor, kind="REV", side="I"))
    return file_of(_NETWORK, "BANKTANGGUH", _DAY, 2, written)


def our_side(lines: int) -> tuple[Records, Counter[str]]:
    """Our records of the same story, and how many of each kind were planted."""
    records, planted = Records(), Counter[str]()
    account = NETWORKS[_NETWORK].accounts[0]
    states = {Kind.STATE_DIFFERS: ENDED, **dict.fromkeys(("proven", "disproven", "absent"), OPEN)}
    for number, minor, fate in _story(lines):
        if fate is not None:
            planted[str(fate)] += 1
        if fate is Kind.MISSING_IN_BOOK:
            continue
        before = minor if fate is Kind.DUPLICATE else None
        name = _reference(number)
        records.add(
            b"O" + name.encode(),
            bytes.fromhex(name),
            minor,
            states.get(fate, POSTED) if fate is not None else POSTED,
            account,
            before_minor=before,
        )
    return records, planted


def _story(lines: int) -> list[tuple[int, int, str | None]]:
    """(number, amount, what is wrong with it) of every payment; the same for the same size."""
    source = random.Random(_SEED)  # noqa: S311 - the same file in every run
    each = min(_PLANTED_EACH, lines // (2 * len(_KINDS)) or 1)
    # Two fates have no line and one has two: so many more payments make so many lines.
    payments = lines + each
    amounts = [source.randrange(1_000, 50_000_000) for _ in range(payments)]
    fates: dict[int, str] = {}
    chosen = source.sample(range(payments), each * len(_KINDS))
    for place, number in enumerate(chosen):
        fates[number] = _KINDS[place // each]
    return [(number, minor, fates.get(number)) for number, minor in enumerate(amounts)]


def _reference(number: int) -> str:
    """Thirty-two hexadecimal digits, spread like ids."""
    return f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}{number:016x}"


def _line(number: int, minor: int, kind: str = "PAY", side: str = "O") -> SettlementLine:
    at = _BEGINS + timedelta(milliseconds=number * 40 % 43_000_000)
    return SettlementLine(
        kind=kind,
        side=side,
        reference=_reference(number),
        network_reference=f"Q{number:015d}",
        amount_minor=minor,
        at=at.isoformat(timespec="microseconds"),
    )


def _table(report: Recon) -> str:
    lines = [
        f"{one.lines:>9,} lines  {one.seconds:>7.2f} s  {one.lines_per_second:>10,.0f}/s  "
        f"{one.rss_mib:>7.1f} MiB  {one.breaks} breaks  "
        f"{'all found' if one.all_found else 'NOT ALL FOUND'}"
        for one in report.results
    ]
    lines.append(f"a line of the largest takes {report.linear_ratio}x one of the smallest")
    return "\n".join(lines)
