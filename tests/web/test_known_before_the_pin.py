"""What can be known before the PIN is said before the PIN: every paying flow, every refusal.

Each cell of the table puts the bank into a state in which the book would refuse, walks the pages as
a customer does, and ends either where the PIN is asked for or where the page says why it is not.
"""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
import pytest

from browsing import Seen, Tab, tabs
from stories import ANA, BUDI, RUPIAH, account_of, balance, count_of, pay, put_state, transfer
from tangguh.access.devices import DeviceSettings
from tangguh.app import Bank
from tangguh.core.outcome import Declined, Refusal, Refused
from tangguh.core.service import SERVICES
from tangguh.customers import merchants
from tangguh.customers.demo import purse_of
from tangguh.guard.closure import Allowance, Closure
from tangguh.guard.scope import Scope
from tangguh.ledger import chart
from tangguh.ledger.account import AccountState
from tangguh.payments.gates.change import Close
from tangguh.payments.merchant.bill import MakeBill
from tangguh.payments.rules import Limit
from tangguh.rails.qris.codec import as_dynamic, encode, parse
from tangguh.rails.qris.message import Tip, TipKind
from tangguh.rails.qris.shop import dynamic_text, static_code
from tangguh.rails.rail import Asked, Found
from tangguh.web.api.services import as_shop
from tangguh.web.pages.demo.guide import CODES
from unit.guard.test_closure import closure

OPEN = CODES["open"]
SHOP_PAN = "936009990000000002"
WRONG_PIN = "918273"
"""Sent where amount and PIN share a form: what is known is said although it is wrong."""
MUCH = "999.999.999.999"


class Walk(msgspec.Struct):
    """One customer before the pages of a flow."""

    bank: Bank
    tab: Tab
    amount: str = "20.000"
    customer_id: int = ANA

    async def form(self, path: str, **fields: str) -> Seen:
        """Fill a form in and follow where it leads; the page one ends at."""
        shown = await self.tab.open(path)
        if "<form" not in shown.text.partition("<main")[2]:
            return shown
        sent = await self.tab.send(path.partition("?")[0], fields)
        return await self.tab.open(sent.leads_to) if sent.status == 303 else sent

    async def shop(self) -> Any:
        found = await merchants.by_pan(self.bank.pool, self.bank.book_id, SHOP_PAN)
        assert found is not None
        return as_shop(found)


Flow = Callable[[Walk], Awaitable[Seen]]


async def _code(walk: Walk, code: str, **fields: str) -> Seen:
    shown = await walk.form("/pay", code=code)
    if 'name="order"' in shown.text or 'action="/pay/amount"' not in shown.text:
        return shown
    sent = await walk.tab.send("/pay/amount", {"code": code} | fields)
    return await walk.tab.open(sent.leads_to) if sent.status == 303 else sent


async def qris_static(walk: Walk) -> Seen:
    return await _code(walk, OPEN, amount=walk.amount)


async def qris_dynamic(walk: Walk) -> Seen:
    """A code that says the sum itself, of a shop of another bank."""
    minor = int(walk.amount.replace(".", "")) * RUPIAH
    return await _code(walk, encode(as_dynamic(_open(), min(minor, 10**11), bill_number="B1")))


async def qris_tip(walk: Walk) -> Seen:
    asks = msgspec.structs.replace(_open(), tip=Tip(TipKind.PROMPT))
    return await _code(walk, encode(asks), amount=walk.amount, tip="1.000")


async def qris_own_shop(walk: Walk) -> Seen:
    return await _code(walk, encode(static_code(await walk.shop())), amount=walk.amount)


async def qris_by_the_pass(walk: Walk) -> Seen:
    """A tourist's purse pays a shop's code."""
    return await _code(walk, OPEN, amount=walk.amount)


async def inside(walk: Walk) -> Seen:
    found = await walk.form("/transfer", to=str(await account_of(walk.bank, 3)))
    if 'name="amount"' not in found.text:
        return found
    to = _field(found.text, "to")
    sent = await walk.tab.send("/transfer/amount", {"to": to, "amount": walk.amount})
    return await walk.tab.open(sent.leads_to) if sent.status == 303 else sent


async def to_account(walk: Walk) -> Seen:
    number = {"bank": "014", "account_no": "0149990001"}
    return await walk.form("/to/bank", via="bifast", amount=walk.amount, **number)


