"""What the pages' door refuses and how, over plain HTTP: forms, origins, sizes, streams."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from urllib.parse import quote

import aiohttp
import pytest
from yarl import URL

from pages.harness import ACCOUNT_OF, OPEN_CODE, PEOPLE, Site
from tangguh.core.outcome import Accepted, Unanswered
from tangguh.core.service import QRIS_OFFUS
from tangguh.web.pages.demo.guide import CODES
from tangguh.web.pages.trouble import CODES as PROBLEM_CODES

HTML = {"Accept": "text/html"}


class Client:
    """A browser without eyes: keeps cookies, sends forms from our own origin."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http = http
        self.url = url

    async def get(self, path: str, **more) -> tuple[int, str, URL]:
        async with self.http.get(self._at(path), headers=HTML, **more) as answer:
            return answer.status, await answer.text(), answer.url

    async def post(
        self, path: str, form: dict[str, str], *, origin: str | None = None, csrf: str | None = None
    ) -> tuple[int, str, URL]:
        token = await self.csrf() if csrf is None else csrf
        headers = {**HTML, "Origin": self.url if origin is None else origin}
        data = {**form, "csrf": token}
        async with self.http.post(self._at(path), data=data, headers=headers) as answer:
            return answer.status, await answer.text(), answer.url

    async def csrf(self) -> str:
        _, text, _ = await self.get("/demo")
        found = re.search(r'name="csrf" value="([^"]*)"', text)
        return found[1] if found else ""

    async def log_in(self, customer_id: int = 1) -> None:
        form = {"phone": PEOPLE[customer_id - 1].phone, "pin": "290325"}
        status, _, url = await self.post("/", form, csrf="")
        assert (status, url.path) == (200, "/home")

    async def review(self, amount: str = "25000") -> str:
        form = {"code": OPEN_CODE, "amount": amount}
        _, text, url = await self.post("/pay/amount", form)
        assert url.path == "/review", text
        return url.query["order"]

    def _at(self, path: str) -> URL:
        return URL(self.url + path, encoded=True)


@pytest.fixture
async def client(site: Site) -> AsyncIterator[Client]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        yield Client(http, site.url)


async def test_every_answer_carries_the_protective_headers(client: Client) -> None:
    """A strict content security policy, no caching of money, static files cached."""
    async with client.http.get(client.url + "/") as page:
        assert page.headers["content-security-policy"].startswith("default-src 'self'")
        assert page.headers["cache-control"] == "no-store"
        text = await page.text()
    assert not re.search(r"<style|<script(?![^>]*src=)|\sstyle=|\son\w+=", text)
    sheet = re.search(r'href="(/static/app\.css\?v=\w+)"', text)
    async with client.http.get(client.url + sheet[1]) as css:
        assert css.headers["cache-control"] == "public, max-age=3600"
        assert len(await css.read()) <= 20_480


async def test_foreign_forms_are_refused(client: Client) -> None:
    """Another origin, no origin at all, another session's token: nothing is done."""
    await client.log_in()
    order = await client.review()
    form = {"order": order, "pin": "290325"}
    for answer in (
        await client.post("/review", form, origin="https://evil.example"),
        await client.post("/review", form, origin="null"),
        await client.post("/review", form, csrf="x"),
    ):
        status, text, _ = answer
        assert status == 403
        assert "Tidak ada yang dikirim" in text
    async with client.http.post(client.url + "/review", data=form, headers=HTML) as bare:
        assert bare.status == 403


async def test_a_changed_review_is_not_paid(client: Client, site: Site) -> None:
    """One digit of the amount changed after the review (E19)."""
    await client.log_in()
    order = await client.review()
    changed = ("A" if order[40] != "A" else "B").join((order[:40], order[41:]))
    status, text, _ = await client.post("/review", {"order": changed, "pin": "290325"})
    assert status == 422
    assert "Tidak ada yang dibayar" in text
    assert await site.payments(1) == []


async def test_a_review_of_another_session_is_not_paid(client: Client, site: Site) -> None:
    """After logging in anew the old review is worth nothing."""
    await client.log_in()
    order = await client.review()
    await client.log_in()
    status, _, _ = await client.post("/review", {"order": order, "pin": "290325"})
    assert status == 422
    assert await site.payments(1) == []


async def test_two_confirms_at_once_make_one_payment(client: Client, site: Site) -> None:
    """The key is in the sealed slip: both answers lead to the same payment."""
    await client.log_in()
    order = await client.review()
    form = {"order": order, "pin": "290325"}
    token = await client.csrf()
    answers = await asyncio.gather(*(client.post("/review", form, csrf=token) for _ in range(3)))
    assert len({str(url) for _, _, url in answers}) == 1
    assert len(await site.payments(1)) == 1
    assert len(site.paper.asked) == 1


