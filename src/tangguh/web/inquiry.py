"""Who is paid, asked of the network before the payer says yes; the answer sealed for the payment.

The seal is made with a key of the bank's, so what is paid is what was shown: a changed name, number
or sum is not opened. It decides nothing else: the service follows from the payee, and everything
about money from the book. Nothing is kept here, and a seal is good for a quarter of an hour.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, assert_never

import msgspec

from tangguh.access.sealing import Purpose, Seals
from tangguh.access.session import Session
from tangguh.core.clock import business_date
from tangguh.core.numbers import phone
from tangguh.core.order import Payee, PaymentOrder, ToBank, ToBiller, ToPurse, ToWallet
from tangguh.core.outcome import Declined, Refusal, Refused
from tangguh.core.service import (
    BILL,
    SERVICES,
    TOPUP,
    TOPUP_CARD,
    TOPUP_SERVER,
    TOPUP_TOURIST,
    TRANSFER_BIFAST,
    TRANSFER_CARDS,
)
from tangguh.core.text import is_fit, seen, shown, unfit_in
from tangguh.customers import purses
from tangguh.customers import store as customers
from tangguh.rails.rail import Asked, Found
from tangguh.web.door import Door

_EMAIL_MAX: Final = 140
_NAME_MAX: Final = 140
_LINE_MAX: Final = 200
LIVES: Final = timedelta(minutes=15)
TOPUP_OF_PRODUCT: Final = {
    "card": TOPUP_CARD,
    "server": TOPUP_SERVER,
    "touristpass": TOPUP_TOURIST,
}
TRANSFER_VIA: Final = {"bifast": TRANSFER_BIFAST, "cards": TRANSFER_CARDS}


FarPayee = ToBank | ToWallet | ToBiller | ToPurse
"""Whom an inquiry can be about: nobody else has a name to be asked for."""


class Inquired(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the network said, as it was shown. ``amount_minor`` None: the payer says how much."""

    customer_id: int
    service: str
    payee: FarPayee
    name: str
    amount_minor: int | None
    expires_at: datetime
    lines: tuple[tuple[str, str], ...] = ()


_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Inquired).decode


def service_of(payee: Payee, via: str = "bifast") -> str:
    """The service that pays such a payee; empty when there is none."""
    match payee:
        case ToBank():
            return TRANSFER_VIA.get(via, "")
        case ToWallet(wallet=wallet):
            return TOPUP.get(wallet, "")
        case ToBiller(biller=biller):
            return BILL.get(biller, "")
        case ToPurse(product=product):
            return TOPUP_OF_PRODUCT.get(product, "")
        case _:
            return ""


def by_proxy(typed: str) -> ToBank:
    """The payee behind a phone number (01, written 62...) or an e-mail address (02).

    The proxy is empty when what was typed is neither.
    """
    bare = seen(typed).strip()
    if "@" in bare:
        fits = is_fit(bare, _EMAIL_MAX) and not any(mark.isspace() for mark in bare)
        return ToBank(bank="", account="", proxy_type="02", proxy=bare.lower() if fits else "")
    return ToBank(bank="", account="", proxy_type="01", proxy=phone(typed))


async def inquire(
    door: Door, customer_id: int, payee: Payee, amount_minor: int, via: str = "bifast"
) -> Inquired | Refused:
    """Ask the payee's network. Refuses what it declined, and PARTNER_UNREACHABLE when silent."""
    service = SERVICES.get(service_of(payee, via))
    if service is None:
        return Refused(Refusal.ORDER_INVALID, "to", "no service pays such a payee")
    if isinstance(payee, ToPurse):
        return await _inquire_purse(door, customer_id, payee)
    enquirer = door.desk.enquirer(service.rail)
    if enquirer is None:
        return Refused(Refusal.SERVICE_CLOSED, "service", "its rail is not connected")
    customer = await customers.find(door.pool, door.book_id, customer_id)
    now = door.clock.now()
    said = await enquirer.look_up(
        Asked(
            reference=door.ids.next().hex,
            payee=payee,
            amount_minor=amount_minor,
            debtor_account=0,
            debtor_name=customer.full_name if customer else "",
            asked_at=now,
        )
    )
    match said:
        case Found(payee=ToBank() | ToWallet() | ToBiller() as payee):
            told = _shown_payee(payee)
            if told is None:
                return Refused(Refusal.PARTNER_UNREACHABLE, "to", "its answer cannot be read")
            return Inquired(
                customer_id=customer_id,
                service=service.id,
                payee=told,
                name=shown(said.name, _NAME_MAX),
                amount_minor=said.amount_minor,
                expires_at=now + LIVES,
                lines=tuple(
                    (shown(name, 60), shown(value, _LINE_MAX)) for name, value in said.lines
                ),
            )
        case Declined(reason, code):
            return Refused(reason, "to", f"the network said {code}" if code else "")
        case _:
            return Refused(Refusal.PARTNER_UNREACHABLE, "to", "the network does not answer now")


