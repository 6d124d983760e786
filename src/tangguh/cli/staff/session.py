"""``tangguh staff login`` and ``logout``: the token is said once and kept for later commands.

It lies in a file that only its owner can read, with the bank it is for. A log-in by itself only
reads: whoever acts does so from a device the bank knows.
"""

from __future__ import annotations

import getpass
import sys

import msgspec

from tangguh.cli.oncall.paper import when
from tangguh.cli.staff.hints import next_step
from tangguh.cli.staff.line import (
    DEFAULT_BANK,
    BankUrl,
    Json,
    Login,
    Token,
    ask,
    fail,
    keep_secret,
    show,
)
from tangguh.config import staff_login_path


def login(*, bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False) -> None:
    """Say once who you are: the token is asked for unseen, tried, and kept on this machine."""
    token = (token or _typed()).strip()
    if not token:
        fail(f"no token was typed; {next_step('not_logged_in')}")
    me = ask(bank, token, "GET", "/staff/v1/me", device="")
    path = staff_login_path()
    keep_secret(path, msgspec.json.encode(Login(bank, token)).decode())
    if as_json:
        show({**me, "bank": bank, "kept": str(path)})
        return
    print(f"you are {me['id']} ({', '.join(me['roles']) or 'no role'}) at {bank}")
    print(f"kept in {path}; tangguh staff logout forgets it")


def whoami(*, bank: BankUrl = DEFAULT_BANK, token: Token = "", as_json: Json = False) -> None:
    """Who you are to the bank, and what time it goes by."""
    me = ask(bank, token, "GET", "/staff/v1/me")
    if as_json:
        show(me)
        return
    device = "a device of yours" if me["device"] else "no device: you read, and act from none"
    print(f"you are {me['id']} ({', '.join(me['roles']) or 'no role'}), from {device}")
    print(
        f"the bank's time is {when(me['now'])}; its machine's clock is "
        f"{me['wall_clock_seconds']:+.1f} s away from it"
    )


def logout(*, as_json: Json = False) -> None:
    """Forget the token on this machine. It stays good elsewhere."""
    path = staff_login_path()
    try:
        path.unlink()
        said = "logged out"
    except FileNotFoundError:
        said = "nobody was logged in"
    except OSError as fault:
        fail(f"{fault.filename}: {fault.strerror}")
    show({"said": said}) if as_json else print(said)


def _typed() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Staff token: ")
    return sys.stdin.readline()
