"""Limits and fees are rows with two names; a change counts at once, and never above the rule."""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial

import msgspec
import pytest

from stories import RUPIAH, pay, proved, scan, transfer
from tangguh.access.acts import Act
from tangguh.access.approval import Change
from tangguh.access.people import Role, Staff
from tangguh.access.staff import StaffRegister
from tangguh.app import Bank
from tangguh.core.clock import SystemClock
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import QRIS_OFFUS, TRANSFER_BIFAST, TRANSFER_ONUS
from tangguh.customers.crew import enrol_crew
from tangguh.payments.payment import State
from tangguh.payments.rules import Limit, within_ceilings
from tangguh.payments.store import tariff_changes
from tangguh.payments.tariff import ChangeFee, ChangeLimit, in_force
from tangguh.work.control.present import TwoPresent, signer_of

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


async def command(*words: str, first: str = "", second: str = "") -> tuple[int, str]:
    """``tangguh tariff`` as a process of its own, by two people's tokens."""
    tokens = {"TANGGUH_STAFF_TOKEN": first, "TANGGUH_SECOND_STAFF_TOKEN": second}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", "from tangguh.cli.tariff import app; app()", *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **tokens},
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_a_tariff_is_changed_while_the_bank_is_stopped(bank: Bank, dsn: str) -> None:
    """Two people and nothing above the regulator's ceiling; then history and list show it."""
    crew = await enrol_crew(StaffRegister(bank.pool, bank.book_id, SystemClock()))
    await bank.close()
    two = {"first": crew["staff:2"], "second": crew["staff:3"]}
    why = ("--reason", "Lebaran", "--dsn", dsn)
    change = ("limit", TRANSFER_BIFAST, "--transaction", "5000000", "--day", "9000000", *why)
    code, out = await command(*change, **two)
    assert code == 1
    assert "--bank-is-stopped" in out
    code, out = await command(*change, "--bank-is-stopped", **two)
    assert (code, "in force" in out) == (0, True), out
    high = ("fee", TRANSFER_BIFAST, "--rupiah", "2501", *why, "--bank-is-stopped")
    code, out = await command(*high, **two)
    assert code == 1
    assert "refused: fee" in out
    code, out = await command("list", "--dsn", dsn)
    (row,) = [line for line in out.splitlines() if line.startswith(f"{TRANSFER_BIFAST} ")]
    assert "Rp5,000,000" in row
    assert "Rp9,000,000" in row
    cut = ("discount", "UKE", "--per-ten-thousand", "30", *why, "--bank-is-stopped")
    assert (await command(*cut, **two))[0] == 0
    code, out = await command("list", "--dsn", dsn)
    (row,) = [line for line in out.splitlines() if line.startswith("discount UKE ")]
    assert "0.30 %" in row
    code, out = await command("history", "--dsn", dsn)
    assert "staff:2 and staff:3: Lebaran" in out


async def test_who_signs_a_tariff_is_proved_and_not_typed(bank: Bank, dsn: str) -> None:
    """Nobody's token, one person twice, no role, a frozen account, names typed: nothing changes."""
    crew = await enrol_crew(bank.staff)
    twin = Staff(id="staff:77", hr_id="HR-002", roles=frozenset({Role.RISK_OFFICER}))
    await bank.staff.add(twin)
    crew[twin.id] = await bank.staff.add_token(twin.id)
    two = partial(TwoPresent, bank.desk, bank.staff, bank.ids)
    maker = crew["staff:2"]
    tried = {
        "nobody": (maker, "made up"),
        "empty": ("", crew["staff:3"]),
        "twice": (maker, maker),
        "twin": (maker, crew[twin.id]),
        "no role to sign": (maker, crew["staff:4"]),
        "no role to begin": (crew["staff:6"], crew["staff:3"]),
    }
    for act in (Act.TARIFF_SET, Act.BREAK_REPAIRED, Act.SUSPENSE_CLEARED, Act.FILE_SUPERSEDED):
        for what, tokens in tried.items():
            refused = await two(*tokens).sign(act, "x", {"what": what})
            assert isinstance(refused, Refused), (act, what)
        signed = await two(maker, crew["staff:3"]).sign(act, "x", {})
        assert isinstance(signed, Change), "what was refused stands in nobody's way"
        assert signer_of(signed) == "staff:3"
    await bank.staff.freeze("staff:3")
    frozen = await two(maker, crew["staff:3"]).sign(Act.TARIFF_SET, "y", {})
    assert isinstance(frozen, Refused)
    await bank.close()
    change = ("fee", TRANSFER_BIFAST, "--rupiah", "100", "--reason", "x", "--dsn", dsn)
    stopped = (*change, "--bank-is-stopped")
    code, _ = await command(*stopped, "--by", "staff:2", "--approved-by", "staff:3")
    assert code != 0
    code, out = await command(*stopped, first=maker)
    assert (code, "TANGGUH_SECOND_STAFF_TOKEN" in out) == (1, True), out
    code, out = await command("history", "--dsn", dsn)
    assert "staff:" not in out
