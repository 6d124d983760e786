"""Customer-presented codes: base64 of BER-TLV, made by the payer's bank, read by the merchant's.

``decode`` never raises; ``encode`` reproduces the published vectors byte for byte. The one-time
token (9F74) stands for the payer; the PAN beside it only says where to send it.
"""

from __future__ import annotations

import binascii
from typing import Final

import msgspec

from tangguh.rails.qris import ber
from tangguh.rails.qris.message import Finding
from tangguh.rails.qris.nns import NNS_LENGTH, nns_of
from tangguh.rails.qris.page import Found, is_digits, open_text
from tangguh.rails.qris.tlv import Broken, CannotEncode

KIND: Final = "cpm"
PAYLOAD_FORMAT: Final = "CPV01"
ADF_QRIS: Final = "A0000006022020"
LABEL_QRIS: Final = "QRISCPM"
_BASE64_BEGIN: Final = "hQ"
"""Tag 85 with any length below 64 begins so; merchant-presented text begins with a digit."""

_TEXT_TAGS: Final = {
    "50": "label",
    "5F20": "holder_name",
    "5F2D": "language",
    "5F50": "issuer_url",
    "9F19": "token_requestor",
    "9F24": "account_reference",
    "9F25": "last_digits",
}
_BINARY_TAGS: Final = {"4F": "adf", "57": "track2", "9F08": "version"}
_ORDER: Final = ["4F", "50", "57", "5A", "5F20", "5F2D", "5F50", "9F08", "9F19", "9F24", "9F25"]
_LAST_DIGITS: Final = "9F25"
_PACKED_DIGITS: Final = 2
_LENGTHS: Final = {
    "4F": (5, 16),
    "50": (1, 16),
    "57": (4, 19),
    "5A": (4, 10),
    "5F20": (2, 26),
    "5F2D": (2, 8),
    "9F08": (2, 2),
    "9F24": (29, 29),
    "9F74": (8, 64),
    "9F26": (8, 8),
    "9F27": (1, 1),
    "9F10": (1, 32),
    "9F36": (2, 2),
    "82": (2, 2),
    "9F37": (4, 4),
}
_MANDATORY: Final = {
    "4F": "the application (ADF name)",
    "50": "the application label",
    "63": "the transparent template with the token",
}
_BROKEN_SENTENCES: Final = {
    "truncated": "The data ends before tag {field} does.",
    "tag_malformed": "There is no readable tag after {field}.",
    "length_malformed": "The length of tag {field} cannot be read.",
}


class CpmCode(msgspec.Struct, frozen=True, kw_only=True):
    """A customer-presented code. ``adf``, ``track2`` and ``version`` are hexadecimal.

    ``transparent`` are the tags beside the token in template 63, ``unnamed`` those of template 61
    that have no name here: (tag, hexadecimal value) as they came.
    """

    token: str = ""
    pan: str = ""
    track2: str = ""
    adf: str = ADF_QRIS
    label: str = LABEL_QRIS
    holder_name: str = ""
    language: str = ""
    issuer_url: str = ""
    version: str = ""
    token_requestor: str = ""
    account_reference: str = ""
    last_digits: str = ""
    transparent: tuple[tuple[str, str], ...] = ()
    unnamed: tuple[tuple[str, str], ...] = ()

    @property
    def account_pan(self) -> str:
        """The PAN from 5A, or else from the track 2 data."""
        return self.pan or self.track2.partition("D")[0]

    @property
    def nns(self) -> str:
        """Whose customer this is: the first eight digits of the PAN."""
        return nns_of(self.account_pan)


class CpmReading(msgspec.Struct, frozen=True):
    """What decoding gave: ``code`` only when there is no error, ``seen`` whatever could be read."""

    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    seen: CpmCode

    @property
    def valid(self) -> bool:
        """Whether the code may be used; warnings do not forbid it."""
        return not self.errors

    @property
    def kind(self) -> str:
        """Always ``cpm``."""
        return KIND

    @property
    def code(self) -> CpmCode | None:
        """The code if it is valid."""
        return None if self.errors else self.seen


