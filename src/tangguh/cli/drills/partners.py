"""Customers who pay over every partner, and both sides' books: what the partner drills share.

A partner is a network with its rail, its place under the control port and what is asked of it
before a payment. Its books and its settlement file come from the simulator, ours from the database;
nothing here decides what is right.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from tangguh.cli.device import Device
from tangguh.cli.drills.report import Notes
from tangguh.cli.household import Household, temporary
from tangguh.cli.smoke_walks import Control
from tangguh.config import load
from tangguh.core.clock import Clock
from tangguh.core.errors import StoreUnavailable
from tangguh.core.money import parse_decimal
from tangguh.core.service import BILL, QRIS_OFFUS, TOPUP, TRANSFER_BIFAST, TRANSFER_CARDS
from tangguh.customers.seed import DEMO_PIN, demo
from tangguh.db.pool import Pool
from tangguh.payments.payment import Payment, State
from tangguh.payments.store import every_payment

SEED: Final = 1
OVERRIDES: Final[dict[str, Any]] = {
    "devices": {"cooling_seconds": 0},
    "web": {
        "requests_per_minute": 1_000_000,
        "requests_burst": 100_000,
        "logins_per_minute": 6_000,
        "logins_burst": 1_000,
    },
    "resolver": {"round_seconds": 0.2},
    "qris": {"inquiry_delays_seconds": (1.0, 2.0, 4.0)},
    "billers": {"inquiry_delays_seconds": (1.0, 2.0, 4.0)},
    "bifast": {"inquiry_delays_seconds": (1.0, 3.0, 6.0), "not_found_apart_seconds": 2.0},
    "iso8583": {"reply_timeout_seconds": 1.5, "inquiry_delays_seconds": (2.0, 4.0, 6.0)},
}
"""The rails' patience is shortened so that a rehearsal of a minute shows what takes an hour."""
_QRIS_CODE: Final = "V5"
_WALLETS: Final = ("08121110001", "08121110002")
"""Two customers of each wallet, so that no purse is full before a drill has ended."""
_OPEN_ROWS: Final = "SELECT count(*) AS rows FROM payments WHERE resolve_at IS NOT NULL"
_ROWS_MAX: Final = 1_000_000


class Partner(msgspec.Struct, frozen=True, kw_only=True):
    """One network as customers meet it. ``ask`` is the inquiry before a payment; empty: a code."""

    name: str
    service: str
    ask: dict[str, str]


PARTNERS: Final[dict[str, Partner]] = {
    partner.name: partner
    for partner in (
        Partner(name="qris", service=QRIS_OFFUS, ask={}),
        Partner(
            name="bifast",
            service=TRANSFER_BIFAST,
            ask={"kind": "bank", "bank": "998", "account": "9980000001", "amount": "10000.00"},
        ),
        Partner(
            name="cards",
            service=TRANSFER_CARDS,
            ask={
                "kind": "bank", "bank": "998", "account": "5260000001", "amount": "10000.00",
                "via": "cards",
            },
        ),
        Partner(
            name="gopay",
            service=TOPUP["gopay"],
            ask={"kind": "wallet", "wallet": "gopay", "number": "", "amount": "10000.00"},
        ),
        Partner(
            name="ovo",
            service=TOPUP["ovo"],
            ask={"kind": "wallet", "wallet": "ovo", "number": "", "amount": "10000.00"},
        ),
        Partner(
            name="billers",
            service=BILL["va"],
            ask={"kind": "bill", "biller": "va", "customer_no": "0812000002", "amount": "10000.00"},
        ),
    )
}  # fmt: skip


class Told(msgspec.Struct, frozen=True):
    """What a customer was told of one payment: by the answer, and when asked at the end."""

    payment_id: str
    partner: str
    at_once: str
    in_the_end: str


class Answer(msgspec.Struct, frozen=True):
    """What the bank answered to one order: the payment and its state, or the problem's code."""

    payment_id: str
    state: str
    code: str = ""

    @property
    def word(self) -> str:
        """Why not, else how it stands."""
        return self.code or self.state


UNHEARD: Final = Answer("", "", "unheard")


