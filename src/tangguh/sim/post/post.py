"""The post as one network: a mail server and an SMS gateway one book, one plan of faults."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import msgspec

from tangguh.core.clock import Clock
from tangguh.sim.faults import Dealt, Down, Faults, Plan
from tangguh.sim.listener import Listener
from tangguh.sim.post.books import MessageBooks, PostProof, State
from tangguh.sim.post.gateway import PATH, SMS, Gateway, status_of
from tangguh.sim.post.mail import MAIL, MailHandler, MailPort, tls_of
from tangguh.sim.post.receipts import Receipts

_LIMIT: Final = "100"
_LIMIT_MAX: Final = 1_000
_SAID: Final[dict[str, State]] = {"arrived": "arrived", "lost": "lost"}


class PostSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One post and the one bank that uses it. Ports of 0 take any free one.

    ``secret`` signs messages and receipts. ``receipt_url`` empty: no receipts. ``receipt_seconds``
    after a message is taken its receipt is sent; None: only when ``act`` says so. ``kept``: so many
    messages are remembered.
    """

    secret: str
    username: str
    password: str
    certificate_path: str
    private_key_path: str
    books_path: str
    host: str = "127.0.0.1"
    sms_port: int = 0
    mail_port: int = 0
    receipt_url: str = ""
    receipt_seconds: float | None = 2.0
    kept: int = 2_000

    def __repr__(self) -> str:
        return f"PostSettings(sms_port={self.sms_port}, mail_port={self.mail_port}, ...)"


class Post:
    """Takes what the bank writes to people, and shows it to whoever asks."""

    name = "post"

    def __init__(self, settings: PostSettings, clock: Clock) -> None:
        """Raises Misconfigured when the certificate cannot be read."""
        self._clock = clock
        self.faults = Faults(SMS, MAIL)
        self.ledger = MessageBooks(settings.books_path, settings.kept)
        self._receipts = Receipts(settings.receipt_url, settings.secret, clock)
        gateway = Gateway(
            secret=settings.secret,
            books=self.ledger,
            faults=self.faults,
            receipts=self._receipts,
            receipt_seconds=settings.receipt_seconds,
            clock=clock,
        )
        self._sms = Listener(gateway.app, settings.host, settings.sms_port)
        self._mail = MailPort(
            MailHandler(self.ledger, self.faults, clock),
            host=settings.host,
            port=settings.mail_port,
            login=(settings.username, settings.password),
            tls=tls_of(settings.certificate_path, settings.private_key_path),
        )
        self._obeying = asyncio.Lock()

    @property
    def address(self) -> str:
        """Where the SMS gateway takes messages."""
        return self._sms.url + PATH

    @property
    def mail_port(self) -> int:
        """Where the mail server listens; the same while it is down."""
        return self._mail.port

    async def open(self) -> None:
        """Listen on both ports. Raises OSError when one is taken."""
        await self._sms.open()
        await self._mail.open()

    async def close(self, grace_seconds: float = 0.0) -> None:
        """Stop listening, drop receipts that were not sent yet, let go of the books."""
        await self._sms.close(grace_seconds)
        await self._mail.shut()
        await self._receipts.close()
        self.ledger.close()

    async def settle(self) -> None:
        """Wait until no SMS is being taken."""
        await self._sms.settle()

    async def put_plan(self, plan: Plan) -> None:
        """Let this be wrong from now on. ``down`` closes the services it names, or both."""
        async with self._obeying:
            self.faults.put(plan)
            for service, port in ((SMS, self._sms), (MAIL, self._mail)):
                if _is_down(plan, service):
                    await port.shut()
                else:
                    await port.open()

    def dealt(self) -> Dealt:
        """The plan in force and how often each fault has struck."""
        return self.faults.dealt()

    def prove(self) -> PostProof:
        """Every message taken is kept, or counted as forgotten."""
        return self.ledger.prove()

    def books(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """Messages, the newest first, by ``to`` (a part of the address), ``via``, ``state``."""
        limit = min(max(int(asked.get("limit", _LIMIT)), 0), _LIMIT_MAX)
        filters = {name: asked.get(name, "") for name in ("to", "via", "state")}
        return {
            "totals": self.ledger.totals(),
            "people": self.ledger.people(),
            "messages": self.ledger.messages(**filters, limit=limit),
        }

    def settlement_file(self, day: date, cycle: int = 0) -> str:
        """Raises ValueError: no money moves here."""
        raise ValueError("the post moves no money; it has no settlement file")

    async def act(self, what: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """``receipt``: tell the bank that the SMS with this ``id`` has ``arrived`` or is ``lost``.

        Gives the bank's HTTP status, 0 when nobody listens. ValueError: it cannot.
        """
        if what != "receipt":
            raise ValueError("it can send a receipt")
        row = self.ledger.find(str(fields.get("id", "")))
        if row is None or row.via != "sms":
            raise ValueError("id: no SMS was answered with it")
        state = _SAID.get(str(fields.get("status", "")))
        if state is None:
            raise ValueError("status: arrived or lost")
        self.ledger.conclude(row.reference, state, self._clock.now().isoformat())
        told = await self._receipts.tell(
            row.reference, status_of(state), str(fields.get("why", ""))
        )
        return {"id": row.reference, "status": status_of(state), "told": told}


def _is_down(plan: Plan, service: str) -> bool:
    return any(
        isinstance(fault, Down) and (not fault.services or service in fault.services)
        for fault in plan.faults
    )
