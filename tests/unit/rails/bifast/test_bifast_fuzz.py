"""Mutated messages: nothing raises, nothing valid changes its clothes, no forgery passes.

Ten thousand in the suite; ``fuzz(count, seed)`` takes any number.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

from tangguh.cli.decode.bifast import judgement
from tangguh.rails.bifast import message
from tangguh.rails.bifast.grammar import codec
from tangguh.rails.bifast.message import Received
from unit.rails.bifast.papers import KEY, documents, sealed

SEEDS = [sealed(definition, wire) for definition in sorted(documents()) for wire in ("json", "xml")]
BITS = [
    b"", b"<", b">", b"&", b"&amp;", b"&#0;", b"&#x41;", b'"', b"'", b"{", b"}", b"[", b"]", b",", b":",
    b"null", b"true", b"1e999", b"\\u0000", b"\\ud800", b"\xff", b"\xc3", b"\0", b"<!--", b"-->", b"<![CDATA[",
    b"]]>", b"<?x?>", b"<!DOCTYPE x>", b"xmlns:a='urn:x'", b"Ccy='IDR'", b"-1", b"9" * 40, b"Value", b"Document",
    b"AppHdr", b"A" * 400, b" ", b"\n", b"<a/>", b'"a":"b",', b"IDR", b"USD", b"U149", b"ACSC", b"RJCT",
]  # fmt: skip


def mutated(body: bytes, source: random.Random) -> bytes:
    """One to four small wounds: cut, double, swap, overwrite, insert, or a piece of another."""
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(body) + 1)
        end = min(len(body), at + source.choice((1, 2, 8, 40)))
        match source.randrange(6):
            case 0:
                body = body[:at] + body[end:]
            case 1:
                body = body[:end] + body[at:end] + body[end:]
            case 2:
                body = body[:at] + source.choice(BITS) + body[end:]
            case 3:
                body = body[:at] + source.choice(BITS) + body[at:]
            case 4:
                body = (
                    body[:at] + bytes(source.randrange(256) for _ in range(end - at)) + body[end:]
                )
            case _:
                other = source.choice(SEEDS)
                cut = source.randrange(len(other))
                body = body[:at] + other[cut : cut + 60] + body[end:]
        body = body or b" "
    return body


def regrown(body: bytes, source: random.Random) -> bytes:
    """The same in the tree: JSON that is whole, and wrong in a leaf, a name or a branch."""
    tree = json.loads(body)
    for _ in range(source.randint(1, 2)):
        node = tree["BusMsg"]
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not keys:
                break
            key = source.choice(keys)
            if isinstance(node[key], str) or source.random() < 0.1:
                _wound(node, key, source)
                break
            node = node[key]
    return json.dumps(tree).encode()


def _wound(node: Any, key: Any, source: random.Random) -> None:
    match source.randrange(5):
        case 0:
            del node[key]
        case 1:
            node[key] = source.choice(BITS).decode("latin-1")
        case 2:
            node[key] = [node[key], node[key]]
        case 3 if isinstance(node, dict):
            node[source.choice(["Ccy", "Cd", "Prtry", "Othr", "Nm", "X"])] = node.pop(key)
        case _:
            node[key] = {"A": node[key]} if source.random() < 0.5 else f"{node[key]}"[:-1] + "7"


def fuzz(count: int, seed: int) -> Counter[str]:
    """Mutate so many messages and check every one; how many were what."""
    source = random.Random(seed)
    signed = {codec.canonical(message.read(body).tree) for body in SEEDS}
    seen: Counter[str] = Counter()
    for _ in range(count):
        body = source.choice(SEEDS)
        in_the_tree = body.startswith(b"{") and source.random() < 0.7
        body = regrown(body, source) if in_the_tree else mutated(body, source)
        verdict = judgement(body)
        json.dumps(verdict)
        received = message.read(body)
        if not isinstance(received, Received):
            assert verdict["valid"] is False
            assert verdict["errors"]
            seen["refused"] += 1
            continue
        for wire in ("json", "xml"):
            again = message.read(codec.encode(received.tree, wire))
            assert isinstance(again, Received)
            assert again.message == received.message
        holds = message.is_signed_by(received, KEY.public_key())
        # White space between elements and order of JSON members may differ; content may not.
        assert holds == (codec.canonical(received.tree) in signed)
        seen["signed" if holds else "readable"] += 1
    return seen


def test_ten_thousand_wounds() -> None:
    """All are seen: refused, readable but forged, and those whose wound did not matter."""
    seen = fuzz(10_000, seed=20250329)
    assert seen.total() == 10_000
    assert seen["refused"] > 1_000
    assert seen["readable"] > 100
    assert seen["signed"] > 10
