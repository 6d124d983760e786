"""The SMS gateway: signed JSON in, its own id out, a receipt later.

``POST /messages`` takes ``{"id", "to", "text", "sender"}``. The same id again gets the first answer
again, and its receipt; the same id with other words is refused, because two messages cannot have
one id. Of the faults ``pending`` and ``crawl`` change nothing here.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tangguh.core.clock import Clock
from tangguh.sim.delivery import Delayed, Silence
from tangguh.sim.faults import (
    AnyFault,
    Decline,
    DropReply,
    DropRequest,
    Faults,
    Garbage,
    Late,
    Lie,
    Twice,
)
from tangguh.sim.post.books import MessageBooks, MessageRow, State, reference_of
from tangguh.sim.post.receipts import Receipts
from tangguh.sim.post.signature import judge

SMS: Final = "sms"
PATH: Final = "/messages"
_BODY_BYTES_MAX: Final = 16 * 1024
_OVERSIZE_BYTES: Final = 1_000_000
_PHONE: Final = re.compile(r"[1-9][0-9]{7,14}")
_WORDS_OF: Final[dict[State, str]] = {
    "taken": "sent",
    "arrived": "delivered",
    "lost": "undelivered",
}
_ACCEPTED: Final = 202


class Wanted(msgspec.Struct, frozen=True):
    """A message as the bank hands it over. ``id`` is the bank's, the same for every try."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    to: Annotated[str, msgspec.Meta(max_length=20)]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=1_600)]
    sender: Annotated[str, msgspec.Meta(max_length=20)] = ""


class Gateway:
    """The gateway's one door; ``app`` is what a listener serves."""

    def __init__(
        self,
        *,
        secret: str,
        books: MessageBooks,
        faults: Faults,
        receipts: Receipts,
        receipt_seconds: float | None,
        clock: Clock,
    ) -> None:
        self._secret = secret
        self._books = books
        self._faults = faults
        self._receipts = receipts
        self._receipt_seconds = receipt_seconds
        self._clock = clock
        self.app = Starlette(routes=[Route(PATH, self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > _BODY_BYTES_MAX:
                return _refusal(413, f"a message has {_BODY_BYTES_MAX} bytes at most")
        # Signatures before words: nothing of what a stranger sends is even read.
        if why := judge(self._secret, request.headers, bytes(body), self._clock.now()):
            return _refusal(401, why)
        try:
            wanted = msgspec.json.decode(bytes(body), type=Wanted)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return _refusal(400, str(error))
        if not _PHONE.fullmatch(wanted.to):
            return _refusal(422, "to: digits only, 8 to 15 of them, the country's code first")
        return await self._serve(wanted, self._faults.strike(SMS, wanted.to, wanted.id))

    async def _serve(self, wanted: Wanted, fault: AnyFault | None) -> Response:
        match fault:
            case DropRequest(seconds=seconds):
                return Silence(self._clock, seconds)
            case Decline(case=case):
                return _refusal(int(case[:3]), "declined")
            case Late(seconds=seconds, carried_out="late"):
                await self._clock.sleep(seconds)
        row = self._row(wanted)
        known = self._books.take(row)
        if known is None:
            return _refusal(422, "id was another message's")
        if self._receipt_seconds is not None:
            state = self._conclude(row.reference, fault) if known is row else known.state
            # Told on a repeat too: whoever asks again may not have known the reference yet.
            times = 3 if isinstance(fault, Twice) else 1
            self._receipts.tell_later(self._receipt_seconds, row.reference, status_of(state), times)
        return self._deliver(row.reference, fault)

    def _row(self, wanted: Wanted) -> MessageRow:
        return MessageRow(
            via="sms",
            key=wanted.id,
            reference=reference_of("sms", wanted.id),
            recipient=wanted.to,
            sender=wanted.sender,
            words=wanted.text,
            state="taken",
            taken_at=self._clock.now().isoformat(),
        )

    def _conclude(self, reference: str, fault: AnyFault | None) -> State:
        """Whether the phone gets it."""
        state: State = "lost" if isinstance(fault, Lie) and fault.books == "failed" else "arrived"
        self._books.conclude(reference, state, self._clock.now().isoformat())
        return state

    def _deliver(self, reference: str, fault: AnyFault | None) -> Response:
        answer = _json({"id": reference}, _ACCEPTED)
        match fault:
            case DropReply(seconds=seconds):
                return Silence(self._clock, seconds)
            case Late(seconds=seconds, carried_out="at_once"):
                return Delayed(answer, self._clock, seconds)
            case Lie(books="paid"):
                return _refusal(503, "not taken")
            case Garbage(form=form):
                return _garbage(reference, form)
            case _:
                return answer


def status_of(state: State) -> str:
    """A state in the words of a receipt."""
    return _WORDS_OF[state]


def _garbage(reference: str, form: str) -> Response:
    content = msgspec.json.encode({"id": reference})
    match form:
        case "empty":
            content = b""
        case "oversized":
            content = content[:-1] + b" " * _OVERSIZE_BYTES + b"}"
        case "other_reference":
            content = msgspec.json.encode({"id": f"{reference}0"})
        case "other_service":
            content = msgspec.json.encode({"said": "hello"})
        case _:
            content = content[:-1] + b","
    return Response(content, _ACCEPTED, media_type="application/json")


def _refusal(status: int, why: str) -> Response:
    return _json({"error": why}, status)


def _json(value: Any, status: int) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
