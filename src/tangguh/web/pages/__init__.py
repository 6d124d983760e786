"""The customers' app in the browser: server-rendered pages, good on a phone, in two languages.

Each module holds the pages of one noun and a table of their paths; ``frame`` runs them all. The
pages order and read through the same functions as the API and decide nothing about money.
"""

from __future__ import annotations

from starlette.routing import BaseRoute

from tangguh.web.door import Door
from tangguh.web.pages import (
    demo,
    history,
    home,
    pay,
    payees,
    payment,
    problem,
    refund,
    review,
    transfer,
)
from tangguh.web.pages.care import inbox, report, track
from tangguh.web.pages.frame import Frame
from tangguh.web.pages.memory import Memory
from tangguh.web.pages.outside import login, strangers, subscribe
from tangguh.web.pages.review import resume

PAGES = (
    *login.PAGES,
    *home.PAGES,
    *resume.PAGES,
    *pay.PAGES,
    *transfer.PAGES,
    *review.PAGES,
    *payment.PAGES,
    *refund.PAGES,
    *history.PAGES,
    *payees.PAGES,
    *report.PAGES,
    *track.PAGES,
    *inbox.PAGES,
    *strangers.PAGES,
    *subscribe.PAGES,
    *demo.PAGES,
    *problem.PAGES,
)


def routes(door: Door) -> list[BaseRoute]:
    """Every page of the customers' app."""
    memory = Memory(door.clock)
    framed: list[BaseRoute] = [Frame(door, memory, page).route() for page in PAGES]
    return [*framed, problem.Elsewhere(door, memory)]
