"""``tangguh bench size``: what a payment weighs is measured, and stays what it was."""

from __future__ import annotations

import msgspec
import pytest

from tangguh.cli.bench import size as bench

BYTES_MAX = 2_150
"""With four thousand payments over four hundred accounts; more is a column or an index too many."""


def run(capsys: pytest.CaptureFixture[str], payments: int) -> tuple[int, str, str]:
    """The command's exit code and what it said."""
    with pytest.raises(SystemExit) as ended:
        bench.size(payments=payments, as_json=True)
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_a_payment_weighs_no_more_than_it_did(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every payment is counted, none has an old version, and the proof of the book holds."""
    monkeypatch.setattr(bench, "_ACCOUNTS", 400)
    code, out, _ = run(capsys, 4_000)
    report = msgspec.json.decode(out, type=bench.SizeReport)
    tables = {one.table: one for one in report.tables}
    assert (code, report.payments, report.proof.passed) == (0, 4_000, True)
    assert 0 < report.bytes_per_payment <= BYTES_MAX
    assert tables["ended_payments"].hot_percent is None
    assert tables["ended_payments"].heap_bytes_per_payment > 100
    assert tables["open_payments"].heap_bytes_per_payment < 100
    assert tables["limit_usage"].hot_percent == pytest.approx(100, abs=5)
    assert len(report.rss_mib) == 10


@pytest.mark.parametrize("payments", [0, -4_000, 3_999, 10_000])
def test_what_would_not_go_through_is_refused_with_the_next_number(
    capsys: pytest.CaptureFixture[str], payments: int
) -> None:
    """Before, so many were divided by and fewer had been paid."""
    code, out, err = run(capsys, payments)
    assert (code, out) == (1, "")
    assert "12,000" in err if payments == 10_000 else "the next is 4,000" in err
