"""The gateway as `up` runs it: what a thief of the connector's key gets, and how it is rehearsed."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tangguh.cli.household import Household, temporary
from tangguh.config import load
from tangguh.rails import signature
from tangguh.rails.bifast import ids, message, transfer
from tangguh.rails.bifast.transfer import CreditTransfer, Party
from tangguh.settlement.watched import WatchState, read_watch


def forged(household: Household, number: int, amount_minor: int) -> bytes:
    """A transfer nobody ordered, by somebody who has read the connector's key."""
    now = datetime.now(UTC)
    reference = ids.business_number(now, "TGUHIDJ1", ids.BY_ACCOUNT, f"9999{number:04d}")
    asked = CreditTransfer(
        kind=ids.BY_ACCOUNT,
        message_id=ids.message_number_of(reference),
        created_at=now,
        end_to_end_id=reference,
        transaction_id="f" * 32,
        amount_minor=amount_minor,
        debtor=Party(name="NOBODY", account="10000000011", bank="TGUHIDJ1"),
        creditor=Party(name="SARI WULANDARI", account="9980000001", bank="UJIAIDJ1"),
    )
    private, _ = household.place.key_pair("connector")
    return message.sealed(
        message.Message(
            sender="TGUHIDJ1",
            recipient="FASTIDJA",
            number=reference,
            definition=transfer.DEFINITION,
            service=message.CLEAR,
            created_at=now,
            document=transfer.document_of(asked),
        ),
        signature.load_private_key(private),
        "json",
    )


async def statement(household: Household, http: aiohttp.ClientSession) -> dict[str, Any]:
    """The hub's statement, as the household's watch reads it."""
    private, _ = household.place.signing_pair("watch")
    key = load_pem_private_key(private.read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    at, path = datetime.now(UTC).isoformat(), "/bifast/statement?after=0"
    made = base64.b64encode(key.sign(f"GET\n{path}\n{at}".encode())).decode()
    async with http.get(f"{household.addresses['control']}/networks") as reply:
        hub = (await reply.json())["bifast"]
    headers = {"X-Watch-Timestamp": at, "X-Watch-Signature": made}
    async with http.get(hub + path, headers=headers) as reply:
        assert reply.status == 200
        return dict(await reply.json())


async def post(household: Household, http: aiohttp.ClientSession, body: bytes) -> tuple[int, bytes]:
    """To the gateway."""
    url = f"{household.addresses['gateway']}/bifast/messages"
    async with http.post(url, data=body) as reply:
        return reply.status, await reply.read()


async def test_a_stolen_connector_key_moves_nothing(tmp_path: Path) -> None:
    """Ring 1 on, as it is by default: refused, counted, and the statement is empty."""
    household = temporary(tmp_path / "data", load(None), seed=1)
    try:
        await household.start()
        async with aiohttp.ClientSession() as http:
            for number in range(3):
                status, body = await post(household, http, forged(household, number, 500_000_00))
                assert status == 421
                assert msgspec.json.decode(body)["said"]["detail"] == "missing"
            rows = (await statement(household, http))["rows"]
            assert [row["kind"] for row in rows] == ["fund"]
            async with http.get(f"{household.addresses['gateway']}/status") as reply:
                shown = await reply.json()
            assert shown["authorisation_required"] is True
            assert shown["counts"]["refused"] == 3
    finally:
        await household.stop()


async def test_ring_1_off_and_a_small_account(tmp_path: Path) -> None:
    """A rehearsal of what rings 2 and 3 are for: the theft goes out until the account is empty."""
    overrides = {
        "gateway": {"require_authorisation": False},
        "watch": {"closes": False},
        "sim": {"bifast": {"prefunded_minor": 1_000_000_00}},
        "treasury": {"rules": {"floor_minor": 1_000_000_00}},
    }
    household = temporary(tmp_path / "data", load(None), seed=1, overrides=overrides)
    try:
        await household.start()
        async with aiohttp.ClientSession() as http:
            for number in range(3):
                status, _ = await post(household, http, forged(household, number, 500_000_00))
                assert status == 200
            said = await statement(household, http)
            assert [row["kind"] for row in said["rows"]] == ["fund", "transfer", "transfer"]
            assert said["balance_minor"] == 0
    finally:
        await household.stop()


async def test_ring_1_off_and_the_watch(tmp_path: Path) -> None:
    """Ring 3 as `up` runs it: the first theft is seen, BI-FAST outgoing closes at both, and the
    watch ends and starts cleanly, remembering; an edge that starts while the bank is dead too.
    """
    overrides = {"gateway": {"require_authorisation": False}}
    household = temporary(tmp_path / "data", load(None), seed=1, overrides=overrides)
    try:
        await household.start()
        watching = household.addresses["watch"]
        async with aiohttp.ClientSession() as http:
            assert (await post(household, http, forged(household, 0, 500_000_00)))[0] == 200
            async with asyncio.timeout(5):
                while not (state := await until_closed(watching)):
                    await asyncio.sleep(0.05)
            assert (state.unmatched_count, state.blind, state.faults) == (1, "", [])
            assert (await post(household, http, forged(household, 1, 500_000_00)))[0] == 421
            assert household.watcher is not None
            await household.watcher.stop()
            assert await read_watch(watching) is None
            await household.watcher.restart()
            again = await read_watch(watching)
            assert again is not None
            assert (again.unmatched, again.closed) == (state.unmatched, state.closed)
            assert household.bank is not None
            assert household.gateway is not None
            household.bank.kill()
            household.gateway.kill()
            await household.gateway.restart()
            assert (await post(household, http, forged(household, 2, 500_000_00)))[0] == 421
    finally:
        await household.stop()


async def until_closed(url: str) -> WatchState | None:
    """The watch's state once bank and gateway have its order."""
    state = await read_watch(url)
    is_closed = state is not None and any(one["bank"] and one["gateway"] for one in state.closed)
    return state if is_closed else None
