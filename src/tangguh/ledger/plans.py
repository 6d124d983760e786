"""How the ledger's rows lie in PostgreSQL: one plan per shelf, one per append-only table."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from tangguh.audit.journal import JournalPlan, Row
from tangguh.ledger.account import Account, AccountState
from tangguh.ledger.chart import Kind
from tangguh.ledger.hold import Hold, HoldState
from tangguh.ledger.posting import Posting
from tangguh.ledger.shelf import Loaded, ShelfPlan

SQL: Final = ("tangguh.ledger", "ledger.sql")


def one_array(keys: Sequence[Any]) -> tuple[list[Any], ...]:
    """The query arguments of a shelf whose key is one column."""
    return (list(keys),)


def _read_account(row: Loaded) -> tuple[int, Account]:
    account = Account(
        row["account_id"],
        Kind(row["kind"]),
        row["owner_id"],
        AccountState(row["state"]),
        row["posted_minor"],
        row["held_minor"],
        row["floor_minor"],
        row["entry_seq"],
        row["opened_at"],
        row["overdrawn_minor"],
        row["tier"],
    )
    return account.account_id, account


def _account_row(account: Account) -> Row:
    return (
        account.account_id,
        account.kind,
        account.owner_id,
        account.state,
        account.posted_minor,
        account.held_minor,
        account.floor_minor,
        account.entry_seq,
        account.opened_at,
        account.overdrawn_minor,
        account.tier,
    )


def _account_change(account: Account) -> Row:
    return (
        account.account_id,
        account.state,
        account.posted_minor,
        account.held_minor,
        account.floor_minor,
        account.entry_seq,
        account.overdrawn_minor,
        account.tier,
    )


def _read_hold(row: Loaded) -> tuple[UUID, Hold]:
    hold = Hold(
        row["hold_id"],
        row["account_id"],
        row["amount_minor"],
        HoldState(row["state"]),
        row["placed_at"],
        row["expires_at"],
        row["ended_at"],
        row["posted_minor"],
    )
    return hold.id, hold


def _hold_row(hold: Hold) -> Row:
    return (
        hold.id,
        hold.account_id,
        hold.amount_minor,
        hold.posted_minor,
        hold.state,
        hold.placed_at,
        hold.ended_at,
        hold.expires_at,
    )


def _hold_change(hold: Hold) -> Row:
    return (hold.id, hold.posted_minor, hold.state, hold.ended_at)


def _read_posting(row: Loaded) -> tuple[UUID, Posting]:
    entries = tuple(zip(row["account_ids"], row["amounts_minor"], strict=True))
    posting = Posting(
        row["posting_id"], row["kind"], entries, row["posted_at"], row["reverses"], row["note"]
    )
    return posting.id, posting


def _read_reversal(row: Loaded) -> tuple[UUID, UUID]:
    return row["reverses"], row["posting_id"]


ACCOUNTS: Final[ShelfPlan[int, Account]] = ShelfPlan(
    name="accounts",
    sql=SQL,
    load="load_accounts",
    key_arrays=one_array,
    read=_read_account,
    table="accounts",
    columns=(
        "account_id",
        "kind",
        "owner_id",
        "state",
        "posted_minor",
        "held_minor",
        "floor_minor",
        "entry_seq",
        "opened_at",
        "overdrawn_minor",
        "tier",
    ),
    to_row=_account_row,
    update="change_accounts",
    to_change=_account_change,
    rows_max=400_000,
)

HOLDS: Final[ShelfPlan[UUID, Hold]] = ShelfPlan(
    name="holds",
    sql=SQL,
    load="load_holds",
    key_arrays=one_array,
    read=_read_hold,
    table="holds",
    columns=(
        "hold_id",
        "account_id",
        "amount_minor",
        "posted_minor",
        "state",
        "placed_at",
        "ended_at",
        "expires_at",
    ),
    to_row=_hold_row,
    update="change_holds",
    to_change=_hold_change,
    unique="taken_holds",
    to_unique=lambda hold: (hold.id,),
    rows_max=50_000,
)

POSTINGS: Final[ShelfPlan[UUID, Posting]] = ShelfPlan(
    name="postings",
    sql=SQL,
    load="load_postings",
    key_arrays=one_array,
    read=_read_posting,
    rows_max=20_000,
)

REVERSALS: Final[ShelfPlan[UUID, UUID]] = ShelfPlan(
    name="reversals",
    sql=SQL,
    load="load_reversals",
    key_arrays=one_array,
    read=_read_reversal,
    rows_max=10_000,
)

POSTINGS_WRITTEN: Final = JournalPlan(
    table="postings",
    columns=(
        "posting_id",
        "batch_no",
        "ordinal",
        "kind",
        "posted_at",
        "business_date",
        "reverses",
        "note",
    ),
    order_by="ordinal",
)

ENTRIES: Final = JournalPlan(
    table="entries",
    columns=(
        "account_id",
        "seq",
        "batch_no",
        "posting_id",
        "amount_minor",
        "balance_minor",
        "posted_at",
    ),
    order_by="account_id, seq",
    sort_key=itemgetter(0, 1),
)

ACCOUNT_TERMS: Final = JournalPlan(
    table="account_terms",
    columns=(
        "account_id",
        "batch_no",
        "ordinal",
        "kind",
        "owner_id",
        "state",
        "floor_minor",
        "opened_at",
        "tier",
    ),
    order_by="ordinal",
)
"""What an account is, at its opening and after each change of that."""

ROW_SEALS: Final = JournalPlan(
    table="row_seals",
    columns=("relation", "row_key", "batch_no", "ordinal", "digest"),
    order_by="ordinal",
)
"""The digests of rows of shelves that are ``sealed_by`` a key."""


def terms_of(account: Account, batch_no: int, ordinal: int) -> Row:
    """The account's terms as a row of the chain."""
    return (
        account.account_id,
        batch_no,
        ordinal,
        account.kind,
        account.owner_id,
        account.state,
        account.floor_minor,
        account.opened_at,
        account.tier,
    )


LEDGER_SHELVES: Final[tuple[ShelfPlan[Any, Any], ...]] = (ACCOUNTS, HOLDS, POSTINGS, REVERSALS)
LEDGER_JOURNALS: Final = (POSTINGS_WRITTEN, ENTRIES, ACCOUNT_TERMS, ROW_SEALS)
