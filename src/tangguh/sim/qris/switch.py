"""A QRIS switch speaking SNAP to one bank: token, payment, query, cancel, refund, notice.

It verifies every signature, keeps its own books and can be told to fail in every way of ``faults``.
Beyond the standard, and so the bank relies on it only here: a cancel of an unknown reference leaves
a tombstone, and a query lists refunds and repeats the first answer's code.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from random import Random
from typing import Any, Final

import msgspec
from starlette.background import BackgroundTask

from tangguh.core.clock import Clock
from tangguh.sim.faults import AnyFault, Dealt, Faults, Plan, Twice
from tangguh.sim.port import Port
from tangguh.sim.qris.books import Books, Proof
from tangguh.sim.qris.counter import CANCEL, PAYMENT, QUERY, REFUND, Counter, reference_no
from tangguh.sim.qris.merchants import Merchant, demo_merchants
from tangguh.sim.qris.notifier import Notifier
from tangguh.sim.qris.visitors import Visitors
from tangguh.sim.settlement import file_of
from tangguh.sim.snap_network import Operation, SnapDoor, SnapSettings, private_key_at

CUT_OFFS: Final = ("12:00", "24:00")
"""Two settlement cycles a day: our own choice, the real windows are not public."""
_PAYMENTS_MAX: Final = 1_000_000


class SwitchSettings(SnapSettings, frozen=True, kw_only=True):
    """One switch and the one bank that is its member."""


class Switch:
    """The switch as one network of the outside world."""

    name = "qris"

    def __init__(self, settings: SwitchSettings, clock: Clock) -> None:
        """Raises Misconfigured when a key cannot be read."""
        random = Random(settings.seed)  # noqa: S311  a rehearsal must be repeatable
        self._settings = settings
        self._clock = clock
        self.ledger = Books(settings.books_path)
        self.faults = Faults(PAYMENT)
        self.merchants: list[Merchant] = demo_merchants()
        counter = Counter(self.ledger, clock)
        door = SnapDoor(
            settings,
            self.ledger,
            self.faults,
            clock,
            (
                Operation(PAYMENT, "/v1.0/qr/qr-mpm-payment", counter.pay),
                Operation(QUERY, "/v1.0/qr/qr-mpm-query", counter.query),
                Operation(CANCEL, "/v1.0/qr/qr-mpm-cancel", counter.cancel),
                Operation(REFUND, "/v1.0/qr/qr-mpm-refund", counter.refund),
            ),
            random=random,
            aim=self._aim,
            wake=self.ledger.conclude_due,
            afterwards=self._notices,
        )
        self.notifier = Notifier(
            url=settings.notify_url,
            key=private_key_at(settings.switch_private_key_path),
            partner_id=settings.partner_id,
            channel_id=settings.channel_id,
            clock=clock,
            random=random,
        )
        self.visitors = Visitors(
            f"{settings.books_path}.visitors",
            settings.notify_url,
            private_key_at(settings.switch_private_key_path),
            settings.partner_id,
            clock,
            random,
        )
        self._port = Port(door.app, self.faults, settings.host, settings.port)

    @property
    def address(self) -> str:
        """Where to call it; the same while it is down."""
        return self._port.address

    async def open(self) -> None:
        """Listen, with every merchant's account open. Raises OSError when the port is taken."""
        self.ledger.enrol(self.merchants)
        await self._port.open()

    async def close(self, grace_seconds: float = 0.0) -> None:
        """Stop listening; requests in hand have that long to end."""
        await self._port.close(grace_seconds)
        await self.notifier.close()
        await self.visitors.close()
        self.ledger.close()

    async def settle(self) -> None:
        """Wait until the switch works on no request."""
        await self._port.settle()

    async def put_plan(self, plan: Plan) -> None:
        """Let this be wrong with the switch from now on, and nothing else."""
        await self._port.put_plan(plan)

    def dealt(self) -> Dealt:
        """The plan in force and how often each fault has struck."""
        return self._port.dealt()

    def prove(self) -> Proof:
        """Count everything again."""
        self._conclude_due()
        return self.ledger.prove()

    def books(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """Totals, merchants, and payments with their refunds. ValueError: limit is no number."""
        limit = min(max(int(asked.get("limit", "100")), 0), _PAYMENTS_MAX)
        self._conclude_due()
        payments = self.ledger.payments(
            reference=asked.get("reference", ""),
            state=asked.get("state", ""),
            merchant_pan=asked.get("merchant_pan", ""),
            limit=limit,
        )
        return {
            "totals": self.ledger.totals(),
            "visitors": self.visitors.ledger.transfers(limit=limit),
            "merchants": self.ledger.merchants(),
            "payments": [
                {
                    **msgspec.structs.asdict(payment),
                    "refunds": self.ledger.refunds_of(payment.reference),
                }
                for payment in payments
            ],
        }

    def settlement_file(self, day: date, cycle: int = 0) -> str:
        """The settlement file of one cycle of a Jakarta day; cycle 0 is the day so far."""
        self._conclude_due()
        lines = [
            *self.ledger.settlement_lines(day, cycle, CUT_OFFS),
            *self.visitors.ledger.settlement_lines(day, cycle, CUT_OFFS),
        ]
        return file_of(self.name, self._settings.partner_id, day, cycle, lines)

    async def act(self, what: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """``pay``: a visitor pays a merchant of the bank; ``scan``: a shop scans our customer.

        ValueError for anything else, and for codes that cannot be read.
        """
        acts = {"pay": self.visitors.pay, "scan": self.visitors.scan}
        if what not in acts:
            raise ValueError(f"the QRIS switch cannot {what}")
        return await acts[what](fields)

    def _conclude_due(self) -> None:
        """Nobody may have asked the switch since a pending payment's time came."""
        with self.ledger.transaction():
            self.ledger.conclude_due(self._clock.now())

    def _aim(self, fields: Mapping[str, Any]) -> tuple[str, str]:
        """The merchant's PAN and the payment's reference, for the faults that ask for them."""
        reference = fields.get("partnerReferenceNo") or fields.get("originalPartnerReferenceNo")
        more = fields.get("additionalInfo")
        pan = more.get("merchantPan") if isinstance(more, dict) else None
        if pan is None and isinstance(reference, str):
            known = self.ledger.payment(reference)
            pan = known.merchant_pan if known is not None else ""
        return str(pan or ""), str(reference or "")

    def _notices(
        self, service: str, fault: AnyFault | None, fields: dict[str, Any]
    ) -> BackgroundTask | None:
        if not isinstance(fault, Twice) or service != PAYMENT:
            return None
        payment = self.ledger.payment(str(fields.get("partnerReferenceNo")))
        if payment is None:
            return None
        return BackgroundTask(self.notifier.tell, payment, reference_no(payment), times=2)
