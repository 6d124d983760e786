"""Card e-money between a transit operator's readers and the bank: taps, and files of offline rides.

A ride was paid by the chip before we hear of it, so its line is an advice: it posts whatever the
server believed the card to hold, once per card and counter, however often the file comes.
"""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec
import structlog

from tangguh.audit.trail import Remember
from tangguh.core.client import Client
from tangguh.core.order import Origin, PaymentOrder, ToMerchant
from tangguh.core.outcome import Refused
from tangguh.core.service import SPEND_CARD
from tangguh.customers import merchants, purses
from tangguh.db.pool import Pool
from tangguh.payments.decide import Accept
from tangguh.payments.desk import Desk
from tangguh.payments.incoming.tap import LoadChip
from tangguh.rails.emoney import spend
from tangguh.rails.emoney.spend import FileRefused, Spent

log = structlog.get_logger("work.transit")


_ACTOR: Final = "transit operator"
_ORIGIN: Final = Origin(client=Client.OPERATOR)


class TransitSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One operator: its name, the merchant it is paid as, the key of its lines, its public key.

    ``line_key`` in hex is shared with the operator; ``public_key_path`` (RSA, PEM) verifies what
    its systems send.
    """

    operator: str
    merchant_pan: str
    line_key: str
    public_key_path: str

    def __repr__(self) -> str:
        return f"TransitSettings(operator={self.operator!r}, ...)"


class Posted(msgspec.Struct, frozen=True):
    """What became of a file: lines posted now, posted before, and cards that are not ours.

    ``refused``: lines that name a ride otherwise than it was posted, or that the book refuses. Each
    is kept as an act, for a card has been copied or the operator is wrong.
    """

    lines: int
    posted: int
    repeated: int
    unknown: int
    total_minor: int
    refused: int = 0


class TransitDesk:
    """Serves one operator."""

    def __init__(self, desk: Desk, pool: Pool, book_id: int, settings: TransitSettings) -> None:
        self._desk = desk
        self._pool = pool
        self._book_id = book_id
        self._settings = settings

    async def tap(self, number: str, tap: int) -> int | Refused | None:
        """Load what waits for a card; None when the card is not one of ours."""
        purse = await purses.by_number(self._pool, self._book_id, number)
        if purse is None or not purse.pending_id:
            return None
        return await self._desk.decide(LoadChip(number, tap, purse.pending_id, purse.account_id))

    async def take_file(self, text: str) -> Posted | FileRefused:
        """Post every line of a file, or refuse the whole of it and post nothing."""
        settings = self._settings
        key = bytes.fromhex(settings.line_key)
        now = self._desk.clock.now()
        file = await asyncio.to_thread(
            spend.read, text, operator=settings.operator, key=key, now=now
        )
        if isinstance(file, FileRefused):
            log.warning("transit.refused", line=file.line, field=file.field)
            return file
        shop = await merchants.by_pan(self._pool, self._book_id, settings.merchant_pan)
        if shop is None:
            return FileRefused(1, "operator", "has no account with us")
        payee = ToMerchant(
            merchant_id=shop.merchant_id,
            nmid=shop.nmid,
            merchant_name=shop.name,
            merchant_city=shop.city,
            criteria=shop.criteria,
        )
        posted = repeated = unknown = refused = 0
        for line in file.lines:
            said = await self._post(line, payee)
            posted += said == "posted"
            repeated += said == "repeated"
            unknown += said == "unknown"
            refused += said == "refused"
        return Posted(len(file.lines), posted, repeated, unknown, file.total_minor, refused)

    async def _post(self, line: Spent, payee: ToMerchant) -> str:
        purse = await purses.by_number(self._pool, self._book_id, line.card)
        if purse is None or purse.product != "card":
            log.warning("transit.unknown_card", counter=line.counter)
            return "unknown"
        order = PaymentOrder(
            customer_id=purse.customer_id,
            idempotency_key=f"ride:{line.card}:{line.counter}",
            service=SPEND_CARD,
            debtor=purse.account_id,
            payee=msgspec.structs.replace(payee, terminal=line.reader),
            amount_minor=line.amount_minor,
            note=line.at.isoformat(),
        )
        decided = await self._desk.decide(
            Accept(order, self._desk.rules, forced=True, origin=_ORIGIN)
        )
        if isinstance(decided, Refused) or decided.payment.refusal is not None:
            why = decided.code if isinstance(decided, Refused) else decided.payment.refusal
            told = msgspec.json.encode({"counter": line.counter, "why": why}).decode()
            subject = f"account:{purse.account_id}"
            await self._desk.decide(Remember(_ACTOR, "ride.refused", subject, told))
            return "refused"
        return "repeated" if decided.repeated else "posted"
