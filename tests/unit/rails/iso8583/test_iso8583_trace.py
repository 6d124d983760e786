"""Trace numbers: derived from a payment, fresh for the rest, compared field by field."""

from __future__ import annotations

from datetime import UTC, datetime, time
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.rails.iso8583.framing.frames import Frames, framed
from tangguh.rails.iso8583.message import Message, reply_to
from tangguh.rails.iso8583.trace import (
    TraceNumbers,
    agrees,
    key_of,
    original_elements,
    reference_number,
    reversal_stan_of,
    settled_as,
    settlement_date,
    times_of,
    trace_of,
)

NOON = datetime(2025, 3, 29, 5, 0, tzinfo=UTC)
ANY_ID = st.integers(0, 2**128 - 1).map(lambda number: UUID(int=number))


class TestOfPayments:
    @given(ANY_ID)
    def test_the_same_again_and_well_formed(self, payment_id: UUID) -> None:
        trace = trace_of(payment_id, NOON)
        assert trace == trace_of(payment_id, NOON)
        assert len(trace.stan) == 6
        assert len(trace.rrn) == 12
        assert trace.rrn.startswith("508805")
        assert len(settled_as(trace)) == 28

    @given(ANY_ID)
    def test_a_reversal_never_has_the_stan_of_its_original(self, payment_id: UUID) -> None:
        assert reversal_stan_of(payment_id) != trace_of(payment_id, NOON).stan

    def test_a_hundred_thousand_of_one_second_are_all_different(self) -> None:
        """STANs alone repeat; with the reference number none does."""
        ids = Ids(HandClock(NOON), Random(4))
        traces = {trace_of(ids.next(), NOON) for _ in range(100_000)}
        assert len(traces) == 100_000
        assert len({trace.stan for trace in traces}) < 100_000

    @given(st.integers(0, 10**12 - 1), st.integers(0, 10**12 - 1))
    def test_twelve_digits_of_the_id_tell_two_apart(self, one: int, other: int) -> None:
        same = trace_of(UUID(int=one), NOON) == trace_of(UUID(int=other), NOON)
        assert same == (one == other)


class TestTimes:
    def test_gmt_and_jakarta(self) -> None:
        late = datetime(2025, 12, 31, 20, 30, 1, tzinfo=UTC)
        assert times_of(late, time(23, 0)) == {
            7: "1231203001",
            12: "033001",
            13: "0101",
            15: "0101",
        }
        assert reference_number(late, "000001") == "536520000001"

    @pytest.mark.parametrize(("hour", "minute", "day"), [(15, 59, 29), (16, 0, 30), (17, 30, 30)])
    def test_from_the_cut_over_on_it_is_the_next_day(
        self, hour: int, minute: int, day: int
    ) -> None:
        at = datetime(2025, 3, 29, hour, minute, tzinfo=UTC)
        assert settlement_date(at, time(23, 0)).day == day

    def test_original_elements_are_42_digits(self) -> None:
        elements = original_elements("0200", "000123", "0329041122", "014")
        assert elements == "020000012303290411220000000001400000000000"


class TestNumbers:
    def test_none_repeats_within_a_day(self) -> None:
        numbers = TraceNumbers(HandClock(NOON), Random(3))
        assert len({numbers.next().stan for _ in range(50_000)}) == 50_000

    def test_two_processes_begin_elsewhere(self) -> None:
        first = TraceNumbers(HandClock(NOON), Random(1)).next()
        second = TraceNumbers(HandClock(NOON), Random(2)).next()
        assert first.stan != second.stan

    def test_a_new_day_begins_anew(self) -> None:
        clock = HandClock(NOON)
        numbers = TraceNumbers(clock, Random(1))
        before = int(numbers.next().stan)
        clock.advance(86_400)
        after = numbers.next()
        assert int(after.stan) != (before + 1) % 1_000_000
        assert after.at == clock.now()


class TestKeys:
    QUESTION = Message(
        "0200", {3: "401000", 4: "000000010000", 7: "0329041122", 11: "000123", 32: "014",
                 37: "508804000123", 41: "ATM00001"}
    )  # fmt: skip

    def test_question_and_answer_share_a_key(self) -> None:
        assert key_of(self.QUESTION) == key_of(reply_to(self.QUESTION, "00"))
        repeat = Message("0421", self.QUESTION.fields)
        assert key_of(repeat) == key_of(reply_to(repeat, "00"))
        assert key_of(repeat) == key_of(Message("0420", self.QUESTION.fields))
        assert key_of(repeat) != key_of(self.QUESTION)

    @pytest.mark.parametrize("number", [7, 11, 32, 37])
    def test_each_part_of_the_key_counts(self, number: int) -> None:
        other = self.QUESTION.with_fields({number: "999"})
        assert key_of(other) != key_of(self.QUESTION)

    @pytest.mark.parametrize("number", [3, 4, 41])
    def test_an_answer_may_leave_out_but_not_contradict(self, number: int) -> None:
        answer = reply_to(self.QUESTION, "00")
        assert agrees(self.QUESTION, answer)
        assert agrees(self.QUESTION, answer.with_fields({number: ""}))
        assert not agrees(self.QUESTION, answer.with_fields({number: "9"}))

    def test_an_echo_is_answered_by_an_echo(self) -> None:
        echo = Message("0800", {7: "0329041122", 11: "000123", 70: "301"})
        assert agrees(echo, reply_to(echo, "00"))
        assert not agrees(echo, reply_to(echo, "00").with_fields({70: "001"}))


class TestFrames:
    @given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.integers(1, 64))
    def test_any_cut_gives_the_same_bodies(self, bodies: list[bytes], size: int) -> None:
        stream = b"".join(framed(body) for body in bodies)
        frames = Frames(4096)
        got = []
        for at in range(0, len(stream), size):
            got += frames.feed(stream[at : at + size])
        assert got == bodies
        assert not frames.is_cut

    def test_a_started_frame_is_known(self) -> None:
        frames = Frames(4096)
        assert frames.feed(b"\x00") == []
        assert frames.is_cut

    def test_empty_and_oversized_frames_are_passed_over(self) -> None:
        """Byte by byte, and nothing of what is too long is kept."""
        frames = Frames(10)
        stream = b"\x00\x00" + framed(b"x" * 11) + framed(b"whole") + framed(b"y" * 60_000)
        got = [body for byte in stream for body in frames.feed(bytes([byte]))]
        assert got == [b"whole"]
        assert (frames.empty, frames.skipped, frames.is_cut) == (1, 2, False)
