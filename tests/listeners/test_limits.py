"""What is judged before anybody is believed: sizes, depth, sources, in linear time."""

from __future__ import annotations

import hashlib
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.errors import Misconfigured
from tangguh.listeners.connections import Connections
from tangguh.listeners.limits import ListenerSettings
from tangguh.listeners.nesting import is_deeper
from tangguh.listeners.proxies import Proxies, source_of
from tangguh.rails import signature


def walked(text: str, levels: int) -> bool:
    """Depth by walking character after character."""
    level, inside, escaped = 0, False, False
    for one in text:
        if inside:
            escaped, inside = (one == "\\" and not escaped), escaped or one != '"'
        elif one == '"':
            inside = True
        elif one in "[{":
            level += 1
            if level > levels:
                return True
        elif one in "]}":
            level -= 1
    return False


@given(st.text(alphabet='[]{}"\\a', max_size=80), st.integers(0, 6))
def test_depth_is_that_of_a_walk(inner: str, levels: int) -> None:
    """Brackets inside strings count for nothing, whatever is escaped."""
    text = '["' + inner.replace("\\", "\\\\").replace('"', '\\"') + '",' + "[" * levels
    assert is_deeper(text.encode(), levels) == walked(text, levels)


def squeezed(body: bytes) -> bytes:
    """The minified body by walking byte after byte."""
    kept, inside, escaped = bytearray(), False, False
    for one in body:
        if not inside and one in b" \t\r\n":
            continue
        kept.append(one)
        if escaped:
            escaped = False
        elif inside and one == 0x5C:
            escaped = True
        elif one == 0x22:
            inside = not inside
    return bytes(kept)


def test_a_large_body_has_the_digest_of_its_walk() -> None:
    """Cut into pieces, a body that could be JSON has the hash it has as a whole."""
    source = random.Random(7)
    for _ in range(3):
        words = []
        while sum(map(len, words)) < 150_000:
            text = "".join(source.choice('a "\\\n é') for _ in range(source.randrange(40)))
            escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            words.append(f'"{escaped}" ,\n ')
        body = "".join(words).encode()
        assert signature.body_digest(body) == hashlib.sha256(squeezed(body)).hexdigest()


@pytest.mark.parametrize("unit", [b'"\\"', b'"', b"\\", b" ", b'\\"', b'" ', b"[", b'{"a":'])
def test_an_unsigned_body_costs_little_whatever_is_in_it(unit: bytes) -> None:
    """A body nobody signed is hashed before it is refused: a megabyte takes no noticeable time."""
    body = unit * (1024 * 1024 // len(unit))
    started = time.perf_counter()
    signature.body_digest(body)
    is_deeper(body, 32)
    assert time.perf_counter() - started < 1.0, "31 MiB took this bank half a minute once"


# ---- who asks --------------------------------------------------------------------------------

BEHIND = Proxies(["10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, 10.0.0.9", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        ("10.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7, nonsense", "10.0.0.1"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
    ],
)
def test_only_a_trusted_proxy_says_who_the_client_is(
    peer: str, forwarded: str, client: str
) -> None:
    """The last hop a trusted proxy saw counts; what the client wrote itself does not."""
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    assert BEHIND.client(peer, headers) == client


def test_the_scheme_is_the_trusted_proxys_word() -> None:
    """A stranger who says https over http is on http."""
    said = [(b"x-forwarded-proto", b"https")]
    assert BEHIND.scheme("10.0.0.1", said, "http") == "https"
    assert BEHIND.scheme("203.0.113.9", said, "http") == "http"
    assert Proxies([]).scheme("10.0.0.1", said, "http") == "http"
    with pytest.raises(Misconfigured):
        Proxies(["10.0.0.1/8x"])


def test_one_network_of_ipv6_is_one_source() -> None:
    """Who has a /64 has 2^64 addresses, and is one source all the same."""
    assert source_of("2001:db8::1") == source_of("2001:db8::ffff") != source_of("2001:db8:1::1")


def test_a_source_makes_its_own_room_and_takes_nobody_elses() -> None:
    """The idle connections of one source go before anybody else is turned away."""
    held = Connections(ListenerSettings(connections_max=4, connections_per_source_max=2))
    cut: list[str] = []
    busy = held.admit("1.1.1.1", lambda: cut.append("a"))
    assert busy is not None
    held.work(busy)
    assert held.admit("1.1.1.1", lambda: cut.append("b"))
    assert held.admit("1.1.1.1", lambda: cut.append("c"))
    assert cut == ["b"], "its own idle one, not the one at work"
    assert held.admit("2.2.2.2", lambda: cut.append("d"))
    assert held.admit("3.3.3.3", lambda: cut.append("e"))
    assert held.admit("4.4.4.4", lambda: cut.append("f")), "the oldest idle one makes room"
    assert cut == ["b", "c"]
    assert held.count == 4


def test_a_source_that_is_all_at_work_gets_no_more() -> None:
    """Requests in hand are not cut for a newcomer."""
    held = Connections(ListenerSettings(connections_per_source_max=1))
    place = held.admit("1.1.1.1", lambda: None)
    assert place is not None
    held.work(place)
    assert held.admit("1.1.1.1", lambda: None) is None
    held.leave(place)
    held.leave(place)
    assert held.count == 0
    assert held.admit("1.1.1.1", lambda: None) is not None
