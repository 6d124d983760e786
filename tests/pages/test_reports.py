"""Stories of reporting trouble: three taps, a number, a deadline, files, an answer (E28, E39, E40)."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import aiohttp
import pytest
from playwright.async_api import Page, expect
from yarl import URL

from pages.harness import (
    ACCOUNT_OF,
    Site,
    confirm,
    log_in,
    review_qris,
    sees,
)
from pages.test_appearance import fits, is_accessible
from pages.test_door import HTML, Client
from paper import PaperRail, paper_rails
from tangguh.access.devices import DeviceSettings
from tangguh.access.pin import PinSettings
from tangguh.app import Bank
from tangguh.config import Settings
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.core.outcome import Declined, Refusal, Unanswered
from tangguh.customers.crew import enrol_crew
from tangguh.db.objects import ObjectSettings
from tangguh.disputes.case import CaseState, Outcome
from tangguh.notices.desk import to_customer
from tangguh.notices.notice import Notice, Urgency, Via
from tangguh.notices.settings import EmailSettings, NoticesSettings, WebhookSettings
from tangguh.notices.subscribers import confirm_token, unsubscribe_token
from tangguh.payments.decide import Conclude
from tangguh.web.settings import WebSettings
from unit.disputes.test_evidence import bomb_png, pdf, picture

KEY = "a key of the bank of at least thirty-two characters"


def notices_settings(port: int = 9) -> NoticesSettings:
    return NoticesSettings(
        email=EmailSettings(
            host="127.0.0.1", port=port, sender="Bank <a@bank.example>", security="none"
        ),
        webhook=WebhookSettings(secret_key=KEY),
        link_key=KEY,
        confirm_url="http://127.0.0.1/subscribe/confirm?token={token}",
        unsubscribe_url="http://127.0.0.1/unsubscribe?token={token}",
    )


@pytest.fixture
async def bank(
    dsn: str, clock: HandClock, ids: Ids, paper: PaperRail, tmp_path: Path
) -> AsyncIterator[Bank]:
    """The demo bank with a place for evidence and two ways out."""
    settings = Settings(
        web=WebSettings(demo=True, requests_burst=2_000),
        pin=PinSettings(memory_kib=1024, passes=1),
        evidence=ObjectSettings(url=str(tmp_path / "evidence")),
        notices=notices_settings(),
        devices=DeviceSettings(new_device="tell"),
    )
    opened = await Bank.open(settings, dsn, rails=paper_rails(paper), clock=clock, ids=ids)
    yield opened
    await opened.close()


@pytest.fixture
async def client(site: Site) -> AsyncIterator[Client]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        yield Client(http, site.url)


async def unanswered(page: Page, site: Site) -> None:
    """Pay, and nobody answers; the payment's page is shown."""
    site.paper.will("send", Unanswered("silent"))
    await review_qris(page, "25000")
    await confirm(page)
    await sees(page, "Menunggu kepastian")


def struk(folder: Path, name: str = "struk.jpg", content: bytes | None = None) -> Path:
    path = folder / name
    path.write_bytes(content if content is not None else picture(size=(320, 480)))
    return path


async def cases(site: Site, customer_id: int = 1) -> list:
    return await site.bank.care.complaints.store.of_customer(customer_id)


# ---- customers -----------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize(("script", "width"), [(True, 360), (False, 360), (True, 1280)])
async def test_three_taps_from_the_payment_to_a_number_with_a_deadline(
    site: Site, visitor, uploads: Path, script: bool, width: int
) -> None:
    """Open, read what is filled in, send; then a file, a message, and the letter."""
    page = await visitor(script=script, width=width)
    await log_in(page)
    await unanswered(page, site)
    await page.click("#report")
    await sees(page, "Laporkan", "Saldo berkurang, penerima belum menerima")
    assert "Rp25.000" in await page.input_value("#text")
    await fits(page)
    await is_accessible(page)
    await page.click("main button.button")
    await page.wait_for_url(re.compile(r"/reports/[0-9a-f-]{36}$"))
    [case] = await cases(site)
    await sees(page, case.number, "Menunggu jawaban jaringan", "Dijawab paling lambat")
    await page.set_input_files("#file", struk(uploads))
    await page.click("#files button.button")
    await expect(page.locator(".thumbs img")).to_have_count(1)
    await page.locator(".thumbs img").scroll_into_view_if_needed()
    if script:
        await expect(page.locator(".thumbs img")).to_have_js_property("complete", value=True)
    await page.fill("#text", "Kasir masih menunggu.")
    await page.click("#said form button.button")
    await sees(page, "Kasir masih menunggu.", "Berkas diterima")
    await fits(page)
    await is_accessible(page)
    await page.goto("/reports")
    await sees(page, case.number, "Saldo berkurang, penerima belum menerima")
    await fits(page)
    await is_accessible(page)


