"""What every page has in common: who asks, in which language, forms that are ours, honest troubles.

A page is a row: path, what it does on GET and on POST, whether it needs a session. Handlers raise
Trouble or TangguhError as the API does; here both become a page that says where the money is.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec
import structlog
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tangguh.access.session import Kind, Session
from tangguh.core.errors import StoreUnavailable, TangguhError
from tangguh.core.redaction.redact import Secret
from tangguh.customers import store as customers
from tangguh.customers.store import Customer
from tangguh.listeners.limits import Limit, limited
from tangguh.web import words
from tangguh.web.api.operations import of_error, rate_limited, read_body
from tangguh.web.cookies import cookie
from tangguh.web.door import Door
from tangguh.web.gate import (
    REMOVED_PARAMETER,
    form_texts,
    removed_in,
    tell_removed,
    without_secrets,
)
from tangguh.web.login import host_of
from tangguh.web.pages import again
from tangguh.web.pages.memory import Memory
from tangguh.web.pages.screen import WORDS, show
from tangguh.web.pages.seal import Sealed, form_token, is_form_token, seal, unseal
from tangguh.web.pages.trouble import FORM_FOREIGN, trouble_page
from tangguh.web.problems import Trouble, problem, trouble
from tangguh.web.words import Words

log = structlog.get_logger("web.pages")

SESSION_COOKIE: Final = "tangguh_session"
LANGUAGE_COOKIE: Final = "tangguh_language"
_FIELDS_MAX: Final = 80
_PHOTO_SECONDS: Final = 30.0
_EVERY_METHOD: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a browser: the bank, who asks, the language, what was typed or sent.

    ``removed``: which secrets the form's words had; they are gone from ``form``.
    """

    request: Request
    door: Door
    memory: Memory
    words: Words
    session: Session | None = None
    customer: Customer | None = None
    form: dict[str, str] = {}
    photo: bytes = b""
    removed: tuple[Secret, ...] = ()

    @property
    def me(self) -> Customer:
        """Who is logged in. Only pages that need a session may ask this."""
        if self.customer is None:
            raise trouble("not_logged_in")
        return self.customer

    @property
    def open_session(self) -> Session:
        """The session. Only pages that need one may ask this."""
        if self.session is None:
            raise trouble("not_logged_in")
        return self.session

    def seal(self, slip: Sealed) -> str:
        """What was shown, sealed for this session alone."""
        return seal(self.door.seals, self.open_session, slip)

    def unseal(self, text: str) -> Sealed | None:
        """What was shown; None when it was changed or was shown to another session."""
        return unseal(self.door.seals, self.open_session, text)

    @property
    def language(self) -> str:
        """``id`` or ``en``."""
        return self.words.language

    def typed(self, name: str) -> str:
        """A field of the form, trimmed; empty when it is not there."""
        return self.form.get(name, "").strip()

    def asked(self, name: str) -> str:
        """A parameter of the address; empty when it is not there."""
        return self.request.query_params.get(name, "")

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page of the app in the visitor's language."""
        return show(template, self.language, status=status, **self.shared(), **values)

    def shared(self) -> dict[str, Any]:
        """What every template may use."""
        session = self.session
        return {
            "bank": self.door.bank_name,
            "customer": self.customer,
            "csrf": form_token(self.door.seals, session) if session else "",
            "session_ends": session.expires_at if session else None,
            "here": self.request.url.path,
            "address": again.address_of(self.request),
            "now": self.door.clock.now(),
            "removed": self.removed or removed_in(self.asked(REMOVED_PARAMETER)),
        }


