"""Where a settlement file comes from: bytes, a file, a directory, or an HTTP address.

Whatever it is, it is on disk (or in hand) whole before it is read, so that it can be read twice.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp

from tangguh.core.errors import ContractBroken, Misconfigured
from tangguh.settlement.file import Expected

Source = bytes | Path | str
"""The content, a file or directory, or an address beginning with http."""

CHUNK_BYTES: Final = 1 << 20
FILE_BYTES_MAX: Final = 2 << 30
_SECONDS_MAX: Final = 600.0


class Kept:
    """A file that can be read as often as needed, in chunks."""

    def __init__(self, content: bytes | Path) -> None:
        self._content = content

    def chunks(self) -> Iterator[bytes]:
        """The content from its beginning."""
        if isinstance(self._content, bytes):
            yield self._content
            return
        with self._content.open("rb") as opened:
            while chunk := opened.read(CHUNK_BYTES):
                yield chunk


@asynccontextmanager
async def kept(source: Source, expected: Expected) -> AsyncIterator[Kept]:
    """Have the file at hand. Raises Misconfigured (no such file), ContractBroken (no answer)."""
    if isinstance(source, bytes):
        yield Kept(source)
    elif isinstance(source, Path):
        path = source / name_of(expected) if source.is_dir() else source
        if not path.is_file():
            raise Misconfigured(f"there is no settlement file {path}")
        yield Kept(path)
    else:
        with tempfile.TemporaryDirectory(prefix="tangguh-settlement-") as directory:
            path = Path(directory) / name_of(expected)
            await _download(source, expected, path)
            yield Kept(path)


def name_of(expected: Expected) -> str:
    """What a cycle's file is called in a directory."""
    return f"{expected.network.name}-{expected.day.isoformat()}-{expected.cycle}.txt"


async def _download(address: str, expected: Expected, path: Path) -> None:
    asked = {"day": expected.day.isoformat(), "cycle": str(expected.cycle)}
    timeout = aiohttp.ClientTimeout(total=_SECONDS_MAX)
    size = 0
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(address, params=asked) as answer,
        ):
            if answer.status != 200:
                raise ContractBroken(f"{expected.network.name}: settlement file: {answer.status}")
            with path.open("wb") as opened:
                async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
                    size += len(chunk)
                    if size > FILE_BYTES_MAX:
                        raise ContractBroken(f"{expected.network.name}: the file is too large")
                    opened.write(chunk)
    except (aiohttp.ClientError, TimeoutError) as lost:
        why = type(lost).__name__
        raise ContractBroken(f"{expected.network.name}: no settlement file: {why}") from lost