@pytest.mark.browser
async def test_the_payment_tells_of_its_report_and_the_answer_says_where_the_money_is(
    site: Site, visitor
) -> None:
    page = await visitor()
    await log_in(page)
    await unanswered(page, site)
    payment_url = page.url
    await page.click("#report")
    await page.click("main button.button")
    await page.wait_for_url("**/reports/**")
    [case] = await cases(site)
    await page.goto(payment_url)
    await sees(page, f"Laporan {case.number}", "Dijawab paling lambat")
    await page.click("#report")
    await sees(page, case.number)
    payment_id = case.payment_id
    desk = site.bank.desk
    await desk.decide(Conclude(payment_id, Declined(Refusal.PARTNER_DECLINED, "x"), desk.rules))
    await site.bank.care.complaints.round()
    await page.reload()
    await sees(page, "Sudah dijawab", "dapat Anda pakai lagi", "Mengapa Anda tidak setuju?")
    assert await page.locator("#laps").count() == 0
    await page.fill("#text", "Saldo saya belum kembali.")
    await page.click("#said form button.button")
    await sees(page, "Diperiksa petugas", "Anda tidak setuju")


@pytest.mark.browser
async def test_a_no_names_the_way_on(site: Site, visitor) -> None:
    """Refused: the reason, one objection, LAPS SJK."""
    page = await visitor(language="en-US", width=360)
    await log_in(page, 7)
    await page.goto("/reports/new")
    await page.check("input[value=other]", force=True)
    await page.fill("#text", "Please give me my card back.")
    await page.click("main button.button")
    await page.wait_for_url(re.compile(r"/reports/[0-9a-f-]{36}$"))
    [case] = await cases(site, 7)
    await site.bank.care.complaints.answer(case.id, Outcome.REFUSED, "It was not ours.", "staff:6")
    await page.reload()
    await sees(page, "We cannot do what you asked.", "It was not ours.", "LAPS SJK")
    await fits(page)
    await is_accessible(page)


@pytest.mark.browser
async def test_notices_are_counted_at_home_and_marked_once_read(site: Site, visitor) -> None:
    page = await visitor(script=False, width=360)
    await tell(site.bank, 1)
    await log_in(page)
    await expect(page.locator("#unread")).to_have_text("2 baru")  # with the new device's
    await page.click("a[href='/notices']")
    await sees(page, "baru")
    await fits(page)
    await is_accessible(page)
    await page.click("#seen")
    await expect(page.locator(".chip")).to_have_count(0)
    await page.goto("/home")
    await expect(page.locator("#unread")).to_have_text("Tidak ada yang baru")


async def tell(bank: Bank, customer_id: int) -> None:
    told = await bank.care.notices.tell(
        [
            Notice(
                id=bank.ids.next(),
                to=to_customer(customer_id, "id"),
                matter="case:1",
                step="opened",
                template="subscription_confirm",
                values={"components": "QRIS", "by": bank.clock.now().isoformat()},
                channels=(Via.IN_APP,),
                made_at=bank.clock.now(),
                urgency=Urgency.NOW,
            )
        ]
    )
    assert told.new, told


async def upload(
    client: Client, path: str, content: bytes, *, name: str = "a.jpg", **fields: str
) -> tuple[int, str, URL]:
    form = aiohttp.FormData()
    for field, value in (fields or {"csrf": await client.csrf()}).items():
        form.add_field(field, value)
    form.add_field("file", io.BytesIO(content), filename=name, content_type="image/jpeg")
    headers = {**HTML, "Origin": client.url}
    async with client.http.post(client.url + path, data=form, headers=headers) as answer:
        return answer.status, await answer.text(), answer.url


