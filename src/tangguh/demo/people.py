"""The customers of the demo bank: names drawn from a seed, numbers by their place in the list."""

from __future__ import annotations

from random import Random
from typing import Final

PEOPLE: Final = 56

_GIVEN: Final = (
    "Adi", "Agus", "Ayu", "Bagus", "Bayu", "Citra", "Dewi", "Dian", "Eka", "Endang", "Fajar",
    "Fitri", "Galih", "Hadi", "Hesti", "Indra", "Intan", "Joko", "Kartika", "Lestari", "Maya",
    "Mega", "Nanda", "Novi", "Putri", "Rahmat", "Ratna", "Rizki", "Sari", "Siti", "Surya",
    "Taufik", "Utami", "Wahyu", "Wulan", "Yani", "Yusuf", "Zahra",
)  # fmt: skip
_FAMILY: Final = (
    "Anggraini", "Firmansyah", "Gunawan", "Hakim", "Handayani", "Hartono", "Hidayat", "Kurniawan",
    "Kusuma", "Lubis", "Maulana", "Nasution", "Nugroho", "Permata", "Pratama", "Purnomo",
    "Rahayu", "Ramadhan", "Saputra", "Setiawan", "Siregar", "Susanto", "Wibowo", "Wijaya",
    "Yulianti",
)  # fmt: skip


def phone_of(number: int) -> str:
    """The mobile number of the person or shop at this place of the list, counted from 1."""
    return f"62811000{number:04d}"


def names(source: Random) -> list[str]:
    """The people's names, drawn from this source; the same seed, the same people."""
    pairs = [f"{given} {family}" for given in _GIVEN for family in _FAMILY]
    return source.sample(pairs, PEOPLE)


def people(seed: int) -> list[tuple[str, str]]:
    """Mobile number and name of everybody at the bank of this seed."""
    drawn = names(Random(seed))  # noqa: S311 - test data, to be the same for the same seed
    return [(phone_of(number), name) for number, name in enumerate(drawn, start=1)]
