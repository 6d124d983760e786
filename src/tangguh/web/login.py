"""Proving who somebody is: number, PIN, and on a new device a code. For the API and the pages.

Strangers and known devices are counted apart (docs/adr/0028-new-devices.md). What a stranger is
told is the same whether or not anybody has the number, and their guesses lock nobody but
strangers: whoever has the phone gets in with a code.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
import structlog
from starlette.requests import Request

from tangguh.access.attempts import Asker, Spent, kept_attempt
from tangguh.access.consent import By, Consent
from tangguh.access.session import Locked, Session
from tangguh.access.turns import Purpose
from tangguh.core import numbers
from tangguh.core.errors import TangguhError
from tangguh.customers import store as customers
from tangguh.customers.store import Customer
from tangguh.listeners.proxies import source_of
from tangguh.notices.desk import to_customer
from tangguh.notices.notice import Notice, Via
from tangguh.web.api.operations import rate_limited
from tangguh.web.door import Door
from tangguh.web.problems import Trouble, problem, trouble

NOWHERE: Final = "unknown"
_BY_CODE: Final = (Via.SMS, Via.EMAIL)
_TOLD_BY: Final = (Via.IN_APP, Via.PUSH, Via.SMS, Via.EMAIL)
_CHANNELS: Final = {"login_code": _BY_CODE, "login_codes_spent": (Via.IN_APP, Via.PUSH)}
"""By which ways; that too many codes were asked for is not one more text message."""
log = structlog.get_logger("web.login")


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says of themselves. ``device``: the token of a known device, if they have one.

    ``host`` is where they come from; ``code`` what was sent to the customer's own address for
    ``attempt``.
    """

    host: str
    phone: str
    pin: str
    device: str = ""
    code: str = ""
    attempt: str = ""

    def __repr__(self) -> str:
        return f"Claim(host={self.host!r}, ...)"


class Proved(msgspec.Struct, frozen=True):
    """Who it is, by which device token, and since when that device is theirs."""

    customer: Customer
    device: str
    known_at: datetime


def host_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else NOWHERE


async def prove(door: Door, claim: Claim) -> Proved:
    """The customer with this phone number, if it is they.

    The number is read however it was typed; what is none is said so, and is no wrong PIN. Raises
    Trouble: ``parameter_invalid`` (phone); ``rate_limited``; ``pin_wrong``, with the tries left on
    a known device; ``code_needed``; ``code_wrong``. Raises Overloaded, and then no try is counted.
    """
    door.sessions.must_have_room(Purpose.KNOWN)
    number = numbers.phone(claim.phone)
    if not number:
        raise trouble("parameter_invalid", "this is no phone number", "phone")
    customer = await customers.by_phone(door.pool, door.book_id, number)
    if customer is not None and await door.devices.is_known(customer.customer_id, claim.device):
        async with door.one_by_one.of((customer.customer_id, claim.device)):
            proved = await _known(door, claim, customer)
        if proved is not None:
            return proved
    return await _stranger(door, claim, number, customer)


async def prove_again(door: Door, session: Session, pin: str) -> Consent:
    """The yes in the PIN given once more, before money moves.

    Raises Trouble: ``pin_wrong``, ``pin_locked``.
    """
    judged = await door.sessions.check_again(session, pin)
    if isinstance(judged, Locked):
        await door.remember(f"customer:{session.customer_id}", "pin.locked")
        found = problem("pin_locked", "the PIN opens again by itself")
        raise Trouble(msgspec.structs.replace(found, until=judged.until.isoformat()))
    if judged is not None:
        raise _wrong_pin(judged.tries_left)
    return Consent(session.customer_id, By.PIN)


def asks_for_codes(door: Door) -> bool:
    """Whether a new device needs a code: as set, or wherever one can be sent."""
    chosen = door.devices.settings.new_device
    if chosen != "auto":
        return chosen == "code"
    return door.notices is not None and any(via in door.notices.channels for via in _BY_CODE)


async def _known(door: Door, claim: Claim, customer: Customer) -> Proved | None:
    """Judged as a known device; None when it is none. The try is counted when its turn has come."""
    async with door.sessions.turn(Purpose.KNOWN):
        attempt = await door.devices.begin_attempt(customer.customer_id, claim.device)
        if attempt is None:
            return None
        if await door.sessions.is_pin(customer.customer_id, claim.pin):
            await door.devices.forgive(customer.customer_id, claim.device)
            return Proved(customer, claim.device, attempt.known_at)
    door.notice("login.failed", claim.host)
    raise _wrong_pin(attempt.tries_left)


