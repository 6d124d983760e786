"""A board travels signed: changed, unsigned, of another kind or older, it is not believed."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tangguh.guard.board import Board
from tangguh.guard.snapshot import Sealed, Snapshot, WatchOrder, open_order, open_snapshot, seal
from unit.guard.test_closure import closure

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SNAPSHOT = Snapshot(1, datetime(2026, 3, 20, tzinfo=UTC), Board(7, (closure(),), (UUID(int=9),)))


def test_what_was_sealed_is_read() -> None:
    assert open_snapshot(seal("snapshot", SNAPSHOT, KEY), KEY.public_key()) == SNAPSHOT
    order = WatchOrder(closure())
    assert open_order(seal("order", order, KEY), KEY.public_key()) == order


def test_an_older_one_changes_nothing() -> None:
    data = seal("snapshot", SNAPSHOT, KEY)
    assert open_snapshot(data, KEY.public_key(), newer_than=7) == SNAPSHOT
    assert open_snapshot(data, KEY.public_key(), newer_than=8) == "version 7 is older than 8"


@pytest.mark.parametrize("change", ["body", "signature", "kind", "key", "bytes"])
def test_one_that_was_touched_is_not_believed(change: str) -> None:
    sealed = msgspec.json.decode(seal("snapshot", SNAPSHOT, KEY), type=Sealed)
    key = KEY.public_key()
    match change:
        case "body":
            sealed = Sealed(
                sealed.kind, sealed.body.replace('"version":7', '"version":8'), sealed.signature
            )
        case "signature":
            sealed = Sealed(sealed.kind, sealed.body, "00" * 64)
        case "kind":
            sealed = Sealed("order", sealed.body, sealed.signature)
        case "key":
            key = Ed25519PrivateKey.generate().public_key()
    data = b"\xff{" if change == "bytes" else msgspec.json.encode(sealed)
    assert isinstance(open_snapshot(data, key), str)
