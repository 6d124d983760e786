"""The link and its lines over real TCP, against a peer that is played by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from rails.cards_harness import KEYS
from tangguh.core.clock import HandClock
from tangguh.core.outcome import NotSent, Unanswered
from tangguh.rails.iso8583.door import Door, DoorSettings
from tangguh.rails.iso8583.fields import Dialect
from tangguh.rails.iso8583.framing.frames import framed
from tangguh.rails.iso8583.framing.presets import PRESETS
from tangguh.rails.iso8583.line import LineSettings
from tangguh.rails.iso8583.link import Link, LinkSettings
from tangguh.rails.iso8583.message import Malformed, Message, decode, encode, reply_to
from tangguh.rails.iso8583.soft_hsm import SoftHsm
from unit.rails.iso8583.test_iso8583_golden import golden

NOON = datetime(2025, 3, 29, 5, 0, tzinfo=UTC)


class Peer:
    """The far side by hand: what came is in ``heard``; it says what it is told to say."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Message] = asyncio.Queue()
        self.calls = 0
        self.signs_on = True
        self._writer: asyncio.StreamWriter | None = None

    async def open(self, port: int = 0) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls += 1
        self._writer = writer
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(2), "big")
                message = decode(await reader.readexactly(size))
                assert isinstance(message, Message)
                if message.get(70) == "001" and message.is_request and self.signs_on:
                    self.say(reply_to(message, "00"))
                else:
                    await self.heard.put(message)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    def say(self, message: Message) -> None:
        raw = encode(message)
        assert isinstance(raw, bytes), raw
        self.say_bytes(framed(raw))

    def say_bytes(self, raw: bytes) -> None:
        assert self._writer is not None
        self._writer.write(raw)

    def hang_up(self) -> None:
        assert self._writer is not None
        self._writer.close()

    async def close(self) -> None:
        self.server.close()
        if self._writer is not None:
            self._writer.close()


class Pair:
    """A link, its clock, and the peer."""

    def __init__(self) -> None:
        self.clock = HandClock(NOON)
        self.peer = Peer()
        self.late: list[Message] = []
        self.asked: list[Message] = []
        self.answers: Any = lambda request: reply_to(request, "00")
        self.link: Link

    async def open(self, **changes: Any) -> Pair:
        await self.peer.open()
        line = LineSettings(in_flight_max=3, reply_timeout_seconds=10.0, handling_max=2)
        settings = {"host": "127.0.0.1", "port": self.peer.port, "institution": "999"}
        self.link = Link(
            LinkSettings(**{"line": line, **settings, **changes}),
            SoftHsm(KEYS),
            self.clock,
            handler=self._handle,
            on_late=self.late.append,
            source=Random(1),
        )
        await self.link.open()
        return self

    async def _handle(self, request: Message) -> Message | None:
        self.asked.append(request)
        answer = self.answers(request)
        return await answer if asyncio.iscoroutine(answer) else answer

    async def until(self, holds: Any, *, passing: float = 0.0) -> None:
        for step in range(2000):
            if holds():
                return
            await asyncio.sleep(0.001)
            if passing and step % 5 == 4:
                self.clock.advance(passing)
        raise AssertionError("it never came to hold")

    async def close(self) -> None:
        await self.link.close()
        await self.peer.close()


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    opened = await Pair().open()
    await opened.until(lambda: opened.link.is_signed_on)
    yield opened
    await opened.close()


def question(stan: str = "000001", **changes: str) -> Message:
    whole = decode(golden("G6"))
    assert isinstance(whole, Message)
    return whole.with_fields({11: stan, **{int(k[2:]): v for k, v in changes.items()}})


