"""The card switch as a network: its port, its lines, its faults, its repeats.

One line per member; here there is one member, the bank. A request that is lost is lost alone: the
line stays, since others' telegrams are on it. Faults aim at the first two digits of DE3 (01 cash,
31 balance, 39 inquiry, 40 transfer) or at ``0420`` and ``0800``.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from random import Random
from typing import Any, Final

import msgspec

from tangguh.core.clock import Clock
from tangguh.core.supervision import Supervisor, beat
from tangguh.listeners.connections import Connections
from tangguh.listeners.tcp import LineLimits
from tangguh.sim.cards.channel import Channel
from tangguh.sim.cards.counter import CASH, REVERSAL, TRANSFER, Counter, CounterSettings
from tangguh.sim.cards.directory import Directory
from tangguh.sim.cards.foreign import Foreign
from tangguh.sim.cards.spoiled import deliver
from tangguh.sim.cards.wire import Telegram, load_key, wrap_key
from tangguh.sim.faults import AnyFault, Dealt, DropRequest, Faults, Late, Plan
from tangguh.sim.passbook import Passbook, PassbookProof

MANAGEMENT: Final = "0800"
SIGN_ON, SIGN_OFF, KEY_CHANGE, CUT_OVER, ECHO = "001", "002", "161", "201", "301"
_WRONG_MAC: Final = "63"
_NOT_SIGNED_ON: Final = "91"
_ROWS_MAX: Final = 1_000_000
_LIMITS: Final = LineLimits()


class CardSwitchSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The switch and its one member. Keys in hex as both sides know them; an empty ``mac_key``
    means no MACs. ``institution`` is the bank behind the switch (998), ``bank`` its member (999).

    ``repeat_seconds``: how often an unanswered reversal goes out again. ``port`` 0: any free one.
    """

    books_path: str
    pin_key: str
    mac_key: str = ""
    zone_key: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    institution: str = "998"
    bank: str = "999"
    answer_seconds: float = 30.0
    repeat_seconds: float = 60.0
    cut_offs: tuple[str, ...] = ("24:00",)
    seed: int = 0
    counter: CounterSettings = CounterSettings()

    def __repr__(self) -> str:
        return f"CardSwitchSettings(port={self.port}, bank={self.bank!r}, ...)"


