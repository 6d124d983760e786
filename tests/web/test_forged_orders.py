"""A thousand forged orders: everything a device holds signs and seals whatever its owner likes.

Nobody else's balance falls, no sum appears, nothing of the bank's own is credited, and the proof
would say so.
"""

from __future__ import annotations

import base64
import hmac
import json
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from serving import Phone
from stories import ANA, BUDI, CITRA, account_of, proved
from tangguh.access.sealing import Purpose, Seals
from tangguh.access.session import Kind
from tangguh.app import Bank
from tangguh.core.client import Client
from tangguh.core.order import (
    Origin,
    Payee,
    PaymentOrder,
    ToAccount,
    ToBank,
    ToBiller,
    ToCash,
    ToMerchant,
    ToPurse,
    ToQris,
    ToWallet,
)
from tangguh.core.outcome import Refused
from tangguh.core.service import (
    ATM_CASH,
    BILL,
    QRIS_OFFUS,
    QRIS_ONUS,
    SERVICES,
    TOPUP,
    TOPUP_SERVER,
    TRANSFER_BIFAST,
    TRANSFER_ONUS,
)
from tangguh.customers import merchants
from tangguh.customers.demo import purse_of
from tangguh.customers.terms import Merchant
from tangguh.ledger import chart
from tangguh.payments.decide import Accept
from tangguh.payments.payment import State
from tangguh.rails.qris.shop import static_text
from tangguh.web import inquiry
from tangguh.web.api.services import as_shop
from tangguh.web.inquiry import Inquired
from tangguh.web.pages.seal import PayeeSlip
from tangguh.web.pages.seal import seal as seal_slip

THIEF = CITRA
UNTOUCHED = (
    chart.EQUITY, chart.RESERVE, chart.NOSTRO, chart.PROBES, chart.SUSPENSE, chart.ADVANCES,
    chart.LOSSES, chart.COMPENSATIONS, chart.MERCHANTS_PAYABLE, chart.VAULT,
    chart.PREFUNDED_BIFAST, *(chart.ATM_VAULT_MIN + n for n in range(1, chart.ATMS_MAX + 1)),
)  # fmt: skip
"""What no order of a customer's may ever credit or debit."""
_FITTING: dict[type[Payee], str] = {
    ToAccount: TRANSFER_ONUS,
    ToMerchant: QRIS_ONUS,
    ToQris: QRIS_OFFUS,
    ToBank: TRANSFER_BIFAST,
    ToWallet: TOPUP["gopay"],
    ToBiller: BILL["water"],
    ToCash: ATM_CASH,
    ToPurse: TOPUP_SERVER,
}


class Balances:
    """Everybody's money before the thief begins, to be held against what is there after."""

    def __init__(self, rows: dict[int, tuple[int, int]]) -> None:
        self._rows = rows

    @classmethod
    async def of(cls, bank: Bank) -> Balances:
        rows = await bank.pool.fetch("SELECT account_id, owner_id, posted_minor FROM accounts")
        return cls({row["account_id"]: (row["owner_id"], row["posted_minor"]) for row in rows})

    async def hold(self, bank: Bank) -> None:
        """Nobody lost, the thief won nothing, the bank's own accounts stand, and all is proved."""
        now = (await Balances.of(bank))._rows
        assert set(now) == set(self._rows)
        lost = {
            account_id: minor - self._rows[account_id][1]
            for account_id, (owner, minor) in now.items()
            if owner not in {0, THIEF} and minor < self._rows[account_id][1]
        }
        assert lost == {}, "somebody else's balance fell"
        assert _of(now, THIEF) <= _of(self._rows, THIEF), "the thief has more than before"
        moved = [one for one in UNTOUCHED if now[one] != self._rows[one]]
        assert moved == [], "an account of the bank's own moved"
        for account_id in (chart.FEES, chart.MERCHANT_FEES):
            assert now[account_id][1] >= self._rows[account_id][1]
        assert sum(minor for _, minor in now.values()) == 0
        await proved(bank)


def _of(rows: dict[int, tuple[int, int]], owner: int) -> int:
    return sum(minor for owns, minor in rows.values() if owns == owner)


