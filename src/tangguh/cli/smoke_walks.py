"""One real payment on every service: by the customers' API, at an ATM, and from the outside world.

Each walk takes the visit (a logged-in device, the control port, the machines) and gives what it
saw: dictionaries with a ``state``, ``posted`` when the money arrived.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiohttp
import msgspec

from tangguh.cli.device import Device, Said
from tangguh.core import service as services
from tangguh.core.clock import Clock
from tangguh.customers.demo import card_number, purse_of
from tangguh.customers.seed import DEMO_PIN
from tangguh.sim.cards.atm import Atm, AtmResult
from tangguh.sim.cards.directory import CARDS, TestCard

Seen = list[dict[str, Any]]
QRIS_CODES: Final = ("V1", "V5", "V7", "V8", "V14")
"""Merchants' codes of other acquirers, with tips by percentage and fixed, static and dynamic."""
_TYPED: Final = {"V5": "15000.00", "V7": "20000.00", "V14": "32500.00"}
"""What the payer types where the code has no amount."""
_END_SECONDS_MAX: Final = 20.0


class Control:
    """The outside world's control port."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()

    async def get(self, path: str) -> Any:
        """What a page of the control port says."""
        async with self._http.get(self._url + path) as answer:
            return msgspec.json.decode(await answer.read())

    async def text(self, path: str) -> str:
        """The same, as text."""
        async with self._http.get(self._url + path) as answer:
            return await answer.text()

    async def put(self, path: str, body: Any) -> Any:
        """Replace something, such as a plan of faults."""
        async with self._http.put(self._url + path, data=msgspec.json.encode(body)) as answer:
            return msgspec.json.decode(await answer.read())

    async def act(self, network: str, what: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Have a network do something of its own accord."""
        path = f"{self._url}/networks/{network}/acts/{what}"
        async with self._http.post(path, data=msgspec.json.encode(fields)) as answer:
            said = msgspec.json.decode(await answer.read())
            return said if isinstance(said, dict) else {"said": said}


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the walks need. ``friend`` is another customer's account, ``shop`` a shopkeeper's
    device, ``tourist`` a pass holder's, ``saver`` one with server e-money.
    """

    device: Device
    shop: Device
    tourist: Device
    saver: Device
    control: Control
    atm: Atm
    clock: Clock
    account: str
    friend: str
    tourist_purse: str
    server_purse: str

    @property
    def card(self) -> TestCard:
        """The customer's own card."""
        return TestCard(pan=card_number(int(self.account)), pin=DEMO_PIN, account=self.account)


async def end_of(visit: Visit, device: Device, said: Said, label: str) -> dict[str, Any]:
    """The payment once it has ended, or the problem that was said instead."""
    if not said.ok:
        return {"label": label, "state": str(said.body.get("code", said.status))}
    ended = await device.until_ended(said.body["id"], _END_SECONDS_MAX)
    return {"label": label, **ended}


async def transfer(visit: Visit) -> Seen:
    """To another customer of the bank."""
    order = {
        "kind": "transfer",
        "from_account": visit.account,
        "to_account": visit.friend,
        "amount": "12500.00",
    }
    return [await end_of(visit, visit.device, await visit.device.pay(order), "transfer")]


async def scan(visit: Visit) -> Seen:
    """Merchants of other banks."""
    merchants = await visit.control.get("/merchants")
    codes = {name: text for one in merchants for name, text in one["payloads"].items()}
    ended = []
    for label in QRIS_CODES:
        order = {"kind": "qris", "from_account": visit.account, "qr": codes[label]}
        if label in _TYPED:
            order["amount"] = _TYPED[label]
        ended.append(await end_of(visit, visit.device, await visit.device.pay(order), label))
    return ended


async def scan_ours(visit: Visit) -> Seen:
    """Our own merchant's static code, and a dynamic one for one bill."""
    shop = (await visit.shop.ask("GET", "/v1/shops")).body["shops"][0]
    bill = {"amount": "18000.00", "bill_no": f"S{int(visit.clock.now().timestamp())}"}
    made = await visit.shop.ask("POST", f"/v1/shops/{shop['merchant_id']}/bills", bill)
    orders = (
        ("static", {"qr": shop["static_code"], "amount": "21000.00"}),
        ("dynamic", {"qr": made.body.get("code", "")}),
    )
    return [
        await end_of(visit, visit.device, await _scan(visit.device, visit.account, order), label)
        for label, order in orders
    ]


