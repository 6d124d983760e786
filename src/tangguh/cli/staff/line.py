"""One question to the staff API of a running bank, asked from a terminal and answered as rows.

The bank knows this machine by a secret it issued; whoever has none yet is issued their account's
first when they first act.
"""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import msgspec
from cyclopts import Parameter

from tangguh.cli.invocation import invoked
from tangguh.cli.staff.hints import next_step
from tangguh.cli.trouble import fail as fail
from tangguh.config import staff_device_path, staff_login_path
from tangguh.web.staff.door import DEVICE_HEADER

BankUrl = Annotated[
    str, Parameter(name="--bank", env_var="TANGGUH_BANK", help="Where the bank answers.")
]
Token = Annotated[
    str,
    Parameter(
        name="--token",
        env_var="TANGGUH_STAFF_TOKEN",
        help="Your staff token; else that of `tangguh staff login`.",
    ),
]
Why = Annotated[str, Parameter(name=("--why", "--reason"), help="Why, in words; it is kept.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON document.")]
DEFAULT_BANK = "http://127.0.0.1:8080"
DEVICES = "/staff/v1/devices"
_SECONDS = 60.0
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Login(msgspec.Struct, frozen=True):
    """Who is logged in where."""

    bank: str
    token: str


def ask(
    bank: str,
    token: str,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    device: str | None = None,
) -> dict[str, Any]:
    """The answer. Ends the command with 1 and the problem's words when it is a no.

    ``device`` is this machine's own unless something else is said; empty: none.
    """
    bank, token = who_asks(bank, token)
    try:
        if device is None:
            if method != "GET" and not device_of():
                enrol(bank, token)
            device = device_of()
        status, said = asyncio.run(_ask(bank, token, device, method, path, body))
    except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as fault:
        fail(
            f"no bank answers at {bank} ({type(fault).__name__}); `{invoked()} up` starts one, "
            "--bank or TANGGUH_BANK says where another answers"
        )
    if status >= 400:
        field, code = str(said.get("field") or ""), str(said.get("code") or status)
        told = str(said.get("detail") or said.get("title", ""))
        step = next_step(code, field)
        fail(f"{code}{f' ({field})' if field else ''}: {told}{f'; {step}' if step else ''}")
    return said


def who_asks(bank: str, token: str) -> tuple[str, str]:
    """Which bank is asked, and by whose token: what was said, else what the log-in kept.

    A token that was kept goes to the bank it was kept for and to no other. Ends the command with 1
    when nobody is logged in.
    """
    if token:
        return bank, token
    kept = login_kept()
    if kept is None:
        fail(f"nobody said who you are; {next_step('not_logged_in')}")
    if bank not in (DEFAULT_BANK, kept.bank):
        fail(
            f"you are logged in at {kept.bank} and its token goes nowhere else; "
            f"`{invoked()} staff login --bank {bank}` logs you in there"
        )
    return kept.bank, kept.token


def login_kept() -> Login | None:
    """The log-in this machine keeps; None when it keeps none. Ends the command with 1 when the
    file cannot be read, or somebody else can read it.
    """
    path = staff_login_path()
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                fail(
                    f"{path}: others can read it, so its token is not used; ask for a new one, "
                    f"and `{invoked()} staff login` keeps it anew"
                )
            return msgspec.json.decode(file.read(), type=Login)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError:
        fail(f"{path}: no log-in can be read there; `{invoked()} staff login` begins anew")
    except OSError as fault:
        fail(f"{fault.filename}: {fault.strerror}")


def enrol(bank: str, token: str, *, replaces: bool = False) -> None:
    """Be issued a device's secret, and keep it on this machine. Ends the command with 1 on a no."""
    device, path = device_of() if replaces else "", staff_device_path()
    trial = path.with_name(f"{path.name}.trial")
    keep_secret(trial, "")  # the secret is told once: first, whether it can be kept
    trial.unlink()
    said = ask(bank, token, "POST", DEVICES, {"replaces": replaces}, device=device)
    keep_secret(path, said["device"])


def device_of() -> str:
    """The secret this machine keeps; empty when it keeps none."""
    try:
        return staff_device_path().read_text("utf-8").strip()
    except FileNotFoundError:
        return ""
    except OSError as fault:
        fail(f"{fault.filename}: {fault.strerror}")


def keep_secret(path: Path, secret: str) -> None:
    """Keep a secret of staff where nobody else reads it. Ends the command with 1 if it cannot."""
    beside = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{secret}\n")
        beside.replace(path)
    except OSError as fault:
        fail(f"{fault.filename}: {fault.strerror}")


def show(found: Any) -> None:
    """One JSON document on standard output."""
    print(msgspec.json.encode(found).decode())


async def _ask(
    bank: str, token: str, device: str, method: str, path: str, body: dict[str, Any] | None
) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"}
    if device:
        headers[DEVICE_HEADER] = device
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
        data = None if body is None else msgspec.json.encode(body)
        async with session.request(method, f"{bank}{path}", data=data) as answer:
            return answer.status, msgspec.json.decode(await answer.read())