class Forger:
    """Draws orders of every shape from a seed."""

    def __init__(self, seed: int, accounts: list[int], mine: list[int], shop: Merchant) -> None:
        self.any = random.Random(seed)
        self.accounts, self.mine, self.shop = accounts, mine, shop

    def account(self) -> int:
        """Anybody's account, the bank's own, a purse, or none at all."""
        own = list(chart.OWN_ACCOUNTS)
        return self.any.choice([*self.mine * 3, *self.accounts, *own, 0, -1, 10**11])

    def amount(self) -> int:
        """From less than nothing to more than all."""
        return self.any.choice([1, 100, 50_000_00, 1_000_000_00, 10**12, 0, -1, -(10**9), 10**17])

    def service(self) -> str:
        """Any service of the bank, or none."""
        return self.any.choice([*SERVICES, "mobile.qris.onus", "mobile.nothing.here"])

    def payee(self) -> Payee:
        """Any payee the bank knows, with whatever in it."""
        shop, account = self.shop, self.account()
        merchant = ToMerchant(
            merchant_id=self.any.choice([shop.merchant_id, "TGH999999999", ""]),
            nmid=self.any.choice([shop.nmid, "ID0"]),
            merchant_name=self.any.choice([shop.name, "X"]),
            merchant_city=shop.city,
            bill=self.any.choice(["", "INV-1"]),
        )
        number = purse_of("server", 1, 1).number
        return self.any.choice(
            [
                ToAccount(account),
                merchant,
                ToQris(payload="", merchant_pan=shop.pan, merchant_id=shop.merchant_id,
                       nmid=shop.nmid, acquirer="93600914", merchant_name="X", merchant_city="X",
                       category_code="5499"),
                ToBank(bank="014", account=str(account)),
                ToWallet(wallet=self.any.choice(["gopay", "nobody"]), number="0812"),
                ToBiller(biller=self.any.choice(["water", "tax", "x"]), customer_no="7"),
                ToCash(terminal="ATM00001", acquirer="999", vault=account),
                ToPurse(account_id=account, number=number, product="server"),
            ]
        )  # fmt: skip

    def order(self, number: int) -> PaymentOrder:
        """An order of the thief's; every other one has a service that fits its payee."""
        payee, service = self.payee(), self.service()
        if number % 2:
            service = _FITTING[type(payee)]
        return PaymentOrder(
            customer_id=THIEF,
            idempotency_key=f"f-{number}",
            service=service,
            debtor=self.any.choice([*self.mine * 3, self.account()]),
            payee=payee,
            amount_minor=self.amount(),
            tip_minor=self.any.choice([0, 0, 0, 100, -100]),
            network_reference=self.any.choice(["", "", "", "R1"]),
        )

    def inquired(self, customer_id: int) -> dict[str, Any]:
        """An inquiry as JSON: sometimes with fields nobody may say."""
        payee = msgspec.to_builtins(self.payee())
        if self.any.random() < 0.6:
            payee |= {"account_id": self.account(), "mdr_minor": self.amount()}
        return {
            "customer_id": self.any.choice([customer_id, ANA, 0]),
            "service": self.service(),
            "payee": payee,
            "name": "x",
            "amount_minor": self.any.choice([None, self.amount()]),
            "expires_at": "2099-01-01T00:00:00Z",
        }


async def forger_of(bank: Bank, seed: int) -> Forger:
    rows = await bank.pool.fetch("SELECT account_id, owner_id FROM accounts ORDER BY account_id")
    shop = await merchants.by_pan(bank.pool, bank.book_id, "936009990000000002")
    assert shop is not None
    everybody = [row["account_id"] for row in rows if row["owner_id"] != 0]
    mine = [row["account_id"] for row in rows if row["owner_id"] == THIEF]
    return Forger(seed, everybody, mine, shop)


async def test_a_thousand_orders_of_every_shape_in_the_book(bank: Bank) -> None:
    """Whatever the doors would let through: the book itself takes from nobody but the sender."""
    forger, before = await forger_of(bank, 20_261), await Balances.of(bank)
    orders = [forger.order(number) for number in range(1_000)]
    origins = [Origin(client=Client.DEVICE), Origin(client=Client.BROWSER)]
    taken = 0
    for number in range(0, len(orders), 100):
        commands = [
            Accept(order, bank.desk.rules, origin=forger.any.choice(origins))
            for order in orders[number : number + 100]
        ]
        for said in await bank.writer.submit(commands):
            assert not isinstance(said, Exception), said
            taken += not isinstance(said, Refused) and said.payment.state is not State.REFUSED
    assert 0 < taken < 200, "the forger's honest orders pay, so the others are refused for cause"
    await before.hold(bank)


def bodies(forger: Forger, phone: Phone, seals: list[str], payments: list[str]) -> Iterator[Any]:
    """(path, body) of one forged request after another, for ever."""
    text = lambda: str(forger.account())  # noqa: E731
    money = lambda: forger.any.choice(["1.00", "50000.00", "99999999999.00", "0.00", "-1"])  # noqa: E731
    code = static_text(as_shop(forger.shop))
    while True:
        over = {"amount": money(), "from_account": text()}
        more = forger.any.choice([{}, {}, {"mdr_minor": -1}, {"forced": True}, {"service": "x"}])
        yield forger.any.choice(
            [
                ("/v1/payments", {"kind": "inquired", "inquiry": forger.any.choice(seals)} | over),
                ("/v1/payments", {"kind": "inquired", "inquiry": forger.any.choice(seals)} | over
                 | {"from_account": phone.account}),
                ("/v1/payments", {"kind": "transfer", "to_account": text()} | over | more),
                ("/v1/payments", {"kind": "qris", "qr": code, "tip": money()} | over | more),
                ("/v1/payments", {"kind": "merchant", "payee": {}, "mdr_minor": -1} | over),
                ("/v1/codes", {"kind": forger.any.choice(["cash", "qris"])} | over | more),
                (f"/v1/payments/{forger.any.choice(payments)}/refunds",
                 {"amount": money(), "reason": "x"} | more),
                (f"/v1/shops/{forger.shop.merchant_id}/bills",
                 {"amount": money(), "bill_no": "INV-9"} | more),
            ]
        )  # fmt: skip


