"""An ATM of ours at the bank's terminal door, over TCP: notes, jams, lost answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from rails.cards_harness import KEYS, NOON, RP100K
from rails.test_iso8583_foreign import OUR_PAN, Bank
from tangguh.core.clock import HandClock
from tangguh.listeners.tcp import LineLimits
from tangguh.rails.iso8583.door import Door, DoorSettings
from tangguh.rails.iso8583.line import LineSettings
from tangguh.rails.iso8583.message import Message
from tangguh.rails.iso8583.soft_hsm import SoftHsm
from tangguh.sim.cards.atm import Atm, AtmResult, AtmSettings
from tangguh.sim.cards.directory import TestCard

CARD = TestCard(pan=OUR_PAN, pin="112233", bank="999", account="108")


class Hall:
    """The bank's door and one machine in front of it."""

    def __init__(self) -> None:
        self.clock = HandClock(NOON)
        self.security = SoftHsm(KEYS)
        self.bank = Bank()
        self.bank.security = self.security
        self.requests: list[Message] = []
        self.replies_lost = 0
        line = LineSettings(mac_key="tak")
        self.door = Door(DoorSettings(line=line), self.security, self.clock, handler=self._handle)

    async def open(self) -> None:
        await self.door.open()
        settings = AtmSettings(
            host="127.0.0.1", port=self.door.port, pin_key=KEYS["tpk"], mac_key=KEYS["tak"]
        )
        self.atm = Atm(settings, self.clock)
        assert await self.atm.open()

    async def _handle(self, request: Message) -> Message | None:
        self.requests.append(request)
        moved = request
        if block := request.get(52):
            zone = self.security.translate_pin(block, OUR_PAN, source="tpk", target="zpk")
            moved = request.with_fields({52: zone or ""})
        if request.get(3).startswith("94"):
            moved = moved.with_fields({3: "010000"})
        answer = await self.bank.answer(moved)
        if self.replies_lost:
            self.replies_lost -= 1
            return None
        more = {48: request.get(48)} if request.get(48) else {}
        if request.get(3).startswith("39"):
            more = {48: f"{'PENERIMA UJI':<30}"}
        assert answer is not None
        return answer.with_fields({3: request.get(3), **more})

    async def passing(self, doing: object) -> AtmResult:
        task = asyncio.ensure_future(doing)  # type: ignore[call-overload]
        for step in range(3000):
            if task.done():
                return task.result()
            await asyncio.sleep(0.001)
            if step % 10 == 9:
                self.clock.advance(5.0)
        raise AssertionError("the machine never came to an end")

    async def close(self) -> None:
        await self.atm.close()
        await self.door.close()


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    made = Hall()
    await made.open()
    yield made
    await made.close()


class TestNotes:
    async def test_all_come_out(self, hall: Hall) -> None:
        result = await hall.atm.withdraw(CARD, CARD.pin, RP100K)
        assert result.approved
        assert (result.dispensed_minor, result.reversed_by) == (RP100K, 0)
        assert hall.bank.balance == 900_000_00

    async def test_none_come_out(self, hall: Hall) -> None:
        result = await hall.atm.withdraw(CARD, CARD.pin, RP100K, dispense="none")
        assert (result.dispensed_minor, result.reversed_by) == (0, 1)
        assert hall.bank.balance == 1_000_000_00
        assert hall.bank.heard == ["0200", "0420"]

    async def test_some_come_out(self, hall: Hall) -> None:
        result = await hall.atm.withdraw(
            CARD, CARD.pin, RP100K, dispense="partial", dispensed_minor=RP100K // 2
        )
        assert result.dispensed_minor == RP100K // 2
        assert hall.bank.balance == 950_000_00
        assert hall.requests[-1].get(95) == "000005000000" + "0" * 30

    async def test_no_answer_means_no_notes_and_a_reversal(self, hall: Hall) -> None:
        hall.replies_lost = 1
        result = await hall.passing(hall.atm.withdraw(CARD, CARD.pin, RP100K))
        assert (result.code, result.dispensed_minor, result.reversed_by) == ("", 0, 1)
        assert hall.bank.balance == 1_000_000_00

    async def test_reversals_are_repeated_until_answered(self, hall: Hall) -> None:
        hall.replies_lost = 3
        result = await hall.passing(hall.atm.withdraw(CARD, CARD.pin, RP100K))
        assert result.reversed_by == 3
        assert hall.bank.heard == ["0200", "0420", "0421", "0421"]
        reversals = [one for one in hall.requests if one.mti[1] == "4"]
        assert len({(one.get(11), one.get(37), one.get(90)) for one in reversals}) == 1
        assert hall.bank.balance == 1_000_000_00

    async def test_the_bank_restarts_in_between(self, hall: Hall) -> None:
        hall.replies_lost = 1
        doing = asyncio.ensure_future(hall.atm.withdraw(CARD, CARD.pin, RP100K))
        while not hall.requests:
            await asyncio.sleep(0.001)
        await hall.door.close()
        await hall.door.open()
        result = await hall.passing(doing)
        assert result.reversed_by >= 1
        assert hall.bank.balance == 1_000_000_00

    async def test_wrong_pin(self, hall: Hall) -> None:
        result = await hall.atm.withdraw(CARD, "000000", RP100K)
        assert (result.code, result.dispensed_minor, result.reversed_by) == ("55", 0, 0)
        assert hall.bank.balance == 1_000_000_00

    async def test_without_a_card(self, hall: Hall) -> None:
        result = await hall.atm.cardless("482913", RP100K)
        assert result.dispensed_minor == RP100K
        assert hall.requests[-1].get(48) == "482913"
        assert not hall.requests[-1].get(2)


