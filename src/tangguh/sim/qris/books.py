"""The switch's own books, in its own SQLite file: who was paid, what was given back.

Nothing is shared with the bank, so the two can be compared. Every change is on disk before it is
answered (WAL, synchronous=FULL): a kill -9 loses nothing that was said. One process, one thread.
The rows are kept here; what may be written is decided in ``clearing``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from tangguh.core.cycle import cycles_of
from tangguh.sim.qris.merchants import Merchant
from tangguh.sim.settlement import SettlementLine

_SQL: Final = {
    name.strip(): text
    for name, _, text in (
        block.partition("\n")
        for block in Path(__file__).with_name("books.sql").read_text("utf-8").split("-- name: ")[1:]
    )
}

T = TypeVar("T")


class MerchantRow(msgspec.Struct, frozen=True):
    """A merchant's account at its acquirer, gross of fees."""

    pan: str
    merchant_id: str
    nmid: str
    name: str
    blocked: bool
    balance_minor: int


class PaymentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One payment by the issuer's reference. ``state``: paid, failed, cancelled or pending.

    ``response_case`` is what its first answer said (HTTP status and case). A pending one turns into
    ``becomes`` at ``concludes_at``. A cancelled one may never have existed: a tombstone.
    """

    number: int = 0
    reference: str
    merchant_pan: str
    merchant_id: str
    amount_minor: int
    tip_minor: int
    rrn: str
    terminal: str
    state: str
    response_case: str
    refunded_minor: int = 0
    made_at: str
    ended_at: str = ""
    concludes_at: str = ""
    becomes: str = ""

    @property
    def total_minor(self) -> int:
        """What the merchant received: amount and tip."""
        return self.amount_minor + self.tip_minor


class RefundRow(msgspec.Struct, frozen=True, kw_only=True):
    """One refund by the issuer's refund reference. ``state``: paid or failed."""

    number: int = 0
    reference: str
    payment_reference: str
    amount_minor: int
    state: str
    response_case: str
    made_at: str


class Totals(msgspec.Struct, frozen=True):
    """Running totals since the books were opened for the first time."""

    paid_count: int
    paid_minor: int
    refund_count: int
    refund_minor: int


class Proof(msgspec.Struct, frozen=True):
    """Whether running totals, rows and balances agree, with both sides of the comparison."""

    holds: bool
    totals: Totals
    recount: dict[str, int]


