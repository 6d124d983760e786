"""One-time codes as they are made: by a customer's own yes, once per request, for one sum.

A code pays later without being asked again, so what makes it needs what a payment needs. The code
follows from the request and a key of the bank's, so that a repeat shows the same digits although
only their hash is kept.
"""

from __future__ import annotations

import hmac
from typing import Final
from uuid import UUID

import msgspec

from tangguh.access.consent import Consent
from tangguh.access.sealing import Purpose
from tangguh.access.session import Session
from tangguh.core.cash import refuse_notes
from tangguh.core.client import Client
from tangguh.core.money import MINOR_MAX, RUPIAH
from tangguh.core.order import Origin, PaymentOrder, ToCash, ToQris
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import ATM_CARDLESS, QRIS_CPM
from tangguh.customers import codes as one_time
from tangguh.customers import store as customers
from tangguh.customers.demo import OUR_NNS
from tangguh.ledger import chart
from tangguh.ledger.command import PlaceHold, VoidHold
from tangguh.payments.decide import Accept
from tangguh.rails.banks import OUR_CODE
from tangguh.rails.qris import cpm
from tangguh.web.api import service_views as views
from tangguh.web.door import Door
from tangguh.web.forecast import Forecast, forecast, judged, of_device

QRIS: Final = "qris"
_CASH_DIGITS: Final = 8
_TOKEN_DIGITS: Final = 26
_TRIES_MAX: Final = 8


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A code somebody asks for: ``shown_as`` cash or qris, of this account, in minor units.

    ``key`` is the request's own (idempotency). ``amount_minor`` None: only of a code that is shown.
    """

    key: str
    shown_as: str
    account_id: int
    amount_minor: int | None

    def refuse(self) -> Refused | None:
        """Refuses ORDER_INVALID: cash without a sum, or a sum no banknotes make."""
        if self.amount_minor is None:
            if self.shown_as == one_time.CASH:
                return Refused(Refusal.ORDER_INVALID, "amount", "a code for cash is for one sum")
            return None
        if self.shown_as == one_time.CASH:
            return refuse_notes(self.amount_minor)
        if self.amount_minor <= 0:
            return Refused(Refusal.AMOUNT_NOT_POSITIVE, "amount", "a sum is at least one sen")
        return None


async def make_paying_code(
    door: Door, consent: Consent, session: Session, wanted: Wanted
) -> views.CodeView | Refused:
    """The code of this request, new or as it was made before.

    Refuses what ``Wanted`` does, LIMIT_PER_TRANSACTION for a large sum (or none) on a device still
    new, whatever the book would refuse if it were shown now, and IDEMPOTENCY_KEY_REUSED. Raises
    StoreUnavailable and its like while the book cannot be asked: then no code is made.
    """
    customer_id = session.customer_id
    consent.must_be_of(customer_id)
    if refused := wanted.refuse():
        return refused
    if before := await _made_before(door, customer_id, wanted):
        return before
    foreseen = await judged(door, None, _use_of(door, customer_id, wanted))
    if foreseen.refused is not None:
        return foreseen.refused
    largest = MINOR_MAX if wanted.amount_minor is None else wanted.amount_minor
    async with door.cooling.place(session, largest) as place:
        if isinstance(place, Refused):
            return await _made_before(door, customer_id, wanted) or place
        made = await _make(door, session, wanted)
        if isinstance(made, Refused) or not made[1]:
            place.give_back()
    return made if isinstance(made, Refused) else made[0]


async def _make(
    door: Door, session: Session, wanted: Wanted
) -> tuple[views.CodeView, bool] | Refused:
    """The code, and whether it was made just now."""
    customer_id = session.customer_id
    kind = one_time.CASH if wanted.shown_as == one_time.CASH else one_time.CPM
    now = door.clock.now()
    code = one_time.Code(
        kind=kind,
        customer_id=customer_id,
        account_id=wanted.account_id,
        amount_minor=wanted.amount_minor,
        expires_at=now + one_time.LIVES[kind],
    )
    if kind == one_time.CPM:
        return await _keep(door, wanted, code)
    if before := await _made_before(door, customer_id, wanted):
        return before, False
    held = await _hold(door, code)
    if isinstance(held, Refused):
        return held
    made = await _keep(door, wanted, msgspec.structs.replace(code, hold_id=held))
    if isinstance(made, Refused) or not made[1]:
        await door.desk.decide(VoidHold(held))  # the request had made its code before
    return made


async def _hold(door: Door, code: one_time.Code) -> UUID | Refused:
    """Set the money of a cash code aside, with the fee, until its time is over."""
    held = await customers.accounts_of(door.pool, door.book_id, code.customer_id)
    tier = next((one.tier for one in held if one.account_id == code.account_id), "")
    total = (code.amount_minor or 0) + door.desk.rules.fee_of(ATM_CARDLESS, tier)
    hold_id = door.ids.next()
    placed = await door.desk.decide(PlaceHold(hold_id, code.account_id, total, code.expires_at))
    return placed if isinstance(placed, Refused) else hold_id


async def _keep(
    door: Door, wanted: Wanted, code: one_time.Code
) -> tuple[views.CodeView, bool] | Refused:
    customer_id, kind, now = code.customer_id, code.kind, door.clock.now()
    request = f"{customer_id}:{wanted.key}"
    for number in range(_TRIES_MAX):
        text = _text(door, request, kind, number)
        found = await one_time.keep(door.pool, door.book_id, text, code, now, request)
        if found is None:
            continue  # another's live code has these digits
        if found.is_fresh:
            await door.remember(f"customer:{customer_id}", "code.made", detail=kind)
        elif not _is_same(found.code, code):
            break
        shown = text if kind == one_time.CASH else cpm_text(text, wanted.account_id)
        return views.CodeView(wanted.shown_as, shown, found.code.expires_at), found.is_fresh
    return Refused(Refusal.IDEMPOTENCY_KEY_REUSED, "", "this key made another code before")


def _is_same(known: one_time.Code, asked: one_time.Code) -> bool:
    """Whether a request asks for what it asked for before; when and which hold is not its own."""
    same = msgspec.structs.replace(known, expires_at=asked.expires_at, hold_id=asked.hold_id)
    return same == asked


async def cash_codes(door: Door, customer_id: int) -> list[one_time.Listed]:
    """A customer's codes for cash that can still be used, the newest first."""
    return await one_time.for_cash(door.pool, door.book_id, customer_id, door.clock.now())


