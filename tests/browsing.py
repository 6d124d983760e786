"""A logged-in browser that is no browser: the pages' forms, sent as anybody may send them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp

from serving import served
from tangguh.access.session import Kind
from tangguh.app import Bank
from tangguh.web.pages.frame import SESSION_COOKIE

_SAME = {"Sec-Fetch-Site": "same-origin"}
_TOKEN = re.compile(r'name="csrf" value="([0-9a-f]+)"')


class Seen:
    """One page: its status, where it leads, what it says."""

    def __init__(self, status: int, leads_to: str, text: str) -> None:
        self.status, self.leads_to, self.text = status, leads_to, text

    def sealed(self, name: str = "order") -> str:
        """What the next page is given."""
        return parse_qs(urlsplit(self.leads_to).query)[name][0]


class Tab:
    """A customer's browser, honest or not."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str) -> None:
        self._http, self._url, self._form_token = http, url, ""
        self.cookies = {SESSION_COOKIE: token} if token else {}

    async def open(self, path: str, **headers: str) -> Seen:
        """A GET; the form's token on the page is remembered."""
        return await self._ask("GET", path, headers, None)

    async def send(self, path: str, form: dict[str, str], **headers: str) -> Seen:
        """A form, from our own page unless ``headers`` say otherwise."""
        whole = {"csrf": self._form_token} | form
        return await self._ask("POST", path, headers or _SAME, whole)

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncIterator[aiohttp.StreamReader]:
        """A live page as it comes."""
        async with self._http.get(self._url + path, cookies=self.cookies) as answer:
            yield answer.content

    async def _ask(
        self, method: str, path: str, headers: dict[str, str], form: dict[str, str] | None
    ) -> Seen:
        async with self._http.request(
            method,
            self._url + path,
            data=form,
            headers=headers,
            cookies=self.cookies,
            allow_redirects=False,
        ) as answer:
            text = await answer.text()
            if found := _TOKEN.search(text):
                self._form_token = found.group(1)
            return Seen(answer.status, answer.headers.get("Location", ""), text)


@asynccontextmanager
async def tabs(bank: Bank) -> AsyncIterator[Any]:
    """A way to make tabs: ``await make(customer_id)``, logged in; None: nobody."""
    jar = aiohttp.DummyCookieJar()
    async with served(bank.web()) as url, aiohttp.ClientSession(cookie_jar=jar) as http:

        async def make(customer_id: int | None = 1) -> Tab:
            if customer_id is None:
                return Tab(http, url, "")
            opened = await bank.sessions.open(customer_id, Kind.BROWSER)
            tab = Tab(http, url, opened.token)
            await tab.open("/home")
            return tab

        yield make
