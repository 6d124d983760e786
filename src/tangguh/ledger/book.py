"""The book as a decision sees it: verbs over rows in memory. Pure; the writer commits what changed.

The verbs are post, hold, post_hold, void_hold, expire_hold, reverse and open_account. Each first
judges, then changes: after the last check of a verb everything must succeed. A no is a Refused.
Invariant: the entries of every posting add up to zero, and no floor is broken (ADR-0008).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from tangguh.audit.journal import JournalPlan, Row
from tangguh.core.clock import business_date
from tangguh.core.errors import InvariantBroken
from tangguh.core.money import MINOR_MAX
from tangguh.core.outcome import Refusal, Refused
from tangguh.ledger import posting as postings
from tangguh.ledger.account import Account, AccountState
from tangguh.ledger.hold import Hold, HoldState, already_ended
from tangguh.ledger.plans import (
    ACCOUNT_TERMS,
    ACCOUNTS,
    ENTRIES,
    HOLDS,
    LEDGER_JOURNALS,
    LEDGER_SHELVES,
    POSTINGS,
    POSTINGS_WRITTEN,
    REVERSALS,
    ROW_SEALS,
    terms_of,
)
from tangguh.ledger.posting import Entry, Posting
from tangguh.ledger.shelf import Shelf, ShelfPlan, UndoEntry

if TYPE_CHECKING:
    from tangguh.core.ids import Ids

K = TypeVar("K")
R = TypeVar("R")


class Book:
    """One book's rows in memory, and the batch being decided on them."""

    def __init__(
        self,
        ids: Ids,
        shelves: Iterable[ShelfPlan[Any, Any]] = (),
        journals: Iterable[JournalPlan] = (),
    ) -> None:
        self.ids = ids
        self.batch_no = 0
        self.now = datetime.min.replace(tzinfo=UTC)
        self.today = date.min
        self._undo: list[UndoEntry] = []
        self._shelves = {plan.name: Shelf(plan, self._undo) for plan in (*LEDGER_SHELVES, *shelves)}
        self._journals: dict[str, list[Row]] = {
            plan.table: [] for plan in (*LEDGER_JOURNALS, *journals)
        }
        self._marks: list[int] = []
        self.accounts: Shelf[int, Account] = self._shelves[ACCOUNTS.name]
        self.holds: Shelf[UUID, Hold] = self._shelves[HOLDS.name]
        self.postings: Shelf[UUID, Posting] = self._shelves[POSTINGS.name]
        self.reversals: Shelf[UUID, UUID] = self._shelves[REVERSALS.name]
        self._entries = self._journals[ENTRIES.table]
        self._posted = self._journals[POSTINGS_WRITTEN.table]
        self._terms = self._journals[ACCOUNT_TERMS.table]

    # ---- for decisions -------------------------------------------------------------------------

    def shelf(self, plan: ShelfPlan[K, R]) -> Shelf[K, R]:
        """The rows of one kind; how packages above the ledger reach their own."""
        found: Shelf[K, R] = self._shelves[plan.name]
        return found

    def note(self, plan: JournalPlan, row: Row) -> None:
        """Add a row to an append-only table. The row is without its book_id."""
        self._journals[plan.table].append(row)

    def post(
        self,
        posting_id: UUID,
        kind: str,
        entries: tuple[Entry, ...],
        *,
        reverses: UUID | None = None,
        note: str = "",
        from_hold_of: int | None = None,
        forced: bool = False,
    ) -> Posting | Refused:
        """Write a balanced posting; every running balance with it.

        Refuses: ORDER_INVALID (unbalanced), ACCOUNT_NOT_FOUND, ACCOUNT_CLOSED (also a debit of a
        frozen one), BALANCE_OUT_OF_RANGE, INSUFFICIENT_FUNDS. The id must be unused: callers ask
        ``postings`` first. The same account may stand in several entries. ``from_hold_of``: the
        account whose held money this takes, which may have been frozen or closed meanwhile.
        ``forced``: an advice tells of money that is gone; no floor and no freeze can refuse it, and
        what an account then lacks is written down as overdrawn.
        """
        if refused := postings.unbalanced(entries):
            return refused
        after: dict[int, Account] = {}
        lines: list[Row] = []
        for account_id, amount in entries:
            account = after.get(account_id) or self.accounts.get(account_id)
            if account is None:
                return _no_account(account_id)
            refused = _cannot_move(account, amount)
            if refused is not None and account_id != from_hold_of and not forced:
                return refused
            moved = account.moved(amount)
            after[account_id] = moved
            lines.append(
                (
                    account_id,
                    moved.entry_seq,
                    self.batch_no,
                    posting_id,
                    amount,
                    moved.posted_minor,
                    self.now,
                )
            )
        for account_id, moved in after.items():
            if refused := _too_low(moved, self.accounts.get(account_id)):
                if not forced or refused.code is not Refusal.INSUFFICIENT_FUNDS:
                    return refused
                after[account_id] = moved.overdrawn()
        # From here on everything must succeed.
        for account_id, moved in after.items():
            self.accounts.put(account_id, moved)
        self._entries.extend(lines)
        return self._write(Posting(posting_id, kind, entries, self.now, reverses, note))

    def hold(
        self, hold_id: UUID, account_id: int, amount_minor: int, expires_at: datetime | None = None
    ) -> Hold | Refused:
        """Set money aside. Refuses AMOUNT_NOT_POSITIVE, ACCOUNT_*, INSUFFICIENT_FUNDS."""
        if amount_minor <= 0:
            return Refused(
                Refusal.AMOUNT_NOT_POSITIVE, "amount_minor", "a hold is at least one sen"
            )
        account = self.accounts.get(account_id)
        if account is None:
            return _no_account(account_id)
        if refused := _cannot_move(account, -amount_minor):
            return refused
        holding = account.holding(amount_minor)
        if refused := _too_low(holding, account):
            return refused
        held = Hold(hold_id, account_id, amount_minor, HoldState.HELD, self.now, expires_at)
        self.accounts.put(account_id, holding)
        self.holds.add(hold_id, held)
        return held

    def post_hold(
        self,
        hold_id: UUID,
        posting_id: UUID,
        kind: str,
        credits: tuple[Entry, ...],
        note: str = "",
        also: tuple[Entry, ...] = (),
    ) -> Posting | Refused:
        """Take up to the held sum and pay it to ``credits``; the rest becomes available again.

        ``also``: entries of the same posting that balance among themselves (an e-money float that
        follows its purse). Refuses HOLD_NOT_FOUND, HOLD_ALREADY_*, POST_EXCEEDS_HOLD, and what
        ``post`` refuses. The money is the hold's: no floor and no freeze can refuse it.
        """
        hold = self.holds.get(hold_id)
        if hold is None:
            return Refused(Refusal.HOLD_NOT_FOUND, "hold_id", "there is no such hold")
        if refused := already_ended(hold):
            return refused
        taken = sum(amount for _, amount in credits)
        if taken <= 0 or any(amount <= 0 for _, amount in credits):
            return Refused(Refusal.AMOUNT_NOT_POSITIVE, "credits", "a post takes at least one sen")
        if taken > hold.amount_minor:
            return Refused(
                Refusal.POST_EXCEEDS_HOLD,
                "credits",
                f"the hold has {hold.amount_minor}, not {taken}",
            )
        before = self._existing(hold.account_id)
        self.accounts.put(hold.account_id, before.holding(-hold.amount_minor))
        entries = ((hold.account_id, -taken), *credits, *also)
        posted = self.post(posting_id, kind, entries, note=note, from_hold_of=hold.account_id)
        if isinstance(posted, Refused):
            self.accounts.put(hold.account_id, before)
            return posted
        self.holds.put(hold_id, hold.ended(HoldState.POSTED, self.now, taken))
        return posted

    def void_hold(self, hold_id: UUID) -> Hold | Refused:
        """Give the whole held sum back to the account. Refuses HOLD_NOT_FOUND, HOLD_ALREADY_*."""
        return self._release(hold_id, HoldState.VOIDED)

    def expire_hold(self, hold_id: UUID) -> Hold | Refused:
        """Give it back because its time is over. Refuses also HOLD_NOT_YET_EXPIRED."""
        hold = self.holds.get(hold_id)
        is_open = hold is not None and hold.state is HoldState.HELD
        if hold is not None and is_open and (hold.expires_at is None or self.now < hold.expires_at):
            return Refused(Refusal.HOLD_NOT_YET_EXPIRED, "hold_id", "the hold's time is not over")
        return self._release(hold_id, HoldState.EXPIRED)

    def reverse(self, posting_id: UUID, reversal_id: UUID, note: str = "") -> Posting | Refused:
        """Write the equal and opposite posting, once.

        Refuses POSTING_NOT_FOUND, POSTING_ALREADY_REVERSED, POSTING_IS_A_REVERSAL, and what
        ``post`` refuses (the payee may have spent the money).
        """
        original = self.postings.get(posting_id)
        if original is None:
            return Refused(Refusal.POSTING_NOT_FOUND, "posting_id", "there is no such posting")
        if original.reverses is not None:
            return Refused(Refusal.POSTING_IS_A_REVERSAL, "posting_id", "a reversal stays")
        if self.reversals.get(posting_id) is not None:
            return Refused(Refusal.POSTING_ALREADY_REVERSED, "posting_id", "it was reversed before")
        opposite = postings.opposite(original.entries)
        reversal = self.post(reversal_id, "reversal", opposite, reverses=posting_id, note=note)
        if isinstance(reversal, Posting):
            self.reversals.put(posting_id, reversal_id)
        return reversal

    def open_account(self, account: Account) -> Account:
        """Add an account with nothing on it. The id must be unused: callers ask ``accounts``."""
        return self.set_terms(account)

    def set_terms(self, account: Account) -> Account:
        """Keep what an account is (kind, owner, state, floor, tier), in the chain too."""
        self.accounts.put(account.account_id, account)
        self._terms.append(terms_of(account, self.batch_no, len(self._terms)))
        return account

    def seal(self, plan: ShelfPlan[K, R], row: Row) -> None:
        """Have the chain remember a row that does not change now."""
        seals = self._journals[ROW_SEALS.table]
        relation, key, known = plan.seal_of(row)
        seals.append((relation, key, self.batch_no, len(seals), known))

    # ---- for the writer ------------------------------------------------------------------------

    def tick(self, now: datetime) -> None:
        """Move the book's time, which stands still within a decision and never runs backwards."""
        if now > self.now:
            self.now = now
            self.today = business_date(now)

    def begin(self) -> None:
        """Start a decision with an empty undo log."""
        self._undo.clear()
        self._marks = list(map(len, self._journals.values()))

    def undo(self) -> None:
        """Drop everything the current decision changed."""
        for shelf, key, old, mark in reversed(self._undo):
            shelf.undo(key, old, mark)
        self._undo.clear()
        for rows, mark in zip(self._journals.values(), self._marks, strict=True):
            del rows[mark:]

    def missing(self, name: str, keys: Iterable[Any]) -> list[Any]:
        """Those keys that are not in memory."""
        rows = self._shelves[name].rows
        return [key for key in keys if key not in rows]

    def is_loaded(self, name: str, key: Any) -> bool:
        """Whether the row, or its absence, is in memory."""
        return key in self._shelves[name].rows

    def shelves(self) -> Iterable[Shelf[Any, Any]]:
        """Every shelf."""
        return self._shelves.values()

    def take_journals(self) -> dict[str, list[Row]]:
        """The rows this batch appends; the journals start empty for the next one."""
        taken = {table: rows[:] for table, rows in self._journals.items()}
        for rows in self._journals.values():
            rows.clear()
        return taken

    def forget(self) -> None:
        """Drop every row in memory; PostgreSQL has the truth."""
        for shelf in self._shelves.values():
            shelf.forget()
        for rows in self._journals.values():
            rows.clear()
        self._undo.clear()

    # ---- inside --------------------------------------------------------------------------------

    def _write(self, posting: Posting) -> Posting:
        self.postings.add(posting.id, posting)
        self._posted.append(
            (
                posting.id,
                self.batch_no,
                len(self._posted),
                posting.kind,
                self.now,
                self.today,
                posting.reverses,
                posting.note,
            )
        )
        return posting

    def _release(self, hold_id: UUID, state: HoldState) -> Hold | Refused:
        hold = self.holds.get(hold_id)
        if hold is None:
            return Refused(Refusal.HOLD_NOT_FOUND, "hold_id", "there is no such hold")
        if refused := already_ended(hold):
            return refused
        account = self._existing(hold.account_id)
        self.accounts.put(hold.account_id, account.holding(-hold.amount_minor))
        ended = hold.ended(state, self.now)
        self.holds.put(hold_id, ended)
        return ended

    def _existing(self, account_id: int) -> Account:
        account = self.accounts.get(account_id)
        if account is None:
            raise InvariantBroken(f"a hold is on account {account_id}, which does not exist")
        return account


def _no_account(account_id: int) -> Refused:
    return Refused(Refusal.ACCOUNT_NOT_FOUND, "account_id", "there is no such account")


def _cannot_move(account: Account, amount: int) -> Refused | None:
    if account.state is AccountState.OPEN:
        return None
    if account.state is AccountState.FROZEN and amount > 0:
        return None
    return Refused(Refusal.ACCOUNT_CLOSED, "account_id", f"the account is {account.state}")


def _too_low(after: Account, before: Account | None) -> Refused | None:
    """Refuse a fall below the floor or out of range; a rise is never refused."""
    if not -MINOR_MAX <= after.posted_minor <= MINOR_MAX:
        return Refused(Refusal.BALANCE_OUT_OF_RANGE, "amount_minor", "the balance would overflow")
    if after.floor_minor is None or after.available_minor >= after.floor_minor:
        return None
    if before is not None and after.available_minor >= before.available_minor:
        return None
    return Refused(Refusal.INSUFFICIENT_FUNDS, "amount_minor", "the account has too little")
