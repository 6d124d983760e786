"""The hash chain of a book: pure. One SHA-256 link per batch over every append-only row in it.

A link covers the link before it, the batch's own header, and each stream's rows in a canonical
order, so that a row changed, added or taken away later breaks the chain at its batch.
Of rows that may change (payments, bills) the digest after each change is in a row that is hashed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from tangguh.audit.journal import Row

GENESIS: Final = bytes(32)
_encode: Final = msgspec.msgpack.Encoder(decimal_format="string").encode


class Header(msgspec.Struct, frozen=True, array_like=True):
    """What a link says of its batch besides the rows."""

    book_id: int
    batch_no: int
    epoch: int
    decided_at: datetime
    commands: int


DIGEST_BYTES: Final = 16
_OF_SHA256: Final = DIGEST_BYTES - 1
_COUNTS: Final = tuple(bytes((count,)) for count in range(256))
_sha256: Final = hashlib.sha256


def digest(row: Row) -> bytes:
    """A row that may change, as it is now: the number of its columns and 15 bytes of SHA-256.

    The number says which columns are meant when the table gets more of them: the first so many.
    """
    return _COUNTS[len(row)] + _sha256(_encode(row)).digest()[:_OF_SHA256]


def is_what_was(row: Row, known: bytes) -> bool:
    """Whether a row, read anew, is what it was when this digest was made of it."""
    return bool(known) and digest(row[: known[0]]) == known


def link(previous: bytes, header: Header, streams: Iterable[tuple[str, Sequence[Row]]]) -> bytes:
    """The batch's hash: 32 bytes. Rows are plain values (int, str, UUID, aware datetime, date)."""
    digest = hashlib.sha256(previous)
    digest.update(_encode(header))
    for name, rows in streams:
        digest.update(_encode((name, len(rows))))
        digest.update(_encode(rows))
    return digest.digest()
