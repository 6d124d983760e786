"""``tangguh customer``: one customer, masked: accounts, log-in, what is open, complaints."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from cyclopts import App, Parameter

from tangguh.cli.oncall.paper import case_lines, fact, heading, none, payment_line, rupiah, when
from tangguh.cli.staff.line import DEFAULT_BANK, BankUrl, Json, Token, ask, show

app = App(name="customer", help="One customer, masked: accounts, log-in, payments, complaints.")


@app.command(name="show")
def show_(
    who: Annotated[str, Parameter(help="The customer's id, an account number or a phone number.")],
    /,
    *,
    bank: BankUrl = DEFAULT_BANK,
    token: Token = "",
    as_json: Json = False,
) -> None:
    """One customer. That you looked is written down."""
    told = ask(bank, token, "GET", f"/staff/v1/customers/{quote(who, safe='')}")
    if as_json:
        show(told)
        return
    print(f"customer {told['customer_id']}  {told['name']}  {told['phone']}  {told['language']}")
    locked = told["pin_locked_until"]
    fact("PIN", f"locked until {when(locked)}" if locked else f"{told['pin_failures']} wrong tries")
    fact("sessions open", told["sessions_open"])
    heading("accounts")
    none(told["accounts"], "none")
    for one in told["accounts"]:
        print(
            f"  {one['account']}  {one['product']}, {one['state']}: "
            f"posted {rupiah(one['posted'])}, held {rupiah(one['held'])}, "
            f"available {rupiah(one['available'])}"
        )
    for card in told["cards"]:
        print(f"  card ····{card['last_four']}  {card['state']}, {card['tries_left']} tries left")
    heading("payments whose end nobody knows")
    none(told["open_payments"], "none")
    for one in told["open_payments"]:
        print(f"  {payment_line(one)}")
    heading("newest payments")
    none(told["newest_payments"], "none")
    for one in told["newest_payments"]:
        print(f"  {payment_line(one)}")
    heading("complaints")
    none(told["cases"], "none")
    case_lines(told["cases"])