async def _stranger(door: Door, claim: Claim, number: str, customer: Customer | None) -> Proved:
    source = source_of(claim.host)
    door.sessions.must_have_room(Purpose.STRANGER)  # else a try that nobody judges is one too many
    wait = max(
        door.logins.seconds_until_allowed(f"host {source}"),
        door.guesses.seconds_until_allowed(source),
    )
    if wait:
        raise rate_limited(wait)
    async with door.sessions.turn(Purpose.STRANGER):
        await _judge_stranger(door, claim, number, customer)
    if customer is None:
        raise _wrong_pin(None)
    token = await door.devices.enrol(customer.customer_id)
    await _tell(door, customer, "login_device", {"at": door.clock.now().isoformat()})
    return Proved(customer, token, door.clock.now())


async def _judge_stranger(door: Door, claim: Claim, number: str, customer: Customer | None) -> None:
    """They have proved themselves when it returns. Raises Trouble: a code is needed, say.

    In their turn: what others guessed while they waited counts, and no code is used up by waiting.
    """
    source, by_code = source_of(claim.host), asks_for_codes(door)
    if wait := door.guesses.seconds_until_allowed(source):
        raise rate_limited(wait)
    guessed = door.guessed.seconds_until_allowed(number)
    if claim.code and by_code:
        await _take_code(door, claim, source, customer)
    elif guessed and not by_code:
        raise rate_limited(guessed)
    customer_id = customer.customer_id if customer is not None else None
    door.guesses.failed(source)
    if guessed and not claim.code:
        # Too many guesses: the PIN only decides whether a code goes out, and the answer is one.
        is_right = await door.sessions.is_pin(customer_id, claim.pin)
        raise _code_needed(door, claim, customer if is_right else None)
    door.guessed.failed(number)
    if not await door.sessions.is_pin(customer_id, claim.pin) or customer is None:
        door.notice("login.failed", claim.host)
        raise _wrong_pin(None)
    door.guesses.right(source)
    door.guessed.right(number)
    if by_code and not claim.code:
        raise _code_needed(door, claim, customer)


async def _take_code(door: Door, claim: Claim, source: str, customer: Customer | None) -> None:
    door.guesses.failed(source)
    settings = door.devices.settings
    if customer is None or not await door.attempts.take_code(
        customer.customer_id, claim.attempt, claim.code, settings
    ):
        door.notice("login.failed", claim.host)
        raise trouble("code_wrong")
    door.guesses.right(source)


def _code_needed(door: Door, claim: Claim, customer: Customer | None) -> Trouble:
    """The answer, at once and for everybody the same; a code goes out behind it, or none."""
    attempt = kept_attempt(claim.attempt)
    if customer is not None:
        door.go_on(_send_code(door, claim, attempt, customer))
    return Trouble(msgspec.structs.replace(problem("code_needed"), attempt=attempt))


async def _send_code(door: Door, claim: Claim, attempt: str, customer: Customer) -> None:
    """To the address the bank knew before, and so often only; nobody is told whether."""
    who, settings = customer.customer_id, door.devices.settings
    try:
        is_hers = await door.devices.is_known(who, claim.device)
        asker = Asker(source_of(claim.host), claim.device if is_hers else "")
        code = await door.attempts.make_code(who, attempt, asker, settings)
        if code is Spent.STRANGERS:
            if await door.attempts.may_tell(who):
                at = {"at": door.clock.now().isoformat()}
                await _tell(door, customer, "login_codes_spent", at)
        elif not isinstance(code, Spent):
            until = door.clock.now().timestamp() + settings.code_seconds
            by = datetime.fromtimestamp(until, door.clock.now().tzinfo).isoformat()
            await _tell(door, customer, "login_code", {"code": code, "by": by})
    except TangguhError as fault:
        log.warning("login.code_not_sent", error=type(fault).__name__)


async def _tell(door: Door, customer: Customer, template: str, values: dict[str, str]) -> None:
    if door.notices is None:
        return
    now = door.clock.now()
    notice_id = door.ids.next()
    notice = Notice(
        id=notice_id,
        to=to_customer(customer.customer_id, customer.language),
        matter=f"login:{customer.customer_id}",
        step=f"{template}-{notice_id.hex}",
        template=template,
        values=dict(values),
        channels=_CHANNELS.get(template, _TOLD_BY),
        made_at=now,
    )
    await door.notices.tell([notice])


def _wrong_pin(tries_left: int | None) -> Trouble:
    return Trouble(msgspec.structs.replace(problem("pin_wrong"), tries_left=tries_left))
