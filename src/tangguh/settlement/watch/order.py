"""The one closure the watch may order, complete: scope, evidence, words for customers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from tangguh.guard.closure import AUTOMATIC_TTL_MAX, Closure, SignalClass, evidence_hash
from tangguh.guard.scope import Scope
from tangguh.guard.watching import MADE_BY
from tangguh.settlement.watch.matching import Unmatched

REASON: Final = "unmatched_outflow"
_NEXT_WORD: Final = timedelta(minutes=15)
_EVIDENCE_ROWS_MAX: Final = 100
_MESSAGE_ID: Final = (
    "Di jaringan BI-FAST ada uang keluar yang belum cocok dengan pembukuan kami. Kami sedang "
    "memeriksanya."
)
_MESSAGE_EN: Final = (
    "At the BI-FAST network money has left that does not match our books yet. We are checking it."
)


def closure_of(closure_id: UUID, rail: str, found: Sequence[Unmatched], now: datetime) -> Closure:
    """Close this rail's outgoing payments for these rows."""
    rows = found[:_EVIDENCE_ROWS_MAX]
    evidence = msgspec.json.encode({"outflows": len(found), "rows": rows}).decode()
    total = sum(row.amount_minor for row in found) // 100
    return Closure(
        id=closure_id,
        scope=Scope(rail=rail, direction="out"),
        signal_class=SignalClass.INTEGRITY,
        reason=REASON,
        cause=f"{len(found)} outflows (Rp {total:,}) left without a payment in the book",
        evidence=evidence,
        evidence_sha256=evidence_hash(evidence),
        made_by=MADE_BY,
        owner="on-call",
        made_at=now,
        expires_at=now + AUTOMATIC_TTL_MAX[SignalClass.INTEGRITY],
        message_id=_MESSAGE_ID,
        message_en=_MESSAGE_EN,
        next_word_at=now + _NEXT_WORD,
        alternative="qris",
    )
