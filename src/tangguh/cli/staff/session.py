"""``tangguh staff login`` and ``logout``: the token is said once and kept for later commands.

It lies in a file that only its owner can read, with the bank it is for. A log-in by itself only
reads: whoever acts does so from a device the bank knows.
"""

from __future__ import annotations

import getpass
import sys

import msgspec

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
        fail("no token was typed; whoever answers for staff accounts gives you one")
    me = ask(bank, token, "GET", "/staff/v1/me", device="")
    path = staff_login_path()
    keep_secret(path, msgspec.json.encode(Login(bank, token)).decode())
    if as_json:
        show({**me, "bank": bank, "kept": str(path)})
        return
    print(f"you are {me['id']} ({', '.join(me['roles']) or 'no role'}) at {bank}")
    print(f"kept in {path}; tangguh staff logout forgets it")


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
