"""How the household introduces the bank and the post to each other: both ends read one link."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509

from conftest import NOON
from tangguh.cli.place import Place
from tangguh.cli.post.certificate import certificate
from tangguh.cli.post.link import PostLink
from tangguh.core.clock import HandClock
from tangguh.notices.channels.push import PushChannel
from tangguh.notices.settings import (
    EmailSettings,
    NoticesSettings,
    PushSettings,
    SmsSettings,
    WebhookSettings,
)
from tangguh.sim.post.post import Post, PostSettings

BANK = "http://127.0.0.1:8080"
NOTHING = NoticesSettings()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.keys.mkdir()
    return made


@pytest.fixture
def link(place: Place) -> PostLink:
    return PostLink(place, BANK, sms_port=4001, mail_port=4002)


def test_both_ends_have_the_same_ports_and_secrets(link: PostLink) -> None:
    post = msgspec.convert(link.sim_settings(), PostSettings)
    bank = msgspec.convert(link.bank_settings(NOTHING), NoticesSettings)
    assert bank.email is not None
    assert bank.sms is not None
    assert (bank.email.port, bank.sms.url) == (post.mail_port, "http://127.0.0.1:4001/messages")
    assert (bank.email.username, bank.email.password) == (post.username, post.password)
    assert (bank.sms.secret, bank.email.ca_path) == (post.secret, post.certificate_path)
    assert bank.email.security == "starttls"
    assert post.receipt_url == f"{BANK}/partners/v1/sms/receipts"
    assert bank.confirm_url == f"{BANK}/subscribe/confirm?token={{token}}"
    assert bank.unsubscribe_url == f"{BANK}/unsubscribe?token={{token}}"
    secrets = {post.secret, post.password, bank.link_key}
    assert len(secrets) == 3
    assert min(len(one) for one in secrets) >= 32


async def test_the_post_opens_with_these_settings(link: PostLink) -> None:
    settings = msgspec.convert(link.sim_settings() | {"sms_port": 0, "mail_port": 0}, PostSettings)
    post = Post(settings, HandClock(NOON))
    await post.open()
    assert post.mail_port
    await post.close()


def test_keys_are_the_same_the_next_time(link: PostLink, place: Place) -> None:
    again = PostLink(place, BANK, sms_port=4001, mail_port=4002)
    assert again.sim_settings() == link.sim_settings()
    assert again.bank_settings(NOTHING) == link.bank_settings(NOTHING)


@pytest.mark.parametrize(
    "configured",
    [
        NoticesSettings(email=EmailSettings(host="mail.bank.example", sender="a@bank.example")),
        NoticesSettings(sms=SmsSettings(url="https://sms.example", secret="s")),
        NoticesSettings(webhook=WebhookSettings(secret_key="k")),
        NoticesSettings(link_key="k"),
    ],
    ids=["email", "sms", "webhook", "links"],
)
def test_what_an_operator_configured_is_left_alone(
    link: PostLink, configured: NoticesSettings
) -> None:
    assert set(link.bank_settings(configured)) == {"push"}


def test_an_operators_own_push_key_stays_beside_the_post(link: PostLink) -> None:
    push = PushSettings(vapid_private_key="k", contact="mailto:a@bank.example")
    made = link.bank_settings(NoticesSettings(push=push))
    assert "push" not in made
    assert {"email", "sms", "webhook", "link_key"} <= set(made)


def test_the_push_key_is_one_that_browsers_agree_to(link: PostLink, place: Place) -> None:
    made = msgspec.convert(link.bank_settings(NOTHING)["push"], PushSettings)
    assert not made.allow_private
    assert made.contact.startswith("mailto:")
    assert made.contact.endswith("@post.example")
    point = PushChannel(made, HandClock(NOON)).application_key
    assert len(point) == 87  # 65 bytes, base64url
    other = PushSettings(vapid_private_key=place.vapid_key("other"), contact=made.contact)
    assert PushChannel(other, HandClock(NOON)).application_key != point
    assert (place.keys / "push.vapid").stat().st_mode & 0o077 == 0


def test_the_certificate_is_for_this_machine_and_nobody_else_signs_with_it(tmp_path: Path) -> None:
    pem, private = certificate(tmp_path, "post", datetime.now(UTC))
    read = x509.load_pem_x509_certificate(pem.read_bytes())
    names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert names.get_values_for_type(x509.DNSName) == []
    limits = read.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert limits.path_length == 0
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(pem, private)
    assert private.stat().st_mode & 0o077 == 0


def test_the_certificate_is_made_anew_only_once_it_is_over(tmp_path: Path) -> None:
    pem, private = certificate(tmp_path, "post", NOON)
    first = pem.read_bytes()
    certificate(tmp_path, "post", NOON + timedelta(days=3649))
    assert pem.read_bytes() == first
    certificate(tmp_path, "post", NOON + timedelta(days=3651))
    assert pem.read_bytes() != first
    second = pem.read_bytes()
    private.unlink()
    certificate(tmp_path, "post", NOON + timedelta(days=3651))
    assert pem.read_bytes() != second
    assert private.exists()
