"""Gives every contradiction in a payment's timeline an owner: a break of the day, of cycle 0.

It is made from the book, so it is made again after a crash and never twice. A repair of it moves
what a repair of the file's own break would move, and counts as settled (``settle_by_repair``), so
the file then matches; a file that comes first brings its own break, and this one is closed.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from tangguh.audit.trail import Remember
from tangguh.core.clock import business_date
from tangguh.db.queries import Queries
from tangguh.ledger import chart
from tangguh.payments.incoming import contradiction
from tangguh.payments.payment import State
from tangguh.settlement import store
from tangguh.settlement.breaks import OPEN, PROPOSALS, Break, break_id_of, subject_of
from tangguh.settlement.cycle import BackOffice
from tangguh.settlement.formats import NETWORKS, OUR_MACHINES, OWNER_OF_CASH
from tangguh.settlement.match import Found, Kind
from tangguh.settlement.mend import clearing_id_of
from tangguh.settlement.position import ACTOR

CONTRADICTED: Final = Queries("tangguh.settlement.contradicted", "contradicted.sql")
LOOK_BACK: Final = timedelta(days=3)
"""A file has come by then, with a break of its own."""
_OPEN_MAX: Final = 10_000
OF_THE_WORD: Final = 0
"""The cycle of a break that no file made."""
_MOVED: Final = {State.POSTED, State.REFUNDED}
_Whose = tuple[str, str]
"""A network's name and who owns its breaks."""
_OF_NETWORKS: Final[dict[int, _Whose]] = {
    account: (network.name, network.owner)
    for network in NETWORKS.values()
    for account in network.accounts
}
_WHOSE: Final = _OF_NETWORKS | dict.fromkeys(chart.ATM_VAULTS, (OUR_MACHINES, OWNER_OF_CASH))
_TAKES_BACK: Final = {"cards", OUR_MACHINES}
"""What came from these is undone in our own book alone, by the network's word."""


async def list_contradictions(office: BackOffice) -> list[Break]:
    """Open a break for each contradiction nobody has yet, and close what a file has taken over.

    The breaks that were opened now. Raises StoreUnavailable like every decision.
    """
    now = office.clock.now()
    rows = await office.pool.fetch(
        CONTRADICTED["contradicted_since"], office.book_id, now - LOOK_BACK
    )
    wanted = {one.break_id: one for row in rows for one in _breaks_of(dict(row))}
    opened = await _open(office, wanted, now) if wanted else []
    await _close(office, now)
    return opened


async def _open(office: BackOffice, wanted: dict[UUID, Break], now: datetime) -> list[Break]:
    listed = await _listed(office, list(wanted.values()), now)
    known = await _ids(office, "breaks_known", list(wanted))
    fresh = [
        one for break_id, one in wanted.items() if break_id not in known and break_id not in listed
    ]
    by_cycle: dict[tuple[str, object, datetime], list[Break]] = defaultdict(list)
    for one in fresh:
        told = msgspec.json.encode(
            {"kind": one.kind, "reference": one.reference, "owner": one.owner}
        ).decode()
        await office.desk.decide(Remember(ACTOR, "break.opened", subject_of(one.break_id), told))
        by_cycle[one.network, one.day, one.found_at].append(one)
    for together in by_cycle.values():
        await store.add_breaks(office.pool, office.book_id, together)
    return fresh


async def _close(office: BackOffice, now: datetime) -> None:
    """What a file lists is the file's; an account that differed is over with its suspense."""
    found = await store.open_breaks(office.pool, office.book_id, _OPEN_MAX)
    ours = [(one, one.payment_id) for one in found if one.cycle == OF_THE_WORD and one.payment_id]
    if not ours:
        return
    listed = await _listed(office, [one for one, _ in ours], now)
    clearings = {clearing_id_of(payment_id): payment_id for _, payment_id in ours}
    known = await _ids(office, "postings_known", list(clearings))
    cleared = {clearings[one] for one in known}
    files, done = list[UUID](), list[UUID]()
    for one, payment_id in ours:
        by_account = one.kind is Kind.ACCOUNT_DIFFERS
        if (payment_id in cleared) if by_account else (one.break_id in listed):
            (done if by_account else files).append(one.break_id)
    agreed = await _agreed(office, [one for one, _ in ours if one.break_id not in {*files, *done}])
    for break_ids, why in (
        (files, "the network's file lists it"),
        (done, "suspense was cleared"),
        (agreed, "the book agrees with it by now"),
    ):
        for break_id in break_ids:
            subject = subject_of(break_id)
            await office.desk.decide(Remember(ACTOR, "break.closed", subject, why))
        if break_ids:
            await store.close_breaks(office.pool, office.book_id, break_ids, why, now)


