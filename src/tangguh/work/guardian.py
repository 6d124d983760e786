"""The guard at work: sees payments, finds trouble, closes the smallest scope, within its budget.

Every closure goes through the book like any other decision. What is over the budget is proposed
to people and only capped meanwhile; a detector that points at half of everything loses its voice.
When this stops, closures stay in force: they are the book's, not the guard's (ADR-0019).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import msgspec
import structlog

from tangguh.audit.trail import Remember
from tangguh.core.bounded import Recent
from tangguh.core.errors import TangguhError
from tangguh.core.ids import Ids
from tangguh.core.listeners import Listeners
from tangguh.core.marks import MARKS, sometimes
from tangguh.core.order import Origin
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.supervision import beat
from tangguh.guard.board import Board
from tangguh.guard.budget import CAPS, PEOPLE_SECONDS, is_mad, rule_on
from tangguh.guard.choice import Choice, choose, weigh
from tangguh.guard.closure import (
    AUTOMATIC_TTL_MAX,
    Allowance,
    Closure,
    SignalClass,
    State,
    evidence_hash,
)
from tangguh.guard.rules import DEFAULT_RULES, Mode, Rule
from tangguh.guard.scope import Facts, Scope, text_of
from tangguh.guard.signals import Detector, Finding
from tangguh.guard.snapshot import WatchOrder
from tangguh.guard.tally import Tally, Threshold
from tangguh.guard.watching import refuse_order
from tangguh.guard.window import TECHNICAL, End, Seen
from tangguh.payments.desk import Desk
from tangguh.payments.gates.change import ChangeClosure, Close, Lapse, ReadBoard, TakeBack
from tangguh.payments.gates.facts import is_probe
from tangguh.payments.gates.observe import seen_of
from tangguh.payments.payment import Payment

log = structlog.get_logger("guard")

_NORMAL_MAX: Final = 20_000
_NORMAL_SECONDS: Final = 900
_AGAIN_MAX: Final = 10_000
_WEIGHED_MAX: Final = 2_000
_SUSPECT_SECONDS: Final = 60
_RATE_SECONDS_MIN: Final = 10
_SAID_MAX: Final = 500
_OWNER: Final = "on-call"
"""Who answers for a closure nobody has confirmed yet: whoever is on call."""


class GuardSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``mode``: live, shadow (every rule only says what it would do) or off.

    ``walk_seconds_max``: of each pulse, for hashing the newest batches again; under load the walk
    lags behind and catches up afterwards. ``recheck_seconds_max``: of each pulse, for looking again
    at everything ever written; more where a whole round would else take longer than
    ``recheck_round_seconds``. ``tail_batches``: looked at first after a start. When no look has
    succeeded for ``blind_seconds_max`` the pulse is blind. ``head_path``: the file outside the
    database that remembers the newest link, each ``head_seconds``; empty: none does. ``rules``
    replaces the rules in force; for rehearsals.
    Ed25519 keys in PEM: ``snapshot_key_path`` signs the board for the edges, who sign their
    questions with ``edge_public_key_path``'s other half; ``watch_public_key_path`` is the watch's,
    and ``watch_url`` where its state is read. Empty: there is none.
    """

    mode: Literal["live", "shadow", "off"] = "live"
    round_seconds: float = 0.25
    pulse_seconds: float = 5.0
    walk_seconds_max: float = 0.2
    recheck_seconds_max: float = 0.1
    recheck_round_seconds: float = 6 * 3600.0
    tail_batches: int = 2_000
    blind_seconds_max: float = 60.0
    head_path: str = ""
    head_seconds: float = 0.5
    clock_offset_seconds_max: float = 5.0
    tampered_accounts_max: int = 100
    rules: tuple[Rule, ...] | None = None
    snapshot_key_path: str = ""
    edge_public_key_path: str = ""
    watch_public_key_path: str = ""
    watch_url: str = ""


