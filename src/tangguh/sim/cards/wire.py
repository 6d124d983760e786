"""Telegrams, frames, MACs and PIN blocks as this side of the line makes and reads them."""

from __future__ import annotations

import hmac
import warnings
from typing import Final

import iso8583
import msgspec
from cryptography.utils import CryptographyDeprecationWarning
from iso8583.specs import default_ascii
from psec import des, mac, pinblock

# The network of this simulator lives on 3DES, as the real ones do.
warnings.filterwarnings("ignore", "TripleDES", CryptographyDeprecationWarning)

_MAC_DIGITS: Final = 16
_HEADER_BYTES: Final = 2
_TYPE_DIGITS: Final = 4


class NotATelegram(ValueError):
    """These bytes are no ISO 8583 message in ASCII."""


class Telegram(msgspec.Struct, frozen=True):
    """A message type and its data elements by number."""

    mti: str
    fields: dict[int, str]

    def get(self, number: int) -> str:
        """An element, or nothing."""
        return self.fields.get(number, "")

    @property
    def asks(self) -> bool:
        """Requests and advices have an even third digit."""
        return int(self.mti[2]) % 2 == 0

    def answered(self, code: str, **more: str) -> Telegram:
        """The answer: what was asked without the secret parts, DE39, and e.g. ``de48="..."``."""
        kept = {
            number: value
            for number, value in self.fields.items()
            if number not in (14, 22, 35, 43, 48, 52, 53, 55, 64, 95, 128)
        }
        kept[39] = code
        kept.update({int(name[2:]): value for name, value in more.items() if value})
        return Telegram(f"{self.mti[:2]}{int(self.mti[2]) + 1}0", kept)


def load_key(text: str) -> bytes:
    """A double-length 3DES key from hex, as 24 bytes."""
    key = bytes.fromhex(text)
    return key + key[:8] if len(key) == 16 else key


def read(raw: bytes) -> Telegram:
    """Raises NotATelegram."""
    try:
        decoded, _ = iso8583.decode(raw, default_ascii)
    except (iso8583.DecodeError, KeyError) as error:
        raise NotATelegram(str(error)) from None
    mti = decoded["t"]
    if len(mti) != _TYPE_DIGITS or not mti.isdigit():
        raise NotATelegram(f"type {mti!r}")
    fields = {int(name): text for name, text in decoded.items() if name.isdigit() and name != "1"}
    return Telegram(mti, fields)


def write(telegram: Telegram, mac_key: bytes | None = None) -> bytes:
    """The body without header; with a MAC where a key is given and it is not an 08xx."""
    document = {str(number): value for number, value in telegram.fields.items()}
    document["t"] = telegram.mti
    if mac_key is None or telegram.mti[1] == "8":
        return bytes(iso8583.encode(document, default_ascii)[0])
    place = "128" if max(telegram.fields) > 64 else "64"
    document[place] = "0" * _MAC_DIGITS
    covered = bytes(iso8583.encode(document, default_ascii)[0])[:-_MAC_DIGITS]
    return covered + mac_of(covered, mac_key).encode()


def mac_fits(raw: bytes, telegram: Telegram, mac_key: bytes | None) -> bool:
    """Whether the MAC is there and right, where one is due."""
    if mac_key is None or telegram.mti[1] == "8":
        return True
    given = telegram.get(128) or telegram.get(64)
    return hmac.compare_digest(given.upper(), mac_of(raw[:-_MAC_DIGITS], mac_key))


def mac_of(data: bytes, key: bytes) -> str:
    """ANSI X9.19 over zero-padded data."""
    return str(mac.generate_retail_mac(key[:8] * 3, key[8:16] * 3, data, padding=1).hex()).upper()


def frame(body: bytes) -> bytes:
    """With two bytes of length before it."""
    return len(body).to_bytes(_HEADER_BYTES, "big") + body


def pin_block(pin: str, pan: str, key: bytes) -> str:
    """ISO 9564 format 0 under a 3DES key."""
    return str(des.encrypt_tdes_ecb(key, pinblock.encode_pinblock_iso_0(pin, pan)).hex()).upper()


def pin_in(block: str, pan: str, key: bytes) -> str:
    """The PIN; empty when the block does not open."""
    try:
        clear = des.decrypt_tdes_ecb(key, bytes.fromhex(block))
        return str(pinblock.decode_pinblock_iso_0(clear, pan))
    except ValueError:
        return ""


def wrap_key(key: bytes, under: bytes) -> tuple[str, str]:
    """A new key under another in ECB, and its check value: what an 0800/161 carries."""
    wrapped = des.encrypt_tdes_ecb(under, key[:16]).hex()
    return str(wrapped).upper(), str(des.generate_kcv(load_key(key[:16].hex()), 3).hex()).upper()
