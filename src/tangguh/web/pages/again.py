"""Answers to forms as pages of their own, so that going back shows them and sends nothing again.

A browser asks before it repeats a POST, or shows an error page of its own (ERR_CACHE_MISS), since
nothing of the bank is cached. So what a form answers is kept for a while and reached by a GET. Only
the session it was shown to gets it again; a stranger's name of it cannot be guessed.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tangguh.web.gate import REMOVED_PARAMETER
from tangguh.web.pages.memory import Memory

_PARAMETER: Final = "shown"
_NEVER_CARRIED: Final = frozenset({_PARAMETER, REMOVED_PARAMETER})


def address_of(request: Request) -> str:
    """The page somebody is on: of a form the page it stands on, where the browser says so."""
    came_from = _page_of_form(request) if request.method == "POST" else ""
    return came_from or _with_query(request.url.path, request.url.query)


def by_get(
    memory: Memory, request: Request, whose: bytes, answer: Response, *, has_get: bool
) -> Response:
    """The answer to a form, kept, and a redirect to it; or the answer itself.

    ``whose``: the session's hash, empty for a stranger, whose pages are kept only when something
    was wrong with the form. Browsers that do not say that they navigate get the answer.
    """
    navigates = request.headers.get("sec-fetch-mode") == "navigate"
    is_page = isinstance(answer, HTMLResponse) and (whose or answer.status_code >= 400)
    if request.method != "POST" or not navigates or not is_page:
        return answer
    there = _page_of_form(request)
    if has_get and urlsplit(there).path != request.url.path:
        there = request.url.path
    name = memory.keep_page(whose, answer.status_code, bytes(answer.body)) if there else ""
    if not name:
        return answer
    path, _, query = there.partition("?")
    led = RedirectResponse(_with_query(path, _joined(query, f"{_PARAMETER}={name}")), 303)
    led.raw_headers += [one for one in answer.raw_headers if one[0] == b"set-cookie"]
    return led


def shown_again(memory: Memory, request: Request, whose: bytes) -> Response | None:
    """The kept answer that an address names, for whom it was; None where there is none."""
    name = request.query_params.get(_PARAMETER, "") if request.method == "GET" else ""
    found = memory.page(name, whose) if name else None
    return HTMLResponse(found[1], found[0]) if found is not None else None


def _page_of_form(request: Request) -> str:
    """Path and query of the page a form was on, if it is one of this bank's; else empty."""
    try:
        came = urlsplit(request.headers.get("referer", ""))
        pairs = parse_qsl(came.query, keep_blank_values=True, max_num_fields=80)
    except ValueError:
        return ""
    if not came.netloc or came.netloc != request.headers.get("host", ""):
        return ""
    kept = [(name, text) for name, text in pairs if name not in _NEVER_CARRIED]
    return _with_query(came.path, urlencode(kept))


def _joined(query: str, more: str) -> str:
    return f"{query}&{more}" if query else more


def _with_query(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path
