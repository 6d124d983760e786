"""Before anybody closes: what it would stop of what is normal at this hour, and what is smaller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tangguh.core.clock import JAKARTA
from tangguh.core.order import PaymentOrder
from tangguh.db.pool import Pool, Record
from tangguh.db.queries import Queries
from tangguh.guard.choice import weigh
from tangguh.guard.scope import Facts, Scope, narrower, text_of
from tangguh.payments.gates.facts import facts_of, is_probe
from tangguh.payments.payment import Order
from tangguh.settlement.store import id_at

QUERIES: Final = Queries("tangguh.work.control", "control.sql")
DAYS: Final = 28
_ROWS_MAX: Final = 50_000
_SMALLER_MAX: Final = 6


class Share(msgspec.Struct, frozen=True):
    """A scope and its share of normal payments, by count and by amount, in per mille."""

    scope: str
    permille: int
    value_permille: int


class Preview(msgspec.Struct, frozen=True):
    """What a closure of a scope would stop.

    ``normal``: customers' payments of the last 28 days within this hour of the day. ``stopped`` of
    them are inside, by ``customers`` customers, worth ``stopped_minor``. ``in_flight``: open now
    inside. ``services``: how many of each are inside. ``smaller``: scopes one step narrower.
    ``probes``, ``probes_in_flight``: the bank's own trials inside, counted in nothing else.
    """

    scope: str
    normal: int
    stopped: int
    permille: int
    value_permille: int
    stopped_minor: int
    customers: int
    in_flight: int
    services: dict[str, int]
    smaller: tuple[Share, ...]
    needs_people: bool
    probes: int
    probes_in_flight: int


async def preview(pool: Pool, book_id: int, scope: Scope, now: datetime) -> Preview:
    """Weigh a scope against the same hour of the last four weeks. Moves nothing."""
    asked = await asked_at_this_hour(pool, book_id, now)
    normal = [facts for facts in asked if not is_probe(facts)]
    inside = [facts for facts in normal if scope.covers(facts)]
    weighed = weigh(scope, (), normal)
    shares = []
    for step in narrower(scope, inside):
        one = weigh(step, (), normal)
        shares.append(Share(text_of(step), one.collateral_permille, one.collateral_value_permille))
    shares.sort(key=lambda share: -share.permille)
    open_rows = await pool.fetch(QUERIES["open_orders"], book_id, _ROWS_MAX)
    open_now = [facts for facts in _facts_of(open_rows) if scope.covers(facts)]
    probes_in_flight = sum(map(is_probe, open_now))
    return Preview(
        scope=text_of(scope),
        normal=len(normal),
        stopped=len(inside),
        permille=weighed.collateral_permille,
        value_permille=weighed.collateral_value_permille,
        stopped_minor=sum(facts.amount_minor for facts in inside),
        customers=len({facts.customer_id for facts in inside}),
        in_flight=len(open_now) - probes_in_flight,
        services=dict(Counter(facts.service for facts in inside).most_common()),
        smaller=tuple(shares[:_SMALLER_MAX]),
        needs_people=scope.is_whole_bank,
        probes=sum(is_probe(facts) and scope.covers(facts) for facts in asked),
        probes_in_flight=probes_in_flight,
    )


async def asked_at_this_hour(pool: Pool, book_id: int, now: datetime) -> list[Facts]:
    """The facts of what was asked for at this hour, newest first, at most so many."""
    hour = now.astimezone(JAKARTA).hour
    first = id_at(now - timedelta(days=DAYS))
    rows = await pool.fetch(QUERIES["orders_of_hour"], book_id, first, hour, _ROWS_MAX)
    return _facts_of(rows)


def _facts_of(rows: Sequence[Record]) -> list[Facts]:
    found = []
    for row in rows:
        order = msgspec.json.decode(row["order_json"], type=Order)
        if isinstance(order, PaymentOrder):
            found.append(facts_of(order))
    return found
