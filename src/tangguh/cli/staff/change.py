"""``tangguh change`` and ``tangguh rule``: what people sign, and the guard's rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from tangguh.cli.invocation import invoked
from tangguh.cli.staff.line import DEFAULT_BANK, BankUrl, Json, Token, Why, ask, fail, show

change = App(name="change", help="What waits for a second person, and signing it.")
rule = App(name="rule", help="The guard's rules: list, back-test, put in force.")

_Hash = Annotated[str, Parameter(help="The hash of what you were shown; see `list`.")]
_Days = Annotated[int, Parameter(help="How many days back.")]
_Change = Annotated[str, Parameter(help="The change's id; see `list`.")]
_File = Annotated[Path, Parameter(help="A rule as JSON; see `tangguh rule list --json`.")]


@change.command(name="list")
def list_changes(*, bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False) -> None:
    """Changes, newest first, with their exact content."""
    found = ask(bank, token, "GET", "/staff/v1/changes")
    if as_json:
        show(found)
        return
    for one in found["changes"]:
        state = one["state"] if one["is_live"] or one["state"] != "pending" else "expired"
        print(f"{one['id']}  {one['kind']:<20} {one['subject']}  {state}  by {one['made_by']}")
        print(f"    {msgspec.json.encode(one['payload']).decode()}  sha256 {one['sha256']}")
    if not found["changes"]:
        print("nothing waits for anybody")


@change.command
def approve(
    id: _Change, /, *, sha256: _Hash,
    bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Say yes to exactly what has this hash."""
    done = ask(bank, token, "POST", f"/staff/v1/changes/{id}/approve", {"sha256": sha256})
    show(done) if as_json else print(f"signed; {done['change']['state']}")


@change.command
def deny(
    id: _Change, /, *, bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False
) -> None:
    """Say no: the change is dead."""
    done = ask(bank, token, "POST", f"/staff/v1/changes/{id}/deny", {})
    show(done) if as_json else print("denied")


@rule.command(name="list")
def list_rules(*, bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False) -> None:
    """Every rule in force."""
    found = ask(bank, token, "GET", "/staff/v1/rules")
    if as_json:
        show(found)
        return
    for one in found["rules"]:
        print(
            f"{one['id']:<20} {one['mode']:<7} class {one['signal_class']}  {one['metric']} >= "
            f"{one['threshold']} in {one['window_seconds']} s by {', '.join(one['by'])}"
        )
    if not found["rules"]:
        print("no rule is in force")


@rule.command(name="test")
def back_test(
    file: _File, /, *, days: _Days = 7,
    bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False,
) -> None:  # fmt: skip
    """What a rule would have closed over the last days, and what that would have cost."""
    body = {"rule": _read(file), "days": days}
    found = ask(bank, token, "POST", "/staff/v1/rules/test", body)
    if as_json:
        show(found)
        return
    print(
        f"{found['rule']}: {len(found['firings'])} closures over {found['payments']} payments; "
        f"{found['good_stopped']} good ones stopped ({found['collateral_permille'] / 10:g} %, "
        f"allowed alone {found['allowed_permille'] / 10:g} %), {found['bad_stopped']} bad ones"
    )
    for one in found["firings"]:
        smaller = f"; {one['smaller']} would have done" if one["smaller"] else ""
        print(f"  {one['at']}  {one['scope']}  {one['good_stopped']} good{smaller}")


@rule.command(name="set")
def set_(
    file: _File, /, *, reason: Why,
    bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Put a rule in force; one that stops too much waits for a risk officer."""
    body = {"rule": _read(file), "reason": reason}
    found = ask(bank, token, "POST", "/staff/v1/rules", body)
    if as_json:
        show(found)
    elif "change" in found:
        print(f"proposed {found['change']['id']}, sha256 {found['change']['sha256']}")
    else:
        print(f"{found['rule']} is {found['mode']}")


def _read(file: Path) -> object:
    try:
        return msgspec.json.decode(file.read_bytes())
    except OSError as fault:
        fail(
            f"{file}: {fault.strerror}; it is a file with one rule, "
            f"as `{invoked()} rule list --json` shows them"
        )
    except msgspec.DecodeError as fault:
        fail(
            f"{file}: not JSON ({fault}); "
            f"`{invoked()} rule list --json` shows what a rule looks like"
        )