class TestQuestions:
    async def test_answers_find_their_questions_in_any_order(self, pair: Pair) -> None:
        asking = [asyncio.create_task(pair.link.ask(question(f"00000{n}"))) for n in (1, 2, 3)]
        heard = [await pair.peer.heard.get() for _ in range(3)]
        for one in reversed(heard):
            pair.peer.say(reply_to(one, "00"))
        answers = [await task for task in asking]
        assert [one.get(11) for one in answers if isinstance(one, Message)] == [
            "000001", "000002", "000003",
        ]  # fmt: skip
        assert pair.link.health.answered == 4

    async def test_full_is_not_sent(self, pair: Pair) -> None:
        asking = [asyncio.create_task(pair.link.ask(question(f"00000{n}"))) for n in (1, 2, 3)]
        await pair.until(lambda: pair.peer.heard.qsize() == 3)
        fourth = asyncio.wait_for(pair.link.ask(question("000004")), 5)
        assert await fourth == NotSent("link is full")
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        assert pair.peer.heard.qsize() == 3

    async def test_same_trace_twice_at_once_is_not_sent(self, pair: Pair) -> None:
        first = asyncio.create_task(pair.link.ask(question()))
        one = await pair.peer.heard.get()
        second = await asyncio.wait_for(pair.link.ask(question()), 5)
        assert second == NotSent("a message of the same trace is in flight")
        pair.peer.say(reply_to(one, "00"))
        assert isinstance(await first, Message)

    async def test_what_is_not_in_order_is_not_sent(self, pair: Pair) -> None:
        outcome = await pair.link.ask(question(de4="12"))
        assert outcome == NotSent("message is not in order: 4: length_wrong")

    async def test_no_answer_in_time_then_a_late_one(self, pair: Pair) -> None:
        asking = asyncio.create_task(pair.link.ask(question()))
        one = await pair.peer.heard.get()
        pair.clock.advance(9.9)
        await asyncio.sleep(0.01)
        assert not asking.done()
        pair.clock.advance(0.2)
        assert await asking == Unanswered("no answer in time")
        pair.peer.say(reply_to(one, "00"))
        await pair.until(lambda: bool(pair.late))
        assert pair.late[0].get(11) == "000001"

    async def test_hung_up_while_waiting_is_unanswered(self, pair: Pair) -> None:
        asking = asyncio.create_task(pair.link.ask(question()))
        await pair.peer.heard.get()
        pair.peer.hang_up()
        assert await asking == Unanswered("line ended: closed by the peer")
        health = pair.link.health
        assert health.sent == health.answered + health.unanswered

    async def test_cancelled_is_counted_as_unanswered(self, pair: Pair) -> None:
        asking = asyncio.create_task(pair.link.ask(question()))
        await pair.peer.heard.get()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert pair.link.health.unanswered == 1

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({4: "000000000001"}, "answer speaks of another payment"),
            ({3: "011000"}, "answer speaks of another payment"),
            ({41: "ATM99999"}, "answer speaks of another payment"),
            ({49: "840"}, "answer speaks of another payment"),
            ({50: "840"}, "answer speaks of another payment"),
            ({39: ""}, "answer lacks field 39"),
        ],
    )
    async def test_an_answer_that_contradicts_is_none(
        self, pair: Pair, changes: dict[int, str], why: str
    ) -> None:
        asking = asyncio.create_task(pair.link.ask(question()))
        one = await pair.peer.heard.get()
        pair.peer.say(reply_to(one, "00").with_fields(changes))
        assert await asking == Unanswered(why)

    @pytest.mark.parametrize("number", [7, 11, 32, 37])
    async def test_an_answer_of_another_trace_is_late(self, pair: Pair, number: int) -> None:
        asking = asyncio.create_task(pair.link.ask(question()))
        one = await pair.peer.heard.get()
        other = {7: "0329041123", 11: "999999", 32: "015", 37: "508804999999"}[number]
        pair.peer.say(reply_to(one, "00").with_fields({number: other}))
        await pair.until(lambda: bool(pair.late))
        assert not asking.done()
        pair.peer.say(reply_to(one, "00"))
        assert isinstance(await asking, Message)


