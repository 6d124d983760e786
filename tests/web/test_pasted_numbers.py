"""A number copied from a chat or a web page is the number that was meant, or words about it."""

from __future__ import annotations

import aiohttp
import pytest

from serving import credentials, phones, served
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.web.inquiry import by_proxy


def pasted(phone: str) -> list[str]:
    """One Indonesian number as people copy it."""
    local = phone.removeprefix("62")
    return [
        f"\u202a+62 {local}\u202c",
        f"+62\u00a0{local[:3]}\u2011{local[3:]}",
        f"0062{local}",
        f"+620{local}",
        f"+62 (0){local}",
        "".join(chr(ord(digit) + 0xFEE0) for digit in f"0{local}"),
        f"\u200b0{local}\ufeff",
    ]


@pytest.mark.parametrize("place", range(7))
async def test_a_pasted_number_logs_in_by_api_and_by_page(
    bank: Bank, clock: HandClock, place: int
) -> None:
    whole = credentials(1)
    typed = pasted(whole["phone"])[place]
    async with phones(bank, clock) as make:
        stranger = await make(None)
        answer = await stranger.ask("POST", "/v1/sessions", {"phone": typed, "pin": whole["pin"]})
        assert answer.status == 201, answer.raw
    async with (
        served(bank.web()) as url,
        aiohttp.ClientSession() as http,
        http.post(
            f"{url}/",
            data={"phone": typed, "pin": whole["pin"]},
            headers={"Origin": url},
            allow_redirects=False,
        ) as page,
    ):
        assert (page.status, page.headers["location"]) == (303, "/home")


async def test_what_is_no_number_is_said_so_and_is_no_wrong_pin(
    bank: Bank, clock: HandClock
) -> None:
    noticed: list[str] = []
    bank.door.notice = lambda name, _: noticed.append(name)
    async with phones(bank, clock) as make:
        stranger = await make(None)
        answer = await stranger.ask(
            "POST", "/v1/sessions", {"phone": "0811 abc 001", "pin": "1" * 6}
        )
    assert (answer.status, answer.code) == (422, "parameter_invalid")
    assert answer.body["field"] == "phone"
    assert noticed == []


@pytest.mark.parametrize("place", range(7))
def test_a_pasted_proxy_is_the_proxy(place: int) -> None:
    assert by_proxy(pasted("628110000001")[place]).proxy == "628110000001"


def test_a_proxy_that_is_none_is_empty() -> None:
    assert by_proxy("halo").proxy == ""
    assert by_proxy("a b@example.org").proxy == ""
    assert by_proxy("\u202aSari@Example.org\u202c ").proxy == "sari@example.org"
