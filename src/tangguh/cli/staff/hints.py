"""What to do about a no of the staff API: the command that shows what was asked for."""

from __future__ import annotations

from typing import Final

from tangguh.cli.invocation import invoked

_LISTED: Final = {
    "payment_not_found": ("payments by what is known of them", "payment find"),
    "case_not_found": ("every case that waits", "case list"),
    "incident_not_found": ("every incident", "incident list"),
}


def next_step(code: str, field: str = "") -> str:
    """A clause for the end of a sentence; empty where the refusal itself says what to do."""
    ask = invoked()
    if code == "not_logged_in":
        return (
            f"`{ask} staff login` keeps your token, or say it with --token or TANGGUH_STAFF_TOKEN; "
            "a demo keeps its tokens in tangguh-data/keys/staff.json, and "
            f"`{ask} staff roles` says whose may do what"
        )
    if field == "roles":
        return f"`{ask} staff roles` says whose token may"
    if field == "closure":
        return f"`{ask} gate list` shows every closure with its id"
    if field == "change":
        return f"`{ask} change list` shows every change with its id"
    if field in ("scope", "scopes"):
        return 'a scope is like "rail=bifast direction=out", in quotes'
    if code in _LISTED:
        what, command = _LISTED[code]
        return f"`{ask} {command}` shows {what}"
    if code == "unavailable":
        return "its database does not answer the bank: docs/runbooks/database-dead.md"
    if field == "staff":
        return f"`{ask} staff roles` shows the demo's accounts"
    return ""
