"""What the networks' own books say they gave back; nothing of the bank is asked."""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.cli.smoke_walks import Control

_ROWS_MAX: Final = 1_000_000


class GaveBack(msgspec.Struct, frozen=True):
    """What came back, in minor units by the payment's reference.

    ``refunds``: of a QRIS payment, the references of the refunds the switch made: two lies about
    two refunds of one payment can make its sum right again.
    """

    minor: dict[str, int]
    refunds: dict[str, set[str]]


async def gave_back(control: Control) -> GaveBack:
    """Read QRIS, cards and BI-FAST."""
    back: dict[str, int] = {}
    refunds: dict[str, set[str]] = {}
    for row in (await control.get(f"/books?limit={_ROWS_MAX}"))["payments"]:
        back[row["reference"]] = row["refunded_minor"]
        refunds[row["reference"]] = {
            one["reference"] for one in row["refunds"] if one["state"] == "paid"
        }
    for row in (await control.get(f"/networks/cards/books?limit={_ROWS_MAX}"))["transfers"]:
        back[row["reference"]] = row["given_back_minor"]
    hub = await control.get(f"/networks/bifast/books?state=paid&limit={_ROWS_MAX}")
    for row in hub["transfers"]:
        related = msgspec.json.decode(row["detail"]).get("related", "")
        if row["direction"] == "out" and related:
            back[related] = back.get(related, 0) + row["amount_minor"]
    return GaveBack(back, refunds)
