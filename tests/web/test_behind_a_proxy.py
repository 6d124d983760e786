"""The bank behind a reverse proxy: whose address counts, and what a browser over TLS is given."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import msgspec
import pytest

from conftest import QUICK
from paper import PaperRail, paper_rails
from serving import credentials, served
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.customers.seed import DEMO_PIN, demo

Ask = Callable[..., Awaitable[aiohttp.ClientResponse]]


@pytest.fixture
def trusted() -> tuple[str, ...]:
    """The networks whose word is taken."""
    return ("127.0.0.0/8",)


@pytest.fixture
async def ask(
    bank: Bank, dsn: str, clock: HandClock, trusted: tuple[str, ...]
) -> AsyncIterator[Ask]:
    """A request as a proxy of ours passes it on."""
    await bank.close()
    web = msgspec.structs.replace(QUICK.web, trusted_proxies=trusted)
    behind = await Bank.open(
        msgspec.structs.replace(QUICK, web=web),
        dsn,
        rails=paper_rails(PaperRail()),
        clock=clock,
        ids=Ids(clock, random.Random(2)),
    )
    async with served(behind.web()) as url, aiohttp.ClientSession() as http:

        async def call(method: str, path: str, **more: object) -> aiohttp.ClientResponse:
            return await http.request(method, url + path, allow_redirects=False, **more)  # type: ignore[arg-type]

        yield call
    await behind.close()


def said_by_a_proxy(number: int, scheme: str = "https") -> dict[str, str]:
    return {"X-Forwarded-For": f"203.0.113.{number}", "X-Forwarded-Proto": scheme}


async def test_fourteen_customers_behind_one_proxy_all_log_in(ask: Ask) -> None:
    """Each has their own address; the proxy's is nobody's."""
    for number in range(1, 15):
        answer = await ask(
            "POST", "/v1/sessions", json=credentials(number), headers=said_by_a_proxy(number)
        )
        assert answer.status == 201, (number, await answer.text())


async def test_one_address_is_limited_whatever_it_says_of_itself(ask: Ask) -> None:
    """What the client wrote before the proxy's own word is not believed."""
    statuses = []
    for number in range(14):
        headers = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.9"}
        body = {"phone": credentials(1)["phone"], "pin": "000000"}
        answer = await ask("POST", "/v1/sessions", json=body, headers=headers)
        statuses.append(answer.status)
    assert 429 in statuses


async def test_over_tls_cookies_are_bound_to_this_host(ask: Ask) -> None:
    """``__Host-`` with Secure, and HSTS, once the proxy says that the browser speaks TLS."""
    form = {"phone": demo(1)[0][0].phone, "pin": DEMO_PIN}
    answer = await ask(
        "POST", "/", data=form, headers=said_by_a_proxy(1) | {"Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status == 303
    kept = [one for one in answer.headers.getall("Set-Cookie") if "session" in one]
    assert kept
    for one in kept:
        assert one.startswith("__Host-tangguh_session=")
        assert "Secure" in one
        assert "Path=/;" in one
        assert "Domain" not in one
    assert "max-age=" in answer.headers["Strict-Transport-Security"]
    plain = await ask("GET", "/", headers=said_by_a_proxy(1, "http"))
    assert "Strict-Transport-Security" not in plain.headers


@pytest.mark.parametrize("trusted", [()])
async def test_without_a_trusted_proxy_nobody_says_who_they_are(ask: Ask) -> None:
    """A stranger who sends the headers themselves gets neither another address nor TLS."""
    answer = await ask("GET", "/", headers=said_by_a_proxy(1))
    assert "Strict-Transport-Security" not in answer.headers
    statuses = [
        (
            await ask(
                "POST",
                "/v1/sessions",
                json={"phone": credentials(1)["phone"], "pin": "000000"},
                headers=said_by_a_proxy(number),
            )
        ).status
        for number in range(14)
    ]
    assert 429 in statuses
