"""``tangguh gateway``: the BI-FAST gateway as a process of its own, with the participant's key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import msgspec
import uvloop
from cyclopts import Parameter

from tangguh.cli.processes import logs
from tangguh.cli.processes.beside import serve_beside, with_health
from tangguh.cli.processes.parent import end_with_parent
from tangguh.cli.processes.told import ReadyJson, settings_refused
from tangguh.config import read_file
from tangguh.core.clock import SystemClock
from tangguh.core.errors import TangguhError
from tangguh.core.supervision import Supervisor
from tangguh.work.gateway.door import Door
from tangguh.work.gateway.gateway import Gateway, closures_of
from tangguh.work.gateway.poller import Poller
from tangguh.work.gateway.settings import GatewaySettings

_GRACE_SECONDS: Final = 5
_ANSWER_SECONDS: Final = 180.0
"""Longer than any patience with the hub: a message that may have left is not given up here."""
_KEEPALIVE_SECONDS: Final = 75
"""Longer than the bank keeps a connection it does not use (rails.link, 30 s): a line closed by this
side just as the bank writes to it would leave a payment unanswered."""


def gateway(
    *,
    config: Annotated[Path, Parameter(help="TOML or JSON: the gateway's keys, hub and port.")],
    ready_file: Annotated[Path | None, Parameter(help="Written once it listens.")] = None,
    as_json: ReadyJson = False,
) -> None:
    """Run the BI-FAST gateway: forwards to the hub only what the ledger authorised."""
    try:
        settings = msgspec.convert(read_file(config), GatewaySettings)
        logs.to_stderr()
        end_with_parent()
        uvloop.run(_serve(settings, ready_file, as_json=as_json))
    except (TangguhError, msgspec.ValidationError) as fault:
        settings_refused("gateway", config, fault)


async def _serve(settings: GatewaySettings, ready_file: Path | None, *, as_json: bool) -> None:
    clock = SystemClock()
    closures = closures_of(settings)
    running = Gateway(settings, clock, closures)
    loops = Supervisor(clock)
    if settings.bank_url:
        loops.start("poller", Poller(settings, closures, clock).run)
    try:
        await serve_beside(
            with_health(Door(running, clock).app, loops),
            loops,
            name="gateway",
            host=settings.host,
            port=settings.port,
            ready_file=ready_file,
            as_json=as_json,
            grace_seconds=_GRACE_SECONDS,
            keep_alive_seconds=_KEEPALIVE_SECONDS,
            answer_seconds=_ANSWER_SECONDS,
        )
    finally:
        await running.close()
