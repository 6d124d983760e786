"""Settlement files: what the outside world writes is read as written; anything wrong is refused."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.settlement.file import (
    LINE_BYTES_MAX,
    Expected,
    Line,
    Reader,
    lines_of,
    window_of,
)
from tangguh.settlement.formats import NETWORKS, Layout, Network
from tangguh.sim.settlement import SettlementLine, file_of

DAY = date(2026, 3, 20)
EXPECTED = Expected(network=NETWORKS["qris"], day=DAY, cycle=2)
KINDS = (("PAY", "O"), ("CRE", "I"), ("REF", "I"), ("REV", "I"), ("REV", "O"))


def a_line(number: int = 1, **changes: object) -> SettlementLine:
    line = SettlementLine(
        kind="PAY",
        side="O",
        reference=f"{number:032x}",
        network_reference=f"Q{number}",
        amount_minor=100_00 + number,
        at="2026-03-20T05:00:00.000001+00:00",
    )
    return msgspec.structs.replace(line, **changes)


def a_file(*lines: SettlementLine) -> bytes:
    return file_of("qris", "BANKTANGGUH", DAY, 2, lines).encode()


def read(content: bytes, expected: Expected = EXPECTED) -> tuple[list[Line], Reader]:
    reader = Reader([content], expected)
    return list(reader), reader


def resealed(content: bytes) -> bytes:
    """The same with a right hash, so that only the change before it can be at fault."""
    body, _, trailer = content.rstrip(b"\n").rpartition(b"\n")
    digest = sha256(body + b"\n").hexdigest().encode()
    return body + b"\n" + trailer.rpartition(b"|")[0] + b"|" + digest + b"\n"


lines_written = st.lists(
    st.builds(
        lambda kind, minor, theirs, fee: a_line(
            kind=kind[0], side=kind[1], amount_minor=minor, network_reference=theirs,
            fee_minor=fee,
        ),
        st.sampled_from(KINDS),
        st.integers(1, 10**15),
        st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="|"),
                max_size=64),
        st.integers(0, 10**9),
    ),
    max_size=20,
)  # fmt: skip


@given(lines_written, st.randoms(use_true_random=False))
def test_what_is_written_is_read(written: list[SettlementLine], chance: random.Random) -> None:
    """Every line in its order and with its sign, however the bytes arrive."""
    lines = [
        msgspec.structs.replace(line, reference=f"{number:032x}")
        for number, line in enumerate(written)
    ]
    content = a_file(*lines)
    cuts = sorted(chance.randrange(len(content) + 1) for _ in range(5))
    chunks = [
        content[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(content)], strict=True)
    ]
    reader = Reader(chunks, EXPECTED)
    seen = list(reader)
    assert reader.refused is None
    assert reader.totals is not None
    for line, got in zip(lines, seen, strict=True):
        sign = 1 if line.side == "O" else -1
        stands = "O" if (line.side == "O") != (line.kind == "REV") else "I"
        assert got.key.decode() == stands + line.reference
        assert got.signed_minor == sign * line.amount_minor
        assert got.network_reference.decode() == line.network_reference
    assert reader.totals.net_minor == sum(line.signed_minor for line in seen)
    assert reader.totals.fee_minor == sum(line.fee_minor for line in lines)


@given(st.integers(0, 10**6), st.integers(0, 255))
def test_one_changed_byte_refuses_the_whole_file(place: int, value: int) -> None:
    """Whatever byte of whatever line it is: there are no totals, so nothing may be done."""
    content = bytearray(a_file(*(a_line(number) for number in range(1, 6))))
    place %= len(content) - 1  # the last newline may be missing
    was, content[place] = content[place], value
    _, reader = read(bytes(content))
    assert (reader.totals is None) == (was != value)
    assert (reader.refused is not None) == (was != value)


@given(st.integers(1, 40), st.data())
def test_the_line_at_fault_is_named(count: int, data: st.DataObject) -> None:
    """Wherever it stands among good ones: its number in the file, counted from the header."""
    at_fault = data.draw(st.integers(1, count))
    field, bad = data.draw(
        st.sampled_from(
            [("amount", "1.5"), ("fee", "x"), ("kind", "ZZZ"), ("reference", ""), ("at", "noon")]
        )
    )
    rows = a_file(*(a_line(number) for number in range(1, count + 1))).decode().split("\n")
    parts = rows[at_fault].split("|")
    parts[EXPECTED.network.layout.line.index(field)] = bad
    rows[at_fault] = "|".join(parts)
    seen, reader = read("\n".join(rows).encode())
    assert reader.refused is not None
    assert (reader.refused.line, reader.refused.field) == (at_fault + 1, field)
    assert len(seen) == at_fault - 1


def change(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        assert content.count(old) == 1, content
        return resealed(content.replace(old, new))

    return changed


def without_trailer(content: bytes) -> bytes:
    return content[: content.rindex(b"T|")]


REFUSALS: list[tuple[str, Callable[[bytes], bytes], int, str]] = [
    ("another network", change(b"|qris|", b"|dana|"), 1, "network"),
    ("another participant", change(b"|BANKTANGGUH|", b"|BANKLAIN|"), 1, "participant"),
    ("another day", change(b"|2026-03-20|2|", b"|2026-03-21|2|"), 1, "day"),
    ("another cycle", change(b"|2026-03-20|2|", b"|2026-03-20|1|"), 1, "cycle"),
    ("another currency", change(b"|2|IDR\n", b"|2|USD\n"), 1, "currency"),
    ("no currency", change(b"|2|IDR\n", b"|2\n"), 1, "line"),
    ("another precision", change(b"|100.02|", b"|100.020|"), 3, "amount"),
    ("another version", change(b"H|1|", b"H|2|"), 1, "version"),
    ("a header with a field too many", change(b"H|1|", b"H|1||"), 1, "line"),
    ("no header", lambda content: content.partition(b"\n")[2], 1, "tag"),
    ("a header not in ASCII", change(b"BANKT", b"B\xc3\x84NK"), 1, "line"),
    ("a number skipped", change(b"D|2|", b"D|3|"), 3, "number"),
    ("a number twice", change(b"D|2|", b"D|1|"), 3, "number"),
    ("a reference twice", change(b"2|Q2", b"1|Q2"), 3, "reference"),
    ("no reference", change(b"|" + b"0" * 31 + b"2|", b"||"), 3, "reference"),
    ("a reference with a tab", change(b"0002|Q2", b"00\t2|Q2"), 3, "reference"),
    ("a long network reference", change(b"|Q2|", b"|" + b"Q" * 65 + b"|"), 3, "network_reference"),
    ("an unknown kind", change(b"D|2|PAY", b"D|2|FOO"), 3, "kind"),
    ("an unknown side", change(b"D|2|PAY|O", b"D|2|PAY|X"), 3, "side"),
    ("a payment on the wrong side", change(b"D|2|PAY|O", b"D|2|PAY|I"), 3, "side"),
    ("an amount without decimals", change(b"|100.02|", b"|10002|"), 3, "amount"),
    ("an amount with a sign", change(b"|100.02|", b"|-100.02|"), 3, "amount"),
    ("an amount with separators", change(b"|100.02|", b"|1,100.02|"), 3, "amount"),
    ("an amount in other digits", change(b"|100.02|", b"|\xd9\xa1.02|"), 3, "amount"),
    ("an amount of nothing", change(b"|100.02|", b"|0.00|"), 3, "amount"),
    ("a fee that is none", change(b"|100.02|0.00|", b"|100.02||"), 3, "fee"),
    ("a field too few", change(b"|Q2|", b"|"), 3, "line"),
    ("a field too many", change(b"|Q2|", b"|Q2||"), 3, "line"),
    ("a blank line", change(b"D|2|", b"\nD|2|"), 3, "tag"),
    ("a carriage return", change(b"|Q2|100.02|0.00|2026-03-20T05:00:00.000001+00:00\n",
                                 b"|Q2|100.02|0.00|2026-03-20T05:00:00.000001+00:00\r\n"),
     3, "at"),
    ("a wrong count", lambda c: c.replace(b"T|3|", b"T|2|"), 5, "lines"),
    ("a wrong sum owed", lambda c: c.replace(b"|300.06|0.00|", b"|300.07|0.00|"), 5, "owed"),
    ("a wrong sum due", lambda c: c.replace(b"|300.06|0.00|", b"|300.06|0.01|"), 5, "due"),
    ("a wrong hash", lambda c: c[:-5] + b"0000\n" if c[-5:-1] != b"0000" else c[:-5] + b"1111\n",
     5, "sha256"),
    ("a changed amount with fitting sums", lambda c: c.replace(b"Q2|", b"Q7|"), 5, "sha256"),
    ("no trailer", without_trailer, 5, "tag"),
    ("a line cut in two", lambda c: c[: c.index(b"Q2")], 3, "line"),
    ("something after the trailer", lambda c: c + b"D|4|\n", 6, "tag"),
    ("a second trailer", lambda c: c + c[c.rindex(b"T|"):], 6, "tag"),
    ("nothing at all", lambda _: b"", 1, "tag"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("damage", "line", "field"), [one[1:] for one in REFUSALS], ids=[one[0] for one in REFUSALS]
)
def test_a_damaged_file_is_refused_by_line_and_field(
    damage: Callable[[bytes], bytes], line: int, field: str
) -> None:
    """The whole of it, and whoever sent it is told where to look."""
    content = a_file(*(a_line(number) for number in (1, 2, 3)))
    assert read(content)[1].totals is not None
    _, reader = read(damage(content))
    assert reader.totals is None
    assert reader.refused is not None
    assert (reader.refused.line, reader.refused.field) == (line, field), reader.refused
    assert reader.refused.rule


@pytest.mark.parametrize(
    "at",
    [
        "",
        "2026-03-20",
        "2026-03-20T05:00:00",
        "2026-03-20T05:00:00+07:00",
        "2026-03-20 05:00:00+00:00",
        "2026-02-30T05:00:00+00:00",
        "2026-03-20T25:00:00+00:00",
        "2026-03-20T05:61:00+00:00",
        "2026-03-20T05:00:61+00:00",
        "2026-03-20T04:59:59.999999+00:00",
        "2026-03-20T17:00:00+00:00",
    ],
)
def test_an_instant_is_in_utc_and_in_the_cycle(at: str) -> None:
    """Noon belongs to the second cycle, midnight to the next day."""
    _, reader = read(a_file(a_line(1), a_line(2, at=at)))
    assert reader.refused is not None
    assert (reader.refused.line, reader.refused.field) == (3, "at")


def test_the_ends_of_a_cycle_are_told_apart() -> None:
    """From noon on, and before midnight; cycle 0 is the whole day; a third there is not."""
    edges = ("2026-03-20T05:00:00+00:00", "2026-03-20T16:59:59.999999+00:00")
    _, reader = read(a_file(*(a_line(n, at=at) for n, at in enumerate(edges))))
    assert reader.refused is None
    begins, ends = window_of(Expected(network=NETWORKS["qris"], day=DAY, cycle=0))
    assert (ends - begins).total_seconds() == 86_400
    with pytest.raises(ValueError, match="2 cycles"):
        window_of(Expected(network=NETWORKS["qris"], day=DAY, cycle=3))


def test_what_is_given_back_in_parts_stands_there_in_parts() -> None:
    """Two reversals of one payment at two instants; the very same line twice is refused."""
    first, second = "2026-03-20T05:00:00+00:00", "2026-03-20T05:00:01+00:00"
    back = [
        a_line(1, kind="REV", side="I", at=at, amount_minor=5) for at in (first, second, second)
    ]
    seen, reader = read(a_file(*back[:2]))
    assert reader.refused is None
    assert [(line.key[:1], line.signed_minor) for line in seen] == [(b"O", -5), (b"O", -5)]
    _, reader = read(a_file(*back))
    assert reader.refused is not None
    assert (reader.refused.line, reader.refused.field) == (4, "reference")


def test_another_layout_is_another_table() -> None:
    """Columns in another order, other codes, another separator: no code is written for it."""
    layout = Layout(
        separator=";",
        line=("tag", "number", "at", "amount", "fee", "side", "kind", "network_reference",
              "reference"),
        header_tag="HD",
        line_tag="DT",
        trailer_tag="TR",
        kinds=(("01", "payment"), ("02", "reversal")),
        sides=(("D", 1), ("K", -1)),
    )  # fmt: skip
    network = Network(
        name="other", participants=("TGUH",), accounts=(102_001,), rails=(), owner="x",
        layout=layout,
    )  # fmt: skip
    body = (
        "HD;1;other;TGUH;2026-03-20;1;IDR\n"
        "DT;1;2026-03-20T05:00:00+00:00;12.34;0.00;D;01;X;ref-1\n"
        "DT;2;2026-03-20T05:00:00+00:00;2.00;0.50;K;02;Y;ref-1\n"
    )
    content = f"{body}TR;2;12.34;2.00;{sha256(body.encode()).hexdigest()}\n".encode()
    seen, reader = read(content, Expected(network=network, day=DAY, cycle=1))
    assert reader.refused is None
    assert [(line.key, line.signed_minor) for line in seen] == [
        (b"Oref-1", 1234),
        (b"Oref-1", -200),
    ]


def test_a_file_without_lines_is_a_file() -> None:
    """A quiet cycle is known by its empty file; the last newline may be missing."""
    for content in (a_file(), a_file()[:-1]):
        seen, reader = read(content)
        assert seen == []
        assert reader.totals is not None
        assert reader.totals.net_minor == 0


def test_a_line_without_end_is_not_kept_in_memory() -> None:
    """A megabyte without a newline is cut, and then refused like any other wrong line."""
    cut = list(lines_of([b"D|1|" + b"x" * 1_000_000 for _ in range(3)]))
    assert [len(line) for line in cut] == [LINE_BYTES_MAX]
    head = a_file().partition(b"\n")[0] + b"\n"
    _, reader = read(head + b"D|1|" + b"x" * 5_000 + b"\n")
    assert reader.refused is not None
    assert reader.refused.line == 2
