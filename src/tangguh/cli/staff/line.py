"""One question to the staff API of a running bank, asked from a terminal and answered as rows."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Any, NoReturn

import aiohttp
import msgspec
from cyclopts import Parameter

from tangguh.config import staff_device
from tangguh.web.staff.door import DEVICE_HEADER

BankUrl = Annotated[
    str, Parameter(name="--bank", env_var="TANGGUH_BANK", help="Where the bank answers.")
]
Token = Annotated[
    str,
    Parameter(name="--token", env_var="TANGGUH_STAFF_TOKEN", help="Your staff token."),
]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON document.")]
DEFAULT_BANK = "http://127.0.0.1:8080"
_SECONDS = 60.0


def ask(
    bank: str, token: str, method: str, path: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The answer. Ends the command with 1 and the problem's words when it is a no."""
    if not token:
        fail("--token or TANGGUH_STAFF_TOKEN: say who you are")
    try:
        status, said = asyncio.run(_ask(bank, token, method, path, body))
    except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as fault:
        fail(f"{bank}: the bank cannot be reached ({type(fault).__name__})")
    if status >= 400:
        field = f" ({said['field']})" if said.get("field") else ""
        fail(f"{said.get('code', status)}{field}: {said.get('detail') or said.get('title', '')}")
    return said


def fail(why: str) -> NoReturn:
    """End the command with 1, saying why on standard error."""
    print(f"tangguh: {why}", file=sys.stderr)
    sys.exit(1)


def show(found: Any) -> None:
    """One JSON document on standard output."""
    print(msgspec.json.encode(found).decode())


async def _ask(
    bank: str, token: str, method: str, path: str, body: dict[str, Any] | None
) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}", DEVICE_HEADER: staff_device()}
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
        data = None if body is None else msgspec.json.encode(body)
        async with session.request(method, f"{bank}{path}", data=data) as answer:
            return answer.status, msgspec.json.decode(await answer.read())