def digits_of(door: Door, listed: one_time.Listed) -> str:
    """The digits of a code that was made: they follow from the request. Empty: not found again."""
    request = f"{listed.code.customer_id}:{listed.key}"
    for number in range(_TRIES_MAX):
        text = _text(door, request, listed.code.kind, number)
        if hmac.compare_digest(one_time.digest(door.pool, text), listed.code_hash):
            return text
    return ""


async def cancel_cash(door: Door, listed: one_time.Listed) -> Refused | None:
    """Give a code up: its money is released. Refuses HOLD_ALREADY_*: collected, or over."""
    if listed.code.hold_id is None:
        return Refused(Refusal.HOLD_NOT_FOUND, "", "an older code: it ends by itself")
    ended = await door.desk.decide(VoidHold(listed.code.hold_id))
    if isinstance(ended, Refused):
        return ended
    await door.remember(f"customer:{listed.code.customer_id}", "code.cancelled", detail="cash")
    return None


async def _made_before(door: Door, customer_id: int, wanted: Wanted) -> views.CodeView | None:
    """The code this very request was given, if its answer was lost."""
    kind = one_time.CASH if wanted.shown_as == one_time.CASH else one_time.CPM
    text = _text(door, f"{customer_id}:{wanted.key}", kind, 0)
    code = await one_time.find(door.pool, door.book_id, text, kind, door.clock.now())
    asked = (customer_id, wanted.account_id, wanted.amount_minor)
    if code is None or (code.customer_id, code.account_id, code.amount_minor) != asked:
        return None
    shown = text if kind == one_time.CASH else cpm_text(text, wanted.account_id)
    return views.CodeView(wanted.shown_as, shown, code.expires_at)


async def has_code(door: Door, customer_id: int, wanted: Wanted) -> bool:
    """Whether this very request has its code already: a repeat shows it again."""
    return await _made_before(door, customer_id, wanted) is not None


async def foresee_code(door: Door, session: Session, wanted: Wanted) -> Forecast:
    """What a machine or a till would be told of such a code now, and this device."""
    if refused := wanted.refuse():
        return Forecast(refused=refused)
    most = MINOR_MAX if wanted.amount_minor is None else wanted.amount_minor
    found = await forecast(door, None, _use_of(door, session.customer_id, wanted))
    if found.refused is not None:
        return found
    return await of_device(door, session, most) or found


def _use_of(door: Door, customer_id: int, wanted: Wanted) -> Accept:
    """The order a code's use will be, at no machine or till in particular; of the least sum where
    the till says how much.
    """
    is_cash = wanted.shown_as == one_time.CASH
    order = PaymentOrder(
        customer_id=customer_id,
        idempotency_key=f"{wanted.shown_as}:{wanted.key}",
        service=ATM_CARDLESS if is_cash else QRIS_CPM,
        debtor=wanted.account_id,
        payee=_A_MACHINE if is_cash else _A_TILL,
        amount_minor=RUPIAH if wanted.amount_minor is None else wanted.amount_minor,
    )
    brings = Client.TERMINAL if is_cash else Client.QRIS_SWITCH
    return Accept(order, door.desk.rules, origin=Origin(client=brings))


_A_MACHINE: Final = ToCash(terminal="", acquirer=OUR_CODE, vault=chart.ATM_VAULT_MIN + 1)
_A_TILL: Final = ToQris(
    payload="",
    merchant_pan="",
    merchant_id="",
    nmid="",
    acquirer="",
    merchant_name="",
    merchant_city="",
    category_code="",
)


def cpm_text(token: str, account_id: int) -> str:
    """The code a customer shows: the token, and a PAN that only says whose customer it is."""
    pan = f"{OUR_NNS}{account_id % 10**11:011d}"
    return cpm.encode(cpm.CpmCode(pan=pan, token=token, language="iden"))


def _text(door: Door, request: str, kind: str, number: int) -> str:
    digits = _CASH_DIGITS if kind == one_time.CASH else _TOKEN_DIGITS
    said = f"{kind}\n{number}\n{request}".encode()
    drawn = hmac.digest(door.seals.key(Purpose.CODE), said, "sha256")
    return f"{int.from_bytes(drawn) % 10**digits:0{digits}d}"
