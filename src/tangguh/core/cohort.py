"""Which customers are let in first: a stable place for each, from 0 to 999. Pure.

The place depends on a salt, so that it is not always the same people who wait; for one salt a
customer who is in at 1 % is in at 5 %, so nobody sees a service flap (ADR-0020).
"""

from __future__ import annotations

import hashlib

PERMILLE = 1000


def place_of(salt: str, customer_id: int) -> int:
    """The customer's place among a thousand, 0 to 999."""
    digest = hashlib.blake2b(f"{salt}:{customer_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % PERMILLE


def is_let_in(salt: str, customer_id: int, permille: int) -> bool:
    """Whether the customer is among the first so many of a thousand."""
    return permille >= PERMILLE or place_of(salt, customer_id) < permille
