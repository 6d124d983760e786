"""``tangguh case``: what people complain of: the queue, and one case without what they wrote."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from cyclopts import App, Parameter

from tangguh.cli.oncall.paper import fact, heading, none, payment_line, when
from tangguh.cli.staff.line import DEFAULT_BANK, BankUrl, Json, Token, ask, show

app = App(name="case", help="Complaints: the queue with its clocks, and one case.")


@app.command(name="list")
def list_(*, bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False) -> None:
    """What somebody must act on, the most urgent first."""
    found = ask(bank, token, "GET", "/staff/v1/cases")
    if as_json:
        show(found)
        return
    for one in found["cases"]:
        clock = one["clock"]
        late = "  OVERDUE" if clock["is_overdue"] else "  late" if clock["is_late"] else ""
        print(
            f"{one['number']}  {one['about']:<18} {one['state']:<12} act by "
            f"{when(clock['act_by'])}, answer by {when(clock['due_at'])}  "
            f"{one['owner'] or 'nobody yet'}{late}"
        )
    if not found["cases"]:
        print("nobody waits for an answer")


@app.command(name="show")
def show_(
    case: Annotated[str, Parameter(help="Its number, as TG26-7K3M-9QXD, or its id.")],
    /,
    *,
    bank: BankUrl = DEFAULT_BANK,
    token: Token = "",
    as_json: Json = False,
) -> None:
    """One case: where it is, its clock, every step, the payment it is about. Not the words."""
    told = ask(bank, token, "GET", f"/staff/v1/cases/{quote(case, safe='')}/outline")
    if as_json:
        show(told)
        return
    one = told["case"]
    print(f"case {one['number']}  ({one['id']})")
    state = "OVERDUE" if told["is_overdue"] else "late" if told["is_late"] else ""
    fact("state", f"{one['state']}  {one['outcome']}  {state}".strip())
    fact("about", f"{one['about']}, by {one['channel']}, customer {told['customer_id']}")
    fact("why", one["why"])
    fact("opened", when(one["opened_at"]))
    fact("act by", when(one["act_by"]))
    fact("answer by", when(one["due_at"]))
    fact("owner", one["owner"] or "nobody yet")
    fact("incident", told["incident_id"])
    fact(
        "written", f"{told['messages']} messages, {told['files']} files; read them on /staff/queue"
    )
    heading("payment")
    none([told["payment"]] if told["payment"] else [], "none is named")
    if told["payment"]:
        print(f"  {payment_line(told['payment'])}")
        print(f"  its story: tangguh payment show {told['payment']['id']}")
    heading("steps")
    for step in told["steps"]:
        detail = f": {step['detail']}" if step["detail"] else ""
        print(f"  {when(step['at'])}  {step['what']:<14} {step['state']}{detail}  by {step['by']}")
