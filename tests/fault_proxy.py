"""A proxy between the bank and PostgreSQL that can break the line at a chosen moment.

It understands just enough of PostgreSQL's protocol to see a COMMIT go by.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

_COMMIT = b"COMMIT;"
_PORT = ".s.PGSQL.5432"


class FaultProxy:
    """``async with FaultProxy(sockets, folder)``; the bank connects to ``dsn_of(dsn)``.

    ``cut``: "" passes everything; "before" breaks the line instead of passing the next COMMIT;
    "after" passes it on and breaks the line before the reply comes back. ``is_down`` refuses every
    new connection. ``is_hole`` takes connections and bytes and never says anything again.
    """

    def __init__(self, sockets: Path, folder: Path) -> None:
        self._behind, self._folder = sockets / _PORT, folder
        self._writers: set[asyncio.StreamWriter] = set()
        self.cut = ""
        self.cuts = 0
        self.is_down = False
        self.is_hole = False
        self.struck = asyncio.Event()

    def dsn_of(self, dsn: str) -> str:
        """Where the bank connects to reach what the DSN names, by way of us."""
        return f"{dsn.partition('?')[0]}?host={self._folder}"

    def break_all(self) -> None:
        """Cut every line now."""
        for writer in self._writers:
            writer.transport.abort()

    async def __aenter__(self) -> FaultProxy:
        self._server = await asyncio.start_unix_server(self._serve, self._folder / _PORT)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.break_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down:
            writer.transport.abort()
            return
        behind_reader, behind = await asyncio.open_unix_connection(str(self._behind))
        self._writers |= {writer, behind}
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(
                self._towards_server(reader, behind, writer),
                self._towards_bank(behind_reader, writer),
            )
        for end in (writer, behind):
            self._writers.discard(end)
            end.transport.abort()

    async def _towards_server(
        self, bank: asyncio.StreamReader, server: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        while said := await bank.read(65536):
            if self.cut and _COMMIT in said:
                how, self.cut = self.cut, ""
                self.cuts += 1
                self.struck.set()
                if how == "after":
                    self._deaf = back
                    server.write(said)
                    await server.drain()
                    await bank.read(65536)
                break
            if not self.is_hole:
                server.write(said)
                await server.drain()
        if not self.is_hole:
            server.transport.abort()

    async def _towards_bank(self, server: asyncio.StreamReader, bank: asyncio.StreamWriter) -> None:
        while said := await server.read(65536):
            if getattr(self, "_deaf", None) is bank:
                break
            if not self.is_hole:
                bank.write(said)
                await bank.drain()
        if not self.is_hole:
            bank.transport.abort()