async def reports(client: Client, text: str = "Kartu saya tertelan.", key: str = "k") -> str:
    form = {"about": "other", "text": text, "key": key}
    status, page, url = await client.post("/reports/new", form)
    assert status == 200, page
    return url.path


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bomb_png(), "Foto ini terlalu besar ukurannya"),
        (b"", "Belum ada berkas yang dipilih"),
        (b"MZ\x90 a program", "bukan foto JPG"),
        (pdf(1)[:300], "rusak"),
        (b"<svg onload=alert(1)>", "bukan foto JPG"),
        (picture() + bytes(5 * 1024 * 1024), "lebih besar dari 5 MB"),
    ],
)
async def test_a_poisoned_file_is_refused_in_words_beside_the_field(
    client: Client, site: Site, content: bytes, words: str
) -> None:
    await client.log_in()
    home = await reports(client)
    status, text, _ = await upload(client, f"{home}/files", content)
    assert status == 422
    assert words in text
    assert 'aria-invalid="true"' in text
    assert (await cases(site))[0].evidence == ()


async def test_nothing_typed_is_lost(client: Client, site: Site) -> None:
    """A form that lacks something comes back with all of the rest, and says what beside it."""
    await client.log_in()
    status, text, _ = await client.post("/reports/new", {"about": "", "text": "Kartu <b>hilang"})
    assert (status, "Kartu &lt;b&gt;hilang" in text) == (422, True)
    assert "Pilih salah satu." in text
    status, text, _ = await client.post("/reports/new", {"about": "other", "text": "  "})
    assert (status, "Tulis satu kalimat" in text) == (422, True)
    assert 'value="other" checked' in text
    assert await cases(site) == []


async def test_a_double_click_is_one_report(client: Client, site: Site) -> None:
    await client.log_in()
    token = await client.csrf()
    form = {"about": "other", "text": "Kartu saya tertelan.", "key": "once"}
    answers = await asyncio.gather(
        *(client.post("/reports/new", form, csrf=token) for _ in range(3))
    )
    assert len({url.path for _, _, url in answers}) == 1
    assert len(await cases(site)) == 1


async def test_another_customers_report_looks_like_none(client: Client, site: Site) -> None:
    """Neither page nor picture nor letter tells that it exists."""
    await client.log_in()
    home = await reports(client)
    assert (await upload(client, f"{home}/files", picture()))[0] == 200
    for path in (home, f"{home}/files/1/1.jpg", f"{home}/letter.pdf"):
        async with client.http.get(client.url + path, headers=HTML) as mine:
            assert mine.status == 200, path
    await client.log_in(3)
    for path in (home, f"{home}/files/1/1.jpg", f"{home}/letter.pdf"):
        assert (await client.get(path))[0] == 404, path
    assert (await client.post(f"{home}/messages", {"text": "x"}))[0] == 404
    assert (await upload(client, f"{home}/files", picture()))[0] == 404
    assert len((await cases(site))[0].evidence) == 1


async def test_a_payment_that_was_received_is_named_in_the_report(
    client: Client, site: Site
) -> None:
    """It is another's order: the report does not hang on it, its text names it."""
    await client.log_in(1)
    _, _, url = await client.post("/transfer", {"to": str(ACCOUNT_OF[2])})
    to = url.query["to"]
    form = {"to": to, "amount": "150000"}
    _, _, url = await client.post("/transfer/amount", form)
    _, _, url = await client.post("/review", {"order": url.query["order"], "pin": "290325"})
    await client.log_in(2)
    status, text, _ = await client.get(f"{url.path}/report")
    assert (status, "Rp150.000" in text) == (200, True)
    form = {"about": "not_mine", "text": "Saya tidak kenal pengirimnya.", "key": "k"}
    status, text, there = await client.post(f"{url.path}/report", form)
    assert (status, there.path.startswith("/reports/")) == (200, True), text
    [case] = await cases(site, 2)
    assert case.payment_id is None
    [said] = await site.bank.care.complaints.store.messages(case.id)
    assert re.search(r"Ref\. \w+", said.body)


