"""One-time codes: cash without a card, and a QRIS code the customer shows. Both ask for the PIN.

The form carries the request's key, so that a double click shows the same code. A cash code has a
page of its own, which a reload repeats; whoever comes there without having just given the PIN is
asked for it again.
"""

from __future__ import annotations

import hmac
from typing import Final

import segno
from starlette.responses import Response

from tangguh.access.consent import Consent
from tangguh.access.sealing import Purpose
from tangguh.core.cash import NOTE_MINOR, refuse_notes
from tangguh.core.format import typed_minor
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import ATM_CARDLESS, QRIS_CPM
from tangguh.customers import codes as one_time
from tangguh.web import login
from tangguh.web.codes import (
    QRIS,
    Wanted,
    cancel_cash,
    cash_codes,
    digits_of,
    foresee_code,
    has_code,
    make_paying_code,
)
from tangguh.web.pages.ahead.obstacle import Obstacle, obstacle_of
from tangguh.web.pages.ahead.purse import Purse, ask_amount, explain, open_purse
from tangguh.web.pages.frame import Page, Visit, redirect
from tangguh.web.pages.trouble import pin_words
from tangguh.web.problems import Trouble, of_refused, trouble

_KEY_LENGTH_MAX: Final = 64
_MARK_LENGTH: Final = 32


async def show_cash(visit: Visit) -> Response:
    """How much, from which account; or why no code can be made now."""
    return await _cash_form(visit, status=200)


async def _cash_form(visit: Visit, told: str = "", *, status: int = 422) -> Response:
    """``told``: what is wrong with what was typed. What no other sum would mend is found here."""
    purse = await open_purse(visit, ATM_CARDLESS, visit.typed("account"))
    wanted = _wanted(visit, one_time.CASH, purse, NOTE_MINOR)
    found = await _obstacle(visit, ATM_CARDLESS, wanted, purse)
    return visit.page(
        "cash.html", status=status, purse=purse, told=told, amount=visit.typed("amount"),
        obstacle=found if found is not None and not found.of_the_sum else None,
        key=wanted.key, codes=await cash_codes(visit.door, visit.me.customer_id),
    )  # fmt: skip


async def make_cash(visit: Visit) -> Response:
    """The PIN is right: eight digits, good for half an hour and one withdrawal."""
    purse = await open_purse(visit, ATM_CARDLESS, visit.typed("account"))
    minor = typed_minor(visit.typed("amount"))
    if not minor:
        return await _cash_form(visit, ask_amount(visit.words, visit.typed("amount")))
    if refuse_notes(minor):
        return await _cash_form(visit, visit.words("amount.notes_only"))
    wanted = _wanted(visit, one_time.CASH, purse, minor)
    if not await has_code(visit.door, visit.me.customer_id, wanted):
        obstacle = await _obstacle(visit, ATM_CARDLESS, wanted, purse)
        if obstacle is not None:
            return await _cash_form(visit, obstacle.line(visit))
    consent = await _yes(visit)
    if isinstance(consent, str):
        return await _cash_form(visit, consent)
    code = await make_paying_code(visit.door, consent, visit.open_session, wanted)
    if isinstance(code, Refused):
        if code.code is Refusal.INSUFFICIENT_FUNDS:
            return await _cash_form(visit, explain(visit.words, code, purse))
        raise Trouble(of_refused(code))
    return redirect(_seen_path(visit, wanted.key))


def _wanted(visit: Visit, shown_as: str, purse: Purse, minor: int | None) -> Wanted:
    return Wanted(
        key=_key(visit),
        shown_as=shown_as,
        account_id=purse.account.account_id,
        amount_minor=minor,
    )


async def _obstacle(visit: Visit, service: str, wanted: Wanted, purse: Purse) -> Obstacle | None:
    """Why no such code can be made now."""
    found = await foresee_code(visit.door, visit.open_session, wanted)
    return await obstacle_of(visit, service, found, purse)


async def show_cash_code(visit: Visit) -> Response:
    """A code that was made: its digits to who has just given the PIN, else the question for it."""
    return await _cash_code(visit)


