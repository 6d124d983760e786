"""``tangguh migrate``: the owner brings a database up to date before a new version works in it.

``tangguh up`` does the same at each start. A bank on a PostgreSQL of its own works as roles that
may not change the schema, so somebody who may has to do it first.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from tangguh.cli.trouble import in_trouble
from tangguh.config import load
from tangguh.core.errors import Misconfigured, TangguhError
from tangguh.db.migrate import migrate as apply_pending
from tangguh.db.pool import connect, translated
from tangguh.db.private import secret_at
from tangguh.db.roles import make_bank_roles
from tangguh.db.safety import refuse_unsafe


class Migrated(msgspec.Struct, frozen=True):
    """What was done: the names of the migrations applied now, and whether the roles were made."""

    applied: list[str]
    roles: bool


def migrate(
    *,
    dsn: Annotated[str, Parameter(help="The database, as its owner; else TANGGUH_DB__DSN.")] = "",
    keys: Annotated[
        Path | None,
        Parameter(
            help="Also make the roles the bank works as; their passwords lie in this directory "
            "(core-database.secret, web-database.secret) and are made when they do not."
        ),
    ] = None,
    as_json: Annotated[
        bool, Parameter(name="--json", negative="", help="Print one JSON document.")
    ] = False,
) -> None:
    """Apply the migrations that are pending, as the database's owner; again does nothing.

    Stop the bank first. Refuses a database that a newer version has moved on.
    """
    try:
        where = dsn or load(None).db.dsn
        if not where:
            raise Misconfigured("no database was named: --dsn or TANGGUH_DB__DSN says which")
        done = asyncio.run(bring_up_to_date(where, keys))
    except TangguhError as trouble:
        in_trouble(trouble)
    print(msgspec.json.encode(done).decode() if as_json else _told(done))


async def bring_up_to_date(dsn: str, keys: Path | None) -> Migrated:
    """As the owner: what is pending, then the roles. Raises Misconfigured, StoreUnavailable."""
    connection = await connect(dsn)
    try:
        await refuse_unsafe(connection)
        with translated():
            applied = await apply_pending(connection)
    finally:
        await connection.close()
    if keys is not None:
        core, web = (secret_at(keys / f"{name}-database.secret") for name in ("core", "web"))
        await make_bank_roles(dsn, core, web)
    return Migrated(applied, roles=keys is not None)


def _told(done: Migrated) -> str:
    lines = [f"applied  {name}" for name in done.applied] or ["the schema is up to date"]
    return "\n".join([*lines, *(["the bank's roles are made"] if done.roles else [])])
