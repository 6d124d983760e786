"""Where the bank's other parts tell people something, and where people say how to be told.

Callers hand over everything: whom, about which matter, with which values. A notice is written down
in the words it will be read in; a text or a value that breaks a rule is refused here, not later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from tangguh.core.clock import Clock
from tangguh.core.errors import Misconfigured
from tangguh.core.ids import Ids
from tangguh.core.outcome import Refusal, Refused
from tangguh.db.pool import Pool
from tangguh.notices.address import PushAddress, address_of
from tangguh.notices.channels.channel import Channel
from tangguh.notices.channels.mail import EmailChannel
from tangguh.notices.channels.push import PushChannel
from tangguh.notices.channels.sms import SmsChannel
from tangguh.notices.channels.webhook import WebhookChannel, secret_of
from tangguh.notices.inbox import Count, Inbox, Item, Listed, Try
from tangguh.notices.notice import Notice, Person, Urgency, Via, refuse_notice
from tangguh.notices.retention import Retention
from tangguh.notices.sender import Sender
from tangguh.notices.settings import NoticesSettings
from tangguh.notices.signature import Receipt, receipt_of
from tangguh.notices.store import NOTICES, NoticeStore, Written
from tangguh.notices.subscribers import Asked, Confirmed, Subscriber, Subscribers
from tangguh.notices.texts import Texts, Words

_INBOX_MAX: Final = 50
_LIST_MAX: Final = 10_000
_ADDRESSES_MAX: Final = 10
"""By one way: a person has few devices, and every address is called for every notice."""
_TOLD_AT_ONCE: Final = 500
_LAST_HOUR: Final = 23
_KEY_CHARACTERS_MIN: Final = 32
_KEEP_DAYS_MIN: Final = 180
"""A case may run for months; what it is about must still be there."""
SUBSCRIBABLE: Final = (Via.EMAIL, Via.SMS, Via.WEBHOOK)


class Told(msgspec.Struct, frozen=True):
    """What became of many notices: written down now, told before, refused and why."""

    new: frozenset[UUID]
    known: int
    refused: Mapping[UUID, Refused]


class Notices:
    """One book's word to people. ``sender`` brings it out, ``retention`` forgets it in the end; run
    each in one process or in several.
    """

    def __init__(
        self, pool: Pool, book_id: int, settings: NoticesSettings, clock: Clock, ids: Ids
    ) -> None:
        """Raises Misconfigured: texts that break a rule, a channel that cannot be, a weak key."""
        _check(settings)
        self._pool, self._book_id = pool, book_id
        self._settings = settings
        self._clock, self._ids = clock, ids
        self._texts = texts_in(settings.wording_path)
        self._store = NoticeStore(pool, book_id, settings.rules)
        self._inbox = Inbox(pool, book_id)
        self._subscribers = Subscribers(pool, book_id, settings, clock, ids)
        self.channels = channels_of(settings, self._texts, clock)
        self.sender = Sender(self._store, self.channels, settings, clock)
        self.retention = Retention(pool, book_id, settings.keep_days, clock)

    async def tell(self, notices: Sequence[Notice]) -> Told:
        """Write notices down in their readers' words; they are in the app at once.

        The same (person, matter, step) again is known, and changes nothing.
        """
        new: set[UUID] = set()
        known = 0
        refused: dict[UUID, Refused] = {}
        # In pieces: whoever shares this event loop is not kept waiting by a hundred thousand texts.
        for start in range(0, len(notices), _TOLD_AT_ONCE):
            written: list[Written] = []
            for notice in notices[start : start + _TOLD_AT_ONCE]:
                words = self._words_of(notice)
                if isinstance(words, Refused):
                    refused[notice.id] = words
                else:
                    written.append(Written(notice, words))
            added = await self._store.add(written)
            new |= added
            known += len(written) - len(added)
        return Told(frozenset(new), known, refused)

    def needs_of(self, template: str, language: str) -> tuple[str, ...]:
        """The values a text needs from whoever tells it. Raises KeyError for no such text."""
        needs = self._texts.templates[template, language].needs
        return tuple(name for name in needs if name != "link")

    async def know(
        self, person: str, via: Via, address: str, language: str, *, is_confirmed: bool = True
    ) -> Refused | None:
        """Keep where somebody can be reached; of many addresses by one way, the newest.

        A browser is one person's: whoever agreed there last. Refuses ORDER_INVALID for what is no
        address.
        """
        kept = address_of(via, address)
        if isinstance(kept, Refused):
            return kept
        now = self._clock.now()
        async with self._pool.transaction() as tx:
            await tx.fetch(
                NOTICES["know_address"], self._book_id, self._ids.next(), person, via, kept,
                language, now, now if is_confirmed else None,
            )  # fmt: skip
            if via is Via.PUSH:
                await tx.fetch(NOTICES["take_browser"], self._book_id, kept, person)
            most = _ADDRESSES_MAX
            await tx.fetch(NOTICES["keep_newest"], self._book_id, person, via, most)
        return None

    async def forget(self, person: str, via: Via, address: str) -> bool:
        """Take an address back; whether it was known."""
        kept = address_of(via, address)
        if isinstance(kept, Refused):
            return False
        row = await self._pool.fetchrow(NOTICES["forget_address"], self._book_id, person, via, kept)
        return row is not None

    async def inbox(
        self, customer_id: int, most: int = _INBOX_MAX, before: UUID | None = None
    ) -> list[Item]:
        """What a customer finds in the app, newest first; ``before``: the last one seen so far."""
        return await self._inbox.items(customer(customer_id), most, before)

    async def count_unread(self, customer_id: int) -> int:
        """How many of them are new."""
        return await self._inbox.count_unread(customer(customer_id))

    async def mark_read(self, customer_id: int, ids: Sequence[UUID]) -> int:
        """The customer has seen them; how many were new."""
        return await self._inbox.mark_read(customer(customer_id), ids, self._clock.now())

    async def undelivered(self, matter: str, most: int = _LIST_MAX) -> list[Listed]:
        """Whom no way has reached: with ``counts``, everybody is delivered or listed."""
        return await self._inbox.undelivered(matter, most)

    async def counts(self, matter: str) -> list[Count]:
        """How many notices of a matter are where, by step."""
        return await self._inbox.counts(matter)

    async def tries(self, notice_id: UUID) -> list[Try]:
        """Every try of one notice: the proof of delivery."""
        return await self._inbox.tries(notice_id)

    async def subscribe(
        self, via: Via, address: str, components: Mapping[str, str], language: str
    ) -> Asked | Refused:
        """Somebody wants word about components (id to name): they are asked to agree first."""
        asked = await self._subscribers.ask(via, address, list(components), language)
        if isinstance(asked, Refused):
            return asked
        await self.tell([self._question(asked, ", ".join(components.values()))])
        return asked

    async def confirm(self, token: str) -> Confirmed | Refused:
        """The owner of an address agrees. Refuses CHANGE_NOT_FOUND."""
        return await self._subscribers.confirm(token)

    async def unsubscribe(self, token: str, components: Sequence[str] = ()) -> bool:
        """No more word about some components, or, with none named, about any."""
        return await self._subscribers.end(token, components)

    async def subscribers_of(self, components: Sequence[str]) -> list[Subscriber]:
        """Everybody to be told about one of some components, each once."""
        return await self._subscribers.of(components)

    async def take_receipt(self, headers: Mapping[str, str], body: bytes) -> Refused | None:
        """The SMS gateway's callback. Refuses ORDER_INVALID: not the gateway's, not understood."""
        sms = self._settings.sms
        if sms is None:  # an empty secret would let everybody sign
            return Refused(Refusal.ORDER_INVALID, "signature", "this bank has no gateway")
        receipt = receipt_of(headers, body, sms.secret, self._clock.now())
        if isinstance(receipt, Receipt):
            await self._store.take_receipt(Via.SMS, receipt, self._clock.now())
            return None
        return receipt

    @property
    def ways(self) -> tuple[Via, ...]:
        """The ways somebody may subscribe by; none without a key for the links."""
        if not self._settings.link_key:
            return ()
        return tuple(via for via in SUBSCRIBABLE if via in self.channels)

    async def browsers(self, customer_id: int) -> list[str]:
        """The browsers a customer is pushed to: the SHA-256 of each endpoint, in hex."""
        rows = await self._pool.fetch(
            NOTICES["list_addresses"], self._book_id, [customer(customer_id)], Via.PUSH
        )
        found = [msgspec.json.decode(row["address"], type=PushAddress) for row in rows]
        return [hashlib.sha256(one.endpoint.encode()).hexdigest() for one in found]

    @property
    def push_key(self) -> str:
        """What a browser needs to agree to web push; empty when the bank pushes nothing."""
        push = self.channels.get(Via.PUSH)
        return push.application_key if isinstance(push, PushChannel) else ""

    def webhook_secret(self, address: str) -> str:
        """What the owner of a webhook judges our signatures with; empty without webhooks."""
        webhook = self._settings.webhook
        return secret_of(webhook, address) if webhook else ""

    def _words_of(self, notice: Notice) -> Words | Refused:
        return refuse_notice(notice) or self._texts.render(
            notice.template,
            notice.to.language,
            notice.values,
            now=notice.made_at,
            ticket=notice.ticket,
        )

    def _question(self, asked: Asked, names: str) -> Notice:
        return Notice(
            id=self._ids.next(),
            to=asked.person,
            matter=f"subscription:{asked.id}",
            step="confirm",
            template="subscription_confirm",
            values={"components": names, "by": asked.expires_at},
            channels=(asked.via,),
            made_at=self._clock.now(),
            urgency=Urgency.NOW,
        )


@lru_cache(maxsize=4)
def texts_in(path: str) -> Texts:
    """The texts of a folder, read and judged once a process; empty: those that come along."""
    return Texts(Path(path) if path else None)


def customer(customer_id: int) -> str:
    """The name of a customer among the people notices are for."""
    return f"customer:{customer_id}"


def to_customer(customer_id: int, language: str) -> Person:
    """A customer as a reader."""
    return Person(customer(customer_id), language)


def channels_of(settings: NoticesSettings, texts: Texts, clock: Clock) -> dict[Via, Channel]:
    """The ways out that are configured. Raises Misconfigured for one that cannot be."""
    found: dict[Via, Channel] = {}
    if settings.push:
        found[Via.PUSH] = PushChannel(settings.push, clock)
    if settings.sms:
        found[Via.SMS] = SmsChannel(settings.sms, clock)
    if settings.email:
        found[Via.EMAIL] = EmailChannel(settings.email, texts.letters, clock)
    if settings.webhook:
        found[Via.WEBHOOK] = WebhookChannel(settings.webhook, clock)
    return found


def _check(settings: NoticesSettings) -> None:
    """An empty secret signs for everybody; a link without its token leads nowhere; a rule without
    room or tries tells nobody.
    """
    rules = settings.rules
    hours = (rules.quiet_from_hour, rules.quiet_until_hour)
    if rules.per_hour_max < 1 or not rules.backoff_seconds or min(rules.backoff_seconds) <= 0:
        raise Misconfigured("notices.rules: at least one an hour, and at least one pause")
    if not all(0 <= hour <= _LAST_HOUR for hour in hours):
        raise Misconfigured("notices.rules: quiet hours are hours of the day")
    if settings.keep_days < _KEEP_DAYS_MIN:
        raise Misconfigured(f"notices.keep_days: at least {_KEEP_DAYS_MIN}")
    keys = {
        "link_key": settings.link_key if settings.link_key else None,
        "sms.secret": settings.sms.secret if settings.sms else None,
        "webhook.secret_key": settings.webhook.secret_key if settings.webhook else None,
    }
    for name, key in keys.items():
        if key is not None and len(key) < _KEY_CHARACTERS_MIN:
            raise Misconfigured(f"notices.{name}: at least {_KEY_CHARACTERS_MIN} characters")
    if settings.link_key:
        for url in (settings.confirm_url, settings.unsubscribe_url):
            if not url.startswith(("https://", "http://")) or "{token}" not in url:
                raise Misconfigured("notices: confirm_url and unsubscribe_url hold {token}")
