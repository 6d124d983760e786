"""``tangguh incident``: what the public is told of, and by when the next word is due."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from cyclopts import App, Parameter

from tangguh.cli.oncall.paper import fact, heading, none, when
from tangguh.cli.staff.line import DEFAULT_BANK, BankUrl, Json, Token, ask, show
from tangguh.core.format import money

app = App(name="incident", help="Incidents: the list, and one with its journal and its clocks.")


@app.command(name="list")
def list_(*, bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False) -> None:
    """The open incidents and those of the last month."""
    found = ask(bank, token, "GET", "/staff/v1/incidents")
    if as_json:
        show(found)
        return
    for one in found["incidents"]:
        late = "  WORD OVERDUE" if one["is_overdue"] else ""
        print(
            f"{one['id']}  {one['state']:<16} since {when(one['begun_at'])}  "
            f"{one['cause_key']}: {', '.join(one['components'])}{late}"
        )
    if not found["incidents"]:
        print("no incident now, and none within a month")


@app.command(name="show")
def show_(
    incident: Annotated[str, Parameter(help="Its id; see `tangguh incident list`.")],
    /,
    *,
    bank: BankUrl = DEFAULT_BANK,
    token: Token = "",
    as_json: Json = False,
) -> None:
    """One incident: what was said, when the next word is due, whose money, which reports."""
    one = ask(bank, token, "GET", f"/staff/v1/incidents/{quote(incident, safe='')}")
    if as_json:
        show(one)
        return
    print(f"incident {one['id']}")
    fact("state", one["state"])
    fact("services", ", ".join(one["components"]))
    fact("cause", one["cause_key"])
    fact("since", when(one["begun_at"]))
    due = when(one["next_update_at"]) if one["next_update_at"] else "nobody waits for one"
    fact("next word by", due + ("  OVERDUE" if one["is_overdue"] else ""))
    _print_money(one["money"])
    heading("words given")
    none(one["updates"], "none: nobody has been told yet")
    for word in one["updates"]:
        texts = word["texts"]
        said = texts["en" if "en" in texts else "id"]["headline"]
        print(f"  {when(word['at'])}  {word['state']:<16} {said}")
    heading("journal")
    for step in one["journal"]:
        print(f"  {when(step['at'])}  {step['what']}  by {step['by']}")
    heading("reports to authorities")
    none(one["clocks"], "none is due")
    for clock in one["clocks"]:
        sent = "sent" if clock["sent"] else f"due {when(clock['due_at'])} ({clock['urgency']})"
        print(f"  {clock['deadline']}  {clock['authority']}  {sent}")


def _print_money(told: dict[str, Any]) -> None:
    if not told["counted_at"]:
        fact("payments touched", "nobody has counted yet")
        return
    fact("payments touched", f"{told['affected']}, {money(told['affected_minor'])}")
    fact("of them still open", f"{told['open']}, {money(told['open_minor'])}")
