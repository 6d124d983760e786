"""An incident is told to people by every way, over real peers, from the words to the proof."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from conftest import NOON
from notice_peers import Browser, HttpPeer, MailServer, http_peer, vapid_key
from tangguh.core.clock import HandClock
from tangguh.core.errors import Misconfigured
from tangguh.core.ids import Ids
from tangguh.core.outcome import Refused
from tangguh.db.pool import Pool
from tangguh.notices.desk import Notices, to_customer
from tangguh.notices.notice import Notice, Person, Rules, Via
from tangguh.notices.settings import (
    EmailSettings,
    NoticesSettings,
    PushSettings,
    SmsSettings,
    WebhookSettings,
)
from tangguh.notices.signature import is_signed, signed, token_of

KEY = "a key of more than thirty-two characters"
VALUES = {
    "service": "Transfer BI-FAST", "since": NOON.isoformat(), "count": 3, "amount": 5_400_000,
    "by": (NOON + timedelta(hours=2)).isoformat(),
}  # fmt: skip


class Town:
    """A bank's notices with an SMTP server, an SMS gateway, a push service and a webhook."""

    def __init__(
        self, notices: Notices, mail: MailServer, peers: dict[str, HttpPeer], ids: Ids
    ) -> None:
        self.notices, self.mail, self.peers, self.ids = notices, mail, peers, ids

    def notice(self, to: Person, *channels: Via, **changes: Any) -> Notice:
        made = Notice(
            id=self.ids.next(), to=to, matter="incident:7", step="begun",
            template="incident_begun_yours", values=VALUES, channels=channels, made_at=NOON,
        )  # fmt: skip
        return msgspec.structs.replace(made, **changes)

    async def drain(self) -> None:
        async with asyncio.timeout(20):
            while await self.notices.sender.round():
                pass


@pytest.fixture
async def town(dsn: str, clock: HandClock, ids: Ids) -> AsyncIterator[Town]:
    pool = await Pool.open(dsn, size_max=4)
    taken = (202, {"id": "gw-17"})
    async with (
        MailServer() as mail,
        http_peer(otherwise=taken) as sms,
        http_peer(otherwise=201) as push,
        http_peer() as hook,
    ):
        settings = NoticesSettings(
            email=EmailSettings(
                host="127.0.0.1", port=mail.port, sender="kabar@bank.example", security="none"
            ),
            sms=SmsSettings(url=sms.url, secret=KEY),
            push=PushSettings(
                vapid_private_key=vapid_key()[0],
                contact="mailto:a@bank.example",
                allow_private=True,
            ),
            webhook=WebhookSettings(secret_key=KEY, allow_private=True),
            link_key=KEY,
            confirm_url="https://status.example/k?t={token}",
            unsubscribe_url="https://status.example/u?t={token}",
        )
        notices = Notices(pool, 1, settings, clock, ids)
        yield Town(notices, mail, {"sms": sms, "push": push, "hook": hook}, ids)
        await notices.sender.close()
    await pool.close()


async def test_each_is_told_by_their_own_way_with_proof(town: Town) -> None:
    """One message a person; the app has it at once; the proof is each provider's own reference."""
    browser = Browser(town.peers["push"])
    know = town.notices.know
    assert await know("customer:1", Via.PUSH, browser.address, "id") is None
    assert await know("customer:2", Via.SMS, "0811 000 0002", "en") is None
    assert await know("customer:3", Via.EMAIL, "budi@example.org", "en") is None
    ways = (Via.IN_APP, Via.PUSH, Via.SMS, Via.EMAIL)
    told = [
        town.notice(to_customer(1, "id"), *ways),
        town.notice(to_customer(2, "en"), *ways),
        town.notice(to_customer(3, "en"), *ways),
    ]
    assert len((await town.notices.tell(told)).new) == 3
    assert [item.title for item in await town.notices.inbox(2)] == ["We are settling your payments"]
    await town.drain()
    assert browser.read()["title"] == "Pembayaran Anda sedang kami pastikan"
    assert town.peers["sms"].bodies[0]["text"] == (
        "3 of your payments, Rp54.000, on hold in your account. Next update by 14:00 WIB. "
        "Please do not send again."
    )
    assert town.mail.mails[0]["Subject"] == "We are settling your payments"
    proofs = [(await town.notices.tries(one.id))[-1] for one in told]
    assert [one.via for one in proofs] == [Via.PUSH, Via.SMS, Via.EMAIL]
    assert proofs[1].reference == "gw-17"
    assert proofs[2].reference == str(town.mail.mails[0]["Message-ID"])
    assert await town.notices.undelivered("incident:7") == []


