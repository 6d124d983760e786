"""E-money: purses beside their float, taps, rides told in files, expiry and ceilings."""

from __future__ import annotations

from datetime import date
from hashlib import sha256

import pytest

from paper import PaperRail
from stories import ANA, MERCHANT, RUPIAH, account_of, balance, give_back, pay, proved, refund
from tangguh.app import Bank
from tangguh.core.money import format_decimal
from tangguh.core.order import PaymentOrder, ToAccount, ToMerchant, ToPurse
from tangguh.core.outcome import Accepted, Refusal, Unanswered
from tangguh.core.service import (
    QRIS_TOURIST,
    TOPUP_CARD,
    TOPUP_SERVER,
    TOPUP_TOURIST,
    TRANSFER_ONUS,
)
from tangguh.customers import merchants
from tangguh.customers.demo import FIRST_PASS_HOLDER, purse_of
from tangguh.ledger import chart
from tangguh.payments.incoming.tap import LoadChip
from tangguh.payments.payment import Payment, State
from tangguh.rails.emoney.spend import FileRefused, mac_of
from tangguh.web.orders import QRIS_OF_PRODUCT
from tangguh.work.care.eyes import Eyes
from tangguh.work.transit import Posted, TransitDesk, TransitSettings

KEY = "00112233445566778899aabbccddeeff"
SERVICE = {"card": TOPUP_CARD, "server": TOPUP_SERVER, "touristpass": TOPUP_TOURIST}


@pytest.fixture
def transit(bank: Bank) -> TransitDesk:
    """The bank's desk for one operator, paid as the demo's first shop."""
    settings = TransitSettings(
        operator="TRANSIT UJI",
        merchant_pan="936009990000000000",
        line_key=KEY,
        public_key_path="",
    )
    return TransitDesk(bank.desk, bank.pool, bank.book_id, settings)


async def top_up(bank: Bank, product: str, number: int, minor: int, key: str = "e-1") -> Payment:
    """Ana tops up somebody's e-money."""
    purse = purse_of(product, number, 0)
    order = PaymentOrder(
        customer_id=ANA,
        idempotency_key=key,
        service=SERVICE[product],
        debtor=await account_of(bank, ANA),
        payee=ToPurse(purse.top_up_id, purse.number, product),
        amount_minor=minor,
    )
    return await pay(bank, order)


def spend_file(*lines: tuple[str, int, int], operator: str = "TRANSIT UJI") -> str:
    """An operator's file of (card, counter, amount in minor units)."""
    text = [f"H|1|spend|{operator}|2026-03-20|1|IDR"]
    at = "2026-03-20T05:00:00+00:00"
    for number, (card, counter, minor) in enumerate(lines, start=1):
        mac = mac_of(card, counter, minor, at, bytes.fromhex(KEY))
        text.append(f"D|{number}|{card}|{counter}|{format_decimal(minor)}|{at}|R01|{mac}")
    body = "\n".join(text) + "\n"
    total = format_decimal(sum(minor for _, _, minor in lines))
    return f"{body}T|{len(lines)}|{total}|{sha256(body.encode()).hexdigest()}\n"


@pytest.mark.parametrize("product", ["card", "server", "touristpass"])
async def test_the_float_follows_every_purse(bank: Bank, product: str) -> None:
    """A top-up raises float and purse by the same sum, whatever the product."""
    paid = await top_up(bank, product, 1, 60_000 * RUPIAH)
    assert paid.state is State.POSTED
    pool = await balance(bank, chart.FLOAT_OF_PRODUCT[product])
    purse = await balance(bank, purse_of(product, 1, 0).top_up_id)
    assert pool.posted_minor == purse.posted_minor == 60_000 * RUPIAH
    await proved(bank)


