"""A subscription from the public form to the mail's link, for ``tangguh smoke``."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qs, urlsplit

import aiohttp

from tangguh.cli.smoke_walks import Control
from tangguh.core.clock import Clock

CONFIRMED: Final = "confirmed"
_READER: Final = "pembaca@post.example"
_WANTED: Final = {"via": "email", "address": _READER, "g:transfer": "on"}
_LINK: Final = re.compile(r"https?://\S+/subscribe/confirm\?token=\S+")
_MAIL_SECONDS_MAX: Final = 15.0
_POLL_SECONDS: Final = 0.2
_OK: Final = 200


async def subscribe(bank: str, control: Control, clock: Clock) -> str:
    """Ask, read the mail, open its link, press the button; ``confirmed``, or where it ended.

    Raises aiohttp.ClientError or TimeoutError when nobody answers.
    """
    # A browser says which page a form comes from; the bank takes forms of its own pages only.
    headers = {"Origin": bank}
    timeout = aiohttp.ClientTimeout(total=_MAIL_SECONDS_MAX)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as browser:
        async with browser.post(f"{bank}/subscribe", data=_WANTED) as asked:
            if asked.status != _OK:
                return f"the form was answered with {asked.status}"
        link = await _link_in_mail(control, clock)
        if not link:
            return f"no mail with a link within {_MAIL_SECONDS_MAX:.0f} s"
        if not link.startswith(f"{bank}/"):
            return f"the link leads to {urlsplit(link).netloc}"
        async with browser.get(link) as opened:
            if opened.status != _OK:
                return f"the link was answered with {opened.status}"
        token = parse_qs(urlsplit(link).query)["token"][0]
        async with browser.post(link, data={"token": token}) as agreed:
            return CONFIRMED if agreed.status == _OK else f"the button: {agreed.status}"


async def _link_in_mail(control: Control, clock: Clock) -> str:
    """The link in the reader's newest mail; nothing when none comes in time."""
    deadline = clock.monotonic() + _MAIL_SECONDS_MAX
    while clock.monotonic() < deadline:
        books = await control.get(f"/networks/post/books?via=email&to={_READER}&limit=1")
        for message in books["messages"]:
            if found := _LINK.search(message["words"]):
                return found.group()
        await clock.sleep(_POLL_SECONDS)
    return ""
