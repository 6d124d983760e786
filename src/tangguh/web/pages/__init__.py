"""The customers' app in the browser: server-rendered pages, good on a phone, in two languages."""

from __future__ import annotations

from starlette.routing import BaseRoute

from tangguh.web.door import Door


def routes(door: Door) -> list[BaseRoute]:
    """Every page of the customers' app."""
    return []
