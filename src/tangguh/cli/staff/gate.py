"""``tangguh gate``: what is closed, closing, confirming, widening, declaring it wrong.

It speaks to the staff API of a running bank, so every act is one person's, in the hash chain.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from tangguh.cli.staff.line import DEFAULT_BANK, BankUrl, Json, Token, Why, ask, fail, show

app = App(name="gate", help="Closures: what is in force, closing the smallest scope, and more.")

_Scope = Annotated[
    str, Parameter(help='In quotes: "rail=bifast direction=out"; "*" is the whole bank.')
]
_Closure = Annotated[str, Parameter(help="The closure's id; see `list`.")]
_Parts = Annotated[str, Parameter(help="The parts that stay closed, each in quotes.")]


@app.command(name="list")
def list_(*, bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False) -> None:
    """Every closure in force, and what it lets through."""
    found = ask(bank, token, "GET", "/staff/v1/gates")
    if as_json:
        show(found)
        return
    for one in found["closures"]:
        effect = one["effect"] if isinstance(one["effect"], str) else "limited"
        print(
            f"{one['id']}  {one['scope']:<32} {effect:<8} class {one['signal_class']}  "
            f"{one['state']:<15} {one['reason']}  by {one['made_by']}  "
            f"{one['seconds_left'] // 60} min left"
        )
    if not found["closures"]:
        print("everything is open")


@app.command
def close(
    scope: _Scope,
    /,
    *,
    reason: Annotated[str, Parameter(help="A stable code, as unmatched_outflow.")] = "by_hand",
    cause: Annotated[str, Parameter(help="Why, in words.")] = "",
    evidence: Annotated[
        Path | None, Parameter(help="A file that shows it; its hash is kept.")
    ] = None,
    signal_class: Annotated[str, Parameter(name="--class", help="A, B, C or D.")] = "A",
    minutes: Annotated[int, Parameter(help="For how long, unless somebody confirms it.")] = 60,
    amount_max: Annotated[int | None, Parameter(help="Limit to this many minor units.")] = None,
    parks: Annotated[
        bool, Parameter(negative="", help="Take payments, send them when it opens.")
    ] = False,
    message_id: Annotated[
        str, Parameter(help="Why, for customers, in Indonesian; what it does is added.")
    ] = "",
    message_en: Annotated[str, Parameter(help="The same in English.")] = "",
    preview: Annotated[
        bool, Parameter(negative="", help="Say what it would stop, and close nothing.")
    ] = False,
    bank: BankUrl = DEFAULT_BANK,
    token: Token = "",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Close a scope at once, or with --preview say what it would cost."""
    if preview:
        found = ask(bank, token, "POST", "/staff/v1/gates/preview", {"scope": scope})
        show(found) if as_json else _show_preview(found)
        return
    if not cause:
        fail("--cause: say why, in words")
    order: dict[str, Any] = {
        "scope": scope, "reason": reason, "cause": cause, "signal_class": signal_class,
        "minutes": minutes, "amount_max_minor": amount_max, "parks": parks,
        "message_id": message_id, "message_en": message_en,
        "evidence": evidence.read_text("utf-8", errors="replace") if evidence else "",
    }  # fmt: skip
    _done(ask(bank, token, "POST", "/staff/v1/gates", order), as_json=as_json)


@app.command
def confirm(
    closure: _Closure, /, *, bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False
) -> None:
    """Stand behind a closure for up to four hours."""
    _done(ask(bank, token, "POST", f"/staff/v1/gates/{closure}/confirm", {}), as_json=as_json)


@app.command
def widen(
    closure: _Closure, scope: _Scope, /, *,
    bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Propose the next wider scope, one step; a second person agrees."""
    path = f"/staff/v1/gates/{closure}/widen"
    _done(ask(bank, token, "POST", path, {"scope": scope}), as_json=as_json)


@app.command
def narrow(
    closure: _Closure, /, *scopes: _Parts,
    bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Keep only these parts of it closed."""
    path = f"/staff/v1/gates/{closure}/narrow"
    _done(ask(bank, token, "POST", path, {"scopes": list(scopes)}), as_json=as_json)


@app.command
def wrong(
    closure: _Closure, /, *, why: Why,
    bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Propose that it was a false positive; a risk officer agrees, and it is lifted."""
    path = f"/staff/v1/gates/{closure}/false-positive"
    _done(ask(bank, token, "POST", path, {"why": why}), as_json=as_json)


@app.command(name="book-outflow")
def book_outflow(*, bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False) -> None:
    """Propose to book what left without a payment into suspense; a risk officer agrees."""
    _done(ask(bank, token, "POST", "/staff/v1/outflows/book", {}), as_json=as_json)


@app.command
def history(*, bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False) -> None:
    """What happened to gates, newest first."""
    found = ask(bank, token, "GET", "/staff/v1/gates/history")
    if as_json:
        show(found)
        return
    for one in found["events"]:
        print(f"{one['at']}  {one['what']:<16} {one['closure']}  by {one['by']}")
    if not found["events"]:
        print("nothing was ever closed")


def _show_preview(found: dict[str, Any]) -> None:
    print(
        f"{found['scope']} would stop {found['stopped']} of customers' {found['normal']} normal "
        f"payments of this hour ({found['permille'] / 10:g} % by count, "
        f"{found['value_permille'] / 10:g} % by amount), of {found['customers']} customers; "
        f"{found['in_flight']} are open now"
    )
    if found["probes"] or found["probes_in_flight"]:
        print(
            f"the bank's own probes are not counted: {found['probes']} of this hour, "
            f"{found['probes_in_flight']} open now"
        )
    for service, count in found["services"].items():
        print(f"  {service:<28} {count}")
    if found["smaller"]:
        print("smaller scopes:")
    for one in found["smaller"]:
        print(f"  {one['scope']:<60} {one['permille'] / 10:g} %")
    if found["needs_people"]:
        print("this takes two people")


def _done(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show(found)
    elif "change" in found:
        change = found["change"]
        print(f"proposed {change['id']} ({change['kind']}), sha256 {change['sha256']}")
        print(f"a second person: tangguh change approve {change['id']} --sha256 {change['sha256']}")
    else:
        for one in found.get("closures") or [found["closure"]]:
            print(f"{one['id']}  {one['scope']}  {one['state']}")
