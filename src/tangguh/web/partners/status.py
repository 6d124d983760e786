"""The status page's question: everything the public may know, signed by the bank."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tangguh.core.clock import Clock
from tangguh.core.errors import Misconfigured
from tangguh.status.settings import StatusSettings
from tangguh.status.snapshot import PATH, sign
from tangguh.work.incidents.desk import IncidentDesk

_FRESH_SECONDS: Final = 0.5


def status_routes(
    desk: IncidentDesk, settings: StatusSettings | None, clock: Clock
) -> list[BaseRoute]:
    """The one route; none without a key to sign with. Raises Misconfigured."""
    if settings is None:
        return []
    key = _key(settings.snapshot_key_path)
    made = Made(clock)

    async def show(_: Request) -> Response:
        """The newest look. Its time proves that the bank is there, so it is never an old one."""
        if made.is_old():
            snapshot = desk.snapshot()
            if snapshot is None:
                return Response(status_code=503)
            made.keep(sign(snapshot, key))
        return Response(made.content, media_type="application/json")

    return [Route(PATH, show)]


class Made:
    """The signed snapshot of this half second, so that many who ask cost one signature."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = float("-inf")
        self.content = b""

    def is_old(self) -> bool:
        """Whether another is to be made."""
        return self._clock.monotonic() >= self._until

    def keep(self, content: bytes) -> None:
        """Give the same for half a second."""
        self.content, self._until = content, self._clock.monotonic() + _FRESH_SECONDS


def _key(path: str) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(Path(path).read_bytes(), None)
    except (OSError, ValueError) as fault:
        raise Misconfigured(f"status.snapshot_key_path: {fault}") from fault
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured("status.snapshot_key_path: not an Ed25519 key")
    return key
