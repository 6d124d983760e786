"""The codes our own merchants show: static, and dynamic for one bill. Pure.

What is written here is judged by our own parser before anybody shows it (``codec.parse``).
"""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.rails.qris.codec import as_dynamic, encode
from tangguh.rails.qris.message import Account, Additional, Kind, QrisCode, Repository

GUID: Final = "ID.CO.BANKTANGGUH.WWW"
"""Our reverse domain in acquirer templates: the demo bank's, invented."""
REPOSITORY_GUID: Final = "ID.CO.QRIS.WWW"
_TERMINAL: Final = "A01"


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant as its code shows it."""

    pan: str
    merchant_id: str
    nmid: str
    criteria: str
    name: str
    city: str
    postal_code: str
    category_code: str


def static_code(shop: Shop) -> QrisCode:
    """The code on the counter: no amount, paid as often as one likes."""
    return QrisCode(
        kind=Kind.STATIC,
        initiation="11",
        accounts=(
            Account(
                field="26",
                guid=GUID,
                pan=shop.pan,
                merchant_id=shop.merchant_id,
                criteria=shop.criteria,
            ),
        ),
        repository=Repository(guid=REPOSITORY_GUID, nmid=shop.nmid, criteria=shop.criteria),
        category_code=shop.category_code,
        currency="360",
        country="ID",
        merchant_name=shop.name,
        merchant_city=shop.city,
        postal_code=shop.postal_code,
        additional=Additional(terminal_label=_TERMINAL),
    )


def static_text(shop: Shop) -> str:
    """The static code's payload."""
    return encode(static_code(shop))


def dynamic_text(shop: Shop, amount_minor: int, bill_no: str) -> str:
    """The payload of a code for one bill of one amount."""
    return encode(as_dynamic(static_code(shop), amount_minor, bill_number=bill_no))
