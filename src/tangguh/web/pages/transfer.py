"""A transfer inside the bank: number, name, amount, review. One line of steps, never back (E16)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from tangguh.core.format import typed_minor
from tangguh.core.numbers import digits
from tangguh.core.order import PaymentOrder, ToAccount
from tangguh.core.service import TRANSFER_ONUS
from tangguh.core.text import shown
from tangguh.customers import store as customers
from tangguh.payments import store as payments
from tangguh.payments.payment import Payment, State
from tangguh.web.pages.ahead.obstacle import go_on
from tangguh.web.pages.ahead.purse import Purse, ask_amount, open_purse
from tangguh.web.pages.frame import Page, Visit, redirect
from tangguh.web.pages.people import People
from tangguh.web.pages.seal import Recipient, TransferSlip
from tangguh.web.pages.trouble import REVIEW_CHANGED
from tangguh.web.problems import Trouble, problem

_ACCOUNT: Final = re.compile(r"[0-9]{6,16}", re.ASCII)
_LOOKED_BACK_MAX: Final = 200
_RECENT_MAX: Final = 4
_NOTE_MAX: Final = 100


async def show_transfer(visit: Visit) -> Response:
    """To whom: somebody paid before, or a number."""
    return await _transfer_page(visit)


async def take_account(visit: Visit) -> Response:
    """Look the name up, so that it is seen before anything else is asked (E17)."""
    door, text = visit.door, digits(visit.typed("to"))
    if not _ACCOUNT.fullmatch(text):
        return await _transfer_page(visit, told=visit.words("transfer.number_malformed"))
    wait = door.name_checks.seconds_until_allowed(str(visit.me.customer_id))
    if wait:
        told = visit.words("transfer.too_many_checks", seconds=round(wait + 0.5))
        return await _transfer_page(visit, told=told, status=429)
    owner = await customers.owner_of(door.pool, door.book_id, int(text))
    if owner is None:
        return await _transfer_page(visit, told=visit.words("transfer.number_unknown"))
    purse = await open_purse(visit, TRANSFER_ONUS)
    if [one.account_id for one in purse.accounts] == [int(text)]:
        return await _transfer_page(visit, told=visit.words("transfer.number_own"))
    door.names.remember(visit.me.customer_id, int(text))
    recipient = visit.seal(Recipient(int(text), owner.full_name))
    return redirect(f"/transfer/amount?{urlencode({'to': recipient})}")


async def show_amount(visit: Visit) -> Response:
    """How much, to the name that was found."""
    recipient = _recipient(visit, visit.asked("to"))
    purse = await open_purse(visit, TRANSFER_ONUS)
    return await _amount_page(visit, recipient, purse)


async def take_amount(visit: Visit) -> Response:
    """Judge the amount; on to the review when it could be sent."""
    recipient = _recipient(visit, visit.typed("to"))
    purse = await open_purse(visit, TRANSFER_ONUS, visit.typed("account"))
    amount_minor = typed_minor(visit.typed("amount"))
    if amount_minor is None:
        told = ask_amount(visit.words, visit.typed("amount"))
        return await _amount_page(visit, recipient, purse, told=told)
    if amount_minor == 0:
        told = visit.words("amount.amount_not_positive")
        return await _amount_page(visit, recipient, purse, told=told)
    slip = TransferSlip(
        key=visit.door.ids.next().hex,
        debtor=purse.account.account_id,
        creditor=recipient.account_id,
        creditor_name=recipient.name,
        amount_minor=amount_minor,
        fee_minor=purse.fee_minor,
        note=shown(visit.typed("note"), _NOTE_MAX),
    )
    gone_on = await go_on(visit, TRANSFER_ONUS, slip, purse)
    if isinstance(gone_on, str):
        return await _amount_page(visit, recipient, purse, told=gone_on)
    return gone_on


async def is_first_time(visit: Visit, account_id: int) -> bool:
    """Whether nothing ever reached this account from the customer (in what we look back at)."""
    return all(
        account_to(payment) != account_id or payment.state not in {State.POSTED, State.REFUNDED}
        for payment in await _made(visit)
    )


def account_to(payment: Payment) -> int | None:
    """The account a transfer went to; None for a merchant or a refund."""
    order = payment.order
    if isinstance(order, PaymentOrder) and isinstance(order.payee, ToAccount):
        return order.payee.account_id
    return None


async def _made(visit: Visit) -> list[Payment]:
    door = visit.door
    return await payments.of_customer(
        door.pool, door.book_id, visit.me.customer_id, payments.NEWEST, _LOOKED_BACK_MAX
    )


async def _recent(visit: Visit) -> list[Recipient]:
    """Those transferred to lately, the latest first."""
    people = People(visit.door, visit.me.customer_id)
    found: dict[int, Recipient] = {}
    for payment in await _made(visit):
        account_id = account_to(payment)
        if account_id is None or payment.state is State.REFUSED or account_id in found:
            continue
        owner = await people.chosen(account_id)
        if owner is not None:
            found[account_id] = Recipient(account_id, owner.full_name)
        if len(found) == _RECENT_MAX:
            break
    return list(found.values())


def _recipient(visit: Visit, text: str) -> Recipient:
    opened = visit.unseal(text)
    if not isinstance(opened, Recipient):
        raise Trouble(msgspec.structs.replace(problem("body_invalid"), code=REVIEW_CHANGED))
    return opened


async def _transfer_page(visit: Visit, *, told: str = "", status: int = 422) -> Response:
    return visit.page(
        "transfer.html",
        status=status if told else 200,
        to=visit.typed("to")[:24],
        told=told,
        recent=await _recent(visit),
    )


async def _amount_page(
    visit: Visit, recipient: Recipient, purse: Purse, *, told: str = ""
) -> Response:
    return visit.page(
        "transfer_amount.html",
        status=422 if told else 200,
        recipient=recipient,
        to=visit.seal(recipient),
        is_first=await is_first_time(visit, recipient.account_id),
        purse=purse,
        amount=visit.typed("amount"),
        note=visit.typed("note"),
        told=told,
    )


PAGES: Final = (
    Page(path="/transfer", get=show_transfer, post=take_account),
    Page(path="/transfer/amount", get=show_amount, post=take_amount),
)
