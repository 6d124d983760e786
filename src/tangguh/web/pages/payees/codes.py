"""One-time codes: cash without a card, and a QRIS code the customer shows. Both ask for the PIN."""

from __future__ import annotations

from typing import Final

import segno
from starlette.responses import Response

from tangguh.core.format import typed_minor
from tangguh.core.service import ATM_CARDLESS, QRIS_CPM
from tangguh.web import login
from tangguh.web.api.services import make_code
from tangguh.web.pages.frame import Page, Visit
from tangguh.web.pages.purse import Purse, ask_amount, explain, open_purse
from tangguh.web.pages.trouble import pin_words
from tangguh.web.problems import Trouble


async def show_cash(visit: Visit) -> Response:
    """How much, from which account."""
    return visit.page("cash.html", purse=await open_purse(visit, ATM_CARDLESS), told="", amount="")


async def make_cash(visit: Visit) -> Response:
    """The PIN is right: eight digits, good for half an hour and one withdrawal."""
    purse = await open_purse(visit, ATM_CARDLESS, visit.typed("account"))
    minor = typed_minor(visit.typed("amount"))
    if not minor:
        return _again(visit, "cash.html", purse, ask_amount(visit.words, visit.typed("amount")))
    if refused := purse.refuse(minor):
        return _again(visit, "cash.html", purse, explain(visit.words, refused, purse))
    if told := await _wrong_pin(visit):
        return _again(visit, "cash.html", purse, told)
    code = await make_code(
        visit.door, visit.me.customer_id, "cash", purse.account.account_id, minor
    )
    return visit.page("cash_code.html", code=code, amount_minor=minor, purse=purse)


async def show_code(visit: Visit) -> Response:
    """From which account the code will pay."""
    return visit.page("show_code.html", purse=await open_purse(visit, QRIS_CPM), told="", amount="")


async def make_shown(visit: Visit) -> Response:
    """The PIN is right: a picture of a code for one payment, for two minutes."""
    purse = await open_purse(visit, QRIS_CPM, visit.typed("account"))
    if told := await _wrong_pin(visit):
        return _again(visit, "show_code.html", purse, told)
    door = visit.door
    code = await make_code(door, visit.me.customer_id, "qris", purse.account.account_id, None)
    picture = segno.make(code.code, error="m").svg_data_uri(scale=6, border=3)
    return visit.page("shown_code.html", code=code, picture=picture, purse=purse)


async def _wrong_pin(visit: Visit) -> str:
    try:
        await login.prove_again(visit.door, visit.open_session, visit.typed("pin"))
    except Trouble as found:
        return pin_words(visit.words, found.problem, visit.door.clock.now(), "pin.wrong_again")
    return ""


def _again(visit: Visit, template: str, purse: Purse, told: str) -> Response:
    return visit.page(template, status=422, purse=purse, told=told, amount=visit.typed("amount"))


PAGES: Final = (
    Page(path="/cash", get=show_cash, post=make_cash),
    Page(path="/show", get=show_code, post=make_shown),
)