class Payer:
    """One customer with a phone, who has asked about every payee already."""

    def __init__(self, device: Device, account: str, orders: Mapping[str, dict[str, Any]]) -> None:
        self.device = device
        self._orders = orders
        self.account = account
        self.told: list[Told] = []
        self.answers: list[Answer] = []
        self.unheard = 0

    async def order(self, order: dict[str, Any], key: str | None = None) -> Answer:
        """Send an order once and remember the answer."""
        try:
            said = await self.device.pay({"from_account": self.account, **order}, key)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
            self.unheard += 1
            return UNHEARD
        body = said.body
        if not said.ok:
            answer = Answer("", "", str(body.get("code", said.status)))
        else:
            refusal = body.get("refusal") or {}
            answer = Answer(body["id"], str(body["state"]), str(refusal.get("code", "")))
        self.answers.append(answer)
        return answer

    def order_over(self, partner: str, amount: str) -> dict[str, Any]:
        """What is sent to pay so much over a partner."""
        return {**self._orders[partner], "amount": amount}

    async def over(self, partner: str, amount: str = "10000.00") -> str:
        """Pay once over a partner; the state, or why not."""
        return (await self.order(self.order_over(partner, amount))).word

    async def to(self, account: str, amount: str = "10.00", note: str = "") -> str:
        """Pay inside the bank; the state, or why not."""
        transfer = {"kind": "transfer", "to_account": account, "amount": amount, "note": note}
        return (await self.order(transfer)).word

    async def shown(self, payment_id: str) -> dict[str, Any]:
        """A payment as this customer is shown it now."""
        return (await self.device.payment(payment_id)).body

    async def pay(self, partner: str, amount: str = "10000.00", *, wait: bool = True) -> str:
        """Pay once; the state told at once. With ``wait`` ask until it has ended."""
        order = {**self._orders[partner], "amount": amount}
        try:
            said = await self.device.pay(order)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
            self.unheard += 1
            return ""
        if not said.ok:
            return str(said.body.get("code", said.status))
        state = str(said.body["state"])
        ended = said.body
        if wait:
            ended = await self.device.until_ended(said.body["id"], 30.0)
        self.told.append(Told(said.body["id"], partner, state, str(ended.get("state"))))
        return state

    async def seen(self, payment_id: str) -> str:
        """The state of a payment as this customer is shown it now."""
        return str((await self.device.payment(payment_id)).body.get("state", ""))

    async def available(self) -> int:
        """What this customer is shown as free, in minor units."""
        said = await self.device.ask("GET", "/v1/accounts")
        shown = {one["account"]: one["available"] for one in said.body["accounts"]}
        return parse_decimal(shown[self.account])


@asynccontextmanager
async def rehearsal(
    notes: Notes, overrides: dict[str, Any] | None = None
) -> AsyncIterator[tuple[Household, Control]]:
    """A whole bank with its networks as processes, thrown away afterwards."""
    with tempfile.TemporaryDirectory(prefix="tangguh-drill-") as directory:
        merged = {**OVERRIDES, **(overrides or {})}
        household = temporary(Path(directory), load(None), seed=SEED, overrides=merged)
        try:
            await household.start()
            notes.add("the bank is open")
            control = Control(household.addresses["control"])
            try:
                yield household, control
            finally:
                await control.close()
        finally:
            await household.stop()


@asynccontextmanager
async def payers(
    household: Household, control: Control, clock: Clock, count: int
) -> AsyncIterator[list[Payer]]:
    """The richest customers, each logged in, with an inquiry answered for every partner."""
    people, accounts, openings = demo(SEED)
    richest = sorted(accounts[: len(people)], key=lambda one: -openings[one[1]])[:count]
    code = await _code(control)
    async with _devices(household.addresses["bank"], clock, count) as devices:
        found = []
        for number, (customer, account, _) in enumerate(richest):
            device = devices[number]
            await device.log_in(people[customer - 1].phone, DEMO_PIN)
            orders = await _orders(device, str(account), code, _WALLETS[number % len(_WALLETS)])
            found.append(Payer(device, str(account), orders))
        yield found


@asynccontextmanager
async def _devices(url: str, clock: Clock, count: int) -> AsyncIterator[list[Device]]:
    devices = [Device(url, clock) for _ in range(count)]
    try:
        yield devices
    finally:
        for device in devices:
            await device.__aexit__(None, None, None)


