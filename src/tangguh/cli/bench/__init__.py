"""``tangguh bench``: measured, never asserted; each run measures its yardstick beside it."""

from __future__ import annotations

from cyclopts import App

app = App(name="bench", help="Measure the bank beside pgbench on the same server.")

app.command("tangguh.cli.bench.ledger:ledger")
app.command("tangguh.cli.bench.payments:payments")
app.command("tangguh.cli.bench.http:http")
app.command("tangguh.cli.bench.iso8583:iso8583")
app.command("tangguh.cli.bench.recon:recon")
app.command("tangguh.cli.bench.size:size")
