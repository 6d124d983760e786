"""The board as it travels: signed, numbered, and believed only from the right key. Pure.

An edge keeps the newest snapshot it has verified and goes on enforcing it when whoever makes them
is gone; an older one, or one that nobody signed, changes nothing (static stability).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tangguh.guard.board import Board
from tangguh.guard.closure import Closure

_encode: Final = msgspec.json.Encoder().encode


class Sealed(msgspec.Struct, frozen=True):
    """Bytes with a signature over them, in hex. ``kind`` is part of what is signed."""

    kind: str
    body: str
    signature: str


class Snapshot(msgspec.Struct, frozen=True):
    """A board, whose it is and when it was taken."""

    book_id: int
    taken_at: datetime
    board: Board


class WatchOrder(msgspec.Struct, frozen=True):
    """What the watch asks for by itself: one closure."""

    closure: Closure


def seal(kind: str, value: Snapshot | WatchOrder, key: Ed25519PrivateKey) -> bytes:
    """The value as it travels."""
    body = _encode(value).decode()
    signature = key.sign(f"{kind}\n{body}".encode()).hex()
    return _encode(Sealed(kind, body, signature))


def open_snapshot(data: bytes, key: Ed25519PublicKey, newer_than: int = -1) -> Snapshot | str:
    """The snapshot, or why it is not believed: unreadable, unsigned, older than what is known."""
    body = _body_of(data, "snapshot", key)
    if isinstance(body, str):
        return body
    try:
        snapshot = msgspec.json.decode(body, type=Snapshot)
    except (msgspec.DecodeError, ValueError):
        return "not a snapshot"
    if snapshot.board.version < newer_than:
        return f"version {snapshot.board.version} is older than {newer_than}"
    return snapshot


def open_order(data: bytes, key: Ed25519PublicKey) -> WatchOrder | str:
    """The watch's order, or why it is not believed."""
    body = _body_of(data, "order", key)
    if isinstance(body, str):
        return body
    try:
        return msgspec.json.decode(body, type=WatchOrder)
    except (msgspec.DecodeError, ValueError):
        return "not an order"


def _body_of(data: bytes, kind: str, key: Ed25519PublicKey) -> bytes | str:
    try:
        sealed = msgspec.json.decode(data, type=Sealed)
        if sealed.kind != kind:
            return f"a {sealed.kind}, not a {kind}"
        key.verify(bytes.fromhex(sealed.signature), f"{kind}\n{sealed.body}".encode())
    except (msgspec.DecodeError, ValueError):
        return "unreadable"
    except InvalidSignature:
        return "not signed by whom it should be"
    return sealed.body.encode()
