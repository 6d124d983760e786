"""Ending a break that moves nothing: two people say that both banks agreed."""

from __future__ import annotations

import msgspec

from tangguh.audit.trail import Remember
from tangguh.core.outcome import Refused
from tangguh.settlement import store
from tangguh.settlement.breaks import CLOSED, Break, subject_of
from tangguh.settlement.cycle import BackOffice
from tangguh.settlement.signed import Signed


async def agree(office: BackOffice, broken: Break, signed: Signed) -> Break | Refused:
    """The break, closed with both names and the reason. Refuses what ``Signed`` refuses."""
    if refused := signed.refused():
        return refused
    now, subject = office.clock.now(), subject_of(broken.break_id)
    told = signed.as_told(kind=broken.kind)
    await office.desk.decide(Remember(f"staff:{signed.by}", "break.agreed", subject, told))
    why = f"agreed by {signed.by} and {signed.approved_by}: {signed.reason}"
    await store.close_breaks(office.pool, office.book_id, [broken.break_id], why, now)
    return msgspec.structs.replace(broken, state=CLOSED, reason=why, ended_at=now)