class Books:
    """The file and the rows in it. Writes belong inside ``transaction``."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SQL["schema"])

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing, and on disk when the block ends."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def enrol(self, merchants: Iterable[Merchant]) -> None:
        """Make sure these merchants have an account; balances stay as they are."""
        with self.transaction():
            for merchant in merchants:
                self._run("put_merchant", merchant)

    def merchant(self, pan: str) -> MerchantRow | None:
        """The merchant with this PAN."""
        return _first(MerchantRow, self._run("merchant", {"pan": pan}))

    def merchants(self) -> list[MerchantRow]:
        """All merchants by name."""
        return _all(MerchantRow, self._run("merchants", {}))

    def payment(self, reference: str) -> PaymentRow | None:
        """The payment or tombstone under an issuer's reference."""
        return _first(PaymentRow, self._run("payment", {"reference": reference}))

    def payments(
        self, *, reference: str = "", state: str = "", merchant_pan: str = "", limit: int = 100
    ) -> list[PaymentRow]:
        """The newest payments that match; an empty filter matches all."""
        wanted = {"reference": reference, "state": state, "merchant_pan": merchant_pan}
        return _all(PaymentRow, self._run("payments", {**wanted, "limit": limit}))

    def refund(self, reference: str) -> RefundRow | None:
        """The refund under an issuer's refund reference."""
        return _first(RefundRow, self._run("refund", {"reference": reference}))

    def refunds_of(self, payment_reference: str) -> list[RefundRow]:
        """The refund history of a payment, oldest first."""
        return _all(RefundRow, self._run("refunds_of", {"payment_reference": payment_reference}))

    def admit(self, external_id: str, day: str) -> bool:
        """Note an X-EXTERNAL-ID; False when this day has seen it before."""
        key = {"day": day, "external_id": external_id}
        self._run("forget_external_ids", {"day": day})
        return self._run("remember_external_id", key).rowcount == 1

    def record(self, payment: PaymentRow) -> PaymentRow:
        """Write a payment down and, when it is paid, credit the merchant."""
        if payment.state == "paid":
            payment = msgspec.structs.replace(payment, ended_at=payment.made_at)
        self._run("put_payment", payment)
        if payment.state == "paid":
            self._credit(payment)
        written = self.payment(payment.reference)
        assert written is not None
        return written

    def record_refund(self, refund: RefundRow, payment: PaymentRow) -> RefundRow:
        """Write a refund down and, when it is paid, debit the merchant."""
        self._run("put_refund", refund)
        if refund.state == "paid":
            minor = refund.amount_minor
            self._run("give_back", {"reference": payment.reference, "minor": minor})
            self._run("move_balance", {"pan": payment.merchant_pan, "minor": -minor})
            self._run("count_refund", {"minor": minor})
        written = self.refund(refund.reference)
        assert written is not None
        return written

    def conclude_due(self, now: datetime) -> None:
        """Turn every pending payment whose time has come into what it becomes."""
        for payment in _all(PaymentRow, self._run("due", {"now": instant_text(now)})):
            case = "20000" if payment.becomes == "paid" else "40305"
            self._run(
                "conclude",
                {
                    "reference": payment.reference,
                    "state": payment.becomes,
                    "response_case": case,
                    "ended_at": instant_text(now),
                },
            )
            if payment.becomes == "paid":
                self._credit(payment)

    def totals(self) -> Totals:
        """The running totals."""
        return _all(Totals, self._run("totals", {}))[0]

    def prove(self) -> Proof:
        """Count everything again. Reads every row: not for each request."""
        totals = self.totals()
        recount = dict(self._run("recount", {}).fetchone())
        kept = recount["paid_minor"] - recount["refund_minor"]
        holds = (
            all(recount[name] == figure for name, figure in msgspec.structs.asdict(totals).items())
            and recount["balance_minor"] == kept
            and recount["given_back_minor"] == recount["refund_minor"]
        )
        return Proof(holds=holds, totals=totals, recount=recount)

    def settlement_lines(
        self, day: date, cycle: int, cut_offs: tuple[str, ...]
    ) -> list[SettlementLine]:
        """What one cycle of a Jakarta day settles; cycle 0 is the whole day so far."""
        all_day = cycles_of(day, cut_offs)
        begins, ends = all_day[0].starts_at, all_day[-1].ends_at
        if cycle:
            if cycle > len(all_day):
                raise ValueError(f"there are {len(all_day)} cycles a day")
            begins, ends = all_day[cycle - 1].starts_at, all_day[cycle - 1].ends_at
        window = {
            "begins": instant_text(begins.astimezone(UTC)),
            "ends": instant_text(ends.astimezone(UTC)),
        }
        lines = [
            SettlementLine(
                kind="PAY",
                side="O",
                reference=paid.reference,
                network_reference=f"Q{paid.number:015d}",
                amount_minor=paid.total_minor,
                at=paid.ended_at,
            )
            for paid in _all(PaymentRow, self._run("paid_between", window))
        ]
        lines += [
            SettlementLine(
                kind="REF",
                side="I",
                reference=back.reference,
                network_reference=f"R{back.number:015d}",
                amount_minor=back.amount_minor,
                at=back.made_at,
            )
            for back in _all(RefundRow, self._run("refunded_between", window))
        ]
        return lines

    def _credit(self, payment: PaymentRow) -> None:
        minor = payment.total_minor
        self._run("move_balance", {"pan": payment.merchant_pan, "minor": minor})
        self._run("count_payment", {"minor": minor})

    def _run(self, name: str, values: dict[str, Any] | msgspec.Struct) -> sqlite3.Cursor:
        if isinstance(values, msgspec.Struct):
            values = msgspec.structs.asdict(values)
        return self._connection.execute(_SQL[name], values)


def instant_text(instant: datetime) -> str:
    """An instant as the books keep it: UTC, sortable as text."""
    return instant.isoformat(timespec="microseconds")


def _all(kind: type[T], cursor: sqlite3.Cursor) -> list[T]:
    return [msgspec.convert(dict(row), kind, strict=False) for row in cursor.fetchall()]


def _first(kind: type[T], cursor: sqlite3.Cursor) -> T | None:
    rows = _all(kind, cursor)
    return rows[0] if rows else None