async def to_alias(walk: Walk) -> Seen:
    return await walk.form("/to/bank", via="bifast", amount=walk.amount, proxy="081234567890")


async def by_cards(walk: Walk) -> Seen:
    number = {"bank": "014", "account_no": "0149990001"}
    return await walk.form("/to/bank?via=cards", via="cards", amount=walk.amount, **number)


async def wallet(walk: Walk) -> Seen:
    return await walk.form("/to/wallet/gopay", number="081234567890", amount=walk.amount)


async def bill(walk: Walk) -> Seen:
    return await walk.form("/to/bill/school", number="12345678", amount=walk.amount)


async def token(walk: Walk) -> Seen:
    return await walk.form("/to/bill/prepaid", number="14512340001", amount=walk.amount)


async def e_money(walk: Walk) -> Seen:
    number = purse_of("server", 2, 0).number
    return await walk.form("/to/emoney", number=number, amount=walk.amount)


async def the_pass(walk: Walk) -> Seen:
    number = purse_of("touristpass", 2, 0).number
    return await walk.form("/to/emoney", number=number, amount=walk.amount)


async def cash(walk: Walk) -> Seen:
    amount = "100.000" if walk.amount == "20.000" else walk.amount
    return await walk.form("/cash", key="k1", amount=amount, pin=WRONG_PIN)


async def shown_code(walk: Walk) -> Seen:
    return await walk.form("/show", key="k1", pin=WRONG_PIN)


FLOWS: dict[str, tuple[Flow, str]] = {
    "qris, static": (qris_static, "mobile.qris.offus"),
    "qris, dynamic": (qris_dynamic, "mobile.qris.offus"),
    "qris, tip": (qris_tip, "mobile.qris.offus"),
    "qris, own shop": (qris_own_shop, "mobile.qris.onus"),
    "inside": (inside, "mobile.transfer.onus"),
    "bi-fast account": (to_account, "mobile.transfer.bifast"),
    "bi-fast alias": (to_alias, "mobile.transfer.bifast"),
    "card switch": (by_cards, "mobile.transfer.cards"),
    "wallet": (wallet, "mobile.topup.gopay"),
    "bill": (bill, "mobile.bill.school"),
    "token": (token, "mobile.bill.prepaid"),
    "e-money": (e_money, "emoney.topup.server"),
    "tourist pass": (the_pass, "emoney.topup.touristpass"),
    "cash": (cash, "atm.cash.cardless"),
    "shown code": (shown_code, "mobile.qris.cpm"),
}
"""Each way to pay, and the service it goes by. A photo is read and then is a pasted code."""

NO_SUM = {"shown code"}
"""The till says how much: nothing about the sum is known before."""


def _open() -> Any:
    return parse(OPEN).seen


def _field(text: str, name: str) -> str:
    return text.partition(f'name="{name}" value="')[2].partition('"')[0]


# ---- what stands in the way ---------------------------------------------------------------------


def bound(bank: Bank, service: str, **changes: Any) -> None:
    """Set the limit of a service (or channel) from now on."""
    rules = bank.desk.rules
    before = rules.limits.get(service, Limit(10**12, 10**12))
    limits = rules.limits | {service: msgspec.structs.replace(before, **changes)}
    for tier in [name for name in limits if name.startswith(f"{service}/")]:
        limits[tier] = limits[service]
    bank.desk.rules = msgspec.structs.replace(rules, limits=limits)


async def frozen(walk: Walk, _service: str) -> None:
    await put_state(walk.bank, await account_of(walk.bank, ANA), AccountState.FROZEN)


async def shut(walk: Walk, service: str, **changes: Any) -> None:
    now = walk.bank.clock.now()
    found = SERVICES[service]
    done = await walk.bank.desk.decide(
        Close(
            closure=closure(
                id=walk.bank.ids.next(),
                scope=Scope(service=found.id),
                made_at=now,
                expires_at=now + timedelta(minutes=30),
                next_word_at=now + timedelta(minutes=15),
                message_id="Layanan ini kami tutup untuk melindungi uang nasabah.",
                message_en="We closed this service to protect customers' money.",
                **changes,
            )
        )
    )
    assert isinstance(done, Closure), done
    walk.bank.clock.advance(1)  # type: ignore[attr-defined]


async def open_in_part(walk: Walk, service: str) -> None:
    await shut(walk, service, allowance=Allowance(amount_max_minor=1_000 * RUPIAH))


