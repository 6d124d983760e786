"""Who is to be paid beyond the bank: asked of the network, shown, and only then reviewed (E17).

Bank accounts and proxies, wallets, bills and e-money share one walk: a form, the network's answer
sealed in a slip, the same review and PIN as any other payment.
"""

from __future__ import annotations

import re
from typing import Any, Final

from starlette.responses import Response

from tangguh.core.format import money, typed_minor
from tangguh.core.money import parse_decimal
from tangguh.core.numbers import digits, phone
from tangguh.core.order import Payee, ToBank, ToBiller, ToPurse, ToWallet
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import BILL, SERVICES, TOPUP, TOPUP_CARD
from tangguh.core.text import shown
from tangguh.customers import purses
from tangguh.rails.banks import BANKS, OUR_CODE
from tangguh.rails.billers.rail import BILLERS
from tangguh.rails.ewallet.rail import WALLETS
from tangguh.web import inquiry
from tangguh.web.inquiry import TRANSFER_VIA, Inquired, by_proxy
from tangguh.web.pages.ahead.obstacle import go_on
from tangguh.web.pages.ahead.purse import ask_amount, open_purse
from tangguh.web.pages.frame import Page, Visit
from tangguh.web.pages.seal import PayeeSlip
from tangguh.web.problems import trouble
from tangguh.web.shutters import Shut

