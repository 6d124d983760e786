"""``tangguh payment``: a payment by whatever somebody calls it, and its whole story."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Final, NoReturn
from urllib.parse import urlencode

from cyclopts import App, Parameter

from tangguh.cli.oncall.paper import (
    case_lines,
    fact,
    heading,
    none,
    payment_line,
    rupiah,
    when,
)
from tangguh.cli.staff.line import DEFAULT_BANK, BankUrl, Json, Token, ask, fail, show

app = App(name="payment", help="Find a payment by any reference, and read its whole story.")

_WAITS_FOR_STAFF: Final = frozenset({"received", "with_staff", "needs_papers", "escalated"})
_Days = Annotated[int, Parameter(help="How many days to look back, at most 400.")]


@app.command(name="show")
def show_(
    reference: Annotated[
        str,
        Parameter(
            help="The id or short reference, the number of a report, an EndToEndId, an RRN or "
            "STAN, a partner's or network's reference, an order's key, a biller's customer number."
        ),
    ],
    /,
    *,
    days: _Days = 7,
    bank: BankUrl = DEFAULT_BANK,
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Everything the bank's records say of one payment. Several are listed, none is guessed."""
    query = urlencode({"ref": reference, "days": days})
    found = ask(bank, token, "GET", f"/staff/v1/payments/named?{query}")
    if len(found["payments"]) != 1:
        if as_json:
            show(found)
            sys.exit(1)
        if not found["payments"]:
            _fail_nothing(found)
        _list(found)
        fail("several answer to it; say which: tangguh payment show ID")
    told = ask(bank, token, "GET", f"/staff/v1/payments/{found['payments'][0]['id']}")
    show(told) if as_json else print_trace(told)


