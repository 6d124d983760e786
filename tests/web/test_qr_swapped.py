"""Somebody alters a QRIS code on its way to the bank: a sticker, a program on the phone, a bad line."""

from __future__ import annotations

import json
import random

import msgspec
import pytest

from paper import PaperRail
from serving import Phone
from stories import count_of
from tangguh.access.session import signature
from tangguh.app import Bank
from tangguh.customers import merchants
from tangguh.rails.qris.shop import static_text
from tangguh.web.api.services import as_shop

SHOPS = ("936009990000000001", "936009990000000002")


async def shop_code(bank: Bank, pan: str, **changes: str) -> str:
    shop = await merchants.by_pan(bank.pool, bank.book_id, pan)
    assert shop is not None
    return static_text(msgspec.structs.replace(as_shop(shop), **changes))


@pytest.mark.parametrize("seed", range(3))
async def test_one_altered_character_pays_nobody(bank: Bank, phone: Phone, seed: int) -> None:
    """Wherever it is: the checksum is over all of it."""
    dice = random.Random(seed)
    text = await shop_code(bank, SHOPS[1])
    for number in range(25):
        place = dice.randrange(len(text))
        other = dice.choice([one for one in "0123456789ABCDEF" if one != text[place]])
        altered = text[:place] + other + text[place + 1 :]
        body = {"kind": "qris", "from_account": phone.account, "amount": "1000.00", "qr": altered}
        said = await phone.pay(body, key=f"altered-{number}")
        assert said.code == "qr_invalid", altered
    assert await count_of(bank, "payments") == 0


async def test_another_shop_under_the_name_that_was_read_pays_nobody(
    bank: Bank, phone: Phone, paper: PaperRail
) -> None:
    """A whole new code with a right checksum: one shop's number, the other's name."""
    first, second = [await merchants.by_pan(bank.pool, bank.book_id, pan) for pan in SHOPS]
    assert first is not None
    assert second is not None
    swapped = await shop_code(bank, SHOPS[0], name=second.name, city=second.city, nmid=second.nmid)
    body = {"kind": "qris", "from_account": phone.account, "amount": "1000.00", "qr": swapped}
    said = await phone.pay(body, key="swapped")
    assert (said.body["state"], said.body["refusal"]["code"]) == ("refused", "payee_not_found")
    assert paper.asked == []


async def test_a_code_changed_after_it_was_signed_is_not_paid(bank: Bank, phone: Phone) -> None:
    """What the customer saw is what the device signed: another merchant's code is another order."""
    seen, other = [await shop_code(bank, pan) for pan in SHOPS]
    body = {"kind": "qris", "from_account": phone.account, "amount": "1000.00", "qr": seen}
    stamp = str(int(bank.clock.now().timestamp()))
    signed = json.dumps(body).encode()
    by_device = signature(phone.signing_key, "POST", "/v1/payments", signed, stamp, "k")
    headers = {"Idempotency-Key": "k", "X-Timestamp": stamp, "X-Signature": by_device}
    changed = json.dumps(body | {"qr": other}).encode()
    said = await phone.ask("POST", "/v1/payments", raw=changed, headers=headers)
    assert (said.status, said.code) == (401, "signature_wrong")
    assert await count_of(bank, "payments") == 0
    assert (await phone.ask("POST", "/v1/payments", raw=signed, headers=headers)).status == 201
