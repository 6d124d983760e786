"""The switch's keys in the database: sealed, the newest by name."""

from __future__ import annotations

from tangguh.app import Bank
from tangguh.rails.iso8583.hsm import KeptKey
from tangguh.work.link_keys import LinkKeys


async def test_the_newest_key_of_each_name_is_kept(bank: Bank) -> None:
    keys = LinkKeys(bank.pool, bank.book_id, bank.clock)
    assert await keys.kept() == []
    await keys.keep("zpk", "aa", "08D7B4")
    await keys.keep("mak", "bb", "08D7B4")
    await keys.keep("zpk", "cc", "08D7B4")
    assert await keys.kept() == [KeptKey("mak", "bb", "08D7B4"), KeptKey("zpk", "cc", "08D7B4")]
