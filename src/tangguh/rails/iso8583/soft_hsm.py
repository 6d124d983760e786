"""A security module in software: for tests, demos and banks without one. The only place of 3DES.

Keys come in hex and leave neither by ``repr`` nor by any method. 3DES keys are always handed to the
cipher as 24 bytes, since shorter ones are about to be refused by the library. A real module takes
this one's place behind ``hsm.Hsm``.
"""

from __future__ import annotations

import hmac
import random
import warnings
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB
from cryptography.utils import CryptographyDeprecationWarning
from psec import des, pinblock
from psec import pin as pins

from tangguh.core.clock import Clock
from tangguh.core.errors import Misconfigured
from tangguh.rails.iso8583 import hsm

# Card networks still live on 3DES. Its removal from the library is watched for by a test.
warnings.filterwarnings("ignore", "TripleDES", CryptographyDeprecationWarning)

_DES_BYTES: Final = 8
_TRIPLE_BYTES: Final = 24
_NONCE_BYTES: Final = 12
_CHECK_VALUE_BYTES: Final = 3
_FORMAT_0_DIGITS: Final = 16
_FORMAT_4_DIGITS: Final = 32
_VISA_DIGITS: Final = 4
_VISA_KEY_INDEX: Final = "1"
_DECIMALS: Final = str.maketrans("0123456789abcdef", "0123456789012345")
_VALIDATION_DIGITS: Final = 11
_STORED_KEYS: Final = b"keys of the link, as they are kept"


class _RetailMac:
    """Algorithm 3 of ISO 9797-1 under one key: single DES over all blocks, 3DES on the last.

    The ciphers' contexts live on, since making one costs more than a message; so the chain does not
    begin at zero but at the last block it put out, which is taken off the first block of the next.
    """

    def __init__(self, key: bytes) -> None:
        first, second = key[:_DES_BYTES] * 3, key[_DES_BYTES : 2 * _DES_BYTES] * 3
        self._chain = Cipher(TripleDES(first), CBC(bytes(_DES_BYTES))).encryptor()
        self._once_more = Cipher(TripleDES(first), ECB()).encryptor()  # noqa: S305  one block
        self._back = Cipher(TripleDES(second), ECB()).decryptor()  # noqa: S305
        self._left = 0

    def of(self, data: bytes) -> str:
        """The whole MAC, 16 hexadecimal digits. An end that is no block is filled with zeros."""
        padded = data + bytes(-len(data) % _DES_BYTES) or bytes(_DES_BYTES)
        begin = int.from_bytes(padded[:_DES_BYTES], "big") ^ self._left
        head = begin.to_bytes(_DES_BYTES, "big")
        last = self._chain.update(head + padded[_DES_BYTES:])[-_DES_BYTES:]
        self._left = int.from_bytes(last, "big")
        return self._once_more.update(self._back.update(last)).hex().upper()


