"""The SMS gateway over TCP, asked by the bank's own channel and by strangers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conftest import NOON
from post_office import MESSAGE, PHONE, SECRET, Office, office
from tangguh.notices.channels.channel import Delivered, Later, Rejected
from tangguh.notices.signature import signed
from tangguh.sim.faults import (
    AnyFault,
    Decline,
    Down,
    DropReply,
    DropRequest,
    Garbage,
    Late,
    Lie,
)
from tangguh.sim.post.books import reference_of
from tangguh.sim.post.post import PostSettings

REFERENCE = reference_of("sms", MESSAGE.key)
WANTED = {"id": "1", "to": PHONE, "text": "Halo", "sender": "TANGGUH"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
async def desk(keys: Path, tmp_path: Path) -> AsyncIterator[Office]:
    async with office(keys, tmp_path) as made:
        yield made


async def call(desk: Office, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Send a body, signed unless headers are given; the status and the reason."""
    given = signed(SECRET, body, NOON) if headers is None else headers
    async with (
        aiohttp.ClientSession() as http,
        http.post(desk.post.address, data=body, headers=given) as answer,
    ):
        said = await answer.json()
        return answer.status, str(said.get("error", said.get("id")))


async def test_a_signed_message_is_taken_with_the_gateways_own_reference(desk: Office) -> None:
    sms = desk.sms()
    assert await sms.deliver(MESSAGE, PHONE) == Delivered(REFERENCE)
    await sms.close()
    [kept] = desk.kept
    assert (kept["recipient"], kept["words"]) == (PHONE, MESSAGE.sms)
    assert (kept["sender"], kept["state"]) == ("TANGGUH", "taken")
    assert kept["taken_at"] == NOON.isoformat()


async def test_a_wrong_signature_is_refused_and_nothing_is_kept(desk: Office) -> None:
    sms = desk.sms(secret="somebody else's secret")
    assert await sms.deliver(MESSAGE, PHONE) == Later("HTTP 401")
    await sms.close()
    assert await call(desk, b"{}", {}) == (401, "X-Timestamp is no number of seconds")
    assert desk.kept == []


@pytest.mark.parametrize(
    ("changes", "status", "why"),
    [
        ({"to": "0811"}, 422, "to: digits only, 8 to 15 of them, the country's code first"),
        ({"to": "62811\n0000001"}, 422, "to: digits only, 8 to 15 of them, the country's code"),
        ({"id": ""}, 400, "$.id"),
        ({"text": ""}, 400, "$.text"),
        ({"text": "x" * 1_601}, 400, "$.text"),
        ({"sender": 7}, 400, "$.sender"),
        ({"text": "x" * 16_400}, 413, "16384 bytes"),
    ],
)
async def test_bad_input_is_refused_by_name(
    desk: Office, changes: dict[str, Any], status: int, why: str
) -> None:
    said = await call(desk, json.dumps(WANTED | changes).encode())
    assert (said[0], why in said[1]) == (status, True), said
    assert desk.kept == []


@pytest.mark.parametrize("body", [b"", b"[]", b'{"id":"1"}', b"\xff\xfe", b"[" * 9_000])
async def test_what_is_no_message_is_refused(desk: Office, body: bytes) -> None:
    assert (await call(desk, body))[0] == 400


async def test_an_id_is_one_message(desk: Office) -> None:
    assert (await call(desk, json.dumps(WANTED).encode()))[0] == 202
    other = json.dumps(WANTED | {"text": "Lain"}).encode()
    assert await call(desk, other) == (422, "id was another message's")
    [kept] = desk.kept
    assert (kept["words"], kept["repeats"]) == ("Halo", 0)


async def test_a_lost_reply_is_asked_again_and_the_phone_shows_one(desk: Office) -> None:
    await desk.break_by(DropReply(count=1))
    sms = desk.sms()
    lost = await desk.after(30, sms.deliver(MESSAGE, PHONE))
    assert lost == Later("no answer (ServerDisconnectedError)")
    assert await sms.deliver(MESSAGE, PHONE) == Delivered(REFERENCE)
    await sms.close()
    [kept] = desk.kept
    assert kept["repeats"] == 1
    assert (desk.post.dealt().struck, desk.post.dealt().asked_most) == ((1,), {"sms": 2})


