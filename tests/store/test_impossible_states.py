"""States that cannot be: PostgreSQL refuses each by a constraint that says which rule it was."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

ACCOUNT = (
    "INSERT INTO accounts VALUES"
    " (1, {id}, 'customer', 1, '{state}', {posted}, {held}, {floor}, 0, now())"
)
HOLD = (
    "INSERT INTO holds VALUES (1, gen_random_uuid(), 2, {amount}, {posted}, '{state}', now(),"
    " {ended}, NULL)"
)
ENTRY = (
    "(1, {account}, {seq}, 1, '00000000-0000-7000-8000-00000000000{posting}', {amount}, 0, now())"
)


def entries(*lines: tuple[int, int, int, int]) -> str:
    """An insert of (account, seq, posting, amount) lines."""
    rows = (
        ENTRY.format(account=account, seq=seq, posting=posting, amount=amount)
        for account, seq, posting, amount in lines
    )
    return "INSERT INTO entries VALUES " + ", ".join(rows)


def account(**more: object) -> str:
    return ACCOUNT.format(**({"id": 9, "state": "open", "posted": 0, "held": 0, "floor": 0} | more))


def hold(**more: object) -> str:
    return HOLD.format(**({"amount": 5, "posted": 0, "state": "held", "ended": "NULL"} | more))


def payment(**changes: str) -> str:
    """An update of the one payment there is."""
    return "UPDATE payments SET " + ", ".join(f"{name} = {to}" for name, to in changes.items())


@pytest.fixture
async def book(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A book with one posting, one payment, one of everything that is guarded."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(account(id=2))
    await connection.execute(entries((1, 1, 1, -5), (2, 1, 1, 5)))
    await connection.execute(
        "INSERT INTO postings VALUES"
        " (1, '00000000-0000-7000-8000-000000000001', 1, 0, 'x', now(), '2026-03-20', NULL, '');"
        "INSERT INTO batches VALUES (1, 1, 1, now(), 1, sha256('a'), sha256('b'));"
        "INSERT INTO acts VALUES (1, gen_random_uuid(), 1, now(), 'a', 'b', '', '');"
        "INSERT INTO payment_events VALUES (1, gen_random_uuid(), 1, 1, now(), 'posted', 'x', '')"
    )
    columns = await connection.fetch(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
        " WHERE table_name = 'payments'"
    )
    values = {
        "kind": "'payment'", "state": "'posted'", "amount_minor": "100", "book_id": "1",
        "concluded_at": "now()", "order_json": "'{}'",
    }  # fmt: skip
    default = {
        "uuid": "gen_random_uuid()", "text": "''", "date": "current_date",
        "timestamp with time zone": "now()", "json": "'{}'",
    }  # fmt: skip
    for column in columns:
        if column["is_nullable"] == "NO":
            values.setdefault(column["column_name"], default.get(column["data_type"], "0"))
    await connection.execute(
        f"INSERT INTO payments ({', '.join(values)}) VALUES ({', '.join(values.values())})"
    )
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        (entries((1, 2, 2, 5), (2, 2, 2, -4)), "entries_must_balance"),
        (entries((2, 2, 2, 5)), "entries_must_balance"),
        (entries((1, 2, 2, 5), (2, 2, 3, -5)), "entries_must_balance"),
        (entries((1, 2, 2, 0), (2, 2, 2, 0)), "entry_must_not_be_zero"),
        (entries((1, 0, 2, 5), (2, 2, 2, -5)), "entry_seq_starts_at_one"),
        (entries((1, 1, 2, 5), (2, 2, 2, -5)), "entries_pkey"),
        ("UPDATE entries SET amount_minor = 6", "the_book_is_append_only"),
        ("DELETE FROM entries", "the_book_is_append_only"),
        ("TRUNCATE entries", "the_book_is_append_only"),
        ("UPDATE postings SET note = 'x'", "the_book_is_append_only"),
        ("DELETE FROM postings", "the_book_is_append_only"),
        ("DELETE FROM batches", "the_book_is_append_only"),
        ("UPDATE batches SET hash = sha256('c')", "the_book_is_append_only"),
        ("DELETE FROM acts", "the_book_is_append_only"),
        ("UPDATE acts SET actor = 'somebody else'", "the_book_is_append_only"),
        ("DELETE FROM payment_events", "the_book_is_append_only"),
        (account(held=1), "hold_must_not_exceed_available"),
        (account(posted=-1), "hold_must_not_exceed_available"),
        (account(posted=5, held=-1), "held_must_not_be_negative"),
        (account(state="asleep"), "account_state_is_known"),
        (hold(amount=0), "hold_amount_is_positive"),
        (hold(posted=6, state="posted", ended="now()"), "post_must_not_exceed_hold"),
        (hold(posted=1), "only_a_posted_hold_has_posted"),
        (hold(state="voided"), "a_hold_that_ended_says_when"),
        (hold(ended="now()"), "a_hold_that_ended_says_when"),
        (hold(state="lost", ended="now()"), "hold_state_is_known"),
        (payment(refunded_minor="101"), "refunds_must_not_exceed_payment"),
        (payment(discount_minor="-1"), "discount_is_part_of_the_amount"),
        (payment(discount_minor="amount_minor + tip_minor + 1"), "discount_is_part_of_the_amount"),
        (payment(refunded_minor="60", refunding_minor="41"), "refunds_must_not_exceed_payment"),
        (payment(refunding_minor="-1"), "refunds_must_not_exceed_payment"),
        (payment(state="'held'", concluded_at="NULL"), "resolver_is_promised"),
        (payment(resolve_at="now()"), "resolver_is_promised"),
        (payment(concluded_at="NULL"), "conclusion_has_a_time"),
        (payment(state="'voided'"), "refusal_says_why"),
        (payment(refusal="'x'"), "refusal_says_why"),
        (payment(state="'settled'"), "payment_state_is_known"),
        (payment(kind="'gift'"), "payment_kind_is_known"),
        (payment(original_id="gen_random_uuid()"), "only_a_refund_names_an_original"),
        (
            "INSERT INTO limit_usage VALUES (1, 2, 'x', current_date, -1)",
            "usage_must_not_be_negative",
        ),
        ("UPDATE books SET head_hash = ''", "head_is_a_sha256"),
        ("INSERT INTO customers VALUES (1, 1, '+62811', 'A', 'id')", "phone_is_e164_without_plus"),
        ("INSERT INTO customers VALUES (1, 1, '62811000001', 'A', 'fr')", "language_is_known"),
        ("INSERT INTO pins VALUES (1, 1, '290325')", "pin_is_hashed"),
    ],
)  # fmt: skip
async def test_refused_by_name(book: asyncpg.Connection, statement: str, rule: str) -> None:
    """The statement does nothing, and the error names the rule as a sentence."""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        await book.execute(statement)
    name = refused.value.constraint_name
    assert name == rule


async def test_one_reversal_of_a_posting(book: asyncpg.Connection) -> None:
    """A second one is refused by a unique index, whatever the application thinks."""
    reversal = (
        "INSERT INTO postings VALUES (1, gen_random_uuid(), 1, {}, 'reversal', now(),"
        " '2026-03-20', '00000000-0000-7000-8000-000000000001', '')"
    )
    await book.execute(reversal.format(1))
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await book.execute(reversal.format(2))
    assert refused.value.constraint_name == "posting_reversed_once"


async def test_the_fence_is_a_sentence_too(book: asyncpg.Connection) -> None:
    """``must_hold`` undoes the whole statement and names what did not hold."""
    with pytest.raises(asyncpg.PostgresError) as refused:
        await book.execute(
            "WITH x AS (UPDATE books SET epoch = 99 RETURNING 1) SELECT must_hold(false, 'rule_x')"
            " FROM x"
        )
    assert (refused.value.sqlstate, refused.value.constraint_name) == ("TG001", "rule_x")
    assert await book.fetchval("SELECT epoch FROM books") == 0
