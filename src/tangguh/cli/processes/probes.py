"""The demo bank's payments to itself: one for each simulated network."""

from __future__ import annotations

from typing import Any

import aiohttp
import msgspec

from tangguh.core.order import ToBank, ToBiller, ToWallet
from tangguh.core.service import BILL, QRIS_OFFUS, TOPUP, TRANSFER_BIFAST, TRANSFER_CARDS
from tangguh.rails.qris.codec import parse
from tangguh.rails.qris.message import to_payee
from tangguh.recovery.prober import Probe

_STATIC_CODE = "V5"


async def demo_probes(control_url: str) -> list[dict[str, Any]]:
    """The probes as plain settings. The QRIS one goes to the simulated switch's static code."""
    probes = [
        Probe(service=TRANSFER_BIFAST, payee=ToBank(bank="998", account="9980000001")),
        Probe(service=TRANSFER_CARDS, payee=ToBank(bank="998", account="5260000001")),
        Probe(
            service=TOPUP["gopay"],
            payee=ToWallet(wallet="gopay", number="08121110002"),
            amount_minor=1_000_000,
        ),
        Probe(
            service=BILL["va"],
            payee=ToBiller(biller="va", customer_no="0812000002"),
            amount_minor=1_000_000,
        ),
    ]
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{control_url}/merchants") as answer:
            merchants = msgspec.json.decode(await answer.read())
    codes = {label: text for one in merchants for label, text in one["payloads"].items()}
    if _STATIC_CODE in codes:
        payload = codes[_STATIC_CODE]
        payee = to_payee(parse(payload).seen, payload)
        probes.append(Probe(service=QRIS_OFFUS, payee=payee, amount_minor=100_000))
    found: list[dict[str, Any]] = msgspec.to_builtins(probes)
    return found
