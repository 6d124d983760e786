"""Changing limits and fees: every change a row with two names and a reason, never an update. Pure.

The rows are append-only and in the hash chain beside the money; the newest row of a name is what
is in force. A ceiling that a regulator sets cannot be passed by any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import ClassVar, Final

import msgspec

from tangguh.audit.journal import JournalPlan
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import SERVICES
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.payments.rules import (
    DEFAULT_FEES,
    DEFAULT_LIMITS,
    FEE_CEILINGS,
    TRANSACTION_CEILINGS,
    Limit,
)

TARIFF: Final = JournalPlan(
    table="tariff_changes",
    columns=(
        "change_id",
        "batch_no",
        "at",
        "kind",
        "name",
        "value_json",
        "changed_by",
        "approved_by",
        "reason",
    ),
    order_by="change_id",
    sort_key=lambda row: row[0].int,
)
CHANNELS: Final = frozenset(service.channel for service in SERVICES.values())


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change as it was written. ``kind`` is limit, fee or discount; ``value`` what it
    became (JSON).
    """

    at: datetime
    kind: str
    name: str
    value: str
    changed_by: str
    approved_by: str
    reason: str


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """What every change carries. The two names are ids of staff, never the same."""

    names_keys_at_once: ClassVar[bool] = True

    name: str
    changed_by: str
    approved_by: str
    reason: str

    def keys(self, _book: Book) -> Iterable[Key]:
        return ()

    def refuse_names(self) -> Refused | None:
        """Two different names and a reason."""
        if not self.changed_by or not self.approved_by or self.changed_by == self.approved_by:
            return Refused(Refusal.ORDER_INVALID, "approved_by", "two different people sign")
        if not self.reason.strip():
            return Refused(Refusal.ORDER_INVALID, "reason", "say why")
        return None

    def refuse_signatures(self, *, may_be_channel: bool) -> Refused | None:
        """Two different names, a reason, and a name of something that exists."""
        if refused := self.refuse_names():
            return refused
        service = self.name.partition("/")[0]
        if service in SERVICES or (may_be_channel and service in CHANNELS):
            return None
        return Refused(Refusal.ORDER_INVALID, "name", f"there is no service {service!r}")

    def write(self, book: Book, kind: str, value: bytes) -> None:
        """Keep the change in the batch."""
        row = (book.ids.next(), book.batch_no, book.now, kind, self.name, value.decode())
        book.note(TARIFF, (*row, self.changed_by, self.approved_by, self.reason))


class ChangeLimit(Signed, frozen=True, kw_only=True):
    """Set the limit of a service, a ``service/tier`` or a channel from now on."""

    limit: Limit

    def decide(self, book: Book) -> Limit | Refused:
        """Refuses ORDER_INVALID naming the field: signatures, unknown name, above the ceiling."""
        if refused := self.refuse_signatures(may_be_channel=True):
            return refused
        limit = self.limit
        if limit.transaction_max_minor < 0 or limit.day_max_minor < 0:
            return Refused(Refusal.ORDER_INVALID, "limit", "a limit is not negative")
        ceiling = TRANSACTION_CEILINGS.get(self.name.partition("/")[0])
        if ceiling is not None and limit.transaction_max_minor > ceiling:
            return Refused(
                Refusal.ORDER_INVALID, "transaction_max", f"the regulator allows {ceiling}"
            )
        self.write(book, "limit", msgspec.json.encode(limit))
        return limit


class ChangeFee(Signed, frozen=True, kw_only=True):
    """Set the fee of a service or a ``service/tier`` from now on."""

    fee_minor: int

    def decide(self, book: Book) -> int | Refused:
        """Refuses ORDER_INVALID naming the field: signatures, unknown name, above the ceiling."""
        if refused := self.refuse_signatures(may_be_channel=False):
            return refused
        ceiling = FEE_CEILINGS.get(self.name.partition("/")[0])
        if self.fee_minor < 0 or (ceiling is not None and self.fee_minor > ceiling):
            return Refused(Refusal.ORDER_INVALID, "fee", f"0 to {ceiling} minor units are allowed")
        self.write(book, "fee", msgspec.json.encode(self.fee_minor))
        return self.fee_minor


def in_force(changes: Iterable[Change]) -> tuple[dict[str, Limit], dict[str, int]]:
    """Limits and fees after these changes, oldest first, upon what a new bank begins with."""
    limits: dict[str, Limit] = dict(DEFAULT_LIMITS)
    fees: dict[str, int] = dict(DEFAULT_FEES)
    for change in changes:
        if change.kind == "limit":
            limits[change.name] = msgspec.json.decode(change.value, type=Limit)
        elif change.kind == "fee":
            fees[change.name] = msgspec.json.decode(change.value, type=int)
    return limits, fees


def shown(limits: Mapping[str, Limit], fees: Mapping[str, int]) -> list[dict[str, object]]:
    """Every name in force with its limit and its fee, for people and JSON."""
    return [
        {
            "name": name,
            **(msgspec.structs.asdict(limits[name]) if name in limits else {}),
            "fee_minor": fees.get(name, 0),
        }
        for name in sorted({*limits, *fees})
    ]
