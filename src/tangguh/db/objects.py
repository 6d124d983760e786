"""Files of the bank outside the book: a directory, or a bucket of any S3-compatible store.

Evidence of complaints and the public status page lie here. An object is written whole or not at
all; what is ``kept`` once under a name is never written again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, S3Store

from tangguh.core.errors import Misconfigured, StoreUnavailable

_TIMEOUT_SECONDS: Final = 10
_CONNECT_SECONDS: Final = 3


class ObjectSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where: ``url`` is a directory (a path) or ``s3://bucket/prefix``.

    ``endpoint``, ``region`` and both keys are for S3 only; a bucket without keys is reached as the
    machine's own role.
    """

    url: str
    endpoint: str = ""
    region: str = "us-east-1"
    access_key_id: str = ""
    secret_access_key: str = ""


class Objects:
    """One directory or bucket. Raises StoreUnavailable whenever it cannot be reached."""

    def __init__(self, settings: ObjectSettings) -> None:
        self._store = _store_of(settings)

    async def put(self, name: str, content: bytes, content_type: str = "") -> None:
        """Write an object, whole, over whatever was there. Only S3 keeps the content type."""
        attributes = {"Content-Type": content_type} if content_type and not self.is_local else None
        with _translated(name):
            await obstore.put_async(self._store, name, content, attributes=attributes)

    async def keep(self, name: str, content: bytes) -> bool:
        """Write an object that must never change; False when there is one of this name already."""
        try:
            with _translated(name):
                await obstore.put_async(self._store, name, content, mode="create")
        except AlreadyExistsError:
            return False
        return True

    async def get(self, name: str) -> bytes | None:
        """An object's content; None when there is none."""
        try:
            with _translated(name):
                found = await obstore.get_async(self._store, name)
                return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None

    @property
    def is_local(self) -> bool:
        """Whether it is a directory of this machine."""
        return isinstance(self._store, LocalStore)


def _store_of(settings: ObjectSettings) -> LocalStore | S3Store:
    parts = urlsplit(settings.url)
    if parts.scheme not in ("", "s3"):
        raise Misconfigured(f"url: {parts.scheme}:// is neither a directory nor s3://bucket")
    if parts.scheme == "":
        try:
            Path(settings.url).mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as fault:
            raise Misconfigured(f"{settings.url}: {fault.strerror}") from fault
        return LocalStore(settings.url)
    more: dict[str, Any] = {"region": settings.region}
    if settings.endpoint:
        more["endpoint"] = settings.endpoint
    if settings.access_key_id:
        more["access_key_id"] = settings.access_key_id
        more["secret_access_key"] = settings.secret_access_key
    try:
        return S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            client_options={
                "timeout": timedelta(seconds=_TIMEOUT_SECONDS),
                "connect_timeout": timedelta(seconds=_CONNECT_SECONDS),
                "allow_http": settings.endpoint.startswith("http:"),
            },
            retry_config={"max_retries": 1},
            **more,
        )
    except BaseError as fault:
        raise Misconfigured(f"{settings.url}: {fault}") from fault


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except (AlreadyExistsError, FileNotFoundError):
        raise
    except (BaseError, OSError) as lost:
        raise StoreUnavailable(f"object {name}: {type(lost).__name__}") from lost