def _shown_payee(payee: ToBank | ToWallet | ToBiller) -> FarPayee | None:
    """A network's payee with its words as they may be kept; None when its numbers may not be.

    What must be repeated to the network unchanged (a session, a reference) cannot be mended.
    """
    match payee:
        case ToBank() | ToWallet():
            payee = msgspec.structs.replace(payee, name=shown(payee.name, _NAME_MAX))
        case ToBiller():
            payee = msgspec.structs.replace(
                payee,
                name=shown(payee.name, _NAME_MAX),
                detail=shown(payee.detail, _LINE_MAX),
            )
        case _:
            assert_never(payee)
    return None if unfit_in(payee) else payee


async def _inquire_purse(door: Door, customer_id: int, payee: ToPurse) -> Inquired | Refused:
    """A purse of our own: whose it is nobody is told, only its product and last digits."""
    purse = await purses.by_number(door.pool, door.book_id, payee.number)
    now = door.clock.now()
    if purse is None:
        return Refused(Refusal.EMONEY_NOT_FOUND, "number", "there is no such e-money")
    if business_date(now) > purse.expires_on:
        return Refused(Refusal.PURSE_EXPIRED, "number", f"it expired on {purse.expires_on}")
    complete = ToPurse(purse.top_up_id, purse.number, purse.product)
    return Inquired(
        customer_id=customer_id,
        service=TOPUP_OF_PRODUCT[purse.product],
        payee=complete,
        name=f"•••• {purse.number[-4:]}",
        amount_minor=None,
        expires_at=now + LIVES,
    )


def order_of(
    inquired: Inquired,
    *,
    customer_id: int,
    key: str,
    debtor: int,
    amount_minor: int | None,
    note: str,
    debtor_name: str,
    now: datetime,
) -> PaymentOrder | Refused:
    """The order of what was inquired. Refuses ORDER_INVALID: too old, another's, no amount."""
    if now >= inquired.expires_at or inquired.customer_id != customer_id:
        return Refused(Refusal.ORDER_INVALID, "inquiry", "ask again: it is too old")
    due = inquired.amount_minor
    if due is not None and amount_minor is not None and amount_minor != due:
        return Refused(Refusal.ORDER_INVALID, "amount", f"the bill is {due} minor units")
    amount = due if due is not None else amount_minor
    if amount is None:
        return Refused(Refusal.ORDER_INVALID, "amount", "say how much")
    return PaymentOrder(
        customer_id=customer_id,
        idempotency_key=key,
        service=inquired.service,
        debtor=debtor,
        payee=inquired.payee,
        amount_minor=amount,
        note=note,
        debtor_name=debtor_name,
    )


def seal(seals: Seals, session: Session, inquired: Inquired) -> str:
    """What was shown and the bank's seal, as one word for this session."""
    return seals.seal(Purpose.INQUIRY, session.token_sha256, _encode(inquired))


def unseal(seals: Seals, session: Session, text: str) -> Inquired | None:
    """What was shown; None when one character was changed or it is another session's."""
    body = seals.unseal(Purpose.INQUIRY, session.token_sha256, text)
    try:
        return _decode(body) if body is not None else None
    except (msgspec.DecodeError, ValueError):
        return None
