"""A network that speaks SNAP: the token, the door, the faults, and a table of operations.

What an operation decides is its network's own; that nobody gets in without a signature, that an
external id is used once a day, and how an answer is lost on its way is the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final, Protocol

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
from tangguh.sim.delivery import Silence, deliver, plain
from tangguh.sim.faults import AnyFault, Decline, DropRequest, Faults, Garbage, Late
from tangguh.sim.message import Said, refused
from tangguh.sim.snap import WIB, Complaint, Doorkeeper, Member, read_object

ACCESS: Final = "73"
_REQUEST_BYTES_MAX: Final = 64 * 1024
_TOO_LARGE: Final = Complaint(400, "00", "Bad Request")
_REPLAYED: Final = Complaint(409, "00", "Conflict")
_REFERENCES: Final = frozenset(
    {
        "partnerReferenceNo",
        "originalPartnerReferenceNo",
        "partnerRefundNo",
        "paymentRequestId",
        "inquiryRequestId",
    }
)
"""The fields by which an asker finds its own words again, whatever the operation."""

Verb = Callable[[dict[str, Any], AnyFault | None], Said]
"""An operation: the request's fields and the fault that strikes it, to what is said."""


class SnapSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One network and the one bank that is its member. Keys are RSA in PEM.

    ``books_path`` is its own SQLite file. An empty ``notify_url`` means that it never calls back.
    ``port`` 0 takes any free one. ``seed`` rules its tokens; fault plans carry their own.
    ``path_prefix`` and ``paths`` (by service): where it is called instead; ``asymmetric``: calls
    are signed with RSA and need no token.
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
    path_prefix: str = ""
    paths: dict[str, str] = {}
    asymmetric: bool = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}(partner_id={self.partner_id!r}, port={self.port}, ...)"


class SnapBooks(Protocol):
    """What the door needs of a network's books."""

    def transaction(self) -> AbstractContextManager[None]:
        """All of it or nothing."""
        ...

    def admit(self, key: str, day: str) -> bool:
        """Whether this day has not seen the key before."""
        ...


class Operation(msgspec.Struct, frozen=True):
    """One operation: its two-digit service, its path, what it decides."""

    service: str
    path: str
    verb: Verb


class SnapDoor:
    """The routes of one SNAP network; ``app`` is what a listener serves.

    ``aim`` gives the payee and the reference of a request, for faults that ask for them;
    ``wake`` is called inside the transaction before each operation (what is due ends then);
    ``afterwards`` may give a task to run when the answer is out.
    """

    def __init__(
        self,
        settings: SnapSettings,
        books: SnapBooks,
        faults: Faults,
        clock: Clock,
        operations: tuple[Operation, ...],
        *,
        random: Random,
        aim: Callable[[Mapping[str, Any]], tuple[str, str]],
        wake: Callable[[datetime], object] = lambda _: None,
        afterwards: Callable[[str, AnyFault | None, dict[str, Any]], BackgroundTask | None]
        | None = None,
    ) -> None:
        """Raises Misconfigured when a key cannot be read."""
        self._settings = settings
        self._books = books
        self._faults = faults
        self._clock = clock
        self._aim = aim
        self._wake = wake
        self._afterwards = afterwards
        self._doorkeeper = Doorkeeper(_member(settings), clock, random)
        self.app = Starlette(
            routes=[
                Route(
                    f"{settings.path_prefix}/v1.0/access-token/b2b", self._token, methods=["POST"]
                ),
                *(
                    Route(
                        settings.path_prefix + settings.paths.get(one.service, one.path),
                        partial(self._serve, one.service, one.verb),
                        methods=["POST"],
                    )
                    for one in operations
                ),
            ]
        )

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
        return deliver(Said(ACCESS, "20000", fields), fault, self._clock)

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
            # A request that wandered so long that its time is past is not carried out any more.
            if complaint := self._examine(request, body):
                return plain(refused(service, complaint))
        said = self._carry_out(service, verb, fields, fault, request.headers["x-external-id"])
        if isinstance(fault, Garbage) and fault.form == "other_reference":
            response = plain(_of_another(said))
        else:
            response = deliver(said, fault, self._clock)
        if self._afterwards is not None:
            response.background = self._afterwards(service, fault, fields)
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
            self._wake(now)
            return verb(fields, fault)


def _of_another(said: Said) -> Said:
    """The same answer about something else."""
    return Said(said.service, said.case, _renamed(said.fields))


def _renamed(fields: dict[str, Any]) -> dict[str, Any]:
    renamed: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, dict):
            renamed[name] = _renamed(value)
        else:
            renamed[name] = f"{value}0" if name in _REFERENCES else value
    return renamed


def _member(settings: SnapSettings) -> Member:
    return Member(
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        partner_id=settings.partner_id,
        channel_id=settings.channel_id,
        bank_key=public_key_at(settings.bank_public_key_path),
        token_seconds=settings.token_seconds,
        asymmetric=settings.asymmetric,
    )


def public_key_at(path: str) -> RSAPublicKey:
    """The RSA public key in a PEM file. Raises Misconfigured."""
    try:
        key = serialization.load_pem_public_key(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise Misconfigured(f"the simulator finds no public key at {path}") from error
    if not isinstance(key, RSAPublicKey):
        raise Misconfigured(f"the public key at {path} is not RSA")
    return key


def private_key_at(path: str) -> RSAPrivateKey:
    """The RSA private key in a PEM file. Raises Misconfigured."""
    try:
        key = serialization.load_pem_private_key(Path(path).read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise Misconfigured(f"the simulator finds no private key at {path}") from error
    if not isinstance(key, RSAPrivateKey):
        raise Misconfigured(f"the private key at {path} is not RSA")
    return key