class SoftHsm:
    """Keys by name, each 16, 24 or 32 bytes in hex. 16 bytes of a 3DES key are used as K1 K2 K1.

    For one event loop: it keeps ciphers between calls, so two threads must not share it.
    """

    def __init__(
        self,
        keys: Mapping[str, str],
        source: random.Random | None = None,
        *,
        clock: Clock | None = None,
        window_seconds: float = 300.0,
    ) -> None:
        """``window_seconds``: how long a key is still understood after the next one; without a
        ``clock`` not at all. Raises Misconfigured when a key is no key.
        """
        self._clock = clock
        self._window_seconds = window_seconds
        self._before: dict[str, tuple[bytes, float]] = {}
        self._keys = {name: _key_bytes(name, text) for name, text in keys.items()}
        self._macs: dict[bytes, _RetailMac] = {}
        self._openers: dict[bytes, CipherContext] = {}
        self._closers: dict[bytes, CipherContext] = {}
        self._random = source if source is not None else random.SystemRandom()

    def __repr__(self) -> str:
        return f"SoftHsm({', '.join(sorted(self._keys))})"

    def encrypt_pin(self, pin: str, pan: str, key: str, *, block_format: int = 0) -> str:
        """A PIN block, format 0 (3DES) or 4 (AES, padded at random)."""
        if block_format == 0:
            return self._block_of(pin, pan, key, _FORMAT_0_DIGITS)
        if block_format == 4:
            return self._block_of(pin, pan, key, _FORMAT_4_DIGITS)
        raise ValueError(f"PIN block format {block_format} is not made here")

    def translate_pin(self, block: str, pan: str, *, source: str, target: str) -> str | None:
        """From one key to another; the card stays the same."""
        clear = self._pin_in(block, pan, source)
        return None if clear is None else self._block_of(clear, pan, target, len(block))

    def verify_pin(self, block: str, pan: str, *, key: str, value: str) -> bool | None:
        """Every digit counts, however long the PIN."""
        found = None
        for candidate in self._candidates(key):
            clear = self._pin_under(block, pan, candidate)
            if clear is not None:
                found = hmac.compare_digest(self._value_of(clear, pan), value)
            if found:
                break
        return found

    def pin_value(self, block: str, pan: str, *, key: str) -> str | None:
        """Visa PVV for four digits; for longer PINs, of which it would check four, an IBM 3624
        offset of the PIN's own length.
        """
        clear = self._pin_in(block, pan, key)
        return None if clear is None else self._value_of(clear, pan)

    def mac(self, data: bytes, key: str) -> str:
        """Retail MAC: single DES over all blocks, 3DES on the last."""
        return self._mac_under(data, self._key(key))

    def verify_mac(self, data: bytes, mac: str, key: str) -> bool:
        """Upper or lower case."""
        given = mac.upper().encode()
        return any(
            hmac.compare_digest(self._mac_under(data, candidate).encode(), given)
            for candidate in self._candidates(key)
        )

    def key_check_value(self, key: str) -> str:
        """The first six digits of zeros encrypted."""
        return _check_value(self._triple(key))

    def unwrap_key(self, key: str, wrapped: str, check_value: str) -> str | None:
        """Under the ZMK in ECB, block by block, as the switches' key exchange has it.

        Sealed under a key made of SEAL for this one purpose, and bound to its name.
        """
        try:
            hidden = bytes.fromhex(wrapped)
        except ValueError:
            return None
        if len(hidden) not in (2 * _DES_BYTES, _TRIPLE_BYTES) or hsm.ZMK not in self._keys:
            return None
        clear = des.decrypt_tdes_ecb(self._triple(hsm.ZMK), hidden)
        if not hmac.compare_digest(_check_value(_as_triple(clear)), check_value.upper()):
            return None
        nonce = self._random.randbytes(_NONCE_BYTES)
        return (nonce + self._storage().encrypt(nonce, clear, key.encode())).hex()

    def use_key(self, key: str, sealed: str) -> bool:
        """False for anything that was not sealed here under this name."""
        try:
            whole = bytes.fromhex(sealed)
            nonce, hidden = whole[:_NONCE_BYTES], whole[_NONCE_BYTES:]
            clear = self._storage().decrypt(nonce, hidden, key.encode())
        except (ValueError, InvalidTag):
            return False
        before = self._keys.get(key)
        if before is not None and before != clear and self._clock is not None:
            self._before[key] = before, self._clock.monotonic() + self._window_seconds
        self._keys[key] = clear
        return True

    def end_window(self) -> None:
        """The keys before are forgotten."""
        self._before.clear()

    def seal(self, pan: str) -> str:
        """AES-GCM: nonce, then ciphertext with its tag, in hex."""
        nonce = self._random.randbytes(_NONCE_BYTES)
        sealed = AESGCM(self._key(hsm.SEAL)).encrypt(nonce, pan.encode("ascii"), None)
        return (nonce + sealed).hex()

    def open_sealed(self, sealed: str) -> str | None:
        """None for anything that was not sealed under this key."""
        try:
            whole = bytes.fromhex(sealed)
            nonce, hidden = whole[:_NONCE_BYTES], whole[_NONCE_BYTES:]
            return AESGCM(self._key(hsm.SEAL)).decrypt(nonce, hidden, None).decode("ascii")
        except (ValueError, InvalidTag):
            return None

    def token(self, pan: str) -> str:
        """HMAC-SHA256, the first half."""
        return hmac.new(self._key(hsm.TOKEN), pan.encode("ascii"), sha256).hexdigest()[:32]

    def _storage(self) -> AESGCM:
        return AESGCM(hmac.new(self._key(hsm.SEAL), _STORED_KEYS, sha256).digest())

    def _candidates(self, name: str) -> tuple[bytes, ...]:
        """The key in force, and the one before while it is still understood."""
        now, before = self._key(name), self._before.get(name)
        if before is None or self._clock is None:
            return (now,)
        if self._clock.monotonic() >= before[1]:
            del self._before[name]
            return (now,)
        return now, before[0]

    def _mac_under(self, data: bytes, key: bytes) -> str:
        whole = _as_triple(key)
        known = self._macs.get(whole)
        if known is None:
            known = self._macs[whole] = _RetailMac(whole)
        return known.of(data)

    def _opened(self, hidden: bytes, key: bytes) -> bytes:
        """One block out of 3DES; the cipher is made once per key."""
        whole = _as_triple(key)
        opener = self._openers.get(whole)
        if opener is None:
            opener = Cipher(TripleDES(whole), ECB()).decryptor()  # noqa: S305  one block
            self._openers[whole] = opener
        return opener.update(hidden)

    def _closed(self, clear: bytes, key: bytes) -> bytes:
        """One block into 3DES; the cipher is made once per key."""
        closer = self._closers.get(key)
        if closer is None:
            closer = Cipher(TripleDES(key), ECB()).encryptor()  # noqa: S305  one block
            self._closers[key] = closer
        return closer.update(clear)

    def _block_of(self, clear: str, pan: str, key: str, digits: int) -> str:
        if digits == _FORMAT_4_DIGITS:
            block = pinblock.encipher_pinblock_iso_4(self._key(key), clear, pan)
        else:
            plain = pinblock.encode_pinblock_iso_0(clear, pan)
            block = des.encrypt_tdes_ecb(self._triple(key), plain)
        return str(block.hex()).upper()

    def _pin_in(self, block: str, pan: str, key: str) -> str | None:
        clear = (self._pin_under(block, pan, candidate) for candidate in self._candidates(key))
        return next((one for one in clear if one is not None), None)

    def _pin_under(self, block: str, pan: str, key: bytes) -> str | None:
        try:
            hidden = bytes.fromhex(block)
            if len(block) == _FORMAT_4_DIGITS:
                return str(pinblock.decipher_pinblock_iso_4(key, hidden, pan))
            if len(block) != _FORMAT_0_DIGITS:
                return None
            plain = self._opened(hidden, key)
            return str(pinblock.decode_pinblock_iso_0(plain, pan))
        except ValueError:
            return None

    def _value_of(self, clear: str, pan: str) -> str:
        key = self._triple(hsm.PVK)
        if len(clear) == _VISA_DIGITS:
            return str(pins.generate_visa_pvv(key, pvki=_VISA_KEY_INDEX, pin=clear, pan=pan))
        validation = pan[-1 - _VALIDATION_DIGITS : -1].ljust(_FORMAT_0_DIGITS, "F")
        natural = self._closed(bytes.fromhex(validation), key).hex().translate(_DECIMALS)
        # The library's own way makes the cipher anew for each PIN, which costs more than the rest.
        return "".join(
            str((int(digit) - int(known)) % 10)
            for digit, known in zip(clear, natural, strict=False)
        )

    def _key(self, name: str) -> bytes:
        if name not in self._keys:
            raise Misconfigured(f"iso8583: no key named {name}")
        return self._keys[name]

    def _triple(self, name: str) -> bytes:
        return _as_triple(self._key(name))


def _as_triple(key: bytes) -> bytes:
    return key + key[:_DES_BYTES] if len(key) == 2 * _DES_BYTES else key[:_TRIPLE_BYTES]


def _check_value(key: bytes) -> str:
    return str(des.generate_kcv(key, _CHECK_VALUE_BYTES).hex()).upper()


def _key_bytes(name: str, text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) not in (16, 24, 32):
        # Says which key, never what was written there.
        raise Misconfigured(f"iso8583: key {name} is not 16, 24 or 32 bytes in hex")
    return key
