"""The control port: what a rehearsal needs to look at the networks' books and to make them fail.

Every network has its own place: ``/networks/{name}/faults``, ``/books``, ``/books/proof``,
``/settlement`` and ``/acts/{what}``. The QRIS switch, the first of them, also answers without a
place. ``/`` is the page of all, made from ``/overview``, ``/menu`` and ``/networks/{name}``;
``/post`` is everybody's phone.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tangguh.core.clock import Clock, business_date
from tangguh.sim.faults import Plan
from tangguh.sim.healing import Healing
from tangguh.sim.menu import PLACES
from tangguh.sim.network import Network
from tangguh.sim.overview import line_of, sheet_of
from tangguh.sim.page import NETWORKS, POST, OwnPage
from tangguh.sim.qris.merchants import Merchant

_FIRST: Final = "qris"
_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_OWN_SITES: Final = frozenset({b"none", b"same-origin"})
_POST: Final = "post"


class Control:
    """The handlers; ``app`` is what a listener serves."""

    def __init__(
        self,
        networks: Mapping[str, Network],
        healing: Healing,
        merchants: list[Merchant],
        clock: Clock,
        token: str = "",
    ) -> None:
        self._networks = networks
        self._healing = healing
        self._merchants = merchants
        self._clock = clock
        routes = Starlette(
            routes=[
                Route("/", self._show_page),
                Route("/merchants", self._show_merchants),
                Route("/post", self._show_post),
                Route("/networks", self._show_networks),
                Route("/overview", self._show_overview),
                Route("/menu", self._show_menu),
                Route("/networks/faults", self._clear_all, methods=["DELETE"]),
                Route("/networks/{name}", self._show_sheet),
                *self._routes(""),
                *self._routes("/networks/{name}"),
                Route("/networks/{name}/settlement", self._show_settlement),
                Route("/networks/{name}/acts/{what}", self._act, methods=["POST"]),
            ]
        )
        self.app: ASGIApp = OwnOnly(routes, token)

    def _routes(self, place: str) -> list[Route]:
        return [
            Route(f"{place}/faults", self._show_faults, methods=["GET"]),
            Route(f"{place}/faults", self._put_faults, methods=["PUT"]),
            Route(f"{place}/faults", self._clear_faults, methods=["DELETE"]),
            Route(f"{place}/books", self._show_books),
            Route(f"{place}/books/proof", self._prove_books),
        ]

    async def _show_page(self, _request: Request) -> Response:
        return _page(NETWORKS)

    async def _show_post(self, _request: Request) -> Response:
        if _POST not in self._networks:
            return _UNKNOWN
        return _page(POST)

    async def _show_merchants(self, _request: Request) -> Response:
        return _json(self._merchants)

    async def _show_networks(self, _request: Request) -> Response:
        return _json({name: network.address for name, network in self._networks.items()})

    async def _show_overview(self, _request: Request) -> Response:
        """A line for each network, in the order of the page."""
        shown = [name for name in PLACES if name in self._networks]
        return _json([line_of(name, self._healing.dealt(name)) for name in shown])

    async def _show_menu(self, _request: Request) -> Response:
        """What can be chosen for each network: faults, and what it does of its own accord."""
        return _json({name: place for name, place in PLACES.items() if name in self._networks})

    async def _show_sheet(self, request: Request) -> Response:
        """Everything of one network."""
        network = self._network(request)
        if network is None:
            return _UNKNOWN
        codes = {one.pan: one.payloads for one in self._merchants if network.name == _FIRST}
        return _json(sheet_of(network, self._healing.dealt(network.name), codes))

    async def _clear_all(self, _request: Request) -> Response:
        for name in self._networks:
            await self._healing.put(name, Plan())
        return await self._show_overview(_request)

    async def _show_faults(self, request: Request) -> Response:
        network = self._network(request)
        return _json(self._healing.dealt(network.name)) if network else _UNKNOWN

    async def _put_faults(self, request: Request) -> Response:
        network = self._network(request)
        if network is None:
            return _UNKNOWN
        try:
            plan = msgspec.json.decode(await request.body(), type=Plan)
        except (msgspec.MsgspecError, ValueError) as error:
            return _json({"error": str(error)}, 400)
        await self._healing.put(network.name, plan)
        return _json(self._healing.dealt(network.name))

    async def _clear_faults(self, request: Request) -> Response:
        network = self._network(request)
        if network is None:
            return _UNKNOWN
        await self._healing.put(network.name, Plan())
        return _json(self._healing.dealt(network.name))

    async def _show_books(self, request: Request) -> Response:
        network = self._network(request)
        if network is None:
            return _UNKNOWN
        try:
            return _json(network.books(request.query_params))
        except ValueError:
            return _json({"error": "limit is a number"}, 400)

    async def _prove_books(self, request: Request) -> Response:
        network = self._network(request)
        return _json(network.prove()) if network else _UNKNOWN

    async def _show_settlement(self, request: Request) -> Response:
        """The file of ``?day=YYYY-MM-DD&cycle=N``: today, and the day so far, when not given."""
        network = self._network(request)
        if network is None:
            return _UNKNOWN
        asked = request.query_params
        try:
            text = asked.get("day", "")
            day = date.fromisoformat(text) if text else business_date(self._clock.now())
            return PlainTextResponse(network.settlement_file(day, int(asked.get("cycle", "0"))))
        except ValueError as error:
            return _json({"error": str(error)}, 400)

    async def _act(self, request: Request) -> Response:
        """Have the network do something of its own accord; the body is what it needs."""
        network = self._network(request)
        if network is None:
            return _UNKNOWN
        try:
            fields = msgspec.json.decode(await request.body() or b"{}", type=dict[str, Any])
            return _json(await network.act(request.path_params["what"], fields))
        except (msgspec.MsgspecError, ValueError) as error:
            return _json({"error": str(error)}, 400)

    def _network(self, request: Request) -> Network | None:
        return self._networks.get(request.path_params.get("name", _FIRST))


class OwnOnly:
    """Lets in whoever is on this machine and asks by its own name, and no page of another site.

    A name that was made to lead here (DNS rebinding) is not ours; a browser says when another site
    has it send something; a link that is followed only looks. With a token every request must
    carry it as a bearer.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, or 403."""
        headers = dict(scope.get("headers", ()))
        given = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        if self._token:
            is_let_in = hmac.compare_digest(given, self._token.encode())
        else:
            is_let_in = _is_local(headers.get(b"host", b"").decode("latin-1"))
        if is_let_in and (
            headers.get(b"sec-fetch-site", b"none") in _OWN_SITES or _is_visit(scope)
        ):
            await self._app(scope, receive, send)
            return
        await _json({"error": "only for this machine's own"}, 403)(scope, receive, send)


def _page(page: OwnPage) -> Response:
    return HTMLResponse(page.text, headers={"Content-Security-Policy": page.policy})


def _is_visit(scope: Scope) -> bool:
    """Whether somebody followed a link: nothing is changed, and the other page reads nothing."""
    headers = dict(scope.get("headers", ()))
    return scope.get("method") == "GET" and headers.get(b"sec-fetch-mode") == b"navigate"


def _is_local(host: str) -> bool:
    name = host.rpartition(":")[0] if host.count(":") == 1 else host
    return name.partition("]")[0].removeprefix("[") in _LOCAL


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


_UNKNOWN: Final = _json({"error": "there is no such network"}, 404)
