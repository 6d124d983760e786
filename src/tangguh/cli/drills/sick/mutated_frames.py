"""mutated-frames: garbage on the switch's one line, with real withdrawals in flight beside it.

The drill is the switch: the bank connects and signs on. Eight withdrawals of the bank's cards are
always in flight; between them come messages of types nobody uses, with wrong elements, cut, swollen
and broken ones, in whole frames. Asked, beside the proof: every withdrawal was approved; the line
was made once and never ended; no garbage was approved but well-formed inquiries; exactly the
approved sums left the accounts (O5).
"""

from __future__ import annotations

import asyncio
import itertools
import random
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tangguh.cli.drills.report import Notes, Report, oracles_of, verdict
from tangguh.cli.household import Household, temporary
from tangguh.cli.processes.ports import free_port
from tangguh.cli.prove import prove_dsn
from tangguh.config import load
from tangguh.core.clock import Clock, SystemClock
from tangguh.core.errors import StoreUnavailable
from tangguh.core.service import CARD_CASH
from tangguh.customers.demo import CARD_HOLDERS, card_number
from tangguh.customers.seed import DEMO_PIN, demo
from tangguh.db.pool import Pool
from tangguh.rails.iso8583 import hsm
from tangguh.sim.cards.foreign import numbered
from tangguh.sim.cards.garbled import garbled
from tangguh.sim.cards.wire import Telegram, frame, load_key, mac_fits, pin_block, read, write

FRAMES: Final = 200_000
_IN_FLIGHT: Final = 8
_BESIDE: Final = 50
"""Pieces of garbage that come with each withdrawal."""
_AMOUNT_MINOR: Final = 10_000
_FUNDS_MINOR: Final = 1_000_000_000_00
_SIGN_ON_SECONDS: Final = 15.0
_ANSWER_SECONDS: Final = 60.0
_HANDLING_MAX: Final = 4_096
_TAKEN = (
    "SELECT count(*) AS payments, coalesce(sum(amount_minor), 0)::bigint AS minor"
    " FROM payments WHERE service = $1 AND state = 'posted'"
)


async def run(seed: int, times: int) -> Report:
    """Rehearse it with ``times`` pieces of garbage."""
    clock = SystemClock()
    notes = Notes(clock)
    port = free_port()
    overrides: dict[str, Any] = {
        "iso8583": {"port": port, "handling_max": _HANDLING_MAX},
        "guard": {"mode": "shadow"},
    }
    switch = _Switch(clock)
    with tempfile.TemporaryDirectory(prefix="tangguh-drill-") as directory:
        household = temporary(Path(directory), load(None), seed=1, overrides=overrides)
        server = await asyncio.start_server(switch.serve, "127.0.0.1", port)
        try:
            await household.start()
            codes = await _storm(household, switch, notes, seed, times)
            lines = switch.calls
            taken = await _taken(household.dsn)
            proof = await prove_dsn(household.dsn)
        finally:
            await household.stop()
            switch.cut()
            server.close()
    approved = codes.count("00")
    oracles = oracles_of(proof) | {
        "O5": taken == {"payments": approved, "minor": approved * _AMOUNT_MINOR},
        "no_neighbour_was_hurt": approved == len(codes),
        "the_line_never_ended": lines == 1,
    }
    sometimes = {
        "a_format_error_was_answered": switch.told.get("0210 30", 0) > 0,
        "an_unknown_type_was_answered": switch.told.get("1210 12", 0) > 0,
        "a_wrong_mac_was_answered": switch.told.get("0210 63", 0) > 0,
    }
    measures: dict[str, Any] = {
        "garbage": times,
        "withdrawals": len(codes),
        "approved": approved,
        "lines": lines,
        "taken_minor": taken.get("minor", 0),
        "answers_to_garbage": dict(sorted(switch.told.items())),
    }
    passed = verdict(oracles, sometimes, proof)
    return Report("mutated-frames", seed, passed, oracles, sometimes, measures, notes.moments)


async def _taken(dsn: str) -> dict[str, int]:
    """What the withdrawals took, as PostgreSQL has it."""
    pool = await Pool.open(dsn)
    try:
        row = await pool.fetchrow(_TAKEN, CARD_CASH)
    finally:
        await pool.close()
    return {"payments": row["payments"], "minor": row["minor"]} if row is not None else {}