class TestSession:
    async def test_nothing_is_sent_before_the_sign_on(self) -> None:
        pair = Pair()
        pair.peer.signs_on = False
        await pair.open()
        sign_on = await pair.peer.heard.get()
        assert sign_on.get(33) == "999"
        assert await pair.link.ask(question()) == NotSent("not signed on")
        pair.peer.say(reply_to(sign_on, "00"))
        await pair.link.signed_on()
        await pair.close()

    async def test_refused_at_the_sign_on_it_calls_again(self) -> None:
        pair = Pair()
        pair.peer.signs_on = False
        await pair.open()
        pair.peer.say(reply_to(await pair.peer.heard.get(), "91"))
        await pair.until(lambda: pair.peer.calls == 2, passing=0.1)
        assert pair.link.traffic.why == "switch did not sign us on"
        await pair.close()

    async def test_echo_goes_out_every_interval(self, pair: Pair) -> None:
        for _ in range(3):
            await asyncio.sleep(0.01)
            pair.clock.advance(120)
            echo = await pair.peer.heard.get()
            assert echo.get(70) == "301"
            pair.peer.say(reply_to(echo, "00"))
        assert pair.link.is_signed_on

    async def test_no_echo_ends_the_line_and_it_calls_again(self, pair: Pair) -> None:
        await asyncio.sleep(0.01)
        pair.clock.advance(120)
        await pair.peer.heard.get()
        pair.clock.advance(60)
        await pair.until(lambda: not pair.link.is_signed_on)
        assert pair.link.traffic.why == "no echo"
        await pair.until(lambda: pair.link.is_signed_on, passing=0.1)
        assert pair.peer.calls == 2

    async def test_pauses_between_calls_grow_and_end_at_the_longest(self) -> None:
        pair = Pair()
        await pair.peer.open()
        port = pair.peer.port
        await pair.peer.close()
        slept: list[float] = []

        class Watched(HandClock):
            async def sleep(self, seconds: float) -> None:
                slept.append(seconds)
                await asyncio.sleep(0)

        link = Link(
            LinkSettings(host="127.0.0.1", port=port, institution="999", backoff_max_seconds=8.0),
            SoftHsm(KEYS),
            Watched(NOON),
            handler=pair._handle,
            on_late=pair.late.append,
            source=Random(1),
        )
        await link.open()
        await pair.until(lambda: len(slept) >= 8)
        await link.close()
        for step, seconds in enumerate(slept[:8]):
            whole = min(0.5 * 2**step, 8.0)
            assert whole / 2 <= seconds <= whole

    async def test_it_comes_back_when_the_peer_does(self, pair: Pair) -> None:
        port = pair.peer.port
        await pair.peer.close()
        await pair.until(lambda: not pair.link.is_signed_on)
        assert await pair.link.ask(question()) == NotSent("not connected")
        pair.peer = Peer()
        await pair.peer.open(port)
        await pair.until(lambda: pair.link.is_signed_on, passing=0.1)

    async def test_close_signs_off(self, pair: Pair) -> None:
        await pair.link.close()
        assert (await pair.peer.heard.get()).get(70) == "002"


