"""``tangguh ladder``: the way back of a closed scope, stage by stage."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from tangguh.cli.staff.line import DEFAULT_BANK, BankUrl, Json, Token, Why, ask, fail, show

app = App(name="ladder", help="The way back: begin, sign the next stage, close again.")

_Closure = Annotated[str, Parameter(help="The closure's id; see `tangguh gate list`.")]


@app.command(name="list")
def list_(*, bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False) -> None:
    """Every climb that goes on: its stage, what it waits for, why."""
    found = ask(bank, token, "GET", "/staff/v1/ladders")
    if as_json:
        show(found)
        return
    for one in found["ladders"]:
        needs = f"  needs {', '.join(one['needs'])}" if one["needs"] else ""
        print(
            f"{one['closure_id']}  {one['scope']:<32} stage {one['stage']} of {one['stages']} "
            f"({one['rung']})  {one['what']}: {one['why']}{needs}"
        )
    if not found["ladders"]:
        print("nothing climbs")


@app.command
def start(
    closure: _Closure,
    /,
    *,
    cause: Annotated[str, Parameter(help="What was wrong.")] = "",
    fix: Annotated[str, Parameter(help="What was done about it.")] = "",
    evidence: Annotated[str, Parameter(help="What shows that it is done.")] = "",
    control: Annotated[str, Parameter(help="What stands in for a cause nobody knows.")] = "",
    keys_rotated: Annotated[str, Parameter(help="Which keys are new.")] = "",
    without_restore: Annotated[
        str, Parameter(help="Why it goes on although no backup was seen to restore.")
    ] = "",
    bank: BankUrl = DEFAULT_BANK,
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Begin: name the cause with its fix and evidence, or the control in its place."""
    body = {
        "cause": cause, "fix": fix, "evidence": evidence, "control": control,
        "keys_rotated": keys_rotated, "without_restore": without_restore,
    }  # fmt: skip
    found = ask(bank, token, "POST", f"/staff/v1/ladders/{closure}/start", body)
    show(found) if as_json else print(f"{closure} stands at {found['rung']}")


@app.command
def approve(
    closure: _Closure,
    /,
    *,
    sha256: Annotated[str, Parameter(help="The hash you were shown; else it is shown now.")] = "",
    bank: BankUrl = DEFAULT_BANK,
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Sign the next stage. Without --sha256 it shows what would be signed, and signs nothing."""
    found = ask(bank, token, "GET", "/staff/v1/changes")
    asked = [
        one
        for one in found["changes"]
        if one["kind"] == "ladder.climb" and one["subject"] == closure and one["is_live"]
    ]
    if not asked:
        fail(f"{closure}: nobody is asked to sign anything now")
    change = asked[0]
    if not sha256:
        if as_json:
            show(change)
            return
        print(f"{change['payload']}")
        print(f"to sign it: tangguh ladder approve {closure} --sha256 {change['sha256']}")
        return
    path = f"/staff/v1/changes/{change['id']}/approve"
    done = ask(bank, token, "POST", path, {"sha256": sha256})
    show(done) if as_json else print(f"signed; {done['change']['state']}")


@app.command
def back(
    closure: _Closure, /, *, why: Why,
    bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Close it again. Needs nobody else."""
    found = ask(bank, token, "POST", f"/staff/v1/ladders/{closure}/back", {"why": why})
    show(found) if as_json else print(f"{closure} is closed")


@app.command
def history(
    closure: _Closure, /, *, bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False
) -> None:
    """Every step of one way back."""
    found = ask(bank, token, "GET", f"/staff/v1/ladders/{closure}")
    if as_json:
        show(found)
        return
    for one in found["steps"]:
        print(f"{one['at']}  {one['what']:<12} {one['rung']:<12} {one['why']}  by {one['by']}")
