"""One-time codes: a QRIS code the customer shows, and a code for cash without a card.

Kept by a keyed hash and for minutes. That a code pays once is the book's doing: the code is part
of the payment's idempotency key.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from tangguh.db.pool import Pool
from tangguh.db.queries import Queries

PRODUCTS: Final = Queries("tangguh.customers", "products.sql")
CPM: Final = "cpm"
CASH: Final = "cash"
LIVES: Final = {CPM: timedelta(minutes=2), CASH: timedelta(minutes=30)}
"""How long a code of each kind may be used."""
_FORGET_AFTER: Final = timedelta(days=2)


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """What a code stands for. ``amount_minor`` None: whoever takes it says how much.

    ``hold_id``: the money set aside for it; None for a code that is shown, and for older ones.
    """

    kind: str
    customer_id: int
    account_id: int
    amount_minor: int | None
    expires_at: datetime
    hold_id: UUID | None = None


class Kept(msgspec.Struct, frozen=True):
    """The code a request has, and whether it was made just now."""

    code: Code
    is_fresh: bool


async def open_minor(
    pool: Pool, book_id: int, customer_id: int, since: datetime, now: datetime
) -> int:
    """What the customer's codes made since then may still take; one just used counts too."""
    row = await pool.fetchrow(PRODUCTS["open_codes_minor"], book_id, customer_id, since, now)
    return int(row["minor"]) if row is not None else 0


async def keep(
    pool: Pool, book_id: int, text: str, code: Code, now: datetime, request: str = ""
) -> Kept | None:
    """Keep a fresh code; those long over are forgotten on the way.

    ``request`` names what asked for it: a repeat gives the code that is there. None: another
    request's code has this text, take another.
    """
    made = await pool.fetchrow(
        PRODUCTS["add_code"],
        book_id,
        digest(pool, text),
        code.kind,
        code.customer_id,
        code.account_id,
        code.amount_minor,
        now,
        code.expires_at,
        request,
        code.hold_id,
    )
    if made is None:
        before = await pool.fetchrow(PRODUCTS["code_of_order"], book_id, request)
        if before is None or before["code_hash"] != digest(pool, text):
            return None
        return Kept(msgspec.convert(dict(before), Code), is_fresh=False)
    await pool.fetch(PRODUCTS["forget_codes"], book_id, now - _FORGET_AFTER)
    return Kept(code, is_fresh=True)


class Listed(msgspec.Struct, frozen=True):
    """A live code for cash and the key of the request that made it: its digits follow from that."""

    code: Code
    key: str
    code_hash: str


async def for_cash(pool: Pool, book_id: int, customer_id: int, now: datetime) -> list[Listed]:
    """A customer's codes for cash that can still be used, the newest first."""
    rows = await pool.fetch(PRODUCTS["cash_codes"], book_id, customer_id, now)
    return [
        Listed(
            msgspec.convert(dict(row), Code),
            row["order_key"].partition(":")[2],
            row["code_hash"],
        )
        for row in rows
    ]


async def find(pool: Pool, book_id: int, text: str, kind: str, now: datetime) -> Code | None:
    """What a code stands for; None when there is none of that kind, or its time is over."""
    code = await find_any(pool, book_id, text, kind)
    return code if code is not None and now < code.expires_at else None


async def find_any(pool: Pool, book_id: int, text: str, kind: str) -> Code | None:
    """What a code stands or stood for: whoever asks again is answered as before, at any time."""
    row = await pool.fetchrow(PRODUCTS["code"], book_id, digest(pool, text))
    if row is None:
        return None
    code = msgspec.convert(dict(row), Code)
    return code if code.kind == kind else None


def digest(pool: Pool, text: str) -> str:
    """What is kept of a code: HMAC-SHA256 with a key that the database does not hold.

    Eight digits hashed without one are read back from the table in a second.
    """
    return hmac.digest(pool.pepper, text.encode(), "sha256").hex()
