"""One settlement cycle: read the file, conclude what it proves, list breaks, post the net.

Every step may be done again: conclusions and postings have ids of their own, matches and breaks are
written under their cycle. So a cycle that was interrupted is simply run again, and one that was
done changes nothing. A file with other content needs two names to take the first one's place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
import structlog

from tangguh.audit.trail import Remember
from tangguh.core.clock import Clock, business_date
from tangguh.core.outcome import Accepted, Declined, Outcome, Refusal, Refused
from tangguh.db.pool import Pool
from tangguh.ledger import statement
from tangguh.payments.decide import Conclude
from tangguh.payments.desk import Desk
from tangguh.settlement import breaks as listing
from tangguh.settlement import store
from tangguh.settlement.breaks import PROPOSALS, Break, break_id_of, subject_of
from tangguh.settlement.file import Expected, FileRefused, Reader, Totals, window_of
from tangguh.settlement.formats import NETWORKS, Network
from tangguh.settlement.match import Found, Matched, Matcher
from tangguh.settlement.position import ACTOR, Cycle, PostPosition
from tangguh.settlement.signed import Signed
from tangguh.settlement.source import Kept, Source, kept

log = structlog.get_logger("settlement.cycle")

_AT_ONCE: Final = 200
BY_SETTLEMENT: Final = "settlement"
"""The code a conclusion carries when the file, not the network's answer, proved it."""


class BackOffice:
    """What a cycle needs of the bank: the desk, the database, the book's number and the time."""

    def __init__(self, desk: Desk, pool: Pool, book_id: int, clock: Clock) -> None:
        self.desk = desk
        self.pool = pool
        self.book_id = book_id
        self.clock = clock


class Deposit(msgspec.Struct, frozen=True):
    """What we have with a partner that is paid in advance, and what is proposed to fill it up."""

    account_id: int
    deposit_minor: int
    floor_minor: int
    proposed_minor: int


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """A cycle after it was run. Amounts in minor units; ``net_minor`` positive: we owe the network.

    ``repeated``: this very file had been run before and nothing was changed. Cycle 0 is a look at
    the day so far: open payments are concluded, nothing else is kept or posted.
    """

    network: str
    day: date
    cycle: int
    revision: int
    sha256: str
    lines: int
    owed_minor: int
    due_minor: int
    net_minor: int
    matched: int
    breaks: int
    accepted: int = 0
    declined: int = 0
    absent: int = 0
    posting_id: UUID | None = None
    deposit: Deposit | None = None
    repeated: bool = False
    found: tuple[Found, ...] = ()


def expected_of(network: str, day: date, cycle: int) -> Expected | Refused:
    """The file awaited. Refuses ORDER_INVALID: no such network, no such cycle."""
    known = NETWORKS.get(network)
    if known is None:
        names = ", ".join(NETWORKS)
        return Refused(Refusal.ORDER_INVALID, "network", f"must be one of {names}")
    expected = Expected(network=known, day=day, cycle=cycle)
    try:
        window_of(expected)
    except ValueError as error:
        return Refused(Refusal.ORDER_INVALID, "cycle", str(error))
    return expected


async def run(
    office: BackOffice, expected: Expected, source: Source, *, supersede: Signed | None = None
) -> Ran | FileRefused | Refused:
    """Run one cycle from its file.

    Gives FileRefused when anything is wrong with the file (nothing was done), Refused ORDER_INVALID
    when the cycle has not ended, is being run by another, or had another file and nobody signed for
    the change. Raises Misconfigured and ContractBroken when there is no file, StoreUnavailable like
    every decision.
    """
    _, ends = window_of(expected)
    if expected.cycle and office.clock.now() < ends:
        return Refused(Refusal.ORDER_INVALID, "cycle", f"it ends at {ends.isoformat()}")
    if supersede is not None and (refused := supersede.refused()):
        return refused
    async with (
        kept(source, expected) as content,
        store.one_at_a_time(office.pool, office.book_id, expected) as alone,
    ):
        if not alone:
            return Refused(Refusal.ORDER_INVALID, "cycle", "it is being run by another")
        ran = await _Run(office, expected, content).run(supersede)
    if isinstance(ran, FileRefused):
        told = msgspec.json.encode(ran).decode()
        cycle = Cycle(expected.network.name, expected.day, expected.cycle)
        await office.desk.decide(Remember(ACTOR, "settlement_file.refused", f"{cycle}", told))
        log.warning("settlement.file_refused", line=ran.line, field=ran.field, rule=ran.rule)
    return ran