_NOTHING_SEEN: Final = CpmCode(adf="", label="")


def looks_like_cpm(payload: str | bytes) -> bool:
    """Whether to read this as a customer-presented code rather than a merchant's."""
    if isinstance(payload, bytes):
        return payload.startswith(_BASE64_BEGIN.encode())
    return payload.startswith(_BASE64_BEGIN)


def decode(payload: str | bytes) -> CpmReading:
    """Read and judge the base64 text of a customer-presented code, at most 512 characters."""
    found = Found()
    text = open_text(payload)
    if isinstance(text, Finding):
        return CpmReading((text,), (), _NOTHING_SEEN)
    try:
        data = binascii.a2b_base64(text.encode(), strict_mode=True)
    except binascii.Error:
        found.refuse("not_base64", "payload", "A customer's code is base64 text.")
        return CpmReading(tuple(found.errors), (), _NOTHING_SEEN)
    seen = _read(data, found)
    return CpmReading(tuple(found.errors), tuple(found.warnings), seen)


def _read(data: bytes, found: Found) -> CpmCode:
    """Root level: 85 first, then the application template 61; 62 and 64 are let pass."""
    elements, broken = ber.walk(data)
    _note_broken(broken, "payload", found)
    if not elements or elements[0][0] != "85":
        found.refuse("cpm_format_not_first", "85", "Tag 85 (payload format) must be the first.")
    elif elements[0][1] != PAYLOAD_FORMAT.encode():
        found.refuse("cpm_format_unknown", "85", f"The payload format is {PAYLOAD_FORMAT}.")
    if sum(tag == "85" for tag, _ in elements) > 1:
        found.refuse("duplicate_85", "85", "Tag 85 may appear only once.")
    applications = [value for tag, value in elements if tag == "61"]
    if not applications:
        if broken is None:
            found.refuse("field_61_missing", "61", "The application template (61) is missing.")
        return _NOTHING_SEEN
    if len(applications) > 1:
        found.warn(
            "several_applications", "61", "There are several applications; the first counts."
        )
    return _read_application(applications[0], found)


def _read_application(data: bytes, found: Found) -> CpmCode:
    elements, broken = ber.walk(data)
    _note_broken(broken, "61", found)
    values = _judge_elements(elements, "61", found)
    for tag, name in _MANDATORY.items():
        if tag not in values and broken is None:
            found.refuse(f"field_{tag}_missing", tag, f"Tag {tag}, {name}, is missing.")
    if "4F" in values and values["4F"].hex().upper() != ADF_QRIS:
        found.refuse("adf_not_qris", "4F", f"The application is {ADF_QRIS} for QRIS.")
    if "50" in values and values["50"] != LABEL_QRIS.encode():
        found.refuse("label_not_qris", "50", f"The application label is {LABEL_QRIS}.")
    if "57" not in values and "5A" not in values and broken is None:
        found.refuse("cpm_account_missing", "5A", "There is neither a PAN (5A) nor track 2 (57).")
    token, transparent = _read_transparent(values.get("63"), found)
    known = {*_TEXT_TAGS, *_BINARY_TAGS, "5A", "63"}
    seen = CpmCode(
        **{
            "adf": "",
            "label": "",
            **{
                name: values[tag].hex().upper()
                for tag, name in _BINARY_TAGS.items()
                if tag in values
            },
            **{
                name: _last_digits(values[tag], found)
                if tag == _LAST_DIGITS
                else _text(values[tag], tag, found)
                for tag, name in _TEXT_TAGS.items()
                if tag in values
            },
        },
        pan=_unpack(values.get("5A", b"")),
        token=token,
        transparent=transparent,
        unnamed=tuple(
            (tag, value.hex().upper()) for tag, value in values.items() if tag not in known
        ),
    )
    _judge_pan(seen, "5A" if "5A" in values else "57", found)
    return seen


