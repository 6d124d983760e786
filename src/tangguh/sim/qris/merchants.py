"""The merchants that exist in this world, each with the QR codes it shows.

The facts of a merchant are read from its own codes, by a reader of the simulator's own: a table and
a code could contradict each other, a code cannot. The codes are the demo's (``tangguh.demo``).
"""

from __future__ import annotations

from binascii import crc_hqx
from typing import Final

import msgspec

from tangguh.demo.merchants import CODES

_ACCOUNT_IDS: Final = tuple(f"{number:02d}" for number in range(26, 46))


class Merchant(msgspec.Struct, frozen=True, kw_only=True):
    """One merchant as its codes describe it. ``payloads`` maps a label to a QRIS text."""

    pan: str
    merchant_id: str
    nmid: str
    name: str
    city: str
    category_code: str
    criteria: str
    acquirer_nns: str
    blocked: bool = False
    payloads: dict[str, str]


def read_payload(label: str, payload: str, *, blocked: bool = False) -> Merchant:
    """The merchant behind one code. Only for codes of this table: nothing is checked."""
    root = _fields(payload)
    account = _fields(next(root[number] for number in _ACCOUNT_IDS if number in root))
    return Merchant(
        pan=account["01"],
        merchant_id=account["02"],
        nmid=_fields(root.get("51", "")).get("02", ""),
        name=root["59"],
        city=root["60"],
        category_code=root["52"],
        criteria=account.get("03", ""),
        acquirer_nns=account["01"][:8],
        blocked=blocked,
        payloads={label: payload},
    )


def demo_merchants() -> list[Merchant]:
    """Every merchant of this world, one per PAN, in the order of the table."""
    found: dict[str, Merchant] = {}
    shown = [read_payload(label, payload) for label, payload in CODES.items()]
    for merchant in [*shown, read_payload("BLOCKED", blocked_payload(), blocked=True)]:
        known = found.get(merchant.pan)
        if known is not None:
            known.payloads.update(merchant.payloads)
            continue
        found[merchant.pan] = merchant
    return list(found.values())


def blocked_payload() -> str:
    """The static code of a merchant that its acquirer has stopped."""
    account = _join({"00": "00", "01": "936008990000009900", "02": "9900", "03": "UMI"})
    central = _join({"00": "ID.CO.QRIS.WWW", "02": "ID1025000009900", "03": "UMI"})
    place = {"58": "ID", "59": "TOKO DIBLOKIR", "60": "JAKARTA PUSAT", "61": "10110"}
    facts = {"00": "01", "01": "11", "26": account, "51": central, "52": "5812", "53": "360"}
    open_end = _join({**facts, **place}) + "6304"
    return open_end + f"{crc_hqx(open_end.encode(), 0xFFFF):04X}"


def _fields(text: str) -> dict[str, str]:
    """The two-digit ids of one level of TLV, with their values."""
    fields: dict[str, str] = {}
    while text:
        end = 4 + int(text[2:4])
        fields[text[:2]] = text[4:end]
        text = text[end:]
    return fields


def _join(fields: dict[str, str]) -> str:
    return "".join(f"{number}{len(value):02d}{value}" for number, value in fields.items())