_ACCOUNT: Final = re.compile(r"[0-9]{4,34}", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{4,20}", re.ASCII)
_NOTE_MAX: Final = 100
_NEVER: Final = ""


async def show_bank(visit: Visit) -> Response:
    """An account at another bank, or a phone number or e-mail address that stands for one."""
    return await _form(visit, "bank", service=TRANSFER_VIA[_via(visit.asked("via"))])


async def take_bank(visit: Visit) -> Response:
    """Ask whose account it is."""
    via = _via(visit.typed("via"))
    proxy, account = visit.typed("proxy"), digits(visit.typed("account_no"))
    payee: Payee = ToBank(bank=visit.typed("bank"), account=account)
    told = ""
    if proxy and visit.typed("account_no") and via == "bifast":
        told = visit.words("ask.account_or_proxy")
    elif proxy and via == "bifast":
        found = by_proxy(proxy)
        payee, told = found, "" if found.proxy else visit.words("ask.proxy_malformed")
    elif visit.typed("bank") not in BANKS or not _ACCOUNT.fullmatch(account):
        told = visit.words("ask.bank_malformed")
    return await _take(visit, "bank", payee, via, told, service=TRANSFER_VIA[via])


async def show_wallet(visit: Visit) -> Response:
    """A phone number with an e-wallet."""
    return await _form(visit, "wallet", service=_service(visit, TOPUP))


async def take_wallet(visit: Visit) -> Response:
    """Ask whose wallet it is."""
    service = _service(visit, TOPUP)
    typed = visit.typed("number")
    payee = ToWallet(visit.request.path_params["name"], phone(typed))
    told = ""
    if not payee.number:
        told = visit.words("ask.phone_malformed") if typed else visit.words("ask.number_missing")
    return await _take(visit, "wallet", payee, _NEVER, told, service=service)


async def show_bill(visit: Visit) -> Response:
    """A customer number at a biller."""
    return await _form(visit, "bill", service=_service(visit, BILL))


async def take_bill(visit: Visit) -> Response:
    """Ask what is owed."""
    service = _service(visit, BILL)
    number = digits(visit.typed("number"))
    payee = ToBiller(visit.request.path_params["name"], number)
    told = "" if _NUMBER.fullmatch(number) else visit.words("ask.number_malformed")
    return await _take(visit, "bill", payee, _NEVER, told, service=service)


async def show_emoney(visit: Visit) -> Response:
    """The number printed on a card or shown in an app."""
    return await _form(visit, "emoney", service=TOPUP_CARD)


async def take_emoney(visit: Visit) -> Response:
    """Find the e-money."""
    door, number = visit.door, digits(visit.typed("number"))
    purse = None
    if _NUMBER.fullmatch(number):
        purse = await purses.by_number(door.pool, door.book_id, number)
    if purse is None:
        told = visit.words("ask.emoney_unknown")
        return await _form(visit, "emoney", service=TOPUP_CARD, told=told)
    payee = ToPurse(purse.top_up_id, number, purse.product)
    service = inquiry.TOPUP_OF_PRODUCT[purse.product]
    return await _take(visit, "emoney", payee, _NEVER, "", service=service)


async def _take(
    visit: Visit, kind: str, payee: Payee, via: str, told: str, *, service: str
) -> Response:
    """The network's answer, then the amount's own limits, then the review."""
    if told:
        return await _form(visit, kind, service=service, told=told)
    wait = visit.door.name_checks.seconds_until_allowed(str(visit.me.customer_id))
    if wait:
        told = visit.words("transfer.too_many_checks", seconds=round(wait + 0.5))
        return await _form(visit, kind, service=service, told=told, status=429)
    typed = typed_minor(visit.typed("amount")) if visit.typed("amount") else 0
    if typed is None or (kind in {"bank", "wallet"} and not typed):
        told = ask_amount(visit.words, visit.typed("amount"))
        return await _form(visit, kind, service=service, told_amount=told)
    found = await inquiry.inquire(visit.door, visit.me.customer_id, payee, typed, via or "bifast")
    if isinstance(found, Refused) and found.code is Refusal.PARTNER_LIMIT:
        told = await _what_is_taken(visit, payee, found)
        return await _form(visit, kind, service=service, told_amount=told)
    if isinstance(found, Refused):
        return await _form(visit, kind, service=service, told=_why(visit, found))
    amount_minor = found.amount_minor if found.amount_minor is not None else typed
    if typed and amount_minor != typed:
        told = visit.words("ask.amount_is_set", name=found.name, money=money(amount_minor))
        return await _form(visit, kind, service=service, told_amount=told)
    purse = await open_purse(visit, found.service, visit.typed("account"))
    if not amount_minor:
        told = visit.words("ask.amount_needed", name=found.name)
        return await _form(visit, kind, service=service, told_amount=told)
    slip = slip_of(visit, found, purse.account.account_id, amount_minor, purse.fee_minor)
    gone_on = await go_on(visit, found.service, slip, purse)
    if isinstance(gone_on, str):
        return await _form(visit, kind, service=service, told_amount=gone_on)
    return gone_on


async def _what_is_taken(visit: Visit, payee: Payee, refused: Refused) -> str:
    """What the other side takes, where it takes another sum than was typed."""
    words = visit.words
    if isinstance(payee, ToWallet):
        partner = WALLETS[payee.wallet]
        least, most = money(partner.amount_min_minor), money(partner.amount_max_minor)
        return words("ask.wallet_takes", name=partner.title, least=least, most=most)
    if isinstance(payee, ToBiller):
        found = await inquiry.inquire(visit.door, visit.me.customer_id, payee, 0)
        owed = dict(found.lines).get("owed", "") if isinstance(found, Inquired) else ""
        if isinstance(found, Inquired) and owed:
            owed = money(parse_decimal(owed))
            return words("ask.bill_takes", name=found.name, owed=owed)
    return _why(visit, refused)


def slip_of(
    visit: Visit, found: Inquired, debtor: int, amount_minor: int, fee_minor: int
) -> PayeeSlip:
    """What will be reviewed: the network's answer, unchanged."""
    return PayeeSlip(
        key=visit.door.ids.next().hex,
        debtor=debtor,
        service=found.service,
        payee=found.payee,
        name=found.name,
        lines=found.lines,
        amount_minor=amount_minor,
        fee_minor=fee_minor,
        note=shown(visit.typed("note"), _NOTE_MAX),
    )


async def _form(
    visit: Visit,
    kind: str,
    *,
    service: str,
    told: str = "",
    told_amount: str = "",
    status: int = 422,
) -> Response:
    purse = await open_purse(visit, service, visit.typed("account"))
    name = visit.request.path_params.get("name", "")
    biller = BILLERS.get(name)
    shut = await visit.door.shutters.of(service, visit.me.customer_id)
    return visit.page(
        "ask.html",
        status=status if told or told_amount else 200,
        kind=kind,
        name=name,
        is_open=service in visit.door.desk.rules.ways,
        shut=shut,
        alternative=_alternative(visit, shut),
        via=_via(visit.asked("via") or visit.typed("via")),
        banks=[one for code, one in sorted(BANKS.items()) if code != OUR_CODE],
        nominals=biller.nominals_minor if biller is not None else (),
        purse=purse,
        typed=_typed(visit),
        told=told,
        told_amount=told_amount,
    )


def _alternative(visit: Visit, shut: Shut | None) -> str:
    """The name of a service that works now in place of a closed one."""
    other = SERVICES.get(shut.alternative) if shut is not None else None
    if other is None:
        return ""
    return other.name_id if visit.language == "id" else other.name_en


def _typed(visit: Visit) -> dict[str, Any]:
    return {
        field: visit.typed(field)[:140]
        for field in ("bank", "account_no", "proxy", "number", "amount", "note")
    }


def _why(visit: Visit, refused: Refused) -> str:
    if refused.code is Refusal.SERVICE_CLOSED:
        return visit.words("ask.closed")
    words, why = visit.words, visit.words(f"problem.{refused.code}.reason")
    do = words(f"problem.{refused.code}.do", seconds=30)
    return f"{why[:1].upper()}{why[1:]}. {words('money.not_moved')} {do}"


def _via(text: str) -> str:
    return text if text in TRANSFER_VIA else "bifast"


def _service(visit: Visit, table: dict[str, str]) -> str:
    """The service of the wallet or biller in the path. Raises Trouble(not_found)."""
    service = table.get(visit.request.path_params["name"])
    if service is None:
        raise trouble("not_found")
    return service


PAGES: Final = (
    Page(path="/to/bank", get=show_bank, post=take_bank),
    Page(path="/to/wallet/{name}", get=show_wallet, post=take_wallet),
    Page(path="/to/bill/{name}", get=show_bill, post=take_bill),
    Page(path="/to/emoney", get=show_emoney, post=take_emoney),
)
