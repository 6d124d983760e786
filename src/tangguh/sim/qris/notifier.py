"""The switch's notices to the bank: qr-mpm-notify (52), signed with the switch's own key."""

from __future__ import annotations

from random import Random
from urllib.parse import urlsplit

import aiohttp
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tangguh.core.clock import Clock
from tangguh.sim.message import amount_of
from tangguh.sim.qris.books import PaymentRow
from tangguh.sim.qris.clearing import status_of
from tangguh.sim.snap import asymmetric_signature, timestamp_of


class Notifier:
    """Tells the bank what became of a payment. A bank that does not listen is not told again."""

    def __init__(
        self,
        *,
        url: str,
        key: RSAPrivateKey,
        partner_id: str,
        channel_id: str,
        clock: Clock,
        random: Random,
    ) -> None:
        self._url = url
        self._key = key
        self._partner_id = partner_id
        self._channel_id = channel_id
        self._clock = clock
        self._random = random
        self._session: aiohttp.ClientSession | None = None
        self.told = 0
        self.acknowledged = 0

    async def tell(self, payment: PaymentRow, reference_no: str, times: int) -> None:
        """Post the same news, each time as a message of its own. Silent without an address."""
        if not self._url:
            return
        body = msgspec.json.encode(
            {
                "originalReferenceNo": reference_no,
                "originalPartnerReferenceNo": payment.reference,
                "latestTransactionStatus": status_of(payment),
                "amount": amount_of(payment.amount_minor),
                "additionalInfo": {"rrn": payment.rrn},
            }
        )
        for _ in range(times):
            await self._post(body)

    async def close(self) -> None:
        """Let go of connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, body: bytes) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5.0))
        self.told += 1
        try:
            async with self._session.post(
                self._url, data=body, headers=self._headers(body), allow_redirects=False
            ) as response:
                self.acknowledged += response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return

    def _headers(self, body: bytes) -> dict[str, str]:
        parts = urlsplit(self._url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        timestamp = timestamp_of(self._clock.now())
        return {
            "Content-Type": "application/json",
            "X-TIMESTAMP": timestamp,
            "X-SIGNATURE": asymmetric_signature(self._key, "POST", target, body, timestamp),
            "X-PARTNER-ID": self._partner_id,
            "X-EXTERNAL-ID": f"{self._random.randrange(10**36):036d}",
            "CHANNEL-ID": self._channel_id,
        }
