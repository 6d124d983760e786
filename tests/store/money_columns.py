"""Every column of the schema: which rule sees it changed, or why it decides nothing about money.

``docs/proof.md`` shows this table to people; a test holds them together.
"""

from __future__ import annotations

from typing import Final

import msgspec

CHAIN: Final = "hash_chain_is_unbroken"
TERMS: Final = "accounts_are_what_the_chain_says"
EVENTS: Final = "payments_are_as_their_events_left_them"
SEALS: Final = "sealed_rows_are_as_the_chain_left_them"
HOLDS: Final = "every_hold_is_its_payments"
OPEN_HOLDS: Final = "every_open_payment_holds_its_money"

AT_ONCE: Final = "each look"
ROUND: Final = "the newest at once, all in rounds"
WHOLE: Final = "once in each round"


class Seen(msgspec.Struct, frozen=True):
    """The rule of ``prove`` that sees a change, and when the pulse does.

    ``change`` is SQL for another value, where adding one or a letter makes none that could be.
    """

    rule: str
    live: str
    change: str = ""


CHAINED: Final = frozenset({
    "postings", "entries", "payment_events", "acts", "tariff_changes", "gate_events",
    "redress_events", "change_events", "climb_events", "rule_changes", "case_events",
    "incident_events", "account_terms", "merchant_terms", "row_seals", "batches",
})  # fmt: skip
"""All their columns are hashed."""

SEALED: Final = frozenset({
    "merchant_bills", "gates", "redress", "advanced", "changes", "newest_changes", "climbs", "cases",
    "paid_once", "merchant_payouts", "merchants",
})  # fmt: skip
"""The digest of every row after each change is in the chain."""

OTHERS: Final[dict[str, dict[str, Seen]]] = {
    "books": {
        "book_id": Seen("", AT_ONCE),
        "currency": Seen("the_book_is_in_rupiah", WHOLE),
        "batch_no": Seen(CHAIN, AT_ONCE),
        "head_hash": Seen(CHAIN, AT_ONCE),
    },
    "accounts": {
        "book_id": Seen("no_account_is_gone", ROUND),
        "account_id": Seen("no_account_is_gone", ROUND),
        "kind": Seen(TERMS, ROUND, "CASE WHEN kind = 'vault' THEN 'customer' ELSE 'vault' END"),
        "owner_id": Seen(TERMS, ROUND),
        "state": Seen(TERMS, ROUND, "CASE WHEN state = 'open' THEN 'frozen' ELSE 'open' END"),
        "posted_minor": Seen("accounts_equal_their_entries", AT_ONCE),
        "held_minor": Seen("held_sums_equal_open_holds", AT_ONCE),
        "floor_minor": Seen("floors_follow_the_chart", AT_ONCE, "coalesce(floor_minor, 0) - 1"),
        "entry_seq": Seen("accounts_equal_their_entries", AT_ONCE),
        "opened_at": Seen(TERMS, ROUND),
        "overdrawn_minor": Seen("floors_follow_the_chart", AT_ONCE),
        "tier": Seen(TERMS, ROUND),
    },
    "holds": {
        "book_id": Seen(OPEN_HOLDS, ROUND),
        "hold_id": Seen(OPEN_HOLDS, ROUND),
        "account_id": Seen(HOLDS, ROUND),
        "amount_minor": Seen(HOLDS, ROUND),
        "posted_minor": Seen(HOLDS, ROUND),
        "state": Seen(HOLDS, ROUND, "CASE WHEN state = 'held' THEN 'voided' ELSE 'held' END"),
        "placed_at": Seen(HOLDS, ROUND),
        "ended_at": Seen(HOLDS, ROUND, "coalesce(ended_at, placed_at) + interval '1 hour'"),
        "expires_at": Seen(HOLDS, ROUND, "placed_at"),
    },
    "limit_usage": {
        "book_id": Seen("no_used_limit_is_forgotten", ROUND),
        "account_id": Seen("no_used_limit_is_forgotten", ROUND),
        "service": Seen("no_used_limit_is_forgotten", ROUND),
        "business_date": Seen("no_used_limit_is_forgotten", ROUND),
        "used_minor": Seen("used_limits_follow_payments", ROUND),
    },
    "customer_accounts": {
        "customer_id": Seen("every_account_is_shown_to_its_owner", WHOLE),
        "account_id": Seen("every_account_is_shown_to_its_owner", WHOLE),
    },
    "cards": {
        "account_id": Seen("every_card_pays_from_its_holders_account", WHOLE),
        "customer_id": Seen("every_card_pays_from_its_holders_account", WHOLE),
    },
    "purses": {
        "account_id": Seen("every_purse_is_its_holders", WHOLE),
        "pending_id": Seen("every_purse_is_its_holders", WHOLE),
        "product": Seen(
            "every_purse_is_its_holders",
            WHOLE,
            "CASE product WHEN 'server' THEN 'touristpass' ELSE 'server' END",
        ),
        "customer_id": Seen("every_purse_is_its_holders", WHOLE),
    },
}
"""Rules of their own."""