Handler = Callable[[Visit], Awaitable[Response]]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the app: one path.

    ``survives``: shown from memory when the book cannot be read. ``opens_session``: its form is
    sent by somebody without a session, or with one this browser forgot; its origin must do.
    ``bears_token``: what is sent holds a secret that proves the sender, so it may come from
    anywhere (the one-click POST of a mail program, RFC 8058). ``streams``: a GET goes on for as
    long as the settings let live pages.
    """

    path: str
    get: Handler | None = None
    post: Handler | None = None
    needs_login: bool = True
    takes_photo: bool = False
    survives: bool = False
    opens_session: bool = False
    bears_token: bool = False
    streams: bool = False

    @property
    def methods(self) -> list[str]:
        """What may be done here."""
        return [*(["GET", "HEAD"] if self.get else []), *(["POST"] if self.post else [])]


class Frame:
    """Runs one page."""

    def __init__(self, door: Door, memory: Memory, page: Page) -> None:
        self._door = door
        self._memory = memory
        self._page = page

    def route(self) -> Route:
        """The page as a route; it answers every method, so that a wrong one gets a page too."""

        async def answer(request: Request) -> Response:
            return await self(request)

        route = Route(self._page.path, answer, methods=list(_EVERY_METHOD))
        if self._page.takes_photo:
            photo = Limit(
                body_bytes_max=self._door.settings.photo_bytes_max,
                seconds=_PHOTO_SECONDS,
                nesting_max=0,
            )
            return limited(route, photo, {"POST"})
        if self._page.streams:
            seconds = self._door.settings.live_seconds_max + _PHOTO_SECONDS
            return limited(route, Limit(seconds=seconds), {"GET"})
        return route

    async def __call__(self, request: Request) -> Response:
        visit = stranger(request, self._door, self._memory)
        try:
            handler = self._page.post if request.method == "POST" else self._page.get
            if request.method not in self._page.methods or handler is None:
                raise trouble("method_not_allowed")
            visit = await self._visit(visit)
            answer = await self._answer(visit, handler)
        except Trouble as found:
            answer = trouble_page(visit.words, visit.shared(), found.problem)
        except TangguhError as error:
            answer = trouble_page(visit.words, visit.shared(), of_error(error))
        except Exception:
            log.exception("web.pages.our_mistake", path=self._page.path)
            answer = trouble_page(visit.words, visit.shared(), problem("internal"))
        if answer.status_code == 405:
            answer.headers["Allow"] = ", ".join(self._page.methods)
        has_get = self._page.get is not None
        return again.by_get(self._memory, request, _whose(visit), answer, has_get=has_get)

    async def _answer(self, visit: Visit, handler: Handler) -> Response:
        if self._page.needs_login and visit.customer is None:
            return await self._to_login(visit)
        kept = again.shown_again(self._memory, visit.request, _whose(visit))
        answer = kept or await handler(visit)
        tell_removed(answer, visit.removed)
        return answer

    async def _to_login(self, visit: Visit) -> Response:
        """Log in first. A reader comes back to the page; a form that came too late is kept."""
        request, token = visit.request, cookie(visit.request, SESSION_COOKIE)
        if request.method != "POST":
            why = "ended" if token else "first"
            return redirect(f"/?why={why}&next={quote(again.address_of(request), safe='')}")
        lapsed = await self._door.sessions.lapsed(token) if token and not visit.photo else None
        given = visit.form.get("csrf", "")
        if lapsed is None or not is_form_token(self._door.seals, lapsed, given):
            return redirect("/?why=unsent")
        name = self._memory.keep_form(lapsed, request.url.path, visit.form)
        return redirect(f"/?why=kept&next={quote(f'/resume?form={name}', safe='')}")

    async def _visit(self, visit: Visit) -> Visit:
        """Find out who asks and read the form. Raises Trouble."""
        session, customer = await self._who(visit.request)
        if customer is not None:
            spoken = WORDS[customer.language]
            visit = msgspec.structs.replace(visit, session=session, customer=customer, words=spoken)
        who = str(customer.customer_id) if customer else f"host {host_of(visit.request)}"
        wait = self._door.requests.seconds_until_allowed(who)
        if wait:
            raise rate_limited(wait)
        if visit.request.method != "POST":
            return visit
        form, photo = await self._read_form(visit.request)
        if not self._page.bears_token:
            check_origin(visit.request)
            if visit.session is not None and not self._page.opens_session:
                _check_form_token(self._door, visit.session, form)
        form, removed = without_secrets(form)
        return msgspec.structs.replace(visit, form=form, photo=photo, removed=removed)

    async def _who(self, request: Request) -> tuple[Session | None, Customer | None]:
        token = cookie(request, SESSION_COOKIE)
        if not token:
            return None, None
        door = self._door
        try:
            session = await door.sessions.find(token)
            if session is None or session.kind is not Kind.BROWSER:
                return None, None
            if not self._page.streams:  # a page that is open by itself is no use of the session
                session = await door.sessions.extend(session)
            customer = await customers.find(door.pool, door.book_id, session.customer_id)
        except StoreUnavailable:
            if not self._page.survives:
                raise
            return self._memory.visitor(token, door.clock.now())
        if customer is not None:
            self._memory.keep_visitor(token, session, customer)
        return session, customer

    async def _read_form(self, request: Request) -> tuple[dict[str, str], bytes]:
        settings = self._door.settings
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if self._page.takes_photo and media == "multipart/form-data":
            raw = await read_body(request, settings.photo_bytes_max)
            form, photo = await _read_multipart(request, raw)
            return form_texts(form), photo
        if media != "application/x-www-form-urlencoded":
            raise trouble("content_type_wrong")
        raw = await read_body(request, settings.body_bytes_max)
        try:
            pairs = parse_qsl(
                raw.decode(),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_FIELDS_MAX,
            )
        except ValueError as fault:
            raise trouble("body_invalid") from fault
        return form_texts(dict(pairs)), b""


def stranger(request: Request, door: Door, memory: Memory) -> Visit:
    """A visit before we know who it is."""
    language = words.choose(
        cookie(request, LANGUAGE_COOKIE), request.headers.get("accept-language", "")
    )
    return Visit(request=request, door=door, memory=memory, words=WORDS[language])


def redirect(path: str) -> Response:
    """Go on with a GET, so that a reload repeats nothing."""
    return RedirectResponse(path, 303)


def safe_path(path: str) -> str:
    """A path of this bank to go back to; ``/home`` when it leads anywhere else."""
    ours = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if ours and path.isprintable() else "/home"


def _whose(visit: Visit) -> bytes:
    """The session a page is shown to; empty for a stranger."""
    return visit.session.token_sha256 if visit.session is not None else b""


def check_origin(request: Request) -> None:
    """A form must come from a page of this bank. Every browser of the last years says so."""
    origin = request.headers.get("origin")
    if origin is not None:
        host = request.headers.get("host", "")
        is_ours = host != "" and _host_in(origin) == host
    else:
        is_ours = request.headers.get("sec-fetch-site") == "same-origin"
    if not is_ours:
        raise _foreign()


def _host_in(origin: str) -> str:
    """The host an origin names; empty when it is no address at all."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _check_form_token(door: Door, session: Session, form: dict[str, str]) -> None:
    if not is_form_token(door.seals, session, form.get("csrf", "")):
        raise _foreign()


def _foreign() -> Trouble:
    return Trouble(msgspec.structs.replace(problem("signature_wrong"), code=FORM_FOREIGN))


async def _read_multipart(request: Request, raw: bytes) -> tuple[dict[str, str], bytes]:
    async def once() -> AsyncGenerator[bytes, None]:
        yield raw

    form: dict[str, str] = {}
    photo = b""
    try:
        parts = await MultiPartParser(
            request.headers, once(), max_files=2, max_fields=_FIELDS_MAX
        ).parse()
    except (MultiPartException, KeyError, UnicodeDecodeError) as fault:
        raise trouble("body_invalid") from fault
    try:
        for name, value in parts.multi_items():
            if isinstance(value, UploadFile):
                photo = photo or await value.read()
            else:
                form[name] = value
    finally:
        await parts.close()
    return form, photo
