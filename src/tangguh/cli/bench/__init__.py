"""``tangguh bench``: measured, never asserted; each run measures its yardstick beside it."""

from __future__ import annotations

from cyclopts import App

app = App(name="bench", help="Measure the bank beside pgbench on the same server.")
