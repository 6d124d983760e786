"""Settlement files as the simulated networks write them: a header, lines, a trailer that counts.

``H|1|network|participant|day|cycle|IDR``, then ``D|number|kind|side|participant's reference
|network's reference|amount|fee|instant``, then ``T|lines|sum owed|sum due|sha256``. ``kind``: PAY,
CRE (a credit to the participant's customer), REV (a reversal of either), REF (a refund). ``side``:
O what the participant owes, I what is due to it. Amounts in the header's currency with two
decimals; instants in UTC. The hash is over every byte before the trailer. Our own layout: the real
ones are not public.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from hashlib import sha256

import msgspec


class SettlementLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line. Amounts in minor units; ``at`` is an ISO instant in UTC."""

    kind: str
    side: str
    reference: str
    network_reference: str
    amount_minor: int
    fee_minor: int = 0
    at: str


def file_of(
    network: str, participant: str, day: date, cycle: int, lines: Iterable[SettlementLine]
) -> str:
    """The whole file, lines numbered in the order given."""
    written = [f"H|1|{network}|{participant}|{day.isoformat()}|{cycle}|IDR"]
    owed = due = 0
    for number, line in enumerate(lines, start=1):
        if line.side == "O":
            owed += line.amount_minor
        else:
            due += line.amount_minor
        written.append(
            f"D|{number}|{line.kind}|{line.side}|{line.reference}|{line.network_reference}"
            f"|{_rupiah(line.amount_minor)}|{_rupiah(line.fee_minor)}|{line.at}"
        )
    body = "\n".join(written) + "\n"
    digest = sha256(body.encode()).hexdigest()
    return f"{body}T|{len(written) - 1}|{_rupiah(owed)}|{_rupiah(due)}|{digest}\n"


def _rupiah(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"
