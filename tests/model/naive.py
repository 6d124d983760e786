"""A naive ledger to judge the real one by: lists and sums, no batches, no cache, no shared code.

Every balance is added up anew from the list of entries, every time it is asked for.
"""

from __future__ import annotations


class NaiveLedger:
    """Answers the same commands as the book, as (verdict, detail) pairs, the slow way."""

    def __init__(self) -> None:
        self.floors: dict[int, int | None] = {}
        self.owners: dict[int, int] = {}
        self.entries: list[tuple[int, int]] = []
        self.postings: dict[object, tuple] = {}
        self.reversed: dict[object, object] = {}
        self.holds: dict[object, dict] = {}

    def posted(self, account: int) -> int:
        return sum(amount for owner, amount in self.entries if owner == account)

    def held(self, account: int) -> int:
        return sum(
            hold["amount"]
            for hold in self.holds.values()
            if hold["account"] == account and hold["state"] == "held"
        )

    def open_account(self, account: int, owner: int, floor: int | None) -> str:
        if account in self.floors:
            return "ok" if self.owners[account] == owner else "idempotency_key_reused"
        self.floors[account], self.owners[account] = floor, owner
        return "ok"

    def post(self, posting: object, entries: tuple, reverses: object = None) -> str:
        if posting in self.postings:
            same = sorted(self.postings[posting]) == sorted(entries)
            return "ok" if same else "idempotency_key_reused"
        return self._write(posting, entries)

    def _write(self, posting: object, entries: tuple, freed: tuple[int, int] = (0, 0)) -> str:
        """``freed``: (account, sum) that a hold has just let go of for this posting."""
        if len(entries) < 2:
            return "order_invalid"
        for _, amount in entries:
            if amount == 0:
                return "amount_not_positive"
        if sum(amount for _, amount in entries) != 0:
            return "order_invalid"
        if any(account not in self.floors for account, _ in entries):
            return "account_not_found"
        for account in {account for account, _ in entries}:
            change = sum(amount for owner, amount in entries if owner == account)
            extra = freed[1] if freed[0] == account else 0
            before = self.posted(account) - self.held(account) + extra
            floor = self.floors[account]
            if floor is not None and before + change < floor and change < 0:
                return "insufficient_funds"
        self.entries.extend(entries)
        self.postings[posting] = entries
        return "ok"

    def hold(self, hold: object, account: int, amount: int, expires: object) -> str:
        if hold in self.holds:
            known = self.holds[hold]
            same = (known["account"], known["amount"], known["expires"]) == (
                account,
                amount,
                expires,
            )
            return "ok" if same else "idempotency_key_reused"
        if amount <= 0:
            return "amount_not_positive"
        if account not in self.floors:
            return "account_not_found"
        floor = self.floors[account]
        if floor is not None and self.posted(account) - self.held(account) - amount < floor:
            return "insufficient_funds"
        self.holds[hold] = {
            "account": account, "amount": amount, "state": "held", "expires": expires,
        }  # fmt: skip
        return "ok"

    def _ended(self, hold: object) -> str | None:
        if hold not in self.holds:
            return "hold_not_found"
        state = self.holds[hold]["state"]
        return None if state == "held" else f"hold_already_{state}"

    def post_hold(self, hold: object, posting: object, credits: tuple) -> str:
        taken = sum(amount for _, amount in credits)
        if posting in self.postings:
            if hold not in self.holds:
                return "hold_not_found"
            entries = ((self.holds[hold]["account"], -taken), *credits)
            same = sorted(self.postings[posting]) == sorted(entries)
            return "ok" if same else "idempotency_key_reused"
        if refused := self._ended(hold):
            return refused
        known = self.holds[hold]
        if taken <= 0 or any(amount <= 0 for _, amount in credits):
            return "amount_not_positive"
        if taken > known["amount"]:
            return "post_exceeds_hold"
        entries = ((known["account"], -taken), *credits)
        verdict = self._write(posting, entries, (known["account"], known["amount"]))
        if verdict == "ok":
            known["state"] = "posted"
        return verdict

    def void(self, hold: object) -> str:
        if refused := self._ended(hold):
            return refused
        self.holds[hold]["state"] = "voided"
        return "ok"

    def expire(self, hold: object, now: object) -> str:
        known = self.holds.get(hold)
        if known is not None and known["state"] == "held":
            if known["expires"] is None or now < known["expires"]:
                return "hold_not_yet_expired"
        if refused := self._ended(hold):
            return refused
        self.holds[hold]["state"] = "expired"
        return "ok"

    def reverse(self, posting: object, reversal: object) -> str:
        if reversal in self.postings:
            same = self.reversed.get(posting) == reversal
            return "ok" if same else "idempotency_key_reused"
        if posting not in self.postings:
            return "posting_not_found"
        if posting in self.reversed.values():
            return "posting_is_a_reversal"
        if posting in self.reversed:
            return "posting_already_reversed"
        opposite = tuple((account, -amount) for account, amount in self.postings[posting])
        verdict = self._write(reversal, opposite)
        if verdict == "ok":
            self.reversed[posting] = reversal
        return verdict
