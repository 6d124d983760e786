"""Who may enter the embedded server: roles with a password over the private socket, nobody else.

The owner's password lies beside the data, readable by its owner only. A server made before there
were passwords let everybody in as the owner; it is changed at the next start. So is one whose
password is lost: whoever may write the data directory is its owner in any case.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from tangguh.core.errors import StoreBroken, StoreUnavailable
from tangguh.db.pool import Connection, connect, translated
from tangguh.db.private import secret_at

OWNER: Final = "tangguh"
"""Makes the schema and the roles; the bank at work never has its password."""
_TRIES: Final = 100
_POLL_SECONDS: Final = 0.05
_RULES: Final = """\
# Written by the bank: a role enters with its password, over the private socket only.
local all all scram-sha-256
"""
_OPEN_RULES: Final = f"""\
# Written by the bank while it sets the owner's password, and replaced right after.
local postgres {OWNER} trust
"""


class Entry:
    """The rules of one cluster and its owner's password. ``sockets``: where the server listens."""

    def __init__(self, directory: Path, cluster: Path, sockets: Path) -> None:
        self._rules = cluster / "pg_hba.conf"
        self._secret = directory / "keys" / "database-owner.secret"
        self._sockets = sockets

    @property
    def password(self) -> str:
        """The owner's password, made on first use."""
        return secret_at(self._secret)

    def dsn_for(self, database: str, password: str | None = None) -> str:
        """Where to connect as the owner."""
        word = quote(self.password if password is None else password, safe="")
        who = f"{OWNER}:{word}" if word else OWNER
        return f"postgresql://{who}@/{database}?{urlencode({'host': self._sockets}, safe='/')}"

    @property
    def is_closed(self) -> bool:
        """Whether nobody enters without a password, and the owner's is known."""
        try:
            return self._rules.read_text() == _RULES and self._secret.exists()
        except FileNotFoundError:
            return False

    def open_for_owner(self) -> None:
        """Let the owner in without a password, once, from the next reload or start on."""
        self._rules.write_text(_OPEN_RULES)

    async def set_password(self) -> None:
        """Set the owner's password, close the entry, and end whoever came in before.

        Raises StoreUnavailable.
        """
        connection = await self._come_in()
        try:
            with translated():
                secret = await connection.fetchval("SELECT quote_literal($1)", self.password)
                await connection.execute("SET log_min_error_statement = panic")
                await connection.execute(f"ALTER ROLE {OWNER} PASSWORD {secret}")
                self._rules.write_text(_RULES)
                await connection.fetchval("SELECT pg_reload_conf()")
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                )
        finally:
            await connection.close()

    async def _come_in(self) -> Connection:
        """A running server reads new rules when it gets to it, so we may be early."""
        for _ in range(_TRIES):
            try:
                return await connect(self.dsn_for("postgres", password=""))
            except (StoreBroken, StoreUnavailable):
                await asyncio.sleep(_POLL_SECONDS)
        raise StoreUnavailable("PostgreSQL does not let its owner in to set a password")
