"""The operator: chips with balances of their own, readers that load them, rides, the day's file.

The books are the chips: a load is ``in``, a ride ``out``. A file holds the day's rides; sent again,
it is the same file and some more lines.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import date, datetime
from hashlib import sha256
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec

from tangguh.core.clock import Clock
from tangguh.sim.faults import (
    Dealt,
    DropReply,
    DropRequest,
    Faults,
    Garbage,
    Late,
    Plan,
    Twice,
)
from tangguh.sim.passbook import Passbook, PassbookProof, TransferRow, day_text, instant_text
from tangguh.sim.snap import asymmetric_signature, timestamp_of
from tangguh.sim.snap_network import private_key_at

TAP, FILE = "tap", "file"
"""What its readers call the bank for: the services that faults name."""
FARE_MINOR: Final = 3_500_00
_FILE_ROWS_MAX: Final = 100_000


class OperatorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``bank_url``: where the bank listens. ``line_key`` in hex is shared with the bank."""

    bank_url: str
    private_key_path: str
    line_key: str
    books_path: str
    operator: str = "TRANSIT UJI"
    seed: int = 0

    def __repr__(self) -> str:
        return f"OperatorSettings(operator={self.operator!r}, ...)"


class Operator:
    """A network that nobody calls: its readers call the bank."""

    name = "transit"

    def __init__(self, settings: OperatorSettings, clock: Clock) -> None:
        """Raises Misconfigured when the key cannot be read."""
        self._settings = settings
        self._clock = clock
        self._key = private_key_at(settings.private_key_path)
        self._line_key = bytes.fromhex(settings.line_key)
        self._random = Random(settings.seed)  # noqa: S311  a rehearsal must be repeatable
        self._session: aiohttp.ClientSession | None = None
        self.faults = Faults(TAP, FILE)
        self.ledger = Passbook(settings.books_path)

    @property
    def address(self) -> str:
        """It has none: it calls."""
        return ""

    async def open(self) -> None:
        """Nothing to listen on."""

    async def close(self, grace_seconds: float = 0.0) -> None:
        """Let go of the connection and the books."""
        if self._session is not None:
            await self._session.close()
        self.ledger.close()

    async def settle(self) -> None:
        """Every act is awaited by whoever asks for it."""

    async def put_plan(self, plan: Plan) -> None:
        """Let this be wrong from now on."""
        self.faults.put(plan)

    def dealt(self) -> Dealt:
        """The plan in force."""
        return self.faults.dealt()

    def prove(self) -> PassbookProof:
        """Every chip's balance follows from its loads and rides."""
        return self.ledger.prove()

    def books(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """Chips, loads and rides."""
        rows = self.ledger.transfers(
            kind=asked.get("kind", ""), limit=max(int(asked.get("limit", "100")), 0)
        )
        return {
            "totals": self.ledger.totals(),
            "accounts": self.ledger.accounts(),
            "transfers": rows,
        }

    def settlement_file(self, day: date, cycle: int = 0) -> str:
        """The operator's own file: every ride of the day, in the bank's layout."""
        rows = [
            row
            for row in reversed(self.ledger.transfers(kind="ride", limit=_FILE_ROWS_MAX))
            if row.made_at and day_text_of(row) == day.isoformat()
        ]
        return self._file(day.isoformat(), cycle, rows)

    async def act(self, what: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """``tap``, ``ride`` (tap, ride, send the file) or ``file``. ValueError: it cannot."""
        number = str(fields.get("number", ""))
        match what:
            case "tap":
                return {"loaded_minor": await self.tap(number)}
            case "ride":
                loaded = await self.tap(number)
                fare = int(fields.get("amount_minor", FARE_MINOR))
                went = self.ride(number, fare)
                sent = await self.send()
                return {"loaded_minor": loaded, "rode": went, **sent}
            case "file":
                return await self.send()
            case _:
                raise ValueError("it can tap, ride and file")

    async def tap(self, number: str) -> int:
        """A card at a reader: what the bank holds for it comes onto the chip."""
        with self.ledger.transaction():
            self.ledger.open_account(number, "CHIP")
        tap = len(self.ledger.transfers(kind="load", account=number, limit=_FILE_ROWS_MAX)) + 1
        said = await self._post("/emoney/taps", {"number": number, "tap": tap, "reader": "R01"})
        minor = int(str(said.get("loaded", "0")).replace(".", "") or "0")
        if minor > 0:
            self._record(f"load:{number}:{tap}", "load", "in", number, minor)
        return minor

    def ride(self, number: str, fare_minor: int) -> bool:
        """Through the gate, offline: False when the chip has too little."""
        account = self.ledger.account(number)
        if account is None or account.balance_minor < fare_minor:
            return False
        counter = len(self.ledger.transfers(kind="ride", account=number, limit=_FILE_ROWS_MAX)) + 1
        self._record(f"ride:{number}:{counter}", "ride", "out", number, fare_minor)
        return True

    async def send(self) -> dict[str, Any]:
        """Today's rides to the bank. ``settled``: it has taken them all."""
        day = day_text(self._clock.now())
        rows = [
            row
            for row in reversed(self.ledger.transfers(kind="ride", limit=_FILE_ROWS_MAX))
            if day_text_of(row) == day
        ]
        said = await self._send(self._file(day, 0, rows))
        taken = int(said.get("posted", 0)) + int(said.get("repeated", 0))
        return {"settled": bool(rows) and taken == len(rows), "said": said}

    def _record(self, reference: str, kind: str, direction: str, account: str, minor: int) -> None:
        with self.ledger.transaction():
            self.ledger.record(
                TransferRow(
                    reference=reference,
                    kind=kind,
                    direction=direction,
                    account=account,
                    amount_minor=minor,
                    state="paid",
                    code="00",
                    made_at=instant_text(self._clock.now()),
                )
            )

    def _file(self, day: str, number: int, rows: list[TransferRow]) -> str:
        lines = [f"H|1|spend|{self._settings.operator}|{day}|{number}|IDR"]
        total = 0
        for at, row in enumerate(rows, start=1):
            counter = row.reference.rpartition(":")[2]
            amount = f"{row.amount_minor // 100}.{row.amount_minor % 100:02d}"
            text = f"{row.account}|{counter}|{amount}|{row.made_at}"
            mac = hmac.new(self._line_key, text.encode(), sha256).hexdigest()[:16]
            lines.append(f"D|{at}|{row.account}|{counter}|{amount}|{row.made_at}|R01|{mac}")
            total += row.amount_minor
        body = "\n".join(lines) + "\n"
        digest = sha256(body.encode()).hexdigest()
        return f"{body}T|{len(rows)}|{total // 100}.{total % 100:02d}|{digest}\n"

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self._call(TAP, str(body["number"]), path, msgspec.json.encode(body))

    async def _send(self, text: str) -> dict[str, Any]:
        return await self._call(FILE, "", "/emoney/files", text.encode())

    async def _call(self, service: str, number: str, path: str, content: bytes) -> dict[str, Any]:
        """The bank's answer; ``error`` where there is none, or where a fault has it lost."""
        fault = self.faults.strike(service, number, "")
        if self.faults.is_down or isinstance(fault, DropRequest):
            return {"error": "not sent"}
        if isinstance(fault, Late):
            await self._clock.sleep(fault.seconds)
        timestamp = timestamp_of(self._clock.now())
        signature = asymmetric_signature(self._key, "POST", path, content, timestamp)
        headers = {
            "X-TIMESTAMP": timestamp,
            "X-SIGNATURE": signature,
            "Content-Type": "application/json",
        }
        if isinstance(fault, Garbage):
            content = content[:-1]  # not what was signed
        said = await self._ask(path, content, headers)
        if isinstance(fault, Twice):
            said = await self._ask(path, content, headers)
        return {"error": "no answer"} if isinstance(fault, DropReply) else said

    async def _ask(self, path: str, content: bytes, headers: dict[str, str]) -> dict[str, Any]:
        parts = urlsplit(self._settings.bank_url)
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
        try:
            async with self._session.post(
                f"{parts.scheme}://{parts.netloc}{path}", data=content, headers=headers
            ) as answer:
                return msgspec.json.decode(await answer.read(), type=dict[str, Any])
        except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError) as trouble:
            return {"error": type(trouble).__name__}


def day_text_of(row: TransferRow) -> str:
    """The Jakarta day of a row."""
    return day_text(datetime.fromisoformat(row.made_at))
