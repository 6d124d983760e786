"""A form that was sent after its session had ended goes on once the same customer is logged in.

It was kept without its PIN and nothing of it was carried out. What the bank had sealed for the old
session is sealed anew for this one; a payment is reviewed again before its PIN is asked for.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from tangguh.core.format import spoken
from tangguh.web.pages.frame import Page, Visit, redirect
from tangguh.web.pages.seal import unseal

_SEALED: Final = ("order", "to")
_TYPED: Final = ("amount", "text", "note", "reason")


async def show_resume(visit: Visit) -> Response:
    """What was filled in, and one button to send it; a review of a payment is shown itself."""
    kept = visit.memory.form(visit.asked("form"), visit.me.customer_id)
    if kept is None:
        return redirect("/home")
    fields = dict(kept.fields)
    for name in _SEALED:
        slip = unseal(visit.door.seals, kept.session, fields.get(name, ""))
        if slip is not None:
            fields[name] = visit.seal(slip)
    if kept.path == "/review":
        return redirect(f"/review?{urlencode({'order': fields.get('order', '')})}")
    if kept.had_pin:
        return redirect(kept.path)
    typed = [(name, fields[name]) for name in _TYPED if fields.get(name, "").strip()]
    return visit.page("resume.html", path=kept.path, fields=fields, typed=typed)


async def stay(visit: Visit) -> Response:
    """Somebody is typing: the session was used. Says when it ends now."""
    ends = visit.open_session.expires_at
    seconds = int((ends - visit.door.clock.now()).total_seconds())
    text = visit.words(
        "frame.session_ends", time=spoken(ends, visit.door.clock.now(), visit.language)
    )
    return JSONResponse({"seconds": seconds, "text": text})


PAGES: Final = (Page(path="/resume", get=show_resume), Page(path="/stay", post=stay))