@app.command
def find(
    *,
    account: Annotated[str, Parameter(help="The last 4 digits or more, of either side.")] = "",
    amount: Annotated[str, Parameter(help="Rupiah: to the payee, or with the fee.")] = "",
    state: Annotated[str, Parameter(help="As `unanswered`, `held`, `posted`, `voided`.")] = "",
    rail: Annotated[str, Parameter(help="As `qris`, `bifast`, `iso8583`, `ewallet`.")] = "",
    customer: Annotated[str, Parameter(help="The customer's id.")] = "",
    since: Annotated[str, Parameter(help="From when, as 2026-03-20T12:00:00+07:00.")] = "",
    until: Annotated[str, Parameter(help="Until when.")] = "",
    days: _Days = 7,
    bank: BankUrl = DEFAULT_BANK,
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Payments by what is known of them, newest first; everything said must fit."""
    said = {
        "account": account, "amount": amount, "state": state, "rail": rail,
        "customer": customer, "since": since, "until": until, "days": str(days),
    }  # fmt: skip
    query = urlencode({name: value for name, value in said.items() if value})
    found = ask(bank, token, "GET", f"/staff/v1/payments?{query}")
    if as_json:
        show(found)
        return
    if not found["payments"]:
        print(f"none from {when(found['looked_from'])} to {when(found['looked_to'])}")
    _list(found)


def print_trace(told: dict[str, Any]) -> None:
    """One payment's story, part by part."""
    one = told["payment"]
    print(f"{one['kind']} {one['id']}  ({one['short_reference']})")
    fact("state", one["state"] + (f", because {told['refusal']}" if told["refusal"] else ""))
    fact("service", f"{one['service']} over {one['rail']}, customer {one['customer_id']}")
    fact("to the payee", rupiah(one["to_payee"]))
    fact("fee", rupiah(one["fee"]))
    fact("total", rupiah(one["total"]))
    fact("from", told["payer"])
    fact("to", told["payee"])
    fact("accepted", f"{when(one['accepted_at'])}, business day {told['business_date']}")
    fact("ended", when(one["concluded_at"]))
    if told["next_look_at"]:
        fact("asked again", f"{when(told['next_look_at'])}, so far {told['attempts']} times")
    if told["refunded"] != "0.00" or told["refunding"] != "0.00":
        back, coming = rupiah(told["refunded"]), rupiah(told["refunding"])
        fact("given back", f"{back}, on its way back {coming}")
    fact("gives back from", told["original_id"])
    heading("names")
    for what, name in told["names"].items():
        fact(what, name)
    _print_steps(told)
    _print_money(told)
    _print_file(told)
    _print_word(told)
    print(f"\nnext: {next_of(told)}")


def next_of(told: dict[str, Any]) -> str:
    """What whoever is on call does with it now."""
    state, redress = told["payment"]["state"], told["redress"]
    if [one for one in told["breaks"] if one["state"] == "open"]:
        return "settlement has an open break for it: docs/guides/settlement.md"
    waiting = [one["number"] for one in told["cases"] if one["state"] in _WAITS_FOR_STAFF]
    if waiting:
        return f"somebody of staff answers {waiting[0]}: tangguh case show {waiting[0]}"
    if state == "parked":
        return "it waits for its service to open: tangguh gate list"
    if state in ("held", "unanswered"):
        return (
            "do not void it by hand: the resolver asks the network until it knows; "
            "docs/runbooks/payment-unanswered.md"
        )
    if redress is not None and redress["advance"] == "owed":
        return f"the advance is taken back {when(redress['take_back_at'])}; nothing to do"
    if redress is not None and redress["still_out"] != "0.00":
        return f"{rupiah(redress['still_out'])} of the bank's advance is still out"
    return "nothing: it has ended, and nothing of it is open"


def _print_steps(told: dict[str, Any]) -> None:
    heading("steps (what went to the network or came from it after the arrow)")
    for step in told["steps"]:
        by = "" if step["by"] == "bank" else f"  by {step['by']}"
        print(f"  {when(step['at'])}  {step['what']:<18} {step['says']}{by}")
        if step["network"]:
            print(f"  {'':<25}  {'':<18} -> {step['network']}")


def _print_money(told: dict[str, Any]) -> None:
    heading("money set aside")
    none([told["hold"]] if told["hold"] else [], "none: it never was")
    if hold := told["hold"]:
        ended = f", {hold['state']} {when(hold['ended_at'])}" if hold["ended_at"] else ", still"
        print(f"  {rupiah(hold['amount'])} on {hold['account']} {when(hold['placed_at'])}{ended}")
    heading("postings")
    none(told["postings"], "none: no money moved")
    for one in told["postings"]:
        print(f"  {when(one['posted_at'])}  {one['kind']:<14} {one['id']}  batch {one['batch_no']}")
        for entry in one["entries"]:
            print(f"    {rupiah(entry['amount']):>16}  {entry['account']}")
    if told["refunds"]:
        heading("refunds of it")
        for refund in told["refunds"]:
            print(f"  {payment_line(refund)}")
    heading("money back")
    redress = told["redress"]
    none([redress] if redress else [], "no advance, nothing paid for being late")
    if redress:
        fact("advance", f"{redress['advance']}: {rupiah(redress['advanced'])} at first, "
             f"{rupiah(redress['still_out'])} still out")  # fmt: skip
        fact("no advance, because", redress["why_not"])
        fact("taken back", when(redress["take_back_at"]) if redress["take_back_at"] else "")
        if redress["late_days"]:
            paid = rupiah(redress["late_paid"])
            fact("paid for being late", f"{paid} for {redress['late_days']} days")
        fact("came back by", redress["came_back_by"])


def _print_file(told: dict[str, Any]) -> None:
    heading("settlement")
    none([*told["file_lines"], *told["breaks"]], "no file has listed it yet, and no break names it")
    for one in told["file_lines"]:
        file = f"file sha256 {one['file_sha256'][:16]}, {one['file_state']}"
        where = file if one["file_sha256"] else "no file: a repair"
        print(
            f"  {one['network']} {one['day']} cycle {one['cycle']}  {rupiah(one['net'])}  {where}"
        )
    for one in told["breaks"]:
        print(
            f"  break {one['id']}  {one['kind']}, {one['state']}, {one['owner']}  "
            f"ours {rupiah(one['ours'])}, theirs {rupiah(one['theirs'])}"
        )
        print(f"    {one['reason'] or one['proposal']}")


def _print_word(told: dict[str, Any]) -> None:
    heading("told to people")
    none(told["notices"], "nothing")
    for one in told["notices"]:
        proof = f"  proof {one['proof']}" if one["proof"] else ""
        why = f" ({one['reason']})" if one["reason"] else ""
        print(
            f"  {when(one['made_at'])}  {one['template']:<22} to {one['to']}  "
            f"{one['state']} by {one['via'] or 'the app'}{why}{proof}"
        )
    heading("complaints")
    none(told["cases"], "none")
    case_lines(told["cases"])
    if told["incidents"]:
        heading("incidents that touched it")
        for one in told["incidents"]:
            print(f"  {one['id']}  {one['state']}  since {when(one['begun_at'])}")


def _list(found: dict[str, Any]) -> None:
    for one in found["payments"]:
        print(payment_line(one))
    if found["more"]:
        print("and more: say more of it, or a shorter time", file=sys.stderr)


def _fail_nothing(found: dict[str, Any]) -> NoReturn:
    since = when(found["looked_from"])
    fail(
        f"nothing answers to it since {since}. Look further back with --days 60, "
        "or by what is known: tangguh payment find --amount 54000"
    )