# ---- strangers -----------------------------------------------------------------------------------

STRANGER = {
    "about": "cash",
    "text": "Uang tidak keluar.",
    "when": "29 Mar",
    "amount": "Rp250.000",
    "contact": "0811 999 0001",
}


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, pattern
    return match[1]


async def strangely(client: Client, **changes: str) -> tuple[int, str]:
    _, text, _ = await client.get("/report")
    form = STRANGER | {"key": found(r'name="key" value="([^"]+)"', text)} | changes
    status, text, _ = await client.post("/report", form, csrf="")
    return status, text


async def test_a_stranger_gets_a_number_and_a_code_and_follows_the_report(
    client: Client, site: Site
) -> None:
    status, text = await strangely(client)
    assert status == 200, text
    number = found(r'id="number">(TG26-\w{4}-\w{4})<', text)
    code = found(r'id="code">(\w{4}-\w{4})<', text)
    case = await site.bank.care.complaints.store.find_by_number(number)
    assert case is not None
    assert (case.customer_id, case.channel) == (0, "public")
    contact = await site.bank.care.complaints.store.contact(case.id)
    assert contact is not None
    assert contact[0] == "628119990001"
    client.http.cookie_jar.clear()
    sloppy = {"number": f" {number.lower().replace('-', ' ')} ", "code": code.lower()}
    status, text, url = await client.post("/report/track", sloppy, csrf="")
    assert (status, url.path, number in text) == (200, "/report/track", True)
    assert "Rp250.000" in text
    assert (await upload(client, "/report/track/files", picture(), csrf=""))[0] == 200
    status, text, _ = await client.post("/report/track/messages", {"text": "Masih."}, csrf="")
    assert (status, "Masih." in text) == (200, True)
    for path, media in (("letter.pdf", "application/pdf"), ("files/1/1.jpg", "image/jpeg")):
        async with client.http.get(f"{client.url}/report/track/{path}") as answer:
            assert (answer.status, answer.content_type) == (200, media)
    await client.post("/report/track/leave", {}, csrf="")
    _, text, _ = await client.get("/report/track")
    assert number not in text


async def test_unknown_numbers_and_wrong_codes_are_one_answer(client: Client, site: Site) -> None:
    """Also a customer's own number with any code: it has no stranger."""
    await client.log_in()
    await reports(client)
    theirs = (await cases(site))[0].number
    client.http.cookie_jar.clear()
    _, text = await strangely(client)
    number = found(r'id="number">(TG26-\w{4}-\w{4})<', text)
    code = found(r'id="code">(\w{4}-\w{4})<', text)
    client.http.cookie_jar.clear()
    told = set()
    for asked in (
        {"number": number, "code": "0000-0000"},
        {"number": "TG26-0000-0000", "code": code},
        {"number": theirs, "code": code},
        {"number": theirs, "code": ""},
        {"number": "", "code": ""},
        {"number": "'; --", "code": "é" * 300},
    ):
        status, text, _ = await client.post("/report/track", asked, csrf="")
        assert status == 422
        told.add(re.sub(r'value="[^"]*"', "", text))
    assert len(told) == 1
    forged = {"tangguh_report": f"{UUID(int=1).hex}.{'0' * 64}"}
    async with client.http.get(client.url + "/report/track", cookies=forged) as answer:
        assert number not in await answer.text()


async def test_the_public_form_has_a_bound_and_an_origin(client: Client, site: Site) -> None:
    status, _, _ = await client.post("/report", STRANGER, csrf="", origin="https://evil.example")
    assert status == 403
    burst = site.bank.settings.web.strangers_burst
    codes = [(await strangely(client))[0] for _ in range(burst + 1)]
    assert codes == [200] * burst + [429]
    rows = await site.bank.pool.fetch("SELECT channel FROM cases WHERE book_id = 1")
    assert [row["channel"] for row in rows] == ["public"] * burst


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"about": "x"}, "Pilih salah satu."),
        ({"text": "  "}, "Tulis satu kalimat"),
        ({"contact": "not an address"}, "Tulis alamat email atau nomor ponsel"),
        ({"contact": "a@b"}, "Tulis alamat email atau nomor ponsel"),
    ],
)
async def test_a_stranger_is_told_what_is_missing_and_loses_nothing(
    client: Client, change: dict[str, str], words: str
) -> None:
    status, text = await strangely(client, **change)
    assert (status, words in text) == (422, True)
    assert 'value="29 Mar"' in text
    assert change.get("contact", STRANGER["contact"]) in text


