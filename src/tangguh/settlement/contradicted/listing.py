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
from tangguh.payments.incoming import contradiction
from tangguh.payments.payment import State
from tangguh.settlement import store
from tangguh.settlement.breaks import OPEN, PROPOSALS, Break, break_id_of, subject_of
from tangguh.settlement.cycle import BackOffice
from tangguh.settlement.formats import NETWORKS, Network
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
_NETWORK_OF_ACCOUNT: Final = {
    account: network for network in NETWORKS.values() for account in network.accounts
}


async def list_contradictions(office: BackOffice) -> list[Break]:
    """Open a break for each contradiction nobody has yet, and close what a file has taken over.

    The breaks that were opened now. Raises StoreUnavailable like every decision.
    """
    now = office.clock.now()
    rows = await office.pool.fetch(
        CONTRADICTED["contradicted_since"], office.book_id, now - LOOK_BACK
    )
    wanted = {one.break_id: one for row in rows for one in _breaks_of(dict(row))}
    opened = await _open(office, wanted) if wanted else []
    await _close(office, now)
    return opened


async def _open(office: BackOffice, wanted: dict[UUID, Break]) -> list[Break]:
    payments = list({one.payment_id for one in wanted.values()})
    listed = await _ids(office, "listed_by_a_file", payments)
    known = await _ids(office, "breaks_known", list(wanted))
    fresh = [
        one
        for break_id, one in wanted.items()
        if break_id not in known and one.payment_id not in listed
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
    payments = [payment_id for _, payment_id in ours]
    listed = await _ids(office, "listed_by_a_file", payments)
    clearings = {clearing_id_of(one): one for one in payments}
    known = await _ids(office, "postings_known", list(clearings))
    cleared = {clearings[one] for one in known}
    files, done = list[UUID](), list[UUID]()
    for one, payment_id in ours:
        by_account = one.kind is Kind.ACCOUNT_DIFFERS
        if payment_id in (cleared if by_account else listed):
            (done if by_account else files).append(one.break_id)
    for break_ids, why in ((files, "the network's file lists it"), (done, "suspense was cleared")):
        for break_id in break_ids:
            subject = subject_of(break_id)
            await office.desk.decide(Remember(ACTOR, "break.closed", subject, why))
        if break_ids:
            await store.close_breaks(office.pool, office.book_id, break_ids, why, now)


async def _ids(office: BackOffice, query: str, ids: list[Any]) -> set[UUID]:
    rows = await office.pool.fetch(CONTRADICTED[query], office.book_id, ids)
    return {row[0] for row in rows}


def _breaks_of(row: dict[str, Any]) -> list[Break]:
    """The break one line of a timeline is; none where no network's account is touched."""
    said = contradiction.read(row["detail"])
    owed = row["creditor"] in _NETWORK_OF_ACCOUNT
    account = row["creditor"] if owed else row["debtor"]
    network = _NETWORK_OF_ACCOUNT.get(account)
    if said is None or network is None:
        return []
    sign = 1 if owed else -1
    whole = row["payee_minor"] + (0 if owed else row["fee_minor"])
    ours = sign * whole if State(row["state"]) in _MOVED else 0
    named = said.amount_minor if said.amount_minor is not None else whole
    theirs = sign * named if said.is_paid else 0
    kind = Kind.STATE_DIFFERS
    if said.is_paid and said.account:
        kind = Kind.ACCOUNT_DIFFERS
    if said.is_paid and said.amount_minor is not None:
        # A payment of ours that is still open will be booked with our sum once it is known.
        ours, kind = ours or _expected(row, sign * whole), Kind.AMOUNT_DIFFERS
    if ours == theirs and kind is not Kind.ACCOUNT_DIFFERS:
        return []
    reference = (row["wire_reference"] or row["payment_id"].hex).removeprefix("in:")
    found = Found(kind, reference, row["payment_id"], account, ours, theirs)
    return [_break(network, row["at"], found)]


def _expected(row: dict[str, Any], signed_minor: int) -> int:
    """What the book will have of it: nothing when it has ended without moving."""
    return 0 if State(row["state"]) in {State.VOIDED, State.REFUSED} else signed_minor


def _break(network: Network, at: datetime, found: Found) -> Break:
    day = business_date(at)
    return Break(
        break_id=break_id_of(network.name, day, OF_THE_WORD, found),
        network=network.name,
        day=day,
        cycle=OF_THE_WORD,
        kind=found.kind,
        reference=found.reference,
        payment_id=found.payment_id,
        account_id=found.account,
        ours_minor=found.ours_minor,
        theirs_minor=found.theirs_minor,
        found_at=at,
        owner=network.owner,
        proposal=PROPOSALS[found.kind],
        state=OPEN,
    )
