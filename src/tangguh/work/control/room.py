"""The control room: closing is quick and small, opening is slow and signed by two.

Every method is one act of one member of staff. A no is a Refused; what was done is in the book and
in its hash chain. Whoever tries to sign for themselves through a second account is frozen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
import structlog

from tangguh.access.acts import Act, refuse_begin
from tangguh.access.approval import Change, ChangeState
from tangguh.access.people import Staff, are_one_person
from tangguh.access.staff import StaffRegister
from tangguh.audit.trail import Remember
from tangguh.core.ids import Ids
from tangguh.core.outcome import Refusal, Refused
from tangguh.db.pool import Pool
from tangguh.guard.backtest import BackTest, back_test
from tangguh.guard.board import Board
from tangguh.guard.closure import (
    AUTOMATIC_TTL_MAX,
    Allowance,
    Closure,
    SignalClass,
)
from tangguh.guard.rules import Mode, is_weaker
from tangguh.guard.rules import Rule as GuardRule
from tangguh.guard.scope import Scope, is_one_step_wider, scope_of, text_of
from tangguh.guard.words import BY_STAFF
from tangguh.ledger.command import Command
from tangguh.payments.desk import Desk
from tangguh.payments.gates.change import Close, ReadBoard
from tangguh.payments.people.changes import Alone, Carry, Propose, Vote
from tangguh.payments.people.rules import ChangeRule, rules_in_force
from tangguh.payments.people.store import changed_rules, list_changes
from tangguh.recovery.book import Explain, StartClimb, StepBack
from tangguh.recovery.climb import Climb
from tangguh.settlement.watched import read_watch
from tangguh.work.control.carrying import command_of, confirming
from tangguh.work.control.history import read_history
from tangguh.work.control.outflow import Outflow
from tangguh.work.control.preview import Preview, preview
from tangguh.work.control.words import refuse_words
from tangguh.work.guardian import Guardian

log = structlog.get_logger("control")

SMALL_PERMILLE: Final = 10
"""Up to one per cent of normal payments one checker confirms; above it, or a whole rail, two."""


A = TypeVar("A")
Carrier = Callable[[Change], Awaitable[Any]]


class CloseOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody asks to close. ``minutes`` at most the class's own; ``amount_max_minor`` limits
    instead of closing; ``parks`` takes payments to send them later. ``message_*``: why, for
    customers; empty: that people decided it, and no reason is made up. What it does is added.
    """

    scope: str
    reason: str
    cause: str
    message_id: str = ""
    message_en: str = ""
    signal_class: SignalClass = SignalClass.INTEGRITY
    evidence: str = ""
    minutes: int = 60
    amount_max_minor: int | None = None
    per_minute: int | None = None
    parks: bool = False
    alternative: str = ""


