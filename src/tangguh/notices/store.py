"""Notices in the database: told once, claimed by one sender at a time, every try written down.

Rows of ``notices`` hold what was told in the words it was told in; rows of ``notice_deliveries``
hold every try, with the provider's reference. No values, no tokens: a link is filled when sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from tangguh.db.pool import Connection, Pool
from tangguh.db.queries import Queries
from tangguh.notices.channels.channel import Delivered, Delivery, Later, Rejected
from tangguh.notices.notice import (
    HOUR,
    OWN_LIMITS,
    Move,
    Notice,
    Open,
    Reach,
    Rules,
    State,
    Urgency,
    Via,
    before_sending,
    first_move,
    pass_on,
)
from tangguh.notices.signature import Arrival, Receipt
from tangguh.notices.texts import Words

NOTICES: Final = Queries("tangguh.notices", "notices.sql")

_SAID_MAX: Final = 200


class Written(msgspec.Struct, frozen=True):
    """A notice and the words it was told in."""

    notice: Notice
    words: Words


class Address(msgspec.Struct, frozen=True):
    """One address of a person; a subscriber's is not confirmed before they answered from it."""

    id: UUID
    text: str
    is_confirmed: bool = True


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that is this sender's for a while: where to bring it, and its words."""

    open: Open
    addresses: tuple[Address, ...]
    language: str
    matter: str
    step: str
    words: Words
    made_at: datetime


class Ended(msgspec.Struct, frozen=True):
    """A claimed notice after its try: what each address said, and what follows."""

    open: Open
    deliveries: tuple[tuple[Address, Delivery], ...]
    move: Move


class NoticeStore:
    """The rows of one book."""

    def __init__(self, pool: Pool, book_id: int, rules: Rules) -> None:
        self._pool = pool
        self._book_id = book_id
        self._rules = rules

    async def add(self, written: Sequence[Written]) -> set[UUID]:
        """Keep notices, in one statement; the ids of those that nobody had told before."""
        if not written:
            return set()
        rows = [_row_of(one, self._rules) for one in written]
        kept = await self._pool.fetch(NOTICES["add_notices"], self._book_id, *_columns(rows))
        return {row["notice_id"] for row in kept}

    async def claim(
        self, via: Via, *, has_channel: bool, now: datetime, lease_seconds: float, most: int
    ) -> tuple[int, list[Claimed]]:
        """How many were due by one way, and those of them to be brought now.

        The others are moved: to the end of the quiet hours, to the next way, or to their end. Every
        try is written down as under way; should this sender die, it is due again after the lease.
        """
        async with self._pool.transaction() as tx:
            rows = await tx.fetch(NOTICES["claim_notices"], self._book_id, via, now, most)
            if not rows:
                return 0, []
            ids, people = [row["notice_id"] for row in rows], [row["person"] for row in rows]
            await tx.fetch(NOTICES["take_turns"], self._book_id, people)
            await tx.fetch(NOTICES["lose_deliveries"], self._book_id, ids, now)
            addresses = await self._addresses(tx, people, via)
            recent = await self._recent(tx, people, via, now)
            moves: list[tuple[Open, Move]] = []
            claimed: list[Claimed] = []
            for row in rows:
                one = _open_of(row)
                at = _usable(addresses.get(one.person, ()), row["matter"])
                reach = _reach(
                    recent.setdefault(one.person, {}), one.id, at, has_channel=has_channel
                )
                move = before_sending(one, reach, now=now, rules=self._rules)
                if move.state is State.SENDING:
                    recent[one.person][one.id] = now
                    move = msgspec.structs.replace(
                        move, due_at=now + timedelta(seconds=lease_seconds)
                    )
                    claimed.append(_claimed(row, one, move, at))
                moves.append((one, move))
            await self._move_all(tx, moves)
            await self._begin(tx, via, claimed, now)
        return len(rows), claimed

    async def end(self, via: Via, ended: Sequence[Ended], now: datetime) -> None:
        """Write down what became of tries of one way. A notice that another sender has claimed
        meanwhile keeps that sender's state; the try is told all the same.
        """
        tries = [
            (one.open.id, one.open.attempts, address.id, *_told(delivery))
            for one in ended
            for address, delivery in one.deliveries
        ]
        moves = [
            (one.open.id, one.open.attempts, one.move.state, one.move.via or "",
             one.move.attempts, one.move.due_at, one.move.reason)
            for one in ended
        ]  # fmt: skip
        gone = [
            (address.id, delivery.why)
            for one in ended
            for address, delivery in one.deliveries
            if isinstance(delivery, Rejected) and delivery.gone
        ]
        async with self._pool.transaction() as tx:
            await tx.fetch(NOTICES["end_deliveries"], self._book_id, via, now, *_columns(tries))
            await tx.fetch(NOTICES["conclude_notices"], self._book_id, via, *_columns(moves))
            if gone:
                await tx.fetch(NOTICES["lose_addresses"], self._book_id, now, *_columns(gone))

    async def take_receipt(self, via: Via, receipt: Receipt, now: datetime) -> bool:
        """A provider's later word; whether it is about a message of ours and says something new.

        What was taken and then lost goes on to the next way.
        """
        async with self._pool.transaction() as tx:
            row = await tx.fetchrow(
                NOTICES["note_arrival"], self._book_id, via, receipt.reference, receipt.arrival, now
            )
            if row is None:
                return False
            if receipt.arrival is Arrival.LOST:
                found = await tx.fetchrow(
                    NOTICES["find_delivered"], self._book_id, row["notice_id"], via
                )
                if found is not None:
                    one = _open_of(found)
                    why = "taken, and did not arrive"
                    await self._move_all(tx, [(one, pass_on(one, why, now=now, rules=self._rules))])
        return True

    async def _addresses(
        self, tx: Connection, people: list[str], via: Via
    ) -> dict[str, tuple[Address, ...]]:
        found: dict[str, tuple[Address, ...]] = {}
        for row in await tx.fetch(NOTICES["list_addresses"], self._book_id, people, via):
            address = Address(row["address_id"], row["address"], row["confirmed"])
            found[row["person"]] = (*found.get(row["person"], ()), address)
        return found

    async def _recent(
        self, tx: Connection, people: list[str], via: Via, now: datetime
    ) -> dict[str, dict[UUID, datetime]]:
        found: dict[str, dict[UUID, datetime]] = {}
        rows = await tx.fetch(
            NOTICES["list_recent"], self._book_id, people, via, now - HOUR, OWN_LIMITS
        )
        for row in rows:
            found.setdefault(row["person"], {})[row["notice_id"]] = row["began_at"]
        return found

    async def _move_all(self, tx: Connection, moves: Sequence[tuple[Open, Move]]) -> None:
        rows = [
            (one.id, move.state, move.via or "", move.attempts, move.due_at, move.reason)
            for one, move in moves
        ]
        await tx.fetch(NOTICES["move_notices"], self._book_id, *_columns(rows))

    async def _begin(
        self, tx: Connection, via: Via, claimed: Sequence[Claimed], now: datetime
    ) -> None:
        rows = [
            (one.open.id, one.open.attempts, address.id, one.open.person)
            for one in claimed
            for address in one.addresses
        ]
        if rows:
            await tx.fetch(NOTICES["begin_deliveries"], self._book_id, via, now, *_columns(rows))


