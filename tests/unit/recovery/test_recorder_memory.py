"""What the recorder keeps of ends has a known weight: a long day must not fill the bank's memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from tangguh.guard.scope import Facts, Scope
from tangguh.guard.window import End, Seen
from tangguh.recovery.recorder import Recorder

NOON = datetime(2026, 3, 20, 5, tzinfo=UTC)
_BYTES_MAX = 480
"""An end's weight, by measurement 381 bytes on one version of Python; 621 with its own texts."""


def ends(count: int) -> Iterator[Seen]:
    """Ends as the bank sees them: each with texts, numbers and a time of its own."""
    for number in range(count):
        facts = Facts(
            service="mobile.qris.offus",
            rail="qris",
            direction="out",
            channel="mobile",
            partner=f"9360{0:04d}",
            customer_id=1_000_000 + number % 500,
            account=1_000_000_000 + number % 500,
            payee=f"{10**15 + number % 300}",
            device=f"device-{number % 500:08d}",
            version=f"1.{0}.0",
            amount_minor=10_000 + number,
        )
        yield Seen(
            NOON + timedelta(seconds=number / 50),
            UUID(int=2**120 + number),
            facts,
            End.PAID,
            number / 7,
        )


def test_an_end_weighs_what_is_written_down_of_it() -> None:
    recorder = Recorder()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for seen in ends(5_000):
            recorder.see(seen)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / 5_000 < _BYTES_MAX


def test_a_full_recorder_forgets_the_oldest_and_still_answers_for_each_scope() -> None:
    recorder = Recorder(ends_max=1_000)
    for seen in ends(5_000):
        recorder.see(seen)
    whole = recorder.inside(Scope(), NOON)
    one = recorder.inside(Scope(account=1_000_000_007), NOON)
    other = recorder.outside(Scope(account=1_000_000_007), NOON)
    assert (whole.ended, one.ended, other.ended) == (1_000, 2, 998)


def test_what_is_kept_covers_as_what_was_seen() -> None:
    for seen in ends(50):
        recorder = Recorder()
        recorder.see(seen)
        for name in msgspec.structs.asdict(seen.facts):
            value = getattr(seen.facts, name)
            if value and name not in {"customer_id", "amount_minor"}:
                assert recorder.inside(Scope(**{name: value}), NOON).ended == 1, name
