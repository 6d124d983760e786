"""A whole bank on one machine: PostgreSQL, the outside world and the bank, as real processes.

``up``, ``smoke``, the benches and the drills all run this same household, so what is rehearsed
and measured is what is run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from tangguh.access.sealing import KEY_BYTES
from tangguh.cli.outside import NETWORKS, Outside
from tangguh.cli.place import Place
from tangguh.cli.processes.children import Child
from tangguh.cli.processes.keeping import KeepChild, KeepPostgres
from tangguh.cli.processes.ports import free_port, free_ports, is_free, refuse_busy_port
from tangguh.cli.processes.probes import demo_probes
from tangguh.config import Settings
from tangguh.core.clock import SystemClock
from tangguh.core.errors import Misconfigured
from tangguh.core.supervision import Supervisor
from tangguh.db.embedded import EmbeddedPostgres
from tangguh.db.roles import CORE, WATCH, WEB, dsn_as, make_watch_role, prepare
from tangguh.status.snapshot import PATH as STATUS_PATH
from tangguh.work.treasury import HubFunding

_WATCH_SECONDS: Final = 0.2
_AGAIN_SECONDS_MAX: Final = 5.0
"""A watch that ended by a fault (a full disk, say) looks again after at most this long."""
_FUNDED_TRIES_MAX: Final = 40
_ORPHANS_SECONDS_MAX: Final = 10.0
"""So long the children of a killed parent may take to notice and end."""

Say = Callable[[str], None]


class Household:
    """Everything ``tangguh up`` runs: ``start``, ``watch`` until told otherwise, ``stop``."""

    def __init__(
        self,
        place: Place,
        settings: Settings,
        *,
        port: int,
        seed: int,
        say: Say = lambda _: None,
        overrides: dict[str, Any] | None = None,
    ) -> None:
        self.place = place
        self.settings = settings
        self.port = port
        self.seed = seed
        self._say = say
        self._overrides = overrides or {}
        self._was_killed = False
        self.postgres: EmbeddedPostgres | None = None
        self.keeper: KeepPostgres | None = None
        self.world: Child | None = None
        self.gateway: Child | None = None
        self.bank: Child | None = None
        self.watcher: Child | None = None
        self.status: Child | None = None
        self.addresses: dict[str, str] = {}
        self.outside: Outside | None = None

    async def start(self) -> None:
        """Bring everything up in order, each thing ready before the next. Raises TangguhError."""
        self.place.take()
        self._was_killed = (self.place.run / "ready.json").exists()
        await self._expect_free(self.settings.web.host, self.port)
        await self._start_status()
        dsn = await self._start_postgres()
        secret = self.place.secret
        await prepare(dsn, secret("core-database"), secret("web-database"))
        await self._start_world()
        await self._start_gateway()
        await self._start_bank(dsn)
        await self._start_watch(dsn)
        await self._until_funded()
        self._write_ready()

    async def restart(self) -> None:
        """Start again, once, whatever has died. For drills that kill."""
        for child in self._children:
            if child is not None and child.has_ended:
                await child.restart()

    async def redeploy_gateway(self, **changes: Any) -> None:
        """Stop the gateway and start it with other settings, as an operator would. For drills."""
        assert self.gateway is not None
        path = self.place.run / "gateway.json"
        values = msgspec.json.decode(path.read_bytes()) | changes
        self.place.write_run_file("gateway.json", values)
        await self.gateway.stop()
        await self.gateway.start()

    async def watch(self) -> None:
        """Start again whatever dies, PostgreSQL too. Ends only when cancelled.

        Each is watched by itself: one that does not come up keeps nobody else waiting.
        """
        clock = SystemClock()
        supervisor = Supervisor(clock, wait_seconds_max=_AGAIN_SECONDS_MAX)
        if self.postgres is not None:
            self.keeper = KeepPostgres(self.postgres, clock, self._say)
            supervisor.start("PostgreSQL", self.keeper.run)
        for child in self._children:
            if child is not None:
                supervisor.start(child.name, KeepChild(child, clock, self._say).run)
        try:
            await asyncio.Event().wait()
        finally:
            await supervisor.stop()

    async def stop(self) -> None:
        """Stop everything in order; what was acknowledged stays."""
        for child in (self.watcher, self.bank, self.gateway, self.world):
            if child is not None:
                self._say(f"  stopping {child.name}")
                await child.stop()
        if self.postgres is not None:
            self._say("  stopping PostgreSQL")
            await self.postgres.stop()
        if self.status is not None:
            self._say("  stopping status")
            await self.status.stop()
        (self.place.run / "ready.json").unlink(missing_ok=True)
        self.place.leave()

    @property
    def _children(self) -> tuple[Child | None, ...]:
        return self.status, self.world, self.gateway, self.bank, self.watcher

    @property
    def dsn(self) -> str:
        """Where the book is, for its owner: not how the bank at work enters."""
        return self.settings.db.dsn or (self.postgres.dsn if self.postgres else "")

    async def _start_status(self) -> None:
        """Before the bank and beyond it: it needs the bank's address and public key only."""
        self._say("  status        starting: the public page, apart from the bank")
        directory = self.place.directory / "status"
        port = self.port + 2
        if not self.port or not is_free(port):
            port = free_port()
        url = f"http://127.0.0.1:{port}"
        values = {
            "snapshot_url": f"http://127.0.0.1:{self.port}{STATUS_PATH}",
            "public_key_path": str(self.place.signing_pair("status")[1]),
            "directory": str(directory / "site"),
            "memory_path": str(directory / "memory.sqlite"),
            "port": port,
            "public_url": url,
        }
        values |= self._overrides.get("status_page", {})
        path = self.place.write_run_file("status.json", values)
        self.status = self._child("status", ["status", "--config", str(path)])
        self.addresses["status"] = (await self.status.start())["status"]
        self._say(f"  status        ready at {url}/")

    async def _start_postgres(self) -> str:
        if self.settings.db.dsn:
            self._say("  PostgreSQL    the server in TANGGUH_DB__DSN")
            return self.settings.db.dsn
        self._say("  PostgreSQL    starting")
        self.postgres = EmbeddedPostgres(self.place.directory)
        await self.postgres.start()
        was = "was still running after a crash; taken over" if self.postgres.adopted else "ready"
        self._say(f"  PostgreSQL    {was}")
        return self.postgres.dsn

    async def _start_world(self) -> None:
        self._say("  networks      starting QRIS, BI-FAST, cards, wallets and billers, simulated")
        control_port = self.port + 1 if self.port else 0
        if control_port:
            await self._expect_free("127.0.0.1", control_port)
        ports = dict(zip(NETWORKS, free_ports(len(NETWORKS)), strict=True))
        bank_url = f"http://127.0.0.1:{self.port}"
        control_url = f"http://127.0.0.1:{control_port}"
        self.outside = Outside(self.place, bank_url, control_url, self.seed, ports)
        values = self.outside.sim_settings(control_port)
        for network, changes in self._overrides.get("sim", {}).items():
            values[network] |= changes
        path = self.place.write_run_file("sim.json", values)
        self.world = self._child("networks", ["sim", "--config", str(path)])
        said = await self.world.start()
        self.addresses["switch"], self.addresses["control"] = said["switch"], said["control"]
        self.addresses["terminals"] = f"127.0.0.1:{ports['terminals']}"
        self._say(f"  networks      ready at {said['control']}/")

    async def _start_gateway(self) -> None:
        """Between the bank and the hub; a bank with networks of its own has its own gateway."""
        if self.settings.qris is not None or self.outside is None:
            return
        self._say("  gateway       starting: BI-FAST carries only what the ledger authorised")
        values = self.outside.gateway_settings() | self._overrides.get("gateway", {})
        path = self.place.write_run_file("gateway.json", values)
        self.gateway = self._child("gateway", ["gateway", "--config", str(path)])
        self.addresses["gateway"] = (await self.gateway.start())["gateway"]
        self._say("  gateway       ready")

    async def _start_bank(self, dsn: str) -> None:
        self._say("  bank          opening the book; a new one is filled with people first")
        values = msgspec.to_builtins(self.settings)
        values["db"]["dsn"] = dsn_as(dsn, CORE, self.place.secret("core-database"))
        values["db"]["web_dsn"] = dsn_as(dsn, WEB, self.place.secret("web-database"))
        values["db"]["pepper_key"] = values["db"]["pepper_key"] or self.place.secret("pepper")
        if self.postgres is not None and not values["db"]["space"]["path"]:
            values["db"]["space"]["path"] = str(self.place.directory)
        crew = str(self.place.crew_path)
        values["evidence"] = values["evidence"] or {"url": str(self.place.directory / "evidence")}
        if values["devices"]["new_device"] == "auto":
            # The demo's people have no phones of their own: who tries it is told, not asked.
            values["devices"] |= {"new_device": "tell", "cooling_seconds": 0}
        web = values["web"]
        web["sealing_key"] = web["sealing_key"] or self.place.hex_key("sealing", KEY_BYTES)
        web |= {"port": self.port, "demo": True, "demo_crew_path": crew}
        if self.settings.qris is None:
            assert self.outside is not None
            values |= self.outside.bank_settings()
            web["demo_networks_url"] = self.addresses["control"]
            values["notices"] |= self.outside.post.bank_settings(self.settings.notices)
            values["recovery"]["probes"] = await demo_probes(self.addresses["control"])
            values["guard"] |= self.outside.guard_settings()
        if self.settings.status is None:
            values["status"] = {
                "snapshot_key_path": str(self.place.signing_pair("status")[0]),
                "page_url": self.addresses["status"],
            }
        values["guard"]["head_path"] = str(self.place.directory / "book-head.json")
        for section, changes in self._overrides.items():
            if section in ("gateway", "sim", "watch", "status_page"):
                continue
            values[section] = {**(values[section] or {}), **changes}
        path = self.place.write_run_file("bank.json", values)
        self.bank = self._child("bank", ["serve", "--config", str(path), "--seed", str(self.seed)])
        self.addresses["bank"] = (await self.bank.start())["bank"]
        self._say(f"  bank          ready at {self.addresses['bank']}/")

    async def _start_watch(self, dsn: str) -> None:
        """Beside the bank, after it made its tables: its own key, its own role in the database."""
        if self.settings.qris is not None or self.outside is None:
            return
        self._say("  watch         starting: matches what leaves by BI-FAST to the book")
        await make_watch_role(dsn, password := self.place.secret("watch-database"))
        values = self.outside.watch_settings(dsn_as(dsn, WATCH, password))
        values |= self._overrides.get("watch", {})
        path = self.place.write_run_file("watch.json", values)
        self.watcher = self._child("watch", ["watch", "--config", str(path)])
        self.addresses["watch"] = (await self.watcher.start())["watch"]
        self._say("  watch         ready")

    async def _until_funded(self) -> None:
        """The treasury funds once the watch sees; until then BI-FAST refuses what goes out."""
        if self.watcher is None:
            return
        funding = HubFunding(self.addresses["control"])
        for _ in range(_FUNDED_TRIES_MAX):
            account = await funding.account()
            if account is not None and (not account.is_limited or account.balance_minor > 0):
                return
            await asyncio.sleep(_WATCH_SECONDS)
        self._say("  BI-FAST       not funded yet: transfers out are refused until it is")

    async def _expect_free(self, host: str, port: int) -> None:
        """Refuse a busy port; after a kill give its orphans the seconds they take to end."""
        waited = 0.0
        while self._was_killed and waited < _ORPHANS_SECONDS_MAX:
            try:
                refuse_busy_port(host, port)
                return
            except Misconfigured:
                await asyncio.sleep(_WATCH_SECONDS)
                waited += _WATCH_SECONDS
        refuse_busy_port(host, port)

    def _child(self, name: str, arguments: list[str]) -> Child:
        return Child(name, arguments, run=self.place.run, logs=self.place.logs)

    def _write_ready(self) -> None:
        (self.place.run / "ready.json").write_bytes(msgspec.json.encode(self.addresses))


def temporary(path: Path, settings: Settings, *, seed: int, **more: Any) -> Household:
    """A household for a run that is thrown away, on free ports."""
    port = free_port()
    while port + 1 > 65_000 or not is_free(port + 1):
        port = free_port()
    overrides = more.pop("overrides", None) or {}
    web = {"name_checks_per_minute": 6_000, "name_checks_burst": 6_000} | overrides.get("web", {})
    more["overrides"] = overrides | {"web": web}
    return Household(Place(path), settings, port=port, seed=seed, **more)