async def test_an_unregistered_pass_holds_less(bank: Bank) -> None:
    """The first pass is unregistered: two million is all it may hold; the second may hold more."""
    assert (await top_up(bank, "touristpass", 1, 1_200_000 * RUPIAH)).state is State.POSTED
    from tangguh.ledger.command import Post

    account = await account_of(bank, ANA)
    more = 20_000_000 * RUPIAH
    await bank.writer.decide(
        Post(bank.ids.next(), "opening", ((chart.VAULT, -more), (account, more)))
    )
    over = await top_up(bank, "touristpass", 1, 900_000 * RUPIAH, key="e-2")
    assert over.refusal is Refusal.PURSE_LIMIT
    fine = await top_up(bank, "touristpass", 2, 2_900_000 * RUPIAH, key="e-3")
    assert fine.state is State.POSTED
    await proved(bank)


async def test_the_pass_pays_a_merchant_and_gets_its_money_back(
    bank: Bank, paper: PaperRail
) -> None:
    """QRIS from a purse: held, posted, float and purse fall together; a void gives it back."""
    await top_up(bank, "touristpass", 1, 100_000 * RUPIAH)
    purse = purse_of("touristpass", 1, 0).account_id
    order = PaymentOrder(
        customer_id=FIRST_PASS_HOLDER + 1,
        idempotency_key="p-1",
        service=QRIS_TOURIST,
        debtor=purse,
        payee=MERCHANT,
        amount_minor=30_000 * RUPIAH,
    )
    paper.will("send", Unanswered("silent"))
    waiting = await pay(bank, order)
    assert (await balance(bank, purse)).available_minor == 70_000 * RUPIAH
    await bank.receiving.settled("qris", "nobody knows", Accepted("x"))
    paper.will("inquire", Accepted("RRN1"))
    bank.clock.advance(60)  # type: ignore[attr-defined]
    await bank.resolver.round()
    assert (await balance(bank, purse)).posted_minor == 70_000 * RUPIAH
    assert (await balance(bank, chart.FLOAT_OF_PRODUCT["touristpass"])).posted_minor == (
        70_000 * RUPIAH
    )
    assert waiting.state is State.UNANSWERED
    await proved(bank)


async def test_a_purse_cannot_send_to_an_account(bank: Bank) -> None:
    """E-money is spent through its own services only."""
    await top_up(bank, "touristpass", 1, 100_000 * RUPIAH)
    order = PaymentOrder(
        customer_id=FIRST_PASS_HOLDER + 1,
        idempotency_key="p-2",
        service=TRANSFER_ONUS,
        debtor=purse_of("touristpass", 1, 0).account_id,
        payee=ToAccount(await account_of(bank, ANA)),
        amount_minor=10_000 * RUPIAH,
    )
    assert (await pay(bank, order)).refusal is Refusal.ORDER_INVALID
    await proved(bank)


async def test_a_tap_loads_once(bank: Bank) -> None:
    """What waits moves to the chip; the same tap again says the same and moves nothing."""
    await top_up(bank, "card", 1, 60_000 * RUPIAH)
    card = purse_of("card", 1, 0)
    tap = LoadChip(card.number, 1, card.pending_id, card.account_id)
    for _ in range(2):
        assert await bank.writer.decide(tap) == 60_000 * RUPIAH
    assert (await balance(bank, card.account_id)).posted_minor == 60_000 * RUPIAH
    assert await bank.writer.decide(LoadChip(card.number, 2, card.pending_id, card.account_id)) == 0
    await proved(bank)


async def test_rides_post_once_however_often_the_file_comes(
    bank: Bank, transit: TransitDesk
) -> None:
    """Two rides, the file twice, and a ride beyond what the server believed the chip to hold."""
    await top_up(bank, "card", 1, 10_000 * RUPIAH)
    card = purse_of("card", 1, 0)
    await transit.tap(card.number, 1)
    text = spend_file((card.number, 1, 3_500 * RUPIAH), (card.number, 2, 8_500 * RUPIAH))
    assert await transit.take_file(text) == Posted(2, 2, 0, 0, 12_000 * RUPIAH)
    assert await transit.take_file(text) == Posted(2, 0, 2, 0, 12_000 * RUPIAH)
    assert (await balance(bank, card.account_id)).posted_minor == -2_000 * RUPIAH
    await proved(bank)


