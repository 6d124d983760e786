"""row-tampered: somebody with all rights in the database changes one row after another, under load.

Each time another kind of row, any of its kind: what an account is, an old entry, how a payment
ended, a hold, a payment's line of its story. Asked, beside the standard oracles: while it is
changed, the proof fails by the right rule; the pulse tells people within the time a look and a
round over this small book take; put back, it is well again and everything proves.
"""

from __future__ import annotations

import asyncio
import random
from datetime import datetime
from functools import partial
from typing import Any, Final

import msgspec

from tangguh.cli.drills.partners import Payer, payers, rehearsal
from tangguh.cli.drills.paying import pay_over
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.ending import ask_ending, ask_plan, ending_of, report_of
from tangguh.cli.drills.scores.recorder import Band
from tangguh.cli.drills.street import Street
from tangguh.cli.prove import prove_dsn
from tangguh.core.clock import Clock, SystemClock
from tangguh.db.pool import Pool

_PACE_SECONDS: Final = 1.0
_QUIET_SECONDS: Final = 5.0
_SEEN_SECONDS_MAX: Final = 60.0
_LOOK_SECONDS: Final = 0.2
_PEOPLE: Final = 12
_SERVICES: Final = ("onus", "qris")
_ENDED: Final = "state = 'posted' AND kind = 'payment'"


class Kind(msgspec.Struct, frozen=True):
    """One kind of row to change: its table, key and column, the new value, which rows, the rule."""

    name: str
    table: str
    key: tuple[str, ...]
    column: str
    value: str
    among: str
    rule: str


KINDS: Final = (
    Kind("a floor", "accounts", ("account_id",), "floor_minor", "-100000000000",
         "kind = 'merchant' AND posted_minor > held_minor", "floors_follow_the_chart"),
    Kind("an owner", "accounts", ("account_id",), "owner_id", "owner_id + 1",
         "kind = 'merchant' AND posted_minor > held_minor", "accounts_are_what_the_chain_says"),
    Kind("a held sum", "accounts", ("account_id",), "held_minor", "held_minor + 1",
         "kind = 'merchant' AND posted_minor > held_minor", "held_sums_equal_open_holds"),
    Kind("an old entry", "entries", ("account_id", "seq"), "amount_minor", "amount_minor + 1",
         "seq = 1", "hash_chain_is_unbroken"),
    Kind("how a payment ended", "payments", ("payment_id",), "concluded_at",
         "concluded_at + interval '1 hour'", _ENDED, "payments_are_as_their_events_left_them"),
    Kind("who was paid", "payments", ("payment_id",), "creditor", "debtor", _ENDED,
         "every_payment_is_credited_as_ordered"),
    Kind("a hold", "holds", ("hold_id",), "amount_minor", "amount_minor + 1",
         "state = 'posted'", "every_hold_is_its_payments"),
    Kind("a line of a story", "payment_events", ("payment_id", "seq"), "detail", "'nothing to see'",
         "seq = 1 AND detail <> 'nothing to see'", "hash_chain_is_unbroken"),
)  # fmt: skip


async def run(seed: int, times: int) -> Report:
    """Rehearse it with ``times`` rows."""
    clock = SystemClock()
    notes = Notes(clock)
    street = Street(clock, notes)
    card = Card()
    plan = planned(seed, times)
    seen: dict[str, list[float | None]] = {}
    async with rehearsal(notes) as (household, control):
        async with payers(household, control, clock, _PEOPLE) as people:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pay(street, people))
                await street.window(_QUIET_SECONDS)
                begins = notes.seconds
                for kind, place in plan:
                    after = await _change(_all_rights(household), clock, card, kind, place)
                    seen.setdefault(kind.name, []).append(after)
                    notes.add(f"{kind.name} was changed; told after {after} s")
                ends = notes.seconds
                street.stop()
            ending = await ending_of(household, control, clock, people, ("qris",))
    ask_ending(card, ending, people)
    times_seen = [after for found in seen.values() for after in found if after is not None]
    shape = [(kind.name, place) for kind, place in plan]
    again = [(kind.name, place) for kind, place in planned(seed, times)]
    return report_of(
        "row-tampered", seed, card, ending, notes, street.recorder,
        sometimes={"rows_were_changed_and_told": bool(times_seen)},
        measures={"seen_after_seconds": seen, "slowest_seconds": max(times_seen, default=None)},
        faults=[Band(begins, ends, "fault", "rows are changed by SQL")],
        plan=ask_plan(card, shape, again),
    )  # fmt: skip