async def show_code(visit: Visit) -> Seen:
    """A shop elsewhere scans the customer's own code."""
    asked = {"kind": "qris", "from_account": visit.account}
    code = (await visit.device.code(asked)).body
    fields = {"payload": code["code"], "amount_minor": 27_500_00}
    return [_case(await visit.control.act("qris", "scan", fields))]


async def by_pass(visit: Visit) -> Seen:
    """The tourist pass pays a merchant's code."""
    return [await _by_purse(visit, visit.tourist, visit.tourist_purse)]


async def by_server_purse(visit: Visit) -> Seen:
    """Server e-money pays a merchant's code."""
    return [await _by_purse(visit, visit.saver, visit.server_purse)]


async def merchant_is_paid(visit: Visit) -> Seen:
    """A customer of another bank pays our merchant."""
    shop = (await visit.shop.ask("GET", "/v1/shops")).body["shops"][0]
    fields = {"payload": shop["static_code"], "amount_minor": 45_000_00}
    return [_case(await visit.control.act("qris", "pay", fields))]


def inquired(typed: str | None = None, **asked: str) -> Callable[[Visit], Awaitable[Seen]]:
    """A walk that asks who would be paid and pays exactly that."""

    async def walk(visit: Visit) -> Seen:
        said = await visit.device.ask("POST", "/v1/inquiries", dict(asked))
        if not said.ok:
            return [{"label": asked["kind"], "state": str(said.body.get("code", said.status))}]
        order = {
            "kind": "inquired",
            "from_account": visit.account,
            "inquiry": said.body["inquiry"],
        }
        if said.body["amount"] is None:
            order["amount"] = typed or asked["amount"]
        name = said.body["name"]
        return [await end_of(visit, visit.device, await visit.device.pay(order), name)]

    return walk


def together(*walks: Callable[[Visit], Awaitable[Seen]]) -> Callable[[Visit], Awaitable[Seen]]:
    """Several walks of one service."""

    async def walk(visit: Visit) -> Seen:
        return [one for each in walks for one in await each(visit)]

    return walk


# ---- machines and the outside world --------------------------------------------------------------


def at_atm(
    use: Callable[[Visit], Awaitable[AtmResult]],
) -> Callable[[Visit], Awaitable[Seen]]:
    """A walk at one of our machines."""

    async def walk(visit: Visit) -> Seen:
        result = await use(visit)
        state = "posted" if result.approved else f"code {result.code or 'none'}"
        return [{"label": result.name or "atm", "state": state}]

    return walk


async def cardless(visit: Visit) -> AtmResult:
    """Cash by a code from the app."""
    asked = {"kind": "cash", "from_account": visit.account, "amount": "100000.00"}
    code = (await visit.device.code(asked)).body
    return await visit.atm.cardless(code["code"], 100_000_00)


async def card_elsewhere(visit: Visit) -> Seen:
    """Our card at another bank's machine."""
    fields = {"pan": visit.card.pan, "pin": DEMO_PIN, "amount_minor": 150_000_00}
    return [_code(await visit.control.act("cards", "withdraw", fields))]


async def balance_elsewhere(visit: Visit) -> Seen:
    """What another bank's machine shows of our card."""
    fields = {"pan": visit.card.pan, "pin": DEMO_PIN}
    return [_code(await visit.control.act("cards", "balance", fields))]


async def bifast_arrives(visit: Visit) -> Seen:
    """A BI-FAST credit: nothing before its settlement, everything after."""
    fields = {"account": visit.account, "amount_minor": 75_000_00, "note": "smoke"}
    said = await visit.control.act("bifast", "credit", fields)
    return [{"label": "credit", "state": "posted" if said.get("state") == "paid" else str(said)}]


async def cards_arrive(visit: Visit) -> Seen:
    """A transfer from another bank over the card switch."""
    fields = {"account": visit.account, "amount_minor": 65_000_00}
    return [_code(await visit.control.act("cards", "credit", fields))]


async def card_spends(visit: Visit) -> Seen:
    """A card e-money is tapped and spends offline; the operator's file settles it."""
    said = await visit.control.act("transit", "ride", {"number": purse_of("card", 7, 0).number})
    return [{"label": "ride", "state": "posted" if said.get("settled") else str(said)}]