async def test_a_report_sent_twice_is_one_report_with_one_code(client: Client, site: Site) -> None:
    _, text, _ = await client.get("/report")
    form = STRANGER | {"key": found(r'name="key" value="([^"]+)"', text)}
    pages = [(await client.post("/report", form, csrf=""))[1] for _ in range(2)]
    seen = {found(r'id="code">(\w{4}-\w{4})<', page) for page in pages}
    assert len(seen) == 1
    assert len(await site.bank.pool.fetch("SELECT 1 FROM cases")) == 1


async def test_nobody_can_name_the_id_of_anothers_case(client: Client, site: Site) -> None:
    """A form's id is sealed: somebody else's case cannot be written into."""
    await client.log_in()
    home = await reports(client)
    client.http.cookie_jar.clear()
    theirs = home.rpartition("/")[2]
    for key in (theirs, f"{theirs.replace('-', '')}.{'0' * 64}"):
        status, text = await strangely(client, key=key)
        assert status == 200
    case = (await cases(site))[0]
    assert len(await site.bank.care.complaints.store.messages(case.id)) == 1
    assert case.number not in text


async def test_a_report_with_a_bad_file_is_taken_and_the_file_is_named(client: Client) -> None:
    _, text, _ = await client.get("/report")
    key = found(r'name="key" value="([^"]+)"', text)
    status, text, _ = await upload(client, "/report", b"MZ", csrf="", **STRANGER, key=key)
    assert status == 200
    assert "bukan foto JPG" in text
    assert "Kode ini hanya ditampilkan satu kali" in text


@pytest.mark.browser
@pytest.mark.parametrize(("script", "width"), [(False, 360), (True, 1280)])
async def test_the_public_form_in_a_browser(
    site: Site, visitor, uploads: Path, script: bool, width: int
) -> None:
    page = await visitor(script=script, width=width)
    await page.goto("/report")
    await fits(page)
    await is_accessible(page)
    await page.select_option("#about", "cash")
    await page.fill("#text", "Uang tidak keluar.")
    await page.fill("#contact", "ani@example.co.id")
    await page.set_input_files("#file", struk(uploads))
    await page.click("main button.button")
    await sees(page, "Laporan kami terima", "Kode ini hanya ditampilkan satu kali")
    await fits(page)
    await is_accessible(page)
    await page.click("main .acts a.button")
    await sees(page, "Diperiksa petugas", "Selesai di perangkat ini")
    await expect(page.locator(".thumbs img")).to_have_count(1)
    await fits(page)
    await is_accessible(page)


# ---- subscriptions -------------------------------------------------------------------------------

WISH = {"g:qris": "on", "via": "email", "address": "ani@example.co.id"}


async def subscription_of(bank: Bank) -> str:
    row = await bank.pool.fetchrow("SELECT subscription_id FROM notice_subscriptions")
    assert row is not None
    return str(row["subscription_id"])


async def test_whoever_gives_no_address_follows_the_feed(client: Client, site: Site) -> None:
    """The way without an address is named with its place, and only if the bank has a page."""
    _, text, _ = await client.get("/subscribe")
    assert "umpan Atom" not in text
    site.bank.care.incidents.page_url = "https://status.bank.example/"
    _, text, _ = await client.get("/subscribe")
    assert '<a href="https://status.bank.example/feed.atom">umpan Atom</a>' in text
    client.http.headers["Accept-Language"] = "en"
    _, text, _ = await client.get("/subscribe")
    assert '<a href="https://status.bank.example/en/feed.atom">Atom feed</a>' in text


