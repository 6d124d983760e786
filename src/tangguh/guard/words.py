"""What a closure does, in words for customers: made from what it lets through now. Pure.

A closure's own message says why. What it does changes while it is in force (a rung of the ladder, a
time that is over), so it is said where it is read.
"""

from __future__ import annotations

from typing import Final

from tangguh.core.format import money
from tangguh.guard.closure import Allowance

BY_STAFF: Final = (
    "Petugas bank mengaturnya demikian untuk sementara.",
    "Staff of the bank have set it so for now.",
)
"""Why, of a closure by hand whose people did not write their own words: nothing is made up."""
_PARKED: Final = (
    "Pembayaran baru kami terima, dan kami kirim setelah dibuka.",
    "New payments are taken now and sent when it opens.",
)
_CLOSED: Final = ("Transaksi baru kami tolak sementara.", "New transactions are refused for now.")
_OPEN: Final = ("Transaksi baru kami terima lagi.", "New transactions are taken again.")
_FEW: Final = (
    "Baru sebagian nasabah dapat memakainya.",
    "It is open to part of our customers only.",
)
_RATE: Final = (
    "Banyaknya transaksi per menit kami batasi.",
    "The number of transactions a minute is limited.",
)


def effect_of(allowance: Allowance | None, *, parks: bool = False) -> tuple[str, str]:
    """What is let through, (Indonesian, English). ``allowance`` None: nothing."""
    if allowance is None:
        return _PARKED if parks else _CLOSED
    said = []
    if allowance.permille < 1000:
        said.append(_FEW)
    if allowance.amount_max_minor is not None:
        most = money(allowance.amount_max_minor)
        said.append(
            (
                f"Transaksi di atas {most} kami tolak sementara.",
                f"Transactions above {most} are refused for now.",
            )
        )
    if allowance.amount_percent < 100:
        share = allowance.amount_percent
        said.append(
            (
                f"Batas transaksi menjadi {share}% dari biasanya.",
                f"Limits are {share}% of the usual ones.",
            )
        )
    if allowance.per_minute is not None:
        said.append(_RATE)
    if not said:
        return _OPEN
    return " ".join(one for one, _ in said), " ".join(one for _, one in said)
