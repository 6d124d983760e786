"""One-time codes: cash without a card, and a QRIS code the customer shows. Both ask for the PIN.

The form carries the request's key, so that a double click or a reload shows the same code.
"""

from __future__ import annotations

from typing import Final

import segno
from starlette.responses import Response

from tangguh.access.consent import Consent
from tangguh.core.cash import refuse_notes
from tangguh.core.format import typed_minor
from tangguh.core.outcome import Refused
from tangguh.core.service import ATM_CARDLESS, QRIS_CPM
from tangguh.customers import codes as one_time
from tangguh.web import login
from tangguh.web.codes import QRIS, Wanted, make_paying_code
from tangguh.web.pages.frame import Page, Visit
from tangguh.web.pages.purse import Purse, ask_amount, explain, open_purse
from tangguh.web.pages.trouble import pin_words
from tangguh.web.problems import Trouble, of_refused

_KEY_LENGTH_MAX: Final = 64


async def show_cash(visit: Visit) -> Response:
    """How much, from which account."""
    purse = await open_purse(visit, ATM_CARDLESS)
    return visit.page("cash.html", purse=purse, told="", amount="", key=_key(visit))


async def make_cash(visit: Visit) -> Response:
    """The PIN is right: eight digits, good for half an hour and one withdrawal."""
    purse = await open_purse(visit, ATM_CARDLESS, visit.typed("account"))
    minor = typed_minor(visit.typed("amount"))
    if not minor:
        return _again(visit, "cash.html", purse, ask_amount(visit.words, visit.typed("amount")))
    if refuse_notes(minor):
        return _again(visit, "cash.html", purse, visit.words("amount.notes_only"))
    if refused := purse.refuse(minor):
        return _again(visit, "cash.html", purse, explain(visit.words, refused, purse))
    consent = await _yes(visit)
    if isinstance(consent, str):
        return _again(visit, "cash.html", purse, consent)
    wanted = Wanted(
        key=_key(visit),
        shown_as=one_time.CASH,
        account_id=purse.account.account_id,
        amount_minor=minor,
    )
    code = await make_paying_code(visit.door, consent, visit.open_session, wanted)
    if isinstance(code, Refused):
        raise Trouble(of_refused(code))
    return visit.page("cash_code.html", code=code, amount_minor=minor, purse=purse)


async def show_code(visit: Visit) -> Response:
    """From which account the code will pay."""
    purse = await open_purse(visit, QRIS_CPM)
    return visit.page("show_code.html", purse=purse, told="", amount="", key=_key(visit))


async def make_shown(visit: Visit) -> Response:
    """The PIN is right: a picture of a code for one payment, for two minutes."""
    purse = await open_purse(visit, QRIS_CPM, visit.typed("account"))
    consent = await _yes(visit)
    if isinstance(consent, str):
        return _again(visit, "show_code.html", purse, consent)
    wanted = Wanted(
        key=_key(visit),
        shown_as=QRIS,
        account_id=purse.account.account_id,
        amount_minor=None,
    )
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


def _again(visit: Visit, template: str, purse: Purse, told: str) -> Response:
    amount = visit.typed("amount")
    return visit.page(template, status=422, purse=purse, told=told, amount=amount, key=_key(visit))


PAGES: Final = (
    Page(path="/cash", get=show_cash, post=make_cash),
    Page(path="/show", get=show_code, post=make_shown),
)
