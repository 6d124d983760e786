"""Small things a stranger could lean on: an ended session, many names, codes in the table."""

from __future__ import annotations

from hashlib import sha256

import aiohttp
import pytest
from yarl import URL

from serving import Phone, served
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.customers import codes
from tangguh.customers.crew import enrol_crew
from tangguh.sim.control import OwnOnly

SAME = {"Sec-Fetch-Site": "same-origin"}


async def test_the_cookie_of_staff_opens_nothing_after_the_log_out(
    bank: Bank, clock: HandClock
) -> None:
    """A copy of the cookie is worth nothing once its owner has logged out, nor is it the token."""
    tokens = await enrol_crew(bank.staff)
    async with (
        served(bank.web()) as url,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http,
    ):
        await http.post(f"{url}/staff/login", data={"token": tokens["staff:6"]}, headers=SAME)
        cookies = http.cookie_jar.filter_cookies(URL(f"{url}/staff/queue"))
        copy = {name: one.value for name, one in cookies.items()}
        assert copy
        assert tokens["staff:6"] not in copy.values()

        async def place() -> str:
            async with aiohttp.ClientSession(cookies=copy) as thief:
                async with thief.get(f"{url}/staff/queue") as answer:
                    return answer.url.path

        assert await place() == "/staff/queue"
        await http.post(f"{url}/staff/logout", data={}, headers=SAME)
        assert await place() == "/staff/login"


async def test_a_staff_session_ends_by_itself(bank: Bank, clock: HandClock) -> None:
    """After half an hour unused, after a working day, and with the token."""
    token = (await enrol_crew(bank.staff))["staff:6"]
    device = await bank.staff.devices.issue_first("staff:6")
    assert isinstance(device, str)
    session = await bank.staff.open_session(token, device)
    for _ in range(19):
        clock.advance(29 * 60)
        assert await bank.staff.find_by_session(session) is not None
    clock.advance(59 * 60)
    assert await bank.staff.find_by_session(session) is None
    rested = await bank.staff.open_session(token, device)
    clock.advance(31 * 60)
    assert await bank.staff.find_by_session(rested) is None
    fresh = await bank.staff.open_session(token, device)
    await bank.staff.freeze("staff:6")
    assert await bank.staff.find_by_session(fresh) is None
    assert await bank.staff.find_by_session("nobody's") is None


async def test_names_are_looked_up_as_often_by_the_api_as_in_the_app(phone: Phone) -> None:
    """A hundred names in two seconds are somebody collecting them."""
    asked = {"kind": "wallet", "wallet": "gopay", "number": "08121110002", "amount": "10000.00"}
    statuses = [(await phone.ask("POST", "/v1/inquiries", asked)).status for _ in range(100)]
    assert statuses.count(429) >= 75


async def test_a_log_in_judges_lengths_first(bank: Bank) -> None:
    """Thirty kilobytes of phone number are refused without being kept anywhere."""
    long = "0" * 30_000
    async with served(bank.web()) as url, aiohttp.ClientSession() as http:
        by_api = await http.post(f"{url}/v1/sessions", json={"phone": long, "pin": "123456"})
        assert by_api.status == 422
        for phone in (long, "08\x0011", "\x00"):
            form = {"phone": phone, "pin": "123456"}
            by_page = await http.post(f"{url}/", data=form, headers=SAME)
            assert 400 <= by_page.status < 500, phone[:10]
            text = await by_page.text()
            assert len(text) < 30_000
    kept = [key for rate in (bank.door.logins,) for key in rate._buckets]
    assert all(len(key) < 100 for key in kept)


async def test_a_cash_code_is_not_read_back_from_the_table(bank: Bank, clock: HandClock) -> None:
    """Of eight digits every hash without a key is in a table of a hundred million rows."""
    code = codes.Code(
        kind=codes.CASH,
        customer_id=1,
        account_id=101,
        amount_minor=5_000_000,
        expires_at=clock.now() + codes.LIVES[codes.CASH],
    )
    await codes.keep(bank.pool, bank.book_id, "48291377", code, clock.now())
    rows = await bank.pool.fetch("SELECT one_time_codes::text AS row FROM one_time_codes")
    assert rows
    plain = sha256(b"48291377").hexdigest()
    assert not any(plain in row["row"] or "48291377" in row["row"] for row in rows)
    now = clock.now()
    assert await codes.find(bank.pool, bank.book_id, "48291377", codes.CASH, now) == code
    bank.pool.pepper = b"another" * 8
    assert await codes.find(bank.pool, bank.book_id, "48291377", codes.CASH, now) is None


def called(headers: list[tuple[bytes, bytes]]) -> dict[str, object]:
    return {"type": "http", "method": "PUT", "path": "/faults", "headers": headers}


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        ("", [(b"host", b"127.0.0.1:8081")], 200),
        ("", [(b"host", b"localhost")], 200),
        ("", [(b"host", b"[::1]:8081")], 200),
        ("", [(b"host", b"rebound.example:8081")], 403),
        ("", [], 403),
        ("", [(b"host", b"127.0.0.1:8081"), (b"sec-fetch-site", b"cross-site")], 403),
        ("", [(b"host", b"127.0.0.1:8081"), (b"sec-fetch-site", b"same-origin")], 200),
        ("", [(b"host", b"127.0.0.1:8081"), (b"sec-fetch-site", b"same-site")], 403),
        ("secret", [(b"host", b"127.0.0.1:8081")], 403),
        ("secret", [(b"host", b"sim.example"), (b"authorization", b"Bearer secret")], 200),
        ("secret", [(b"host", b"127.0.0.1"), (b"authorization", b"Bearer other")], 403),
    ],
)
async def test_the_networks_are_controlled_from_this_machine_only(
    token: str, headers: list[tuple[bytes, bytes]], status: int
) -> None:
    """Not by another site's page, and not by a name that was made to lead here."""
    said: list[int] = []

    async def served_app(_: object, __: object, send: object) -> None:
        said.append(200)

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            said.append(int(str(message["status"])))

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    guarded = OwnOnly(served_app, token)  # type: ignore[arg-type]
    await guarded(called(headers), receive, send)  # type: ignore[arg-type]
    assert said == [status]
