"""Where evidence is kept: the file as it was given, under its hash, and its pages drawn anew.

The original is never shown to anybody: it is for investigators, by hash. People look at the pages.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sys
from typing import Any, Final

import msgspec
import structlog

from tangguh.core.clock import Clock
from tangguh.core.errors import StoreUnavailable
from tangguh.core.outcome import Refusal, Refused
from tangguh.db.objects import Objects
from tangguh.disputes.case import Evidence
from tangguh.disputes.evidence.judge import Looked, NotDrawn, refuse_file

log = structlog.get_logger("disputes.evidence")

_PROGRAM: Final = ("-I", "-m", "tangguh.disputes.evidence.redraw")
_WALL_SECONDS: Final = 30.0
_AT_ONCE: Final = 2


class Locker:
    """The evidence of one bank."""

    def __init__(self, objects: Objects | None, clock: Clock) -> None:
        """Without a place for objects every file is refused, and says so."""
        self._objects = objects
        self._clock = clock
        self._drawing = asyncio.Semaphore(_AT_ONCE)

    async def take(self, content: bytes) -> Evidence | Refused:
        """Look at a file, keep it, and say what it is. Refuses EVIDENCE_REFUSED with the rule.

        A refused file leaves nothing behind. Raises StoreUnavailable when it cannot be kept.
        """
        if self._objects is None:
            return Refused(Refusal.EVIDENCE_REFUSED, "file", "this bank keeps no files yet")
        if refused := refuse_file(content):
            return refused
        async with self._drawing:
            looked = await draw(content)
        if isinstance(looked, NotDrawn):
            return Refused(Refusal.EVIDENCE_REFUSED, "file", looked.why)
        digest = hashlib.sha256(content).hexdigest()
        for number, page in enumerate(looked.pages):
            await self._objects.put(page_name(digest, number), page, "image/jpeg")
        await self._objects.keep(f"original/{digest}", content)
        return Evidence(
            sha256=digest,
            media=looked.media,
            size=len(content),
            pages=len(looked.pages),
            given_at=self._clock.now(),
        )

    async def page(self, sha256: str, number: int) -> bytes | None:
        """One page of a file as a JPEG we drew; None when there is none."""
        return await self._objects.get(page_name(sha256, number)) if self._objects else None

    async def holds(self, sha256: str) -> bool:
        """Whether the original is there and still hashes to its name."""
        content = await self._objects.get(f"original/{sha256}") if self._objects else None
        return content is not None and hashlib.sha256(content).hexdigest() == sha256


def page_name(sha256: str, number: int) -> str:
    """Where a drawn page lies."""
    return f"pages/{sha256}/{number}.jpg"


async def draw(content: bytes) -> Looked | NotDrawn:
    """Draw a file's pages in a process of its own. It may die: then the file is not taken."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *_PROGRAM,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    try:
        async with asyncio.timeout(_WALL_SECONDS):
            said, _ = await process.communicate(content)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return NotDrawn("it takes too long to look at")
    if process.returncode != 0:
        log.warning("evidence.died", code=process.returncode)
        return NotDrawn("it is damaged or not what it seems")
    told: dict[str, Any] = msgspec.msgpack.decode(said)
    if "why" in told:
        return NotDrawn(str(told["why"]))
    return Looked(str(told["media"]), tuple(told["pages"]))


async def must_hold(locker: Locker, evidence: tuple[Evidence, ...]) -> None:
    """Raise StoreUnavailable when a file is gone or is no longer what it was. For the auditor."""
    for one in evidence:
        if not await locker.holds(one.sha256):
            raise StoreUnavailable(f"evidence {one.sha256[:12]} is missing or altered")
