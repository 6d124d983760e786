"""The end of the chain, remembered outside the database: in a file of the bank's own disk.

Whoever may write the database may cut links off its end and set its head to suit. What the bank
acknowledged is in this file within half a second, so that the book can be asked whether it still
has it: at each start, and all day long.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec

from tangguh.audit.walk import Head
from tangguh.core.errors import Misconfigured


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    book_id: int
    batch_no: int
    hash: str
    rechecked: int = 0


class HeadFile:
    """One book's file. ``rechecked``: how far the rolling walk had come, for the next start."""

    def __init__(self, path: Path, book_id: int) -> None:
        self._path = path
        self._book_id = book_id
        self._written: _Kept | None = None

    def read(self) -> tuple[Head, int] | None:
        """What was known last, and how far was rechecked; None when there is no file yet.

        Raises Misconfigured when the file is not this book's or cannot be read: what is not known
        is no reason to believe the database.
        """
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
            head = Head(kept.batch_no, bytes.fromhex(kept.hash))
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError, ValueError) as fault:
            raise Misconfigured(
                f"{self._path} cannot be read ({fault}); see docs/runbooks/book-head.md"
            ) from fault
        if kept.book_id != self._book_id:
            raise Misconfigured(f"{self._path} is of book {kept.book_id}, not {self._book_id}")
        self._written = kept
        return head, kept.rechecked

    def has(self, head: Head) -> bool:
        """Whether this link is what the file says."""
        kept = self._written
        return kept is not None and (kept.batch_no, kept.hash) == (head.batch_no, head.hash.hex())

    async def write(self, head: Head, rechecked: int) -> bool:
        """Keep it, on the disk itself; whether there was anything new. Raises OSError."""
        kept = _Kept(self._book_id, head.batch_no, head.hash.hex(), rechecked)
        if kept == self._written:
            return False
        await asyncio.to_thread(self._replace, msgspec.json.encode(kept))
        self._written = kept
        return True

    def _replace(self, content: bytes) -> None:
        making = self._path.with_suffix(".making")
        with making.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        making.replace(self._path)
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