class TestTheirQuestions:
    async def test_they_are_handled_and_answered_on_the_same_line(self, pair: Pair) -> None:
        asking = asyncio.create_task(pair.link.ask(question()))
        ours = await pair.peer.heard.get()
        theirs = question("777777", de32="014")
        pair.peer.say(theirs)
        answer = await pair.peer.heard.get()
        assert (answer.mti, answer.get(11), answer.get(39)) == ("0210", "777777", "00")
        pair.peer.say(reply_to(ours, "00"))
        assert isinstance(await asking, Message)
        assert [one.get(11) for one in pair.asked] == ["777777"]

    async def test_silence_of_the_handler_is_silence(self, pair: Pair) -> None:
        pair.answers = lambda request: (
            None if request.get(11) == "000007" else reply_to(request, "00")
        )
        pair.peer.say(question("000007"))
        pair.peer.say(question("000008"))
        assert (await pair.peer.heard.get()).get(11) == "000008"

    async def test_a_handler_that_breaks_gives_no_answer_and_the_line_lives(
        self, pair: Pair
    ) -> None:
        def broken(request: Message) -> Message:
            if request.get(11) == "000007":
                raise RuntimeError("9360011130000000183")
            return reply_to(request, "00")

        pair.answers = broken
        pair.peer.say(question("000007"))
        pair.peer.say(question("000008"))
        assert (await pair.peer.heard.get()).get(11) == "000008"
        assert pair.link.traffic.handler_failed == 1

    async def test_missing_fields_are_a_format_error(self, pair: Pair) -> None:
        pair.peer.say(question("000007", de103=""))
        answer = await pair.peer.heard.get()
        assert answer.get(39) == "30"
        assert pair.asked == []

    async def test_no_more_than_agreed_are_handled_at_once(self, pair: Pair) -> None:
        """Too many requests are turned away; reversals stay unanswered and come again; our own
        answers are still read meanwhile.
        """
        gate = asyncio.Event()

        async def wait(request: Message) -> Message:
            await gate.wait()
            return reply_to(request, "00")

        pair.answers = wait
        for number in range(3):
            pair.peer.say(question(f"00001{number}"))
        turned_away = await pair.peer.heard.get()
        assert (turned_away.get(11), turned_away.get(39)) == ("000012", "91")
        reversal = decode(golden("G4"))
        assert isinstance(reversal, Message)
        pair.peer.say(reversal)
        await pair.until(lambda: pair.link.traffic.turned_away == 2)
        asking = asyncio.create_task(pair.link.ask(question("000099")))
        pair.peer.say(reply_to(await pair.peer.heard.get(), "00"))
        assert isinstance(await asking, Message)
        gate.set()
        heard = {(await pair.peer.heard.get()).get(11) for _ in range(2)}
        assert heard == {"000010", "000011"}

    async def test_management_is_answered_here(self, pair: Pair) -> None:
        def management(code: str, **more: str) -> Message:
            fields = {7: "0329050000", 11: "000009", 33: "998", 70: code}
            return Message("0800", {**fields, **{int(k[2:]): v for k, v in more.items()}})

        expected = {"301": "00", "201": "00", "999": "58", "161": "63"}
        for code, said in expected.items():
            pair.peer.say(management(code))
            assert (await pair.peer.heard.get()).get(39) == said, code
        assert pair.link.cut_overs == 1
        pair.peer.say(management("002"))
        await pair.peer.heard.get()
        assert await pair.link.ask(question()) == NotSent("not signed on")
        pair.peer.say(question("000007"))
        assert (await pair.peer.heard.get()).get(39) == "91"
        pair.peer.say(management("001"))
        await pair.until(lambda: pair.link.is_signed_on)
        assert pair.asked == []


class TestGarbage:
    @pytest.mark.parametrize(
        ("raw", "malformed"),
        [
            (b"\x00\x00", 0),
            (b"\xff\xff" + b"0" * 65535, 1),
            (framed(b"hello"), 1),
            (framed(golden("G1")[:-1]), 1),
            (framed(b"\xff" * 40), 1),
        ],
        ids=["sign of life", "too long", "no message", "cut", "no text"],
    )
    async def test_garbage_in_a_frame_costs_nobody(
        self, pair: Pair, raw: bytes, malformed: int
    ) -> None:
        asking = asyncio.create_task(pair.link.ask(question()))
        ours = await pair.peer.heard.get()
        pair.peer.say_bytes(raw)
        pair.peer.say(reply_to(ours, "00"))
        assert isinstance(await asking, Message)
        assert pair.link.is_signed_on
        assert (pair.link.traffic.malformed, pair.link.traffic.ended) == (malformed, 0)

    async def test_half_a_frame_is_named(self, pair: Pair) -> None:
        pair.peer.say_bytes(framed(golden("G1"))[:20])
        pair.peer.hang_up()
        await pair.until(lambda: not pair.link.is_signed_on)
        assert pair.link.traffic.why == "closed in the middle of a message"

    async def test_pieces_make_a_whole(self, pair: Pair) -> None:
        for byte in framed(golden("G2")):
            pair.peer.say_bytes(bytes([byte]))
            await asyncio.sleep(0)
        assert (await pair.peer.heard.get()).get(70) == "301"


