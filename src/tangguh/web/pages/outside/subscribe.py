"""Word about single services for anybody: asked for, agreed to by the address's owner, ended.

What comes back is the same whether an address is known or not. Opening a link does nothing yet:
mail programs open links too; the button does it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from starlette.responses import Response

from tangguh.core.outcome import Refused
from tangguh.notices.notice import Via
from tangguh.status.component import COMPONENTS, GROUPS, Component, names_of
from tangguh.status.site.feed import feed_url
from tangguh.web.api.operations import rate_limited
from tangguh.web.login import host_of
from tangguh.web.pages.frame import Page, Visit

_TOKEN_MAX: Final = 100
_ADDRESS_MAX: Final = 1_000


class Member(msgspec.Struct, frozen=True):
    """One component of a group, as the form offers it."""

    id: str
    name: str
    checked: bool


async def show_subscribe(visit: Visit) -> Response:
    """What word there is, and by which ways."""
    return _form(visit)


async def ask(visit: Visit) -> Response:
    """Keep the wish and ask the address's owner."""
    notices, words = visit.door.notices, visit.words
    ways = _ways(visit)
    if notices is None or not ways:
        return _form(visit)
    chosen = _chosen(visit)
    via, address = visit.typed("via"), visit.typed("address")[:_ADDRESS_MAX]
    told_what = "" if chosen else words("subscribe.nothing_chosen")
    told_via = "" if via in ways else words("subscribe.via_missing")
    if told_what or told_via:
        return _form(visit, told_what=told_what, told_via=told_via)
    _take_turn(visit, address)
    names = {one.id: one.name(visit.language) for one in chosen}
    asked = await notices.subscribe(Via(via), address, names, visit.language)
    if isinstance(asked, Refused):
        return _form(visit, told_address=words("subscribe.address_wrong"))
    return visit.page("subscribe_said.html", **_said(visit, "asked"), icon="letter", tone="info")


async def show_confirm(visit: Visit) -> Response:
    """The button that agrees."""
    return visit.page("subscribe_agree.html", is_end=False, token=_token(visit))


async def confirm(visit: Visit) -> Response:
    """The owner agrees."""
    notices = visit.door.notices
    done = await notices.confirm(_token(visit)) if notices is not None else None
    if notices is None or done is None or isinstance(done, Refused):
        said = _said(visit, "unknown")
        return visit.page("subscribe_said.html", status=404, **said, icon="warn", tone="wait")
    secret = notices.webhook_secret(done.webhook_address) if done.webhook_address else ""
    return visit.page(
        "subscribe_said.html",
        **_said(visit, "confirmed")
        | {"names": names_of(done.components, visit.language), "secret": secret},
        icon="check",
        tone="ok",
    )


async def show_end(visit: Visit) -> Response:
    """The button that ends it."""
    return visit.page("subscribe_agree.html", is_end=True, token=_token(visit))


async def end(visit: Visit) -> Response:
    """No more word. Said again, or with an unknown token, it is the same answer."""
    if visit.door.notices is not None:
        await visit.door.notices.unsubscribe(_token(visit))
    return visit.page("subscribe_said.html", **_said(visit, "ended"), icon="check", tone="ok")


def _said(visit: Visit, what: str) -> dict[str, Any]:
    return {
        "heading": visit.words(f"subscribe.{what}"),
        "sentence": visit.words(f"subscribe.{what}_hint"),
        "names": (),
        "secret": "",
    }


def _ways(visit: Visit) -> tuple[str, ...]:
    return tuple(map(str, visit.door.notices.ways)) if visit.door.notices is not None else ()


def _chosen(visit: Visit) -> list[Component]:
    return [
        one
        for one in COMPONENTS.values()
        if visit.typed(f"c:{one.id}") or visit.typed(f"g:{one.group}")
    ]


def _form(
    visit: Visit, *, told_what: str = "", told_via: str = "", told_address: str = ""
) -> Response:
    groups = [
        (group, names[0] if visit.language == "id" else names[1], _members(visit, group))
        for group, names in GROUPS.items()
    ]
    return visit.page(
        "subscribe.html",
        status=422 if told_what or told_via or told_address else 200,
        ways=[(way, visit.words(f"subscribe.via_{way}")) for way in _ways(visit)],
        groups=groups,
        checked={name for name, value in visit.form.items() if value},
        via=visit.typed("via"),
        at=visit.typed("address")[:_ADDRESS_MAX],
        feed=_feed(visit),
        told_what=told_what,
        told_via=told_via,
        told_address=told_address,
    )


def _feed(visit: Visit) -> str:
    """Where the status page's feed is; empty for a bank without such a page."""
    desk = visit.door.incidents
    return feed_url(desk.page_url, visit.language) if desk is not None and desk.page_url else ""


def _members(visit: Visit, group: str) -> list[Member]:
    found = [one for one in COMPONENTS.values() if one.group == group]
    return [
        Member(one.id, one.name(visit.language), checked=bool(visit.typed(f"c:{one.id}")))
        for one in found
    ]


def _take_turn(visit: Visit, address: str) -> None:
    strangers = visit.door.strangers
    for who in (f"host {host_of(visit.request)}", f"address {address.strip().lower()}"):
        if wait := strangers.seconds_until_allowed(who):
            raise rate_limited(wait)


def _token(visit: Visit) -> str:
    return (visit.typed("token") or visit.asked("token"))[:_TOKEN_MAX]


PAGES: Final = (
    Page(path="/subscribe", get=show_subscribe, post=ask, needs_login=False),
    Page(path="/subscribe/confirm", get=show_confirm, post=confirm, needs_login=False),
    Page(
        path="/unsubscribe",
        get=show_end,
        post=end,
        needs_login=False,
        takes_photo=True,
        bears_token=True,
    ),
)
