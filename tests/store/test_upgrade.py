"""A bank that an older version kept is opened by this one: nothing is lost, nothing asked twice."""

from __future__ import annotations

import gzip
import random
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import msgspec
import pytest

from conftest import CORE_WORD, NOON, QUICK, WEB_WORD
from paper import PaperRail, paper_rails
from stories import ANA, BUDI, account_of, pay, scan, transfer
from tangguh.app import Bank
from tangguh.cli.migrate import bring_up_to_date
from tangguh.cli.prove import prove_dsn
from tangguh.core.clock import HandClock
from tangguh.core.errors import Misconfigured, StoreBroken
from tangguh.core.ids import Ids
from tangguh.core.order import ToQris
from tangguh.core.outcome import Accepted
from tangguh.db.embedded import EmbeddedPostgres
from tangguh.db.migrate import migrations
from tangguh.db.roles import CORE, WEB, dsn_as
from tangguh.payments.payment import State

OLD = Path(__file__).parent / "old" / "bank_0020.sql.gz"
"""What a bank of the schema 0020 left: 56 people, five transfers, one QRIS payment posted and one
that nobody had answered yet."""
OLD_SHOP = {
    "type": "qris", "payload": "(scanned)", "merchant_pan": "9360091432840999140",
    "merchant_id": "G284099914", "nmid": "ID1025378077198", "acquirer": "93600914",
    "merchant_name": "SIINMEDIA", "merchant_city": "JEPARA", "category_code": "5499",
}  # fmt: skip
"""Whom its QRIS payments went to: a published code."""
LAST_OF_OLD = "0020_pre_retention.sql"


@pytest.fixture
async def old(server: EmbeddedPostgres) -> AsyncIterator[str]:
    """The old bank's database, as its owner."""
    admin = await asyncpg.connect(server.dsn_for("postgres"))
    await admin.execute("DROP DATABASE IF EXISTS old_bank WITH (FORCE)")
    await admin.execute("CREATE DATABASE old_bank TEMPLATE template0")
    filling = await asyncpg.connect(server.dsn_for("old_bank"))
    await filling.execute(gzip.decompress(OLD.read_bytes()).decode())
    await filling.close()
    yield server.dsn_for("old_bank")
    await admin.execute("DROP DATABASE old_bank WITH (FORCE)")
    await admin.close()


async def balances(dsn: str) -> dict[int, tuple[int, int]]:
    """Posted and held, by account."""
    line = await asyncpg.connect(dsn)
    rows = await line.fetch("SELECT account_id, posted_minor, held_minor FROM public.accounts")
    await line.close()
    return {row["account_id"]: (row["posted_minor"], row["held_minor"]) for row in rows}


async def test_an_old_bank_goes_on_where_it_was(old: str, tmp_path: Path, paper: PaperRail) -> None:
    """Its owner brings the schema up to date once; then the bank works there as its two roles."""
    before = await balances(old)
    for name, word in (("core", CORE_WORD), ("web", WEB_WORD)):
        (tmp_path / f"{name}-database.secret").write_text(word)
    done = await bring_up_to_date(old, tmp_path)
    assert done.applied == [one.name for one in migrations() if one.name > LAST_OF_OLD]
    assert (await bring_up_to_date(old, tmp_path)).applied == []
    settings = msgspec.structs.replace(
        QUICK, db=msgspec.structs.replace(QUICK.db, web_dsn=dsn_as(old, WEB, WEB_WORD))
    )
    clock = HandClock(NOON)
    clock.advance(60)
    bank = await Bank.open(
        settings,
        dsn_as(old, CORE, CORE_WORD),
        rails=paper_rails(paper),
        clock=clock,
        ids=Ids(clock, random.Random(6)),
    )
    try:
        assert await balances(old) == before
        assert await bank.pulse.round() == []
        again = await pay(bank, await transfer(bank, 100_00, key="t1"))
        assert again.state is State.POSTED
        assert await balances(old) == before, "an order it had carried out is not carried out again"
        paper.will("inquire", Accepted("R2"))
        await bank.resolver.round()
        shop = msgspec.convert(OLD_SHOP, ToQris)
        asked = await pay(bank, await scan(bank, 20_000_00, key="q2", payee=shop))
        assert await bank.pulse.round() == [], "nor is anything that it was moved on to"
        assert asked.state is State.POSTED, "what nobody had answered is found out, and ends"
        paid = await pay(bank, await transfer(bank, 700_00, key="new", by=ANA, to=BUDI))
        assert paid.state is State.POSTED
        after = await balances(old)
        budi = await account_of(bank, BUDI)
        assert after[budi][0] == before[budi][0] + 700_00
        assert sum(posted for posted, _ in after.values()) == 0
        proof = await bank.prove()
        assert proof.passed, [one for one in proof.invariants if one.holds is not True]
    finally:
        await bank.close()


async def test_before_its_owner_did_so_everybody_says_what_is_to_be_done(
    old: str, tmp_path: Path
) -> None:
    """A role that may not change the schema, and a proof over what it does not know."""
    with pytest.raises(Misconfigured, match="tangguh migrate"):
        await prove_dsn(old)
    for name, word in (("core", CORE_WORD), ("web", WEB_WORD)):
        (tmp_path / f"{name}-database.secret").write_text(word)
    line = await asyncpg.connect(old)
    name = await line.fetchval("SELECT quote_ident(current_database())")
    await line.execute(f"GRANT CONNECT ON DATABASE {name} TO {CORE}")
    await line.execute(f"GRANT SELECT ON public.schema_migrations TO {CORE}")
    await line.close()
    with pytest.raises((Misconfigured, StoreBroken), match="owner do it first"):
        await Bank.open(QUICK, dsn_as(old, CORE, CORE_WORD), rails={})
