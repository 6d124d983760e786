"""PaymentOrder: what the customer asked for, before anybody decided anything.

An order names one payee. How the money gets there is the rail's business; the order only carries
what was on the screen when the customer said yes. Written down, a field that says nothing (its
default) is left out: a third of the text, and a field added later changes no order kept before.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from tangguh.core.client import Client
from tangguh.core.money import IDR


class ToAccount(msgspec.Struct, frozen=True, omit_defaults=True, tag="account", gc=False):
    """A payee with an account at this bank."""

    account_id: int


class ToQris(msgspec.Struct, frozen=True, omit_defaults=True, tag="qris", gc=False):
    """A merchant behind a QRIS code, as read from the payload that was scanned.

    ``payload`` is the whole text as scanned (<= 512 characters); the rest are its facts.
    """

    payload: str
    merchant_pan: str
    merchant_id: str
    nmid: str
    acquirer: str
    merchant_name: str
    merchant_city: str
    category_code: str
    criteria: str = ""
    terminal: str = ""


class ToBank(msgspec.Struct, frozen=True, omit_defaults=True, tag="bank", gc=False):
    """A payee with an account at another bank, by the name the inquiry gave and the payer saw.

    ``bank`` is the three-digit clearing code (014); ``proxy_type`` 01 phone, 02 e-mail, empty when
    the account was typed. ``inquiry`` is the reference under which the network was asked.
    """

    bank: str
    account: str
    name: str = ""
    proxy_type: str = ""
    proxy: str = ""
    inquiry: str = ""


class ToWallet(msgspec.Struct, frozen=True, omit_defaults=True, tag="wallet", gc=False):
    """A customer of an e-wallet: ``wallet`` (gopay, ovo, dana, isaku) and their phone number.

    ``session`` is what the wallet's inquiry gave, to be repeated in the top-up.
    """

    wallet: str
    number: str
    name: str = ""
    session: str = ""


class ToBiller(msgspec.Struct, frozen=True, omit_defaults=True, tag="biller", gc=False):
    """A bill: who is owed (``biller``), by which customer number, under which inquiry.

    ``bill`` is the biller's own number of what was asked for; ``product`` what is bought of a
    prepaid biller. ``detail`` is what the payer saw (period, tariff), never read back.
    """

    biller: str
    customer_no: str
    name: str = ""
    bill: str = ""
    product: str = ""
    detail: str = ""


class ToCash(msgspec.Struct, frozen=True, omit_defaults=True, tag="cash", gc=False):
    """Banknotes from a terminal. ``acquirer`` is the bank code of whose terminal it is.

    ``vault`` is the cassette's account when it is ours. ``trace`` is the STAN and ``rrn`` the
    retrieval reference the terminal gave. ``card`` is a masked number for people; ``sealed_pan``
    opens only inside the security module. Never a PIN. ``merchant`` is the acceptor it named;
    ``paid_out`` the figure and the currency's number, where other money than rupiah came out. Both
    are left out of what is written where they were not said, as in orders older than they are.
    """

    terminal: str
    acquirer: str
    vault: int = 0
    location: str = ""
    trace: str = ""
    rrn: str = ""
    card: str = ""
    sealed_pan: str = ""
    merchant: str | msgspec.UnsetType = msgspec.UNSET
    paid_out: str | msgspec.UnsetType = msgspec.UNSET


class ToPurse(msgspec.Struct, frozen=True, omit_defaults=True, tag="purse", gc=False):
    """An e-money purse of this bank: its account in the book, and the number printed on it."""

    account_id: int
    number: str
    product: str = ""


class ToMerchant(msgspec.Struct, frozen=True, omit_defaults=True, tag="merchant", gc=False):
    """A merchant of our own behind a QRIS code: acquirer and issuer are the same bank.

    Which account is credited and what discount is taken is no part of the order: both are decided
    in the book, from the merchant's terms and the tariff. ``bill`` is the number in a dynamic code.
    """

    merchant_id: str
    nmid: str
    merchant_name: str
    merchant_city: str
    payload: str = ""
    criteria: str = ""
    terminal: str = ""
    bill: str = ""


Payee = ToAccount | ToMerchant | ToQris | ToBank | ToWallet | ToBiller | ToCash | ToPurse


class PaymentOrder(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="payment", gc=False
):
    """One wish of one customer. Amounts in minor units (sen).

    ``amount_minor`` goes to the payee; ``tip_minor`` is added by a QRIS code or the customer and
    goes to the payee too. The bank's own fee is not part of the order: it is decided in the book.
    ``debtor_name`` is what networks that carry the payer's name are told. ``network_reference``:
    the network's own name of it, when it was the network that asked us to pay.
    ``by_network``: the idempotency key is the network's name of the request, one for all customers,
    so that whoever knows no customer (a reversal) finds it. ``once``: what pays once whatever
    request brings it (a cash code); never the code itself.
    """

    customer_id: int
    idempotency_key: str
    service: str
    debtor: int
    payee: Payee
    amount_minor: int
    tip_minor: int = 0
    currency: str = IDR
    note: str = ""
    debtor_name: str = ""
    network_reference: str = ""
    by_network: bool = False
    once: str = ""


class Origin(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where an order came from. It is no part of the order: a repeat from another device or version
    is the same order. ``device`` is a hash, never a name. ``client`` is what kind of sender it is,
    as the bank knows it: what it may order hangs on that (``core.assertions``).
    """

    client: Client = Client.DEVICE
    device: str = ""
    version: str = ""


class CreditOrder(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="credit", gc=False
):
    """Money a network brings to an account of ours. Amount in minor units.

    ``idempotency_key`` is ``rail:reference`` with the network's own end-to-end reference.
    ``original`` is the reference of our own payment when it is that payment coming back.
    ``merchant_id`` is the merchant of ours who is paid; ``bill`` the number in its code.
    ``network_reference``: what the network's file calls it, where that is another name.
    """

    rail: str
    idempotency_key: str
    service: str
    creditor: int
    amount_minor: int
    currency: str = IDR
    tip_minor: int = 0
    sender_name: str = ""
    sender_bank: str = ""
    sender_account: str = ""
    note: str = ""
    original: str = ""
    merchant_id: str = ""
    bill: str = ""
    network_reference: str = ""


class RefundOrder(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="refund", gc=False
):
    """A wish to give back part or all of a payment that was posted. Amount in minor units.

    ``with_fee``: nothing of it took place, so our fee goes back too (a card reversal).
    ``returned_as``: the network's own reference when it is the network that brings it back.
    ``claims``: the bank claims it for its customer (a chargeback).
    """

    requested_by: int
    idempotency_key: str
    payment_id: UUID
    amount_minor: int
    reason: str = ""
    with_fee: bool = False
    returned_as: str = ""
    claims: bool = False