async def above_one(walk: Walk, service: str) -> None:
    bound(walk.bank, service, transaction_max_minor=3_000 * RUPIAH)


async def above_the_day(walk: Walk, service: str) -> None:
    bound(walk.bank, service, day_max_minor=2_000 * RUPIAH)


async def above_the_month(walk: Walk, service: str) -> None:
    bound(walk.bank, service, month_max_minor=2_000 * RUPIAH)


async def above_the_channel(walk: Walk, service: str) -> None:
    bound(walk.bank, SERVICES[service].channel, day_max_minor=1_500 * RUPIAH)


async def no_limit_set(walk: Walk, service: str) -> None:
    rules = walk.bank.desk.rules
    limits = {name: one for name, one in rules.limits.items() if name.partition("/")[0] != service}
    walk.bank.desk.rules = msgspec.structs.replace(rules, limits=limits)


async def too_poor(walk: Walk, _service: str) -> None:
    """All but five thousand is somewhere else."""
    for part in range(50):
        has = await _available(walk.bank)
        if has <= 5_000 * RUPIAH:
            return
        minor = min(has - 5_000 * RUPIAH, 90_000_000 * RUPIAH)
        bound(walk.bank, "mobile.transfer.onus", day_max_minor=10**13)
        await pay(walk.bank, await transfer(walk.bank, minor, key=f"away-{part}", to=BUDI))
    raise AssertionError("Ana is too rich")


async def new_device(walk: Walk, _service: str) -> None:
    walk.bank.door.devices.settings = DeviceSettings(cooling_minor=5_000 * RUPIAH)
    now = walk.bank.clock.now()
    cooling = walk.bank.door.cooling
    cooling.is_cooling = lambda _session: True  # type: ignore[method-assign]
    find = walk.bank.sessions.find

    async def found(token: str) -> Any:
        session = await find(token)
        return msgspec.structs.replace(session, device_known_at=now) if session else None

    walk.bank.sessions.find = found  # type: ignore[method-assign]


async def _available(bank: Bank) -> int:
    return (await balance(bank, await account_of(bank, ANA))).available_minor


Trouble = Callable[[Walk, str], Awaitable[None]]
OF_THE_SUM: dict[str, tuple[Trouble, str]] = {
    "open in part": (open_in_part, "melindungi uang nasabah"),
    "one payment": (above_one, "Maksimal Rp3.000"),
    "the day": (above_the_day, "Sisa limit Anda hari ini Rp2.000"),
    "the month": (above_the_month, "Sisa limit Anda bulan ini Rp2.000"),
    "the channel": (above_the_channel, "Sisa limit Anda hari ini Rp1.500"),
    "the balance": (too_poor, "Saldo tersedia Rp5.000"),
    "a new device": (new_device, "Perangkat ini baru"),
}
WHATEVER_THE_SUM: dict[str, tuple[Trouble, str]] = {
    "frozen": (frozen, "tidak dapat didebit"),
    "closed": (shut, "melindungi uang nasabah"),
    "no limit": (no_limit_set, "ditutup"),
}


@pytest.fixture
async def walk(bank: Bank) -> AsyncIterator[Walk]:
    async with tabs(bank) as make:
        yield Walk(bank, await make(ANA))


def said(page: Seen) -> str:
    """The words of a page, without its frame."""
    main = page.text.partition("<main")[2].partition("</main")[0]
    return " ".join(re.sub(r"<[^>]*>", " ", main).replace("\xa0", " ").split())


def asks_for_the_pin(page: Seen) -> bool:
    return 'name="pin"' in page.text


EVERY_DAY: Final = 4
"""So many flows are walked through the whole table each time, the others by ``make drills``."""
OF_THE_TABLE: Final = [
    flow if place < EVERY_DAY else pytest.param(flow, marks=pytest.mark.drill)
    for place, flow in enumerate(FLOWS)
]


@pytest.mark.parametrize("flow", FLOWS)
async def test_with_nothing_in_the_way_the_pin_is_asked(walk: Walk, flow: str) -> None:
    """Or the table below would prove nothing."""
    page = await FLOWS[flow][0](walk)
    assert asks_for_the_pin(page), said(page)
    if flow in {"cash", "shown code"}:
        assert "PIN tidak cocok" in page.text