async def _orders(
    device: Device, account: str, code: str, wallet: str
) -> dict[str, dict[str, Any]]:
    orders: dict[str, dict[str, Any]] = {}
    for partner in PARTNERS.values():
        if not partner.ask:
            orders[partner.name] = {"kind": "qris", "from_account": account, "qr": code}
            continue
        ask = {**partner.ask, "number": wallet} if "number" in partner.ask else partner.ask
        said = await device.inquire(ask)
        if not said.ok:
            raise StoreUnavailable(f"{partner.name} answers no inquiry: {said.body.get('code')}")
        orders[partner.name] = {
            "kind": "inquired", "from_account": account, "inquiry": said.body["inquiry"],
        }  # fmt: skip
    return orders


async def _code(control: Control) -> str:
    merchants = await control.get("/merchants")
    codes = {label: text for one in merchants for label, text in one["payloads"].items()}
    return str(codes[_QRIS_CODE])


# ---- faults, books and files ---------------------------------------------------------------------


async def break_partner(control: Control, partner: str, seed: int, *faults: dict[str, Any]) -> None:
    """Let these faults, and no others, be in force at one partner."""
    await control.put(f"/networks/{partner}/faults", {"seed": seed, "faults": list(faults)})


async def struck(control: Control, partner: str) -> int:
    """How often the faults in force have struck."""
    return sum((await control.get(f"/networks/{partner}/faults"))["struck"])


async def paid_there(control: Control, partner: str) -> dict[str, int]:
    """What the partner's own books hold as paid and not given back, by our reference."""
    books = await control.get(f"/networks/{partner}/books?state=paid&limit={_ROWS_MAX}")
    paid: dict[str, int] = {}
    for row in books.get("payments") or books.get("transfers") or []:
        minor = row["amount_minor"] + row.get("tip_minor", 0) - row.get("given_back_minor", 0)
        if minor and row.get("direction", "in") == "in":
            paid[row["reference"]] = minor
    return paid


async def filed(control: Control, partner: str, days: set[date]) -> dict[str, int]:
    """What the partner's settlement files of these days say we owe it, by our reference."""
    sums: dict[str, int] = {}
    lines: list[str] = []
    for day in sorted(days):
        text = await control.text(f"/networks/{partner}/settlement?day={day.isoformat()}")
        lines += text.splitlines()
    for line in lines:
        parts = line.split("|")
        if parts[0] == "D":
            sign = 1 if parts[3] == "O" else -1
            sums[parts[4]] = sums.get(parts[4], 0) + sign * int(parts[6].replace(".", ""))
    return {reference: minor for reference, minor in sums.items() if minor}


def posted_here(payments: list[Payment], partner: str) -> dict[str, int]:
    """What our book has posted over a partner, by the reference the partner knows."""
    service = PARTNERS[partner].service
    return {
        payment.reference: payment.to_payee_minor
        for payment in payments
        if payment.service == service and payment.state is State.POSTED
    }


async def open_count(dsn: str) -> int:
    """How many payments are open."""
    pool = await Pool.open(dsn, size_max=1)
    try:
        row = await pool.fetchrow(_OPEN_ROWS)
        return int(row["rows"]) if row is not None else 0
    finally:
        await pool.close()


async def until_ended(dsn: str, clock: Clock, seconds_max: float) -> bool:
    """Whether nothing is open any more before the time is up."""
    pool = await Pool.open(dsn, size_max=1)
    try:
        deadline = clock.monotonic() + seconds_max
        while clock.monotonic() < deadline:
            row = await pool.fetchrow(_OPEN_ROWS)
            if row is not None and row["rows"] == 0:
                return True
            await clock.sleep(0.2)
        return False
    finally:
        await pool.close()


async def all_payments(household: Household) -> list[Payment]:
    """Every payment of the book."""
    pool = await Pool.open(household.dsn, size_max=1)
    try:
        return await every_payment(pool, household.settings.book.book_id)
    finally:
        await pool.close()


async def everybody(payers_: list[Payer], partner: str, each: int) -> None:
    """Everybody pays over one partner so many times, one payment after the other."""

    async def some(payer: Payer) -> None:
        for _ in range(each):
            await payer.pay(partner, wait=False)

    await asyncio.gather(*(some(payer) for payer in payers_))


async def ask_again(payers_: list[Payer]) -> list[Told]:
    """What each payer is told of each payment now that all is over."""
    told: list[Told] = []
    for payer in payers_:
        for one in payer.told:
            seen = await payer.seen(one.payment_id)
            told.append(msgspec.structs.replace(one, in_the_end=seen))
    return told
