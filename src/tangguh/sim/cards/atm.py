"""An ATM of the bank: a line to the bank's terminal port, a keyboard, and notes that may jam.

It never leaves the bank in doubt: no answer in time, or notes that did not all come out, and it
reverses (0420, DE95 for a part), repeated as 0421 until the bank answers 0430. Elements of our own
terminals' making: DE3 94 with the code in DE48 is cash without a card; DE53 is the new PIN's block;
DE48 of a bill is biller (10), customer number (20), then what the inquiry gave.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from contextlib import suppress
from random import Random
from typing import Final, Literal

import msgspec

from tangguh.core.clock import Clock
from tangguh.sim.cards.channel import Channel
from tangguh.sim.cards.directory import TestCard
from tangguh.sim.cards.foreign import numbered
from tangguh.sim.cards.wire import Telegram, load_key, pin_block

Dispense = Literal["all", "none", "partial"]

_APPROVED: Final = "00"
_INTRABANK: Final = "400000"
_INTERBANK: Final = "401000"
_BILLER, _CUSTOMER = 10, 20


class AtmSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One machine. ``bank`` is the code of its owner; keys in hex, ``mac_key`` empty for none."""

    host: str
    port: int
    pin_key: str
    mac_key: str = ""
    terminal: str = "ATM00001"
    bank: str = "999"
    place: str = "ATM GAMBIR"
    city: str = "JAKARTA"
    answer_seconds: float = 40.0
    repeat_seconds: float = 15.0
    seed: int = 0

    def __repr__(self) -> str:
        return f"AtmSettings(terminal={self.terminal!r}, ...)"


class AtmResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer sees. ``code`` is DE39, empty when the bank did not answer.

    ``reversed_by`` counts the 0420 and 0421 it took. ``telegram``: the request, for whoever tests.
    """

    code: str
    dispensed_minor: int = 0
    balance_minor: int = 0
    name: str = ""
    rrn: str = ""
    reversed_by: int = 0
    detail: str = ""
    telegram: dict[int, str] = {}

    @property
    def approved(self) -> bool:
        """The bank said yes."""
        return self.code == _APPROVED


class Atm:
    """The machine. One customer at a time, as machines have it."""

    def __init__(self, settings: AtmSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._pin_key = load_key(settings.pin_key)
        self._mac_key = load_key(settings.mac_key) if settings.mac_key else None
        self._stan = Random(settings.seed).randrange(1_000_000)  # noqa: S311  no secret
        self._channel: Channel | None = None
        self._reading: asyncio.Task[None] | None = None
        self._customer = asyncio.Lock()

    async def open(self) -> bool:
        """Connect and sign on. False when the bank cannot be reached or says no."""
        return await self._connected() is not None

    async def close(self) -> None:
        """Hang up."""
        channel, self._channel = self._channel, None
        reading, self._reading = self._reading, None
        if channel is not None:
            channel.cut()
        if reading is not None:
            await asyncio.gather(reading, return_exceptions=True)

    async def withdraw(
        self,
        card: TestCard,
        pin: str,
        amount_minor: int,
        *,
        dispense: Dispense = "all",
        dispensed_minor: int = 0,
    ) -> AtmResult:
        """Banknotes. ``dispensed_minor``: what comes out where ``dispense`` is partial."""
        telegram = self._by_card("011000", card, pin, amount_minor)
        async with self._customer:
            return await self._pay_out(telegram, amount_minor, dispense, dispensed_minor)

    async def cardless(
        self,
        code: str,
        amount_minor: int,
        *,
        dispense: Dispense = "all",
        dispensed_minor: int = 0,
    ) -> AtmResult:
        """Banknotes for a code from the app."""
        telegram = self._telegram("0200", "940000", amount_minor, {48: code})
        async with self._customer:
            return await self._pay_out(telegram, amount_minor, dispense, dispensed_minor)

    async def balance(self, card: TestCard, pin: str) -> AtmResult:
        """What stands on the card's account."""
        return await self._once(self._by_card("310000", card, pin, 0))

    async def change_pin(self, card: TestCard, old: str, new: str) -> AtmResult:
        """A new PIN for an old one."""
        block = pin_block(new, card.pan, self._pin_key)
        return await self._once(self._by_card("920000", card, old, 0, {53: block}))

    async def transfer(
        self, card: TestCard, pin: str, bank: str, account: str, amount_minor: int
    ) -> AtmResult:
        """To an account of this bank or of another, after asking whose it is."""
        inside = bank == self._settings.bank
        payee = {102: card.account, 103: account, 127: bank, 100: bank}
        asked = await self._once(self._by_card("391000", card, pin, amount_minor, payee))
        if not asked.approved:
            return asked
        note = {48: f"{asked.name:<30.30}{'':16}{'':30}"}
        kind = _INTRABANK if inside else _INTERBANK
        telegram = self._by_card(kind, card, pin, amount_minor, {**payee, **note})
        result = await self._sure(telegram)
        return msgspec.structs.replace(result, name=asked.name)

    async def pay_bill(
        self, card: TestCard, pin: str, biller: str, customer: str, amount_minor: int = 0
    ) -> AtmResult:
        """A bill: asked for first, then paid as the answer says."""
        about = f"{biller:<{_BILLER}.{_BILLER}}{customer:<{_CUSTOMER}.{_CUSTOMER}}"
        question = self._by_card("380000", card, pin, amount_minor, {48: about})
        answer = await self._ask(question)
        if answer is None or answer.get(39) != _APPROVED:
            return _result(question, answer)
        owed = int(answer.get(4) or "0") or amount_minor
        paying = self._by_card("500000", card, pin, owed, {48: answer.get(48) or about})
        return await self._sure(paying)

    async def echo(self) -> bool:
        """Whether the bank is there."""
        answer = await self._ask(self._management("301"))
        return answer is not None and answer.get(39) == _APPROVED

    async def _pay_out(
        self, telegram: Telegram, amount_minor: int, dispense: Dispense, dispensed_minor: int
    ) -> AtmResult:
        answer = await self._ask(telegram)
        result = _result(telegram, answer)
        if answer is None:
            repeats = await self._reverse(telegram, 0)
            return msgspec.structs.replace(result, reversed_by=repeats)
        if not result.approved:
            return result
        came_out = {"all": amount_minor, "none": 0, "partial": dispensed_minor}[dispense]
        repeats = 0 if came_out == amount_minor else await self._reverse(telegram, came_out)
        return msgspec.structs.replace(result, dispensed_minor=came_out, reversed_by=repeats)

    async def _sure(self, telegram: Telegram) -> AtmResult:
        """A payment without notes: no answer means a reversal."""
        async with self._customer:
            answer = await self._ask(telegram)
            repeats = 0 if answer is not None else await self._reverse(telegram, 0)
            return msgspec.structs.replace(_result(telegram, answer), reversed_by=repeats)

    async def _once(self, telegram: Telegram) -> AtmResult:
        async with self._customer:
            return _result(telegram, await self._ask(telegram))

    async def _reverse(self, original: Telegram, dispensed_minor: int) -> int:
        """Until the bank answers. Returns how many telegrams that took."""
        first = self._reversal_of(original, dispensed_minor)
        tries = 1
        answer = await self._ask(first)
        while answer is None:
            await self._clock.sleep(self._settings.repeat_seconds)
            tries += 1
            answer = await self._ask(Telegram("0421", first.fields))
        return tries

    def _reversal_of(self, original: Telegram, dispensed_minor: int) -> Telegram:
        bank = self._settings.bank
        more: dict[int, str] = {
            number: original.fields[number]
            for number in (2, 3, 4, 37, 100, 102, 103, 127)
            if number in original.fields
        }
        more[39] = "32" if dispensed_minor else "68"
        more[90] = f"0200{original.get(11)}{original.get(7)}{bank:0>11}{'':0>11}"
        more[95] = f"{dispensed_minor:012d}".ljust(42, "0")
        return self._telegram("0420", original.get(3), 0, more)

    async def _ask(self, telegram: Telegram) -> Telegram | None:
        channel = await self._connected()
        if channel is None:
            return None
        return await channel.ask(telegram, self._settings.answer_seconds)

    async def _connected(self) -> Channel | None:
        if self._channel is not None and not self._channel.ended:
            return self._channel
        settings = self._settings
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(settings.host, settings.port)
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            channel = Channel(
                reader, writer, self._clock, mac_key=lambda: self._mac_key, on_request=_deaf
            )
            self._channel = channel
            self._reading = asyncio.create_task(channel.run())
            signed = await channel.ask(self._management("001"), self._settings.answer_seconds)
            return channel if signed is not None and signed.get(39) == _APPROVED else None
        return None

    def _management(self, code: str) -> Telegram:
        made = self._telegram("0800", "000000", 0, {})
        return Telegram(
            "0800", {7: made.get(7), 11: made.get(11), 33: self._settings.bank, 70: code}
        )

    def _by_card(
        self,
        kind: str,
        card: TestCard,
        pin: str,
        minor: int,
        more: Mapping[int, str] | None = None,
    ) -> Telegram:
        block = pin_block(pin, card.pan, self._pin_key)
        by_card = {2: card.pan, 35: card.track_2, 52: block, **(more or {})}
        return self._telegram("0200", kind, minor, by_card)

    def _telegram(self, mti: str, kind: str, minor: int, more: Mapping[int, str]) -> Telegram:
        settings = self._settings
        self._stan = (self._stan + 1) % 1_000_000
        fields = numbered(self._clock.now(), f"{self._stan:06d}")
        fields |= {
            3: kind,
            18: "6011",
            22: "021",
            32: settings.bank,
            41: f"{settings.terminal:<8.8}",
            42: f"{settings.bank}{1:012d}",
            43: f"{settings.place:<25.25}{settings.city:<13.13}ID",
            49: "360",
        }
        if minor:
            fields[4] = f"{minor:012d}"
        if mti != "0200":
            fields.pop(22)
        return Telegram(mti, {**fields, **more})


async def _deaf(_channel: Channel, _telegram: Telegram, _mac_fits: bool) -> None:  # noqa: FBT001
    """The bank asks its machines nothing."""


def _result(telegram: Telegram, answer: Telegram | None) -> AtmResult:
    if answer is None:
        return AtmResult(code="", rrn=telegram.get(37), telegram=telegram.fields)
    told = answer.get(54)
    balance = int(told[8:20]) * (-1 if told[7] == "D" else 1) if len(told) == 20 else 0
    return AtmResult(
        code=answer.get(39),
        balance_minor=balance,
        name=answer.get(48)[:30].strip(),
        rrn=telegram.get(37),
        detail=answer.get(48),
        telegram=telegram.fields,
    )
