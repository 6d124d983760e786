"""Complaints and notices by the customers' API: taken once, answered, and only their owner's."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pypdfium2
import pytest
from PIL import Image

from conftest import QUICK
from notice_peers import Browser, HttpPeer
from paper import PaperRail, paper_rails
from serving import Answered, Phone
from stories import count_of
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.core.outcome import Unanswered
from tangguh.db.objects import ObjectSettings
from tangguh.disputes.case import About, Case, CaseState, Outcome, open_case
from tangguh.disputes.complaints import number_of
from tangguh.disputes.rows import OpenCase
from tangguh.notices.desk import to_customer
from tangguh.notices.notice import Notice, Urgency, Via
from tangguh.notices.settings import NoticesSettings, SmsSettings
from unit.disputes.test_evidence import bomb_png, pdf, photo_with_position, picture
from unit.rails.qris.payloads import VALID
from web.conftest import Make

V5 = VALID["V5"].payload
SAID = {"about": "failed_debited", "text": "Sudah terpotong, kasir bilang belum masuk."}
SECRET = "a secret of the gateway of thirty-two characters"
SMS = SmsSettings(url="http://127.0.0.1:9/sms", secret=SECRET)


@pytest.fixture
async def bank(
    dsn: str, clock: HandClock, ids: Ids, paper: PaperRail, tmp_path: Path
) -> AsyncIterator[Bank]:
    """A bank that keeps evidence in a directory and has an SMS gateway."""
    settings = msgspec.structs.replace(
        QUICK,
        evidence=ObjectSettings(url=str(tmp_path)),
        notices=NoticesSettings(sms=SMS),
    )
    opened = await Bank.open(settings, dsn, rails=paper_rails(paper), clock=clock, ids=ids)
    yield opened
    await opened.close()


async def complains(phone: Phone, body: dict[str, Any] | None = None, key: str = "k1") -> Answered:
    return await phone.ask("POST", "/v1/complaints", body or SAID, headers={"Idempotency-Key": key})


async def unanswered(phone: Phone, paper: PaperRail) -> str:
    """A payment nobody answered."""
    paper.will("send", Unanswered("timeout"))
    body = {"kind": "qris", "from_account": phone.account, "qr": V5, "amount": "10000.00"}
    return str((await phone.pay(body)).body["id"])


async def test_a_complaint_about_a_payment_waits_on_its_clock_and_is_taken_once(
    phone: Phone, bank: Bank, paper: PaperRail
) -> None:
    payment_id = await unanswered(phone, paper)
    body = {**SAID, "payment_id": payment_id}
    first = await complains(phone, body)
    assert (first.status, first.body.get("state")) == (201, "waiting"), first.raw
    assert first.body["payment_id"] == payment_id
    assert first.headers["Location"] == f"/v1/complaints/{first.body['id']}"
    again = await complains(phone, body)
    assert (again.status, again.body["number"]) == (200, first.body["number"])
    other_key = await complains(phone, {**body, "text": "Masih belum."}, key="k2")
    assert (other_key.status, other_key.body["id"]) == (200, first.body["id"])
    assert [one["text"] for one in other_key.body["messages"]] == [SAID["text"], "Masih belum."]
    assert await count_of(bank, "cases") == 1
    listed = (await phone.ask("GET", "/v1/complaints")).body["complaints"]
    assert [one["number"] for one in listed] == [first.body["number"]]
    assert [one["what"] for one in first.body["timeline"]] == ["opened", "waiting"]


async def test_the_same_key_with_other_words_is_refused(phone: Phone, bank: Bank) -> None:
    await complains(phone)
    other = await complains(phone, {**SAID, "text": "Lain."})
    assert (other.status, other.code) == (409, "idempotency_key_reused")
    without = await phone.ask("POST", "/v1/complaints", SAID)
    assert (without.status, without.body["field"]) == (422, "Idempotency-Key")
    assert await count_of(bank, "cases") == 1


async def test_an_id_whose_number_is_taken_harms_nobody(phone: Phone, bank: Bank) -> None:
    """Who chooses keys can look for one whose number is another's: the book says no, and goes on."""
    first = (await complains(phone)).body
    now = bank.clock.now()
    twin = UUID(int=UUID(first["id"]).int ^ (1 << 100))
    assert number_of(twin, now) == first["number"]
    case = open_case(
        case_id=twin, number=number_of(twin, now), customer_id=2, about=About.OTHER,
        channel="app", language="id", text_sha256="", now=now,
    )  # fmt: skip
    refused = await bank.desk.decide(OpenCase(case=case, by="customer:2"))
    assert getattr(refused, "code", None) == "idempotency_key_reused"
    assert bank.writer.is_open
    assert (await complains(phone, key="k2")).status == 201


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"about": "weather"}, 422, "body_invalid"),
        ({"text": ""}, 422, "body_invalid"),
        ({"text": "x" * 2001}, 422, "body_invalid"),
        ({"text": "a\u0000b"}, 422, "body_invalid"),
        ({"text": " \n "}, 422, "order_invalid"),
        ({"payment_id": "7"}, 422, "body_invalid"),
        ({"payment_id": str(UUID(int=7))}, 404, "payment_not_found"),
        ({"customer_id": 2}, 422, "body_invalid"),
    ],
)
async def test_what_is_no_complaint(
    phone: Phone, bank: Bank, change: dict[str, Any], status: int, code: str
) -> None:
    answer = await complains(phone, {**SAID, **change})
    assert (answer.status, answer.code) == (status, code)
    assert await count_of(bank, "cases") == 0


