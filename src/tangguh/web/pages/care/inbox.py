"""What the bank told its reader: newest first, new ones marked."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from starlette.responses import Response

from tangguh.notices.desk import Notices
from tangguh.web.pages.frame import Page, Visit, redirect
from tangguh.web.problems import trouble

_SHOWN: Final = 50


async def show_notices(visit: Visit) -> Response:
    """The newest notices."""
    notices = _notices(visit)
    items = await notices.inbox(visit.me.customer_id, _SHOWN)
    unread = [item for item in items if item.read_at is None]
    seen = " ".join(item.id.hex for item in unread)
    return visit.page("notices.html", items=items, unread=len(unread), seen=seen)


async def mark_read(visit: Visit) -> Response:
    """The reader has seen what this page showed, and nothing that came since."""
    try:
        ids = [UUID(text) for text in visit.typed("seen").split()[:_SHOWN]]
    except ValueError as fault:
        raise trouble("body_invalid") from fault
    await _notices(visit).mark_read(visit.me.customer_id, ids)
    return redirect("/notices")


def _notices(visit: Visit) -> Notices:
    if visit.door.notices is None:
        raise trouble("not_found")
    return visit.door.notices


PAGES: Final = (Page(path="/notices", get=show_notices, post=mark_read),)
