"""The customers' API: log in, look, pay, follow, give back. Thin: it reads, orders and answers."""

from __future__ import annotations

import base64
from typing import Final

from tangguh.access.session import Kind
from tangguh.core.clock import business_date
from tangguh.core.money import IDR, NotMoney, format_decimal, parse_decimal
from tangguh.core.order import Origin, PaymentOrder, RefundOrder, ToAccount, ToQris
from tangguh.core.outcome import Refusal, Refused
from tangguh.customers import merchants, purses
from tangguh.customers import store as customers
from tangguh.customers.demo import OUR_NNS
from tangguh.ledger import chart, statement
from tangguh.payments import store as payments
from tangguh.payments.payment import Decided, Payment, State
from tangguh.rails.qris.codec import parse
from tangguh.web import inquiry, login, orders
from tangguh.web.api import views
from tangguh.web.api.operations import Answer, Call, Operation
from tangguh.web.api.parameters import PATH, VERSION, Id, Instant, Text, WholeNumber
from tangguh.web.door import Door
from tangguh.web.problems import Trouble, of_refused, trouble

_LIMIT: Final = WholeNumber(name="limit", most=100, default=50, about="How many at most")
_BEFORE_ENTRY: Final = WholeNumber(
    name="before", most=statement.NEWEST, about="Cursor: entries before this number", example=42
)
_BEFORE_PAYMENT: Final = Id(name="before", about="Cursor: payments before this id")
_PAYMENT_ID: Final = Id(name="payment_id", place=PATH, about="A payment's id")
_ACCOUNT: Final = Text(
    name="account",
    place=PATH,
    pattern=views.ACCOUNT,
    code="account_not_found",
    about="One of your account numbers",
    example="10100000011",
)
_AT: Final = Instant(name="at", is_required=True, about="The instant, with its offset")


async def open_session(call: Call) -> Answer:
    """Log in on a device."""
    asked: views.OpenSession = call.body
    door = call.door
    host = login.host_of(call.request)
    claim = login.Claim(
        host=host,
        phone=asked.phone,
        pin=asked.pin,
        device=asked.device,
        code=asked.code,
        attempt=asked.attempt,
    )
    proved = await login.prove(door, claim)
    customer = proved.customer
    opened = await door.sessions.open(
        customer.customer_id, Kind.DEVICE, device_known_at=proved.known_at
    )
    await door.remember(f"customer:{customer.customer_id}", "session.opened", detail="device")
    key = base64.b64encode(opened.session.signing_key).decode()
    view = views.SessionView(
        opened.token, key, customer.customer_id, opened.session.expires_at, proved.device
    )
    return Answer(view, 201)


async def end_session(call: Call) -> Answer:
    """Log out."""
    if call.session is not None:
        await call.door.sessions.end(call.session)
        await call.door.remember(f"customer:{call.customer_id}", "session.ended")
    return Answer(None, 204)


async def me(call: Call) -> Answer:
    """Who is logged in."""
    customer = await customers.find(call.door.pool, call.door.book_id, call.customer_id)
    if customer is None:
        raise trouble("session_ended")
    return Answer(views.Me(customer.customer_id, customer.full_name, customer.language))


async def accounts(call: Call) -> Answer:
    """The customer's accounts and balances."""
    door = call.door
    held = await customers.accounts_of(door.pool, door.book_id, call.customer_id)
    now = door.clock.now()
    return Answer(views.Accounts([views.account_view(one, now, IDR) for one in held]))


async def history(call: Call) -> Answer:
    """An account's entries, newest first, with running balance."""
    door = call.door
    account_id = await own_account(call)
    count = _LIMIT.of(call.request)
    before = _BEFORE_ENTRY.of(call.request, statement.NEWEST)
    lines = await statement.history(door.pool, door.book_id, account_id, before, count)
    cursor = lines[-1].seq if len(lines) == count and lines[-1].seq > 1 else None
    return Answer(views.History([views.entry_view(line) for line in lines], cursor))


async def balance_at(call: Call) -> Answer:
    """The posted balance at a past instant."""
    door = call.door
    account_id = await own_account(call)
    instant = _AT.of(call.request)
    posted = await statement.balance_at(door.pool, door.book_id, account_id, instant)
    return Answer(views.BalanceAt(str(account_id), format_decimal(posted), instant))


async def read_qr(call: Call) -> Answer:
    """Judge a QRIS code before paying it."""
    reading = parse(call.body.qr)
    return Answer(views.reading_view(reading))


async def create_payment(call: Call) -> Answer:
    """Pay: a transfer inside the bank or a merchant's QRIS code."""
    order = await _inquired(call) if isinstance(call.body, views.PayInquired) else _order(call)
    if isinstance(order, Refused):
        raise Trouble(of_refused(order))
    routed_order = await routed(call.door, order)
    decided = await call.door.pay(call.consent, routed_order, origin_of(call), session=call.session)
    if isinstance(decided, Refused):
        raise Trouble(of_refused(decided))
    return await payment_answer(call, decided)


