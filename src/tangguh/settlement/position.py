"""Positions, payouts and deposits as postings, each under an id made from what it is for. Pure.

So whoever posts a cycle a second time finds it posted. The act beside each posting is written in
the same batch.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import ClassVar, Final
from uuid import UUID, uuid5

import msgspec

from tangguh.audit.trail import Remember
from tangguh.core.outcome import Refusal, Refused
from tangguh.ledger import chart
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.ledger.posting import Entry, Posting
from tangguh.payments.merchant.payouts import PAYOUTS, note_payout
from tangguh.settlement.signed import Signed

_POSITION: Final = UUID("73657474-6c65-5700-8000-000000000003")
_PAYOUT: Final = UUID("73657474-6c65-5700-8000-000000000004")
_DEPOSIT: Final = UUID("73657474-6c65-5700-8000-000000000005")
ACTOR: Final = "bank:settlement"
"""Who does what a cycle does by itself."""


class Cycle(msgspec.Struct, frozen=True):
    """The cycle a posting is for. ``revision`` counts the files it has had, from 1."""

    network: str
    day: date
    number: int
    revision: int = 1

    def __str__(self) -> str:
        return f"{self.network} {self.day.isoformat()} cycle {self.number} file {self.revision}"

    @property
    def posting_id(self) -> UUID:
        """The id of its position."""
        return uuid5(_POSITION, str(self))


class PostPosition(msgspec.Struct, frozen=True):
    """Pay a cycle's net from, or into, our account at the settlement bank.

    ``nets``: what the file says we owe (positive), by the account it stands on. ``earlier``: what
    files it supersedes have posted; only the difference to them is posted now.
    """

    names_keys_at_once: ClassVar[bool] = False

    cycle: Cycle
    nets: tuple[Entry, ...]
    sha256: str
    earlier: tuple[UUID, ...] = ()

    def keys(self, book: Book) -> Iterable[Key]:
        yield "postings", self.cycle.posting_id
        yield "accounts", chart.NOSTRO
        for account_id, _ in self.nets:
            yield "accounts", account_id
        for posting_id in self.earlier:
            yield "postings", posting_id
            if book.is_loaded("postings", posting_id):
                posted = book.postings.get(posting_id)
                for account_id, _ in posted.entries if posted else ():
                    yield "accounts", account_id

    def decide(self, book: Book) -> Posting | Refused | None:
        """The posting, new or as it stands; None when nothing is to be moved."""
        known = book.postings.get(self.cycle.posting_id)
        if known is not None:
            return known
        entries = self._entries(book)
        if not entries:
            return None
        note = f"{self.cycle} {self.sha256[:16]}"
        posted = book.post(self.cycle.posting_id, "settlement", entries, note=note)
        if isinstance(posted, Posting):
            told = msgspec.json.encode({"sha256": self.sha256, "entries": entries}).decode()
            Remember(ACTOR, "position.posted", f"cycle:{self.cycle}", told).decide(book)
        return posted

    def _entries(self, book: Book) -> tuple[Entry, ...]:
        wanted: dict[int, int] = {}
        for account_id, net in self.nets:
            wanted[account_id] = wanted.get(account_id, 0) - net
            wanted[chart.NOSTRO] = wanted.get(chart.NOSTRO, 0) + net
        for posting_id in self.earlier:
            posted = book.postings.get(posting_id)
            for account_id, amount in posted.entries if posted else ():
                wanted[account_id] = wanted.get(account_id, 0) - amount
        return tuple((account, minor) for account, minor in sorted(wanted.items()) if minor)


class PayOut(msgspec.Struct, frozen=True, kw_only=True):
    """Pay a merchant what waited at the cut-off, once per merchant, day and cycle.

    ``until``: the cut-off; what came later waits for the next. ``most_minor``: what was there then.
    """

    names_keys_at_once: ClassVar[bool] = True

    merchant_id: str
    waiting_id: int
    account_id: int
    day: date
    cycle: int
    until: datetime
    most_minor: int

    @property
    def posting_id(self) -> UUID:
        """The payout's id."""
        return uuid5(_PAYOUT, f"{self.merchant_id}:{self.day.isoformat()}:{self.cycle}")

    def keys(self, _book: Book) -> Iterable[Key]:
        return [
            ("postings", self.posting_id),
            ("accounts", self.waiting_id),
            ("accounts", self.account_id),
            (PAYOUTS.name, self.waiting_id),
        ]

    def decide(self, book: Book) -> Posting | Refused | None:
        """The posting, new or as it stands; None when nothing waits.

        Refuses ACCOUNT_NOT_FOUND, and what a posting refuses (the merchant's account is closed).
        """
        known = book.postings.get(self.posting_id)
        if known is not None:
            return known
        waiting = book.accounts.get(self.waiting_id)
        if waiting is None:
            return Refused(Refusal.ACCOUNT_NOT_FOUND, "waiting", "nothing can wait for it")
        minor = min(self.most_minor, waiting.available_minor)
        if minor <= 0:
            return None
        note = f"{self.merchant_id} {self.day.isoformat()} cycle {self.cycle}"
        entries = ((self.waiting_id, -minor), (self.account_id, minor))
        paid = book.post(self.posting_id, "payout", entries, note=note)
        if isinstance(paid, Posting):
            note_payout(book, self.waiting_id, self.account_id, self.until)
        return paid


class FillDeposit(msgspec.Struct, frozen=True, kw_only=True):
    """Send money to a partner that is paid in advance, once a day, signed by two people."""

    names_keys_at_once: ClassVar[bool] = True

    network: str
    account_id: int
    day: date
    amount_minor: int
    signed: Signed

    @property
    def posting_id(self) -> UUID:
        """The posting's id."""
        return uuid5(_DEPOSIT, f"{self.network}:{self.day.isoformat()}")

    def keys(self, _book: Book) -> Iterable[Key]:
        return [
            ("postings", self.posting_id),
            ("accounts", self.account_id),
            ("accounts", chart.NOSTRO),
        ]

    def decide(self, book: Book) -> Posting | Refused:
        """Refuses ORDER_INVALID (signatures), AMOUNT_NOT_POSITIVE, IDEMPOTENCY_KEY_REUSED."""
        if refused := self.signed.refused():
            return refused
        if self.amount_minor <= 0:
            return Refused(Refusal.AMOUNT_NOT_POSITIVE, "amount", "a deposit is at least one sen")
        entries = ((self.account_id, -self.amount_minor), (chart.NOSTRO, self.amount_minor))
        known = book.postings.get(self.posting_id)
        if known is not None:
            same = sorted(known.entries) == sorted(entries)
            return known if same else _reused("amount")
        posted = book.post(self.posting_id, "deposit", entries, note=f"deposit {self.network}")
        if isinstance(posted, Posting):
            told = self.signed.as_told(amount_minor=self.amount_minor)
            Remember(
                f"staff:{self.signed.by}", "deposit.filled", f"partner:{self.network}", told
            ).decide(book)
        return posted


def _reused(field: str) -> Refused:
    return Refused(
        Refusal.IDEMPOTENCY_KEY_REUSED, field, "the deposit was filled today by another sum"
    )
