"""Mutated messages: no crash, no hang, a reason for every refusal, one spelling per message.

``fuzz(1_000_000, seed)`` is the long run: ``python -m unit.rails.iso8583.test_iso8583_fuzz 1000000``
from the tests directory.
"""

from __future__ import annotations

import sys
from collections import Counter
from random import Random

from tangguh.rails.iso8583.fields import Dialect
from tangguh.rails.iso8583.framing.frames import FrameBroken, Frames
from tangguh.rails.iso8583.message import Malformed, decode, encode, masked
from tangguh.rails.iso8583.required import judge
from unit.rails.iso8583.test_iso8583_golden import GOLDEN, golden

DIALECTS = (Dialect(), Dialect(bitmap="binary"), Dialect(text="cp500"))


def originals() -> list[tuple[Dialect, bytes]]:
    """Every golden message in every dialect."""
    found = []
    for name in GOLDEN:
        message = decode(golden(name))
        assert not isinstance(message, Malformed)
        for dialect in DIALECTS:
            raw = encode(message, dialect)
            assert isinstance(raw, bytes)
            found.append((dialect, raw))
    return found


def mutated(raw: bytes, random: Random) -> bytes:
    """One to four small wrongs."""
    changed = bytearray(raw)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(changed) + 1)
        match random.randrange(8):
            case 0 if changed:
                changed[at % len(changed)] ^= 1 << random.randrange(8)
            case 1 if changed:
                changed[at % len(changed)] = random.randrange(256)
            case 2 if changed:
                changed[at % len(changed)] = random.choice(b"0123456789ABCDEF")
            case 3:
                changed.insert(at, random.randrange(256))
            case 4:
                del changed[at : at + random.randint(1, 8)]
            case 5:
                del changed[at:]
            case 6:
                end = min(len(changed), at + random.randint(1, 40))
                changed[at:at] = changed[at:end]
            case 7 if len(changed) > 36:
                changed[4 + random.randrange(32)] = random.choice(b"0123456789ABCDEF")
    return bytes(changed)


def fuzz(count: int, seed: int = 0) -> Counter[str]:
    """So many mutations; how many ended how. Raises AssertionError at the first that is wrong."""
    random = Random(seed)
    pool = originals()
    ended: Counter[str] = Counter()
    for _ in range(count):
        dialect, raw = random.choice(pool)
        changed = mutated(raw, random)
        read = decode(changed, dialect)
        shown = masked(read)
        assert all(isinstance(value, str) for value in shown.values())
        if isinstance(read, Malformed):
            assert read.findings, changed
            assert all(one.field and one.rule for one in read.findings), changed
            ended[read.findings[0].rule] += 1
        else:
            judge(read)
            assert encode(read, dialect) == changed, (changed, read.fields)
            ended["read"] += 1
        cut(changed, random)
    return ended


def cut(stream: bytes, random: Random) -> None:
    """The same bytes as a stream, in pieces: frames, or a reason."""
    frames = Frames(4096)
    at = 0
    try:
        while at < len(stream):
            size = random.randint(1, 200)
            for body in frames.feed(stream[at : at + size]):
                assert 0 < len(body) <= 4096
            at += size
    except FrameBroken as error:
        assert str(error)


def test_twenty_thousand_mutations_are_read_or_refused_with_a_reason() -> None:
    ended = fuzz(20_000, seed=8583)
    assert ended["read"] > 500
    assert ended["layout"] > 5_000
    assert len(ended) >= 8


if __name__ == "__main__":
    print(fuzz(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))  # noqa: T201