def origin_of(call: Call) -> Origin:
    """Where an order came from, for the guard: the session stands for the device."""
    device = call.session.token_sha256.hex()[:16] if call.session is not None else ""
    return Origin(device=device, version=call.request.headers.get(VERSION.name, "")[:32])


async def list_payments(call: Call) -> Answer:
    """The customer's payments, newest first."""
    door = call.door
    count = _LIMIT.of(call.request)
    before = _BEFORE_PAYMENT.of(call.request) or payments.NEWEST
    found = await payments.of_customer(door.pool, door.book_id, call.customer_id, before, count)
    now = door.clock.now()
    cursor = found[-1].id if len(found) == count else None
    shown = [views.payment_view(payment, now) for payment in found]
    return Answer(views.Payments(shown, cursor))


async def get_payment(call: Call) -> Answer:
    """One payment with its timeline."""
    door = call.door
    payment = await visible_payment(door, call.customer_id, call.request.path_params["payment_id"])
    events = await payments.timeline(door.pool, door.book_id, payment.id)
    name = await payee_name(door, payment, call.customer_id)
    shut = await door.shutters.of_refused(payment)
    view = views.payment_view(payment, door.clock.now(), payee_name=name, events=events, shut=shut)
    return Answer(view)


async def create_refund(call: Call) -> Answer:
    """Give back (part of) a payment that was received."""
    asked: views.NewRefund = call.body
    payment_id = _PAYMENT_ID.read(call.request.path_params["payment_id"])
    try:
        amount_minor = parse_decimal(asked.amount)
    except NotMoney as fault:
        raise trouble("order_invalid", str(fault), "amount") from fault
    order = RefundOrder(
        requested_by=call.customer_id,
        idempotency_key=call.key,
        payment_id=payment_id,
        amount_minor=amount_minor,
        reason=asked.reason,
    )
    decided = await call.door.refund(call.consent, order)
    if isinstance(decided, Refused):
        raise Trouble(of_refused(decided))
    return await payment_answer(call, decided)


# ---- shared with the pages ---------------------------------------------------------------------


async def own_account(call: Call) -> int:
    """The account in the path, if it is the caller's. Another's looks like none."""
    account_id = int(_ACCOUNT.of(call.request))
    door = call.door
    owner = await customers.owner_of(door.pool, door.book_id, account_id)
    if owner is None or owner.customer_id != call.customer_id:
        raise trouble("account_not_found", "", "account")
    return account_id


async def visible_payment(door: Door, customer_id: int, text: str) -> Payment:
    """A payment its customer or its payee may see. Anybody else's looks like none."""
    payment = await payments.find(door.pool, door.book_id, _PAYMENT_ID.read(text))
    if payment is None:
        raise trouble("payment_not_found", "", "payment_id")
    if payment.customer_id == customer_id:
        return payment
    received = payment.state in {State.POSTED, State.REFUNDED}
    owner = await customers.receiver_of(door.pool, door.book_id, payment.creditor)
    if not received or owner is None or owner.customer_id != customer_id:
        raise trouble("payment_not_found", "", "payment_id")
    return payment


async def payee_name(door: Door, payment: Payment, reader_id: int) -> str:
    """The name behind an account payee; empty for a merchant, whose code names it.

    Empty too where the reader ordered it and has seen as many names as one may for now.
    """
    order = payment.order
    if isinstance(order, PaymentOrder):
        if not isinstance(order.payee, ToAccount):
            return ""
        if payment.customer_id == reader_id and not door.names.may_tell(
            reader_id, order.payee.account_id
        ):
            return ""
    owner = await customers.owner_of(door.pool, door.book_id, payment.creditor)
    return owner.full_name if owner else ""


async def payment_answer(call: Call, decided: Decided) -> Answer:
    """201 for a payment just made, 200 for a repeat, 202 while nobody knows its end."""
    payment = decided.payment
    door = call.door
    shut = await door.shutters.of_refused(payment)
    view = views.payment_view(payment, door.clock.now(), repeated=decided.repeated, shut=shut)
    status = 202 if payment.is_open else 200 if decided.repeated else 201
    return Answer(view, status, {"Location": f"/v1/payments/{payment.id}"})


async def routed(door: Door, order: PaymentOrder) -> PaymentOrder:
    """The order by the way it goes: a code of our own merchant does not leave the bank.

    Raises Trouble(purse_expired) when the e-money it is paid from has run out.
    """
    if not isinstance(order.payee, ToQris):
        return order
    if chart.product_of(order.debtor):
        purse = await purses.by_account(door.pool, door.book_id, order.debtor)
        if purse is not None and business_date(door.clock.now()) > purse.expires_on:
            raise trouble("purse_expired", f"it expired on {purse.expires_on}", "from_account")
    if order.payee.acquirer != OUR_NNS:
        return order
    shop = await merchants.by_pan(door.pool, door.book_id, order.payee.merchant_pan)
    return orders.shop_order(order, shop) if shop is not None else order