def _read_transparent(data: bytes | None, found: Found) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Template 63: the token in 9F74, and whatever the issuer put beside it."""
    if data is None:
        return "", ()
    elements, broken = ber.walk(data)
    _note_broken(broken, "63", found)
    values = _judge_elements(elements, "63", found)
    if "9F74" not in values and broken is None:
        found.refuse("field_9F74_missing", "9F74", "The one-time token (9F74) is missing.")
    others = tuple((tag, value.hex().upper()) for tag, value in values.items() if tag != "9F74")
    return _text(values.get("9F74", b""), "9F74", found), others


def _note_broken(broken: Broken | None, template: str, found: Found) -> None:
    if broken is not None:
        field = broken.field or template
        found.refuse(broken.rule, field, _BROKEN_SENTENCES[broken.rule].format(field=field))


def _judge_elements(
    elements: list[tuple[str, bytes]], template: str, found: Found
) -> dict[str, bytes]:
    """No tag twice, each as long as it may be. Of a repeated tag the first value is kept."""
    values: dict[str, bytes] = {}
    for tag, value in elements:
        if tag in values:
            found.refuse(f"duplicate_{tag}", tag, f"Tag {tag} may appear only once in {template}.")
            continue
        values[tag] = value
        shortest, longest = _LENGTHS.get(tag, (0, len(value)))
        if not shortest <= len(value) <= longest:
            found.refuse(
                f"field_{tag}_length_wrong",
                tag,
                f"Tag {tag} has {len(value)} bytes; it may have {shortest} to {longest}.",
            )
    return values


def _last_digits(value: bytes, found: Found) -> str:
    """The PAN's last four digits: four characters, or packed two to a byte as some wallets do."""
    packed = value.hex()
    if len(value) == _PACKED_DIGITS and is_digits(packed):
        found.warn("field_9F25_packed", _LAST_DIGITS, "Tag 9F25 is packed two to a byte.")
        return packed
    return _text(value, _LAST_DIGITS, found)


def _text(value: bytes, tag: str, found: Found) -> str:
    """Printable ASCII, or nothing and an error."""
    text = value.decode("ascii", "replace")
    if text.isascii() and text.isprintable():
        return text
    found.refuse(f"field_{tag}_not_text", tag, f"Tag {tag} may hold printable ASCII only.")
    return ""


def _unpack(packed: bytes) -> str:
    """Digits packed two to a byte, without the F that fills the last byte."""
    return packed.hex().upper().removesuffix("F")


def _judge_pan(seen: CpmCode, tag: str, found: Found) -> None:
    pan = seen.account_pan
    if pan and not (is_digits(pan) and NNS_LENGTH <= len(pan) <= 19):
        found.refuse("pan_malformed", tag, "A PAN is 8 to 19 digits, the first eight its NNS.")


def encode(code: CpmCode) -> str:
    """The base64 text of a customer-presented code.

    Raises CannotEncode on a PAN that is not digits, on text that is not ASCII and on hexadecimal
    that is not. It does not judge: ``decode`` what it returns before showing it to anyone.
    """
    try:
        inside = {tag: getattr(code, name).encode("ascii") for tag, name in _TEXT_TAGS.items()}
        inside |= {tag: bytes.fromhex(getattr(code, name)) for tag, name in _BINARY_TAGS.items()}
        inside["5A"] = _pack(code.pan)
        body = b"".join(ber.write(tag, inside[tag]) for tag in _ORDER if inside[tag])
        body += b"".join(ber.write(tag, bytes.fromhex(value)) for tag, value in code.unnamed)
        transparent = ber.write("9F74", code.token.encode("ascii"))
        transparent += b"".join(
            ber.write(tag, bytes.fromhex(value)) for tag, value in code.transparent
        )
    except ValueError as error:
        raise CannotEncode(f"this code cannot be written: {error}") from error
    data = ber.write("85", PAYLOAD_FORMAT.encode())
    data += ber.write("61", body + ber.write("63", transparent))
    return binascii.b2a_base64(data, newline=False).decode()


def _pack(digits: str) -> bytes:
    """Two digits to a byte, an odd one filled with F."""
    if digits and not is_digits(digits):
        raise CannotEncode("a PAN is digits only")
    return bytes.fromhex(digits + "F" * (len(digits) % 2))
