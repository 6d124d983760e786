"""The mail server over TCP: only encrypted, only for its customer, and each mail once."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import aiosmtplib
import msgspec
import pytest

from post_office import LOGIN, MESSAGE, READER, Office, office
from tangguh.core.errors import Misconfigured
from tangguh.notices.channels.channel import Delivered, Later, Rejected
from tangguh.sim.faults import AnyFault, Decline, Down, DropReply, DropRequest, Garbage, Late
from tangguh.sim.post.books import reference_of
from tangguh.sim.post.mail import tls_of

MESSAGE_ID = "<0001.0002@bank.example>"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
async def desk(keys: Path, tmp_path: Path) -> AsyncIterator[Office]:
    async with office(keys, tmp_path) as made:
        yield made


async def test_a_mail_is_taken_and_can_be_read(
    desk: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    done = await desk.mail().deliver(MESSAGE, READER)
    reference = reference_of("email", f"{MESSAGE_ID} {READER}")
    assert done == Delivered(MESSAGE_ID, f"2.0.0 OK: kept as {reference}")
    [kept] = desk.kept
    assert (kept["recipient"], kept["title"]) == (READER, MESSAGE.title)
    assert kept["words"].split("\n\n")[:2] == ["Rp25.000 ditahan.", "Kabar 14.05 WIB."]
    assert (kept["state"], kept["sender"]) == ("arrived", "Bank Tangguh <kabar@bank.example>")
    assert READER not in caplog.text
    assert LOGIN[1] not in caplog.text


async def test_a_wrong_login_takes_nothing(desk: Office) -> None:
    for changes in ({"password": "wrong"}, {"username": "stranger"}):
        done = await desk.mail(**changes).deliver(MESSAGE, READER)
        assert done == Later("SMTP 535 (SMTPAuthenticationError)")
    assert desk.kept == []


async def test_without_a_login_nothing_is_taken(desk: Office) -> None:
    done = await desk.mail(username="", password="").deliver(MESSAGE, READER)
    assert isinstance(done, Later)
    assert "SMTP 530" in done.why
    assert desk.kept == []


async def test_a_plain_line_is_refused_before_any_password(desk: Office) -> None:
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=desk.post.mail_port, start_tls=False)
    await client.connect()
    said = await client.ehlo()
    assert "STARTTLS" in said.message
    assert "AUTH" not in said.message
    for command in (b"AUTH", b"MAIL"):
        answer = await client.execute_command(command, b"PLAIN AGEAYg==")
        assert (answer.code, "STARTTLS" in answer.message) == (530, True)
    client.close()
    assert desk.kept == []


async def test_a_certificate_nobody_vouched_for_is_not_written_to(desk: Office) -> None:
    done = await desk.mail(ca_path="").deliver(MESSAGE, READER)
    assert isinstance(done, Later)
    assert desk.kept == []


async def test_a_lost_reply_is_asked_again_and_the_box_holds_one(desk: Office) -> None:
    await desk.break_by(DropReply(services=("mail",), count=1))
    mail = desk.mail()
    lost = await desk.after(30, mail.deliver(MESSAGE, READER))
    assert lost == Later("no answer (SMTPServerDisconnected)")
    assert isinstance(await mail.deliver(MESSAGE, READER), Delivered)
    [kept] = desk.kept
    assert kept["repeats"] == 1


async def test_one_id_for_two_mails_is_refused(desk: Office) -> None:
    mail = desk.mail()
    await mail.deliver(MESSAGE, READER)
    other = msgspec.structs.replace(MESSAGE, text="Lain.")
    assert await mail.deliver(other, READER) == Rejected("SMTP 554 on the message")
    [kept] = desk.kept
    assert "Rp25.000" in kept["words"]


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        (Decline(services=("mail",), case="45133"), Later("SMTP 451")),
        (Decline(services=("mail",), case="55000"), Rejected("SMTP 550 on the message")),
        (
            Decline(services=("rcpt",), case="55011"),
            Rejected("SMTP 550 for the mailbox", gone=True),
        ),
        (Decline(services=("rcpt",), case="45011"), Later("SMTP 450")),
        (Garbage(), Later("SMTP -1 (SMTPResponseException)")),
        (Down(services=("mail",)), Later("no answer (SMTPConnectError)")),
    ],
)
async def test_how_each_fault_looks_from_the_bank(
    desk: Office, fault: AnyFault, done: Later | Rejected
) -> None:
    await desk.break_by(fault)
    assert await desk.mail().deliver(MESSAGE, READER) == done
    await desk.break_by()
    assert isinstance(await desk.mail().deliver(MESSAGE, READER), Delivered)


async def test_a_fault_for_one_reader_leaves_others_alone(desk: Office) -> None:
    await desk.break_by(Decline(services=("rcpt",), payee=READER, case="55011"))
    mail = desk.mail()
    assert isinstance(await mail.deliver(MESSAGE, READER), Rejected)
    assert isinstance(await mail.deliver(MESSAGE, "dodi@post.example"), Delivered)


async def test_a_lost_mail_leaves_nothing(desk: Office) -> None:
    await desk.break_by(DropRequest(services=("mail",)))
    assert isinstance(await desk.after(30, desk.mail().deliver(MESSAGE, READER)), Later)
    assert desk.kept == []


async def test_a_late_mail_is_taken(desk: Office) -> None:
    await desk.break_by(Late(seconds=12, carried_out="late"))
    assert isinstance(await desk.after(12, desk.mail().deliver(MESSAGE, READER)), Delivered)
    assert len(desk.kept) == 1


@pytest.mark.parametrize(
    ("mail", "code"),
    [
        (b"Subject: no id\r\n\r\nHalo\r\n", 554),
        (b"Message-ID: <1@x>\r\nContent-Type: text/html\r\n\r\n<p>only HTML</p>\r\n", 554),
        (b"Message-ID: <1@x>\r\nContent-Type: text/plain; charset=none\r\n\r\nHalo\r\n", 554),
        (b"Message-ID: <%b@x>\r\n\r\nHalo\r\n" % (b"1" * 600), 554),
        (b"Message-ID: <1@x>\r\nSubject: \xff\xfe\r\nFrom: \xff\r\n\r\n\xff Halo\r\n", 250),
        (b"Message-ID: <1@x>\r\nSubject: =?utf-8?q?=0d=0aBcc:_x?=\r\n\r\nHalo\r\n", 250),
    ],
    ids=["no id", "no words", "no such charset", "long id", "bad bytes", "line in a subject"],
)
async def test_a_strange_mail_is_refused_or_kept_as_text(
    desk: Office, mail: bytes, code: int
) -> None:
    client = aiosmtplib.SMTP(
        hostname="127.0.0.1", port=desk.post.mail_port, start_tls=True, username=LOGIN[0],
        password=LOGIN[1], cert_bundle=str(desk.ca_path),
    )  # fmt: skip
    async with client:
        try:
            await client.sendmail("kabar@bank.example", [READER], mail)
            said = 250
        except aiosmtplib.SMTPDataError as refused:
            said = refused.code
    assert said == code
    assert len(desk.kept) == (code == 250)


def test_a_certificate_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="post: no certificate with its key"):
        tls_of(str(tmp_path / "none.pem"), str(tmp_path / "none.key"))