async def _inquired(call: Call) -> PaymentOrder | Refused:
    """The order of an inquiry of this session, as it was shown."""
    asked: views.PayInquired = call.body
    inquired = inquiry.unseal(call.door.seals, call.logged_in, asked.inquiry)
    if inquired is None:
        return Refused(Refusal.ORDER_INVALID, "inquiry", "not an inquiry of this session")
    try:
        amount = parse_decimal(asked.amount) if asked.amount is not None else None
    except NotMoney as fault:
        return Refused(Refusal.ORDER_INVALID, "amount", str(fault))
    door = call.door
    customer = await customers.find(door.pool, door.book_id, call.customer_id)
    return inquiry.order_of(
        inquired,
        customer_id=call.customer_id,
        key=call.key,
        debtor=int(asked.from_account),
        amount_minor=amount,
        note=asked.note,
        debtor_name=customer.full_name if customer is not None else "",
        now=door.clock.now(),
    )


def _order(call: Call) -> PaymentOrder | Refused:
    asked = call.body
    if isinstance(asked, views.PayQris):
        return orders.qris_order(
            customer_id=call.customer_id,
            key=call.key,
            debtor=int(asked.from_account),
            payload=asked.qr,
            amount=asked.amount,
            tip=asked.tip,
            note=asked.note,
        )
    return orders.transfer_order(
        customer_id=call.customer_id,
        key=call.key,
        debtor=int(asked.from_account),
        creditor=int(asked.to_account),
        amount=asked.amount,
        note=asked.note,
    )


_PAYMENT_PROBLEMS: Final = (
    "idempotency_key_reused",
    "order_invalid",
    "qr_invalid",
    "qr_amount_differs",
    "limit_per_transaction",
    "purse_expired",
    "header_invalid",
    "signature_missing",
    "signature_wrong",
    "signature_expired",
)
OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        id="openSession",
        method="POST",
        path="/v1/sessions",
        summary="Log in on a device with phone number and PIN",
        handler=open_session,
        takes=views.OpenSession,
        typed=frozenset({"phone"}),
        gives=views.SessionView,
        statuses=(201,),
        needs_session=False,
        problems=("pin_wrong", "code_needed", "code_wrong"),
    ),
    Operation(
        id="endSession",
        method="DELETE",
        path="/v1/sessions/current",
        summary="Log out",
        handler=end_session,
        statuses=(204,),
    ),
    Operation(
        id="getMe",
        method="GET",
        path="/v1/me",
        summary="Who is logged in",
        handler=me,
        gives=views.Me,
    ),
    Operation(
        id="listAccounts",
        method="GET",
        path="/v1/accounts",
        summary="Accounts with posted, held and available balances",
        handler=accounts,
        gives=views.Accounts,
    ),
    Operation(
        id="getHistory",
        method="GET",
        path="/v1/accounts/{account}/entries",
        summary="History of an account with running balance",
        handler=history,
        gives=views.History,
        parameters=(
            _ACCOUNT,
            _LIMIT,
            _BEFORE_ENTRY,
        ),
        problems=("account_not_found", "parameter_invalid"),
    ),
    Operation(
        id="getBalanceAt",
        method="GET",
        path="/v1/accounts/{account}/balance",
        summary="Posted balance at a past instant",
        handler=balance_at,
        gives=views.BalanceAt,
        parameters=(
            _ACCOUNT,
            _AT,
        ),
        problems=("account_not_found", "parameter_invalid"),
    ),
    Operation(
        id="readQr",
        method="POST",
        path="/v1/qris/readings",
        summary="Judge a QRIS code",
        handler=read_qr,
        takes=views.ReadQr,
        gives=views.ReadingView,
    ),
    Operation(
        id="createPayment",
        method="POST",
        path="/v1/payments",
        summary="Pay a QRIS code or transfer inside the bank",
        handler=create_payment,
        takes=views.NewPayment,
        gives=views.PaymentView,
        statuses=(200, 201, 202),
        gives_location=True,
        moves_money=True,
        problems=_PAYMENT_PROBLEMS,
        parameters=(VERSION,),
    ),
    Operation(
        id="listPayments",
        method="GET",
        path="/v1/payments",
        summary="Your payments, newest first",
        handler=list_payments,
        gives=views.Payments,
        parameters=(_LIMIT, _BEFORE_PAYMENT),
        problems=("parameter_invalid",),
    ),
    Operation(
        id="getPayment",
        method="GET",
        path="/v1/payments/{payment_id}",
        summary="A payment as it stands, with its timeline",
        handler=get_payment,
        gives=views.PaymentView,
        parameters=(_PAYMENT_ID,),
        problems=("payment_not_found", "parameter_invalid"),
    ),
    Operation(
        id="createRefund",
        method="POST",
        path="/v1/payments/{payment_id}/refunds",
        summary="Give back (part of) a payment you received",
        handler=create_refund,
        takes=views.NewRefund,
        gives=views.PaymentView,
        statuses=(200, 201, 202),
        gives_location=True,
        moves_money=True,
        parameters=(_PAYMENT_ID, VERSION),
        problems=(
            *_PAYMENT_PROBLEMS,
            "payment_not_found",
            "payment_not_refundable",
            "way_back_taken",
            "refund_exceeds_payment",
            "amount_not_positive",
            "account_closed",
            "insufficient_funds",
            "balance_out_of_range",
            "parameter_invalid",
        ),
    ),
)
