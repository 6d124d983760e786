"""Whose account a number is, for networks that ask before they send."""

from __future__ import annotations

from tangguh.core.errors import TangguhError
from tangguh.core.outcome import Declined, Refusal, Unanswered
from tangguh.customers import store as customers
from tangguh.db.pool import Pool

_DIGITS_MAX = 16


class AccountBook:
    """The names behind our accounts, as other banks' customers see them before they pay."""

    def __init__(self, pool: Pool, book_id: int) -> None:
        self._pool = pool
        self._book_id = book_id

    async def name_of(self, account: str) -> str | Declined | Unanswered:
        """The owner's name. Declined: there is no such account; Unanswered: ask again."""
        if not (account.isascii() and account.isdigit() and len(account) <= _DIGITS_MAX):
            return Declined(Refusal.PAYEE_NOT_FOUND)
        try:
            owner = await customers.owner_of(self._pool, self._book_id, int(account))
        except TangguhError:
            return Unanswered("the book cannot be reached")
        return owner.full_name if owner else Declined(Refusal.PAYEE_NOT_FOUND)