async def open_cash_code(visit: Visit) -> Response:
    """The PIN again, to see a code that was made before."""
    consent = await _yes(visit)
    if isinstance(consent, str):
        return await _cash_code(visit, consent)
    return redirect(_seen_path(visit, visit.request.path_params["key"]))


async def cancel_cash_code(visit: Visit) -> Response:
    """Give a code up: nobody can collect it any more, and its money is released."""
    listed = await _listed(visit)
    refused = await cancel_cash(visit.door, listed)
    if refused is not None:
        raise Trouble(of_refused(refused))
    return redirect("/cash")


async def _cash_code(visit: Visit, told: str = "") -> Response:
    listed = await _listed(visit)
    mark = visit.asked("seen")
    may_see = hmac.compare_digest(mark.encode(), _mark(visit, listed.key).encode())
    return visit.page(
        "cash_code.html", status=422 if told else 200, told=told, listed=listed,
        digits=digits_of(visit.door, listed) if may_see else "",
    )  # fmt: skip


async def _listed(visit: Visit) -> one_time.Listed:
    """The live code in the path. Raises Trouble(not_found): another's, collected, or over."""
    for listed in await cash_codes(visit.door, visit.me.customer_id):
        if listed.key == visit.request.path_params["key"]:
            return listed
    raise trouble("not_found")


def _seen_path(visit: Visit, key: str) -> str:
    return f"/cash/{key}?seen={_mark(visit, key)}"


def _mark(visit: Visit, key: str) -> str:
    """What this session alone can have: that it gave the PIN for this code."""
    said = b"seen\n" + visit.open_session.token_sha256 + key.encode()
    return hmac.digest(visit.door.seals.key(Purpose.CODE), said, "sha256").hex()[:_MARK_LENGTH]


async def show_code(visit: Visit) -> Response:
    """From which account the code will pay; or why none can be shown now."""
    return await _show_form(visit, status=200)


async def _show_form(visit: Visit, told: str = "", *, status: int = 422) -> Response:
    purse = await open_purse(visit, QRIS_CPM, visit.typed("account"))
    wanted = _wanted(visit, QRIS, purse, None)
    obstacle = await _obstacle(visit, QRIS_CPM, wanted, purse)
    return visit.page(
        "show_code.html", status=status, purse=purse, told=told, key=wanted.key, obstacle=obstacle
    )


async def make_shown(visit: Visit) -> Response:
    """The PIN is right: a picture of a code for one payment, for two minutes."""
    purse = await open_purse(visit, QRIS_CPM, visit.typed("account"))
    wanted = _wanted(visit, QRIS, purse, None)
    if await _obstacle(visit, QRIS_CPM, wanted, purse) is not None:
        return await _show_form(visit)
    consent = await _yes(visit)
    if isinstance(consent, str):
        return await _show_form(visit, consent)
    code = await make_paying_code(visit.door, consent, visit.open_session, wanted)
    if isinstance(code, Refused):
        raise Trouble(of_refused(code))
    picture = segno.make(code.code, error="m").svg_data_uri(scale=6, border=3)
    return visit.page("shown_code.html", code=code, picture=picture, purse=purse)


async def _yes(visit: Visit) -> Consent | str:
    """The customer's yes, or what to tell about a PIN that is not right."""
    try:
        return await login.prove_again(visit.door, visit.open_session, visit.typed("pin"))
    except Trouble as found:
        return pin_words(visit.words, found.problem, visit.door.clock.now(), "pin.wrong_again")


def _key(visit: Visit) -> str:
    """The form's own key; a fresh one for a form that is shown first."""
    typed = visit.typed("key")
    usable = 0 < len(typed) <= _KEY_LENGTH_MAX and typed.isalnum() and typed.isascii()
    return typed if usable else visit.door.ids.next().hex


PAGES: Final = (
    Page(path="/cash", get=show_cash, post=make_cash),
    Page(path="/cash/{key}", get=show_cash_code, post=open_cash_code),
    Page(path="/cash/{key}/cancel", post=cancel_cash_code),
    Page(path="/show", get=show_code, post=make_shown),
)
