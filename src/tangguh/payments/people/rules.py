"""The guard's rules in force: every change a row with its back-test and who stands behind it. Pure.

One person may let a rule go live when its back-test stops no more than its class may, and make one
act sooner or longer; more (F65), and whatever makes a live rule act less, takes two.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

import msgspec

from tangguh.audit.journal import JournalPlan
from tangguh.core.outcome import Refusal, Refused
from tangguh.guard.backtest import BackTest
from tangguh.guard.rules import DEFAULT_RULES, Mode, Rule, is_weaker, refuse_rule
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key

RULE_CHANGES: Final = JournalPlan(
    table="rule_changes",
    columns=(
        "change_id",
        "batch_no",
        "at",
        "rule_id",
        "rule_json",
        "test_json",
        "changed_by",
        "approved_by",
        "reason",
    ),
    order_by="change_id",
    sort_key=lambda row: row[0].int,
)


class ChangeRule(msgspec.Struct, frozen=True, kw_only=True):
    """Put a rule in force as it is written, with the back-test it was judged by.

    ``was``: the rule of this name that is in force; None: there is none.
    """

    names_keys_at_once: ClassVar[bool] = True

    rule: Rule
    test: BackTest
    changed_by: str
    reason: str
    was: Rule | None
    approved_by: str = ""

    def keys(self, _book: Book) -> Iterable[Key]:
        return ()

    def decide(self, book: Book) -> Rule | Refused:
        """Refuses ORDER_INVALID naming the field, APPROVER_NOT_ALLOWED when two are needed."""
        if refused := refuse_rule(self.rule):
            return refused
        if not self.changed_by or not self.reason.strip():
            return Refused(Refusal.ORDER_INVALID, "reason", "say who and why")
        if self.test.rule != self.rule.id:
            return Refused(Refusal.ORDER_INVALID, "test", "the back-test is of another rule")
        two = bool(self.approved_by) and self.approved_by != self.changed_by
        if self.was is not None and is_weaker(self.rule, self.was) and not two:
            return Refused(
                Refusal.APPROVER_NOT_ALLOWED, "approved_by", "two make a live rule act less"
            )
        if self.rule.mode is Mode.LIVE and not self.test.may_go_live_alone and not two:
            share = self.test.collateral_permille / 10
            most = self.test.allowed_permille / 10
            return Refused(
                Refusal.APPROVER_NOT_ALLOWED,
                "approved_by",
                f"it would have stopped {share:g} % of good payments; above {most:g} % two sign",
            )
        encode = msgspec.json.encode
        row = (
            book.ids.next(),
            book.batch_no,
            book.now,
            self.rule.id,
            encode(self.rule).decode(),
            encode(self.test).decode(),
            self.changed_by,
            self.approved_by,
            self.reason,
        )
        book.note(RULE_CHANGES, row)
        return self.rule


def rules_in_force(changed: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules after these changes, oldest first, upon what a new bank begins with."""
    rules = {rule.id: rule for rule in DEFAULT_RULES}
    rules.update({rule.id: rule for rule in changed})
    return tuple(rules.values())
