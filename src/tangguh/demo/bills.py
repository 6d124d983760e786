"""The bills one can pay: numbers, households and sums are made up.

The first digits are the biller, by the numbers the bank and its aggregator agreed on.
"""

from __future__ import annotations

from typing import Final

import msgspec


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """One customer's bill. ``kind``: C whole, O open, I in parts. Amounts in minor units.

    ``parts`` are (name, amount) lines; ``least_minor`` what must be paid at least of an open one.
    ``state``: open, paid, expired. ``gives_token``: paying gives twenty digits.
    """

    service: str
    customer_no: str
    name: str
    kind: str = "C"
    parts: tuple[tuple[str, int], ...]
    least_minor: int = 1_00
    state: str = "open"
    gives_token: bool = False

    @property
    def number(self) -> str:
        """The virtual account number."""
        return self.service.rjust(8) + self.customer_no

    @property
    def total_minor(self) -> int:
        """All of it."""
        return sum(minor for _, minor in self.parts)


BILLS: Final = (
    Bill(
        service="10001",
        customer_no="538712340001",
        name="RUMAH MELATI 12",
        parts=(("Februari 2026", 312_500_00), ("Maret 2026", 298_750_00)),
    ),
    Bill(
        service="10001",
        customer_no="538712340002",
        name="KIOS MAWAR 3",
        parts=(("Maret 2026", 187_250_00),),
    ),
    Bill(
        service="10001",
        customer_no="538712340009",
        name="TOKO LUNAS",
        parts=(("Maret 2026", 90_000_00),),
        state="paid",
    ),
    Bill(
        service="10002",
        customer_no="14512340001",
        name="RUMAH KENANGA 7",
        kind="O",
        parts=(),
        gives_token=True,
    ),
    Bill(
        service="20001",
        customer_no="7001234",
        name="RUMAH DAHLIA 5",
        parts=(("Maret 2026", 86_400_00),),
    ),
    Bill(
        service="30001",
        customer_no="820260320000001",
        name="WAJIB PAJAK UJI",
        parts=(("PBB 2026", 640_000_00),),
    ),
    Bill(
        service="30001",
        customer_no="820250101000009",
        name="KODE LEWAT WAKTU",
        parts=(("PBB 2025", 500_000_00),),
        state="expired",
    ),
    Bill(
        service="40001",
        customer_no="20260001",
        name="SISWA UJI",
        kind="I",
        parts=(("SPP Semester Genap", 2_400_000_00),),
        least_minor=200_000_00,
    ),
    Bill(
        service="88001",
        customer_no="0812000001",
        name="PESANAN TOKO UJI 1",
        parts=(("Pesanan 1", 175_000_00),),
    ),
    Bill(
        service="88001",
        customer_no="0812000002",
        name="TABUNGAN QURBAN UJI",
        kind="O",
        parts=(),
    ),
)
