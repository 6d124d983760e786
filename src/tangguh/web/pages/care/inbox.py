"""What the bank told its reader: newest first, new ones marked."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
from starlette.responses import Response

from tangguh.notices.desk import Notices, customer
from tangguh.notices.inbox import Item
from tangguh.notices.notice import Via
from tangguh.web.pages.frame import Page, Visit, redirect
from tangguh.web.problems import Trouble, of_refused, trouble

_SHOWN: Final = 50
_PLACES: Final = {"payment": "/payments", "case": "/reports"}


async def show_notices(visit: Visit) -> Response:
    """The newest notices."""
    notices = _notices(visit)
    items = await notices.inbox(visit.me.customer_id, _SHOWN, _before(visit))
    unread = [item for item in items if item.read_at is None]
    seen = " ".join(item.id.hex for item in unread)
    key = notices.push_key
    browsers = await notices.browsers(visit.me.customer_id) if key else []
    return visit.page(
        "notices.html",
        items=[(item, _place(item)) for item in items],
        more=f"/notices?before={items[-1].id}" if len(items) == _SHOWN else "",
        is_first=not visit.asked("before"),
        unread=len(unread),
        seen=seen,
        push_key=key,
        browsers=" ".join(browsers),
    )


async def mark_read(visit: Visit) -> Response:
    """The reader has seen what this page showed, and nothing that came since."""
    try:
        ids = [UUID(text) for text in visit.typed("seen").split()[:_SHOWN]]
    except ValueError as fault:
        raise trouble("body_invalid") from fault
    await _notices(visit).mark_read(visit.me.customer_id, ids)
    return redirect("/notices")


async def keep_browser(visit: Visit) -> Response:
    """Push notices to the browser this is sent by, or nothing more. Asked by the page's script."""
    me, notices = visit.me, _notices(visit)
    keys = {"p256dh": visit.typed("p256dh"), "auth": visit.typed("auth")}
    given = {"endpoint": visit.typed("endpoint"), "keys": keys}
    who, browser = customer(me.customer_id), msgspec.json.encode(given).decode()
    if visit.typed("stop"):
        await notices.forget(who, Via.PUSH, browser)
        return Response(status_code=204)
    refused = await notices.know(who, Via.PUSH, browser, visit.language)
    if refused is not None:
        raise Trouble(of_refused(refused))
    return Response(status_code=204)


def _before(visit: Visit) -> UUID | None:
    text = visit.asked("before")
    try:
        return UUID(text) if text else None
    except ValueError as fault:
        raise trouble("parameter_invalid", "", "before") from fault


def _place(item: Item) -> str:
    """The page of what a notice is about; empty when it has none."""
    kind, _, name = item.matter.partition(":")
    return f"{_PLACES[kind]}/{name}" if kind in _PLACES else ""


def _notices(visit: Visit) -> Notices:
    if visit.door.notices is None:
        raise trouble("not_found")
    return visit.door.notices


PAGES: Final = (
    Page(path="/notices", get=show_notices, post=mark_read),
    Page(path="/notices/push", post=keep_browser),
)