class ControlRoom:
    """What staff can do. One per bank."""

    def __init__(
        self,
        desk: Desk,
        pool: Pool,
        book_id: int,
        ids: Ids,
        staff: StaffRegister,
        guard: Guardian,
        *,
        watch_url: str = "",
    ) -> None:
        self._watch_url = watch_url
        self._desk = desk
        self._pool = pool
        self._book_id = book_id
        self._ids = ids
        self._guard = guard
        self.staff = staff
        self.carriers: dict[str, Carrier] = {}
        """Who does what was approved, for kinds the room does not carry out itself."""

    async def board(self) -> Board:
        """Every closure in force."""
        return await self._desk.decide(ReadBoard())

    async def preview(self, text: str) -> Preview | Refused:
        """What closing a scope would stop."""
        scope = _scope(text)
        if isinstance(scope, Refused):
            return scope
        return await preview(self._pool, self._book_id, scope, self._desk.clock.now())

    # ---- alone -----------------------------------------------------------------------------

    async def close(self, by: Staff, order: CloseOrder) -> Closure | Change | Refused:
        """Close at once; the whole bank is only proposed. Refuses ORDER_INVALID by field, also for
        words to customers that the house does not write.
        """
        if refused := refuse_begin(Act.GATE_CLOSE_ALONE, by):
            return refused
        scope = _scope(order.scope)
        if isinstance(scope, Refused):
            return scope
        if refused := refuse_words({"id": order.message_id, "en": order.message_en}):
            return refused
        weighed = await preview(self._pool, self._book_id, scope, self._desk.clock.now())
        closure = self._closure(by, order, scope, weighed)
        if scope.is_whole_bank:
            payload = {"closure": msgspec.to_builtins(closure)}
            return await self.propose(by, Act.GATE_CLOSE, text_of(scope), payload)
        done = await self._alone(by, Act.GATE_CLOSE_ALONE, Close(closure=closure))
        if not isinstance(done, Refused):
            await self._remember(by, "gate.closed", str(done.id), f"{scope} {order.reason}")
        return done

    async def confirm(self, by: Staff, closure_id: UUID) -> Closure | Change | Refused:
        """Stand behind a closure for up to four hours: one checker when it is small, else two."""
        closure = (await self.board()).find(closure_id)
        if closure is None:
            return _NOT_IN_FORCE
        if await self._made(closure, by):
            return Refused(Refusal.SAME_PERSON, "staff", "somebody else confirms it")
        is_small = closure.collateral_permille <= SMALL_PERMILLE and closure.scope.is_pinned
        if is_small:
            now = self._desk.clock.now()
            return await self._alone(by, Act.GATE_CONFIRM_ALONE, confirming(closure, (by.id,), now))
        payload = {"closure_id": str(closure_id)}
        return await self.propose(by, Act.GATE_CONFIRM, str(closure_id), payload)

    async def narrow(
        self, by: Staff, closure_id: UUID, scopes: tuple[str, ...]
    ) -> Change | Refused:
        """Propose to keep only parts of it closed that lie inside it. That opens the rest, so it is
        signed as an opening; of class A or D it goes by the ladder, and is refused here.
        """
        closure = (await self.board()).find(closure_id)
        if closure is None:
            return _NOT_IN_FORCE
        if closure.signal_class in {SignalClass.INTEGRITY, SignalClass.CONTROL}:
            return Refused(
                Refusal.GATE_STEP_NOT_ALLOWED, "class", "money or control: by the ladder only"
            )
        wanted = [_scope(text) for text in scopes]
        for one in wanted:
            if isinstance(one, Refused):
                return one
        kept = [one for one in wanted if isinstance(one, Scope)]
        if not kept or any(not closure.scope.includes(one) for one in kept):
            return Refused(Refusal.GATE_STEP_NOT_ALLOWED, "scopes", "only inside what is closed")
        payload = {"closure_id": str(closure_id), "scopes": [text_of(one) for one in kept]}
        return await self.propose(by, Act.GATE_NARROW, str(closure_id), payload)

    async def start(
        self, by: Staff, closure_id: UUID, told: Mapping[str, str], suspected_group: str = ""
    ) -> Climb | Refused:
        """Begin the way back and say why: ``cause``, ``fix``, ``evidence`` or ``control``.

        Also ``keys_rotated``, and ``without_restore`` where no backup was seen to restore.
        """
        begun = await self._alone(
            by,
            Act.LADDER_START,
            StartClimb(closure_id=closure_id, by=(by.id,), suspected_group=suspected_group),
        )
        if isinstance(begun, Refused):
            return begun
        explained = await self._alone(
            by,
            Act.LADDER_START,
            Explain(
                closure_id=closure_id,
                by=(by.id,),
                cause=told.get("cause", ""),
                fix=told.get("fix", ""),
                evidence=told.get("evidence", ""),
                control=told.get("control", ""),
                keys_rotated=told.get("keys_rotated", ""),
                without_restore=told.get("without_restore", ""),
            ),
        )
        if told.get("keys_rotated"):
            await self._remember(by, "keys.rotated", str(closure_id), told["keys_rotated"])
        return explained

    async def back(self, by: Staff, closure_id: UUID, why: str) -> Climb | Refused:
        """Close it again: making it smaller needs nobody else."""
        if not why.strip():
            return Refused(Refusal.ORDER_INVALID, "why", "say why")
        back = StepBack(closure_id=closure_id, by=(by.id,), why=why)
        return await self._alone(by, Act.LADDER_BACK, back)

    async def test_rule(self, rule: GuardRule, days: int = 7) -> BackTest:
        """What a rule would have closed over the last days."""
        now = self._desk.clock.now()
        history = await read_history(self._pool, self._book_id, now - timedelta(days=days))
        return back_test(rule, history)

    async def set_rule(
        self, by: Staff, rule: GuardRule, reason: str
    ) -> GuardRule | Change | Refused:
        """Put a rule in force. Only proposed: one that would stop more than its class may, and
        whatever makes a live one act less.
        """
        if refused := refuse_begin(Act.RULE_SET_ALONE, by):
            return refused
        test = await self.test_rule(rule)
        rules = rules_in_force(await changed_rules(self._pool, self._book_id))
        was = next((one for one in rules if one.id == rule.id), None)
        stops_too_much = rule.mode is Mode.LIVE and not test.may_go_live_alone
        if stops_too_much or (was is not None and is_weaker(rule, was)):
            payload = {
                "rule": msgspec.to_builtins(rule),
                "test": msgspec.to_builtins(test),
                "reason": reason,
                "was": msgspec.to_builtins(was),
            }
            return await self.propose(by, Act.RULE_SET, rule.id, payload)
        changed = ChangeRule(rule=rule, test=test, changed_by=by.id, reason=reason, was=was)
        done = await self._alone(by, Act.RULE_SET_ALONE, changed)
        if not isinstance(done, Refused):
            await self._guard.reload()
        return done

    # ---- in twos ---------------------------------------------------------------------------

    async def widen(self, by: Staff, closure_id: UUID, text: str) -> Change | Refused:
        """Propose the next wider scope."""
        closure, scope = (await self.board()).find(closure_id), _scope(text)
        if closure is None:
            return _NOT_IN_FORCE
        if isinstance(scope, Refused):
            return scope
        if not is_one_step_wider(closure.scope, scope):
            return Refused(Refusal.GATE_STEP_NOT_ALLOWED, "scope", "one step wider, never more")
        payload = {"closure_id": str(closure_id), "scope": text_of(scope)}
        return await self.propose(by, Act.GATE_WIDEN, str(closure_id), payload)

    async def declare_wrong(self, by: Staff, closure_id: UUID, why: str) -> Change | Refused:
        """Propose that a closure was a false positive: lifted at once when a second agrees."""
        closure = (await self.board()).find(closure_id)
        if closure is None:
            return _NOT_IN_FORCE
        if not why.strip():
            return Refused(Refusal.ORDER_INVALID, "why", "say why")
        payload = {"closure_id": str(closure_id), "why": why}
        return await self.propose(by, Act.GATE_FALSE_POSITIVE, str(closure_id), payload)

    async def book_outflows(self, by: Staff) -> Change | Refused:
        """Propose to book what left without a payment, as the watch has it, into suspense."""
        state = await read_watch(self._watch_url) if self._watch_url else None
        if state is None:
            return Refused(Refusal.ORDER_INVALID, "watch", "the watch cannot be heard")
        rows = [
            Outflow(state.rail, one.seq, one.reference, one.amount_minor) for one in state.unmatched
        ]
        if not rows:
            return Refused(Refusal.ORDER_INVALID, "rows", "every outflow has its payment")
        payload = {"rows": msgspec.to_builtins(rows)}
        return await self.propose(by, Act.OUTFLOW_BOOKED, state.rail, payload)

    async def changes(self) -> list[Change]:
        """What people were asked, newest first."""
        return await list_changes(self._pool, self._book_id)

    async def approve(self, by: Staff, change_id: UUID, sha256: str) -> Change | Refused:
        """Say yes; the last yes does it. One person with two accounts is frozen in both (F62)."""
        everyone = await self.staff.everyone()
        voted = await self._desk.decide(
            Vote(change_id=change_id, by=by, is_yes=True, sha256=sha256, everyone=everyone)
        )
        if isinstance(voted, Refused):
            if voted.code is Refusal.SAME_PERSON:
                await self._freeze(by, change_id)
            self._guard.notice("staff.denied", by.id, str(voted.code))
            return voted
        if voted.state is ChangeState.APPROVED:
            done = await self._carry(voted)
            if isinstance(done, Refused):
                return done
        return voted

    async def deny(self, by: Staff, change_id: UUID) -> Change | Refused:
        """Say no: the change is dead."""
        return await self._desk.decide(Vote(change_id=change_id, by=by, is_yes=False))

    async def propose(
        self, by: Staff, kind: str, subject: str, payload: Mapping[str, Any]
    ) -> Change | Refused:
        """Propose a change. Refuses APPROVER_NOT_ALLOWED and CHANGE_ALREADY_PENDING."""
        return await self._desk.decide(
            Propose(
                change_id=self._ids.next(),
                kind=str(kind),
                subject=subject,
                payload=payload,
                maker=by,
            )
        )

    async def _alone(self, by: Staff, act: Act, command: Command[A]) -> A | Refused:
        return await self._desk.decide(Alone(act=act, by=by, command=command))

    async def _made(self, closure: Closure, by: Staff) -> bool:
        """Whether this person made it, through whichever account."""
        everyone = await self.staff.everyone()
        maker = next((one for one in everyone if one.id == closure.made_by), None)
        return closure.made_by == by.id or (maker is not None and are_one_person(maker, by))

    async def _freeze(self, by: Staff, change_id: UUID) -> None:
        """Freeze both accounts of one person, and end the change they were used for.

        Class D acts on the operator, never on customers. Signing twice with one account is a
        mistake and only refused.
        """
        change = next((one for one in await self.changes() if one.id == change_id), None)
        if change is None or by.id in {change.maker.id, *(vote.by.id for vote in change.votes)}:
            return
        for person in sorted({by.id, change.maker.id}):
            if await self.staff.freeze(person):
                await self._desk.decide(Remember("guard", "staff.frozen", person, "same_person"))
        await self._desk.decide(Vote(change_id=change_id, by=change.maker, is_yes=False))
        log.warning("control.frozen", people=sorted({by.id, change.maker.id}))

    async def _carry(self, change: Change) -> Any:
        """Do what was approved; a rung of the ladder is the climber's to take."""
        carrier = self.carriers.get(change.kind)
        if carrier is not None:
            return await carrier(change)
        command = command_of(change, await self.board(), self._ids.next(), self._desk.clock.now())
        if command is None or isinstance(command, Refused):
            return command
        done = await self._desk.decide(
            Carry(change_id=change.id, payload=change.payload, command=command)
        )
        if change.kind == "rule.set" and not isinstance(done, Refused):
            await self._guard.reload()
        return done

    def _closure(self, by: Staff, order: CloseOrder, scope: Scope, weighed: Preview) -> Closure:
        limited = order.amount_max_minor is not None or order.per_minute is not None
        most = int(AUTOMATIC_TTL_MAX[order.signal_class].total_seconds() // 60)
        closure = self._guard.draft(
            scope=scope,
            signal_class=order.signal_class,
            reason=order.reason,
            cause=order.cause,
            evidence=order.evidence or msgspec.json.encode({"by": by.id}).decode(),
            made_by=by.id,
            message=(
                order.message_id.strip() or BY_STAFF[0],
                order.message_en.strip() or BY_STAFF[1],
            ),
            expires_at=self._desk.clock.now() + timedelta(minutes=max(0, min(order.minutes, most))),
            allowance=Allowance(
                amount_max_minor=order.amount_max_minor, per_minute=order.per_minute
            )
            if limited
            else None,
            collateral_permille=weighed.permille,
            owner=by.id,
        )
        return msgspec.structs.replace(closure, parks=order.parks, alternative=order.alternative)

    async def _remember(self, by: Staff, what: str, subject: str, detail: str) -> None:
        await self._desk.decide(Remember(by.id, what, subject, detail))


_NOT_IN_FORCE: Final = Refused(Refusal.CLOSURE_NOT_FOUND, "closure", "it is not in force")


def _scope(text: str) -> Scope | Refused:
    found = scope_of(text)
    return Refused(Refusal.ORDER_INVALID, "scope", found) if isinstance(found, str) else found