class TestMacs:
    async def test_a_request_with_a_wrong_mac_is_refused_and_not_handled(self) -> None:
        line = LineSettings(mac_key="mak")
        pair = await Pair().open(line=line)
        await pair.until(lambda: pair.link.is_signed_on)
        pair.peer.say(question("000007"))
        answer = await pair.peer.heard.get()
        assert answer.get(39) == "63"
        pair.peer.say(question("000008", de128="0" * 16))
        assert (await pair.peer.heard.get()).get(39) == "63"
        assert pair.asked == []
        assert pair.link.traffic.mac_wrong == 2
        raw = encode(answer)
        assert not isinstance(raw, Malformed)
        assert SoftHsm(KEYS).verify_mac(raw[:-16], answer.get(128), "mak")
        await pair.close()

    @pytest.mark.parametrize("mti", ["0220", "0400", "0420"])
    async def test_what_happened_is_told_again_when_its_mac_is_wrong(self, mti: str) -> None:
        """An answer, whatever it says, might end it; the keys may be in step the next time."""
        pair = await Pair().open(line=LineSettings(mac_key="mak"))
        await pair.until(lambda: pair.link.is_signed_on)
        pair.peer.say(Message(mti, question("000007", de128="0" * 16).fields))
        pair.peer.say(question("000008", de128="0" * 16))
        answer = await pair.peer.heard.get()
        assert (answer.get(11), answer.get(39)) == ("000008", "63")
        assert (pair.asked, pair.link.traffic.mac_wrong) == ([], 2)
        await pair.close()

    async def test_no_mac_no_message(self) -> None:
        pair = await Pair().open(line=LineSettings(mac_key="no such key"))
        await pair.until(lambda: pair.link.is_signed_on)
        outcome = await pair.link.ask(question())
        assert outcome == NotSent("message could not be made: Misconfigured")
        assert pair.peer.heard.empty()
        await pair.close()


@pytest.mark.parametrize("text", ["ascii", "cp037", "cp500"])
@pytest.mark.parametrize("bitmap", ["hex", "binary"])
async def test_link_and_door_agree_in_every_dialect(text: Any, bitmap: Any) -> None:
    """Questions both ways with MACs, whatever the characters and bitmaps."""
    await agree(LineSettings(dialect=Dialect(text=text, bitmap=bitmap), mac_key="mak"))


@pytest.mark.parametrize("framing", PRESETS)
async def test_link_and_door_agree_in_every_framing(framing: str) -> None:
    """Whatever stands before a message, and whatever its length is written in."""
    await agree(LineSettings(framing=framing, mac_key="mak"))


async def agree(line: LineSettings) -> None:
    clock, security = HandClock(NOON), SoftHsm(KEYS)

    async def yes(request: Message) -> Message:
        return reply_to(request, "00", {48: request.get(48)})

    door = Door(DoorSettings(line=line), security, clock, handler=yes)
    await door.open()
    settings = LinkSettings(host="127.0.0.1", port=door.port, institution="999", line=line)
    link = Link(settings, security, clock, handler=yes, on_late=lambda _: None, source=Random(1))
    await link.open()
    await asyncio.wait_for(link.signed_on(), 5)
    answer = await asyncio.wait_for(link.ask(question()), 5)
    assert isinstance(answer, Message)
    assert answer.get(48) == question().get(48)
    assert (door.traffic.mac_wrong, link.traffic.mac_wrong) == (0, 0)
    await link.close()
    await door.close()
