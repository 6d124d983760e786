"""SNAP by its vectors: what is signed, what an answer is, what a code means."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.clock import HandClock
from tangguh.core.outcome import Accepted, Declined, Refusal, Unanswered
from tangguh.rails import signature, snap
from tangguh.rails.link import Reply

PAY = snap.Endpoint("50", "/v1.0/qr/qr-mpm-payment")

GENERATE = (
    b'{"partnerReferenceNo":"2020102900000000000001","amount":{"value":"12345678.00",'
    b'"currency":"IDR"},"feeAmount":{"value":"12345678.00","currency":"IDR"},'
    b'"merchantId":"00007100010926","terminalId":"213141251124",'
    b'"validityPeriod":"2009-07-03T12:08:56-07:00"}'
)
INTRABANK = (
    b'{"partnerReferenceNo":"2025032900000000000001","amount":{"value":"600000.00",'
    b'"currency":"IDR"},"beneficiaryAccountNo":"10108000002","sourceAccountNo":"10108000001",'
    b'"transactionDate":"2025-03-29T11:00:00+07:00"}'
)
GENERATE_HASH = "01463f60dbb6ca538581579dd95b31c8ba9fc6600eca750e4d8460ca4e402111"
INTRABANK_HASH = "c4cdf5ca69b89ac721b730bf1f149ba49cd53995c26015b6dd3e86d15f164218"
NOTHING_HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

VECTORS = [
    (
        ("POST", "/v1.0/qr/qr-mpm-generate", "myaccesstoken", GENERATE),
        ("2024-03-05T10:37:16.196Z", "myclientsecret", GENERATE_HASH),
        "wmzT7yjg1SxxCsxNsFgCR9SYXiZGGbceF6fV8xe97sAMHxZ+7OEBMIBmvb6Sj6GcksGp3iv77DiomgSbcST3XQ==",
    ),
    (
        ("POST", "/v1.0/transfer-intrabank", "test-token", INTRABANK),
        ("2025-03-29T11:00:00+07:00", "test-secret", INTRABANK_HASH),
        "JLDogJblSjYV+ccNS59G6UWP5oNlgOBDk0/Erft5NvsffCJvaf5m3pFkqAHU04dFjJQYrA6gKW96EkvND2r9GQ==",
    ),
    (
        ("GET", "/v1.0/transfer-va/report", "test-token", b""),
        ("2025-03-29T11:00:00+07:00", "test-secret", NOTHING_HASH),
        "jGhy8SgG/A9ocJ4FL3UCIqRDsY+N0tUQd5kAlGXlICc4PNiZxWN2897iWOmLvFBSxRTM/6VTlmGLLURM9jiQ1w==",
    ),
]


@pytest.mark.parametrize(("call", "sealed", "expected"), VECTORS, ids=["live", "post", "get"])
def test_golden_vectors(
    call: tuple[str, str, str, bytes], sealed: tuple[str, str, str], expected: str
) -> None:
    """A live partner's vector and two computed ones come out byte for byte."""
    method, path, token, body = call
    timestamp, secret, body_hash = sealed
    text = signature.text_of_call(method, path, token, body, timestamp)
    assert text.decode() == f"{method}:{path}:{token}:{body_hash}:{timestamp}"
    assert signature.sign_symmetric(secret, text) == expected
    assert signature.verify_symmetric(secret, text, expected)


@pytest.mark.parametrize("wrong", ["", "a", "wmzT7yjg", "\udcff", "é", "=" * 88])
def test_wrong_signatures_are_refused(wrong: str) -> None:
    """Nothing but the signature verifies, whatever bytes a header may bring."""
    assert not signature.verify_symmetric("secret", b"text", wrong)
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    assert not signature.verify_asymmetric(key.public_key(), b"text", wrong)


def test_asymmetric_signature_is_its_owners() -> None:
    """The owner's signature verifies over the same text only, and only with the owner's key."""
    owner, other = (rsa.generate_private_key(public_exponent=65537, key_size=1024) for _ in "ab")
    text = signature.text_of_token_request("client", "2025-03-29T11:00:00+07:00")
    assert text == b"client|2025-03-29T11:00:00+07:00"
    made = signature.sign_asymmetric(owner, text)
    assert signature.verify_asymmetric(owner.public_key(), text, made)
    assert not signature.verify_asymmetric(owner.public_key(), text + b" ", made)
    assert not signature.verify_asymmetric(other.public_key(), text, made)


def test_asymmetric_text_has_no_token() -> None:
    """Without a token its place is left out, not left empty."""
    text = signature.text_of_call("POST", "/v1.0/a", None, b"", "T")
    assert text == f"POST:/v1.0/a:{NOTHING_HASH}:T".encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", b""),
        (b' { "a" : [ 1 ,\r\n\t2 ] } ', b'{"a":[1,2]}'),
        (b'{"a": " b  c "}', b'{"a":" b  c "}'),
        (rb'{"a": "say \" so \\", "b" : 1}', rb'{"a":"say \" so \\","b":1}'),
        (b'{"open": "never closed ', b'{"open":"never closed '),
        (b'{"n": 1.0, "z": 10e2}', b'{"n":1.0,"z":10e2}'),
    ],
)
def test_minify_takes_blanks_outside_strings_only(body: bytes, expected: bytes) -> None:
    """Strings and the way numbers are written stay as they are."""
    assert signature.minify(body) == expected