async def test_a_subscription_is_agreed_to_by_a_button_and_ended_by_one_click(
    client: Client, site: Site
) -> None:
    """A link alone does nothing: mail programs open links. RFC 8058's POST needs no origin."""
    status, text, _ = await client.post("/subscribe", WISH, csrf="")
    assert (status, "Periksa pesan Anda" in text) == (200, True)
    bank = site.bank
    token = confirm_token(KEY, await subscription_of(bank))
    status, _, _ = await client.get(f"/subscribe/confirm?token={token}")
    assert status == 200
    assert await bank.care.notices.subscribers_of(["mobile.qris.offus"]) == []
    status, text, _ = await client.post("/subscribe/confirm", {"token": token}, csrf="")
    assert (status, "Langganan aktif" in text) == (200, True)
    [one] = await bank.care.notices.subscribers_of(["mobile.qris.offus"])
    assert await bank.care.notices.subscribers_of(["mobile.transfer.bifast"]) == []
    end = unsubscribe_token(KEY, one.person.id)
    await client.get(f"/unsubscribe?token={end}")
    assert await bank.care.notices.subscribers_of(["mobile.qris.offus"])
    one_click = {"List-Unsubscribe": "One-Click"}
    async with client.http.post(f"{client.url}/unsubscribe?token={end}", data=one_click) as answer:
        assert answer.status == 200
    assert await bank.care.notices.subscribers_of(["mobile.qris.offus"]) == []


async def test_a_webhooks_owner_is_told_the_secret_once_they_agree(
    client: Client, site: Site
) -> None:
    wish = {"c:mobile.bill.va": "on", "via": "webhook", "address": "https://shop.example/in"}
    assert (await client.post("/subscribe", wish, csrf=""))[0] == 200
    token = confirm_token(KEY, await subscription_of(site.bank))
    _, text, _ = await client.post("/subscribe/confirm", {"token": token}, csrf="")
    assert site.bank.care.notices.webhook_secret("https://shop.example/in") in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"g:qris": ""}, "Pilih minimal satu layanan."),
        ({"via": "sms"}, "Pilih salah satu cara."),
        ({"address": "x"}, "Alamat ini tidak cocok"),
    ],
)
async def test_a_wish_that_cannot_be_kept_comes_back_whole(
    client: Client, change: dict[str, str], words: str
) -> None:
    status, text, _ = await client.post("/subscribe", WISH | change, csrf="")
    assert (status, words in text) == (422, True)
    assert (WISH | change)["address"] in text


async def test_unknown_tokens_and_banks_without_a_key(client: Client, site: Site) -> None:
    """Never a 500: a link that is not valid, and a page that says which ways there are."""
    for token in ("", "x", "é" * 300, "%00"):
        status, text, _ = await client.post("/subscribe/confirm", {"token": token}, csrf="")
        assert (status, "Tautan ini tidak berlaku" in text) == (404, True)
        assert (await client.post("/unsubscribe", {"token": token}, csrf=""))[0] == 200
    site.bank.care.notices._settings = NoticesSettings()
    for answer in (await client.get("/subscribe"), await client.post("/subscribe", WISH, csrf="")):
        assert (answer[0], "Bank ini belum mengirim kabar langsung" in answer[1]) == (200, True)


@pytest.mark.browser
async def test_subscribing_in_a_browser(site: Site, visitor) -> None:
    page = await visitor(script=False, width=360, language="en-US")
    await page.goto("/subscribe")
    await fits(page)
    await is_accessible(page)
    await page.click("summary >> nth=0")
    await fits(page)
    await page.check("input[name='c:mobile.transfer.bifast']", force=True)
    await page.fill("#address", "ani@example.co.id")
    await page.click("main button.button")
    await sees(page, "Check your messages")


# ---- staff ---------------------------------------------------------------------------------------


async def enter(client: Client, token: str) -> tuple[int, str, URL]:
    return await client.post("/staff/login", {"token": token}, csrf="")


