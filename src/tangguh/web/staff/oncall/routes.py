"""Looking up a payment, a case or a customer by whatever somebody calls it. Nothing is changed.

Each reading is an act in the trail (the table of acts says so), by the id of what was found; what
was typed is not written down, since it may be somebody's number.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from starlette.routing import BaseRoute

from tangguh.access.acts import Act
from tangguh.core import numbers
from tangguh.core.clock import business_date
from tangguh.core.money import parse_decimal
from tangguh.core.outcome import Refusal
from tangguh.core.service import SERVICES
from tangguh.customers import store as customers
from tangguh.disputes.case import Case
from tangguh.payments import store as payments
from tangguh.payments.payment import State
from tangguh.web.api.parameters import Choice, Instant, Text, WholeNumber
from tangguh.web.care import desk as care
from tangguh.web.problems import trouble
from tangguh.web.staff.door import Call, Handler, StaffDoor, route
from tangguh.work.tracing import finding, reference, story
from tangguh.work.tracing.shapes import CaseTold, CustomerTold, Lines, Me, Trace

_DAYS_MAX: Final = 400
_CUSTOMER_ID_MAX: Final = 999_999_999
DAYS: Final = WholeNumber(
    name="days", most=_DAYS_MAX, default=7, about="How many days to look back", example=30
)
REFERENCE: Final = Text(
    name="ref",
    is_required=True,
    pattern=f"^[ -~]{{{reference.LENGTH_MIN},{reference.LENGTH_MAX}}}$",
    about="any name a payment goes by, 4 to 128 characters",
    example="3160-85AC-F23C",
)
ACCOUNT: Final = Text(
    name="account",
    pattern="^[0-9]{4,16}$",
    about="the end of either side's number, 4 to 16 digits",
    example="0011",
)
AMOUNT: Final = Text(
    name="amount",
    pattern=r"^[0-9]{1,13}(\.[0-9]{1,2})?$",
    about="rupiah as 54000 or 54000.00, to the payee or with the fee",
    example="54000.00",
)
STATE: Final = Choice(name="state", words=tuple(State), about="Where it is", example="unanswered")
RAIL: Final = Choice(
    name="rail",
    words=tuple(sorted({service.rail for service in SERVICES.values()})),
    about="Over which network",
    example="qris",
)
CUSTOMER: Final = WholeNumber(
    name="customer", most=_CUSTOMER_ID_MAX, about="A customer's id", example=1
)
SINCE: Final = Instant(name="since", about="From when", example="2026-03-20T00:00:00Z")
UNTIL: Final = Instant(name="until", about="Until when", example="2026-03-21T00:00:00Z")
OF_NAMED: Final = (REFERENCE, DAYS)
OF_FIND: Final = (ACCOUNT, AMOUNT, STATE, RAIL, CUSTOMER, SINCE, UNTIL, DAYS)


async def payments_named(call: Call) -> Lines:
    """Every payment a reference may name, newest first, with what of it the reference is."""
    text = _text(call, REFERENCE).strip()
    door = call.staff.door
    now = door.clock.now()
    asked = reference.read(text, business_date(now))
    found = await finding.by_reference(door.pool, door.book_id, asked, DAYS.of(call.request), now)
    call.subject = ",".join(f"payment:{one.id}" for one in found.payments[:3])
    call.detail = f"by reference: {len(found.payments)}"
    return found


async def find_payments(call: Call) -> Lines:
    """The payments of a time that fit what is known: an account's end, a sum, a state, a rail."""
    door, request = call.staff.door, call.request
    until = _instant(call, UNTIL) or door.clock.now() + timedelta(minutes=1)
    since = _instant(call, SINCE) or until - timedelta(days=DAYS.of(request))
    if not since < until or until - since > timedelta(days=_DAYS_MAX):
        raise SINCE.malformed(f"before until, at most {_DAYS_MAX} days")
    amount = _text(call, AMOUNT)
    found = await finding.by_what_is_known(
        door.pool,
        door.book_id,
        finding.Known(
            since=since,
            until=until,
            account_end=_text(call, ACCOUNT),
            amount_minor=parse_decimal(amount) if amount else None,
            state=STATE.of(request, ""),
            rail=RAIL.of(request, ""),
            customer_id=CUSTOMER.of(request) or None,
        ),
    )
    asked_by = [one.name for one in OF_FIND[:5] if request.query_params.get(one.name)]
    call.subject = "payments"
    call.detail = f"by {', '.join(asked_by) or 'time'}: {len(found.payments)}"
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
        ("/staff/v1/cases/{number}/outline", get_case, Act.READ_CASE),
        ("/staff/v1/customers/{who}", get_customer, Act.READ_CUSTOMER),
    )
    return [route(staff, "GET", path, handler, act) for path, handler, act in table]


def _records(call: Call) -> story.Records:
    door = call.staff.door
    return story.Records(door.pool, door.book_id, care.complaints_of(door).store)


async def _case(call: Call) -> Case:
    """Raises Trouble(case_not_found)."""
    text = call.request.path_params["number"]
    store = care.complaints_of(call.staff.door).store
    try:
        found = await store.find(UUID(text))
    except ValueError:
        found = await store.find_by_number(text.strip().upper())
    if found is None:
        raise trouble(Refusal.CASE_NOT_FOUND, "there is no such case", "number")
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


def _text(call: Call, which: Text) -> str:
    """The text, empty when none was sent. Raises Trouble(parameter_invalid) saying its form."""
    text = which.text_of(call.request)
    if text is not None and not which.fits(text):
        raise which.malformed(which.about)
    return text or ""


def _instant(call: Call, which: Instant) -> datetime | None:
    """The instant, None when none was sent. Raises Trouble(parameter_invalid)."""
    return None if which.text_of(call.request) is None else which.of(call.request)
