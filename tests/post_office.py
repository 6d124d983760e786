"""The simulated post on free ports, and the bank's two channels that write to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from conftest import NOON
from rails.harness import WatchedClock
from tangguh.cli.post.certificate import certificate
from tangguh.notices.channels.channel import Message
from tangguh.notices.channels.mail import EmailChannel
from tangguh.notices.channels.sms import SmsChannel
from tangguh.notices.settings import EmailSettings, SmsSettings
from tangguh.notices.texts import Texts
from tangguh.sim.faults import AnyFault, Plan
from tangguh.sim.post.post import Post, PostSettings

SECRET = "what the bank and its gateway sign with"
LOGIN = ("bank", "the password of a mail server")
PHONE = "628110000001"
READER = "rani@post.example"
MESSAGE = Message(
    key="0001.0002", notice_id="0001", matter="payment:7", step="begun", language="id",
    title="Pembayaran Anda sedang kami pastikan", text="Rp25.000 ditahan.\nKabar 14.05 WIB.",
    sms="Rp25.000 ditahan. Kabar 14.05 WIB.", made_at="2026-03-20T05:00:00+00:00",
)  # fmt: skip


class Office:
    """One post, its clock, and the bank's side of both lines."""

    def __init__(self, post: Post, clock: WatchedClock, ca_path: Path) -> None:
        self.post, self.clock, self.ca_path = post, clock, ca_path

    def sms(self, **changes: Any) -> SmsChannel:
        settings = SmsSettings(url=self.post.address, secret=SECRET)
        return SmsChannel(msgspec.structs.replace(settings, **changes), self.clock)

    def mail(self, **changes: Any) -> EmailChannel:
        settings = EmailSettings(
            host="127.0.0.1", port=self.post.mail_port, sender="Bank Tangguh <kabar@bank.example>",
            username=LOGIN[0], password=LOGIN[1], ca_path=str(self.ca_path),
        )  # fmt: skip
        return EmailChannel(
            msgspec.structs.replace(settings, **changes), Texts().letters, self.clock
        )

    async def break_by(self, *faults: AnyFault) -> None:
        await self.post.put_plan(Plan(faults=faults))

    async def after(self, seconds: float, asked: Awaitable[Any]) -> Any:
        """What comes of it once the post has fallen asleep over it and slept so long."""
        coming = asyncio.ensure_future(asked)
        async with asyncio.timeout(10):
            await self.clock.sleeper.acquire()
            self.clock.advance(seconds)
            return await coming

    @property
    def kept(self) -> list[dict[str, Any]]:
        """Every message, the newest first, as the control port shows them."""
        found: list[dict[str, Any]] = msgspec.to_builtins(self.post.books({})["messages"])
        return found


def post_settings(keys: Path, books: Path) -> PostSettings:
    """A post on free ports, whose receipts go out only when it is told so."""
    # The certificate is judged by TLS, which reads the machine's clock.
    pem, private = certificate(keys, "post", datetime.now(UTC))
    return PostSettings(
        secret=SECRET, username=LOGIN[0], password=LOGIN[1], certificate_path=str(pem),
        private_key_path=str(private), books_path=str(books / "post.sqlite"), receipt_seconds=None,
    )  # fmt: skip


@asynccontextmanager
async def office(keys: Path, books: Path, **changes: Any) -> AsyncIterator[Office]:
    """A post that is open, with these settings changed."""
    settings = msgspec.structs.replace(post_settings(keys, books), **changes)
    clock = WatchedClock(NOON)
    post = Post(settings, clock)
    await post.open()
    try:
        yield Office(post, clock, Path(settings.certificate_path))
    finally:
        await post.close()
