"""Brings what is due out of the house: claims, delivers, writes down, each way for itself.

A try is written down before it is made. A sender that dies between a delivery and its record sends
it again once its lease is over, with the same key (the Message-ID, the gateway's and the webhook's
id), so that a provider can drop the second. Twice at worst, never not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import structlog

from tangguh.core.clock import Clock
from tangguh.core.errors import TangguhError
from tangguh.core.supervision import beat
from tangguh.notices.channels.channel import (
    Channel,
    Delivered,
    Delivery,
    Later,
    Message,
    Rejected,
)
from tangguh.notices.notice import OUTSIDE, Move, Urgency, Via, delivered, pass_on, put_off
from tangguh.notices.settings import NoticesSettings
from tangguh.notices.store import Address, Claimed, Ended, NoticeStore
from tangguh.notices.subscribers import confirm_token, unsubscribe_token
from tangguh.notices.values import LINK

log = structlog.get_logger("notices")

_CLAIMS_PER_SLOT: Final = 4
"""How many notices are claimed for each that is brought at once: what a lease has to cover."""
_LEASE_MARGIN_SECONDS: Final = 60.0
_SLACK_SECONDS: Final = 1.0
_PASSED_ON_MAX: Final = 200


class Sender:
    """Works through what is due until stopped. Several may run on one book."""

    def __init__(
        self,
        store: NoticeStore,
        channels: Mapping[Via, Channel],
        settings: NoticesSettings,
        clock: Clock,
    ) -> None:
        self._store = store
        self._channels = channels
        self._settings = settings
        self._clock = clock

    async def run(self) -> None:
        """Round after round, each way for itself, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for via in OUTSIDE:
                group.create_task(self._run(via))

    async def round(self) -> int:
        """Look once at everything that is due, every way; how many notices that was."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._round(via)) for via in OUTSIDE]
        return sum(task.result() for task in tasks)

    async def close(self) -> None:
        """Let go of every connection."""
        for channel in self._channels.values():
            await channel.close()

    async def _run(self, via: Via) -> None:
        while True:
            beat()
            try:
                found = await self._round(via)
            except TangguhError as trouble:
                log.warning("notices.round_failed", via=via, why=str(trouble))
                found = 0
            if not found:
                await self._clock.sleep(self._settings.round_seconds)

    async def _round(self, via: Via) -> int:
        channel = self._channels.get(via)
        found, claimed = await self._store.claim(
            via,
            has_channel=channel is not None,
            now=self._clock.now(),
            lease_seconds=_lease_of(channel),
            most=channel.at_once * _CLAIMS_PER_SLOT if channel else _PASSED_ON_MAX,
        )
        if channel is not None and claimed:
            at_once = asyncio.Semaphore(channel.at_once)
            done: asyncio.Queue[Ended] = asyncio.Queue()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._record(via, done, len(claimed)))
                for one in claimed:
                    group.create_task(self._bring(channel, one, at_once, done))
        return found

    async def _bring(
        self,
        channel: Channel,
        one: Claimed,
        at_once: asyncio.Semaphore,
        done: asyncio.Queue[Ended],
    ) -> None:
        """One notice to every address its reader has for this way: one that takes it is enough."""
        async with at_once:
            tried = [
                (address, await self._deliver(channel, one, address)) for address in one.addresses
            ]
        move = _judge([said for _, said in tried], one, self._clock.now(), self._settings)
        done.put_nowait(Ended(one.open, tuple(tried), move))
        log.info(
            "notice.tried", notice=str(one.open.id), via=str(one.open.via),
            attempt=one.open.attempts, state=str(move.state),
            outcomes=[type(said).__name__.lower() for _, said in tried],
        )  # fmt: skip

    async def _record(self, via: Via, done: asyncio.Queue[Ended], count: int) -> None:
        """Write down ends as they come: all that came while the last were written, together."""
        while count:
            ended = [await done.get()]
            while not done.empty():
                ended.append(done.get_nowait())
            count -= len(ended)
            try:
                await self._store.end(via, ended, self._clock.now())
            except Exception as trouble:
                # Whatever it was: they stay claimed, and are brought again with the same keys when
                # the lease is over, as often as any other try.
                ids = [str(one.open.id) for one in ended]
                log.warning("notices.not_recorded", notices=ids, why=type(trouble).__name__)

    async def _deliver(self, channel: Channel, one: Claimed, address: Address) -> Delivery:
        """One try at one address. A channel that raises is a bug, and costs this try alone."""
        try:
            async with asyncio.timeout(channel.timeout_seconds + _SLACK_SECONDS):
                return await channel.deliver(self._message(one, address), address.text)
        except TimeoutError:
            return Later("no answer in time")
        except Exception as broken:
            # Its name only: the words of an exception may hold somebody's address.
            log.warning(
                "notices.channel_broken", via=channel.via, notice=str(one.open.id),
                error=type(broken).__name__,
            )  # fmt: skip
            return Later("the channel broke")

    def _message(self, one: Claimed, address: Address) -> Message:
        notice, words = one.open, one.words
        key, unsubscribe_url, link = self._settings.link_key, "", ""
        subject, _, name = one.matter.partition(":")
        if subject == "subscription":
            link = _url(self._settings.confirm_url, confirm_token(key, name))
        elif notice.person.startswith("subscriber:") and key:
            url = self._settings.unsubscribe_url
            unsubscribe_url = _url(url, unsubscribe_token(key, notice.person)) if url else ""
        return Message(
            key=f"{notice.id.hex}.{address.id.hex}",
            notice_id=str(notice.id),
            matter=one.matter,
            step=one.step,
            language=one.language,
            title=words.title,
            text=words.text.replace(LINK, link),
            sms=words.sms.replace(LINK, link),
            made_at=one.made_at.isoformat(),
            is_urgent=notice.urgency is Urgency.NOW,
            unsubscribe_url=unsubscribe_url,
        )


def _judge(
    deliveries: Sequence[Delivery], one: Claimed, now: datetime, settings: NoticesSettings
) -> Move:
    """What the tries at all addresses of one person come to: one yes is yes."""
    if any(isinstance(delivery, Delivered) for delivery in deliveries):
        return delivered(one.open, now=now)
    later = [delivery for delivery in deliveries if isinstance(delivery, Later)]
    if later:
        asked = [one.after_seconds for one in later if one.after_seconds is not None]
        return put_off(
            one.open, later[0].why, now=now, rules=settings.rules,
            after_seconds=max(asked, default=None),
        )  # fmt: skip
    why = next(delivery.why for delivery in deliveries if isinstance(delivery, Rejected))
    return pass_on(one.open, why, now=now, rules=settings.rules)


def _lease_of(channel: Channel | None) -> float:
    """How long a claim holds: every address of every notice of a round at its slowest.

    A person has few addresses by one way; with more than the margin allows, a second sender may
    begin while the first is still at it, with the same keys.
    """
    if channel is None:
        return _LEASE_MARGIN_SECONDS
    return _LEASE_MARGIN_SECONDS + 2 * _CLAIMS_PER_SLOT * (channel.timeout_seconds + _SLACK_SECONDS)


def _url(pattern: str, token: str) -> str:
    return pattern.replace("{token}", token)
