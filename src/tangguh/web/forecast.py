"""What would become of an order if its customer said yes now: the one check before any PIN.

The decision itself, with nothing of it kept, and what a new device may still pay. It promises
nothing: the order is decided anew when it comes.
"""

from __future__ import annotations

import msgspec

from tangguh.access.session import Session
from tangguh.core.errors import TangguhError
from tangguh.core.outcome import Refusal, Refused
from tangguh.payments.decide import Accept
from tangguh.payments.preview import Preview
from tangguh.payments.refund import AcceptRefund
from tangguh.web.door import Door


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """``refused``: why it would be. ``waits``: it would be taken, and sent once a gate opens.

    ``device_left_minor``: it is refused because the device is new; so much may still leave by it.
    """

    refused: Refused | None = None
    waits: bool = False
    device_left_minor: int | None = None


async def forecast(door: Door, session: Session | None, of: Accept | AcceptRefund) -> Forecast:
    """What would become of it now, for a page: while the book cannot be asked nothing is foreseen,
    the page is shown, and the order is decided when it comes.
    """
    try:
        return await judged(door, session, of)
    except TangguhError:
        return Forecast()


async def judged(door: Door, session: Session | None, of: Accept | AcceptRefund) -> Forecast:
    """What would become of it now; nothing of it is kept. Raises what the book raises when it
    cannot be asked: who makes something on the strength of it makes nothing then.
    """
    foreseen = await door.desk.decide(Preview(of))
    if foreseen.refused is not None:
        return Forecast(refused=foreseen.refused)
    if isinstance(of, Accept):
        spend_minor = of.order.amount_minor + of.order.tip_minor
        found = await of_device(door, session, spend_minor)
        if found is not None:
            return found
    return Forecast(waits=foreseen.waits)


async def of_device(door: Door, session: Session | None, spend_minor: int) -> Forecast | None:
    """Refused because the session's device is new; None when it may pay so much."""
    if session is None:
        return None
    left = await door.cooling.left_where_short(session, spend_minor)
    if left is None:
        return None
    refused = Refused(Refusal.LIMIT_PER_TRANSACTION, "amount", "this device is new")
    return Forecast(refused=refused, device_left_minor=left)