@given(
    st.recursive(
        st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_minify_equals_compact_writing(value: object) -> None:
    """Indented JSON becomes what a compact writer would have written."""
    for ascii_only in (True, False):
        loose = json.dumps(value, indent=3, ensure_ascii=ascii_only)
        tight = json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only)
        data = loose.encode("utf-8", "surrogatepass")
        assert signature.minify(data) == tight.encode("utf-8", "surrogatepass")


def test_minify_is_linear_on_hostile_text() -> None:
    """Half a megabyte of escaped quotes does not stall us."""
    hostile = b'"' + rb"\"" * 250_000
    assert signature.minify(hostile) == hostile


def test_timestamp_is_jakarta_time() -> None:
    """Seconds and a written-out zone, never Z."""
    instant = datetime(2025, 3, 29, 4, 0, 0, 999_000, tzinfo=UTC)
    assert signature.timestamp_of(instant) == "2025-03-29T11:00:00+07:00"


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("2025-03-29T11:00:00+07:00", True),
        ("2025-03-29T04:00:00Z", True),
        ("2024-03-05T10:37:16.196Z", True),
        ("2025-03-29T11:00:00", False),
        ("29/03/2025", False),
        ("", False),
    ],
)
def test_read_timestamp(text: str, readable: bool) -> None:
    """Any instant with its zone is read; anything else is None."""
    assert (signature.read_timestamp(text) is not None) == readable


def test_external_ids_are_numeric_and_unique() -> None:
    """Thirty-six digits, no two alike within one instant, the same again from one seed."""
    clock = HandClock(datetime(2025, 3, 29, tzinfo=UTC))
    first = snap.ExternalIds(clock, random.Random(1))
    made = [first.next() for _ in range(1000)]
    assert all(len(each) == 36 and each.isdigit() for each in made)
    assert len(set(made)) == 1000
    assert made[0] == snap.ExternalIds(clock, random.Random(1)).next()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"{"),
        (200, b"[]"),
        (200, b"null"),
        (200, b"\xff\xfe"),
        (200, b"[" * 60_000),
        (200, b"{}"),
        (200, b'{"responseCode":2}'),
        (200, b'{"responseCode":"20050"}'),
        (200, b'{"responseCode":"20050000"}'),
        (200, b'{"responseCode":"20050xx"}'),
        (200, '{"responseCode":"٢٠٠٥٠٠٠"}'.encode()),
        (200, b'{"responseCode":"4045008"}'),
        (404, b'{"responseCode":"2005000"}'),
        (200, b'{"responseCode":"2005100"}'),
        (500, b"<html>"),
        (200, b'{"responseCode":"4045008","responseCode":"2005000"}'),
        (200, b'{"responseCode":"2005000","amount":{"value":"1.00","value":"2.00"}}'),
        (200, b'{"responseCode":"2005000","amount":NaN}'),
    ],
)
def test_reply_that_is_no_answer(status: int, body: bytes) -> None:
    """Whatever is not a SNAP answer to what was asked is Unanswered."""
    assert isinstance(snap.open_reply(PAY, Reply(status, body)), Unanswered)


def answer(code: str, **fields: object) -> snap.Answer:
    return snap.Answer(code=code, fields=dict(fields))


def test_reply_is_opened() -> None:
    """Code, case and service are read; unknown fields do no harm; a number is a code too."""
    opened = snap.open_reply(PAY, Reply(200, b'{"responseCode":2005000,"x":{},"referenceNo":"Q"}'))
    assert isinstance(opened, snap.Answer)
    assert (opened.code, opened.case, opened.service) == ("2005000", "20000", "50")
    assert (opened.text("referenceNo"), opened.text("x"), opened.text("none")) == ("Q", "", "")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("2001700", Accepted("N1")),
        ("2021700", Unanswered("in progress")),
        ("4001701", Declined(Refusal.PARTNER_DECLINED, "4001701")),
        ("4011700", Declined(Refusal.PARTNER_UNREACHABLE, "4011700")),
        ("4031702", Declined(Refusal.PARTNER_LIMIT, "4031702")),
        ("4031714", Declined(Refusal.PARTNER_DECLINED, "4031714")),
        ("4033819", Declined(Refusal.MERCHANT_BLOCKED, "4033819")),
        ("4045008", Declined(Refusal.MERCHANT_NOT_FOUND, "4045008")),
        ("4041711", Declined(Refusal.FAR_ACCOUNT_NOT_FOUND, "4041711")),
        ("4041718", Accepted("N1")),
        ("4042518", Accepted("N1")),
        ("4045418", Declined(Refusal.PARTNER_DECLINED, "4045418")),
        ("4045018", Unanswered("response code 4045018")),
        ("4042414", Unanswered("response code 4042414")),
        ("4091701", Unanswered("response code 4091701")),
        ("4291700", Unanswered("response code 4291700")),
        ("5001700", Unanswered("response code 5001700")),
        ("5041700", Unanswered("response code 5041700")),
        ("4031799", Unanswered("response code 4031799")),
        ("3021700", Unanswered("response code 3021700")),
    ],
)
def test_what_codes_mean(code: str, expected: object) -> None:
    """Yes, no, and everything that is neither."""
    assert snap.read(answer(code, referenceNo="N1")) == expected


def test_only_4xx_can_be_a_no() -> None:
    """No 2xx, 3xx, 429 or 5xx may ever be declared a definite no."""
    assert {case[0] for case in snap.DECLINES} == {"4"}
    assert not any(case.startswith(("409", "429")) for case in snap.DECLINES)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("900", 900.0),
        (899, 899.0),
        (60.5, 60.0),
        (0, 0.0),
        (-5, 0.0),
        (10**9, 86_400.0),
        ("soon", 900.0),
        ("nan", 900.0),
        ("inf", 900.0),
        (None, 900.0),
        (True, 900.0),
    ],
)
def test_life_of_a_token(value: object, seconds: float) -> None:
    """Text or number; what cannot be read is the standard's fifteen minutes."""
    assert snap._seconds(value) == seconds