class CardSwitch:
    """A ``network.Network``. ``foreign`` originates towards the bank."""

    name = "cards"

    def __init__(
        self, settings: CardSwitchSettings, clock: Clock, directory: Directory | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._random = Random(settings.seed)  # noqa: S311  a rehearsal must be repeatable
        self._mac_key = load_key(settings.mac_key) if settings.mac_key else None
        self._channels: set[Channel] = set()
        self._held = Connections(_LIMITS.as_listener)
        self._server: asyncio.Server | None = None
        self._loops = Supervisor(clock)
        self._obeying = asyncio.Lock()
        self._port = settings.port
        self.faults = Faults(TRANSFER, CASH)
        self.directory = directory if directory is not None else Directory()
        self.ledger = Passbook(settings.books_path)
        self.directory.enrol(self.ledger)
        key = load_key(settings.pin_key)
        self.counter = Counter(settings.counter, self.ledger, self.directory, clock, key)
        self.foreign = Foreign(
            ask=self._ask,
            books=self.ledger,
            clock=clock,
            institution=settings.institution,
            bank=settings.bank,
            pin_key=lambda: self.counter.pin_key,
            source=self._random,
        )

    @property
    def address(self) -> str:
        """host:port; the same while it is down."""
        return f"{self._settings.host}:{self._port}"

    @property
    def port(self) -> int:
        """The port; 0 until the first opening when any free one will do."""
        return self._port

    @property
    def signed_on(self) -> bool:
        """Whether the bank has a line and has signed on over it."""
        return any(channel.signed_on for channel in self._channels)

    async def open(self) -> None:
        """Listen. Does nothing when it listens already. Raises OSError when the port is taken."""
        if self._server is None:
            host = self._settings.host
            self._server = await asyncio.start_server(self._serve, host, self._port)
            self._port = self._server.sockets[0].getsockname()[1]
        if not self._loops.state():
            self._loops.start("repeats", self._repeat)

    async def close(self, grace_seconds: float = 0.0) -> None:
        """Stop listening and let go of the books; requests in hand have that long to end."""
        await self._loops.stop()
        if grace_seconds:
            await self.settle(grace_seconds)
        await self._shut()
        self.ledger.close()

    async def settle(self, timeout_seconds: float | None = None) -> None:
        """Wait until no request is being worked on, or for that long."""
        working = [task for channel in self._channels for task in channel.working]
        if working:
            await asyncio.wait(working, timeout=timeout_seconds)

    async def put_plan(self, plan: Plan) -> None:
        """Let this be wrong with it from now on, and nothing else."""
        async with self._obeying:
            self.faults.put(plan)
            if self.faults.is_down:
                await self._shut()
            else:
                await self.open()

    def dealt(self) -> Dealt:
        """The plan in force and how often each of its faults has struck."""
        return self.faults.dealt()

    def prove(self) -> PassbookProof:
        """Count every row again."""
        self._conclude_due()
        return self.ledger.prove()

    def books(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """Totals, accounts, and the rows that match (reference, state, kind, account, limit)."""
        self._conclude_due()
        limit = min(max(int(asked.get("limit", "100")), 0), _ROWS_MAX)
        filters = {name: asked.get(name, "") for name in ("reference", "state", "kind", "account")}
        return {
            "totals": self.ledger.totals(),
            "accounts": self.ledger.accounts(),
            "transfers": self.ledger.transfers(**filters, limit=limit),
            "signed_on": self.signed_on,
            "owed_reversals": self.foreign.owed,
        }

    def settlement_file(self, day: date, cycle: int = 0) -> str:
        """What this bank owes and is owed, line by line."""
        settings = self._settings
        return self.ledger.settlement_file(self.name, settings.bank, day, cycle, settings.cut_offs)

    async def act(self, what: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """``withdraw``, ``balance``, ``credit``, ``advise``, ``reverse``, ``echo``, ``sign_off``,
        ``sign_on``, ``cut_over``, ``change_keys``, ``cut`` (the lines). ValueError: it cannot.
        """
        try:
            match what:
                case "withdraw":
                    return await self.foreign.withdraw(fields)
                case "balance":
                    return await self.foreign.balance(fields)
                case "credit":
                    return await self.foreign.credit(fields)
                case "advise":
                    return await self.foreign.advise(fields)
                case "reverse":
                    original = {int(name): str(text) for name, text in fields["telegram"].items()}
                    return await self.foreign.reverse(
                        original, int(fields.get("dispensed_minor", 0))
                    )
                case "cut":
                    return {"cut": self._cut_lines()}
                case _:
                    return await self._manage(what)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{what} lacks or misspells {error}") from error

    async def originate(self, mti: str, fields: Mapping[int, str]) -> Telegram | None:
        """Any telegram as given, filled up with this side's own elements; the bank's answer."""
        given = Telegram(mti, dict(fields))
        made = self.foreign.telegram(mti, given.get(3), int(given.get(4) or "0"), fields)
        return await self._ask(made)

    async def change_keys(self) -> dict[str, str]:
        """New PIN and MAC keys under the zone key; in force as soon as the bank took each."""
        if not self._settings.zone_key:
            raise ValueError("no zone key")
        zone = load_key(self._settings.zone_key)
        taken = {}
        for name in ("ZPK", "MAK"):
            key = load_key(self._random.randbytes(16).hex())
            answer = await self._tell(KEY_CHANGE, {48: name + "".join(wrap_key(key, zone))})
            taken[name] = answer.get(39) if answer else ""
            if taken[name] == "00" and name == "ZPK":
                self.counter.pin_key = key
            elif taken[name] == "00" and self._mac_key is not None:
                self._mac_key = key
        return taken

    async def _manage(self, what: str) -> dict[str, Any]:
        codes = {"echo": ECHO, "sign_off": SIGN_OFF, "sign_on": SIGN_ON, "cut_over": CUT_OVER}
        if what == "change_keys":
            return dict(await self.change_keys())
        if what not in codes:
            raise ValueError(f"a card switch does not {what!r}")
        answer = await self._tell(codes[what], {})
        return {"code": answer.get(39) if answer else "", "answered": answer is not None}

    async def _tell(self, code: str, more: Mapping[int, str]) -> Telegram | None:
        numbered = self.foreign.telegram(MANAGEMENT, "000000", 0, {})
        kept = {number: numbered.fields[number] for number in (7, 11)}
        mine = {33: self._settings.institution, 70: code}
        return await self._ask(Telegram(MANAGEMENT, {**kept, **mine, **more}))

    async def _ask(self, telegram: Telegram) -> Telegram | None:
        for channel in self._channels:
            if channel.signed_on:
                return await channel.ask(telegram, self._settings.answer_seconds)
        return None

    async def _repeat(self) -> None:
        while True:
            beat(self._settings.repeat_seconds)
            await self._clock.sleep(self._settings.repeat_seconds)
            await self.foreign.repeat_owed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        place = self._held.admit(peer[0] if peer else "", writer.transport.abort)
        if place is None:
            writer.transport.abort()
            return
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        channel = Channel(
            reader, writer, self._clock, mac_key=lambda: self._mac_key, on_request=self._answer
        )
        self._channels.add(channel)
        late = asyncio.get_running_loop().call_later(
            _LIMITS.sign_on_seconds, _hang_up_unless_signed_on, channel
        )
        try:
            await channel.run()
        finally:
            late.cancel()
            self._channels.discard(channel)
            self._held.leave(place)

    async def _answer(
        self,
        channel: Channel,
        telegram: Telegram,
        mac_fits: bool,  # noqa: FBT001
    ) -> None:
        fault = self.faults.strike(*_aim(telegram))
        if isinstance(fault, DropRequest):
            return
        if isinstance(fault, Late) and fault.carried_out == "late":
            await self._clock.sleep(fault.seconds)
        answer = self._decide(channel, telegram, fault, mac_fits=mac_fits)
        with suppress(OSError):
            await deliver(channel, answer, fault, self._clock, self._mac_key)

    def _decide(
        self, channel: Channel, telegram: Telegram, fault: AnyFault | None, *, mac_fits: bool
    ) -> Telegram:
        if telegram.mti[1] == "8":
            if telegram.get(70) in (SIGN_ON, SIGN_OFF):
                channel.signed_on = telegram.get(70) == SIGN_ON
            return telegram.answered("00")
        if not mac_fits:
            return telegram.answered(_WRONG_MAC)
        if not channel.signed_on:
            return telegram.answered(_NOT_SIGNED_ON)
        if telegram.mti[:3] == "022":
            # An advice: what happened has happened.
            return telegram.answered("00")
        return self.counter.decide(telegram, fault)

    def _conclude_due(self) -> None:
        with self.ledger.transaction():
            self.counter.conclude_due()

    def _cut_lines(self) -> int:
        lines = list(self._channels)
        for channel in lines:
            channel.cut()
        return len(lines)

    async def _shut(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        dropped = [task for channel in self._channels for task in channel.working]
        self._cut_lines()
        for task in dropped:
            task.cancel()
        await asyncio.gather(*dropped, return_exceptions=True)
        await asyncio.sleep(0)  # the lines learn that they are cut


def _hang_up_unless_signed_on(channel: Channel) -> None:
    if not channel.signed_on:
        channel.cut()


def _aim(telegram: Telegram) -> tuple[str, str, str]:
    """Service, payee and reference of a telegram, for the faults."""
    if telegram.mti[1] == "8":
        return MANAGEMENT, "", ""
    service = REVERSAL if telegram.mti[1] == "4" else telegram.get(3)[:2]
    reference = telegram.get(48)[30:46].strip() or telegram.get(37)
    return service, telegram.get(103) or telegram.get(2), reference
