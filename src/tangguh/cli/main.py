"""The operator's door: ``tangguh <command>``. Commands and JSON keys are a contract."""

from __future__ import annotations

from cyclopts import App

from tangguh import __version__
from tangguh.cli import qris, settings
from tangguh.cli.prove import prove
from tangguh.cli.serve import serve, sim
from tangguh.cli.smoke import smoke
from tangguh.cli.up import up

app = App(
    name="tangguh",
    help="A digital bank in which every payment has exactly one outcome.",
    version=__version__,
)
app.command(up)
app.command(serve)
app.command(sim)
app.command(smoke)
app.command(prove)
app.command(qris.app)
app.command(settings.app)


def main() -> None:
    """Run the command line."""
    app()