async def test_another_customers_case_looks_like_none(
    phone: Phone, make_phone: Make, paper: PaperRail
) -> None:
    payment_id = await unanswered(phone, paper)
    case = (await complains(phone, {**SAID, "payment_id": payment_id})).body
    await sends(phone, case["id"], picture())
    stranger = await make_phone(2)
    own = f"/v1/complaints/{case['id']}"
    asked = [
        ("GET", own, None),
        ("GET", f"{own}/letter.pdf", None),
        ("GET", f"{own}/evidence/1/pages/1", None),
        ("POST", f"{own}/messages", {"text": "Saya juga."}),
    ]
    for method, path, body in asked:
        answer = await stranger.ask(method, path, body)
        assert (answer.status, answer.code) == (404, "case_not_found"), path
        assert (await phone.ask(method, path, body)).status == 200, path
    refused = await sends(stranger, case["id"], picture())
    assert (refused.status, refused.code) == (404, "case_not_found")
    theirs = await complains(stranger, {**SAID, "payment_id": payment_id})
    assert (theirs.status, theirs.code) == (404, "payment_not_found")
    assert (await stranger.ask("GET", "/v1/complaints")).body == {"complaints": []}


async def sends(phone: Phone, case_id: str, content: bytes, media: str = "image/jpeg") -> Answered:
    return await phone.ask(
        "POST",
        f"/v1/complaints/{case_id}/evidence",
        raw=content,
        headers={"Content-Type": media},
    )


