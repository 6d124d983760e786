"""Proving who somebody is with phone number and PIN: shared by the API and the pages."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import Request

from tangguh.access.session import Locked, WrongPin
from tangguh.core import numbers
from tangguh.customers import store as customers
from tangguh.customers.store import Customer
from tangguh.web.api.operations import rate_limited
from tangguh.web.door import Door
from tangguh.web.problems import Trouble, problem, trouble

NOWHERE: Final = "unknown"


def host_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else NOWHERE


async def prove(door: Door, *, host: str, phone: str, pin: str) -> Customer:
    """The customer with this phone number, if the PIN is theirs.

    The number is read however it was typed; what is none is said so, and is no wrong PIN. Raises
    Trouble: ``parameter_invalid`` (phone); ``rate_limited``; ``pin_wrong`` with the tries left;
    ``pin_locked`` with a time.
    """
    number = numbers.phone(phone)
    if not number:
        raise trouble("parameter_invalid", "this is no phone number", "phone")
    phone = number
    wait = max(
        door.logins.seconds_until_allowed(f"host {host}"),
        door.logins.seconds_until_allowed(f"phone {phone}"),
    )
    if wait:
        raise rate_limited(wait)
    customer = await customers.by_phone(door.pool, door.book_id, phone)
    judged = await door.sessions.check_pin(customer.customer_id if customer else None, pin)
    if judged is not None or customer is None:
        door.notice("login.failed", host)
        raise await _pin_trouble(door, customer, judged)
    return customer


async def prove_again(door: Door, customer: Customer, pin: str) -> None:
    """The PIN once more, before money moves. Raises Trouble like ``prove``."""
    judged = await door.sessions.check_pin(customer.customer_id, pin)
    if judged is not None:
        raise await _pin_trouble(door, customer, judged)


async def _pin_trouble(
    door: Door, customer: Customer | None, judged: WrongPin | Locked | None
) -> Trouble:
    if isinstance(judged, Locked):
        if customer is not None:
            await door.remember(f"customer:{customer.customer_id}", "pin.locked")
        found = problem("pin_locked", "the PIN opens again by itself")
        return Trouble(msgspec.structs.replace(found, until=judged.until.isoformat()))
    left = judged.tries_left if judged is not None else 0
    return Trouble(msgspec.structs.replace(problem("pin_wrong"), tries_left=left))
