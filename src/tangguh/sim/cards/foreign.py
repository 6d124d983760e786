"""What comes to the bank from outside: its cards at foreign ATMs, and credits from other banks.

Whatever was not answered is reversed: 0420, then 0421 at every round until the bank answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import msgspec

from tangguh.core.clock import JAKARTA, Clock
from tangguh.sim.cards.counter import APPROVED, BALANCE, CASH, reference_of
from tangguh.sim.cards.directory import FOREIGN_ATM, number_of
from tangguh.sim.cards.wire import Telegram, pin_block
from tangguh.sim.passbook import Passbook, TransferRow, instant_text

Ask = Callable[[Telegram], Awaitable[Telegram | None]]

_LOCATION: Final = f"{'ATM UJI ANTAR':<25}{'JAKARTA':<13}ID"


class Foreign:
    """Originates telegrams. ``ask`` sends one to the bank over the line of the moment."""

    def __init__(
        self,
        *,
        ask: Ask,
        books: Passbook,
        clock: Clock,
        institution: str,
        bank: str,
        pin_key: Callable[[], bytes],
        source: Random,
    ) -> None:
        self._ask = ask
        self._books = books
        self._clock = clock
        self._institution = institution
        self._bank = bank
        self._pin_key = pin_key
        self._stan = source.randrange(1_000_000)
        self._owed: dict[str, Telegram] = {}

    @property
    def owed(self) -> int:
        """How many reversals the bank has not answered yet."""
        return len(self._owed)

    async def withdraw(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """``pan``, ``pin``, ``amount_minor``: banknotes for a card of the bank."""
        telegram = self._by_card(CASH, fields)
        return await self._pay(telegram, "in", FOREIGN_ATM)

    async def balance(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """``pan``, ``pin``: what stands on the card's account."""
        answer = await self._ask(self._by_card(BALANCE, fields))
        return _said(answer)

    async def credit(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """``account``, ``amount_minor``, ``sender_name``, ``from_account``: money to the bank."""
        from_account = str(fields.get("from_account", "5260000001"))
        note = f"{fields.get('reference', ''):<16.16}"
        more = {
            18: "6011",
            48: f"{fields.get('name', ''):<30.30}{note}{fields.get('sender_name', ''):<30.30}",
            100: self._bank,
            102: from_account,
            103: str(fields["account"]),
            127: self._bank,
        }
        telegram = self.telegram("0200", "401000", int(fields["amount_minor"]), more)
        return await self._pay(telegram, "out", number_of(self._institution, from_account))

    async def advise(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """``pan``, ``amount_minor``: a withdrawal this side allowed while the bank was away."""
        more = {2: str(fields["pan"]), 18: "6011", 38: "S00001", 39: APPROVED}
        telegram = self.telegram("0220", "011000", int(fields["amount_minor"]), more)
        self._write_down(telegram, "in", FOREIGN_ATM, APPROVED)
        answer = await self._ask(telegram)
        if answer is None:
            self._owed[reference_of(telegram)] = Telegram("0221", telegram.fields)
        return _said(answer) | {"telegram": telegram.fields}

    async def reverse(self, fields: Mapping[int, str], dispensed_minor: int = 0) -> dict[str, Any]:
        """Undo an original that this side sent: its elements as it had them."""
        original = Telegram("0200", dict(fields))
        telegram = self._reversal_of(original, dispensed_minor)
        answer = await self._ask(telegram)
        if answer is None:
            self._owed[reference_of(original)] = Telegram("0421", telegram.fields)
        self._give_back(original, dispensed_minor)
        return _said(answer)

    async def repeat_owed(self) -> None:
        """Send again what the bank has not answered."""
        for reference, telegram in list(self._owed.items()):
            if await self._ask(telegram) is not None:
                self._owed.pop(reference, None)

    def telegram(self, mti: str, kind: str, minor: int, more: Mapping[int, str]) -> Telegram:
        """One of this side's own, with the next STAN."""
        self._stan = (self._stan + 1) % 1_000_000
        fields = numbered(self._clock.now(), f"{self._stan:06d}")
        fields |= {
            3: kind,
            4: f"{minor:012d}",
            22: "021",
            32: self._institution,
            41: "ATM99801",
            42: f"{self._institution}{1:012d}",
            43: _LOCATION,
            49: "360",
        }
        return Telegram(mti, {**fields, **more})

    def _by_card(self, kind: str, fields: Mapping[str, Any]) -> Telegram:
        pan = str(fields["pan"])
        more = {
            2: pan,
            18: "6011",
            35: f"{pan}=301210100000",
            52: pin_block(str(fields["pin"]), pan, self._pin_key()),
            100: self._bank,
        }
        code = "011000" if kind == CASH else "310000"
        telegram = self.telegram("0200", code, int(fields.get("amount_minor", 0)), more)
        if kind == BALANCE:
            telegram.fields.pop(4)
        return telegram

    async def _pay(self, telegram: Telegram, direction: str, account: str) -> dict[str, Any]:
        answer = await self._ask(telegram)
        if answer is not None:
            self._write_down(telegram, direction, account, answer.get(39))
            return _said(answer) | {"telegram": telegram.fields}
        self._write_down(telegram, direction, account, "68")
        self._owed[reference_of(telegram)] = self._reversal_of(telegram, 0)
        return _said(None) | {"telegram": telegram.fields}

    def _reversal_of(self, original: Telegram, dispensed_minor: int) -> Telegram:
        made = self.telegram("0420", original.get(3), int(original.get(4) or "0"), {})
        kept = {
            number: value
            for number, value in original.fields.items()
            if number not in (7, 11, 12, 13, 22, 35, 48, 52)
        }
        elements = f"0200{original.get(11)}{original.get(7)}{self._institution:0>11}{'':0>11}"
        more = {
            39: "32" if dispensed_minor else "68",
            90: elements,
            95: f"{dispensed_minor:012d}".ljust(42, "0"),
        }
        made.fields.pop(22)
        return Telegram("0420", {**made.fields, **kept, **more})

    def _write_down(self, telegram: Telegram, direction: str, account: str, code: str) -> None:
        with self._books.transaction():
            self._books.record(
                TransferRow(
                    reference=reference_of(telegram),
                    kind="C" + telegram.get(3)[:2] if direction == "out" else telegram.get(3)[:2],
                    direction=direction,
                    account=account,
                    counterpart=telegram.get(103) or telegram.get(41),
                    amount_minor=int(telegram.get(4) or "0"),
                    state="paid" if code == APPROVED else "failed",
                    code=code,
                    network_reference=telegram.get(37),
                    made_at=instant_text(self._clock.now()),
                    detail=msgspec.json.encode({"stan": telegram.get(11)}).decode(),
                )
            )

    def _give_back(self, original: Telegram, dispensed_minor: int) -> None:
        with self._books.transaction():
            row = self._books.transfer(reference_of(original))
            if row is not None and row.state == "paid":
                owed = row.amount_minor - dispensed_minor - row.given_back_minor
                if owed > 0:
                    self._books.give_back(row.reference, owed, self._clock.now())


def numbered(at: datetime, stan: str) -> dict[int, str]:
    """What names a telegram and when it was made: DE7 and DE37 in GMT, DE12, 13, 15 in Jakarta."""
    utc, local = at.astimezone(UTC), at.astimezone(JAKARTA)
    return {
        7: f"{utc:%m%d%H%M%S}",
        11: stan,
        12: f"{local:%H%M%S}",
        13: f"{local:%m%d}",
        15: f"{local:%m%d}",
        37: f"{utc.year % 10}{utc:%j%H}{stan}",
    }


def _said(answer: Telegram | None) -> dict[str, Any]:
    if answer is None:
        return {"code": "", "answered": False}
    return {"code": answer.get(39), "answered": True, "balance": answer.get(54)}
