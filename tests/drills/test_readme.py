"""The README, walked word by word on a fresh directory, as whoever runs this and as another user."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from drills.walked import ROOT, Clone, clone, walking
from drills.walked_steps import ASKED_AT_LAST, FAJAR, heal, log_in, lose_replies, pay_pasted

README = ROOT / "README.md"
pytestmark = [pytest.mark.drill, pytest.mark.browser]


@pytest.mark.parametrize("other_user", [False, True], ids=["as it is", "as another user"])
async def test_five_minutes_are_as_written(tmp_path: Path, other_user: bool) -> None:
    """What the README says happens, and lasts until it is healed."""
    if other_user and (os.geteuid() != 0 or shutil.which("setpriv") is None):
        pytest.skip("only root can be another user")
    with clone(tmp_path, other_user=other_user) as bank:
        bank.make_run()
        assert recorded() == printed(bank)
        async with walking(README, bank) as walk:
            page = await walk.context.new_page()
            with walk.section("Five minutes"):
                await log_in(page, FAJAR)
                await pay_pasted(walk, page, "25000")
                await walk.until(page, "Network ref.")
                await lose_replies(walk)
                await pay_pasted(walk, page, "31000")
                payment = page.url
                await walk.until(page, "on hold in your account")
                post = await walk.context.new_page()
                await post.goto(f"{bank.networks}/post")
                await walk.until(post, "on hold", 30)
                status = await walk.context.new_page()
                await status.goto(bank.status)
                await walk.until_told(status, "QRIS", 180)
                assert "Network ref." not in await walk.look(page), "it healed by itself"
                await heal(walk)
                assert page.url == payment
                await walk.until(page, "Network ref.", ASKED_AT_LAST)
                walk.command()
        assert "Stopped" in bank.stop()


def recorded() -> list[str]:
    """What the README says `make run` prints, after the set-up that is done once."""
    block = re.search(r"```text\n(Setting up.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert block is not None
    lines = block.group(1).splitlines()
    set_up = (ROOT / "scripts" / "install").read_text("utf-8")
    for line in lines[:3]:
        assert line.split(".venv")[0].split("requirements")[0].rstrip() in set_up
    return lines[3:]


def printed(bank: Clone) -> list[str]:
    """What it printed here, as it would have been on the usual ports in somebody's clone."""
    assert bank.printed[0][0] < 10, "the first word comes at once"
    data = str(bank.directory / "tangguh-data")
    told = []
    for _, line in bank.printed:
        for extra, usual in ((bank.port, 8080), (bank.port + 1, 8081), (bank.port + 2, 8082)):
            line = line.replace(f":{extra}", f":{usual}")
        line = line.replace(f" --data {data}", "").replace(" --bank http://127.0.0.1:8080", "")
        told.append(line.replace(data, "/home/you/tangguh/tangguh-data"))
    return told