async def test_a_lost_request_leaves_nothing(desk: Office) -> None:
    await desk.break_by(DropRequest())
    sms = desk.sms()
    assert isinstance(await desk.after(30, sms.deliver(MESSAGE, PHONE)), Later)
    await sms.close()
    assert desk.kept == []


@pytest.mark.parametrize(
    ("fault", "done", "is_kept"),
    [
        (Decline(), Later("HTTP 403"), False),
        (Decline(case="42200"), Rejected("HTTP 422"), False),
        (Lie(books="paid"), Later("HTTP 503"), True),
        (Garbage(), Later("taken without a reference"), True),
        (Garbage(form="empty"), Later("taken without a reference"), True),
        (Garbage(form="oversized"), Later("an answer without end"), True),
        (Garbage(form="other_service"), Later("taken without a reference"), True),
        (Garbage(form="other_reference"), Delivered(f"{REFERENCE}0"), True),
    ],
    ids=lambda value: str(getattr(value, "form", "")) if isinstance(value, Garbage) else None,
)
async def test_how_each_fault_looks_from_the_bank(
    desk: Office, fault: AnyFault, done: object, is_kept: bool
) -> None:
    await desk.break_by(fault)
    sms = desk.sms()
    assert await sms.deliver(MESSAGE, PHONE) == done
    await sms.close()
    assert len(desk.kept) == is_kept


@pytest.mark.parametrize("carried_out", ["at_once", "late"])
async def test_a_late_answer_is_an_answer(desk: Office, carried_out: Any) -> None:
    await desk.break_by(Late(seconds=20, carried_out=carried_out))
    sms = desk.sms()
    assert await desk.after(20, sms.deliver(MESSAGE, PHONE)) == Delivered(REFERENCE)
    await sms.close()
    taken = NOON.replace(second=20) if carried_out == "late" else NOON
    assert desk.kept[0]["taken_at"] == taken.isoformat()


async def test_a_shut_gateway_refuses_and_comes_back_at_the_same_address(desk: Office) -> None:
    """The mail server beside it stays open."""
    address, mail_port = desk.post.address, desk.post.mail_port
    await desk.break_by(Down(services=("sms",)))
    sms = desk.sms()
    assert await sms.deliver(MESSAGE, PHONE) == Later("no answer (ClientConnectorError)")
    mail = desk.mail()
    assert isinstance(await mail.deliver(MESSAGE, "rani@post.example"), Delivered)
    await desk.break_by()
    assert await sms.deliver(MESSAGE, PHONE) == Delivered(REFERENCE)
    await sms.close()
    assert (desk.post.address, desk.post.mail_port) == (address, mail_port)


@pytest.mark.parametrize(
    ("what", "fields", "why"),
    [
        ("call", {}, "it can send a receipt"),
        ("receipt", {"id": "sms-0"}, "id: no SMS was answered with it"),
        ("receipt", {"id": REFERENCE, "status": "read"}, "status: arrived or lost"),
    ],
)
async def test_an_act_that_cannot_be_is_refused_by_name(
    desk: Office, what: str, fields: dict[str, Any], why: str
) -> None:
    sms = desk.sms()
    await sms.deliver(MESSAGE, PHONE)
    await sms.close()
    with pytest.raises(ValueError, match=why):
        await desk.post.act(what, fields)
    assert desk.kept[0]["state"] == "taken"


def test_secrets_are_not_shown_with_the_settings() -> None:
    settings = PostSettings(
        secret=SECRET, username="u", password="p-w-d", certificate_path="", books_path="",
        private_key_path="",
    )  # fmt: skip
    assert SECRET not in repr(settings)
    assert "p-w-d" not in repr(settings)
