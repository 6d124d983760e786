"""A place the page is pushed to: its own directory, another one, a bucket. Only what changed.

A place that cannot be reached is tried again at the next push and stands in no other's way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import structlog

from tangguh.core.errors import StoreUnavailable
from tangguh.db.objects import Objects, ObjectSettings
from tangguh.status.site.pages import File

log = structlog.get_logger("status.publisher")


class Target:
    """One place. What was written is remembered, so that nothing is written twice."""

    def __init__(self, settings: ObjectSettings) -> None:
        """Raises Misconfigured when there can be no such place."""
        self.url = settings.url
        self.is_reached = True
        self._objects = Objects(settings)
        self._written: dict[str, bytes] = {}

    async def push(self, files: Mapping[str, File]) -> int:
        """Write what changed; how many files that were. Stops at the first that cannot be.

        First pages come last: whatever they lead to is there before them.
        """
        count = 0
        for path in sorted(files, key=lambda path: (path.endswith("index.html"), path)):
            file = files[path]
            digest = hashlib.sha256(file.content).digest()
            if self._written.get(path) == digest:
                continue
            try:
                await self._objects.put(path, file.content, file.content_type)
            except StoreUnavailable as lost:
                self._say(reached=False, why=str(lost))
                return count
            self._written[path] = digest
            count += 1
        self._say(reached=True)
        return count

    def _say(self, *, reached: bool, why: str = "") -> None:
        if reached != self.is_reached:
            log.warning("target.changed", target=self.url, reached=reached, why=why)
        self.is_reached = reached