async def test_many_confirms_at_once_end_at_the_same_payment(client: Client, site: Site) -> None:
    """A finger that taps eight times, each with the right PIN: tries under way are no wrong PINs."""
    await client.log_in()
    form = {"order": await client.review(), "pin": "290325"}
    token = await client.csrf()
    answers = await asyncio.gather(*(client.post("/review", form, csrf=token) for _ in range(8)))
    [payment] = await site.payments(1)
    assert {(status, url.path) for status, _, url in answers} == {(200, f"/payments/{payment.id}")}
    assert len(site.paper.asked) == 1
    wrong = form | {"pin": "000111"}
    await asyncio.gather(*(client.post("/review", wrong, csrf=token) for _ in range(8)))
    status, text, _ = await client.post("/review", form, csrf=token)
    assert (status, "terkunci" in text) == (422, True), "eight wrong ones at once lock as ever"


async def test_the_second_review_of_the_same_money_is_declined(client: Client, site: Site) -> None:
    """The book judges again: the payment page says declined, why, and that nothing was debited."""
    await client.log_in()
    rupiah = str(await site.available(1) // 100)
    first, second = await client.review(rupiah), await client.review(rupiah)
    await client.post("/review", {"order": first, "pin": "290325"})
    status, text, url = await client.post("/review", {"order": second, "pin": "290325"})
    assert (status, url.path.startswith("/payments/")) == (200, True)
    assert "Pembayaran ditolak: saldo tersedia tidak cukup. Saldo Anda tidak berkurang." in text
    assert f"{url.path}/again" in text


async def test_a_changed_fee_is_asked_about_again(client: Client, site: Site) -> None:
    """A price that changed after the review is shown before it is paid (E18)."""
    await client.log_in()
    order = await client.review()
    site.bank.desk.rules.fees_minor[QRIS_OFFUS] = 1_000_00
    status, text, _ = await client.post("/review", {"order": order, "pin": "290325"})
    assert status == 409
    assert "Biaya berubah" in text
    assert "Rp26.000" in text
    assert await site.payments(1) == []
    again = re.search(r'name="order" value="([^"]+)"', text)
    await client.post("/review", {"order": again[1], "pin": "290325"})
    assert [one.total_minor for one in await site.payments(1)] == [26_000_00]


async def test_too_many_watchers_are_sent_away_politely(client: Client, site: Site) -> None:
    """A full house ends the stream at once and says when to come again."""
    site.paper.will("send", Unanswered("silent"))
    await client.log_in()
    order = await client.review()
    _, _, url = await client.post("/review", {"order": order, "pin": "290325"})
    site.bank.door.live.__init__(0, 0)
    async with client.http.get(client.url + url.path + "/events") as stream:
        assert (await stream.text()).endswith("retry: 15000\n\n")


async def test_logging_in_again_makes_the_old_token_worthless(client: Client, site: Site) -> None:
    """The token is rotated at each log-in."""
    await client.log_in()
    first = client.http.cookie_jar.filter_cookies(URL(client.url))["tangguh_session"].value
    await client.log_in()
    assert await site.bank.sessions.find(first) is None


async def test_strangers_come_back_only_to_this_bank(client: Client) -> None:
    """A crafted address cannot lead a fresh log-in elsewhere."""
    for path in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:x"):
        form = {"phone": PEOPLE[0].phone, "pin": "290325", "next": path}
        status, _, url = await client.post("/", form, csrf="")
        assert (status, url.host, url.path) == (200, "127.0.0.1", "/home")


async def test_wrong_addresses_and_methods_are_pages_for_people(client: Client) -> None:
    """404 and 405 in words; the API's own answers stay as they are."""
    status, text, _ = await client.get("/nowhere")
    assert (status, "Halaman ini tidak ada." in text) == (404, True)
    async with client.http.delete(client.url + "/pay", headers=HTML) as wrong:
        assert wrong.status == 405
        assert wrong.headers["allow"] == "GET, HEAD, POST"
        assert "text/html" in wrong.headers["content-type"]
    async with client.http.get(client.url + "/v1/nowhere", headers=HTML) as api:
        assert api.headers["content-type"] == "application/problem+json"
    async with client.http.head(client.url + "/demo") as head:
        assert (head.status, await head.read()) == (200, b"")


async def test_every_problem_code_has_its_page(client: Client) -> None:
    """The addresses in the API's problems lead to words."""
    for code in PROBLEM_CODES:
        status, text, _ = await client.get(f"/problems/{code}")
        assert (status, code in text) == (200, True)
    assert (await client.get("/problems/nothing"))[0] == 404


async def test_pictures_beyond_the_bound_are_refused(client: Client, site: Site) -> None:
    """Too many bytes end before they are read; too many pixels before they are unpacked."""
    await client.log_in()
    token = await client.csrf()

    async def send(data: bytes) -> tuple[int, str]:
        form = aiohttp.FormData()
        form.add_field("csrf", token)
        form.add_field("photo", data, filename="a.png", content_type="image/png")
        headers = {**HTML, "Origin": client.url}
        async with client.http.post(
            client.url + "/pay/photo", data=form, headers=headers
        ) as answer:
            return answer.status, await answer.text()

    status, text = await send(_bomb())
    assert (status, "terlalu besar" in text) == (422, True)
    status, text = await send(b"")
    assert (status, "Belum ada gambar" in text) == (422, True)


async def test_the_demo_codes_are_payable_and_their_pictures_can_be_read(client: Client) -> None:
    """Each PNG, uploaded, leads to the merchant of its code."""
    await client.log_in()
    token = await client.csrf()
    for name in CODES:
        async with client.http.get(f"{client.url}/demo/codes/{name}.svg") as svg:
            assert svg.headers["content-type"] == "image/svg+xml"
        async with client.http.get(f"{client.url}/demo/codes/{name}.png") as png:
            picture = await png.read()
        form = aiohttp.FormData()
        form.add_field("csrf", token)
        form.add_field("photo", picture, filename="a.png", content_type="image/png")
        headers = {**HTML, "Origin": client.url}
        async with client.http.post(client.url + "/pay/photo", data=form, headers=headers) as there:
            assert there.status == 200
            assert there.url.path in ("/pay/amount", "/review")


async def test_names_cannot_be_looked_up_without_end(client: Client) -> None:
    """Walking through account numbers is stopped long before it pays off."""
    await client.log_in()
    token = await client.csrf()
    found = [
        (await client.post("/transfer", {"to": str(10_200_000_000 + n)}, csrf=token))[0]
        for n in range(22)
    ]
    assert found == [422] * 20 + [429] * 2


async def test_another_customers_payment_looks_like_none(client: Client) -> None:
    """Neither the page nor the stream tells that it exists."""
    await client.log_in(1)
    order = await client.review()
    _, _, url = await client.post("/review", {"order": order, "pin": "290325"})
    await client.log_in(3)
    for path in (url.path, f"{url.path}/events", f"{url.path}/again", f"{url.path}/refund"):
        assert (await client.get(path))[0] == 404


async def test_the_stream_tells_the_change_and_ends(client: Client, site: Site) -> None:
    """First how it stands, then how it ended; then the stream is over."""
    site.paper.will("send", Unanswered("silent"))
    await client.log_in()
    order = await client.review()
    _, _, url = await client.post("/review", {"order": order, "pin": "290325"})
    told = []
    async with client.http.get(client.url + url.path + "/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        async for line in stream.content:
            if not line.startswith(b"data: "):
                continue
            told.append(json.loads(line.removeprefix(b"data: ")))
            if len(told) == 1:
                site.paper.will("inquire", Accepted("RRN5"))
                site.clock.advance(30)
                await site.bank.resolver.round()
    assert [one["over"] for one in told] == [False, True]
    assert "Menunggu kepastian" in told[0]["html"]
    assert told[1]["said"].startswith("Berhasil. Diterima GoPay")


async def test_a_closing_bank_ends_its_streams(client: Client, site: Site) -> None:
    """Nobody hangs on a bank that is stopping."""
    site.paper.will("send", Unanswered("silent"))
    await client.log_in()
    order = await client.review()
    _, _, url = await client.post("/review", {"order": order, "pin": "290325"})
    async with client.http.get(client.url + url.path + "/events") as stream:
        await stream.content.readuntil(b"event: payment\n")
        site.bank.door.live.close()
        async with asyncio.timeout(5):
            await stream.content.read()


async def test_a_book_out_of_reach_shows_the_last_known_balance(client: Client, site: Site) -> None:
    """Never a zero: the last balance with its time, and no new payment (E09)."""
    await client.log_in()
    site.clock.advance(60)
    await site.bank.pool.close()
    status, text, _ = await client.get("/home")
    assert status == 503
    assert "Rp1.250.000" in text
    assert "per 12.00 WIB" in text
    assert "Pembukuan bank sedang tidak dapat dibaca" in text
    assert "Rp0<" not in text
    status, text, _ = await client.get("/transfer")
    assert (status, "Saldo Anda tidak berkurang." in text) == (503, True)


async def test_a_crowd_from_one_place_is_told_to_wait(client: Client, site: Site) -> None:
    """429 as a page, with how long."""
    site.bank.door.requests.__init__(site.clock, burst=2, per_minute=60)
    for _ in range(2):
        assert (await client.get("/demo"))[0] == 200
    async with client.http.get(client.url + "/demo", headers=HTML) as answer:
        assert (answer.status, answer.headers["retry-after"]) == (429, "2")
        assert "Saldo Anda tidak berkurang." in await answer.text()


async def test_the_code_of_a_transfer_and_of_another_country_is_named(client: Client) -> None:
    """Words for what cannot be paid, and the address keeps the code for another try."""
    await client.log_in()
    status, text, _ = await client.get(f"/pay/amount?code={quote('000201')}")
    assert status == 422
    assert "terpotong" in text
    assert str(ACCOUNT_OF[1]) not in text


def _bomb() -> bytes:
    """A PNG that says it is 60,000 pixels wide and high, in a few bytes."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
