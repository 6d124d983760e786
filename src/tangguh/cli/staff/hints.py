"""What to do about a no of the staff API: the command that shows what was asked for."""

from __future__ import annotations

from tangguh.cli.invocation import invoked


def next_step(code: str, field: str = "") -> str:
    """A clause for the end of a sentence; empty where the refusal itself says what to do."""
    ask = invoked()
    if code == "not_logged_in":
        return (
            "say it with --token or TANGGUH_STAFF_TOKEN; a demo keeps its tokens in "
            f"tangguh-data/keys/staff.json, and `{ask} staff roles` says whose may do what"
        )
    if field == "roles":
        return f"`{ask} staff roles` says whose token may"
    if field == "closure":
        return f"`{ask} gate list` shows every closure with its id"
    if field == "change":
        return f"`{ask} change list` shows every change with its id"
    if field in ("scope", "scopes"):
        return 'a scope is like "rail=bifast direction=out", in quotes'
    if field == "staff":
        return f"`{ask} staff roles` shows the demo's accounts"
    return ""
