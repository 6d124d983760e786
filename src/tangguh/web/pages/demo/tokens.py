"""The demo's staff: who they are, and the tokens they log in with.

Tokens are shown to a browser on the bank's own machine that came by no other way: a demo that
somebody put before the world tells who there is, and keeps their secrets in its file.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tangguh.access.people import Staff
from tangguh.customers.crew import CREW
from tangguh.web.login import host_of
from tangguh.web.pages.demo.guide import must_be_demo
from tangguh.web.pages.frame import Page, Visit

_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "via")
_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Told(msgspec.Struct, frozen=True):
    """One member of staff; ``token`` empty where it is not shown."""

    staff: Staff
    roles: str
    token: str


async def show_staff(visit: Visit) -> Response:
    """The six of the demo; their tokens for whoever sits at this machine."""
    must_be_demo(visit)
    is_here = _is_here(visit.request)
    tokens = _tokens(visit.door.settings.demo_crew_path) if is_here else {}
    crew = [
        Told(one, ", ".join(sorted(role.value for role in one.roles)), tokens.get(one.id, ""))
        for one in CREW
    ]
    answer = visit.page("demo_staff.html", crew=crew, is_here=is_here, has_tokens=bool(tokens))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _is_here(request: Request) -> bool:
    """Whether the browser is on this machine, asked by its own name and by nobody between."""
    name = request.headers.get("host", "").rsplit(":", 1)[0]
    if name not in _LOCAL or any(header in request.headers for header in _FORWARDED):
        return False
    try:
        return ip_address(host_of(request)).is_loopback
    except ValueError:
        return False


def _tokens(path: str) -> dict[str, str]:
    """By staff id; none where the bank keeps no such file or cannot read it."""
    if not path:
        return {}
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError):
        return {}


PAGES: Final = (Page(path="/demo/staff", get=show_staff, needs_login=False),)