async def test_only_those_who_answer_complaints_see_the_queue(client: Client, site: Site) -> None:
    tokens = await enrol_crew(site.bank.staff)
    _, _, url = await client.get("/staff/queue")
    assert url.path == "/staff/login"
    for token, status in (("x", 401), ("", 401), (tokens["staff:2"], 403)):
        found_status, text, _ = await enter(client, token)
        assert found_status == status
        assert len(token) < 10 or token not in text
    status, _, url = await enter(client, tokens["staff:6"])
    assert (status, url.path) == (200, "/staff/queue")
    [kept] = [one for one in client.http.cookie_jar if one.key == "tangguh_staff"]
    assert (kept["httponly"], kept["samesite"], kept["path"]) == (True, "strict", "/staff")
    assert "tangguh_staff" not in client.http.cookie_jar.filter_cookies(URL(client.url + "/home"))
    async with client.http.get(f"{client.url}/staff/v1/cases") as api:
        assert api.status == 401
    await site.bank.staff.freeze("staff:6")
    assert (await client.get("/staff/queue"))[2].path == "/staff/login"


async def test_a_case_is_answered_by_its_staff_id_and_not_from_elsewhere(
    client: Client, site: Site
) -> None:
    tokens = await enrol_crew(site.bank.staff)
    await client.log_in()
    home = await reports(client)
    case_id = home.rpartition("/")[2]
    await upload(client, f"{home}/files", picture())
    await enter(client, tokens["staff:6"])
    path = f"/staff/queue/{case_id}"
    _, text, _ = await client.get(path)
    assert "Kartu saya tertelan." in text
    was = found(r'name="was" value="(\d+)"', text)
    async with client.http.get(f"{client.url}{path}/files/1/1.jpg") as seen:
        assert seen.headers.getall("content-security-policy") == ["default-src 'none'; sandbox"]
    form = {"outcome": "refused", "text": "Bukan kartu kami.", "was": was}
    status, _, _ = await client.post(f"{path}/answer", form, csrf="", origin="https://evil.example")
    assert status == 403
    status, text, _ = await client.post(f"{path}/answer", form | {"text": ""}, csrf="")
    assert (status, "why" in text) == (409, True)
    status, text, _ = await client.post(f"{path}/answer", form | {"was": "1"}, csrf="")
    assert (status, "Bukan kartu kami." in text) == (409, True)
    status, text, _ = await client.post(f"{path}/answer", form | {"outcome": ""}, csrf="")
    assert (status, "Pilih salah satu." in text) == (409, True)
    status, _, _ = await client.post(f"{path}/answer", form, csrf="")
    assert status == 200
    events = await site.bank.care.complaints.store.timeline(UUID(case_id))
    assert (events[-1].what, events[-1].by) == ("decided", "staff:6")
    for wrong in (f"{path}/fire", "/staff/queue/7/answer", f"/staff/queue/{UUID(int=7)}/papers"):
        assert (await client.post(wrong, form, csrf=""))[0] == 404, wrong


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
async def test_the_queue_in_a_browser(site: Site, visitor, uploads: Path, width: int) -> None:
    """The most urgent first, what is late in red words; papers asked for; figures."""
    tokens = await enrol_crew(site.bank.staff)
    page = await visitor(script=False, width=width)
    await log_in(page)
    await page.goto("/reports/new")
    await page.check("input[value=other]", force=True)
    await page.fill("#text", "Kartu saya tertelan di ATM.")
    await page.click("main button.button")
    await page.set_input_files("#file", struk(uploads))
    await page.click("#files button.button")
    site.clock.advance(40 * 24 * 3600)
    await page.goto("/staff/login")
    await fits(page)
    await is_accessible(page)
    await page.fill("#token", tokens["staff:6"])
    await page.click("main button.button")
    await sees(page, "1 melewati batas aturan.", "lewat batas aturan")
    await fits(page)
    await page.click(".queue a")
    await sees(page, "Kartu saya tertelan di ATM.", "petugas memutuskan")
    await expect(page.locator(".evidence img")).to_have_count(1)
    await fits(page)
    await page.click("summary >> nth=0")
    await page.fill("#text-papers", "Foto KTP")
    await page.click("form[action$=papers] button")
    await sees(page, "Menunggu berkas Anda", "staff:6 · Foto KTP")
    [case] = await cases(site)
    assert case.state is CaseState.NEEDS_PAPERS
