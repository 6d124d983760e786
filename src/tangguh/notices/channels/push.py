"""Web push: encrypted for one browser (RFC 8291), signed as this bank (VAPID, RFC 8292).

What stands on a locked screen is read by whoever holds the phone: no amounts, no names (E33).
The push service in between reads neither. A newer word on the same matter replaces an older one
that was not fetched yet (``Topic``, RFC 8030 §5.4). 404 and 410 mean that the browser is gone.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Final
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02, VapidException
from pywebpush import WebPusher, WebPushException

from tangguh.core.clock import Clock
from tangguh.core.errors import Misconfigured
from tangguh.notices.address import PushAddress
from tangguh.notices.channels.channel import Delivered, Delivery, Message, Rejected
from tangguh.notices.channels.outlet import Answer, Outlet
from tangguh.notices.notice import Via
from tangguh.notices.settings import PushSettings

_GONE: Final = frozenset({404, 410})
_SIGNED_SECONDS: Final = 12 * 3600
"""A signature is good for a day at most (RFC 8292 §2)."""
_TOPIC_CHARACTERS: Final = 32
_X962: Final = Encoding.X962
_UNCOMPRESSED: Final = PublicFormat.UncompressedPoint


class PushChannel:
    """Sends to the endpoints browsers gave. Raises Misconfigured for a key that is none.

    ``application_key``: the public point, base64url; a browser needs it to agree (RFC 8292 §3.2).
    """

    via = Via.PUSH

    def __init__(self, settings: PushSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.at_once = settings.at_once
        self.timeout_seconds = settings.timeout_seconds
        try:
            self._key = Vapid02.from_raw(settings.vapid_private_key.encode())
            self._authorization("https://push.example")
        except (ValueError, VapidException) as wrong:
            raise Misconfigured("notices.push: the key or the contact is none") from wrong
        point = self._key.public_key.public_bytes(_X962, _UNCOMPRESSED)
        self.application_key = base64.urlsafe_b64encode(point).decode().rstrip("=")
        self._outlet = Outlet(
            timeout_seconds=settings.timeout_seconds,
            connections_max=settings.at_once,
            is_trusted=settings.allow_private,
        )

    async def deliver(self, message: Message, address: str) -> Delivery:
        """Encrypt and send one notice. The title holds no amounts; the app shows the rest."""
        said = {
            "id": message.notice_id, "matter": message.matter, "step": message.step,
            "title": message.title, "language": message.language,
        }  # fmt: skip
        try:
            given = msgspec.json.decode(address.encode(), type=PushAddress)
            pusher = WebPusher(msgspec.to_builtins(given))
            body = pusher.encode(json.dumps(said, ensure_ascii=False).encode())["body"]
            authorization = self._authorization(given.endpoint)
        except (ValueError, WebPushException, VapidException):
            return Rejected("the browser's keys are none", gone=True)
        headers = {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(self._settings.ttl_seconds),
            "Urgency": "high" if message.is_urgent else "normal",
            "Topic": _topic_of(message.matter),
            **authorization,
        }
        answer = await self._outlet.post(given.endpoint, headers, body)
        if not isinstance(answer, Answer):
            return answer
        if answer.is_taken:
            return Delivered(answer.headers.get("Location", message.key)[:200])
        if answer.status in _GONE:
            return Rejected(f"HTTP {answer.status}", gone=True)
        return answer.later() if answer.is_later else Rejected(f"HTTP {answer.status}")

    async def close(self) -> None:
        """Let go of every connection."""
        await self._outlet.close()

    def _authorization(self, endpoint: str) -> dict[str, str]:
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(self._clock.now().timestamp()) + _SIGNED_SECONDS,
            "sub": self._settings.contact,
        }
        headers: dict[str, str] = self._key.sign(claims)
        return headers


def _topic_of(matter: str) -> str:
    made = base64.urlsafe_b64encode(hashlib.sha256(matter.encode()).digest()).decode()
    return made[:_TOPIC_CHARACTERS]
