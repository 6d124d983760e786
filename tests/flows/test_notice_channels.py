"""Every way out of the house against a real peer: taken, put off, refused for good, silent."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from notice_peers import Browser, HttpPeer, MailServer, certificate, http_peer, vapid_key
from tangguh.core.clock import HandClock
from tangguh.core.errors import Misconfigured
from tangguh.notices.channels.channel import Delivered, Later, Message, Rejected
from tangguh.notices.channels.mail import EmailChannel
from tangguh.notices.channels.push import PushChannel
from tangguh.notices.channels.sms import SmsChannel
from tangguh.notices.channels.webhook import WebhookChannel, secret_of
from tangguh.notices.settings import EmailSettings, PushSettings, SmsSettings, WebhookSettings
from tangguh.notices.signature import is_signed
from tangguh.notices.texts import Texts

SECRET = "a secret of more than thirty-two characters"
LETTERS = Texts().letters
MESSAGE = Message(
    key="0001.0002", notice_id="0001", matter="incident:7", step="begun", language="id",
    title="Pembayaran Anda sedang kami pastikan", text="3 pembayaran Anda, Rp54.000 <b>.\nDitahan.",
    sms="3 pembayaran Anda, Rp54.000. Kabar 14.05 WIB.", made_at="2026-03-20T05:00:00+00:00",
)  # fmt: skip


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    async with MailServer() as server:
        yield server


def mailer(server: MailServer, clock: HandClock, **changes: Any) -> EmailChannel:
    settings = EmailSettings(
        host="127.0.0.1", port=server.port, sender="Bank Tangguh <kabar@bank.example>",
        security="none",
    )  # fmt: skip
    return EmailChannel(msgspec.structs.replace(settings, **changes), LETTERS, clock)


async def test_a_mail_is_taken_with_its_message_id_as_proof(
    mail: MailServer, clock: HandClock
) -> None:
    done = await mailer(mail, clock).deliver(MESSAGE, "rani@example.org")
    assert done == Delivered("<0001.0002@bank.example>", "OK: kept as 1")
    read = mail.mails[0]
    assert read["Message-ID"] == "<0001.0002@bank.example>"
    assert (read["Subject"], read["To"]) == (MESSAGE.title, "rani@example.org")
    assert read["List-Unsubscribe"] is None
    plain, html = (read.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    assert "Rp54.000 <b>." in plain.get_content()
    assert "Kami tidak pernah meminta PIN" in plain.get_content()
    assert "Rp54.000 &lt;b&gt;." in html.get_content()


async def test_a_subscriber_can_end_it_from_every_mail(mail: MailServer, clock: HandClock) -> None:
    url = "https://status.example/u?t=abc&x"
    message = msgspec.structs.replace(MESSAGE, unsubscribe_url=url)
    await mailer(mail, clock).deliver(message, "rani@example.org")
    assert mail.mails[0]["List-Unsubscribe"] == f"<{url}>"
    assert mail.mails[0]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    body = mail.mails[0].get_body(("plain",))
    assert body is not None
    assert f"Berhenti berlangganan: {url}" in body.get_content()


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        ("rcpt 450 4.2.1 busy", Later("SMTP 450")),
        ("rcpt 550 5.1.1 nobody", Rejected("SMTP 550 for the mailbox", gone=True)),
        ("rcpt 554 5.7.1 your reputation", Rejected("SMTP 554 for the mailbox", gone=False)),
        ("data 451 4.3.0 later", Later("SMTP 451")),
        ("data 554 5.6.0 no such content", Rejected("SMTP 554 on the message")),
        ("drop", Later("no answer (SMTPServerDisconnected)")),
    ],
)
async def test_what_a_mail_server_says_is_taken_at_its_word(
    mail: MailServer, clock: HandClock, answer: str, done: object
) -> None:
    """Cut after the message: nobody knows, so again, under the same Message-ID."""
    mail.answers.append(answer)
    channel = mailer(mail, clock)
    assert await channel.deliver(MESSAGE, "rani@example.org") == done
    assert isinstance(await channel.deliver(MESSAGE, "rani@example.org"), Delivered)
    assert {read["Message-ID"] for read in mail.mails} == {"<0001.0002@bank.example>"}
    assert len(mail.mails) == (2 if answer == "drop" else 1)


async def test_a_server_that_is_away_or_silent_is_asked_again(clock: HandClock) -> None:
    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    silent = MailServer()
    silent.port = server.sockets[0].getsockname()[1]
    done = await mailer(silent, clock, timeout_seconds=0.2).deliver(MESSAGE, "rani@example.org")
    server.close()
    await server.wait_closed()
    assert isinstance(done, Later)
    assert isinstance(await mailer(silent, clock).deliver(MESSAGE, "rani@example.org"), Later)


async def test_login_and_letters_go_over_an_encrypted_line(
    tmp_path: Path, clock: HandClock
) -> None:
    ca_path, context = certificate(tmp_path)
    async with MailServer(tls_context=context, require_starttls=True, auth_required=True) as server:
        changes = {
            "host": "localhost", "security": "starttls", "ca_path": str(ca_path),
            "username": "bank", "password": "right",
        }  # fmt: skip
        done = await mailer(server, clock, **changes).deliver(MESSAGE, "rani@example.org")
        assert isinstance(done, Delivered)
        assert server.was_encrypted == [True]
        assert server.logins == [(b"bank", b"right")]
        wrong = mailer(server, clock, **changes | {"password": "wrong"})
        done = await wrong.deliver(MESSAGE, "rani@example.org")
        assert done == Later("SMTP 535 (SMTPAuthenticationError)")
        stranger = mailer(server, clock, **changes | {"ca_path": ""})
        assert isinstance(await stranger.deliver(MESSAGE, "rani@example.org"), Later)
        assert len(server.mails) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_a_line_may_be_encrypted_from_its_first_byte(
    tmp_path: Path, clock: HandClock
) -> None:
    """Port 465 (RFC 8314): no word in the clear, and a server of another name gets no letter."""
    ca_path, context = certificate(tmp_path)
    # The library knows only of lines it encrypted itself.
    options: dict[str, Any] = {"auth_required": True, "auth_require_tls": False}
    async with MailServer(from_the_start=context, **options) as server:
        changes = {
            "host": "localhost", "security": "tls", "ca_path": str(ca_path),
            "username": "bank", "password": "right",
        }  # fmt: skip
        done = await mailer(server, clock, **changes).deliver(MESSAGE, "rani@example.org")
        assert isinstance(done, Delivered)
        assert server.logins == [(b"bank", b"right")]
        for change in ({"ca_path": ""}, {"host": "127.0.0.1"}, {"security": "none"}):
            stranger = mailer(server, clock, timeout_seconds=1.0, **changes | change)
            assert isinstance(await stranger.deliver(MESSAGE, "rani@example.org"), Later), change
        assert len(server.mails) == 1


async def test_a_server_that_would_not_encrypt_gets_no_letter(
    mail: MailServer, clock: HandClock
) -> None:
    done = await mailer(mail, clock, security="starttls").deliver(MESSAGE, "rani@example.org")
    assert isinstance(done, Later)
    assert mail.mails == []


async def test_no_address_and_no_sender(mail: MailServer, clock: HandClock) -> None:
    assert await mailer(mail, clock).deliver(MESSAGE, "a@b.id\r\nBcc: c@d.id") == Rejected(
        "no address to write to", gone=True
    )
    with pytest.raises(Misconfigured, match="sender"):
        mailer(mail, clock, sender="Bank")


# ---- SMS -------------------------------------------------------------------------------------


@pytest.fixture
async def peer() -> AsyncIterator[HttpPeer]:
    async with http_peer() as found:
        yield found


async def sent_sms(peer: HttpPeer, clock: HandClock, **changes: Any) -> object:
    settings = SmsSettings(url=peer.url, secret=SECRET, timeout_seconds=changes.pop("timeout", 5))
    channel = SmsChannel(settings, clock)
    done = await channel.deliver(msgspec.structs.replace(MESSAGE, **changes), "628110000001")
    await channel.close()
    return done


async def test_an_sms_is_taken_with_the_gateways_reference(
    peer: HttpPeer, clock: HandClock
) -> None:
    peer.answers.append((202, {"id": "gw-17"}))
    assert await sent_sms(peer, clock) == Delivered("gw-17")
    headers, body = peer.requests[0]
    assert is_signed(SECRET, headers, body, clock.now())
    assert headers["idempotency-key"] == MESSAGE.key
    assert json.loads(body) == {
        "id": MESSAGE.key, "to": "628110000001", "text": MESSAGE.sms, "sender": "TANGGUH",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        (200, Later("taken without a reference")),
        ((200, {"id": 7}), Later("taken without a reference")),
        ((409, {"id": "gw-1"}), Delivered("gw-1")),
        (422, Rejected("HTTP 422")),
        (401, Later("HTTP 401")),
        (302, Later("HTTP 302")),
        (503, Later("HTTP 503")),
        ((429, {"Retry-After": "60"}), Later("HTTP 429", 60.0)),
        ((503, {"Retry-After": "Fri, 20 Mar 2026 05:00:00 GMT"}), Later("HTTP 503")),
    ],
)
async def test_what_a_gateway_says_is_taken_at_its_word(
    peer: HttpPeer, clock: HandClock, answer: Any, done: object
) -> None:
    peer.answers.append(answer)
    assert await sent_sms(peer, clock) == done


async def test_a_silent_gateway_and_a_long_text(peer: HttpPeer, clock: HandClock) -> None:
    assert await sent_sms(peer, clock, sms="x" * 161) == Rejected("it is not one SMS")
    assert peer.requests == []
    peer.is_silent = True
    assert await sent_sms(peer, clock, timeout=0.2) == Later("no answer in time")


# ---- webhooks --------------------------------------------------------------------------------


async def hooked(clock: HandClock, url: str, **changes: Any) -> object:
    settings = WebhookSettings(secret_key=SECRET, allow_private=True)
    channel = WebhookChannel(msgspec.structs.replace(settings, **changes), clock)
    done = await channel.deliver(MESSAGE, url)
    await channel.close()
    return done


async def test_a_webhook_is_signed_for_its_address(peer: HttpPeer, clock: HandClock) -> None:
    assert await hooked(clock, peer.url) == Delivered(MESSAGE.key, "HTTP 200")
    headers, body = peer.requests[0]
    settings = WebhookSettings(secret_key=SECRET)
    assert is_signed(secret_of(settings, peer.url), headers, body, clock.now())
    assert not is_signed(secret_of(settings, peer.url + "x"), headers, body, clock.now())
    assert headers["x-notice-id"] == MESSAGE.key
    assert json.loads(body)["text"] == MESSAGE.text


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        ((302, {"Location": "https://elsewhere.example"}), Rejected("HTTP 302")),
        (404, Rejected("HTTP 404")),
        (410, Rejected("HTTP 410", gone=True)),
        (500, Later("HTTP 500")),
        (425, Later("HTTP 425")),
    ],
)
async def test_what_a_receiver_says_is_taken_at_its_word(
    peer: HttpPeer, clock: HandClock, answer: Any, done: object
) -> None:
    """A redirect is not followed: it could lead where the address could not."""
    peer.answers.append(answer)
    assert await hooked(clock, peer.url) == done
    assert len(peer.requests) == 1


@pytest.mark.parametrize(
    ("scheme", "host"),
    [
        ("https", "127.0.0.1"), ("https", "localhost"), ("https", "2130706433"), ("https", "0x7f.1"),
        ("https", "[::1]"), ("https", "[::ffff:127.0.0.1]"), ("http", "127.0.0.1"),
        ("http", "localhost"),
    ],
)  # fmt: skip
async def test_nobody_makes_the_bank_call_itself(
    peer: HttpPeer, clock: HandClock, scheme: str, host: str
) -> None:
    """By number, by name, in disguise: refused before a byte leaves."""
    port = peer.url.rpartition(":")[2]
    done = await hooked(clock, f"{scheme}://{host}:{port}", allow_private=False)
    assert isinstance(done, Rejected), done
    assert peer.requests == []


async def test_a_receiver_without_end_is_cut(clock: HandClock) -> None:
    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    assert await hooked(clock, url) == Later("an answer without end")
    server.close()
    assert isinstance(await hooked(clock, url), Later)


# ---- web push --------------------------------------------------------------------------------


def pusher(clock: HandClock, **changes: Any) -> tuple[PushChannel, bytes]:
    key, point = vapid_key()
    settings = PushSettings(
        vapid_private_key=key, contact="mailto:kabar@bank.example", allow_private=True
    )
    return PushChannel(msgspec.structs.replace(settings, **changes), clock), point


async def test_only_the_browser_reads_a_push_and_it_knows_who_sent_it(
    peer: HttpPeer, clock: HandClock
) -> None:
    peer.answers.append((201, {"Location": "https://push.example/m/1"}))
    browser = Browser(peer)
    channel, point = pusher(clock)
    assert await channel.deliver(MESSAGE, browser.address) == Delivered("https://push.example/m/1")
    await channel.close()
    assert browser.read() == {
        "id": "0001", "matter": "incident:7", "step": "begun", "title": MESSAGE.title,
        "language": MESSAGE.language,
    }  # fmt: skip
    signer, claims = browser.signer()
    assert signer == point == base64.urlsafe_b64decode(channel.application_key + "=")
    assert claims["aud"] == peer.url.removesuffix("/in")
    assert 0 < claims["exp"] - clock.now().timestamp() <= 24 * 3600
    headers, body = peer.requests[0]
    assert (headers["content-encoding"], headers["urgency"]) == ("aes128gcm", "high")
    assert len(headers["topic"]) == 32
    assert b"Rp54" not in body
    with pytest.raises(Exception, match="tag|ecrypt"):
        Browser(peer).read()


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        (404, Rejected("HTTP 404", gone=True)),
        (410, Rejected("HTTP 410", gone=True)),
        (403, Rejected("HTTP 403")),
        (413, Rejected("HTTP 413")),
        ((429, {"Retry-After": "30"}), Later("HTTP 429", 30.0)),
        (502, Later("HTTP 502")),
    ],
)
async def test_what_a_push_service_says_is_taken_at_its_word(
    peer: HttpPeer, clock: HandClock, answer: Any, done: object
) -> None:
    peer.answers.append(answer)
    channel, _ = pusher(clock)
    assert await channel.deliver(MESSAGE, Browser(peer).address) == done
    await channel.close()


async def test_keys_that_are_none_and_endpoints_that_are_ours(
    peer: HttpPeer, clock: HandClock
) -> None:
    channel, _ = pusher(clock)
    keys = {"p256dh": "B" + "A" * 86, "auth": "A" * 22}
    nobody = json.dumps({"endpoint": peer.url, "keys": keys})
    assert await channel.deliver(MESSAGE, nobody) == Rejected(
        "the browser's keys are none", gone=True
    )
    careful, _ = pusher(clock, allow_private=False)
    assert isinstance(await careful.deliver(MESSAGE, Browser(peer).address), Rejected)
    assert peer.requests == []
    for changes in ({"vapid_private_key": "AAAA"}, {"contact": "somebody"}):
        with pytest.raises(Misconfigured, match=r"notices\.push"):
            pusher(clock, **changes)