async def seals_of(bank: Bank, forger: Forger, phone: Phone, count: int) -> list[str]:
    """Seals by every key a device holds, others' seals, old ones, and spoiled ones."""
    token_hash = (await bank.sessions.find(phone.token)).token_sha256  # type: ignore[union-attr]
    found: list[str] = []
    for _ in range(count):
        body = json.dumps(forger.inquired(THIEF)).encode()
        found += [
            Seals(key).seal(forger.any.choice(list(Purpose)), token_hash, body)
            for key in (phone.signing_key, phone.token.encode(), token_hash, b"\0" * 32)
        ]
        old = hmac.digest(phone.signing_key, b"tangguh inquiry\n" + body, "sha256")
        parts = (base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (body, old))
        found.append(".".join(parts))
    theirs = await bank.sessions.open(ANA, Kind.DEVICE)
    mine = await bank.sessions.find(phone.token)
    assert mine is not None
    purse = purse_of("server", 1, 1)
    honest = Inquired(
        customer_id=ANA,
        service="emoney.topup.server",
        payee=ToPurse(purse.account_id, purse.number, purse.product),
        name="x",
        amount_minor=None,
        expires_at=bank.clock.now() + timedelta(minutes=15),
    )
    seals = bank.door.seals
    others = inquiry.seal(seals, theirs.session, honest)
    late = msgspec.structs.replace(honest, customer_id=THIEF, expires_at=bank.clock.now())
    slip = PayeeSlip(key="k", debtor=forger.mine[0], service="mobile.qris.onus",
                     payee=ToAccount(chart.EQUITY), name="x", amount_minor=1,
                     fee_minor=0)  # fmt: skip
    genuine = [others, inquiry.seal(seals, mine, honest), inquiry.seal(seals, mine, late),
               seal_slip(seals, mine, slip)]  # fmt: skip
    spoiled = []
    for one in genuine:
        at = forger.any.randrange(len(one))
        spoiled.append(one[:at] + ("A" if one[at] != "A" else "B") + one[at + 1 :])
    return [*found, *genuine * 10, *spoiled * 5]


async def send_forged(bank: Bank, phone: Phone, seed: int, count: int) -> dict[int, int]:
    """Send so many; how often each status came back."""
    forger = await forger_of(bank, seed)
    seals = await seals_of(bank, forger, phone, count // 10)
    rows = await bank.pool.fetch("SELECT payment_id FROM payments LIMIT 50")
    payments = [str(row["payment_id"]) for row in rows] or [str(bank.ids.next())]
    told: dict[int, int] = {}
    for number, (path, body) in enumerate(bodies(forger, phone, seals, payments)):
        if number == count:
            break
        bank.clock.advance(1)  # type: ignore[attr-defined]
        said = await phone.order(path, body, key=f"h-{number}")
        told[said.status] = told.get(said.status, 0) + 1
        assert said.status < 500, (path, body, said.raw)
    return told


async def paid_by_others(bank: Bank, make_phone: Any) -> None:
    """Two payments the thief is no party to, for refunds of what is not theirs."""
    ana: Phone = await make_phone(ANA)
    to = str(await account_of(bank, BUDI))
    for number in range(2):
        said = await ana.pay(ana.transfer(to, "25000.00"), key=f"a-{number}")
        assert said.status == 201


async def test_two_hundred_forged_requests_at_the_door(bank: Bank, make_phone: Any) -> None:
    """Signed with the device's own key, so only what they say can be wrong with them."""
    await paid_by_others(bank, make_phone)
    thief: Phone = await make_phone(THIEF)
    before = await Balances.of(bank)
    told = await send_forged(bank, thief, 7, 200)
    assert sum(told.values()) == 200
    assert told[422] > 50
    await before.hold(bank)


@pytest.mark.drill
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_thousand_forged_requests_at_the_door(
    bank: Bank, make_phone: Any, seed: int
) -> None:
    """The same a thousand times, from three seeds."""
    await paid_by_others(bank, make_phone)
    thief: Phone = await make_phone(THIEF)
    before = await Balances.of(bank)
    await send_forged(bank, thief, seed, 1_000)
    await before.hold(bank)
