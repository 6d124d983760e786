"""Rails under contract. Keys are made once a session, as RSA keys are slow to find."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio

from rails import bifast_harness, partner_harness
from rails.cards_harness import cards
from rails.harness import Far, Keys, OnUsHarness, QrisHarness, running
from rails.traits import TRAITS, having, lacking

_RUNNING: dict[str, Callable[[Keys, Path], AbstractAsyncContextManager[Far]]] = {
    "qris": running,
    "ewallet": partner_harness.running,
    "billers": lambda keys, folder: partner_harness.running(keys, folder, "billers"),
    "bifast_json": bifast_harness.running,
    "bifast_xml": lambda keys, folder: bifast_harness.running(keys, folder, "xml"),
    "iso8583": lambda _, folder: cards(folder),
}
"""How to run each rail that has a far side; a new rail joins the contract suite here."""
assert set(_RUNNING) == set(TRAITS), "every rail says what it can do"


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The bank's and the switch's key pairs, in PEM files."""
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest_asyncio.fixture
async def qris(keys: Keys, tmp_path: Path) -> AsyncIterator[QrisHarness]:
    """A QRIS issuer and its switch."""
    async with running(keys, tmp_path) as harness:
        yield harness


async def _far(request: pytest.FixtureRequest, keys: Keys, tmp_path: Path) -> AsyncIterator[Far]:
    """The rail of the parameter, with its far side."""
    async with _RUNNING[request.param](keys, tmp_path) as harness:
        yield harness


far = pytest_asyncio.fixture(params=list(TRAITS), name="far")(_far)
asked_about = pytest_asyncio.fixture(params=having("inquiry"), name="asked_about")(_far)
never_asked = pytest_asyncio.fixture(params=lacking("inquiry"), name="never_asked")(_far)
cancelling = pytest_asyncio.fixture(params=having("cancel"), name="cancelling")(_far)
waiting = pytest_asyncio.fixture(params=lacking("cancel"), name="waiting")(_far)
undoing = pytest_asyncio.fixture(params=having("undo"), name="undoing")(_far)
too_late = pytest_asyncio.fixture(params=lacking("undo"), name="too_late")(_far)
refunding = pytest_asyncio.fixture(params=having("refund"), name="refunding")(_far)
keeping = pytest_asyncio.fixture(params=lacking("refund"), name="keeping")(_far)
tipping = pytest_asyncio.fixture(params=having("tip"), name="tipping")(_far)
tipless = pytest_asyncio.fixture(params=lacking("tip"), name="tipless")(_far)
whole = pytest_asyncio.fixture(params=lacking("part"), name="whole")(_far)


@pytest_asyncio.fixture(params=[*TRAITS, "onus"])
async def every(
    request: pytest.FixtureRequest, keys: Keys, tmp_path: Path
) -> AsyncIterator[Far | OnUsHarness]:
    """Every rail there is."""
    if request.param == "onus":
        yield OnUsHarness()
        return
    async with _RUNNING[request.param](keys, tmp_path) as harness:
        yield harness