async def _scan(device: Device, account: str, order: dict[str, Any]) -> Said:
    return await device.pay({"kind": "qris", "from_account": account, **order})


async def _by_purse(visit: Visit, device: Device, purse: str) -> dict[str, Any]:
    merchants = await visit.control.get("/merchants")
    code = next(one["payloads"]["V5"] for one in merchants if "V5" in one["payloads"])
    said = await _scan(device, purse, {"qr": code, "amount": "11000.00"})
    return await end_of(visit, device, said, "V5")


def _case(said: dict[str, Any]) -> dict[str, Any]:
    case = said.get("case", said.get("error", "?"))
    return {"label": "switch", "state": "posted" if case == "20000" else f"case {case}"}


def _code(said: dict[str, Any]) -> dict[str, Any]:
    code = said.get("code", said.get("error", "?"))
    return {"label": "switch", "state": "posted" if code == "00" else f"code {code}"}


WALKS: Final[dict[str, Callable[[Visit], Awaitable[Seen]]]] = {
    services.TRANSFER_ONUS: transfer,
    services.TRANSFER_BIFAST: together(
        inquired(kind="bank", bank="998", account="9980000001", amount="50000.00"),
        inquired(kind="proxy", proxy="081299980001", amount="40000.00"),
    ),
    services.TRANSFER_CARDS: inquired(
        kind="bank", bank="014", account="5260000001", amount="30000.00", via="cards"
    ),
    services.QRIS_OFFUS: scan,
    services.QRIS_ONUS: scan_ours,
    services.QRIS_CPM: show_code,
    **{
        service: inquired(kind="wallet", wallet=wallet, number="08121110001", amount="25000.00")
        for wallet, service in services.TOPUP.items()
    },
    services.BILL["electricity"]: inquired(
        kind="bill", biller="electricity", customer_no="538712340001"
    ),
    services.BILL["prepaid"]: inquired(
        kind="bill", biller="prepaid", customer_no="14512340001", amount="50000.00"
    ),
    services.BILL["water"]: inquired(kind="bill", biller="water", customer_no="7001234"),
    services.BILL["tax"]: inquired(kind="bill", biller="tax", customer_no="820260320000001"),
    services.BILL["school"]: inquired(
        "400000.00", kind="bill", biller="school", customer_no="20260001"
    ),
    services.BILL["va"]: inquired(kind="bill", biller="va", customer_no="0812000001"),
    services.TOPUP_CARD: inquired("60000.00", kind="emoney", number=purse_of("card", 7, 0).number),
    services.TOPUP_SERVER: inquired(
        "55000.00", kind="emoney", number=purse_of("server", 1, 0).number
    ),
    services.TOPUP_TOURIST: inquired(
        "80000.00", kind="emoney", number=purse_of("touristpass", 1, 0).number
    ),
    services.SPEND_CARD: card_spends,
    services.QRIS_SERVER: by_server_purse,
    services.QRIS_TOURIST: by_pass,
    services.ATM_CASH: at_atm(lambda v: v.atm.withdraw(v.card, DEMO_PIN, 200_000_00)),
    services.ATM_CARDLESS: at_atm(cardless),
    services.ATM_ACQUIRER: at_atm(lambda v: v.atm.withdraw(CARDS[0], CARDS[0].pin, 300_000_00)),
    services.ATM_BALANCE: at_atm(lambda v: v.atm.balance(v.card, DEMO_PIN)),
    services.ATM_PIN: at_atm(lambda v: v.atm.change_pin(v.card, DEMO_PIN, DEMO_PIN)),
    services.ATM_TRANSFER_ONUS: at_atm(
        lambda v: v.atm.transfer(v.card, DEMO_PIN, "999", v.friend, 45_000_00)
    ),
    services.ATM_TRANSFER_CARDS: at_atm(
        lambda v: v.atm.transfer(v.card, DEMO_PIN, "014", "5260000001", 55_000_00)
    ),
    services.ATM_BILL: at_atm(lambda v: v.atm.pay_bill(v.card, DEMO_PIN, "10001", "538712340002")),
    services.CARD_CASH: card_elsewhere,
    services.CARD_BALANCE: balance_elsewhere,
    services.IN_BIFAST: bifast_arrives,
    services.IN_CARDS: cards_arrive,
    services.IN_QRIS: merchant_is_paid,
}
"""How each service is walked; the smoke run fails when one of the table has none."""
