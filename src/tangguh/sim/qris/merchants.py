"""The merchants that exist in this world, each with the QR codes it shows.

The facts of a merchant are read from its own codes, by a reader of the simulator's own: a table and
a code could contradict each other, a code cannot. Test data; the names of networks are real.
"""

from __future__ import annotations

from binascii import crc_hqx
from typing import Final

import msgspec

_ACCOUNT_IDS: Final = tuple(f"{number:02d}" for number in range(26, 46))

_CODES: Final = {
    "V1": (
        "00020101021226580006id.ovo01189360091200006049620215yq38ZDs7MI6oaz50303UKE51450015ID.OR.GP"
        "NQR.WWW0215ID10200416988350303UKE520458125303360540650000055020357030.75802ID5911Tims Donu"
        "ts6013Jakarta Barat61051161062310507VCcCtqJ0716HgxK16eFVHfvKnGO6304265F"
    ),
    "V3": (
        "00020101021226580006id.ovo01189360091200006049620215yq38ZDs7MI6oaz50303UKE51450015ID.OR.GP"
        "NQR.WWW0215ID10200416988350303UKE52045812530336054061000005502015802ID5911Tims Donuts6013J"
        "akarta Barat61051161062310507VCcCtqJ0716HgxK16eFVHfvKnGO6304E237"
    ),
    "V4": (
        "00020101021226640018ID.CO.ASTRAPAY.WWW011893600822321000045502092100004550303UBE51440014ID"
        ".CO.QRIS.WWW0215ID20210719803990303UBE520475385303360540745480515802ID5916AUTO2000 Bintaro"
        "6009Tangerang610515118626001152110050107770150715ASTRAPAY210502198180209210000455030116304"
        "E3CF"
    ),
    "V5": (
        "00020101021126570011ID.DANA.WWW011893600915300060605702090006060570303UMI51440014ID.CO.QRI"
        "S.WWW0215ID10190046990790303UMI5204481453033605802ID5912Saifullah.id6014Kota Pontianak6105"
        "7812463045F72"
    ),
    "V7": (
        "00020101021126630014ID.SPINPAY.WWW011893600816343100062402121314310006240303UMI51440014ID."
        "CO.QRIS.WWW0215ID10200384314890303UMI5204839853033605802ID5904SPIN6013Jakarta Pusat6105103"
        "4062140103***0703A0163045CDD"
    ),
    "V8": (
        "00020101021226530012COM.DOKU.WWW0118936008990000002475020424750303URE51440014ID.CO.QRIS.WW"
        "W0215ID10200392934820303URE5204539953033605404100055020256035005802ID5911GUREUM SHOP6013JA"
        "KARTA PUSAT61051064062070703A016304FD26"
    ),
    "V11": (
        "00020101021126670018ID.CO.EXAMPLE2.WWW01159360001404567890215MIDCONTOH1234560303UMI5137001"
        "4ID.CO.QRIS.WWW0215ID10191234567815204123453033605802ID5914NamaMerchantC16009NamaKota16110"
        "123456789062070703K196304B22E"
    ),
    "V14": (
        "00020101021126610014COM.GO-JEK.WWW01189360091432840999140210G2840999140303UMI51440014ID.CO"
        ".QRIS.WWW0215ID10253780771980303UMI5204549953033605802ID5916SIINMEDIA, PCNGN6006JEPARA6105"
        "5946262070703A01630456FE"
    ),
    "V16": (
        "00020101021226660014ID.LINKAJA.WWW011893600911002711446402151902170711446450303UBE51450015"
        "ID.OR.GPNQR.WWW02150000000000000000303UBE520454995802ID5920SPBU SNTRA BISNIS AR6001-6101-6"
        "21801143414210-7584075303360550201540630000063040FA0"
    ),
    "S1": (
        "00020101021126660017ID.CO.BANKDKI.WWW011893600111300000001802120003000000010303UMI51440014"
        "ID.CO.QRIS.WWW0215ID10250000000120303UMI5204581253033605802ID5918WARUNG UJI JAKARTA6013JAK"
        "ARTA PUSAT61051011062070703A0163047BFD"
    ),
    "S2": (
        "00020101021226660017ID.CO.BANKDKI.WWW011893600111300000001802120003000000010303UMI51440014"
        "ID.CO.QRIS.WWW0215ID10250000000120303UMI5204581253033605405250005802ID5918WARUNG UJI JAKAR"
        "TA6013JAKARTA PUSAT61051011062180107INV00010703A016304E7DE"
    ),
}


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
    shown = [read_payload(label, payload) for label, payload in _CODES.items()]
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