@pytest.mark.parametrize("flow", OF_THE_TABLE)
@pytest.mark.parametrize("why", [*OF_THE_SUM, *WHATEVER_THE_SUM])
async def test_what_is_known_is_said_before_the_pin(walk: Walk, flow: str, why: str) -> None:
    reach, service = FLOWS[flow]
    if flow in NO_SUM and why in OF_THE_SUM and why != "a new device":
        pytest.skip("the till says how much")
    put, words = (OF_THE_SUM | WHATEVER_THE_SUM)[why]
    await put(walk, service)
    payments = await count_of(walk.bank, "payments")
    page = await reach(walk)
    assert words in said(page)
    assert "PIN tidak cocok" not in said(page), "the PIN was judged first"
    assert not asks_for_the_pin(page) or 'id="amount"' in page.text, "it is asked for nothing"
    assert await count_of(walk.bank, "payments") == payments


# ---- what belongs to one flow -------------------------------------------------------------------


async def test_a_payee_whose_account_is_closed(walk: Walk) -> None:
    await put_state(walk.bank, await account_of(walk.bank, 3), AccountState.CLOSED)
    page = await inside(walk)
    assert "Rekening tujuan sudah ditutup" in said(page)
    assert 'href="/transfer"' in page.text.partition("<main")[2]
    assert not asks_for_the_pin(page)


async def test_e_money_pays_by_qris_alone(walk: Walk) -> None:
    """A tourist with a pass and nothing else: a transfer is refused at once, QRIS is named."""
    purse = purse_of("touristpass", 2, 0).account_id
    row = await walk.bank.pool.fetchrow("SELECT owner_id FROM accounts WHERE account_id=$1", purse)
    assert row is not None
    async with tabs(walk.bank) as make:
        tourist = Walk(walk.bank, await make(row["owner_id"]), customer_id=row["owner_id"])
        to = str(await account_of(walk.bank, 3))
        found = await tourist.form("/transfer", to=to)
        sent = await tourist.tab.send(
            "/transfer/amount",
            {"to": _field(found.text, "to"), "amount": "20.000", "account": str(purse)},
        )
        page = await tourist.tab.open(sent.leads_to)
    assert "This e-money cannot be used" in said(page)
    assert "QRIS by the pass" in said(page)
    assert not asks_for_the_pin(page)
    back = page.text.partition('<a class="button" href="')[2].partition('"')[0]
    assert back == "/pay", "what works, not a form that cannot"


async def test_a_bill_of_a_shop_that_is_paid_or_over(walk: Walk) -> None:
    """Two customers see one dynamic code; the second is told before the PIN, and so is a late one."""
    shop = await walk.shop()
    expires_at = walk.bank.clock.now() + timedelta(minutes=5)
    made = await walk.bank.desk.decide(
        MakeBill(shop.merchant_id, "B7", 20_000 * RUPIAH, expires_at)
    )
    assert not isinstance(made, Refused)
    code = dynamic_text(shop, 20_000 * RUPIAH, "B7")
    assert asks_for_the_pin(await _code(walk, code))
    walk.bank.clock.advance(5 * 60)  # type: ignore[attr-defined]
    page = await _code(walk, code)
    assert "tidak dapat dibayar lagi" in said(page), said(page)
    assert not asks_for_the_pin(page)
    unknown = await _code(walk, dynamic_text(shop, 20_000 * RUPIAH, "B8"))
    assert not asks_for_the_pin(unknown)
    assert "Kode lain" in said(page), said(page)


def asks(patch: pytest.MonkeyPatch, bank: Bank, look_up: Any) -> None:
    """Have networks answer inquiries so."""
    patch.setattr(bank.desk, "enquirer", lambda _rail: SimpleNamespace(look_up=look_up))


