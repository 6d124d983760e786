"""One line, real withdrawals in flight, and garbage beside them: no neighbour is hurt."""

from __future__ import annotations

import asyncio
from itertools import islice
from random import Random

import pytest

from machines import FEE, KEYS, Machines, machines_of
from stories import RUPIAH, proved
from tangguh.app import Bank
from tangguh.rails.iso8583 import hsm
from tangguh.rails.iso8583.line import LineSettings
from tangguh.rails.iso8583.link import Link, LinkSettings
from tangguh.sim.cards.garbled import garbled
from tangguh.sim.cards.wire import Telegram, frame, load_key, read, write

MAC_KEY = load_key(KEYS[hsm.MAK])
CASH = 10_000 * RUPIAH


class Switch:
    """The far end of the one line: it asks, and gives each answer to who waits for it."""

    def __init__(self) -> None:
        self.asked: dict[tuple[str, str], asyncio.Future[Telegram]] = {}
        self.other: list[Telegram] = []
        self.calls = 0
        self.writer: asyncio.StreamWriter

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls, self.writer = self.calls + 1, writer
        try:
            while head := await reader.readexactly(2):
                telegram = read(await reader.readexactly(int.from_bytes(head, "big")))
                if telegram.mti == "0800":
                    writer.write(frame(write(telegram.answered("00"))))
                elif (telegram.get(11), telegram.get(37)) in self.asked:
                    self.asked[telegram.get(11), telegram.get(37)].set_result(telegram)
                else:
                    self.other.append(telegram)
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    def ask(self, telegram: Telegram) -> asyncio.Future[Telegram]:
        answer = asyncio.get_running_loop().create_future()
        self.asked[telegram.get(11), telegram.get(37)] = answer
        self.writer.write(frame(write(telegram, MAC_KEY)))
        return answer


@pytest.fixture
async def machines(bank: Bank) -> Machines:
    return await machines_of(bank)


async def test_eight_withdrawals_among_two_thousand_pieces_of_garbage(machines: Machines) -> None:
    before, switch = await machines.ana_has(), Switch()
    server = await asyncio.start_server(switch.serve, "127.0.0.1", 0)
    link = Link(
        LinkSettings(
            host="127.0.0.1",
            port=server.sockets[0].getsockname()[1],
            institution="999",
            line=LineSettings(mac_key=hsm.MAK, handling_max=1_000),
        ),
        machines.security,
        machines.bank.clock,
        handler=machines.switch.handle,
        on_late=lambda _: None,
        source=Random(1),
    )
    await link.open()
    await asyncio.wait_for(link.signed_on(), 5)
    rubbish = garbled(machines.bank.clock.now(), MAC_KEY, Random(8583))
    waiting = []
    for _ in range(8):
        request = machines.ask("01", CASH, hsm.ZPK)
        waiting.append(switch.ask(Telegram(request.mti, request.fields)))
        for body in islice(rubbish, 250):
            switch.writer.write(frame(body))
    answers = await asyncio.wait_for(asyncio.gather(*waiting), 20)
    echo = machines.ask("31", 0, hsm.ZPK, de4="")
    await asyncio.wait_for(switch.ask(Telegram(echo.mti, echo.fields)), 20)
    assert [answer.get(39) for answer in answers] == ["00"] * 8
    assert await machines.ana_has() == before - 8 * (CASH + FEE)
    assert (switch.calls, link.traffic.ended) == (1, 0)
    told = {(answer.mti, answer.get(39)) for answer in switch.other}
    assert {("0130", "12"), ("0312", "12"), ("0630", "12"), ("1210", "12"), ("0210", "30"),
            ("0210", "63")} <= told  # fmt: skip
    assert ("0210", "00") not in told
    await proved(machines.bank)
    await link.close()
    server.close()