async def _storm(
    household: Household, switch: _Switch, notes: Notes, seed: int, times: int
) -> list[str]:
    """The response codes of every withdrawal; empty for one that had no answer."""
    assert household.outside is not None
    keys = household.outside.keys
    switch.mac_key, pin_key = load_key(keys[hsm.MAK]), load_key(keys[hsm.ZPK])
    await asyncio.wait_for(switch.signed_on.wait(), _SIGN_ON_SECONDS)
    dice = random.Random(seed)  # noqa: S311 - a drill must be repeatable
    rubbish = itertools.islice(garbled(notes.clock.now(), switch.mac_key, dice), times)
    _, accounts, _ = demo(1)
    holders = [account_id for _, account_id, _ in accounts[:CARD_HOLDERS]]
    for account_id in holders:
        if await switch.ask(_funds(account_id, notes.clock)) != "00":
            raise StoreUnavailable("a holder could not be given money")
    pans = itertools.cycle(card_number(account_id) for account_id in holders)
    numbers = itertools.count()
    codes: list[str] = []

    async def client() -> None:
        while beside := list(itertools.islice(rubbish, _BESIDE)):
            withdrawal = _withdrawal(next(pans), next(numbers), pin_key, notes.clock)
            asking = asyncio.ensure_future(switch.ask(withdrawal))
            await asyncio.sleep(0)
            for body in beside:
                switch.say(body)
            codes.append(await asking)

    notes.add("garbage begins")
    await asyncio.gather(*(client() for _ in range(_IN_FLIGHT)))
    notes.add(f"{times} pieces of garbage, {len(codes)} withdrawals beside them")
    return codes


def _funds(account_id: int, clock: Clock) -> Telegram:
    """A credit, so that fees do not empty a holder's account."""
    fields = numbered(clock.now(), f"{900_000 + account_id % 100_000:06d}") | {
        3: "401000",
        4: f"{_FUNDS_MINOR:012d}",
        18: "6011",
        22: "021",
        32: "998",
        41: "ATM99801",
        42: "998000000000001",
        43: f"{'ATM UJI ANTAR':<25}{'JAKARTA':<13}ID",
        48: f"{'':30}{'DRILL':<16}{'DRILL':<30}",
        49: "360",
        100: "999",
        102: "5260000001",
        103: str(account_id),
        127: "999",
    }
    return Telegram("0200", fields)


def _withdrawal(pan: str, number: int, pin_key: bytes, clock: Clock) -> Telegram:
    fields = numbered(clock.now(), f"{number % 1_000_000:06d}") | {
        2: pan,
        3: "011000",
        4: f"{_AMOUNT_MINOR:012d}",
        18: "6011",
        22: "021",
        32: "998",
        35: f"{pan}=301210100000",
        41: "ATM99801",
        42: "998000000000001",
        43: f"{'ATM UJI ANTAR':<25}{'JAKARTA':<13}ID",
        49: "360",
        52: pin_block(DEMO_PIN, pan, pin_key),
        100: "999",
    }
    return Telegram("0200", fields)


class _Switch:
    """The far end of the bank's one line."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.mac_key: bytes | None = None
        self.signed_on = asyncio.Event()
        self.calls = 0
        self.told: dict[str, int] = {}
        self._asked: dict[tuple[str, str], asyncio.Future[str]] = {}
        self._writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer network management; give every other answer to who waits for it."""
        self.calls, self._writer = self.calls + 1, writer
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(2)
                raw = await reader.readexactly(int.from_bytes(head, "big"))
                telegram = read(raw)
                if telegram.mti == "0800":
                    writer.write(frame(write(telegram.answered("00"))))
                    self.signed_on.set()
                    continue
                waiting = self._asked.pop((telegram.get(11), telegram.get(37)), None)
                if waiting is not None and mac_fits(raw, telegram, self.mac_key):
                    waiting.set_result(telegram.get(39))
                else:
                    kind = f"{telegram.mti} {telegram.get(39)}"
                    self.told[kind] = self.told.get(kind, 0) + 1

    async def ask(self, telegram: Telegram) -> str:
        """The response code; empty when none came in time."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._asked[telegram.get(11), telegram.get(37)] = answer
        self.say(write(telegram, self.mac_key))
        with suppress(TimeoutError):
            return await asyncio.wait_for(answer, _ANSWER_SECONDS)
        return ""

    def say(self, body: bytes) -> None:
        """Write one frame."""
        assert self._writer is not None
        self._writer.write(frame(body))

    def cut(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
