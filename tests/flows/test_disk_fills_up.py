"""The database's disk is filling up: no new money, said; giving back goes on; room comes back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from paper import PaperRail
from serving import served
from stories import RUPIAH, give_back, pay, proved, refund, scan
from tangguh.app import Bank
from tangguh.cli.device import Device
from tangguh.core.clock import HandClock, SystemClock
from tangguh.core.errors import StoreCannotWrite
from tangguh.core.outcome import Accepted, Unanswered
from tangguh.customers.seed import DEMO_PIN, demo
from tangguh.db import space
from tangguh.db.space import BALLAST, Room, Space, SpaceSettings, give_up_reserve
from tangguh.payments.payment import State

MIB = 1024 * 1024
Free = Callable[[int], None]


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Free:
    """How much the file system says is free, in MiB."""

    def set_to(mib: int) -> None:
        found = SimpleNamespace(f_bavail=mib, f_frsize=MIB)
        monkeypatch.setattr(
            space,
            "os",
            SimpleNamespace(statvfs=lambda _: found, posix_fallocate=os.posix_fallocate),
        )

    return set_to


async def test_no_new_money_and_what_is_under_way_ends(
    bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    """A payment is refused as a whole; an unanswered one is concluded; a refund is given."""
    paper.will("send", Accepted("RRN1"), Unanswered("timeout"))
    done = await pay(bank, await scan(bank, 30_000 * RUPIAH))
    open_one = await pay(bank, await scan(bank, 20_000 * RUPIAH, key="k2"))
    bank.space.room = Room.LOW
    with pytest.raises(StoreCannotWrite):
        await pay(bank, await scan(bank, 10_000 * RUPIAH, key="k3"))
    paper.will("inquire", Accepted("RRN2"))
    clock.advance(5)
    await bank.resolver.round()
    paper.will("refund", Accepted("REF1"))
    back = await refund(bank, give_back(done, 5_000 * RUPIAH))
    assert back.state is State.POSTED
    assert open_one.state is State.UNANSWERED
    await proved(bank)
    bank.space.room = Room.ENOUGH
    paper.will("send", Accepted("RRN3"))
    assert (await pay(bank, await scan(bank, 10_000 * RUPIAH, key="k4"))).state is State.POSTED


def test_low_is_clearly_over_before_it_is_enough(tmp_path: Path, free: Free) -> None:
    """Below the bound it is low; just above it still is."""
    watched = Space(SpaceSettings(path=str(tmp_path), free_mib_min=100, ballast_mib=1), _clock())
    seen = []
    for mib in (300, 99, 101, 124, 126):
        free(mib)
        seen.append(watched.look())
    assert seen == [Room.ENOUGH, Room.LOW, Room.LOW, Room.LOW, Room.ENOUGH]


def test_the_reserve_is_laid_in_given_up_and_laid_in_again(tmp_path: Path, free: Free) -> None:
    """Real blocks while there is plenty; gone when even giving back is in danger."""
    watched = Space(SpaceSettings(path=str(tmp_path), free_mib_min=100, ballast_mib=1), _clock())
    free(300)
    watched.look()
    assert (tmp_path / BALLAST).stat().st_blocks * 512 >= MIB
    free(60)
    watched.look()
    assert (tmp_path / BALLAST).exists()
    free(49)
    watched.look()
    assert not (tmp_path / BALLAST).exists()
    assert not give_up_reserve(tmp_path)
    free(300)
    watched.look()
    assert (tmp_path / BALLAST).exists()


def test_what_cannot_be_measured_is_neither(tmp_path: Path) -> None:
    """A directory that is not there says nothing about room."""
    watched = Space(SpaceSettings(path=str(tmp_path / "gone")), _clock())
    assert watched.look() is Room.UNKNOWN


async def test_the_app_hears_that_nothing_happened(bank: Bank, clock: HandClock) -> None:
    """503 with a problem that says so, and health names the disk."""
    bank.space.room = Room.LOW
    people, accounts, _ = demo(1)
    async with served(bank.web()) as url, Device(url, clock) as device:
        assert (await device.log_in(people[0].phone, DEMO_PIN)).ok
        order = {
            "kind": "transfer", "from_account": str(accounts[0][1]),
            "to_account": str(accounts[1][1]), "amount": "10.00",
        }  # fmt: skip
        said = await device.pay(order, "k1")
        assert (said.status, said.body["code"]) == (503, "unavailable")


def _clock() -> SystemClock:
    return SystemClock()