async def forget_subscriber(tx: Connection, book_id: int, person: str) -> None:
    """Let go of a subscriber's address, unless they still want anything or ask for it right now.

    Two statements: the second sees what was written while the first waited.
    """
    await tx.fetch(NOTICES["lock_subscriber"], book_id, person)
    await tx.fetch(NOTICES["forget_subscriber"], book_id, person)


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _told(delivery: Delivery) -> tuple[str, str, str]:
    """Outcome, reference and words of one delivery, as they are kept."""
    if isinstance(delivery, Delivered):
        return "delivered", _storable(delivery.reference), _storable(delivery.said)
    outcome = "later" if isinstance(delivery, Later) else "rejected"
    return outcome, "", _storable(delivery.why)


def _storable(said: str) -> str:
    """What a stranger's server said, as the database takes it."""
    return "".join(one if one.isprintable() else " " for one in said[:_SAID_MAX])


def _row_of(written: Written, rules: Rules) -> tuple[Any, ...]:
    notice, words = written.notice, written.words
    move = first_move(notice, rules)
    return (
        notice.id, notice.to.id, notice.to.language, notice.matter, notice.step, notice.template,
        notice.urgency, ",".join(notice.outside), notice.is_in_app, words.title, words.text,
        words.sms, notice.made_at, move.state, move.via or "", move.attempts, move.due_at,
        move.reason,
    )  # fmt: skip


def _open_of(row: Mapping[str, Any]) -> Open:
    return Open(
        id=row["notice_id"],
        person=row["person"],
        channels=tuple(Via(via) for via in row["channels"].split(",")),
        via=Via(row["via"]),
        attempts=row["attempts"],
        urgency=Urgency(row["urgency"]),
        is_in_app=row["in_app"],
        template=row["template"],
        tried=row["tried"],
        reason=row["reason"],
    )


def _usable(addresses: Sequence[Address], matter: str) -> tuple[Address, ...]:
    """Only the question itself goes to an address nobody has answered from."""
    if matter.startswith("subscription:"):
        return tuple(addresses)
    return tuple(address for address in addresses if address.is_confirmed)


def _reach(
    recent: Mapping[UUID, datetime], own: UUID, at: Sequence[Address], *, has_channel: bool
) -> Reach:
    others = [began_at for notice_id, began_at in recent.items() if notice_id != own]
    return Reach(has_channel, bool(at), len(others), min(others, default=None))


def _claimed(
    row: Mapping[str, Any], one: Open, move: Move, addresses: tuple[Address, ...]
) -> Claimed:
    return Claimed(
        open=msgspec.structs.replace(one, attempts=move.attempts, tried=True),
        addresses=addresses,
        language=row["language"],
        matter=row["matter"],
        step=row["step"],
        words=Words(row["title"], row["body"], row["sms"]),
        made_at=row["made_at"],
    )
