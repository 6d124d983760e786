"""The simulator's own door, for whoever rehearses: faults, books, merchants, and a page.

It stays up while the switch is down. For loopback only: it has no log-in, since everything behind
it is invented.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tangguh.core.clock import Clock
from tangguh.sim.books import Books
from tangguh.sim.faults import Faults, Plan
from tangguh.sim.merchants import Merchant

_PAGE: Final = Path(__file__).with_name("control.html").read_text("utf-8")
_PAYMENTS_MAX: Final = 1_000_000

PutPlan = Callable[[Plan], Awaitable[None]]


class Control:
    """The handlers; ``app`` is what a listener serves. ``put_plan`` makes a plan be obeyed."""

    def __init__(
        self,
        *,
        books: Books,
        faults: Faults,
        merchants: list[Merchant],
        put_plan: PutPlan,
        clock: Clock,
    ) -> None:
        self._books = books
        self._clock = clock
        self._faults = faults
        self._merchants = merchants
        self._put_plan = put_plan
        self.app = Starlette(
            routes=[
                Route("/", self._show_page),
                Route("/faults", self._show_faults, methods=["GET"]),
                Route("/faults", self._put_faults, methods=["PUT"]),
                Route("/faults", self._clear_faults, methods=["DELETE"]),
                Route("/books", self._show_books),
                Route("/books/proof", self._prove_books),
                Route("/merchants", self._show_merchants),
            ]
        )

    async def _show_page(self, _request: Request) -> Response:
        return HTMLResponse(_PAGE)

    async def _show_faults(self, _request: Request) -> Response:
        return _json(self._faults.dealt())

    async def _put_faults(self, request: Request) -> Response:
        try:
            plan = msgspec.json.decode(await request.body(), type=Plan)
        except (msgspec.MsgspecError, ValueError) as error:
            return _json({"error": str(error)}, 400)
        await self._put_plan(plan)
        return _json(self._faults.dealt())

    async def _clear_faults(self, _request: Request) -> Response:
        await self._put_plan(Plan())
        return _json(self._faults.dealt())

    async def _show_books(self, request: Request) -> Response:
        asked = request.query_params
        try:
            limit = min(max(int(asked.get("limit", "100")), 0), _PAYMENTS_MAX)
        except ValueError:
            return _json({"error": "limit is a number"}, 400)
        self._conclude_due()
        payments = self._books.payments(
            reference=asked.get("reference", ""),
            state=asked.get("state", ""),
            merchant_pan=asked.get("merchant_pan", ""),
            limit=limit,
        )
        return _json(
            {
                "totals": self._books.totals(),
                "merchants": self._books.merchants(),
                "payments": [
                    {
                        **msgspec.structs.asdict(payment),
                        "refunds": self._books.refunds_of(payment.reference),
                    }
                    for payment in payments
                ],
            }
        )

    async def _prove_books(self, _request: Request) -> Response:
        self._conclude_due()
        return _json(self._books.prove())

    def _conclude_due(self) -> None:
        """Nobody may have asked the switch since a pending payment's time came."""
        with self._books.transaction():
            self._books.conclude_due(self._clock.now())

    async def _show_merchants(self, _request: Request) -> Response:
        return _json(self._merchants)


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
