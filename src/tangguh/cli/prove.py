"""``tangguh prove``: every money invariant, on a live database, from outside the bank."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

from tangguh.app import BESIDE, SHELVES
from tangguh.cli.trouble import in_trouble
from tangguh.config import load
from tangguh.core.errors import Misconfigured, TangguhError
from tangguh.db.embedded import EmbeddedPostgres
from tangguh.db.migrate import is_migrated
from tangguh.db.pool import Pool
from tangguh.payments.proof import Proof
from tangguh.payments.proof import prove as prove_book

_COMMAND_SECONDS: Final = 3600.0
"""A proof reads every row; a large book takes minutes."""


def prove(
    *,
    dsn: Annotated[str, Parameter(help="A PostgreSQL; else TANGGUH_DB__DSN, else --data.")] = "",
    data: Annotated[Path, Parameter(help="A data directory of `tangguh up`.")] = Path(
        "tangguh-data"
    ),
    as_json: Annotated[
        bool, Parameter(name="--json", negative="", help="Print one JSON document.")
    ] = False,
) -> None:
    """Check every money invariant of the book. Exits 0 only when all of them hold.

    Works while the bank runs and, with --data, when it does not.
    """
    try:
        settings = load(None)
        proof = asyncio.run(_prove(dsn or settings.db.dsn, data, settings.book.book_id))
    except TangguhError as trouble:
        in_trouble(trouble)
    print(msgspec.json.encode(proof).decode() if as_json else table(proof))
    sys.exit(0 if proof.passed else 1)


async def _prove(dsn: str, data: Path, book_id: int) -> Proof:
    if dsn:
        return await prove_dsn(dsn, book_id)
    if not (data / "postgres").exists():
        raise Misconfigured(f"there is no bank in {data.resolve()}; name one with --data or --dsn")
    postgres = EmbeddedPostgres(data)
    await postgres.start()
    try:
        return await prove_dsn(postgres.dsn, book_id)
    finally:
        if not postgres.adopted:
            await postgres.stop()


async def prove_dsn(dsn: str, book_id: int = 1) -> Proof:
    """Prove the book in a database that can be reached."""
    pool = await Pool.open(dsn, size_max=1, command_seconds=_COMMAND_SECONDS)
    try:
        async with pool.connection() as connection:
            if not await is_migrated(connection):
                raise Misconfigured(
                    "this database has no book of this version: none yet, or an older version's, "
                    "which `tangguh up` or `tangguh migrate` brings up to date"
                )
            return await prove_book(connection, book_id, BESIDE, SHELVES)
    finally:
        await pool.close()


def table(proof: Proof) -> str:
    """The proof as people read it."""
    words = {True: "holds  ", False: "BROKEN ", None: "UNKNOWN"}
    lines = [f"{words[one.holds]} {one.name}  {one.detail}".rstrip() for one in proof.invariants]
    lines.append(
        f"{_verdict(proof)} {_size(proof.accounts)} accounts, {_size(proof.entries)} entries."
    )
    return "\n".join(lines)


def _verdict(proof: Proof) -> str:
    if proof.passed:
        return "Every rupiah is accounted for."
    if any(one.holds is False for one in proof.invariants):
        return "The book is broken."
    return "Not everything could be read, so nothing is said of it."


def _size(count: int | None) -> str:
    return "an unknown number of" if count is None else f"{count:,}"
