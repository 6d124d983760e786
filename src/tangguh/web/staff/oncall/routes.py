"""Looking up a payment, a case or a customer by whatever somebody calls it. Nothing is changed.

Each reading is an act in the trail (the table of acts says so), by the id of what was found; what
was typed is not written down, since it may be somebody's number.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from starlette.routing import BaseRoute

from tangguh.access.acts import Act
from tangguh.core import numbers
from tangguh.core.clock import business_date
from tangguh.core.money import NotMoney, parse_decimal
from tangguh.core.outcome import Refusal
from tangguh.core.service import SERVICES
from tangguh.customers import store as customers
from tangguh.disputes.case import Case
from tangguh.payments import store as payments
from tangguh.payments.payment import State
from tangguh.web.care import desk as care
from tangguh.web.problems import trouble
from tangguh.web.staff.door import Call, Handler, StaffDoor, route
from tangguh.work.tracing import finding, reference, story
from tangguh.work.tracing.shapes import CaseTold, CustomerTold, Lines, Me, Trace

DAYS_DEFAULT: Final = 7
DAYS_MAX: Final = 400
ACCOUNT_END: Final = re.compile(r"\d{4,16}", re.ASCII)
_CUSTOMER_ID_MAX: Final = 999_999_999
_RAILS: Final = frozenset(service.rail for service in SERVICES.values())


async def payments_named(call: Call) -> Lines:
    """Every payment a reference may name, newest first, with what of it the reference is."""
    asked_for = call.request.query_params
    text = asked_for.get("ref", "").strip()
    if not reference.LENGTH_MIN <= len(text) <= reference.LENGTH_MAX or not text.isprintable():
        least, most = reference.LENGTH_MIN, reference.LENGTH_MAX
        raise trouble("parameter_invalid", f"{least} to {most} characters", "ref")
    door = call.staff.door
    now = door.clock.now()
    asked = reference.read(text, business_date(now))
    found = await finding.by_reference(door.pool, door.book_id, asked, _days(call), now)
    call.subject = ",".join(f"payment:{one.id}" for one in found.payments[:3])
    call.detail = f"by reference: {len(found.payments)}"
    return found


async def find_payments(call: Call) -> Lines:
    """The payments of a time that fit what is known: an account's end, a sum, a state, a rail."""
    door, said = call.staff.door, call.request.query_params
    now = door.clock.now()
    until = _instant(call, "until") or now + timedelta(minutes=1)
    since = _instant(call, "since") or until - timedelta(days=_days(call))
    if not since < until or until - since > timedelta(days=DAYS_MAX):
        raise trouble("parameter_invalid", f"before until, at most {DAYS_MAX} days", "since")
    end = said.get("account", "")
    if end and ACCOUNT_END.fullmatch(end) is None:
        raise trouble("parameter_invalid", "the last 4 to 16 digits", "account")
    found = await finding.by_what_is_known(
        door.pool,
        door.book_id,
        finding.Known(
            since=since,
            until=until,
            account_end=end,
            amount_minor=_amount(call),
            state=_one_of(call, "state", frozenset(State)),
            rail=_one_of(call, "rail", _RAILS),
            customer_id=_customer(call),
        ),
    )
    filters = [
        name for name in ("account", "amount", "state", "rail", "customer") if said.get(name)
    ]
    call.subject = "payments"
    call.detail = f"by {', '.join(filters) or 'time'}: {len(found.payments)}"
    return found


async def get_payment(call: Call) -> Trace:
    """Everything the bank's records say of one payment."""
    door = call.staff.door
    payment = await payments.find(door.pool, door.book_id, call.id("payment"))
    if payment is None:
        raise trouble(Refusal.PAYMENT_NOT_FOUND, "there is no such payment", "payment")
    call.subject = f"payment:{payment.id}"
    return await story.trace_of(_records(call), payment)


async def get_case(call: Call) -> CaseTold:
    """One case by its number or id, without what people wrote."""
    case = await _case(call)
    call.subject = f"case:{case.id}"
    return await story.case_of(_records(call), case, call.staff.door.clock.now())


async def get_customer(call: Call) -> CustomerTold:
    """A customer by id, by the number of an account, or by phone."""
    door = call.staff.door
    customer_id = await _whose(call, call.request.path_params["who"])
    found = await story.customer_of(_records(call), customer_id, door.clock.now())
    if found is None:
        raise trouble("not_found", "no customer has this id, account or phone", "who")
    call.subject = f"customer:{customer_id}"
    return found


