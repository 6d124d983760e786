"""What each role of the bank may do on each table: as little as its statements need.

``DELETE`` only where the code deletes. Whatever records what happened can be added to and never
changed, in the roles as in the triggers. A table that is not here cannot be touched at work, so a
new table is a line here.
"""

from __future__ import annotations

from typing import Final

READ: Final = "SELECT"
ADD: Final = "SELECT, INSERT"
CHANGE: Final = "SELECT, INSERT, UPDATE"
ADD_AND_DELETE: Final = "SELECT, INSERT, DELETE"
CHANGE_AND_DELETE: Final = "SELECT, INSERT, UPDATE, DELETE"

_DECIDED: Final = {
    "account_terms": ADD,
    "accounts": CHANGE,
    "acts": ADD,
    "advanced": CHANGE,
    "batches": ADD,
    "books": CHANGE,
    "case_events": ADD,
    "cases": CHANGE,
    "change_events": ADD,
    "changes": CHANGE,
    "climb_events": ADD,
    "climbs": CHANGE,
    "component_overrides": CHANGE,
    "entries": ADD,
    "gate_events": ADD,
    "gate_rates": CHANGE,
    "gates": CHANGE,
    "holds": CHANGE,
    "incident_events": ADD,
    "incidents": CHANGE,
    "limit_usage": CHANGE,
    "merchant_bills": CHANGE,
    "merchant_payouts": CHANGE,
    "merchant_terms": ADD,
    "merchants": CHANGE,
    "newest_changes": CHANGE,
    "open_incidents": CHANGE,
    "paid_once": ADD,
    "payment_events": ADD,
    "payments": CHANGE,
    "postings": ADD,
    "redress": CHANGE,
    "redress_events": ADD,
    "row_seals": ADD,
    "rule_changes": ADD,
    "tariff_changes": ADD,
    "wire_sequences": CHANGE,
}
"""What the writer decides: the book and the rows beside it."""

_BESIDE: Final = {
    "affected_payments": ADD,
    "cards": CHANGE,
    "case_contacts": ADD,
    "case_messages": ADD,
    "customer_accounts": ADD,
    "customers": CHANGE,
    "known_devices": CHANGE,
    "link_keys": CHANGE,
    "login_attempts": CHANGE_AND_DELETE,
    "login_budgets": CHANGE_AND_DELETE,
    "notice_addresses": CHANGE_AND_DELETE,
    "notice_deliveries": CHANGE_AND_DELETE,
    "notice_subscriptions": CHANGE_AND_DELETE,
    "notices": CHANGE_AND_DELETE,
    "one_time_codes": ADD_AND_DELETE,
    "partner_requests": CHANGE_AND_DELETE,
    "pins": CHANGE,
    "purses": ADD,
    "sessions": CHANGE,
    "settlement_breaks": CHANGE,
    "settlement_files": CHANGE,
    "settlement_matches": CHANGE_AND_DELETE,
    "staff": CHANGE,
    "staff_devices": CHANGE,
    "staff_keys": CHANGE,
    "staff_sessions": CHANGE,
    "word_told": CHANGE,
}
"""What is written beside the book, by whoever serves a customer, a partner or the staff."""

_READ_BY_BOTH: Final = {"schema_migrations": READ}

CORE_TABLES: Final = _DECIDED | _READ_BY_BOTH
WEB_TABLES: Final = dict.fromkeys(_DECIDED, READ) | _BESIDE | _READ_BY_BOTH
