"""The hub's books: the passbook, and beside it the participant's settlement account, row by row.

Every movement that is settled, and every fund and sweep, is one numbered row with the balance after
it, written in the transaction that moved the money: the statement has no gaps and no second truth.
Directions are the participant's: ``out`` leaves its settlement account.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from tangguh.sim.passbook import Passbook, PassbookProof, TransferRow, instant_text

_SQL: Final = {
    name.strip(): text
    for name, _, text in (
        block.partition("\n")
        for block in Path(__file__).with_name("books.sql").read_text("utf-8").split("-- name: ")[1:]
    )
}
_WAYS: Final = {"in": "out", "out": "in"}
"""The passbook's directions are the accounts' out there; the participant's are the other way."""


class StatementRow(msgspec.Struct, frozen=True):
    """One movement of the settlement account. ``kind``: transfer, fund or sweep."""

    seq: int
    at: str
    direction: str
    kind: str
    reference: str
    amount_minor: int
    balance_minor: int


class HubBooks(Passbook):
    """The passbook of a hub with one participant, and its settlement account."""

    def __init__(self, path: str, prefunded_minor: int | None, now: datetime) -> None:
        """``prefunded_minor``: what the account opens with, and that it is a limit; None: none."""
        super().__init__(path)
        self.is_limited = prefunded_minor is not None
        self.waiting: set[asyncio.Event] = set()
        """Set whenever a row is entered, for those who wait for one."""
        self._connection.executescript(_SQL["statement_schema"])
        with self.transaction():
            if self.last() is None:
                self._enter_what_was_settled()
            if prefunded_minor and not self._count("fund"):
                self._enter("in", "fund", self._numbered("fund"), prefunded_minor, now)

    def record(self, row: TransferRow) -> TransferRow:
        """Write a transfer down and, when it is paid, enter it in the statement."""
        known = super().record(row)
        if known.state == "paid":
            self._settle(known)
        return known

    def conclude(self, reference: str, state: str, code: str, now: datetime) -> TransferRow:
        """End a pending transfer; one that is paid is entered in the statement."""
        before = self._known(reference)
        known = super().conclude(reference, state, code, now)
        if before.state == "pending" and known.state == "paid":
            self._settle(known)
        return known

    @property
    def balance_minor(self) -> int:
        """The settlement account now."""
        last = self.last()
        return last.balance_minor if last is not None else 0

    @property
    def reserved_minor(self) -> int:
        """What pending transfers out may still take."""
        return int(self._do("reserved", {}).fetchone()[0])

    def can_settle(self, amount_minor: int) -> bool:
        """Whether the account has enough for one more transfer out."""
        return not self.is_limited or amount_minor <= self.balance_minor - self.reserved_minor

    def move(
        self, kind: Literal["fund", "sweep"], minor: int, now: datetime, reference: str = ""
    ) -> StatementRow:
        """Put money on the account, or take it back to the reserve; once under one reference.

        ValueError: nothing, or more than there is and is not reserved, or another move's reference.
        """
        if minor <= 0:
            raise ValueError("an amount is positive")
        with self.transaction():
            known = self._rows("statement_find", {"reference": reference}) if reference else []
            if known:
                if (known[0].kind, known[0].amount_minor) != (kind, minor):
                    raise ValueError("the reference is another movement's")
                return known[0]
            if kind == "sweep" and minor > self.balance_minor - self.reserved_minor:
                raise ValueError("more than the settlement account has free")
            direction = "in" if kind == "fund" else "out"
            return self._enter(direction, kind, reference or self._numbered(kind), minor, now)

    def last(self) -> StatementRow | None:
        """The newest row."""
        rows = self._rows("statement_last", {})
        return rows[0] if rows else None

    def statement(self, after: int, limit: int) -> list[StatementRow]:
        """The rows that follow one, in order."""
        return self._rows("statement_after", {"after": after, "limit": limit})

    def prove(self) -> PassbookProof:
        """The passbook's proof; and the statement is every settled transfer, once, without gaps."""
        proof = super().prove()
        wrong = list(proof.wrong)
        balance = 0
        for number, row in enumerate(self.statement(0, -1), start=1):
            balance += row.amount_minor if row.direction == "in" else -row.amount_minor
            if (row.seq, row.balance_minor) != (number, balance):
                wrong.append(f"statement row {row.seq}")
                break
        wrong += [f"statement of {row[0]}" for row in self._do("statement_recount", {}).fetchall()]
        return PassbookProof(not wrong, proof.totals, wrong)

    def _settle(self, row: TransferRow) -> None:
        at = datetime.fromisoformat(row.ended_at)
        self._enter(_WAYS[row.direction], "transfer", row.reference, row.amount_minor, at)

    def _enter(
        self, direction: str, kind: str, reference: str, minor: int, at: datetime
    ) -> StatementRow:
        last = self.last()
        signed = minor if direction == "in" else -minor
        row = StatementRow(
            seq=last.seq + 1 if last else 1,
            at=instant_text(at),
            direction=direction,
            kind=kind,
            reference=reference,
            amount_minor=minor,
            balance_minor=(last.balance_minor if last else 0) + signed,
        )
        self._do("statement_enter", msgspec.structs.asdict(row))
        for event in self.waiting:
            event.set()
        return row

    def _enter_what_was_settled(self) -> None:
        """Books from before there was a statement: in the order in which they were settled."""
        for row in sorted(
            self.transfers(state="paid", limit=-1), key=lambda one: (one.ended_at, one.number)
        ):
            self._settle(row)

    def _numbered(self, kind: str) -> str:
        return f"{kind.upper()}-{self._count(kind) + 1}"

    def _count(self, kind: str) -> int:
        return int(self._do("statement_count", {"kind": kind}).fetchone()[0])

    def _rows(self, name: str, values: dict[str, Any]) -> list[StatementRow]:
        return [msgspec.convert(dict(row), StatementRow) for row in self._do(name, values)]

    def _do(self, name: str, values: dict[str, Any]) -> Any:
        return self._connection.execute(_SQL[name], values)