async def who_am_i(call: Call) -> Me:
    """Whose token this is, what they answer for, and what time the bank goes by."""
    clock = call.staff.door.clock
    return Me(
        id=call.by.id,
        roles=sorted(call.by.roles),
        device=bool(call.device),
        now=clock.now(),
        wall_clock_seconds=round(clock.offset(), 3),
    )


def routes(staff: StaffDoor) -> list[BaseRoute]:
    """Everything that is looked up by HTTP."""
    here = "/staff/v1/payments"
    table: tuple[tuple[str, Handler, Act], ...] = (
        ("/staff/v1/me", who_am_i, Act.READ),
        (here, find_payments, Act.READ_PAYMENT),
        (f"{here}/named", payments_named, Act.READ_PAYMENT),
        (f"{here}/{{payment}}", get_payment, Act.READ_PAYMENT),
        ("/staff/v1/cases/{case}/outline", get_case, Act.READ_CASE),
        ("/staff/v1/customers/{who}", get_customer, Act.READ_CUSTOMER),
    )
    return [route(staff, "GET", path, handler, act) for path, handler, act in table]


def _records(call: Call) -> story.Records:
    door = call.staff.door
    return story.Records(door.pool, door.book_id, care.complaints_of(door).store)


async def _case(call: Call) -> Case:
    """Raises Trouble(case_not_found)."""
    text = call.request.path_params["case"]
    store = care.complaints_of(call.staff.door).store
    try:
        found = await store.find(UUID(text))
    except ValueError:
        found = await store.find_by_number(text.strip().upper())
    if found is None:
        raise trouble(Refusal.CASE_NOT_FOUND, "there is no such case", "case")
    return found


async def _whose(call: Call, text: str) -> int:
    """Whose id, account or phone it is; 0 is nobody's."""
    door = call.staff.door
    customer_id = numbers.whole(text, _CUSTOMER_ID_MAX, 1)
    if customer_id is not None and await customers.find(door.pool, door.book_id, customer_id):
        return customer_id
    digits = numbers.digits(text)
    if digits and len(digits) <= numbers.TYPED_MAX and int(digits) < 2**63:
        owner = await customers.owner_of(door.pool, door.book_id, int(digits))
        if owner is not None:
            return owner.customer_id
    person = await customers.by_phone(door.pool, door.book_id, numbers.phone(text))
    return person.customer_id if person is not None else 0


def _days(call: Call) -> int:
    text = call.request.query_params.get("days", str(DAYS_DEFAULT))
    days = numbers.whole(text, DAYS_MAX, 1)
    if days is None:
        raise trouble("parameter_invalid", f"1 to {DAYS_MAX} days", "days")
    return days


def _customer(call: Call) -> int | None:
    text = call.request.query_params.get("customer", "")
    if not text:
        return None
    customer_id = numbers.whole(text, _CUSTOMER_ID_MAX, 1)
    if customer_id is None:
        raise trouble("parameter_invalid", "a customer's id", "customer")
    return customer_id


def _amount(call: Call) -> int | None:
    text = call.request.query_params.get("amount", "")
    if not text:
        return None
    try:
        return parse_decimal(text)
    except NotMoney as fault:
        raise trouble("parameter_invalid", str(fault), "amount") from fault


def _one_of(call: Call, name: str, known: frozenset[Any]) -> str:
    text = call.request.query_params.get(name, "")
    if text and text not in known:
        raise trouble("parameter_invalid", ", ".join(sorted(known)), name)
    return text


def _instant(call: Call, name: str) -> datetime | None:
    """An RFC 3339 instant; without an offset, in UTC. Raises Trouble(parameter_invalid)."""
    text = call.request.query_params.get(name, "")
    if not text:
        return None
    try:
        said = datetime.fromisoformat(text.replace(" ", "+"))
        found = said if said.tzinfo is not None else said.replace(tzinfo=UTC)
        found.timestamp()
    except (ValueError, OverflowError) as fault:
        raise trouble(
            "parameter_invalid", "an instant such as 2026-03-20T05:00:00Z", name
        ) from fault
    return found
