"""Cohorts: which customers are let in when only so many of a thousand are. Pure.

A customer's place among the thousand follows from the closure's salt alone, so cohorts are nested:
whoever is in at one permille is in at five hundred, and in again whenever that many are. Nobody
sees a service open, close and open because of the way the dice fell.
"""

from __future__ import annotations

import hashlib
from typing import Final

PLACES: Final = 1000


def place_of(salt: str, customer_id: int) -> int:
    """A customer's place from 0 to 999; another salt gives another order of customers."""
    digest = hashlib.sha256(f"{salt}/{customer_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") * PLACES >> 64


def is_let_in(salt: str, customer_id: int, permille: int) -> bool:
    """Whether this customer is among the first ``permille`` of a thousand."""
    return place_of(salt, customer_id) < permille
