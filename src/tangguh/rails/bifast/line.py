"""The line to the hub: one signed message out, one signed message back, judged before it is read.

An answer counts only when it is whole, keeps its schema, is signed by the hub, goes from the hub to
us and is of a kind that answers what was asked. Anything else is Unanswered, but for one: a gateway
in the hub's place may say, signed, that our very bytes were not forwarded.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from tangguh.core.clock import Clock
from tangguh.core.outcome import NotSent, Unanswered
from tangguh.rails.bifast import message, turned
from tangguh.rails.bifast.grammar import codec
from tangguh.rails.bifast.message import Message, Unreadable
from tangguh.rails.bifast.settings import BifastSettings, gateway_key_of, link_settings
from tangguh.rails.bifast.status import REJECT, Reject, read_reject
from tangguh.rails.link import Health, Link, Reply, withheld

_SERVER_ERROR = 500


class Line:
    """Messages to one hub under one patience."""

    def __init__(
        self,
        settings: BifastSettings,
        timeout_seconds: float,
        key: RSAPrivateKey,
        hub_key: RSAPublicKey,
        clock: Clock,
    ) -> None:
        """Raises Misconfigured when the address or the BIC cannot be used."""
        self._settings = settings
        self._link = Link(link_settings(settings, timeout_seconds), clock)
        self._key = key
        self._hub_key = hub_key
        self._gateway_key = gateway_key_of(settings)

    @property
    def health(self) -> Health:
        """What the link has seen."""
        return self._link.health

    async def ask(
        self, asked: Message, definition: str, authorisation: str = ""
    ) -> Message | Reject | NotSent | Unanswered:
        """Post one message and give its answer of that definition, or the hub's reject of it."""
        wire = self._settings.wire
        body = message.sealed(asked, self._key, wire)
        headers = {"Content-Type": codec.CONTENT_TYPES[wire], "Accept": codec.CONTENT_TYPES[wire]}
        if authorisation:
            headers[turned.HEADER] = authorisation
        reply = await self._link.exchange("POST", self._settings.path, headers, body)
        if isinstance(reply, NotSent | Unanswered):
            return reply
        if reply.status == turned.NOT_FORWARDED:
            return self._turned(reply, body)
        if reply.status >= _SERVER_ERROR:
            return Unanswered(f"answered with HTTP {reply.status}")
        return self._read(reply.body, asked, definition)

    async def close(self) -> None:
        """Let go of connections."""
        await self._link.close()

    def _turned(self, reply: Reply, posted: bytes) -> NotSent | Unanswered:
        key = self._gateway_key
        said = turned.read(reply.body, key, posted) if key is not None else None
        if said is None:
            return Unanswered("not forwarded, says somebody who is not the gateway")
        return withheld(f"gateway: {said.field}: {said.rule}")

    def _read(self, body: bytes, asked: Message, definition: str) -> Message | Reject | Unanswered:
        received = message.read(body)
        if isinstance(received, Unreadable):
            return Unanswered("answer is no message")
        if not message.is_signed_by(received, self._hub_key):
            return Unanswered("answer is not signed by the hub")
        answer = received.message
        if (answer.sender, answer.recipient) != (self._settings.hub_bic, self._settings.bic):
            return Unanswered("answer is not from the hub to us")
        if answer.definition == REJECT:
            reject = read_reject(answer.document)
            if reject.reference == asked.number:
                return reject
            return Unanswered("answer speaks of another message")
        if answer.definition != definition:
            return Unanswered("answer is of another kind")
        return answer