class _Run:
    """One run, from the file to the posting."""

    def __init__(self, office: BackOffice, expected: Expected, content: Kept) -> None:
        self._office = office
        self._expected = expected
        self._network: Network = expected.network
        self._content = content
        self._reading = store.Reading(office.pool, office.book_id, expected)

    async def run(self, supersede: Signed | None) -> Ran | FileRefused | Refused:
        known = None
        if self._expected.cycle:
            known = await store.file_in_force(*self._place, self._expected)
        if known is not None:
            totals = await asyncio.to_thread(self._verify)
            if isinstance(totals, FileRefused):
                return totals
            if totals.sha256 == known.sha256 and known.state == "posted":
                return await self._repeated(known, totals)
            if totals.sha256 != known.sha256 and supersede is None:
                return Refused(
                    Refusal.ORDER_INVALID, "file", "this cycle had a file with other content"
                )
        matcher = Matcher(await self._reading.load(), self._network.accounts[0])
        totals = await asyncio.to_thread(self._take, matcher)
        if isinstance(totals, FileRefused):
            return totals
        await self._reading.add_named(matcher.strays())
        matcher.look_again()
        matched = await asyncio.to_thread(matcher.judge)
        if not self._expected.cycle:
            accepted, declined = await self._conclude(matched)
            return self._ran(totals, matched, 0, accepted=accepted, declined=declined)
        return await self._carry_out(matcher, matched, totals, known, supersede)

    async def _carry_out(
        self,
        matcher: Matcher,
        matched: Matched,
        totals: Totals,
        known: store.Filed | None,
        supersede: Signed | None,
    ) -> Ran | Refused:
        expected, office = self._expected, self._office
        earlier = await store.revisions(*self._place, expected)
        is_new = known is None or known.sha256 != totals.sha256
        revision = earlier[-1][0] + 1 if is_new and earlier else (known.revision if known else 1)
        cycle = Cycle(self._network.name, expected.day, expected.cycle, revision)
        if is_new:
            await self._remember_file(cycle, totals, supersede)
            now = office.clock.now()
            await store.keep_file(*self._place, expected, revision, totals, now)
        await store.keep_matches(*self._place, expected, matcher.settled())
        accepted, declined = await self._conclude(matched)
        await self._list_breaks(matched.breaks)
        posting_id = None
        if not self._network.is_prefunded:
            before = tuple(Cycle(*_named(cycle), one).posting_id for one in range(1, revision))
            nets = tuple(matched.net_of_account.items())
            posted = await office.desk.decide(PostPosition(cycle, nets, totals.sha256, before))
            if isinstance(posted, Refused):
                return posted
            posting_id = posted.id if posted is not None else None
        await store.finish_file(
            *self._place,
            expected,
            revision,
            matched=matched.matched,
            breaks=len(matched.breaks),
            posting_id=posting_id,
        )
        absent = await self._conclude_absent()
        ran = self._ran(totals, matched, revision, accepted=accepted, declined=declined)
        return msgspec.structs.replace(
            ran, absent=absent, posting_id=posting_id, deposit=await self._deposit()
        )

    # ---- the file ------------------------------------------------------------------------------

    def _verify(self) -> Totals | FileRefused:
        reader = Reader(self._content.chunks(), self._expected)
        for _ in reader:
            pass
        return _end_of(reader)

    def _take(self, matcher: Matcher) -> Totals | FileRefused:
        reader = Reader(self._content.chunks(), self._expected)
        matcher.take(reader)
        return _end_of(reader)

    async def _remember_file(self, cycle: Cycle, totals: Totals, supersede: Signed | None) -> None:
        what, actor, more = "settlement_file.received", ACTOR, {"sha256": totals.sha256}
        told = msgspec.json.encode(more).decode()
        if supersede is not None and cycle.revision > 1:
            what, actor = "settlement_file.superseded", f"staff:{supersede.by}"
            told = supersede.as_told(**more)
        await self._office.desk.decide(Remember(actor, what, f"cycle:{cycle}", told))

    async def _repeated(self, known: store.Filed, totals: Totals) -> Ran:
        expected = self._expected
        return Ran(
            network=self._network.name,
            day=expected.day,
            cycle=expected.cycle,
            revision=known.revision,
            sha256=known.sha256,
            lines=known.lines,
            owed_minor=known.owed_minor,
            due_minor=known.due_minor,
            net_minor=totals.net_minor,
            matched=known.matched,
            breaks=known.breaks,
            posting_id=known.posting_id,
            deposit=await self._deposit(),
            repeated=True,
        )

    # ---- what it proves ------------------------------------------------------------------------

    async def _conclude(self, matched: Matched) -> tuple[int, int]:
        no = Declined(Refusal.NEVER_ARRIVED, BY_SETTLEMENT)
        proven: list[tuple[UUID, Outcome]] = [
            (payment_id, Accepted(named)) for payment_id, named in matched.proven
        ]
        accepted = await self._decide(proven)
        declined = await self._decide([(payment_id, no) for payment_id in matched.disproven])
        return accepted, declined

    async def _conclude_absent(self) -> int:
        """Open payments in no file of their day and the next, when every file of both is here."""
        network, day = self._network, self._expected.day
        if not network.absence_proves or not await self._is_done(day):
            return 0
        midnight, _ = window_of(Expected(network=network, day=day, cycle=0))
        done: dict[date, bool] = {}
        proven: list[tuple[UUID, Outcome]] = []
        no = Declined(Refusal.NEVER_ARRIVED, BY_SETTLEMENT)
        for payment_id, accepted_at in await store.open_before(*self._place, network, midnight):
            its_day = business_date(accepted_at)
            if its_day not in done:
                next_day = its_day + timedelta(days=1)
                done[its_day] = await self._is_done(its_day) and await self._is_done(next_day)
            if done[its_day]:
                proven.append((payment_id, no))
        return await self._decide(proven)

    async def _is_done(self, day: date) -> bool:
        return await store.is_whole_day_done(*self._place, self._network, day)

    async def _decide(self, proven: Sequence[tuple[UUID, Outcome]]) -> int:
        desk, concluded = self._office.desk, 0
        for begin in range(0, len(proven), _AT_ONCE):
            decided = await asyncio.gather(
                *(
                    desk.decide(Conclude(payment_id, outcome, desk.rules))
                    for payment_id, outcome in proven[begin : begin + _AT_ONCE]
                )
            )
            concluded += sum(not isinstance(one, Refused) and not one.repeated for one in decided)
        return concluded

    # ---- what does not match -------------------------------------------------------------------

    async def _list_breaks(self, found: Sequence[Found]) -> None:
        """Open what is new, and close what this cycle, or a later file, no longer says."""
        office, expected = self._office, self._expected
        now = office.clock.now()
        wanted = {one.break_id: one for one in (self._break(each, now) for each in found)}
        known = {one.break_id: one for one in await store.breaks_of_cycle(*self._place, expected)}
        undone = [
            self._break(listing.undone(one), now)
            for break_id, one in known.items()
            if one.state == listing.REPAIRED and one.payment_id is None and break_id not in wanted
        ]
        wanted |= {one.break_id: one for one in undone}
        fresh = [one for break_id, one in wanted.items() if break_id not in known]
        gone = [
            one.break_id
            for break_id, one in known.items()
            if break_id not in wanted and one.state == listing.OPEN
        ]
        listed = await store.breaks_listed_since(*self._place, self._network)
        await self._remember(
            [("break.opened", one.break_id, _told(one)) for one in fresh]
            + [("break.closed", one, "superseded") for one in gone]
            + [("break.closed", one, "listed since") for one in listed]
        )
        await store.add_breaks(*self._place, fresh)
        await store.close_breaks(*self._place, gone, "the file was superseded", now)
        await store.close_breaks(*self._place, listed, "another cycle lists it", now)

    async def _remember(self, acts: Sequence[tuple[str, UUID, str]]) -> None:
        for begin in range(0, len(acts), _AT_ONCE):
            await asyncio.gather(
                *(
                    self._office.desk.decide(Remember(ACTOR, what, subject_of(break_id), told))
                    for what, break_id, told in acts[begin : begin + _AT_ONCE]
                )
            )

    def _break(self, found: Found, now: datetime) -> Break:
        network, expected = self._network, self._expected
        return Break(
            break_id=break_id_of(network.name, expected.day, expected.cycle, found),
            network=network.name,
            day=expected.day,
            cycle=expected.cycle,
            kind=found.kind,
            reference=found.reference,
            payment_id=found.payment_id,
            account_id=found.account,
            ours_minor=found.ours_minor,
            theirs_minor=found.theirs_minor,
            found_at=now,
            owner=network.owner,
            proposal=PROPOSALS[found.kind],
            state=listing.OPEN,
        )

    # ---- the money -----------------------------------------------------------------------------

    async def _deposit(self) -> Deposit | None:
        network = self._network
        if not network.is_prefunded:
            return None
        account = await statement.balance(*self._place, network.accounts[0])
        there = -account.posted_minor if account is not None else 0
        floor = network.deposit_floor_minor
        proposed = 2 * floor - there if there < floor else 0
        return Deposit(network.accounts[0], there, floor, proposed)

    @property
    def _place(self) -> tuple[Pool, int]:
        return self._office.pool, self._office.book_id

    def _ran(
        self, totals: Totals, matched: Matched, revision: int, *, accepted: int, declined: int
    ) -> Ran:
        return Ran(
            network=self._network.name,
            day=self._expected.day,
            cycle=self._expected.cycle,
            revision=revision,
            sha256=totals.sha256,
            lines=totals.lines,
            owed_minor=totals.owed_minor,
            due_minor=totals.due_minor,
            net_minor=totals.net_minor,
            matched=matched.matched,
            breaks=len(matched.breaks),
            accepted=accepted,
            declined=declined,
            found=tuple(matched.breaks[:_FOUND_MAX]),
        )


_FOUND_MAX: Final = 1_000
"""So many breaks are told in the answer; all of them are in the list."""


def _end_of(reader: Reader) -> Totals | FileRefused:
    if reader.refused is not None:
        return reader.refused
    if reader.totals is None:
        return FileRefused(0, "file", "it was not read to its end")
    return reader.totals


def _named(cycle: Cycle) -> tuple[str, date, int]:
    return cycle.network, cycle.day, cycle.number


def _told(one: Break) -> str:
    return msgspec.json.encode(
        {
            "cycle": f"{one.network} {one.day.isoformat()} {one.cycle}",
            "kind": one.kind,
            "reference": one.reference,
            "ours_minor": one.ours_minor,
            "theirs_minor": one.theirs_minor,
            "owner": one.owner,
        }
    ).decode()
