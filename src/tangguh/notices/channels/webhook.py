"""Webhooks: JSON, signed for its address alone, with an id to drop repeats by.

The receiver judges ``X-Signature`` (``signature.py``) with the secret it was told when it agreed,
drops an ``X-Notice-Id`` it has seen, and answers 2xx. 410 ends it; a redirect is not followed.
"""

from __future__ import annotations

import json
from typing import Final

from tangguh.core.clock import Clock
from tangguh.notices.channels.channel import Delivered, Delivery, Message, Rejected
from tangguh.notices.channels.outlet import Answer, Outlet
from tangguh.notices.notice import Via
from tangguh.notices.settings import WebhookSettings
from tangguh.notices.signature import signed, token_of

_GONE: Final = 410


def secret_of(settings: WebhookSettings, address: str) -> str:
    """The secret one address judges our signatures with."""
    return token_of(settings.secret_key, "webhook", address)


class WebhookChannel:
    """Posts notices to the addresses machines gave."""

    via = Via.WEBHOOK

    def __init__(self, settings: WebhookSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.at_once = settings.at_once
        self.timeout_seconds = settings.timeout_seconds
        self._outlet = Outlet(
            timeout_seconds=settings.timeout_seconds,
            connections_max=settings.at_once,
            is_trusted=settings.allow_private,
        )

    async def deliver(self, message: Message, address: str) -> Delivery:
        """Post one notice."""
        said = {
            "id": message.key, "matter": message.matter, "step": message.step,
            "language": message.language, "title": message.title, "text": message.text,
            "made_at": message.made_at,
        }  # fmt: skip
        body = json.dumps(said, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Notice-Id": message.key,
            **signed(secret_of(self._settings, address), body, self._clock.now()),
        }
        answer = await self._outlet.post(address, headers, body)
        if not isinstance(answer, Answer):
            return answer
        if answer.is_taken:
            return Delivered(message.key, f"HTTP {answer.status}")
        if answer.is_later:
            return answer.later()
        return Rejected(f"HTTP {answer.status}", gone=answer.status == _GONE)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._outlet.close()
