"""The door to the app: logging in and out, and which language the pages speak."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from tangguh.access.session import Kind, Opened
from tangguh.customers import store as customers
from tangguh.customers.store import Customer
from tangguh.web import login
from tangguh.web.cookies import cookie, drop_cookie, put_cookie
from tangguh.web.pages.frame import (
    LANGUAGE_COOKIE,
    SESSION_COOKIE,
    Page,
    Visit,
    redirect,
    safe_path,
)
from tangguh.web.pages.trouble import pin_words
from tangguh.web.problems import Trouble, trouble
from tangguh.web.words import LANGUAGES

_YEAR_SECONDS: Final = 365 * 24 * 3600
_CODE_LENGTH_MAX: Final = 12
CHOSEN_COOKIE: Final = "tangguh_language_chosen"
"""A language somebody chose before the log-in that follows: it stays theirs after it."""
DEVICE_COOKIE: Final = "tangguh_device"
_WHYS: Final = frozenset({"ended", "unsent", "kept", "out"})


async def show_login(visit: Visit) -> Response:
    """Phone number and PIN. Somebody who is logged in goes home."""
    if visit.customer is not None:
        return redirect("/home")
    return _login_page(visit, phone=visit.asked("phone")[:20])


async def log_in(visit: Visit) -> Response:
    """Open a session; an older one of this browser ends, so its token is worth nothing."""
    door = visit.door
    try:
        proved = await login.prove(door, _claim(visit))
    except Trouble as found:
        told = pin_words(visit.words, found.problem, door.clock.now())
        asks = found.problem.code in ("code_needed", "code_wrong")
        return _login_page(
            visit,
            phone=visit.typed("phone")[:20],
            told=told,
            status=found.problem.status,
            asks_code=asks,
            attempt=found.problem.attempt or visit.typed("attempt"),
        )
    customer = proved.customer
    if visit.session is not None:
        visit.memory.forget_visitor(cookie(visit.request, SESSION_COOKIE))
        await door.sessions.end(visit.session)
    opened = await door.sessions.open(
        customer.customer_id, Kind.BROWSER, device_known_at=proved.known_at
    )
    await door.remember(f"customer:{customer.customer_id}", "session.opened", detail="browser")
    answer = redirect(safe_path(visit.typed("next") or "/home"))
    await _keep_language(visit, answer, customer)
    _keep_token(visit, answer, opened)
    put_cookie(visit.request, answer, DEVICE_COOKIE, proved.device, seconds=_YEAR_SECONDS)
    return answer


async def log_out(visit: Visit) -> Response:
    """End the session here and in the book."""
    if visit.session is not None:
        visit.memory.forget_visitor(cookie(visit.request, SESSION_COOKIE))
        await visit.door.sessions.end(visit.session)
        await visit.door.remember(f"customer:{visit.me.customer_id}", "session.ended")
    answer = redirect("/?why=out")
    drop_cookie(visit.request, answer, SESSION_COOKIE)
    return answer


async def choose_language(visit: Visit) -> Response:
    """Speak another language from the next page on; a customer's choice is kept in the book."""
    language = visit.typed("language")
    if language not in LANGUAGES:
        raise trouble("parameter_invalid", "", "language")
    door = visit.door
    if visit.customer is not None:
        await customers.set_language(door.pool, door.book_id, visit.customer.customer_id, language)
    answer = redirect(safe_path(visit.typed("next") or "/"))
    put_cookie(
        visit.request, answer, LANGUAGE_COOKIE, language, seconds=_YEAR_SECONDS, samesite="lax"
    )
    if visit.customer is None:
        put_cookie(visit.request, answer, CHOSEN_COOKIE, language)
    return answer


async def _keep_language(visit: Visit, answer: Response, customer: Customer) -> None:
    """What was chosen before this log-in is the customer's choice; one of long ago is not."""
    chosen = cookie(visit.request, CHOSEN_COOKIE)
    if chosen not in LANGUAGES:
        return
    door = visit.door
    if chosen != customer.language:
        await customers.set_language(door.pool, door.book_id, customer.customer_id, chosen)
    drop_cookie(visit.request, answer, CHOSEN_COOKIE)


def _claim(visit: Visit) -> login.Claim:
    return login.Claim(
        host=login.host_of(visit.request),
        phone=visit.typed("phone"),
        pin=visit.typed("pin"),
        device=cookie(visit.request, DEVICE_COOKIE),
        code=visit.typed("code")[:_CODE_LENGTH_MAX],
        attempt=visit.typed("attempt"),
    )


def _login_page(
    visit: Visit,
    *,
    phone: str,
    told: str = "",
    status: int = 200,
    asks_code: bool = False,
    attempt: str = "",
) -> Response:
    why = visit.asked("why")
    return visit.page(
        "login.html",
        status=status,
        phone=phone,
        told=told,
        asks_code=asks_code,
        attempt=attempt,
        why=visit.words(f"login.why_{why}") if why in _WHYS else "",
        next=visit.typed("next") or visit.asked("next"),
        has_demo=visit.door.settings.demo,
    )


def _keep_token(visit: Visit, answer: Response, opened: Opened) -> None:
    """Only this bank's pages send it, no script reads it; it goes when the browser closes."""
    put_cookie(visit.request, answer, SESSION_COOKIE, opened.token)


PAGES: Final = (
    Page(path="/", get=show_login, post=log_in, needs_login=False, opens_session=True),
    Page(path="/logout", post=log_out, needs_login=False),
    Page(path="/language", post=choose_language, needs_login=False),
)
