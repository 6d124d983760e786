"""A transit operator with good keys sends odd files: refused by name, or told apart, never a crash."""

from __future__ import annotations

from hashlib import sha256

import pytest

from stories import RUPIAH, balance, count_of, proved
from tangguh.app import Bank
from tangguh.core.money import format_decimal
from tangguh.customers.demo import purse_of
from tangguh.rails.emoney.spend import FileRefused, mac_of
from tangguh.work.transit import Posted, TransitDesk, TransitSettings

KEY = "00112233445566778899aabbccddeeff"
NOW = "2026-03-20T05:00:00+00:00"


@pytest.fixture
def transit(bank: Bank) -> TransitDesk:
    settings = TransitSettings(
        operator="TRANSIT UJI",
        merchant_pan="936009990000000000",
        line_key=KEY,
        public_key_path="",
    )
    return TransitDesk(bank.desk, bank.pool, bank.book_id, settings)


def ride(minor: int, *, counter: int = 1, reader: str = "R01", at: str = NOW) -> str:
    """A line of the first card's, without its number."""
    card = purse_of("card", 1, 0).number
    mac = mac_of(card, counter, minor, at, bytes.fromhex(KEY))
    return f"{card}|{counter}|{format_decimal(minor)}|{at}|{reader}|{mac}"


def file_of(*rides: str, number: str = "1", day: str = "2026-03-20") -> str:
    lines = [f"H|1|spend|TRANSIT UJI|{day}|{number}|IDR"]
    lines += [f"D|{place}|{line}" for place, line in enumerate(rides, start=1)]
    body = "\n".join(lines) + "\n"
    total = sum(int(line.split("|")[2].replace(".", "")) for line in rides)
    digest = sha256(body.encode()).hexdigest()
    return f"{body}T|{len(rides)}|{format_decimal(total)}|{digest}\n"


@pytest.mark.parametrize("reader", ["R\0", "R\x1b[2J", "x" * 65])
async def test_a_reader_that_cannot_be_kept_is_refused_by_its_line(
    bank: Bank, transit: TransitDesk, reader: str
) -> None:
    """The MAC does not cover the reader: a NUL in one would stop the file half-way."""
    text = file_of(ride(5_000 * RUPIAH), ride(6_000 * RUPIAH, counter=2, reader=reader))
    said = await transit.take_file(text)
    assert isinstance(said, FileRefused), said
    assert (said.line, said.field) == (3, "reader")
    assert await count_of(bank, "payments") == 0


@pytest.mark.parametrize("number", ["9" * 5_000, "1" * 10, ""])
async def test_a_file_number_nobody_counts_to(transit: TransitDesk, number: str) -> None:
    said = await transit.take_file(file_of(ride(5_000 * RUPIAH), number=number))
    assert isinstance(said, FileRefused), said
    assert (said.line, said.field) == (1, "day")


async def test_a_ride_that_has_not_taken_place_is_refused(bank: Bank, transit: TransitDesk) -> None:
    """A card is not debited for tomorrow."""
    text = file_of(ride(5_000 * RUPIAH, at="2031-03-20T05:00:00+00:00"))
    said = await transit.take_file(text)
    assert isinstance(said, FileRefused), said
    assert (said.line, said.field) == (2, "instant")
    assert await count_of(bank, "payments") == 0


async def test_the_same_ride_for_another_sum_is_told_apart_from_a_card_of_others(
    bank: Bank, transit: TransitDesk
) -> None:
    """Posted once, for the first sum; the operator hears which lines contradict."""
    assert isinstance(await transit.take_file(file_of(ride(5_000 * RUPIAH))), Posted)
    chip = purse_of("card", 1, 0).account_id
    before = (await balance(bank, chip)).posted_minor
    said = await transit.take_file(file_of(ride(7_000 * RUPIAH), number="2"))
    assert isinstance(said, Posted)
    assert (said.posted, said.repeated, said.unknown, said.refused) == (0, 0, 0, 1)
    assert (await balance(bank, chip)).posted_minor == before
    await proved(bank)