async def _agreed(office: BackOffice, ours: list[Break]) -> list[UUID]:
    """Those of which a later word of the network made the book what the first one said."""
    wanted = {one.payment_id: one for one in ours if one.network in _TAKES_BACK}
    if not wanted:
        return []
    rows = await office.pool.fetch(
        CONTRADICTED["undone_now"], office.book_id, [one for one in wanted if one is not None]
    )
    now = {row["payment_id"]: _stands(dict(row), row["refunded_minor"]) for row in rows}
    return [
        one.break_id
        for one in ours
        if one.network in _TAKES_BACK
        and one.kind is not Kind.ACCOUNT_DIFFERS
        and now.get(one.payment_id) == one.theirs_minor
    ]


async def _listed(office: BackOffice, breaks: list[Break], now: datetime) -> set[UUID]:
    """Those of these breaks whose payment a file has spoken of since: what was said after the
    newest file that speaks of it is no file's.
    """
    payments = list({one.payment_id for one in breaks})
    query = CONTRADICTED["listed_by_a_file"]
    spoken: dict[UUID, datetime] = {}
    for row in await office.pool.fetch(query, office.book_id, payments, now):
        at = spoken.get(row["payment_id"], row["at"])
        spoken[row["payment_id"]] = max(at, row["at"])
    return {
        one.break_id
        for one in breaks
        if one.payment_id in spoken and one.found_at <= spoken[one.payment_id]
    }


async def _ids(office: BackOffice, query: str, ids: list[Any]) -> set[UUID]:
    rows = await office.pool.fetch(CONTRADICTED[query], office.book_id, ids)
    return {row[0] for row in rows}


def _breaks_of(row: dict[str, Any]) -> list[Break]:
    """The break one line of a timeline is; none where no network's account is touched."""
    said = contradiction.read(row["detail"])
    account, sign, whole = _end_of(row)
    whose = _WHOSE.get(account)
    if said is None or whose is None:
        return []
    ours = _stands(row, said.undone_minor)
    named = said.amount_minor if said.amount_minor is not None else whole
    theirs = sign * named if said.is_paid else 0
    kind = Kind.STATE_DIFFERS
    if said.is_paid and said.account:
        kind = Kind.ACCOUNT_DIFFERS
    if said.is_paid and said.undone_minor:
        kind = Kind.AMOUNT_DIFFERS
    elif said.is_paid and said.amount_minor is not None:
        # A payment of ours that is still open will be booked with our sum once it is known.
        ours, kind = ours or _expected(row, sign * whole), Kind.AMOUNT_DIFFERS
    if ours == theirs and kind is not Kind.ACCOUNT_DIFFERS:
        return []
    reference = (row["wire_reference"] or row["payment_id"].hex).removeprefix("in:")
    found = Found(kind, reference, row["payment_id"], account, ours, theirs)
    return [_break(whose, row["at"], found)]


def _end_of(row: dict[str, Any]) -> tuple[int, int, int]:
    """Which account of the payment is with a network, its sign there, and what moved on it.

    A network before a cassette of ours: another bank's card at our machine is the switch's.
    """
    for known in (_OF_NETWORKS, _WHOSE):
        if row["creditor"] in known:
            return row["creditor"], 1, row["payee_minor"]
        if row["debtor"] in known:
            return row["debtor"], -1, row["payee_minor"] + row["fee_minor"]
    return row["debtor"], -1, 0


def _stands(row: dict[str, Any], undone_minor: int) -> int:
    """What the book has of a payment on that account, with its sign."""
    _, sign, whole = _end_of(row)
    return sign * (whole - undone_minor) if State(row["state"]) in _MOVED else 0


def _expected(row: dict[str, Any], signed_minor: int) -> int:
    """What the book will have of it: nothing when it has ended without moving."""
    return 0 if State(row["state"]) in {State.VOIDED, State.REFUSED} else signed_minor


def _break(whose: _Whose, at: datetime, found: Found) -> Break:
    (network, owner), day = whose, business_date(at)
    return Break(
        break_id=break_id_of(network, day, OF_THE_WORD, found),
        network=network,
        day=day,
        cycle=OF_THE_WORD,
        kind=found.kind,
        reference=found.reference,
        payment_id=found.payment_id,
        account_id=found.account,
        ours_minor=found.ours_minor,
        theirs_minor=found.theirs_minor,
        found_at=at,
        owner=owner,
        proposal=PROPOSALS[found.kind],
        state=OPEN,
    )
