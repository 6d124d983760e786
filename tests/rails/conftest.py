"""Rails under contract. Keys are made once a session, as RSA keys are slow to find."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from rails.harness import Harness, Keys, OnUsHarness, QrisHarness


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The bank's and the switch's key pairs, in PEM files."""
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest_asyncio.fixture
async def qris(keys: Keys, tmp_path: Path) -> AsyncIterator[QrisHarness]:
    """A QRIS issuer and its switch."""
    harness = await QrisHarness(keys, tmp_path).open()
    yield harness
    await harness.close()


@pytest_asyncio.fixture(params=["qris"])
async def far(request: pytest.FixtureRequest, qris: QrisHarness) -> Harness:
    """Every rail that has a far side."""
    return {"qris": qris}[request.param]


@pytest_asyncio.fixture(params=["qris", "onus"])
async def every(request: pytest.FixtureRequest, qris: QrisHarness) -> QrisHarness | OnUsHarness:
    """Every rail there is."""
    return {"qris": qris, "onus": OnUsHarness()}[request.param]
