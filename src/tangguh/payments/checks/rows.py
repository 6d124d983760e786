"""Payments beside their own events: each event has the digest of the row it left. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from tangguh.audit import chain
from tangguh.db.pool import Connection, Record
from tangguh.payments.plans import DECODE_ORDER, ENCODE_ORDER, PAYMENTS

_COLUMNS: Final = ", ".join(f"p.{column}" for column in PAYMENTS.columns)
_STATE: Final = PAYMENTS.columns.index("state")
_ORDER: Final = PAYMENTS.columns.index("order_json")
_EVENTS: Final = PAYMENTS.columns.index("events")
_ID: Final = PAYMENTS.columns.index("payment_id")
_FIRST: Final = UUID(int=0)
_PER_STEP: Final = 2_000

_NEWEST: Final = (
    f"SELECT {_COLUMNS}, asked.id, e.seq, e.state AS told, e.row_digest, e.batch_no"  # noqa: S608
    " FROM {asked} AS asked"
    " LEFT JOIN payments AS p ON p.book_id = $1 AND p.payment_id = asked.id"
    " LEFT JOIN LATERAL (SELECT n.seq, n.state, n.row_digest, n.batch_no FROM payment_events AS n"
    " WHERE n.book_id = $1 AND n.payment_id = asked.id ORDER BY n.seq DESC LIMIT 1) AS e ON true"
)
_THESE: Final = _NEWEST.replace("{asked}", "unnest($2::uuid[])").replace(
    "AS asked ", "AS asked(id) "
)
_PAGE: Final = _NEWEST.replace(
    "{asked}",
    "(SELECT payment_id AS id FROM payments WHERE book_id = $1 AND payment_id > $2"
    " ORDER BY payment_id LIMIT $3)",
)
_OPEN: Final = _NEWEST.replace(
    "{asked}",
    "(SELECT payment_id AS id FROM payments WHERE book_id = $1 AND resolve_at IS NOT NULL"
    " ORDER BY resolve_at LIMIT $2)",
)

_ROWS: Final = (
    f"SELECT {_COLUMNS} FROM payments AS p"  # noqa: S608
    " WHERE p.book_id = $1 AND p.payment_id = ANY($2::uuid[])"
)

Wrong = tuple[UUID, int, str]
"""(payment id, the batch of its newest event or 0, what is wrong)."""


class Told(NamedTuple):
    """What an event says that it left: the batch, its number, the state, the row's digest."""

    batch_no: int
    seq: int
    state: str
    digest: bytes | None


async def wrong_among(
    connection: Connection, book_id: int, told: Mapping[UUID, Told]
) -> list[Wrong]:
    """Those of these payments that are not what their newest event left.

    ``told``: the newest event of each that the caller has read. A row that counts as many events
    is judged by it: one that there is beyond, in another batch, is read there and judges it then.
    Only of the others is the newest event asked for, which costs as much as the rest together.
    """
    rows = [tuple(record) for record in await connection.fetch(_ROWS, book_id, list(told))]
    # A payment may be there twice, once in each part of the table, and one of them invented.
    unsure = set(told) - {row[_ID] for row in rows}
    unsure |= {row[_ID] for row in rows if not _is_as_told(row, told[row[_ID]])}
    if not unsure:
        return []
    return list(_wrong(await connection.fetch(_THESE, book_id, list(unsure))))


def _is_as_told(row: tuple[object, ...], event: Told) -> bool:
    if row[_EVENTS] != event.seq or row[_STATE] != event.state:
        return False
    return event.digest is None or chain.is_what_was(row, event.digest)


async def wrong_open(connection: Connection, book_id: int, count_max: int) -> list[Wrong]:
    """The same of open payments, which somebody is about to act on."""
    return list(_wrong(await connection.fetch(_OPEN, book_id, count_max)))


async def wrong_payments(connection: Connection, book_id: int, found_max: int = 5) -> list[Wrong]:
    """The same of every payment there is, the first few."""
    found: list[Wrong] = []
    after = _FIRST
    while len(found) < found_max:
        rows = await connection.fetch(_PAGE, book_id, after, _PER_STEP)
        if not rows:
            break
        after = max(row["id"] for row in rows)
        found += _wrong(rows)
    return found[:found_max]


def _wrong(rows: list[Record]) -> Iterator[Wrong]:
    for record in rows:
        row = tuple(record)[: len(PAYMENTS.columns)]
        wrong = _what(row, record)
        if wrong:
            yield record["id"], record["batch_no"] or 0, wrong


def _what(row: tuple[object, ...], record: Record) -> str:
    if record["payment_id"] is None:
        return "it is gone"
    if record["seq"] is None:
        return "nothing in the chain speaks of it"
    if row[_EVENTS] != record["seq"] or row[_STATE] != record["told"]:
        return f"it is {row[_STATE]}, and event {record['seq']} left it {record['told']}"
    known = record["row_digest"]
    # Rows that ended before events had digests are proved by the other rules alone.
    if known is None or chain.is_what_was(row, known):
        return ""
    today = in_todays_words(str(row[_ORDER]))
    if today and chain.is_what_was((*row[:_ORDER], today, *row[_ORDER + 1 :]), known):
        return ""
    return f"it is not what event {record['seq']} left"


def in_todays_words(kept: str) -> str:
    """The same order as an event would tell of it now; empty when the text says anything else.

    An order is written once, and each event tells of it anew. Orders from before their defaults
    were left out, or from before a field was added, are so told in other words than were kept.
    """
    try:
        order = DECODE_ORDER(kept)
        told = msgspec.json.decode(kept)
    except msgspec.MsgspecError:
        return ""
    if msgspec.json.encode(told).decode() != kept or not _is_within(told, _spelt_out(order)):
        return ""
    return ENCODE_ORDER(order).decode()


def _spelt_out(order: msgspec.Struct) -> dict[str, object]:
    """Every field of an order, also those that say nothing."""
    words: dict[str, object] = {"type": order.__struct_config__.tag}
    for name in order.__struct_fields__:
        value = getattr(order, name)
        nested = isinstance(value, msgspec.Struct)
        words[name] = _spelt_out(value) if nested else msgspec.to_builtins(value)
    return words


def _is_within(part: object, whole: object) -> bool:
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and _is_within(part[key], whole[key]) for key in part)
    return part == whole and type(part) is type(whole)
