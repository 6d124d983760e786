"""What the switch and the banks behind it decide about one telegram, in their own books.

A payment is known by DE7, DE11 and DE37 together. A reversal of one that never came is answered 25
and remembered, so that the payment is declined should it come late.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from tangguh.core.clock import Clock
from tangguh.sim.cards.directory import Directory, TestCard, number_of
from tangguh.sim.cards.wire import Telegram, pin_in
from tangguh.sim.faults import AnyFault, Decline, Lie, Pending
from tangguh.sim.passbook import Passbook, TransferRow, instant_text, pending_until

CASH, BALANCE, INQUIRY, TRANSFER = "01", "31", "39", "40"
REVERSAL: Final = "0420"
APPROVED, NO_RECORD, TOO_LATE, SETTLED = "00", "25", "68", "21"

_PIN_TRIES: Final = 3
_STATES: Final = {"blocked": "62", "closed": "78"}
_SAID_AS: Final = {
    "40302": "61",
    "40305": "05",
    "40314": "51",
    "40404": "12",
    "40408": "76",
    "40413": "13",
    "50000": "96",
    "50400": "91",
}
"""The faults' declines are written as HTTP cases; these are their words on this network."""


class CounterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``limit_minor`` for one payment; a paid one can be reversed for ``reversible_seconds``."""

    limit_minor: int = 50_000_000_00
    reversible_seconds: float = 86_400.0


class Counter:
    """Decides and writes down. Makes no connection and waits for nothing."""

    def __init__(
        self,
        settings: CounterSettings,
        books: Passbook,
        directory: Directory,
        clock: Clock,
        pin_key: bytes,
    ) -> None:
        self._settings = settings
        self._books = books
        self._directory = directory
        self._clock = clock
        self._wrong_pins: dict[str, int] = {}
        self.pin_key = pin_key

    def decide(self, telegram: Telegram, fault: AnyFault | None) -> Telegram:
        """The answer, with whatever it says written down before."""
        with self._books.transaction():
            self.conclude_due()
            if telegram.mti[1] == "4":
                return self._reverse(telegram)
            kind = telegram.get(3)[:2]
            if kind == INQUIRY:
                return self._name(telegram)
            if kind == TRANSFER:
                account = number_of(telegram.get(127), telegram.get(103))
                return self._pay(telegram, account, "in", fault)
            if kind in (CASH, BALANCE):
                return self._serve_card(telegram, kind, fault)
            return telegram.answered("12")

    def conclude_due(self) -> None:
        """Pending payments whose time has come become what they become."""
        self._books.conclude_due(self._clock.now(), paid_code=APPROVED, failed_code="05")

    def _name(self, telegram: Telegram) -> Telegram:
        account = self._books.account(number_of(telegram.get(127), telegram.get(103)))
        if account is None:
            return telegram.answered("76")
        if account.state in _STATES:
            return telegram.answered(_STATES[account.state])
        return telegram.answered(APPROVED, de48=f"{account.name:<30.30}{'':16}{'':30}")

    def _serve_card(self, telegram: Telegram, kind: str, fault: AnyFault | None) -> Telegram:
        card = self._directory.cards.get(telegram.get(2))
        if card is None:
            return telegram.answered("14")
        if refused := self._judge_pin(card, telegram):
            return telegram.answered(refused)
        number = number_of(card.bank, card.account)
        if kind == CASH:
            return self._pay(telegram, number, "out", fault)
        account = self._books.account(number)
        balance = account.balance_minor if account else 0
        sign = "C" if balance >= 0 else "D"
        return telegram.answered(APPROVED, de54=f"1002360{sign}{abs(balance):012d}")

    def _judge_pin(self, card: TestCard, telegram: Telegram) -> str:
        """The code of a refusal; empty when the PIN is right. A repeat is judged once."""
        if self._books.transfer(reference_of(telegram)) is not None:
            return ""
        if self._wrong_pins.get(card.pan, 0) >= _PIN_TRIES:
            return "75"
        if pin_in(telegram.get(52), card.pan, self.pin_key) == card.pin:
            self._wrong_pins.pop(card.pan, None)
            return ""
        self._wrong_pins[card.pan] = self._wrong_pins.get(card.pan, 0) + 1
        return "55"

    def _pay(
        self, telegram: Telegram, number: str, direction: str, fault: AnyFault | None
    ) -> Telegram:
        known = self._books.transfer(reference_of(telegram))
        if known is not None:
            return telegram.answered(_repeated(known, telegram, number))
        code = self._refusal(telegram, number, direction)
        if isinstance(fault, Decline):
            code = code or _SAID_AS.get(fault.case, "05")
        row = self._row(telegram, number, direction, code or APPROVED)
        if isinstance(fault, Pending) and not code:
            row = pending_until(row, self._clock.now(), fault.seconds, fault.becomes)
            self._books.record(row)
            return telegram.answered(TOO_LATE)
        if isinstance(fault, Lie) and not code:
            paid = fault.books == "paid"
            state = {"state": "paid" if paid else "failed", "code": APPROVED if paid else "05"}
            self._books.record(msgspec.structs.replace(row, **state))
            return telegram.answered("05" if paid else APPROVED, de38="L00001")
        self._books.record(row)
        if code:
            return telegram.answered(code)
        return telegram.answered(APPROVED, de38=telegram.get(37)[-6:])

    def _refusal(self, telegram: Telegram, number: str, direction: str) -> str:
        amount = int(telegram.get(4) or "0")
        account = self._books.account(number)
        if account is None:
            return "76"
        if account.state in _STATES:
            return _STATES[account.state]
        if amount <= 0:
            return "13"
        if amount > self._settings.limit_minor:
            return "61"
        return "51" if direction == "out" and account.balance_minor < amount else ""

    def _row(self, telegram: Telegram, number: str, direction: str, code: str) -> TransferRow:
        reference = telegram.get(48)[30:46].strip()
        return TransferRow(
            reference=reference_of(telegram),
            kind=telegram.get(3)[:2],
            direction=direction,
            account=number,
            counterpart=telegram.get(102) or telegram.get(41).strip(),
            amount_minor=int(telegram.get(4) or "0"),
            state="paid" if code == APPROVED else "failed",
            code=code,
            network_reference=telegram.get(37),
            made_at=instant_text(self._clock.now()),
            detail=msgspec.json.encode({"note": reference, "stan": telegram.get(11)}).decode(),
        )

    def _reverse(self, telegram: Telegram) -> Telegram:
        elements = telegram.get(90)
        reference = elements[10:20] + elements[4:10] + telegram.get(37)
        known = self._books.transfer(reference)
        if known is None:
            self._remember(telegram, reference)
            return telegram.answered(NO_RECORD)
        if known.state == "pending":
            self._books.conclude(reference, "cancelled", APPROVED, self._clock.now())
            return telegram.answered(APPROVED)
        if known.state != "paid":
            return telegram.answered(NO_RECORD if known.code == NO_RECORD else APPROVED)
        dispensed = int(telegram.get(95)[:12] or "0")
        owed = known.amount_minor - dispensed - known.given_back_minor
        if owed > 0 and self._is_settled(known):
            return telegram.answered(SETTLED)
        if owed > 0:
            self._books.give_back(reference, owed, self._clock.now())
        return telegram.answered(APPROVED)

    def _is_settled(self, row: TransferRow) -> bool:
        paid_for = self._clock.now() - datetime.fromisoformat(row.ended_at or row.made_at)
        return paid_for.total_seconds() > self._settings.reversible_seconds

    def _remember(self, telegram: Telegram, reference: str) -> None:
        """A tombstone: a payment that must not happen any more."""
        number = number_of(telegram.get(127), telegram.get(103))
        row = self._row(telegram, number, "in", NO_RECORD)
        self._books.record(msgspec.structs.replace(row, reference=reference, state="cancelled"))


def reference_of(telegram: Telegram) -> str:
    """What a payment is known by in the books: DE7, DE11, DE37."""
    return telegram.get(7) + telegram.get(11) + telegram.get(37)


def _repeated(known: TransferRow, telegram: Telegram, number: str) -> str:
    """What a second copy is told: the same as the first, if it is one."""
    if known.state == "cancelled":
        return "12"
    if known.amount_minor != int(telegram.get(4) or "0") or known.account != number:
        return "94"
    if known.state == "pending":
        return TOO_LATE
    return "12" if known.given_back_minor else known.code
