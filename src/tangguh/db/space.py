"""Room on the database's disk: measured, kept in reserve, and new money refused before it is gone.

A full disk stops everything, also giving back. So new money is refused early, while reversals,
refunds and conclusions go on; and a file of reserve (the ballast) is deleted when even they are in
danger, which gives them the room to end. Bytes are what the file system says is free for us.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec
import structlog

from tangguh.core.clock import Clock
from tangguh.core.supervision import beat

log = structlog.get_logger("db.space")

_LOOK_SECONDS: Final = 0.5
_MIB: Final = 1024 * 1024
BALLAST: Final = "ballast"
"""The name of the reserve's file in the data directory."""


class Room(StrEnum):
    """``unknown``: it is not measured here, or could not be; nothing is concluded from that."""

    ENOUGH = "enough"
    LOW = "low"
    UNKNOWN = "unknown"


class SpaceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``path``: a directory on the database's disk; empty: it cannot be measured from here.

    Below ``free_mib_min`` new money is refused, until there is a quarter more than that again;
    below half of it the reserve of ``ballast_mib`` is given up.
    """

    path: str = ""
    free_mib_min: int = 512
    ballast_mib: int = 64


def judge(free: int, before: Room, least: int) -> Room:
    """Enough or low. Once low, only clearly more is enough: a gate must not flap."""
    if free < least:
        return Room.LOW
    if before is Room.LOW and free < least + least // 4:
        return Room.LOW
    return Room.ENOUGH


class Space:
    """Looks at one disk. ``run`` goes on until it is cancelled."""

    def __init__(self, settings: SpaceSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._least = settings.free_mib_min * _MIB
        self._ballast = Path(settings.path) / BALLAST
        self.room = Room.UNKNOWN
        self.free_bytes = 0

    @property
    def takes_new_money(self) -> bool:
        """Whether there is no reason to refuse; what cannot be written the database refuses."""
        return self.room is not Room.LOW

    async def run(self) -> None:
        """Look again and again."""
        while True:
            beat()
            if self._settings.path:
                await asyncio.to_thread(self.look)
            await self._clock.sleep(_LOOK_SECONDS)

    def look(self) -> Room:
        """Measure once, and lay in or give up the reserve."""
        before = self.room
        try:
            found = os.statvfs(self._settings.path)
        except OSError:
            self.room = Room.UNKNOWN
        else:
            self.free_bytes = found.f_bavail * found.f_frsize
            self.room = judge(self.free_bytes, before, self._least)
            self._keep_reserve()
        if self.room is not before:
            log.warning("space.changed", room=str(self.room), free_mib=self.free_bytes // _MIB)
        return self.room

    def _keep_reserve(self) -> None:
        size = self._settings.ballast_mib * _MIB
        if self.free_bytes < self._least // 2:
            give_up_reserve(Path(self._settings.path))
            return
        is_plenty = self.room is Room.ENOUGH and self.free_bytes > 2 * self._least + size
        if size and is_plenty and not self._ballast.exists():
            _lay_in(self._ballast, size)


def give_up_reserve(directory: Path) -> bool:
    """Delete the ballast; whether there was one."""
    try:
        (directory / BALLAST).unlink()
    except OSError:
        return False
    return True


def _lay_in(path: Path, size: int) -> None:
    """Real blocks, not a hole: else it would give nothing back."""
    aside = path.with_name(f".{path.name}")
    with suppress(OSError):
        with aside.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        aside.replace(path)
