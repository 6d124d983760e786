"""What the book says has happened since people were last told: nobody stays untold by a crash.

A process that hears of an end tells it within a second. This is what makes it certain: the events
of the book are read on from the last batch that is told, by whichever process comes next.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec

from tangguh.core.errors import InvariantBroken
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.disputes.case import Case
from tangguh.disputes.rows import decode_case
from tangguh.payments.payment import Payment
from tangguh.payments.plans import read_payment

_QUERIES: Final = Queries("tangguh.work.care", "care.sql")
_BATCHES_AT_ONCE: Final = 200


class Happened(msgspec.Struct, frozen=True):
    """One event people may be owed a word of: its name in the book, and what it is about now."""

    what: str
    about: Payment | Case


class Missed:
    """Reads on in the book of one bank."""

    def __init__(self, pool: Pool, book_id: int) -> None:
        self._pool = pool
        self._book_id = book_id

    async def read_on(self) -> AsyncIterator[list[Happened]]:
        """What happened since, some batches at a time. A part counts as told once the next is
        asked for: whoever fails to tell it reads it again. A book nobody has told of yet is told
        of from here on, not from its first day.
        """
        await self._pool.fetch(_QUERIES["begin_word"], self._book_id)
        row = await self._pool.fetchrow(_QUERIES["word_so_far"], self._book_id)
        if row is None:
            raise InvariantBroken("nobody has begun to tell of this book")
        told, head = row["told"], row["head"]
        while told < head:
            upto = min(told + _BATCHES_AT_ONCE, head)
            yield [one async for one in self._between(told, upto)]
            await self._pool.fetch(_QUERIES["word_told"], self._book_id, upto)
            told = upto

    async def _between(self, after: int, upto: int) -> AsyncIterator[Happened]:
        for row in await self._rows("payments_ended", after, upto):
            yield Happened("ended", read_payment(row))
        for row in await self._rows("redress_done", after, upto):
            yield Happened(row["redress_what"], read_payment(row))
        for row in await self._rows("cases_moved", after, upto):
            case = msgspec.structs.replace(decode_case(row["case_json"]), events=row["seq"])
            # What a case's clock did is told by where it went.
            yield Happened(row["state"] if row["what"] == "clock" else row["what"], case)

    async def _rows(self, query: str, after: int, upto: int) -> list[Any]:
        return await self._pool.fetch(_QUERIES[query], self._book_id, after, upto)
