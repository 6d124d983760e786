"""Rails under contract. Keys are made once a session, as RSA keys are slow to find."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from rails.harness import Keys, OnUsHarness, QrisHarness, running

_FAR = {"qris": running}
"""How to run each rail that has a far side; a new rail joins the contract suite here."""


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The bank's and the switch's key pairs, in PEM files."""
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest_asyncio.fixture
async def qris(keys: Keys, tmp_path: Path) -> AsyncIterator[QrisHarness]:
    """A QRIS issuer and its switch."""
    async with running(keys, tmp_path) as harness:
        yield harness


@pytest_asyncio.fixture(params=["qris"])
async def far(
    request: pytest.FixtureRequest, keys: Keys, tmp_path: Path
) -> AsyncIterator[QrisHarness]:
    """Every rail that has a far side."""
    async with _FAR[request.param](keys, tmp_path) as harness:
        yield harness


@pytest_asyncio.fixture(params=["qris", "onus"])
async def every(
    request: pytest.FixtureRequest, keys: Keys, tmp_path: Path
) -> AsyncIterator[QrisHarness | OnUsHarness]:
    """Every rail there is."""
    if request.param == "onus":
        yield OnUsHarness()
        return
    async with _FAR[request.param](keys, tmp_path) as harness:
        yield harness
