"""The names behind a payment, looked up once a page: who paid, who was paid."""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.core.order import PaymentOrder, RefundOrder, ToQris
from tangguh.customers import store as customers
from tangguh.customers.store import Owner
from tangguh.payments.payment import Payment
from tangguh.rails.qris.nns import name_of
from tangguh.web.door import Door


class Party(msgspec.Struct, frozen=True):
    """One end of a payment. ``account_id`` 0: a merchant elsewhere, reached through ``bank``."""

    name: str
    account_id: int = 0
    customer_id: int = 0
    city: str = ""
    bank: str = ""
    nmid: str = ""


NOBODY: Final = Party("")


class Ends(msgspec.Struct, frozen=True):
    """Both ends of a payment: ``payer`` is debited, ``payee`` gets the money."""

    payer: Party
    payee: Party


class People:
    """Looks owners up and remembers them for the length of one page."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._owners: dict[int, Owner | None] = {}

    async def owner(self, account_id: int) -> Owner | None:
        """Whose account it is, or None for the bank's own and unknown ones."""
        if account_id not in self._owners:
            self._owners[account_id] = await customers.owner_of(
                self._door.pool, self._door.book_id, account_id
            )
        return self._owners[account_id]

    async def ends(self, payment: Payment, original: Payment | None = None) -> Ends:
        """Both ends. A refund's merchant is the payee of its original."""
        payer = await self._party(payment.debtor)
        payee = await self._party(payment.creditor)
        merchant = merchant_of(payment) or (merchant_of(original) if original else None)
        if merchant is None:
            return Ends(payer, payee)
        return Ends(payer, merchant) if payment.kind == "payment" else Ends(merchant, payee)

    async def _party(self, account_id: int) -> Party:
        owner = await self.owner(account_id)
        if owner is None:
            return NOBODY
        return Party(owner.full_name, account_id, owner.customer_id, bank=self._door.bank_name)


def merchant_of(payment: Payment) -> Party | None:
    """The merchant of a QRIS payment; None for a transfer or a refund."""
    order = payment.order
    if isinstance(order, PaymentOrder) and isinstance(order.payee, ToQris):
        payee = order.payee
        return Party(
            payee.merchant_name,
            city=payee.merchant_city,
            bank=name_of(payee.acquirer),
            nmid=payee.nmid,
        )
    return None


def note_of(payment: Payment) -> str:
    """What the payer (or who gave back) wrote beside it."""
    order = payment.order
    return order.reason if isinstance(order, RefundOrder) else order.note
