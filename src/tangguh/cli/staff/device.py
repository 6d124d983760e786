"""``tangguh staff``: logging in, and the devices somebody of staff is known by."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from tangguh.cli.invocation import invoked
from tangguh.cli.staff.line import (
    DEFAULT_BANK,
    DEVICES,
    BankUrl,
    Json,
    Token,
    Why,
    ask,
    device_of,
    enrol,
    fail,
    show,
)
from tangguh.cli.staff.session import login, logout, whoami
from tangguh.config import staff_device_path

app = App(name="staff", help="Log in as staff; the devices somebody of staff is known by.")
app.command(login)
app.command(logout)
app.command(whoami)

app.command("tangguh.cli.staff.roles:roles")

_Another = Annotated[bool, Parameter(negative="", help="Print the secret of one more device.")]
_Replaces = Annotated[bool, Parameter(negative="", help="Give this device a new secret.")]
_Account = Annotated[str, Parameter(help="Whose devices: a staff id, such as staff:3.")]


@app.command(name="enrol")
def enrol_here(
    *, another: _Another = False, replaces: _Replaces = False,
    bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Make this machine your account's first device.

    With --another, from a device that is one: print the secret of one more. With --replaces: give
    this one a new secret.
    """
    if another and replaces:
        fail("say either --another or --replaces, not both", 2)
    if another:
        made = ask(bank, token, "POST", DEVICES, {"replaces": False})
        show(made) if as_json else print(made["device"])
        return
    enrol(bank, token, replaces=replaces)
    where = str(staff_device_path())
    show({"kept": where}) if as_json else print(f"this machine is known; kept in {where}")


@app.command
def end(*, bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False) -> None:
    """End this device: its secret opens nothing any more."""
    if not device_of():
        fail(
            "this machine keeps no device: there is nothing to end; "
            f"`{invoked()} staff enrol` makes it one"
        )
    done = ask(bank, token, "POST", f"{DEVICES}/end", {})
    staff_device_path().unlink(missing_ok=True)
    show(done) if as_json else print("ended")


@app.command
def reset(
    account: _Account, /, *, why: Why,
    bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Propose to end every device of an account, which then begins anew; a risk officer signs."""
    found = ask(bank, token, "POST", f"{DEVICES}/reset", {"staff": account, "why": why})
    if as_json:
        show(found)
        return
    print(f"proposed {found['change']['id']}, sha256 {found['change']['sha256']}")
