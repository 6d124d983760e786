"""A storm of damaged codes: nothing escapes, nothing piles up, nothing wrong is let through."""

from __future__ import annotations

import binascii
import gc
import random
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from tangguh.rails.qris import codec, cpm, tlv
from tangguh.rails.qris.message import to_payee, total_minor
from unit.rails.qris.payloads import CPM_VALID, MALFORMED, VALID

SEED: Final = 20250329
PAYLOADS: Final = 60_000
MANY: Final = 200_000
WARM_UP: Final = 20_000
TRACED: Final = 10_000
GROWTH_BLOCKS_MAX: Final = 1_000
GROWTH_BYTES_MAX: Final = 64 * 1024

MERCHANT = [vector.payload for vector in (VALID | MALFORMED).values()]
CUSTOMER = [binascii.a2b_base64(payload) for payload in CPM_VALID.values()]
ODD = "0123456789 .|*\x00\x1b\x7f\u00e9\u0664\u202e\ud800\U0001f4b8"


def flip(text: str, chance: random.Random) -> str:
    """Turn one bit of one character."""
    at = chance.randrange(len(text))
    return text[:at] + chr(ord(text[at]) ^ 1 << chance.randrange(7)) + text[at + 1 :]


def insert(text: str, chance: random.Random) -> str:
    """Put an odd character somewhere."""
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(ODD) + text[at:]


def delete(text: str, chance: random.Random) -> str:
    """Lose a few characters."""
    at = chance.randrange(len(text))
    return text[:at] + text[at + chance.randrange(1, 9) :]


def swap(text: str, chance: random.Random) -> str:
    """Exchange two slices."""
    one, two, three = sorted(chance.randrange(len(text) + 1) for _ in range(3))
    return text[:one] + text[two:three] + text[one:two] + text[three:]


def repeat(text: str, chance: random.Random) -> str:
    """Say a slice twice."""
    one, two = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    return text[:two] + text[one:two] + text[two:]


def relength(text: str, chance: random.Random) -> str:
    """Overwrite what may be a field's length."""
    at = chance.randrange(len(text))
    return text[:at] + f"{chance.randrange(100):02d}" + text[at + 2 :]


def refield(text: str, chance: random.Random) -> str:
    """Rewrite one field with another field's value, or an empty or a long one."""
    values = tlv.walk(text).values
    if not values:
        return text
    fields = list(values)
    values[chance.choice(fields)] = chance.choice(
        [values[chance.choice(fields)], "", "0", "9" * chance.randrange(100), text[:40]]
    )
    return "".join(f"{field}{len(value):02d}{value}" for field, value in values.items())


MUTATIONS: Final[list[Callable[[str, random.Random], str]]] = [
    flip,
    insert,
    delete,
    swap,
    repeat,
    relength,
    refield,
]


def merchant_storm(count: int, chance: random.Random) -> Iterator[str]:
    """Damaged merchant codes; half of them get a right CRC so that the deeper rules are met."""
    for number in range(count):
        text = chance.choice(MERCHANT)
        for _ in range(chance.randrange(1, 4)):
            text = chance.choice(MUTATIONS)(text or "0", chance)
        if number % 2:
            text = resealed(text)
        yield text


def resealed(text: str) -> str:
    """The text with its last eight characters replaced by a right CRC, where it has one."""
    try:
        return tlv.seal(text[:-8])
    except UnicodeEncodeError:
        return text


def customer_storm(count: int, chance: random.Random) -> Iterator[str]:
    """Damaged customer codes: bytes changed under the base64, sometimes the base64 itself."""
    for number in range(count):
        data = bytearray(chance.choice(CUSTOMER))
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        text = binascii.b2a_base64(bytes(data), newline=False).decode()
        yield insert(text, chance) if number % 8 == 0 else text


def read_merchant(payload: str) -> bool:
    """Judge one code and use it as the bank would; whether it was valid."""
    reading = codec.parse(payload)
    for finding in reading.errors + reading.warnings:
        assert finding.code and finding.field and finding.detail.isascii()
    if reading.code is None:
        assert reading.errors
        return False
    assert payload == tlv.seal(payload[:-8])
    assert to_payee(reading.code, payload).merchant_name
    assert total_minor(reading.code, reading.code.amount_minor or 1) > 0
    assert codec.parse(codec.encode(reading.code)).code == reading.code
    return True


def read_customer(payload: str) -> bool:
    """Judge one customer's code and write it again; whether it was valid."""
    reading = cpm.decode(payload)
    for finding in reading.errors + reading.warnings:
        assert finding.code and finding.field and finding.detail.isascii()
    if reading.code is not None:
        assert cpm.decode(cpm.encode(reading.code)).code == reading.code
    return reading.valid


@pytest.mark.parametrize("payloads", [PAYLOADS, pytest.param(MANY, marks=pytest.mark.drill)])
def test_a_storm_of_merchant_codes(payloads: int) -> None:
    """Damaged codes by ten thousands: no exception, flat memory, both answers met often."""
    chance = random.Random(SEED)
    valid = sum(map(read_merchant, merchant_storm(WARM_UP, chance)))
    blocks_before = blocks_in_use()
    valid += sum(map(read_merchant, merchant_storm(payloads - WARM_UP - TRACED, chance)))
    # Tracing every allocation is several times slower: only the last stretch is weighed in bytes.
    tracemalloc.start()
    try:
        bytes_before, _ = tracemalloc.get_traced_memory()
        valid += sum(map(read_merchant, merchant_storm(TRACED, chance)))
        gc.collect()
        bytes_after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert blocks_in_use() - blocks_before < GROWTH_BLOCKS_MAX
    assert bytes_after - bytes_before < GROWTH_BYTES_MAX
    assert payloads // 100 < valid < payloads // 2


def blocks_in_use() -> int:
    """How many pieces of memory the interpreter holds, rubbish taken away."""
    gc.collect()
    return sys.getallocatedblocks()


def test_a_storm_of_customer_codes() -> None:
    """The same for customer-presented codes, a third of the number."""
    chance = random.Random(SEED)
    valid = sum(read_customer(payload) for payload in customer_storm(PAYLOADS // 3, chance))
    assert PAYLOADS // 300 < valid < PAYLOADS // 6