async def test_what_a_wallet_takes_is_told_in_figures(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def too_little(_: Asked) -> Declined:
        return Declined(Refusal.PARTNER_LIMIT, "amount")

    asks(monkeypatch, walk.bank, too_little)
    walk.amount = "5.000"
    page = await wallet(walk)
    assert "GoPay menerima Rp10.000 sampai" in said(page)
    assert 'id="told-amount"' in page.text, "beside the sum"


async def test_what_a_bill_takes_is_told_in_figures(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the school's minimum: what is owed is asked for and said."""

    async def look_up(asked: Asked) -> Found | Declined:
        if asked.amount_minor:
            return Declined(Refusal.PARTNER_LIMIT, "40413")
        return Found(payee=asked.payee, name="SDN CONTOH", lines=(("owed", "450000.00"),))

    asks(monkeypatch, walk.bank, look_up)
    page = await bill(walk)
    assert "Tagihan SDN CONTOH sebesar Rp450.000" in said(page)
    monkeypatch.undo()
    assert "Anda membayar" in said(await bill(walk)), "a bill is paid, not sent to"


async def test_e_money_that_would_be_too_full(walk: Walk) -> None:
    bound(walk.bank, "emoney.topup.server", balance_max_minor=1_000 * RUPIAH)
    page = await e_money(walk)
    assert "melebihi batasnya" in said(page)
    assert 'id="amount"' in page.text
    assert not asks_for_the_pin(page)


async def test_a_deposit_with_a_wallet_that_is_used_up(walk: Walk) -> None:
    bound(walk.bank, "mobile.topup.gopay", transaction_max_minor=10**14, day_max_minor=10**14)
    account = await balance(walk.bank, chart.PARTNER_OF_WALLET["gopay"])
    walk.amount = str(-account.posted_minor // RUPIAH + 1)
    page = await wallet(walk)
    assert not asks_for_the_pin(page)
    assert "Virtual account" in said(page), "what works instead"


async def test_a_shop_that_has_spent_it_cannot_give_it_back(walk: Walk) -> None:
    """A refund above what is there is refused beside the sum."""
    payment = await pay(walk.bank, await transfer(walk.bank, 50_000 * RUPIAH, by=BUDI, to=ANA))
    await too_poor(walk, "")
    page = await walk.form(f"/payments/{payment.id}/refund", amount="50.000", reason="")
    assert "Saldo yang tersedia tidak cukup" in said(page) or "Saldo tersedia" in said(page)
    assert not asks_for_the_pin(page)


async def test_a_fee_that_changed_is_told_when_the_review_is_opened(walk: Walk) -> None:
    """The total is the new one before the PIN, not an answer to it."""
    sent = await walk.tab.send(
        "/to/wallet/gopay", {"number": "081234567890", "amount": walk.amount}
    )
    rules = walk.bank.desk.rules
    fees = rules.fees_minor | {"mobile.topup.gopay": 2_345 * RUPIAH}
    walk.bank.desk.rules = msgspec.structs.replace(rules, fees_minor=fees)
    page = await walk.tab.open(sent.leads_to)
    assert "Rp22.345" in said(page)
    assert "Biaya berubah" in said(page)
    assert asks_for_the_pin(page)


async def test_a_wrong_pin_does_not_hide_what_stands_in_the_way(walk: Walk) -> None:
    """The account was frozen while the PIN was typed: no second PIN is asked for."""
    page = await inside(walk)
    await frozen(walk, "")
    sent = await walk.tab.send("/review", {"order": _field(page.text, "order"), "pin": WRONG_PIN})
    assert "tidak dapat didebit" in said(sent)
    assert not asks_for_the_pin(sent)


async def test_the_way_back_leads_to_the_filled_form(walk: Walk) -> None:
    """Not to an empty one: the payee was found already."""
    page = await inside(walk)
    await above_one(walk, "mobile.transfer.onus")
    page = await walk.tab.open(f"/review?{urlencode({'order': _field(page.text, 'order')})}")
    back = page.text.partition('<a class="button" href="')[2].partition('"')[0]
    form = await walk.tab.open(html.unescape(back))
    assert "Wulan Ramadhan" in said(form)
    assert 'id="amount"' in form.text


async def test_a_code_by_the_api_is_refused_as_the_machine_would(
    make_phone: Any, bank: Bank
) -> None:
    """What the page is told, the app is told."""
    phone = await make_phone(ANA)
    account = await account_of(bank, ANA)
    asked = {"kind": "cash", "from_account": str(account), "amount": "100000.00"}
    first = await phone.order("/v1/codes", asked, key="c-1")
    assert first.status == 201, first.raw
    async with tabs(bank) as make:
        await shut(Walk(bank, await make(ANA)), "atm.cash.cardless")
    refused = await phone.order("/v1/codes", asked, key="c-2")
    assert refused.code == "protective_closure", refused.raw
    again = await phone.order("/v1/codes", asked, key="c-1")
    assert again.body == first.body, "a repeat is answered as before"
