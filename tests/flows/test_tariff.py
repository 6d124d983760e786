"""Limits and fees are rows with two names; a change counts at once, and never above the rule."""

from __future__ import annotations

import asyncio
import sys

import msgspec
import pytest

from stories import RUPIAH, pay, proved, scan, transfer
from tangguh.app import Bank
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import QRIS_OFFUS, TRANSFER_BIFAST, TRANSFER_ONUS
from tangguh.payments.payment import State
from tangguh.payments.rules import Limit, within_ceilings
from tangguh.payments.store import tariff_changes
from tangguh.payments.tariff import ChangeFee, ChangeLimit, in_force

SIGNED = {"changed_by": "staff:7", "approved_by": "staff:9", "reason": "Lebaran"}


async def test_a_new_limit_counts_from_the_next_payment(bank: Bank) -> None:
    """Rp 100.000 per transfer from now on; the history says who and why."""
    limit = Limit(100_000 * RUPIAH, 150_000 * RUPIAH)
    said = await bank.writer.decide(ChangeLimit(name=TRANSFER_ONUS, limit=limit, **SIGNED))
    assert said == limit
    await bank.read_tariff()
    over = await pay(bank, await transfer(bank, 100_001 * RUPIAH))
    assert over.refusal is Refusal.LIMIT_PER_TRANSACTION
    assert (await pay(bank, await transfer(bank, 90_000 * RUPIAH, key="t-2"))).state is State.POSTED
    day = await pay(bank, await transfer(bank, 90_000 * RUPIAH, key="t-3"))
    assert day.refusal is Refusal.LIMIT_PER_DAY
    *opening, change = await tariff_changes(bank.pool, bank.book_id)
    assert {one.changed_by for one in opening} == {"opening"}
    assert (change.changed_by, change.approved_by, change.reason) == tuple(SIGNED.values())
    await proved(bank)


async def test_a_month_has_its_own_sum(bank: Bank) -> None:
    """What the day would allow, the month may not; the first of the next month begins anew."""
    limit = Limit(100_000 * RUPIAH, 100_000 * RUPIAH, month_max_minor=150_000 * RUPIAH)
    await bank.writer.decide(ChangeLimit(name=TRANSFER_ONUS, limit=limit, **SIGNED))
    await bank.read_tariff()
    assert (await pay(bank, await transfer(bank, 90_000 * RUPIAH))).state is State.POSTED
    bank.clock.advance(86_400)  # type: ignore[attr-defined]
    over = await pay(bank, await transfer(bank, 90_000 * RUPIAH, key="t-2"))
    assert over.refusal is Refusal.LIMIT_PER_MONTH
    bank.clock.advance(86_400 * 14)  # type: ignore[attr-defined]
    assert (await pay(bank, await transfer(bank, 90_000 * RUPIAH, key="t-3"))).state is State.POSTED
    await proved(bank)


async def test_a_channel_counts_all_its_services(bank: Bank) -> None:
    """A ceiling over the app: a transfer and a QRIS payment use the same day's sum."""
    limit = Limit(100_000 * RUPIAH, 100_000 * RUPIAH)
    await bank.writer.decide(ChangeLimit(name="mobile", limit=limit, **SIGNED))
    await bank.read_tariff()
    assert (await pay(bank, await transfer(bank, 60_000 * RUPIAH))).state is State.POSTED
    over = await pay(bank, await scan(bank, 60_000 * RUPIAH))
    assert over.refusal is Refusal.LIMIT_PER_DAY
    await proved(bank)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"approved_by": "staff:7"}, "approved_by"),
        ({"changed_by": ""}, "approved_by"),
        ({"reason": "  "}, "reason"),
        ({"name": "mobile.transfer.moon"}, "name"),
        ({"limit": Limit(-1, 1)}, "limit"),
        ({"name": QRIS_OFFUS, "limit": Limit(10_000_001 * RUPIAH, 10**12)}, "transaction_max"),
    ],
)
async def test_a_change_that_is_refused_names_its_field(
    bank: Bank, change: dict[str, object], field: str
) -> None:
    """One person, no reason, no such service, less than nothing, more than the rule: nothing."""
    plain = ChangeLimit(name=TRANSFER_ONUS, limit=Limit(1, 1), **SIGNED)
    said = await bank.writer.decide(msgspec.structs.replace(plain, **change))
    assert isinstance(said, Refused)
    assert said.field == field
    changes = await tariff_changes(bank.pool, bank.book_id)
    assert {one.changed_by for one in changes} == {"opening"}


async def test_a_fee_stays_below_its_ceiling(bank: Bank) -> None:
    """BI-FAST may cost a customer Rp 2.500 at most; less is the bank's to choose."""
    plain = ChangeFee(name=TRANSFER_BIFAST, fee_minor=2_500 * RUPIAH + 1, **SIGNED)
    assert isinstance(await bank.writer.decide(plain), Refused)
    cheaper = msgspec.structs.replace(plain, fee_minor=0)
    assert await bank.writer.decide(cheaper) == 0
    await bank.read_tariff()
    assert bank.rules.fee_of(TRANSFER_BIFAST) == 0
    await proved(bank)


def test_no_row_can_pass_a_regulators_ceiling() -> None:
    """Even a row that was written before the rule is bounded when it is read."""
    limits, _ = in_force([])
    limits[QRIS_OFFUS] = Limit(10**12, 10**12)
    assert within_ceilings(limits)[QRIS_OFFUS].transaction_max_minor == 10_000_000 * RUPIAH


async def command(*words: str) -> tuple[int, str]:
    """``tangguh tariff`` as a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", "from tangguh.cli.tariff import app; app()", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_a_tariff_is_changed_while_the_bank_is_stopped(bank: Bank, dsn: str) -> None:
    """Two names and nothing above the regulator's ceiling; then history and list show it."""
    await bank.close()
    names = ("--by", "staff:7", "--approved-by", "staff:9", "--reason", "Lebaran", "--dsn", dsn)
    change = ("limit", TRANSFER_BIFAST, "--transaction", "5000000", "--day", "9000000", *names)
    code, out = await command(*change)
    assert code == 1
    assert "--bank-is-stopped" in out
    code, out = await command(*change, "--bank-is-stopped")
    assert (code, "in force" in out) == (0, True), out
    high = ("fee", TRANSFER_BIFAST, "--rupiah", "2501", *names, "--bank-is-stopped")
    code, out = await command(*high)
    assert code == 1
    assert "refused: fee" in out
    code, out = await command("list", "--dsn", dsn)
    (row,) = [line for line in out.splitlines() if line.startswith(f"{TRANSFER_BIFAST} ")]
    assert "Rp5,000,000" in row
    assert "Rp9,000,000" in row
    cut = ("discount", "UKE", "--per-ten-thousand", "30", *names, "--bank-is-stopped")
    assert (await command(*cut))[0] == 0
    above = ("discount", "UKE", "--per-ten-thousand", "10001", *names, "--bank-is-stopped")
    assert "refused: discount" in (await command(*above))[1]
    code, out = await command("list", "--dsn", dsn)
    (row,) = [line for line in out.splitlines() if line.startswith("discount UKE ")]
    assert "0.30 %" in row
    code, out = await command("history", "--dsn", dsn)
    assert "staff:7 and staff:9: Lebaran" in out