async def test_a_gone_browser_a_dead_mailbox_and_the_sms_that_took_it(town: Town) -> None:
    town.peers["push"].answers = [410]
    town.mail.answers = ["rcpt 550 5.1.1 nobody here"]
    know = town.notices.know
    await know("customer:1", Via.PUSH, Browser(town.peers["push"]).address, "id")
    await know("customer:1", Via.EMAIL, "rani@example.org", "id")
    await know("customer:1", Via.SMS, "0811 000 0001", "id")
    notice = town.notice(to_customer(1, "id"), Via.PUSH, Via.EMAIL, Via.SMS)
    with capture_logs() as logs:
        await town.notices.tell([notice])
        await town.drain()
    tries = await town.notices.tries(notice.id)
    assert {(one.via, one.outcome, one.reference) for one in tries} == {
        (Via.PUSH, "rejected", ""), (Via.EMAIL, "rejected", ""), (Via.SMS, "delivered", "gw-17"),
    }  # fmt: skip
    said = json.dumps(logs, default=str)
    assert "notice.tried" in said
    for personal in ("rani@example.org", "628110000001", "Rp54", "BI-FAST", "customer:1"):
        assert personal not in said
    # What is gone is not tried again.
    again = town.notice(to_customer(1, "id"), Via.PUSH, Via.EMAIL, Via.SMS, step="stage-1")
    await town.notices.tell([again])
    await town.drain()
    assert [one.via for one in await town.notices.tries(again.id)] == [Via.SMS]


async def test_the_gateways_later_word(town: Town, clock: HandClock) -> None:
    """Signed by the gateway: kept as proof; lost on the way: the next one. Unsigned: nothing."""
    await town.notices.know("customer:1", Via.SMS, "0811 000 0001", "id")
    await town.notices.know("customer:1", Via.EMAIL, "rani@example.org", "id")
    notice = town.notice(to_customer(1, "id"), Via.SMS, Via.EMAIL)
    await town.notices.tell([notice])
    await town.drain()
    body = json.dumps({"id": "gw-17", "status": "undelivered"}).encode()
    assert isinstance(await town.notices.take_receipt({}, body), Refused)
    assert isinstance(await town.notices.take_receipt(signed("", body, clock.now()), body), Refused)
    await town.drain()
    assert town.mail.mails == []
    assert await town.notices.take_receipt(signed(KEY, body, clock.now()), body) is None
    await town.drain()
    assert len(town.mail.mails) == 1
    arrivals = {one.via: one.arrival for one in await town.notices.tries(notice.id)}
    assert arrivals == {Via.SMS: "lost", Via.EMAIL: ""}


async def test_a_machine_subscribes_agrees_is_told_and_leaves(town: Town, clock: HandClock) -> None:
    hook = town.peers["hook"]
    asked = await town.notices.subscribe(Via.WEBHOOK, hook.url, {"bifast": "BI-FAST"}, "en")
    assert not isinstance(asked, Refused)
    await town.drain()
    token = hook.bodies[0]["text"].partition("k?t=")[2].split()[0]
    agreed = await town.notices.confirm(token)
    assert not isinstance(agreed, Refused)
    assert agreed.webhook_address == hook.url
    [one] = await town.notices.subscribers_of(["bifast"])
    at = {"at": NOON.isoformat(), "count": 37, "arrived": 29, "returned": 8}
    resolved = town.notice(
        one.person, one.via, step="resolved", template="incident_money_resolved",
        values={"service": "BI-FAST", "by": NOON.isoformat(), **at},
    )  # fmt: skip
    assert len((await town.notices.tell([resolved, resolved])).new) == 1
    await town.drain()
    headers, body = hook.requests[1]
    assert is_signed(token_of(KEY, "webhook", hook.url), headers, body, clock.now())
    assert "Of 37 payments 29 arrived" in json.loads(body)["text"]
    assert len(hook.requests) == 2


async def test_a_provider_that_is_down_comes_back(town: Town, clock: HandClock) -> None:
    """Put off while it is down, with the same id each time; nothing is lost and others go on."""
    town.peers["sms"].answers = [503, 503]
    await town.notices.know("customer:1", Via.SMS, "0811 000 0001", "id")
    await town.notices.know("customer:2", Via.EMAIL, "budi@example.org", "id")
    await town.notices.tell(
        [
            town.notice(to_customer(1, "id"), Via.SMS),
            town.notice(to_customer(2, "id"), Via.EMAIL),
        ]
    )
    await town.drain()
    assert len(town.mail.mails) == 1
    for _ in range(2):
        clock.advance(60)
        await town.drain()
    bodies = town.peers["sms"].bodies
    assert len(bodies) == 3
    assert len({body["id"] for body in bodies}) == 1
    assert await town.notices.undelivered("incident:7") == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"link_key": "short"}, "link_key"),
        ({"link_key": KEY, "confirm_url": "https://x.example/k"}, "token"),
        ({"sms": SmsSettings(url="https://x.example", secret="")}, r"sms\.secret"),
        ({"webhook": WebhookSettings(secret_key="")}, r"webhook\.secret_key"),
        ({"rules": Rules(backoff_seconds=())}, "pause"),
        ({"rules": Rules(per_hour_max=0)}, "one an hour"),
        ({"rules": Rules(quiet_from_hour=24)}, "hours of the day"),
        ({"wording_path": "/nowhere"}, "nowhere"),
    ],
)
async def test_settings_that_would_promise_what_they_cannot(
    dsn: str, clock: HandClock, ids: Ids, changes: dict[str, Any], complaint: str
) -> None:
    pool = await Pool.open(dsn, size_max=1)
    with pytest.raises(Misconfigured, match=complaint):
        Notices(pool, 1, NoticesSettings(**changes), clock, ids)
    await pool.close()