PAYMENTS: Final[dict[str, Seen]] = {
    "book_id": Seen("every_event_has_its_payment", ROUND, "book_id + 1"),
    "state": Seen(EVENTS, ROUND, "CASE WHEN state = 'posted' THEN 'voided' ELSE 'posted' END"),
    "refusal": Seen(EVENTS, ROUND, "'day_limit'"),
    "kind": Seen(EVENTS, ROUND, "'credit'"),
    "order_json": Seen(EVENTS, ROUND, "replace(order_json::text, ':', ': ')::json"),
    "resolve_at": Seen(EVENTS, ROUND, "timestamptz '2099-01-01'"),
    "concluded_at": Seen(EVENTS, ROUND, "timestamptz '2099-01-01'"),
    "original_id": Seen(EVENTS, ROUND, "gen_random_uuid()"),
}
"""Every column of ``payments`` is in its digest; these need another value than one more."""

PLACEHOLDER: Final = "another row of the same book would be needed"
_CREDENTIAL: Final = (
    "decides who is believed, not where money goes: somebody who may write here can speak as that "
    "person, and what they then order is in the chain under their name"
)
_WORDS: Final = "what people are told or shown; no decision about money reads it"
_LISTS: Final = (
    "a list for people: money moves only by a posting that two people sign, which is in the chain"
)
NOT_MONEY: Final[dict[str, str]] = {
    "schema_migrations": "which migrations were applied; a wrong one keeps the bank from starting",
    "books.epoch": "the fence between writers: a changed one stops the writer, and moves nothing",
    "books.opened_at": _WORDS,
    "wire_sequences": "numbers for references: one that is given twice is refused by the batch's own "
    "question (`taken_payments`)",
    "gate_rates": "how many payments a limited gate let through this minute",
    "customers": _CREDENTIAL,
    "pins": _CREDENTIAL,
    "sessions": _CREDENTIAL,
    "staff": _CREDENTIAL,
    "staff_keys": _CREDENTIAL,
    "one_time_codes": _CREDENTIAL,
    "known_devices": _CREDENTIAL,
    "login_attempts": _CREDENTIAL,
    "login_budgets": _CREDENTIAL,
    "staff_devices": _CREDENTIAL,
    "staff_sessions": _CREDENTIAL,
    "link_keys": _CREDENTIAL,
    "partner_requests": _CREDENTIAL,
    "cards.book_id": "a card of no book pays nothing",
    "cards.card_token": "a card that is not found pays nothing",
    "cards.sealed_pan": _CREDENTIAL,
    "cards.last_four": _WORDS,
    "cards.expires": _CREDENTIAL,
    "cards.pvv": _CREDENTIAL,
    "cards.state": _CREDENTIAL,
    "cards.tries_left": _CREDENTIAL,
    "cards.issued_at": _WORDS,
    "customer_accounts.book_id": "an account that is not shown pays nothing",
    "customer_accounts.product": _WORDS,
    "merchants.opened_at": "when it was enrolled; what it is charged has times of its own",
    "purses.book_id": "a purse of no book pays nothing",
    "purses.number": "a purse that is not found pays nothing",
    "purses.expires_on": "until when a purse may be used; what is on it stays its holder's",
    "purses.issued_at": _WORDS,
    "settlement_files": _LISTS,
    "settlement_matches": _LISTS,
    "settlement_breaks": _LISTS,
    "notices": _WORDS,
    "notice_deliveries": _WORDS,
    "notice_addresses": _WORDS,
    "notice_subscriptions": _WORDS,
    "incidents": _WORDS,
    "open_incidents": _WORDS,
    "component_overrides": _WORDS,
    "affected_payments": _WORDS,
    "word_told": _WORDS,
    "case_messages": _WORDS,
    "case_contacts": _WORDS,
}
"""Tables, or single columns, and why. The longer name counts."""


def seen(table: str, column: str, fixed: str) -> Seen | None:
    """What sees a column changed; None when it is not about money. Raises KeyError: unknown."""
    if table in CHAINED:
        return Seen(CHAIN, ROUND, fixed)
    if table in SEALED and f"{table}.{column}" not in NOT_MONEY:
        return Seen(SEALS, ROUND, fixed)
    if table == "payments":
        return PAYMENTS.get(column, Seen(EVENTS, ROUND, fixed))
    if column in OTHERS.get(table, {}):
        one = OTHERS[table][column]
        return one if one.change else msgspec.structs.replace(one, change=fixed)
    if f"{table}.{column}" in NOT_MONEY or table in NOT_MONEY:
        return None
    raise KeyError(f"{table}.{column}: which rule sees it changed?")
