"""A page for every problem code, and for addresses where there is nothing."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from tangguh.web.door import Door
from tangguh.web.pages.frame import Frame, Page, Visit, stranger
from tangguh.web.pages.memory import Memory
from tangguh.web.pages.trouble import CODES, FORM_FOREIGN, REVIEW_CHANGED, sentence, trouble_page
from tangguh.web.problems import OF_REFUSAL, OF_REQUEST, Kind, problem, trouble

_OF_PAGES: Final = {
    FORM_FOREIGN: Kind(403, "The form is not from this bank's pages"),
    REVIEW_CHANGED: Kind(422, "The review is not as it was shown"),
}
_ROWS: Final = {**{str(code): kind for code, kind in OF_REFUSAL.items()}, **OF_REQUEST, **_OF_PAGES}


async def explain_problem(visit: Visit) -> Response:
    """What a code means: the cause, where the money is, what to do."""
    code = visit.request.path_params["code"]
    kind = _ROWS.get(code)
    if kind is None or code not in CODES:
        raise trouble("not_found")
    words = visit.words
    return visit.page(
        "explained.html",
        code=code,
        reason=sentence(words, f"problem.{code}.reason"),
        money_words=words(f"money.{kind.money}"),
        retry_words=words(f"retry.{kind.retry}"),
        advice=words(f"problem.{code}.do", seconds=30),
        http_status=kind.status,
    )


async def nothing_here(visit: Visit) -> Response:
    """No other page has this address."""
    raise trouble("not_found", visit.request.url.path)


def problem_page(request: Request, door: Door, memory: Memory, code: str) -> Response:
    """Any problem as a page for somebody we know nothing about."""
    visit = stranger(request, door, memory)
    return trouble_page(visit.words, visit.shared(), problem(code))


class Elsewhere(Route):
    """Where no other page is, for readers of pages; everybody else gets the API's own answer."""

    def __init__(self, door: Door, memory: Memory) -> None:
        page = Page(path="/{anywhere:path}", get=nothing_here, post=nothing_here, needs_login=False)
        frame = Frame(door, memory, page)

        async def answer(request: Request) -> Response:
            return await frame(request)

        super().__init__(page.path, answer, methods=page.methods)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path: str = scope["path"]
        headers = dict(scope.get("headers", ()))
        reads_pages = b"text/html" in headers.get(b"accept", b"")
        if not reads_pages or path.startswith(("/v1/", "/static/")):
            return Match.NONE, {}
        return super().matches(scope)


PAGES: Final = (Page(path="/problems/{code}", get=explain_problem, needs_login=False),)
