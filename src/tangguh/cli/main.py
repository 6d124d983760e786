"""The operator's door: ``tangguh <command>``. Commands and JSON keys are a contract.

Commands are named by their place and imported when they are asked for, so that reading one QR
code does not wait for the whole bank to load.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Sequence
from typing import Final

from cyclopts import App, CycloptsError, Group

from tangguh import __version__
from tangguh.cli.trouble import not_understood

_UNREAD: Final = 141
"""How a shell sees a command that was ended by a reader who left: 128 and SIGPIPE."""

app = App(
    name="tangguh",
    help="A digital bank in which every payment has exactly one outcome.",
    version=__version__,
)
_COMMANDS: Final = {
    "Run the bank": {
        "up": ("tangguh.cli.up:up", "The whole bank on this machine, until Ctrl-C."),
        "serve": ("tangguh.cli.processes.serve:serve", "The bank's own process."),
        "gateway": (
            "tangguh.cli.processes.gateway:gateway",
            "The gateway to BI-FAST: it carries only what the ledger authorised.",
        ),
        "watch": (
            "tangguh.cli.processes.watch:watch",
            "The watch on the settlement account, apart from the bank.",
        ),
        "status": (
            "tangguh.cli.processes.status:status",
            "The public status page, which stays when the bank is gone.",
        ),
        "sim": ("tangguh.cli.processes.serve:sim", "The simulated networks."),
        "config": ("tangguh.cli.settings:app", "The settings in force."),
        "migrate": (
            "tangguh.cli.migrate:migrate",
            "Bring a database up to date, as its owner, before a new version works in it.",
        ),
    },
    "Operate it (a member of staff's token, or the bank stopped)": {
        "gate": ("tangguh.cli.staff.gate:app", "See, make, widen and narrow closures."),
        "ladder": ("tangguh.cli.staff.ladder:app", "The way back from a closure, step by step."),
        "staff": (
            "tangguh.cli.staff.device:app",
            "Log in as staff; roles, and the devices you sign from.",
        ),
        "change": ("tangguh.cli.staff.change:change", "Approve or deny what others proposed."),
        "rule": ("tangguh.cli.staff.change:rule", "The guard's rules: list, try, propose."),
        "settlement": ("tangguh.cli.settlement:app", "Settlement files, breaks, pay-outs."),
        "payment": ("tangguh.cli.oncall.payment:app", "A payment by any reference: its story."),
        "case": ("tangguh.cli.oncall.case:app", "What people complain of, and its clocks."),
        "incident": ("tangguh.cli.oncall.incident:app", "What the public is told of, and when."),
        "customer": ("tangguh.cli.oncall.customer:app", "One customer, masked."),
        "tariff": ("tangguh.cli.tariff:app", "Limits, fees and discounts, and their history."),
    },
    "Prove and rehearse": {
        "prove": ("tangguh.cli.prove:prove", "Recompute every invariant from the book."),
        "smoke": ("tangguh.cli.smoke:smoke", "Pay once over every service of a new bank."),
        "drill": ("tangguh.cli.drill:drill", "Rehearse a failure on real processes; list them."),
        "bench": ("tangguh.cli.bench:app", "Measure, with PostgreSQL's own yardstick beside it."),
    },
    "Read a message": {
        "qris": ("tangguh.cli.decode.qris:app", "A QR payload, field by field."),
        "iso8583": ("tangguh.cli.decode.iso8583:app", "A card message, field by field."),
        "bifast": ("tangguh.cli.decode.bifast:app", "An ISO 20022 message of BI-FAST."),
    },
}
for _number, (_title, _commands) in enumerate(_COMMANDS.items()):
    _group = Group(_title, sort_key=_number)
    for _name, (_place, _line) in _commands.items():
        app.command(_place, name=_name, help=_line, group=_group)


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line: these words, else the process's own. Ends in SystemExit."""
    try:
        try:
            app(words, print_error=False, exit_on_error=False)
        finally:
            sys.stdout.flush()
    except CycloptsError as error:
        not_understood(error)
    except BrokenPipeError:
        if not _is_unread():
            raise  # it was another pipe that broke: a fault like any
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_UNREAD)


def _is_unread() -> bool:
    """Whether whoever read the output has gone, as `| head` has when it has enough."""
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in output.poll(0))
