"""The operator's door: ``tangguh <command>``. Commands and JSON keys are a contract.

Commands are named by their place and imported when they are asked for, so that reading one QR
code does not wait for the whole bank to load.
"""

from __future__ import annotations

from cyclopts import App

from tangguh import __version__

app = App(
    name="tangguh",
    help="A digital bank in which every payment has exactly one outcome.",
    version=__version__,
)
app.command("tangguh.cli.up:up")
app.command("tangguh.cli.smoke:smoke")
app.command("tangguh.cli.prove:prove")
app.command("tangguh.cli.drill:drill")
app.command("tangguh.cli.bench:app", name="bench")
app.command("tangguh.cli.decode.qris:app", name="qris")
app.command("tangguh.cli.decode.iso8583:app", name="iso8583")
app.command("tangguh.cli.decode.bifast:app", name="bifast")
app.command("tangguh.cli.settlement:app", name="settlement")
app.command("tangguh.cli.tariff:app", name="tariff")
app.command("tangguh.cli.staff.gate:app", name="gate")
app.command("tangguh.cli.staff.ladder:app", name="ladder")
app.command("tangguh.cli.staff.change:change", name="change")
app.command("tangguh.cli.staff.change:rule", name="rule")
app.command("tangguh.cli.staff.device:app", name="staff")
app.command("tangguh.cli.settings:app", name="config")
app.command("tangguh.cli.processes.serve:serve")
app.command("tangguh.cli.processes.gateway:gateway")
app.command("tangguh.cli.processes.watch:watch")
app.command("tangguh.cli.processes.status:status")
app.command("tangguh.cli.processes.serve:sim")


def main() -> None:
    """Run the command line."""
    app()
