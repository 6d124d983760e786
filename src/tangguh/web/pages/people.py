"""The names behind a payment, looked up once a page: who paid, who was paid."""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.core.order import (
    CreditOrder,
    Payee,
    PaymentOrder,
    RefundOrder,
    ToAccount,
    ToBank,
    ToBiller,
    ToCash,
    ToMerchant,
    ToPurse,
    ToQris,
    ToWallet,
)
from tangguh.customers import store as customers
from tangguh.customers.store import Owner
from tangguh.payments.payment import Payment
from tangguh.rails.banks import name_of_bank
from tangguh.rails.billers.rail import BILLERS
from tangguh.rails.ewallet.rail import WALLETS
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
    """Looks owners up for one reader and remembers them for the length of one page."""

    def __init__(self, door: Door, reader_id: int) -> None:
        self._door = door
        self._reader_id = reader_id
        self._owners: dict[int, Owner | None] = {}

    async def owner(self, account_id: int) -> Owner | None:
        """Whose the money there is (a shop's also before the cut-off); None: the bank's own."""
        if account_id not in self._owners:
            self._owners[account_id] = await customers.receiver_of(
                self._door.pool, self._door.book_id, account_id
            )
        return self._owners[account_id]

    async def chosen(self, account_id: int) -> Owner | None:
        """The owner of an account the reader chose; None also when it may not be told now."""
        if not self._door.names.may_tell(self._reader_id, account_id):
            return None
        return await self.owner(account_id)

    async def ends(self, payment: Payment, original: Payment | None = None) -> Ends:
        """Both ends. A refund's merchant is the payee of its original."""
        payer = await self._party(payment.debtor)
        payee = await self._payee(payment)
        if isinstance(payment.order, CreditOrder):
            return Ends(sender_of(payment.order), payee)
        merchant = merchant_of(payment) or (merchant_of(original) if original else None)
        if merchant is None:
            return Ends(payer, payee)
        return Ends(payer, merchant) if payment.kind == "payment" else Ends(merchant, payee)

    async def _payee(self, payment: Payment) -> Party:
        """Who gets it. Where the reader may see no more names now, the number they typed."""
        order, mine = payment.order, payment.customer_id == self._reader_id
        if mine and isinstance(order, PaymentOrder) and isinstance(order.payee, ToAccount):
            number = order.payee.account_id
            if await self.chosen(number) is None:
                return Party(str(number))
        return await self._party(payment.creditor)

    async def _party(self, account_id: int) -> Party:
        owner = await self.owner(account_id)
        if owner is None:
            return NOBODY
        return Party(owner.full_name, account_id, owner.customer_id, bank=self._door.bank_name)


def sender_of(order: CreditOrder) -> Party:
    """Who sent what a network brought."""
    bank = name_of_bank(order.sender_bank) if len(order.sender_bank) == 3 else ""
    return Party(order.sender_name, bank=bank or name_of(order.sender_bank))


def place_of(payee: Payee) -> str:
    """Where a payee beyond the bank is: bank and account, wallet and number, as people read it."""
    match payee:
        case ToBank():
            return " · ".join(filter(None, (name_of_bank(payee.bank), payee.account)))
        case ToWallet():
            return f"{WALLETS[payee.wallet].title} · {payee.number}"
        case ToBiller():
            return f"{BILLERS[payee.biller].title} · {payee.customer_no}"
        case ToPurse():
            return f"•••• {payee.number[-4:]}"
        case ToCash():
            return " · ".join(filter(None, (name_of_bank(payee.acquirer), payee.terminal)))
        case _:
            return ""


def merchant_of(payment: Payment) -> Party | None:
    """The payee who has no account here; None for a transfer inside the bank or a refund."""
    order = payment.order
    if not isinstance(order, PaymentOrder):
        return None
    payee = order.payee
    match payee:
        case ToQris():
            return Party(
                payee.merchant_name,
                city=payee.merchant_city,
                bank=name_of(payee.acquirer),
                nmid=payee.nmid,
            )
        case ToMerchant():
            return Party(payee.merchant_name, city=payee.merchant_city, nmid=payee.nmid)
        case ToBank():
            return Party(payee.name, city=payee.account, bank=name_of_bank(payee.bank))
        case ToWallet():
            return Party(payee.name, city=payee.number, bank=WALLETS[payee.wallet].title)
        case ToBiller():
            return Party(payee.name, city=payee.customer_no, bank=BILLERS[payee.biller].title)
        case ToPurse():
            return Party(f"•••• {payee.number[-4:]}")
        case ToCash():
            return Party(payee.location or payee.terminal, bank=name_of_bank(payee.acquirer))
        case _:
            return None


def note_of(payment: Payment) -> str:
    """What the payer (or who gave back) wrote beside it."""
    order = payment.order
    return order.reason if isinstance(order, RefundOrder) else order.note
