"""SMS over a gateway's HTTP: signed JSON with an id that makes a repeat harmless.

Request: ``{"id", "to", "text", "sender"}``. A 2xx, or a 409 for an id it knows, with the gateway's
own ``id`` means it has the message; whether the phone got it comes later, as a receipt
(``signature.receipt_of``). A 2xx without an id proves nothing and is asked again.
"""

from __future__ import annotations

import json
from typing import Final

from tangguh.core.clock import Clock
from tangguh.notices.channels.channel import Delivered, Delivery, Later, Message, Rejected
from tangguh.notices.channels.outlet import Answer, Outlet
from tangguh.notices.gsm7 import fits
from tangguh.notices.notice import Via
from tangguh.notices.settings import SmsSettings
from tangguh.notices.signature import signed

_KNOWN_ALREADY: Final = 409
_ABOUT_THIS_NUMBER: Final = frozenset({400, 404, 410, 422})
"""The other refusals (401, 403, a redirect) are about us, and may end when somebody mends them."""
_REFERENCE_MAX: Final = 200


class SmsChannel:
    """Hands messages to one gateway."""

    via = Via.SMS

    def __init__(self, settings: SmsSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.at_once = settings.at_once
        self.timeout_seconds = settings.timeout_seconds
        self._outlet = Outlet(
            timeout_seconds=settings.timeout_seconds,
            connections_max=settings.at_once,
            is_trusted=True,
        )

    async def deliver(self, message: Message, address: str) -> Delivery:
        """Hand over one SMS."""
        if not message.sms or not fits(message.sms):
            return Rejected("it is not one SMS")
        said = {
            "id": message.key, "to": address, "text": message.sms,
            "sender": self._settings.sender_name,
        }  # fmt: skip
        body = json.dumps(said).encode()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": message.key,
            **signed(self._settings.secret, body, self._clock.now()),
        }
        answer = await self._outlet.post(self._settings.url, headers, body)
        if not isinstance(answer, Answer):
            return answer
        if answer.is_taken or answer.status == _KNOWN_ALREADY:
            reference = _reference_in(answer.body)
            return Delivered(reference) if reference else Later("taken without a reference")
        if answer.status in _ABOUT_THIS_NUMBER:
            return Rejected(f"HTTP {answer.status}")
        return answer.later()

    async def close(self) -> None:
        """Let go of every connection."""
        await self._outlet.close()


def _reference_in(body: bytes) -> str:
    try:
        found = json.loads(body)["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    is_one = isinstance(found, str) and found.isprintable() and len(found) <= _REFERENCE_MAX
    return found if is_one else ""