class Said(msgspec.Struct, frozen=True):
    """Something the guard noticed, for the people on call. ``did`` is what it did about it."""

    at: datetime
    signal_class: str
    what: str
    scope: str
    did: str
    detail: str = ""


class Guardian:
    """Watches one book's payments and acts on its gates."""

    def __init__(
        self,
        desk: Desk,
        ids: Ids,
        settings: GuardSettings,
        read_rules: Callable[[], Awaitable[tuple[Rule, ...]]] | None = None,
    ) -> None:
        self._read_rules = read_rules
        self._desk = desk
        self._ids = ids
        self._settings = settings
        self.rules: tuple[Rule, ...] = settings.rules or DEFAULT_RULES
        self._detector = Detector(self.rules)
        self._sees_since = desk.clock.now()
        self._normal: deque[Seen] = deque(maxlen=_NORMAL_MAX)
        self._ends: OrderedDict[object, End] = OrderedDict()
        self._pointed: dict[str, deque[tuple[datetime, Scope]]] = {}
        self._again: Recent[tuple[str, Scope], int] = Recent(_AGAIN_MAX, timedelta(hours=1))
        self._tally = Tally()
        self._pending: list[tuple[Threshold, str, str]] = []
        self._distrusted: set[str] = set()
        self.said: deque[Said] = deque(maxlen=_SAID_MAX)
        self._listeners = Listeners[[Said]]()
        self._seers = Listeners[[Seen]]()
        if settings.mode != "off":
            desk.observe(self._see)
            MARKS.listen(self._mark)

    # ---- what comes in ---------------------------------------------------------------------

    def _see(self, payment: Payment, origin: Origin) -> None:
        for seen in seen_of(payment, self._desk.clock.now(), origin):
            self._detector.see(seen)
            self._seers.tell(seen)
            if seen.end is End.ATTEMPTED:
                self._normal.append(seen)
            else:
                self._ends[seen.payment_id] = seen.end
        while len(self._ends) > _NORMAL_MAX:
            self._ends.popitem(last=False)

    def _mark(self, name: str, detail: str) -> None:
        self.notice("mark.broken", name, detail)

    def notice(self, name: str, key: str, detail: str = "") -> None:
        """Count a signal that is no payment: a failed login, a staff act, an unauthorised message.

        Acted on in the next round; never blocks.
        """
        threshold = self._tally.add(name, key, self._desk.clock.now())
        if threshold is not None:
            self._pending.append((threshold, key, detail))

    async def reload(self) -> None:
        """Take the rules that are in force in the database from now on; counting begins anew."""
        if self._settings.rules is None and self._read_rules is not None:
            self.rules = await self._read_rules()
            self._detector = Detector(self.rules)

    def pass_on(self, seer: Callable[[Seen], None]) -> None:
        """Call ``seer`` with every observation of a payment from now on: the ladder's recorder."""
        self._seers.add(seer)

    def listen(self, listener: Callable[[Said], None]) -> None:
        """Call ``listener`` with everything said from now on: the pager, a drill's timeline."""
        self._listeners.add(listener)

    def close(self) -> None:
        """Hear no more marks."""
        MARKS.hush(self._mark)

    # ---- rounds ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            beat()
            try:
                await self.round()
            except TangguhError as trouble:
                log.warning("guard.round_failed", why=str(trouble))
            except Exception:
                # A bug in one detector costs a round, not the guard.
                log.exception("guard.broken")
            await self._desk.clock.sleep(self._settings.round_seconds)

    async def round(self) -> list[Closure]:
        """Look once; the closures made now."""
        now = self._desk.clock.now()
        made = []
        pending, self._pending = self._pending, []
        for threshold, key, detail in pending:
            self._say(threshold.signal_class, threshold.name, key, "people are called", detail)
            await self._remember("signal.raised", threshold.name, f"{key} {detail}".strip())
        for finding in self._detector.findings(now):
            closure = await self._act_on(finding, now)
            if closure is not None:
                made.append(closure)
        for lapsed in await self._desk.decide(Lapse()):
            self._say(lapsed.signal_class, lapsed.reason, str(lapsed.scope), "lapsed")
        return made

    async def _act_on(self, finding: Finding, now: datetime) -> Closure | None:
        rule, scope = finding.rule, finding.scope
        self._detector.forget(rule.id, scope)
        if self._points_at_too_much(finding, now):
            await self._distrust(rule)
            return None
        if rule.mode is Mode.SHADOW or self._settings.mode == "shadow":
            self._say(rule.signal_class, rule.reason, text_of(scope), "nothing: in shadow")
            return None
        choice = self._choose(finding)
        board = await self._desk.decide(ReadBoard())
        if any(
            one.scope.includes(choice.scope) and one.effect(now) is None for one in board.closures
        ):
            return None
        return await self._close(finding, choice, board, now)

    async def _close(
        self, finding: Finding, choice: Choice, board: Board, now: datetime
    ) -> Closure | None:
        rule = finding.rule
        normal = [seen.facts for seen in self._normal]
        ruling = rule_on(
            choice.scope, rule.signal_class, choice.collateral_permille, board.closures, normal
        )
        state, allowance = State.CONTAINED, rule.allowance
        expires = now + self._growing(rule, choice.scope, now)
        times = self._again.get((rule.id, choice.scope), now) or 1
        not_sent = sum(1 for one in finding.examples if self._ends.get(UUID(one)) is End.NOT_SENT)
        cause = rule.cause
        if not ruling.alone:
            sometimes("guard.over_budget")
            state, allowance = State.AWAITING_PEOPLE, allowance or CAPS
            expires = now + timedelta(seconds=PEOPLE_SECONDS)
            cause = f"{rule.cause}; {ruling.why}"
        closure = self.draft(
            scope=choice.scope,
            signal_class=rule.signal_class,
            reason=rule.reason,
            cause=cause,
            evidence=_evidence_of(finding, choice, times=times, not_sent=not_sent),
            made_by=f"rule:{rule.id}",
            message=(rule.message_id, rule.message_en),
            expires_at=expires,
            allowance=allowance,
            state=state,
            collateral_permille=choice.collateral_permille,
            rejected="; ".join(choice.rejected),
        )
        return await self.put(closure, "limited" if allowance is not None else "closed")

    def draft(
        self,
        *,
        scope: Scope,
        signal_class: SignalClass,
        reason: str,
        cause: str,
        evidence: str,
        made_by: str,
        message: tuple[str, str],
        expires_at: datetime | None = None,
        allowance: Allowance | None = None,
        state: State = State.CONTAINED,
        collateral_permille: int = 0,
        rejected: str = "",
        owner: str = _OWNER,
    ) -> Closure:
        """A closure from now on, complete, not yet in force."""
        now = self._desk.clock.now()
        return Closure(
            id=self._ids.next(),
            scope=scope,
            signal_class=signal_class,
            reason=reason,
            cause=cause,
            evidence=evidence,
            evidence_sha256=evidence_hash(evidence),
            made_by=made_by,
            owner=owner,
            made_at=now,
            expires_at=expires_at or now + AUTOMATIC_TTL_MAX[signal_class],
            message_id=message[0],
            message_en=message[1],
            state=state,
            allowance=allowance,
            collateral_permille=collateral_permille,
            next_word_at=now + timedelta(minutes=15),
            rejected=rejected,
        )

    async def put(self, closure: Closure, did: str) -> Closure | None:
        """Put a closure in force, say so and write it down; None when the book refuses it."""
        done = await self._desk.decide(Close(closure=closure))
        if isinstance(done, Refused):
            log.error("guard.refused", field=done.field, rule=done.detail)
            return None
        if done.id != closure.id:
            return done
        self._say(closure.signal_class, closure.reason, text_of(closure.scope), did, closure.cause)
        await self._remember("gate.closed", str(closure.id), f"{closure.scope} {closure.reason}")
        return done

    async def take_back(self, by: str, reason: str, why: str) -> None:
        """Open what ``by``, a part of the bank, closed for ``reason``: that it could not know."""
        for ended in await self._desk.decide(TakeBack(by=by, reason=reason)):
            self._say(ended.signal_class, reason, text_of(ended.scope), "opened", why)
            await self._remember("gate.opened", str(ended.id), f"{ended.scope} {reason}: {why}")

    async def take_order(self, order: WatchOrder) -> Closure | Refused:
        """Put what the watch ordered in force (ring 3); the closure that now stands for it.

        Not a matter of budgets or modes: money left that the book knows nothing of. A closure of
        the same scope on its way up the ladder is closed again at once, and starts over (F75).
        """
        closure = order.closure
        if refused := refuse_order(closure, self._desk.clock.now()):
            return refused
        board = await self._desk.decide(ReadBoard())
        if closure.id in board.ended:
            return Refused(Refusal.GATE_STEP_NOT_ALLOWED, "id", "it has been in force and ended")
        done = await self._desk.decide(Close(closure=closure))
        if isinstance(done, Closure) and done.allowance is not None:
            done = await self._desk.decide(
                ChangeClosure(
                    closure_id=done.id,
                    to=State.CONFIRMED,
                    what="closed_again",
                    by=(closure.made_by,),
                    allowance=None,
                    sets_allowance=True,
                    cause=closure.cause,
                )
            )
        if isinstance(done, Refused):
            log.error("guard.order_refused", field=done.field, why=done.detail)
            return done
        if closure != board.find(closure.id):
            self._say(
                closure.signal_class, closure.reason, text_of(done.scope), "closed", closure.cause
            )
            detail = f"{closure.scope} {closure.reason} evidence {closure.evidence_sha256}"
            await self._desk.decide(Remember("watch", "order.taken", str(done.id), detail))
        return done

    # ---- judging a finding -----------------------------------------------------------------

    def _choose(self, finding: Finding) -> Choice:
        inside = [seen for seen in self._normal if finding.scope.covers(seen.facts)]
        normal = [
            seen.facts
            for seen in self._normal
            if self._ends.get(seen.payment_id) not in TECHNICAL and not is_probe(seen.facts)
        ]
        if finding.rule.signal_class is not SignalClass.HEALTH:
            # A flood is not normal traffic: customers are weighed, not their payments.
            people = _one_each(self._normal)
            return weigh(finding.scope, [seen.facts for seen in inside], people)
        bad = [seen.facts for seen in inside if self._ends.get(seen.payment_id) in TECHNICAL]
        return choose(finding.scope, thinned(bad), thinned(normal))

    def _points_at_too_much(self, finding: Finding, now: datetime) -> bool:
        """Whether all that this rule pointed at lately is more than half of everything."""
        if finding.rule.signal_class not in {SignalClass.ABUSE, SignalClass.HEALTH}:
            return False
        pointed = self._pointed.setdefault(finding.rule.id, deque(maxlen=2_000))
        pointed.append((now, finding.scope))
        since = now - timedelta(seconds=_SUSPECT_SECONDS)
        scopes = [scope for at, scope in pointed if at >= since]
        recent = [seen for seen in self._normal if seen.at >= since]
        if finding.rule.signal_class is SignalClass.ABUSE:
            return is_mad(scopes, _one_each(recent), sample_min=10)
        # A whole network may be down; it is mad only when it points at what works, too.
        well = [seen.facts for seen in recent if self._ends.get(seen.payment_id) not in TECHNICAL]
        return is_mad(scopes, well)

    async def _distrust(self, rule: Rule) -> None:
        """The detector is the trouble: it goes to shadow and what it closed is declared wrong."""
        if rule.id in self._distrusted:
            return
        sometimes("guard.detector_suspect")
        self._distrusted.add(rule.id)
        self.rules = tuple(
            msgspec.structs.replace(one, mode=Mode.SHADOW) if one.id == rule.id else one
            for one in self.rules
        )
        self._detector.take(self.rules)
        board = await self._desk.decide(ReadBoard())
        wrong = [one for one in board.closures if one.made_by == f"rule:{rule.id}"]
        for closure in wrong:
            await self._desk.decide(
                ChangeClosure(
                    closure_id=closure.id,
                    to=State.FALSE_POSITIVE,
                    what="false_positive",
                    by=("guard",),
                    cause=f"{rule.id} pointed at more than half of all payments",
                )
            )
        self._say(
            rule.signal_class,
            "detector_suspect",
            rule.id,
            f"to shadow; {len(wrong)} closures lifted; people are called",
        )
        await self._remember("detector.distrusted", rule.id, f"{len(wrong)} closures lifted")

    def _growing(self, rule: Rule, scope: Scope, now: datetime) -> timedelta:
        """How long: twice as long each time the same thing happens again within the hour."""
        times = (self._again.get((rule.id, scope), now) or 0) + 1
        self._again.keep((rule.id, scope), times, now)
        longest = AUTOMATIC_TTL_MAX[rule.signal_class]
        return min(timedelta(seconds=rule.ttl_seconds * 2 ** min(times - 1, 10)), longest)

    # ---- saying it -------------------------------------------------------------------------

    def normal(self) -> list[Facts]:
        """What customers did within the last quarter of an hour."""
        since = self._desk.clock.now() - timedelta(seconds=_NORMAL_SECONDS)
        recent = (seen.facts for seen in self._normal if seen.at >= since)
        return [facts for facts in recent if not is_probe(facts)]

    def rate_of(self, rail: str) -> float | None:
        """Payments a second asked of a rail within the last minute; None: not seen for long yet."""
        now = self._desk.clock.now()
        since = max(now - timedelta(seconds=_SUSPECT_SECONDS), self._sees_since)
        seconds = (now - since).total_seconds()
        if self._settings.mode == "off" or seconds < _RATE_SECONDS_MIN:
            return None
        asked = sum(1 for seen in self._normal if seen.at >= since and seen.facts.rail == rail)
        return asked / seconds

    def _say(
        self, signal_class: SignalClass, what: str, scope: str, did: str, detail: str = ""
    ) -> None:
        said = Said(self._desk.clock.now(), str(signal_class), what, scope, did, detail)
        self.said.append(said)
        log.warning("guard.said", signal=what, scope=scope, did=did)
        self._listeners.tell(said)

    async def _remember(self, what: str, subject: str, detail: str) -> None:
        await self._desk.decide(Remember("guard", what, subject, detail))


def thinned(facts: list[Facts], most: int = _WEIGHED_MAX) -> list[Facts]:
    """At most so many, evenly: weighing hundreds of scopes must not keep payments waiting."""
    return facts[:: -(-len(facts) // most)] if facts else facts


def _one_each(seen: Iterable[Seen]) -> list[Facts]:
    """One order of each account."""
    return list({one.facts.account: one.facts for one in seen}.values())


def _evidence_of(finding: Finding, choice: Choice, *, times: int, not_sent: int) -> str:
    """``times`` within the hour; ``not_sent``: of the payments named, how many never left us."""
    return msgspec.json.encode(
        {
            "rule": finding.rule.id,
            "metric": finding.rule.metric,
            "value": finding.value,
            "threshold": finding.rule.threshold,
            "sample": finding.sample,
            "window_seconds": finding.rule.window_seconds,
            "seen_on": text_of(finding.scope),
            "explains_percent": choice.explains_percent,
            "payments": finding.examples,
            "times": times,
            "not_sent": not_sent,
        }
    ).decode()