def planned(seed: int, times: int) -> list[tuple[Kind, float]]:
    """Which kinds in which order, and which row of each: 0 the first, 1 the last."""
    chance = random.Random(seed)  # noqa: S311
    order: list[Kind] = []
    while len(order) < times:
        order += chance.sample(KINDS, len(KINDS))
    return [(kind, chance.random()) for kind in order[:times]]


def _all_rights(household: Any) -> str:
    """The database's own administrator."""
    dsn: str = household.postgres.dsn if household.postgres is not None else household.dsn
    return dsn


async def _pay(street: Street, people: list[Payer]) -> None:
    async with asyncio.TaskGroup() as group:
        for number, payer in enumerate(people):
            service = _SERVICES[number % len(_SERVICES)]
            pay = partial(pay_over, payer, service, people[number - 2].account)
            group.create_task(street.pay_at_pace(service, pay, _PACE_SECONDS))


async def _change(dsn: str, clock: Clock, card: Card, kind: Kind, place: float) -> float | None:
    """Change one row, wait until people are called, prove, put it back; seconds until told."""
    pool = await Pool.open(dsn, size_max=2)
    try:
        row, at = await _put(pool, kind, place)
        told = await _until_told(pool, clock, at)
        proof = await prove_dsn(dsn)
        broken = {one.name for one in proof.invariants if one.holds is False}
        card.ask(
            f"{kind.name}: the proof", f"broken by {kind.rule}", sorted(broken),
            holds=not proof.passed and kind.rule in broken,
        )  # fmt: skip
        card.ask(
            f"{kind.name}: people are called", f"within {_SEEN_SECONDS_MAX:g} s", told,
            holds=told is not None and told <= _SEEN_SECONDS_MAX,
        )  # fmt: skip
        await _put_back(pool, kind, row)
        return told
    finally:
        await pool.close()


async def _put(pool: Pool, kind: Kind, place: float) -> tuple[dict[str, Any], datetime]:
    where = " AND ".join(f"{name} = ${number}" for number, name in enumerate(kind.key, 1))
    async with pool.transaction() as connection:
        await connection.execute("SET LOCAL session_replication_role = replica")
        count = f"SELECT count(*) FROM {kind.table} WHERE {kind.among}"  # noqa: S608
        rows = await connection.fetchval(count)
        row = await connection.fetchrow(
            f"SELECT {', '.join(kind.key)}, {kind.column} AS was FROM {kind.table}"  # noqa: S608
            f" WHERE {kind.among} ORDER BY {', '.join(kind.key)} LIMIT 1 OFFSET $1",
            int(place * (rows - 1)),
        )
        assert row is not None, f"there is no {kind.name}"
        await connection.execute(
            f"UPDATE {kind.table} SET {kind.column} = {kind.value} WHERE {where}",  # noqa: S608
            *(row[name] for name in kind.key),
        )
        at: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return dict(row), at


async def _put_back(pool: Pool, kind: Kind, row: dict[str, Any]) -> None:
    where = " AND ".join(f"{name} = ${number}" for number, name in enumerate(kind.key, 2))
    async with pool.transaction() as connection:
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(
            f"UPDATE {kind.table} SET {kind.column} = $1 WHERE {where}",  # noqa: S608
            row["was"],
            *(row[name] for name in kind.key),
        )


async def _until_told(pool: Pool, clock: Clock, since: datetime) -> float | None:
    """Seconds until an integrity signal was raised for people; None within the patience."""
    deadline = clock.monotonic() + _SEEN_SECONDS_MAX
    while clock.monotonic() < deadline:
        row = await pool.fetchrow(
            "SELECT min(at) AS at FROM acts WHERE what = 'signal.raised' AND at > $1"
            " AND subject IN ('row.differs', 'chain.broken')",
            since,
        )
        if row is not None and row["at"] is not None:
            return round(float((row["at"] - since).total_seconds()), 3)
        await clock.sleep(_LOOK_SECONDS)
    return None