async def test_evidence_is_drawn_anew_and_shown_page_by_page(phone: Phone, bank: Bank) -> None:
    case = (await complains(phone)).body
    taken = await sends(phone, case["id"], photo_with_position())
    assert taken.status == 201, taken.raw
    assert (await sends(phone, case["id"], pdf(2), "application/pdf")).status == 201
    found = (await phone.ask("GET", f"/v1/complaints/{case['id']}")).body["evidence"]
    assert [(one["file"], one["media"], one["pages"]) for one in found] == [
        (1, "image/jpeg", 1),
        (2, "application/pdf", 2),
    ]
    page = await phone.ask("GET", f"/v1/complaints/{case['id']}/evidence/1/pages/1")
    assert (page.status, page.media) == (200, "image/jpeg")
    assert page.headers.getall("Content-Security-Policy") == ["default-src 'none'; sandbox"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    name = f'inline; filename="{case["number"]}-1-1.jpg"'
    assert page.headers["Content-Disposition"] == name
    with Image.open(io.BytesIO(page.raw)) as drawn:
        assert not drawn.getexif()
    assert b"PHONEMAKER" not in page.raw
    for wrong in ("0/pages/1", "3/pages/1", "1/pages/2", "x/pages/1", "1/pages/%D9%A1"):
        none = await phone.ask("GET", f"/v1/complaints/{case['id']}/evidence/{wrong}")
        assert (none.status, none.code) == (404, "not_found"), wrong


@pytest.mark.parametrize(
    ("content", "media", "status", "code"),
    [
        (bomb_png(), "image/png", 422, "evidence_refused"),
        (b"<svg onload='alert(1)'/>", "image/png", 422, "evidence_refused"),
        (b"<svg onload='alert(1)'/>", "image/svg+xml", 415, "content_type_wrong"),
        (pdf(1)[:300], "application/pdf", 422, "evidence_refused"),
        (b"", "image/png", 422, "evidence_refused"),
        (picture() + bytes(5 * 1024 * 1024), "image/jpeg", 413, "body_too_large"),
        (picture(), "application/json", 415, "content_type_wrong"),
    ],
)
async def test_a_poisoned_file_is_refused_and_leaves_nothing(
    phone: Phone, tmp_path: Path, content: bytes, media: str, status: int, code: str
) -> None:
    case = (await complains(phone)).body
    refused = await sends(phone, case["id"], content, media)
    assert (refused.status, refused.code) == (status, code), refused.raw
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert (await phone.ask("GET", f"/v1/complaints/{case['id']}")).body["evidence"] == []


async def test_five_files_and_not_one_more(phone: Phone) -> None:
    case = (await complains(phone)).body
    for number in range(5):
        assert (await sends(phone, case["id"], picture(size=(40 + number, 40)))).status == 201
    sixth = await sends(phone, case["id"], picture(size=(99, 40)))
    assert (sixth.status, sixth.code) == (422, "evidence_refused")
    assert "5 files" in sixth.body["detail"]


async def test_files_cannot_be_sent_without_end(phone: Phone, bank: Bank) -> None:
    """Looking at a file costs; the thirteenth bad one within a minute is not looked at."""
    case = (await complains(phone)).body
    burst = bank.settings.web.files_burst
    codes = [(await sends(phone, case["id"], b"x")).code for _ in range(burst + 1)]
    assert codes == ["evidence_refused"] * burst + ["rate_limited"]


async def test_the_letter_in_two_languages(phone: Phone, bank: Bank) -> None:
    case = (await complains(phone)).body
    await bank.care.complaints.answer(
        UUID(case["id"]), Outcome.REFUSED, "Bukan nasabah.", "staff:6"
    )
    path = f"/v1/complaints/{case['id']}/letter.pdf"
    for language, words in (("id", "Kami tidak dapat memenuhi"), ("en", "We cannot do what")):
        letter = await phone.ask("GET", f"{path}?language={language}")
        assert (letter.status, letter.media) == (200, "application/pdf")
        assert letter.headers["Content-Disposition"] == f'inline; filename="{case["number"]}.pdf"'
        text = pypdfium2.PdfDocument(letter.raw)[0].get_textpage().get_text_range()
        assert words in " ".join(text.split())
    assert (await phone.ask("GET", f"{path}?language=de")).body["field"] == "language"


async def test_a_refusal_names_the_way_on_and_one_objection_is_heard(
    phone: Phone, bank: Bank
) -> None:
    case = (await complains(phone)).body
    assert (case["state"], case["laps"], case["may_object"]) == ("with_staff", False, False)
    await bank.care.complaints.answer(
        UUID(case["id"]), Outcome.REFUSED, "Bukan nasabah.", "staff:6"
    )
    path = f"/v1/complaints/{case['id']}"
    decided = (await phone.ask("GET", path)).body
    assert (decided["laps"], decided["may_object"], decided["reason"]) == (
        True,
        True,
        "Bukan nasabah.",
    )
    objected = (await phone.ask("POST", f"{path}/messages", {"text": "Saya tidak setuju."})).body
    assert (objected["state"], objected["outcome"]) == ("with_staff", None)
    await bank.care.complaints.answer(UUID(case["id"]), Outcome.REFUSED, "Tetap.", "staff:6")
    again = await phone.ask("POST", f"{path}/messages", {"text": "Tetap tidak setuju."})
    assert (again.status, again.code) == (409, "case_step_not_allowed")


async def test_papers_asked_for_are_named_and_a_file_brings_it_back(
    phone: Phone, bank: Bank
) -> None:
    case = (await complains(phone)).body
    await bank.care.complaints.ask_papers(UUID(case["id"]), "foto struk", "staff:6")
    path = f"/v1/complaints/{case['id']}"
    assert "foto struk" in (await phone.ask("GET", path)).body["words"]
    assert (await sends(phone, case["id"], picture())).body["state"] == "with_staff"


# ---- notices -----------------------------------------------------------------------------------


async def tell(bank: Bank, customer_id: int, step: str = "opened") -> UUID:
    notice_id = bank.ids.next()
    told = await bank.care.notices.tell(
        [
            Notice(
                id=notice_id,
                to=to_customer(customer_id, "id"),
                matter="case:1",
                step=step,
                template="subscription_confirm",
                values={"components": "QRIS", "by": bank.clock.now().isoformat()},
                channels=(Via.IN_APP,),
                made_at=bank.clock.now(),
                urgency=Urgency.NOW,
            )
        ]
    )
    assert told.new == {notice_id}, told
    return notice_id


async def test_notices_are_their_readers_alone(phone: Phone, make_phone: Make, bank: Bank) -> None:
    mine = await tell(bank, 1)
    found = (await phone.ask("GET", "/v1/notices")).body
    assert (found["unread"], [one["id"] for one in found["notices"]]) == (1, [str(mine)])
    stranger = await make_phone(2)
    body = {"ids": [str(mine)]}
    assert (await stranger.ask("GET", "/v1/notices")).body == {
        "unread": 0, "notices": [], "before": None,
    }  # fmt: skip
    page = (await phone.ask("GET", "/v1/notices?limit=1")).body
    assert page["before"] == str(mine)
    older = await phone.ask("GET", f"/v1/notices?limit=1&before={page['before']}")
    assert (older.body["notices"], older.body["before"]) == ([], None)
    wrong = await phone.ask("GET", "/v1/notices?before=yesterday")
    assert (wrong.status, wrong.code) == (422, "parameter_invalid")
    assert (await stranger.ask("POST", "/v1/notices/read", body)).body == {"read": 0}
    assert (await phone.ask("POST", "/v1/notices/read", body)).body == {"read": 1}
    assert (await phone.ask("POST", "/v1/notices/read", body)).body == {"read": 0}
    assert (await phone.ask("GET", "/v1/notices")).body["unread"] == 0


async def test_a_browser_that_agrees_to_be_pushed_to(phone: Phone, bank: Bank) -> None:
    given = json.loads(Browser(HttpPeer(), "https://push.example/x").address)
    taken = await phone.ask("POST", "/v1/notices/push", {**given, "expirationTime": None})
    assert taken.status == 204, taken.raw
    row = await bank.pool.fetchrow(
        "SELECT person, via FROM notice_addresses WHERE book_id = 1 AND via = 'push'"
    )
    assert row is not None
    assert tuple(row) == ("customer:1", "push")
    assert (await phone.ask("GET", "/v1/notices/push")).code == "not_found"
    for _ in range(2):
        gone = await phone.ask("POST", "/v1/notices/push/forget", given)
        assert gone.status == 204, gone.raw
    assert await bank.care.notices.browsers(1) == []
    for wrong in ("ftp://push.example/x", "https://user@push.example/x", "no address at all"):
        refused = await phone.ask("POST", "/v1/notices/push", {**given, "endpoint": wrong})
        assert (refused.status, refused.code) == (422, "body_invalid")
        assert refused.body["field"] == "endpoint"


def signed(body: bytes, clock: HandClock, secret: str = SECRET) -> dict[str, str]:
    stamp = str(int(clock.now().timestamp()))
    made = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"X-Timestamp": stamp, "X-Signature": f"sha256={made}"}


