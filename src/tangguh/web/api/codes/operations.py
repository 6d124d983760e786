"""One-time codes: made, listed while they can be used, given up."""

from __future__ import annotations

from typing import Final

from tangguh.core.money import format_decimal
from tangguh.core.outcome import Refused
from tangguh.customers import codes as one_time
from tangguh.customers import store as customers
from tangguh.web.api import service_views as views
from tangguh.web.api.operations import Answer, Call, Operation
from tangguh.web.api.parameters import PATH, Id
from tangguh.web.api.services import minor_of
from tangguh.web.codes import Wanted, cancel_cash, cash_codes, make_paying_code
from tangguh.web.problems import Trouble, of_refused, trouble

_CODE: Final = Id(name="code_id", place=PATH, about="The id of one of your codes for cash")


async def create_code(call: Call) -> Answer:
    """Make a one-time code: cash without a card, or a QRIS code to be shown."""
    asked: views.NewCode = call.body
    account_id = await _own(call, int(asked.from_account))
    wanted = Wanted(
        key=call.key,
        shown_as=asked.kind,
        account_id=account_id,
        amount_minor=minor_of(asked.amount) if asked.amount is not None else None,
    )
    made = await make_paying_code(call.door, call.consent, call.logged_in, wanted)
    if isinstance(made, Refused):
        raise Trouble(of_refused(made))
    return Answer(made, 201)


async def list_codes(call: Call) -> Answer:
    """The codes for cash that can still be used."""
    found = [
        views.LiveCode(
            id=listed.code.hold_id,
            kind=one_time.CASH,
            from_account=str(listed.code.account_id),
            amount=format_decimal(listed.code.amount_minor or 0),
            expires_at=listed.code.expires_at,
        )
        for listed in await cash_codes(call.door, call.customer_id)
        if listed.code.hold_id is not None
    ]
    return Answer(views.Codes(found))


async def cancel_code(call: Call) -> Answer:
    """Give a code up: nobody can collect it any more, and its money is released."""
    wanted = _CODE.of(call.request)
    for listed in await cash_codes(call.door, call.customer_id):
        is_it = wanted is not None and listed.code.hold_id == wanted
        if is_it and await cancel_cash(call.door, listed) is None:
            return Answer(None, 204)
    raise trouble("not_found", "no such code of yours can be used")


async def _own(call: Call, account_id: int) -> int:
    owner = await customers.owner_of(call.door.pool, call.door.book_id, account_id)
    if owner is None or owner.customer_id != call.customer_id:
        raise trouble("account_not_found", "", "from_account")
    return account_id


OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        id="createCode",
        method="POST",
        path="/v1/codes",
        summary="Make a one-time code for cash without a card, or to be shown at a shop",
        handler=create_code,
        takes=views.NewCode,
        gives=views.CodeView,
        statuses=(201,),
        moves_money=True,
        problems=(
            "account_not_found",
            "account_closed",
            "order_invalid",
            "service_closed",
            "amount_not_positive",
            "protective_closure",
            "protective_limit",
            "limit_per_transaction",
            "limit_per_day",
            "limit_per_month",
            "insufficient_funds",
            "idempotency_key_reused",
            "header_invalid",
            "signature_missing",
            "signature_wrong",
            "signature_expired",
        ),
    ),
    Operation(
        id="listCodes",
        method="GET",
        path="/v1/codes",
        summary="Your codes for cash that can still be used",
        handler=list_codes,
        gives=views.Codes,
    ),
    Operation(
        id="cancelCode",
        method="DELETE",
        path="/v1/codes/{code_id}",
        summary="Give a code for cash up; its money is released",
        handler=cancel_code,
        statuses=(204,),
        parameters=(_CODE,),
        problems=("not_found",),
    ),
)