class TestTheRest:
    async def test_balance(self, hall: Hall) -> None:
        result = await hall.atm.balance(CARD, CARD.pin)
        assert (result.code, result.balance_minor) == ("00", 1_000_000_00)

    async def test_transfer_asks_first(self, hall: Hall) -> None:
        result = await hall.atm.transfer(CARD, CARD.pin, "998", "5260000001", RP100K)
        assert (result.approved, result.name) == (True, "PENERIMA UJI")
        assert [one.get(3) for one in hall.requests] == ["391000", "401000"]
        assert hall.requests[1].get(48)[:12] == "PENERIMA UJI"

    async def test_transfer_inside(self, hall: Hall) -> None:
        await hall.atm.transfer(CARD, CARD.pin, "999", "109", RP100K)
        assert hall.requests[-1].get(3) == "400000"

    async def test_new_pin_comes_in_a_block_of_its_own(self, hall: Hall) -> None:
        result = await hall.atm.change_pin(CARD, CARD.pin, "445566")
        assert result.approved
        block = hall.requests[-1].get(53)
        value = hall.security.pin_value(block, OUR_PAN, key="tpk")
        wanted = hall.security.encrypt_pin("445566", OUR_PAN, "tpk")
        assert value == hall.security.pin_value(wanted, OUR_PAN, key="tpk")

    async def test_bill_is_asked_for_and_paid(self, hall: Hall) -> None:
        result = await hall.atm.pay_bill(CARD, CARD.pin, "PLN", "530000000001", 250_000_00)
        assert result.approved
        assert [one.get(3) for one in hall.requests] == ["380000", "500000"]
        assert hall.requests[-1].get(48).split() == ["PLN", "530000000001"]

    async def test_echo(self, hall: Hall) -> None:
        assert await hall.atm.echo()
        assert hall.door.lines == 1

    async def test_no_more_machines_than_agreed(self) -> None:
        hall = Hall()
        hall.door = Door(
            DoorSettings(limits=LineLimits(connections_max=0)),
            hall.security,
            hall.clock,
            handler=hall._handle,
        )
        await hall.door.open()
        settings = AtmSettings(host="127.0.0.1", port=hall.door.port, pin_key=KEYS["tpk"])
        atm = Atm(settings, hall.clock)
        assert not await atm.open()
        await atm.close()
        await hall.door.close()

    async def test_a_machine_with_another_mac_key_gets_no_notes(self, hall: Hall) -> None:
        settings = AtmSettings(
            host="127.0.0.1", port=hall.door.port, pin_key=KEYS["tpk"], mac_key="00" * 16
        )
        stranger = Atm(settings, hall.clock)
        asking = asyncio.ensure_future(stranger.withdraw(CARD, CARD.pin, RP100K))
        while hall.door.traffic.mac_wrong == 0:
            await asyncio.sleep(0.001)
        assert hall.requests == []
        assert hall.bank.balance == 1_000_000_00
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await stranger.close()
