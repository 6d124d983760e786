"""Subscriptions: anybody may ask for word about single components, and must agree twice.

The confirming token and the one that ends it are made from the bank's key and the subscription's
id, kept as hashes, and put into the message only while it is sent. Whoever asks is told the same,
whether the address is known or not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from tangguh.core.clock import Clock
from tangguh.core.errors import RowTaken
from tangguh.core.ids import Ids
from tangguh.core.outcome import Refusal, Refused
from tangguh.db.pool import Connection, Pool
from tangguh.notices.address import address_of
from tangguh.notices.notice import Person, Via
from tangguh.notices.settings import NoticesSettings
from tangguh.notices.signature import hash_of, token_of
from tangguh.notices.store import NOTICES, forget_subscriber

CONFIRM_WITHIN: Final = timedelta(hours=24)
_COMPONENTS_MAX: Final = 100
_COMPONENT: Final = re.compile(r"[a-z0-9_.-]{1,60}")


class Asked(msgspec.Struct, frozen=True):
    """A subscription nobody has confirmed yet."""

    id: UUID
    person: Person
    via: Via
    expires_at: str


class Confirmed(msgspec.Struct, frozen=True):
    """A live subscription. ``webhook_address`` is set for a webhook, whose secret is told now."""

    person: str
    components: tuple[str, ...]
    webhook_address: str = ""


class Subscriber(msgspec.Struct, frozen=True):
    """Somebody to be told, and by which way."""

    person: Person
    via: Via


class Subscribers:
    """Who wants to know what, in one book."""

    def __init__(
        self, pool: Pool, book_id: int, settings: NoticesSettings, clock: Clock, ids: Ids
    ) -> None:
        self._pool = pool
        self._book_id = book_id
        self._settings = settings
        self._clock = clock
        self._ids = ids

    async def ask(
        self, via: Via, given: str, components: Sequence[str], language: str
    ) -> Asked | Refused:
        """Keep a wish. Refuses ORDER_INVALID: no address, no component, no language, or a bank
        without a key for its links.
        """
        address = self._refuse(components, language) or address_of(via, given)
        if isinstance(address, Refused):
            return address
        now, subscription = self._clock.now(), self._ids.next()
        try:
            person = await self._keep(via, address, components, language, subscription)
        except RowTaken:
            # Two asked for the same new address at once: the second finds the first.
            person = await self._keep(via, address, components, language, subscription)
        until = now + CONFIRM_WITHIN
        return Asked(subscription, Person(person, language), via, until.isoformat())

    async def confirm(self, token: str) -> Confirmed | Refused:
        """The address's owner agrees. Refuses CHANGE_NOT_FOUND: no such token, or too late."""
        now = self._clock.now()
        async with self._pool.transaction() as tx:
            row = await tx.fetchrow(
                NOTICES["confirm_subscription"], self._book_id, hash_of(token), now
            )
            if row is None:
                return Refused(Refusal.CHANGE_NOT_FOUND, "token", "unknown, ended or too late")
            found = await tx.fetchrow(NOTICES["confirm_address"], self._book_id, row["person"], now)
        is_webhook = found is not None and found["via"] == Via.WEBHOOK
        return Confirmed(
            row["person"], tuple(row["components"]), found["address"] if is_webhook else ""
        )

    async def end(self, token: str, components: Sequence[str] = ()) -> bool:
        """No more word about some components, or, with none named, about any. Whether there was."""
        digest, now = hash_of(token), self._clock.now()
        async with self._pool.transaction() as tx:
            rows = await tx.fetch(
                NOTICES["end_subscription"], self._book_id, digest, list(components), now
            )
            for person in {row["person"] for row in rows}:
                await forget_subscriber(tx, self._book_id, person)
        return bool(rows)

    async def of(self, components: Sequence[str]) -> list[Subscriber]:
        """Everybody to be told about one of some components, each once."""
        rows = await self._pool.fetch(NOTICES["list_subscribers"], self._book_id, list(components))
        return [Subscriber(Person(row[0], row[1]), Via(row[2])) for row in rows]

    def _refuse(self, components: Sequence[str], language: str) -> Refused | None:
        if not self._settings.link_key:
            return Refused(Refusal.ORDER_INVALID, "link_key", "this bank takes no subscriptions")
        if not 0 < len(components) <= _COMPONENTS_MAX or not all(
            _COMPONENT.fullmatch(one) for one in components
        ):
            return Refused(Refusal.ORDER_INVALID, "components", "name what to be told about")
        if language not in ("id", "en"):
            return Refused(Refusal.ORDER_INVALID, "language", "id or en")
        return None

    async def _keep(
        self, via: Via, address: str, components: Sequence[str], language: str, subscription: UUID
    ) -> str:
        now = self._clock.now()
        async with self._pool.transaction() as tx:
            person = await self._person(tx, via, address, language)
            key = self._settings.link_key
            await tx.fetch(
                NOTICES["add_subscription"],
                self._book_id,
                subscription,
                person,
                sorted(set(components)),
                now,
                now + CONFIRM_WITHIN,
                hash_of(confirm_token(key, str(subscription))),
                hash_of(unsubscribe_token(key, person)),
            )
        return person

    async def _person(self, tx: Connection, via: Via, address: str, language: str) -> str:
        row = await tx.fetchrow(NOTICES["find_subscriber"], self._book_id, via, address)
        person = str(row["person"]) if row else f"subscriber:{self._ids.next()}"
        await tx.fetch(
            NOTICES["know_address"], self._book_id, self._ids.next(), person, via, address,
            language, self._clock.now(), None,
        )  # fmt: skip
        return person


def confirm_token(key: str, subscription: str) -> str:
    """What the owner of an address shows to agree."""
    return token_of(key, "confirm", subscription)


def unsubscribe_token(key: str, person: str) -> str:
    """What ends every subscription of one subscriber, or some components of it."""
    return token_of(key, "unsubscribe", person)
