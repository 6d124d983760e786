"""Who a hub's message is from and for: other banks write most of it, and the hub only passes it on."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from rails.bifast_harness import BifastHarness, running
from rails.harness import Keys
from tangguh.core.outcome import Unanswered
from tangguh.sim.bifast.clearing import Order, order_of
from tangguh.sim.bifast.paper import Paper

RP75K = 75_000_00
BACK = {"kind": "011", "reference": "20250329UJIAIDJ1011O0200000001"}
REASON = "FIToFIPmtStsRpt.TxInfAndSts.0.StsRsnInf.0.Rsn.Prtry"


@pytest_asyncio.fixture(params=["json", "xml"])
async def far(
    request: pytest.FixtureRequest, keys: Keys, tmp_path: Path
) -> AsyncIterator[BifastHarness]:
    """The receiver and the hub that calls it, in both forms of a message."""
    async with running(keys, tmp_path, request.param) as harness:
        yield harness


async def order(far: BifastHarness, **changes: Any) -> Order:
    """A transfer to us that the hub has, with what another bank might have written in it."""
    row = await far.hub.originate("108", RP75K)
    far.till.announced.clear()
    far.till.ended.clear()
    reference = row.reference[:-1] + "X"
    return msgspec.structs.replace(order_of(row), **{"reference": reference, **changes})


@pytest.mark.parametrize(
    "related",
    [
        "in:20250329UJIAIDJ1010O0200000001",  # how the book calls what came in
        "20250329UJIAIDJ1010O0200000001",  # a transfer to us, of their own
        "20250329CENAIDJA010O0200000001",
        "R-1",
    ],
)
async def test_a_return_of_what_we_never_sent_is_refused(far: BifastHarness, related: str) -> None:
    """A return names a transfer of ours; naming one that came in would take that money away."""
    paper = far.hub._paper_of(await order(far, **BACK, related=related))
    answer = await far.hub.messenger.post(paper)
    assert isinstance(answer, Paper)
    assert answer.text(REASON) == "U106"
    assert far.till.announced == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": "20250329UJIAIDJ1510O0200000001"},  # by its number an enquiry: no notice
        {"reference": "20250329UJIAIDJ1011O0200000001"},
        {"reference": "20250329CENAIDJA010O0200000001"},  # the number of another bank
        {"debtor_bank": "CENAIDJA"},
    ],
)
async def test_a_number_that_belies_its_message_is_refused(
    far: BifastHarness, changes: dict[str, Any]
) -> None:
    """Type and bank in an EndToEndId are those of the transfer: else its notice goes astray."""
    paper = far.hub._paper_of(await order(far, **changes))
    answer = await far.hub.messenger.post(paper)
    assert isinstance(answer, Paper)
    assert answer.definition == "admi.002.001.01"
    assert far.till.announced == {}


async def announced(far: BifastHarness) -> Paper:
    """A transfer is announced; its settlement notice, not yet told."""
    far.till.says = Unanswered("busy")
    row = await far.hub.originate("108", RP75K)
    far.till.says = None
    assert await far.hub.messenger.post(far.hub._paper_of(order_of(row))) is not None
    return far.hub.notice_of(msgspec.structs.replace(row, state="paid"))


@pytest.mark.parametrize(
    ("side", "bank"), [("CdtrAgt", "CENAIDJA"), ("DbtrAgt", "CENAIDJA"), ("DbtrAgt", "TGUHIDJ1")]
)
async def test_a_notice_that_names_another_bank_credits_nobody(
    far: BifastHarness, side: str, bank: str
) -> None:
    """Settled for another bank, or by another: kept as a difference, and the true one still pays."""
    notice = await announced(far)
    other = copy.deepcopy(notice.document)
    told = other["FIToFIPmtStsRpt"]["TxInfAndSts"][0]["OrgnlTxRef"]
    told[side] = {"FinInstnId": {"Othr": {"Id": bank}}}
    assert await far.hub.messenger.post(msgspec.structs.replace(notice, document=other)) is True
    assert far.till.credited_minor == 0
    assert len(far.till.doubted) == 1
    assert await far.hub.messenger.post(notice) is True
    assert far.till.credited_minor == RP75K
