"""Lines that strangers open over TCP: who never signs on, or stops half-way, is hung up on."""

from __future__ import annotations

import asyncio

import msgspec

from tangguh.listeners.limits import ListenerSettings


class LineLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of a TCP listener. Seconds; a frame counts from its first byte.

    ``idle_seconds``: between two messages of a peer that has signed on. ``unproven_burst`` messages
    without a right MAC are read at once, then ``unproven_per_second``: anybody can send those.
    """

    connections_max: int = 1024
    connections_per_source_max: int = 32
    sign_on_seconds: float = 10.0
    frame_seconds: float = 10.0
    idle_seconds: float = 900.0
    unproven_burst: int = 100
    unproven_per_second: float = 10.0

    @property
    def as_listener(self) -> ListenerSettings:
        """The numbers that ``Connections`` counts by."""
        return ListenerSettings(
            connections_max=self.connections_max,
            connections_per_source_max=self.connections_per_source_max,
        )


class Patience:
    """How long one line may be silent. ``late`` says what was waited for in vain."""

    def __init__(self, limits: LineLimits, *, must_sign_on: bool) -> None:
        self._limits = limits
        self._sign_on_by: float | None = None
        self._waits_for_sign_on = must_sign_on
        self._frame_by: float | None = None
        self._is_stranger = must_sign_on
        self._unproven_until = 0.0
        self.late = ""

    @property
    def signed_on(self) -> bool:
        """Whether the peer may ask for anything yet."""
        return not self._waits_for_sign_on

    def sign(self, *, on: bool) -> None:
        """The peer has signed on, or off again: then it has as long as a newcomer."""
        self._waits_for_sign_on = not on
        self._sign_on_by = None

    def frame_ended(self) -> None:
        """One is whole: what has begun after it counts from now, however busy the line is."""
        self._frame_by = None

    async def read(self, reader: asyncio.StreamReader, bytes_max: int, *, in_frame: bool) -> bytes:
        """What comes next; empty at the end, and when nothing came in time (``late``)."""
        by, what = self._deadline(asyncio.get_running_loop().time(), in_frame=in_frame)
        try:
            async with asyncio.timeout_at(by):
                return await reader.read(bytes_max)
        except TimeoutError:
            self.late = what
            return b""

    async def pace(self) -> None:
        """Before a message of a stranger that proves nothing: wait where too many have come.

        The line is not read meanwhile, so that whoever floods it waits and not its neighbours.
        """
        if not self._is_stranger:
            return
        step, now = 1 / self._limits.unproven_per_second, asyncio.get_running_loop().time()
        earliest = now - self._limits.unproven_burst * step
        self._unproven_until = max(self._unproven_until, earliest) + step
        if self._unproven_until > now:
            await asyncio.sleep(self._unproven_until - now)

    def writing(self) -> asyncio.Timeout:
        """So long a peer may leave unread what it asked for: as long as a frame of its own has."""
        return asyncio.timeout(self._limits.frame_seconds)

    def _deadline(self, now: float, *, in_frame: bool) -> tuple[float, str]:
        if not in_frame:
            self._frame_by = None
        elif self._frame_by is None:
            self._frame_by = now + self._limits.frame_seconds
        if self._waits_for_sign_on and self._sign_on_by is None:
            self._sign_on_by = now + self._limits.sign_on_seconds
        found = [
            (self._sign_on_by if self._waits_for_sign_on else None, "no sign-on in time"),
            (self._frame_by, "half a frame"),
            (now + self._limits.idle_seconds, "silent too long"),
        ]
        return min((by, what) for by, what in found if by is not None)
