"""Finding payments: by a reference somebody read out, or by what is known of them. Reads only."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.payments.payment import Payment
from tangguh.payments.plans import read_payment
from tangguh.settlement.store import id_at
from tangguh.work.tracing import reference
from tangguh.work.tracing.lines import line_of
from tangguh.work.tracing.reference import Asked
from tangguh.work.tracing.shapes import Lines

TRACING: Final = Queries("tangguh.work.tracing", "tracing.sql")
LISTED_MAX: Final = 50
_READ_MAX: Final = 200


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of payments that are looked for; empty and None: nothing.

    ``account_end``: the last digits of either side's account, or of the payee's number elsewhere.
    ``amount_minor``: what the payee gets, with the tip or without it, or what the payer pays.
    """

    since: datetime
    until: datetime
    account_end: str = ""
    amount_minor: int | None = None
    state: str = ""
    rail: str = ""
    customer_id: int | None = None


async def by_reference(pool: Pool, book_id: int, asked: Asked, days: int, now: datetime) -> Lines:
    """Every payment a reference names: by the indexes, and among those of so many days."""
    named = await pool.fetch(
        TRACING["payments_named"],
        book_id,
        list(asked.ids),
        list(asked.keys),
        list(asked.rails),
        list(asked.wires),
        asked.case_number,
        _READ_MAX,
    )
    found = {row["payment_id"]: read_payment(row) for row in named}
    if found and asked.is_whole:
        lines = [line_of(one, _why(asked, one)) for one in found.values()]
        return Lines(payments=lines, more=False, looked_from=None, looked_to=None)
    begins, ends = reference.stretch_of(asked, days, now)
    held = []
    if not asked.is_whole:
        held = await pool.fetch(
            TRACING["payments_holding"],
            book_id,
            id_at(begins),
            id_at(ends),
            asked.text,
            asked.short,
            msgspec.json.encode(asked.text).decode(),
            _READ_MAX,
        )
    for row in held:
        payment = read_payment(row)
        if reference.why(asked, payment):
            found[payment.id] = payment
    newest = sorted(found.values(), key=lambda one: one.id.int, reverse=True)
    return Lines(
        payments=[line_of(one, _why(asked, one)) for one in newest[:LISTED_MAX]],
        more=len(newest) > LISTED_MAX or len(held) == _READ_MAX,
        looked_from=begins,
        looked_to=min(ends, now),
    )


async def by_what_is_known(pool: Pool, book_id: int, known: Known) -> Lines:
    """The payments of a time that fit everything that is known, newest first."""
    end = known.account_end
    rows = await pool.fetch(
        TRACING["payments_like"],
        book_id,
        id_at(known.since),
        id_at(known.until),
        end,
        rf'"(account|number|customer_no|sender_account|proxy)":"[0-9]*{end}"' if end else "",
        known.amount_minor,
        known.state,
        known.rail,
        known.customer_id,
        LISTED_MAX + 1,
    )
    return Lines(
        payments=[line_of(read_payment(row)) for row in rows[:LISTED_MAX]],
        more=len(rows) > LISTED_MAX,
        looked_from=known.since,
        looked_to=known.until,
    )


def _why(asked: Asked, payment: Payment) -> str:
    """A payment that answers by its case has nothing of the text itself."""
    return reference.why(asked, payment) or "its complaint"
