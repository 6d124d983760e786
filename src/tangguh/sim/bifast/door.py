"""The hub's port: who may come in, which fault strikes, and how the answer is lost on its way."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tangguh.core.clock import Clock
from tangguh.sim.bifast.answers import REPORT
from tangguh.sim.bifast.counter import PAYING, Counter
from tangguh.sim.bifast.paper import NotPaper, Paper, find, is_sealed_by, open_paper, seal
from tangguh.sim.delivery import Silence, deliver
from tangguh.sim.faults import AnyFault, DropReply, DropRequest, Faults, Garbage, Late, Twice
from tangguh.sim.message import Said

PATH: Final = "/bifast/messages"
NOTICE: Final = "sttl"
"""As a service of ``drop_reply``: the settlement notice of the payment struck is lost as well."""
_BAD_SIGNATURE: Final = "U999"
_CONTENT: Final = {"json": "application/json", "xml": "application/xml"}


class Envelope(Said, frozen=True):
    """A sealed answer as the shared deliveries want it."""

    body: bytes = b""

    def encode(self) -> bytes:
        """The bytes."""
        return self.body


class Door:
    """The route; ``app`` is what a listener serves. ``notify`` tells the bank of an end."""

    def __init__(
        self,
        *,
        counter: Counter,
        faults: Faults,
        clock: Clock,
        key: RSAPrivateKey,
        bank_key: RSAPublicKey,
        notify: Callable[[str, int], Awaitable[None]],
    ) -> None:
        self._counter = counter
        self._faults = faults
        self._clock = clock
        self._key = key
        self._bank_key = bank_key
        self._notify = notify
        self._news: set[asyncio.Task[None]] = set()
        self.app = Starlette(routes=[Route(PATH, self._serve, methods=["POST"])])

    async def settle(self) -> None:
        """Wait until everything was told."""
        while self._news:
            await asyncio.wait(self._news)

    async def close(self) -> None:
        """Leave untold what was not told yet."""
        for task in self._news:
            task.cancel()
        await asyncio.gather(*self._news, return_exceptions=True)

    def conclude_due(self) -> None:
        """End what has become due, and tell the bank."""
        for row in self._counter.conclude_due():
            self._tell(row.reference, 1)

    async def _serve(self, request: Request) -> Response:
        try:
            paper = open_paper(await request.body())
        except NotPaper as error:
            return Response(str(error), 400, media_type="text/plain")
        if not is_sealed_by(paper, self._bank_key):
            answer = self._counter.reject(paper, _BAD_SIGNATURE, "not signed by the bank")
            return self._plain(answer, 401)
        service, payee, reference = self._counter.aim(paper)
        fault = self._faults.strike(service, payee, reference)
        if isinstance(fault, DropRequest):
            return Silence(self._clock, fault.seconds)
        if isinstance(fault, Late) and fault.carried_out == "late":
            await self._clock.sleep(fault.seconds)
        self.conclude_due()
        answer = self._counter.answer(paper, fault)
        is_told = not (isinstance(fault, DropReply) and NOTICE in fault.services)
        if service in PAYING and is_told and self._counter.is_news(answer, reference):
            self._tell(reference, 2 if isinstance(fault, Twice) else 1)
        return self._deliver(answer, fault)

    def _tell(self, reference: str, times: int) -> None:
        task = asyncio.ensure_future(self._notify(reference, times))
        self._news.add(task)
        task.add_done_callback(self._news.discard)

    def _deliver(self, answer: Paper, fault: AnyFault | None) -> Response:
        spoiled = False
        if isinstance(fault, Garbage):
            match fault.form:
                case "other_reference":
                    answer = _of_another(answer)
                case "other_service":
                    answer = self._counter.reject(answer, "U215", "an answer to something else")
                case "bad_signature":
                    spoiled = True
        said = Envelope("000", "20000", {}, body=seal(answer, self._key, spoiled=spoiled))
        changed = ("other_reference", "other_service", "bad_signature")
        if isinstance(fault, Garbage) and fault.form in changed:
            fault = None
        response = deliver(said, fault, self._clock)
        if fault is None:
            response.headers["content-type"] = _CONTENT[answer.form]
        return response

    def _plain(self, answer: Paper, status: int) -> Response:
        return Response(seal(answer, self._key), status, media_type=_CONTENT[answer.form])


def _of_another(answer: Paper) -> Paper:
    """The same answer about another transfer."""
    if answer.definition != REPORT:
        return msgspec.structs.replace(answer, number=answer.number[::-1])
    document: dict[str, Any] = copy.deepcopy(answer.document)
    tx = find(document, "FIToFIPmtStsRpt.TxInfAndSts.0")
    tx["OrgnlEndToEndId"] = tx["OrgnlEndToEndId"][:-1] + "#"
    return msgspec.structs.replace(answer, document=document)
