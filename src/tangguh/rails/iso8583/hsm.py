"""The port to the security module: everything that needs a clear PIN or a clear key.

Keys are spoken of by name. A PIN enters in a block under a key and leaves in a block under another
key, or as yes or no. ``None`` means that a block, a sealed value or a key did not open: never why.
"""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

ZMK: Final = "zmk"
"""Zone master key: other keys arrive under it."""
ZPK: Final = "zpk"
"""Zone PIN key: PIN blocks between us and the switch."""
TPK: Final = "tpk"
"""Terminal PIN key: PIN blocks between us and our terminals."""
PVK: Final = "pvk"
"""PIN verification key."""
MAK: Final = "mak"
"""MAC key of the link to the switch."""
TAK: Final = "tak"
"""MAC key of our terminals."""
SEAL: Final = "seal"
"""AES key that card numbers are sealed under."""
TOKEN: Final = "token"  # noqa: S105  the name of a key
"""Key of the one-way tokens of card numbers."""


class Hsm(Protocol):
    """What the bank asks of its security module. PIN blocks, MACs and check values in hex.

    A PIN block of 16 hex digits is ISO 9564 format 0 under 3DES, one of 32 format 4 under AES.
    """

    def encrypt_pin(self, pin: str, pan: str, key: str, *, block_format: int = 0) -> str:
        """A PIN block, for issuing and for terminals. Raises ValueError on what is no PIN."""
        ...

    def translate_pin(self, block: str, pan: str, *, source: str, target: str) -> str | None:
        """The same PIN for the same card under another key, in the same format."""
        ...

    def verify_pin(self, block: str, pan: str, *, key: str, value: str) -> bool | None:
        """Whether the PIN fits its verification value; None when the block does not open."""
        ...

    def pin_value(self, block: str, pan: str, *, key: str) -> str | None:
        """The verification value of a (new) PIN: what may be stored instead of it."""
        ...

    def mac(self, data: bytes, key: str) -> str:
        """ISO 9797-1 algorithm 3 with padding 1, 16 hex digits."""
        ...

    def verify_mac(self, data: bytes, mac: str, key: str) -> bool:
        """Compares in constant time."""
        ...

    def key_check_value(self, key: str) -> str:
        """Six hex digits that tell two keys apart without telling them."""
        ...

    def unwrap_key(self, key: str, wrapped: str, check_value: str) -> str | None:
        """A key that came under the ZMK, when it shows its check value (0800/161): sealed so that
        only this module can use it, for whoever keeps it. Not in force yet.
        """
        ...

    def use_key(self, key: str, sealed: str) -> bool:
        """Put a key it sealed under this name in force. The one before is still understood for a
        while, since messages under it are on their way.
        """
        ...

    def end_window(self) -> None:
        """Understand the keys in force only, from now on."""
        ...

    def seal(self, pan: str) -> str:
        """A card number that only this module can read, different each time."""
        ...

    def open_sealed(self, sealed: str) -> str | None:
        """The card number again."""
        ...

    def token(self, pan: str) -> str:
        """A card number's one-way name: the same each time, 32 hex digits."""
        ...


class KeptKeys(Protocol):
    """Where keys that a switch gave us outlive the process. Sealed: only our module can use them.

    ``instead_of`` is the check value of the key in the settings that the kept one stands for: where
    people have set another since, theirs counts.
    """

    async def keep(self, key: str, sealed: str, instead_of: str) -> None:
        """Kept when it returns. Raises TangguhError when it is not."""
        ...

    async def kept(self) -> list[KeptKey]:
        """Every one, by its name."""
        ...


class KeptKey(msgspec.Struct, frozen=True):
    """One key as it is kept."""

    key: str
    sealed: str
    instead_of: str
