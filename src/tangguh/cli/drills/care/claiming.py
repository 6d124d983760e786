"""The bank as ``serve`` runs it, with one door more, to be killed and started again.

``python -m tangguh.cli.drills.care.claiming``. By its door a rehearsal lets staff claim a payment
for its payer, and gives one back on the payee's word, while the same process takes what networks
send.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tangguh.app import Bank
from tangguh.cli.household import Household
from tangguh.cli.processes import logs
from tangguh.cli.processes.children import Child
from tangguh.cli.processes.parent import end_with_parent
from tangguh.cli.processes.serve import serve_bank
from tangguh.config import load
from tangguh.core.errors import TangguhError
from tangguh.core.order import RefundOrder
from tangguh.core.outcome import Refused
from tangguh.disputes.case import About, Case
from tangguh.disputes.complaints import Complaint
from tangguh.payments import flow, store
from tangguh.payments.payment import Payment
from tangguh.payments.refund import THE_BANK, AcceptRefund

DOOR: Final = "/drill"
_WHY: Final = "they did not order it"
_CASE: Final = UUID("63617365-0000-5700-8000-000000000001")


class ClaimingBank(Bank):
    """A bank whose staff can be asked by HTTP. ``POST /drill/claim`` and ``/drill/refund``."""

    def web(self) -> ASGIApp:
        """The bank's own door, and the drill's before it."""
        bank = super().web()
        more = Starlette(
            routes=[
                Route(f"{DOOR}/claim", self._claim, methods=["POST"]),
                Route(f"{DOOR}/refund", self._refund, methods=["POST"]),
                Route(f"{DOOR}/ready", _ready, methods=["POST"]),
            ]
        )

        async def either(scope: Scope, receive: Receive, send: Send) -> None:
            ours = scope["type"] == "http" and scope["path"].startswith(DOOR)
            await (more if ours else bank)(scope, receive, send)

        return either

    async def _claim(self, request: Request) -> Response:
        """Staff open a case for its payer and claim it: once, however often it is asked for.

        ``dies``: the process is gone right after the claim is in the book, before anybody is asked.
        """
        try:
            payment, dies = await self._named(request)
            said = Complaint(
                case_id=uuid5(_CASE, payment.id.hex),
                customer_id=payment.customer_id,
                about=About.NOT_MINE,
                text="",
                channel="staff",
                payment_id=payment.id,
            )
            case = await self.care.complaints.open(said)
            if dies and not isinstance(case, Refused):
                await self.desk.decide(AcceptRefund(_claim_of(case, payment), self.desk.rules))
                os.kill(os.getpid(), signal.SIGKILL)
            if not isinstance(case, Refused):
                case = await self.care.complaints.claim(case, _WHY, "staff:6")
            return _answer(case)
        except TangguhError as trouble:
            return _later(trouble)

    async def _refund(self, request: Request) -> Response:
        """The payee gives it back: an order of the bank's on their word, under one key."""
        try:
            payment, _ = await self._named(request)
            order = RefundOrder(
                requested_by=THE_BANK,
                idempotency_key=f"payee:{payment.id.hex}",
                payment_id=payment.id,
                amount_minor=payment.to_payee_minor,
                reason="the payee gives it back",
            )
            return _answer(await flow.refund(self.desk, order))
        except TangguhError as trouble:
            return _later(trouble)

    async def _named(self, request: Request) -> tuple[Payment, bool]:
        asked: dict[str, Any] = msgspec.json.decode(await request.body())
        payment = await store.find(self.pool, self.book_id, UUID(asked["payment_id"]))
        assert payment is not None
        return payment, bool(asked.get("dies"))


async def _ready(_request: Request) -> Response:
    return _answer(None)


async def open_door(household: Household) -> None:
    """Put this bank in the place of a household's own."""
    assert household.bank is not None
    await household.bank.stop()
    place = household.place
    household.bank = Child(
        "bank",
        ["--config", str(place.run / "bank.json")],
        run=place.run,
        logs=place.logs,
        module="tangguh.cli.drills.care.claiming",
    )
    await household.bank.start()


def _claim_of(case: Case, payment: Payment) -> RefundOrder:
    """What the complaints desk orders for this case."""
    return RefundOrder(
        requested_by=THE_BANK,
        idempotency_key=f"claim:{case.id.hex}",
        payment_id=payment.id,
        amount_minor=payment.refundable_minor,
        reason=_WHY,
        claims=True,
    )


def _answer(said: Any) -> Response:
    code = str(said.code) if isinstance(said, Refused) else ""
    return Response(msgspec.json.encode({"code": code}), media_type="application/json")


def _later(trouble: TangguhError) -> Response:
    return Response(str(trouble), 503)


def _main(config: str, ready: str) -> None:
    logs.to_stderr()
    end_with_parent()
    uvloop.run(serve_bank(load(Path(config)), None, Path(ready), ClaimingBank))


if __name__ == "__main__":
    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    _main(options["--config"], options["--ready-file"])
