"""A QRIS switch speaking SNAP to one issuing bank: token, payment, query, cancel, refund, notice.

It verifies every signature, keeps its own books and can be told to fail in every way of ``faults``.
Beyond the standard, and so the bank relies on it only here: a cancel of an unknown reference leaves
a tombstone, and a query lists refunds and repeats the first answer's code.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tangguh.core.clock import Clock
from tangguh.core.errors import Misconfigured
from tangguh.sim import clearing
from tangguh.sim.books import Books
from tangguh.sim.counter import ACCESS, CANCEL, PAYMENT, QUERY, REFUND, Counter, reference_no
from tangguh.sim.delivery import Silence, deliver, plain
from tangguh.sim.faults import AnyFault, Decline, DropRequest, Faults, Late, Twice
from tangguh.sim.message import Said, refused
from tangguh.sim.notifier import Notifier
from tangguh.sim.snap import WIB, Complaint, Doorkeeper, Member, read_object

_REQUEST_BYTES_MAX: Final = 64 * 1024
_TOO_LARGE: Final = Complaint(400, "00", "Bad Request")
_REPLAYED: Final = Complaint(409, "00", "Conflict")


class SwitchSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One switch and the one bank that is its member. Keys are RSA in PEM.

    ``books_path`` is its own SQLite file. An empty ``notify_url`` means that it never calls back.
    ``port`` 0 takes any free one. ``seed`` rules its tokens; fault plans carry their own.
    """

    client_id: str
    client_secret: str
    partner_id: str
    channel_id: str
    bank_public_key_path: str
    switch_private_key_path: str
    books_path: str
    host: str = "127.0.0.1"
    port: int = 0
    notify_url: str = ""
    token_seconds: int = 900
    seed: int = 0

    def __repr__(self) -> str:
        return f"SwitchSettings(partner_id={self.partner_id!r}, port={self.port}, ...)"


Verb = Callable[[dict[str, Any], AnyFault | None], Said]


class Switch:
    """The switch's behaviour; ``app`` is what a listener serves."""

    def __init__(
        self, settings: SwitchSettings, books: Books, faults: Faults, clock: Clock
    ) -> None:
        """Raises Misconfigured when a key cannot be read."""
        random = Random(settings.seed)  # noqa: S311  a rehearsal must be repeatable
        self._settings = settings
        self._books = books
        self._faults = faults
        self._clock = clock
        self._doorkeeper = Doorkeeper(_member(settings), clock, random)
        self.notifier = Notifier(
            url=settings.notify_url,
            key=_private_key(settings.switch_private_key_path),
            partner_id=settings.partner_id,
            channel_id=settings.channel_id,
            clock=clock,
            random=random,
        )
        self.app = Starlette(routes=self._routes(Counter(books, clock)))

    def _routes(self, counter: Counter) -> list[Route]:
        verbs: list[tuple[str, str, Verb]] = [
            ("/v1.0/qr/qr-mpm-payment", PAYMENT, counter.pay),
            ("/v1.0/qr/qr-mpm-query", QUERY, counter.query),
            ("/v1.0/qr/qr-mpm-cancel", CANCEL, counter.cancel),
            ("/v1.0/qr/qr-mpm-refund", REFUND, counter.refund),
        ]
        return [
            Route("/v1.0/access-token/b2b", self._token, methods=["POST"]),
            *(
                Route(path, partial(self._serve, service, verb), methods=["POST"])
                for path, service, verb in verbs
            ),
        ]

    async def _token(self, request: Request) -> Response:
        body = await request.body()
        fault = self._faults.strike(ACCESS, "", "")
        if isinstance(fault, DropRequest):
            return Silence(self._clock, fault.seconds)
        if isinstance(fault, Decline):
            return plain(Said(ACCESS, fault.case, {}))
        token = self._doorkeeper.issue(request.headers, body)
        if isinstance(token, Complaint):
            return plain(refused(ACCESS, token))
        life = str(self._settings.token_seconds)  # as text, as the standard writes it
        fields = {"accessToken": token, "tokenType": "Bearer", "expiresIn": life}
        return deliver(Said(ACCESS, clearing.SUCCESS, fields), fault, self._clock)

    async def _serve(self, service: str, verb: Verb, request: Request) -> Response:
        body = await request.body()
        if complaint := self._examine(request, body):
            return plain(refused(service, complaint))
        fields = read_object(body)
        fault = self._faults.strike(service, *self._aim(fields))
        if isinstance(fault, DropRequest):
            return Silence(self._clock, fault.seconds)
        if isinstance(fault, Late) and fault.carried_out == "late":
            await self._clock.sleep(fault.seconds)
        said = self._carry_out(service, verb, fields, fault, request.headers["x-external-id"])
        response = deliver(said, fault, self._clock)
        if isinstance(fault, Twice) and service == PAYMENT:
            response.background = self._notices(fields)
        return response

    def _examine(self, request: Request, body: bytes) -> Complaint | None:
        if len(body) > _REQUEST_BYTES_MAX:
            return _TOO_LARGE
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return self._doorkeeper.examine(request.method, target, request.headers, body)

    def _carry_out(
        self,
        service: str,
        verb: Verb,
        fields: dict[str, Any],
        fault: AnyFault | None,
        external_id: str,
    ) -> Said:
        now = self._clock.now()
        with self._books.transaction():
            if not self._books.admit(external_id, now.astimezone(WIB).date().isoformat()):
                return refused(service, _REPLAYED)
            self._books.conclude_due(now)
            return verb(fields, fault)

    def _aim(self, fields: dict[str, Any]) -> tuple[str, str]:
        """The merchant's PAN and the payment's reference, for the faults that ask for them."""
        reference = fields.get("partnerReferenceNo") or fields.get("originalPartnerReferenceNo")
        more = fields.get("additionalInfo")
        pan = more.get("merchantPan") if isinstance(more, dict) else None
        if pan is None and isinstance(reference, str):
            known = self._books.payment(reference)
            pan = known.merchant_pan if known is not None else ""
        return str(pan or ""), str(reference or "")

    def _notices(self, fields: dict[str, Any]) -> BackgroundTask | None:
        payment = self._books.payment(str(fields.get("partnerReferenceNo")))
        if payment is None:
            return None
        return BackgroundTask(self.notifier.tell, payment, reference_no(payment), times=2)


def _member(settings: SwitchSettings) -> Member:
    return Member(
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        partner_id=settings.partner_id,
        channel_id=settings.channel_id,
        bank_key=_public_key(settings.bank_public_key_path),
        token_seconds=settings.token_seconds,
    )


def _public_key(path: str) -> RSAPublicKey:
    try:
        key = serialization.load_pem_public_key(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise Misconfigured(f"the switch finds no public key at {path}") from error
    if not isinstance(key, RSAPublicKey):
        raise Misconfigured(f"the public key at {path} is not RSA")
    return key


def _private_key(path: str) -> RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(Path(path).read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise Misconfigured(f"the switch finds no private key at {path}") from error
    if not isinstance(key, RSAPrivateKey):
        raise Misconfigured(f"the private key at {path} is not RSA")
    return key