@pytest.mark.parametrize(
    ("spoil", "line", "field"),
    [
        (lambda text: text.replace("|3500.00|", "|9500.00|"), 4, "sha256"),
        (lambda text: text.replace("T|2|", "T|3|"), 4, "lines"),
        (lambda text: text[: text.rindex("T|")], 3, "trailer"),
        (lambda text: text.replace("TRANSIT UJI", "SOMEBODY"), 1, "operator"),
        (lambda text: "", 1, "file"),
    ],
)
async def test_a_spoiled_file_posts_nothing(
    bank: Bank, transit: TransitDesk, spoil: object, line: int, field: str
) -> None:
    """Refused whole, with the line and the field named."""
    card = purse_of("card", 1, 0)
    text = spend_file((card.number, 1, 3_500 * RUPIAH), (card.number, 2, 4_000 * RUPIAH))
    found = await transit.take_file(spoil(text))  # type: ignore[operator]
    assert isinstance(found, FileRefused)
    assert (found.line, found.field) == (line, field)
    assert (await balance(bank, card.account_id)).posted_minor == 0


async def test_a_line_with_another_key_or_twice_is_named(transit: TransitDesk) -> None:
    """A MAC made elsewhere, and a counter that stands twice."""
    card = purse_of("card", 1, 0).number
    twice = await transit.take_file(spend_file((card, 1, 100), (card, 1, 100)))
    assert twice == FileRefused(3, "counter", "stands in the file twice")
    forged = spend_file((card, 1, 3_500_00))
    mac = forged.splitlines()[1].rpartition("|")[2]
    body = forged.splitlines()[:2]
    body[1] = body[1].replace(mac, "0" * 16)
    text = "\n".join(body) + "\n"
    text += f"T|1|3500.00|{sha256(text.encode()).hexdigest()}\n"
    said = await transit.take_file(text)
    assert isinstance(said, FileRefused)
    assert (said.line, said.field) == (2, "mac")


def test_the_demos_purses_do_not_expire_soon() -> None:
    """A demo that stops working on a date would be a trap."""
    assert purse_of("card", 1, 0).expires_on > date(2030, 1, 1)


@pytest.mark.parametrize("product", ["server", "touristpass"])
async def test_a_shop_gives_an_e_money_payment_back(
    bank: Bank, paper: PaperRail, product: str
) -> None:
    """Paid from a purse at a shop of ours: no network knows of it, and none is asked."""
    await top_up(bank, product, 1, 100_000 * RUPIAH)
    purse = purse_of(product, 1, 0).account_id
    holder = (await balance(bank, purse)).owner_id
    shop = await merchants.by_pan(bank.pool, bank.book_id, "936009990000000002")
    assert shop is not None
    order = PaymentOrder(
        customer_id=holder,
        idempotency_key="e-9",
        service=QRIS_OF_PRODUCT[product],
        debtor=purse,
        payee=ToMerchant(
            merchant_id=shop.merchant_id,
            nmid=shop.nmid,
            merchant_name=shop.name,
            merchant_city=shop.city,
        ),
        amount_minor=60_000 * RUPIAH,
    )
    paid = await pay(bank, order)
    assert paid.state is State.POSTED
    paper.asked.clear()
    back = await refund(bank, give_back(paid, 60_000 * RUPIAH, by=shop.customer_id))
    assert back.state is State.POSTED
    assert paper.asked == []
    assert (await balance(bank, purse)).posted_minor == 100_000 * RUPIAH
    eyes = Eyes(bank.pool, bank.book_id, lambda: None)
    assert (await eyes(paid.id)).is_inside
    await proved(bank)
