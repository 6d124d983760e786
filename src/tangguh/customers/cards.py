"""Cards we issued: found by a token of the number, with their PIN's check value and its tries.

The number itself is sealed by the security module, and a PIN is nowhere: the book of cards would
be worth nothing to a thief.
"""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from tangguh.db.pool import Pool, Record
from tangguh.db.queries import Queries

PRODUCTS: Final = Queries("tangguh.customers", "products.sql")


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A card. ``expires`` is YYMM as on the stripe; ``state``: active, blocked or lost."""

    card_token: str
    sealed_pan: str
    last_four: str
    expires: str
    account_id: int
    customer_id: int
    pvv: str
    state: str = "active"
    tries_left: int = 3

    def __repr__(self) -> str:
        return f"Card(last_four={self.last_four!r}, state={self.state!r})"


async def issue(pool: Pool, book_id: int, card: Card) -> None:
    """Keep a card; a repeat changes nothing."""
    await pool.fetch(
        PRODUCTS["add_card"],
        book_id,
        card.card_token,
        card.sealed_pan,
        card.last_four,
        card.expires,
        card.account_id,
        card.customer_id,
        card.pvv,
    )


async def find(pool: Pool, book_id: int, card_token: str) -> Card | None:
    """The card with this token, or None."""
    row = await pool.fetchrow(PRODUCTS["card"], book_id, card_token)
    return _card(row) if row is not None else None


class CardLoader:
    """Finds cards for many askers at once: while one query is out, the next one collects.

    Nothing is kept: every answer was read after it was asked for, so a card blocked a moment ago is
    blocked here too.
    """

    def __init__(self, pool: Pool, book_id: int) -> None:
        self._pool = pool
        self._book_id = book_id
        self._asked: dict[str, asyncio.Future[Card | None]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def find(self, card_token: str) -> Card | None:
        """The card with this token, or None. Raises StoreUnavailable."""
        answer = self._asked.get(card_token)
        if answer is None:
            loop = asyncio.get_running_loop() if self._reading is None else self._reading.get_loop()
            answer = self._asked[card_token] = loop.create_future()
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        return await asyncio.shield(answer)

    async def _read(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            try:
                rows = await self._pool.fetch(
                    PRODUCTS["cards_by_token"], self._book_id, list(asked)
                )
            except Exception as trouble:
                for answer in asked.values():
                    answer.set_exception(trouble)
                continue
            found = {row["card_token"]: _card(row) for row in rows}
            for token, answer in asked.items():
                answer.set_result(found.get(token))
        self._reading = None


async def of_customer(pool: Pool, book_id: int, customer_id: int) -> list[Card]:
    """A customer's cards."""
    rows = await pool.fetch(PRODUCTS["cards_of_customer"], book_id, customer_id)
    return [_card(row) for row in rows]


async def take_try(pool: Pool, book_id: int, card_token: str) -> int:
    """Count a wrong PIN; how many tries are left. At none the card is blocked."""
    row = await pool.fetchrow(PRODUCTS["take_try"], book_id, card_token)
    return int(row["tries_left"]) if row is not None else 0


async def give_tries(pool: Pool, book_id: int, card_token: str) -> None:
    """After a right PIN all tries count again."""
    await pool.fetch(PRODUCTS["give_tries"], book_id, card_token)


async def set_pvv(pool: Pool, book_id: int, card_token: str, pvv: str) -> None:
    """The check value of a new PIN."""
    await pool.fetch(PRODUCTS["set_pvv"], book_id, card_token, pvv)


def _card(row: Record) -> Card:
    return msgspec.convert(dict(row), Card)