async def test_only_the_gateways_own_receipts_are_taken(make_phone: Make, clock: HandClock) -> None:
    gateway = await make_phone(None)
    path, body = "/partners/v1/sms/receipts", b'{"id": "abc", "status": "delivered"}'
    good = await gateway.ask("POST", path, raw=body, headers=signed(body, clock))
    assert good.status == 204
    for headers in ({}, signed(body, clock, "another"), signed(body, clock, "")):
        bad = await gateway.ask("POST", path, raw=body, headers=headers)
        assert (bad.status, bad.code) == (401, "signature_wrong")
    strange = b'{"id": "abc", "status": "perhaps"}'
    odd = await gateway.ask("POST", path, raw=strange, headers=signed(strange, clock))
    assert (odd.status, odd.code) == (422, "order_invalid")


async def test_a_bank_without_a_gateway_takes_no_receipt_however_it_is_signed(
    bank: Bank, clock: HandClock
) -> None:
    """No secret is not the empty secret."""
    bank.care.notices._settings = NoticesSettings()
    body = b'{"id": "abc", "status": "delivered"}'
    refused = await bank.care.notices.take_receipt(signed(body, clock, ""), body)
    assert refused is not None
    assert refused.field == "signature"


async def test_an_answer_in_time_is_never_late(phone: Phone, bank: Bank, clock: HandClock) -> None:
    """Left alone, a case climbs to the head of complaints; the page says by when it is answered."""
    case = (await complains(phone)).body
    clock.advance(timedelta(days=20).total_seconds())
    await bank.care.complaints.round()
    found: Case | None = await bank.care.complaints.store.find(UUID(case["id"]))
    assert found is not None
    assert found.state is CaseState.ESCALATED
    assert (await phone.ask("GET", f"/v1/complaints/{case['id']}")).body["timeline"][-1][
        "what"
    ] in {"clock", "escalated"}
