"""How peers frame their messages: bytes as they lie on the wire, both ways."""

from __future__ import annotations

import pytest

from tangguh.core.errors import Misconfigured
from tangguh.rails.iso8583.framing.frames import (
    FrameBroken,
    Frames,
    answering,
    framed,
    taken_apart,
)
from tangguh.rails.iso8583.framing.presets import PRESETS, Framing, framing_of
from unit.rails.iso8583.test_iso8583_golden import golden

ECHO = golden("G2")
"""60 bytes: a public field list's echo, with its length 003c in the golden table."""

ON_THE_WIRE = {
    "plain": b"\x00\x3c" + ECHO,
    "inclusive": b"\x00\x3e" + ECHO,
    "ascii": b"0060" + ECHO,
    "ascii_inclusive": b"0064" + ECHO,
    "bcd": b"\x00\x60" + ECHO,
    "tpdu": b"\x00\x41" + b"\x60\x00\x00\x00\x00" + ECHO,
    "base24": b"\x00\x48" + b"ISO026000010" + ECHO,
}


def test_every_preset_is_here() -> None:
    assert set(ON_THE_WIRE) == set(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
class TestPresets:
    def test_we_write_it_so(self, name: str) -> None:
        assert framed(ECHO, PRESETS[name]) == ON_THE_WIRE[name]

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 200])
    def test_we_read_it_so_in_pieces_of_any_size(self, name: str, size: int) -> None:
        framing, stream = PRESETS[name], ON_THE_WIRE[name] * 3
        frames = Frames(4096, framing)
        got = [
            frame
            for at in range(0, len(stream), size)
            for frame in frames.feed(stream[at : at + size])
        ]
        parts = [taken_apart(frame, framing) for frame in got]
        assert [part[1] for part in parts if part is not None] == [ECHO] * 3
        assert not frames.is_cut

    def test_a_sign_of_life_is_no_message(self, name: str) -> None:
        frames = Frames(4096, PRESETS[name])
        empty = b"0000" if PRESETS[name].length == "ascii" else b"\x00\x00"
        assert frames.feed(empty + ON_THE_WIRE[name] + empty) == [ON_THE_WIRE[name][len(empty) :]]
        assert frames.empty == 2

    def test_what_is_too_long_is_skipped(self, name: str) -> None:
        frames = Frames(100, PRESETS[name])
        stream = framed(b"0" * 3_000, PRESETS[name]) + ON_THE_WIRE[name]
        assert len(frames.feed(stream)) == 1
        assert frames.skipped == 1


class TestHeaders:
    def test_a_tpdu_s_addresses_change_places(self) -> None:
        assert answering(b"\x60\x00\x12\x34\x56", PRESETS["tpdu"]) == b"\x60\x34\x56\x00\x12"

    def test_a_base24_header_comes_back(self) -> None:
        assert answering(b"ISO016000055", PRESETS["base24"]) == b"ISO016000055"

    @pytest.mark.parametrize(("name", "frame"), [("tpdu", b"\x60\x00"), ("base24", ECHO)])
    def test_a_header_that_is_not_there(self, name: str, frame: bytes) -> None:
        assert taken_apart(frame, PRESETS[name]) is None


class TestLengths:
    @pytest.mark.parametrize(
        ("framing", "head"),
        [(Framing(length="ascii"), b"00 6"), (Framing(length="ascii"), b"+060"),
         (Framing(length="bcd"), b"\x00\x3c"), (Framing(counts_itself=True), b"\x00\x01")],
    )  # fmt: skip
    def test_what_is_no_length_ends_the_line(self, framing: Framing, head: bytes) -> None:
        with pytest.raises(FrameBroken):
            Frames(4096, framing).feed(head)

    def test_what_cannot_be_written_is_not(self) -> None:
        with pytest.raises(FrameBroken):
            framed(b"0" * 10_000, PRESETS["ascii"])


class TestSettings:
    @pytest.mark.parametrize(
        "named", ["base25", Framing(header="tpdu", tpdu="60"), Framing(base24="ISO1")]
    )
    def test_what_cannot_work_is_said_at_once(self, named: str | Framing) -> None:
        with pytest.raises(Misconfigured):
            framing_of(named)

    def test_parts_may_be_put_together(self) -> None:
        both = Framing(length="ascii", header="base24", base24="ISO016000010")
        assert framed(ECHO, framing_of(both)) == b"0072ISO016000010" + ECHO
