"""JSON and XML are two clothes of one message: round trips, golden bytes, and hostile XML."""

from __future__ import annotations

import json
import random
import time
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from tangguh.core.text import shown
from tangguh.rails.bifast import message, status, transfer
from tangguh.rails.bifast.grammar import codec
from tangguh.rails.bifast.grammar.codec import BODY_BYTES_MAX, Malformed
from tangguh.rails.bifast.grammar.schema import Anything, Group, Leaf, Schema, check
from tangguh.rails.bifast.message import Message, Received, Unreadable
from tangguh.rails.bifast.transfer import CreditTransfer, Party
from unit.rails.bifast.papers import KEY, NOW, NUMBER, REPORT, TRANSFER, documents, sealed, whole

WIRES = ("json", "xml")
WORDS = (
    st.text(
        st.characters(min_codepoint=0x20, max_codepoint=0x2FFF, exclude_categories=("Cs", "Cc")),
        min_size=1,
        max_size=40,
    )
    .map(str.strip)
    .filter(bool)
)
CODE = st.text("ABCDEFGHIJ0123456789", min_size=1, max_size=30)
PARTY = st.builds(
    Party,
    name=WORDS,
    account=CODE,
    account_type=st.sampled_from(["SVGS", "CACC", "UESB"]),
    bank=st.from_regex(r"\A[A-Z]{6}[A-Z0-9]{2}\Z"),
    identity=st.sampled_from(["", "3171010101800001"]),
    sort=st.sampled_from(["01", "02"]),
)
TRANSFERS = st.builds(
    CreditTransfer,
    kind=st.sampled_from(["010", "110", "510", "011"]),
    message_id=CODE,
    created_at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(
        lambda naive: naive.replace(microsecond=naive.microsecond // 1000 * 1000, tzinfo=UTC)
    ),
    end_to_end_id=CODE,
    transaction_id=CODE,
    amount_minor=st.integers(0, 10**17),
    debtor=PARTY,
    creditor=PARTY,
    proxy_type=st.just("01"),
    proxy=CODE,
    note=WORDS,
    related=CODE,
)


def as_read(words: str) -> str:
    """What was written plain, and is shown as it can be."""
    return shown(transfer.plain(words, 140), 140)


def same(one: CreditTransfer, other: object) -> None:
    """Names and notes are plain in a message; all else is exactly what it was."""
    assert isinstance(other, CreditTransfer), other
    plain = msgspec.structs.replace(
        one,
        debtor=msgspec.structs.replace(one.debtor, name=as_read(one.debtor.name)),
        creditor=msgspec.structs.replace(one.creditor, name=as_read(one.creditor.name)),
        note=as_read(one.note),
    )
    assert other == plain


@given(TRANSFERS, st.sampled_from(WIRES))
def test_a_transfer_survives_either_way(asked: CreditTransfer, wire: str) -> None:
    """Written, read and read again it says the same, and its signature holds."""
    sent = whole(transfer.DEFINITION, transfer.document_of(asked))
    received = message.read(message.sealed(sent, KEY, wire))
    assert isinstance(received, Received), received
    assert message.is_signed_by(received, KEY.public_key())
    same(asked, transfer.read(received.message.document))


@given(TRANSFERS)
def test_json_to_xml_and_back_is_the_same_tree(asked: CreditTransfer) -> None:
    """And XML to JSON and back: one tree, two clothes, one signature."""
    sent = whole(transfer.DEFINITION, transfer.document_of(asked))
    first = codec.decode(message.sealed(sent, KEY, "json"))
    assert not isinstance(first, Malformed)
    second = codec.decode(codec.encode(first, "xml"))
    assert second == first
    third = codec.decode(codec.encode(second, "json"))
    assert third == first
    assert codec.canonical(third) == codec.canonical(first)


def random_tree(schema: Schema, kind: str, source: random.Random, depth: int = 0) -> object:
    """Some tree that keeps the schema: required parts always, others now and then."""
    shape = schema.shape(kind)
    if isinstance(shape, Leaf):
        return random_leaf(shape, source)
    if isinstance(shape, Anything):
        return {"Dtl": {"A": "1", "B": {"C": "2"}}}
    assert isinstance(shape, Group)
    parts = list(shape.parts.values())
    if shape.choice:
        parts = [source.choice(parts)]
    found = {}
    for part in parts:
        if part.required or shape.choice or source.random() < 0.25 / (1 + depth):
            value = random_tree(schema, part.kind, source, depth + 1)
            found[part.name] = [value] if part.many else value
    return found


def random_leaf(leaf: Leaf, source: random.Random) -> str:
    """A text with these facets."""
    if leaf.values:
        return source.choice(sorted(leaf.values))
    match leaf.form:
        case "decimal":
            whole = f"{source.randrange(10**9)}"
            return whole if leaf.fraction_max == 0 else f"{whole}.{source.randrange(100):02d}"
        case "date":
            return (
                f"20{source.randrange(10, 40)}-0{source.randrange(1, 10)}-1{source.randrange(10)}"
            )
        case "instant":
            return f"2025-03-{source.randrange(10, 30)}T12:00:00.000Z"
        case "time":
            return "12:00:00"
        case "boolean":
            return source.choice(["true", "false"])
    by_pattern = {
        r"[A-Z]{3,3}": "IDR",
        r"[A-Z]{2,2}": "ID",
        r"[0-9]{1,15}": "1",
        r".*Z": "2025-03-29T12:00:00Z",
        r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}": "TGUHIDJ1",
        r"[A-Z0-9]{4,4}[A-Z]{2,2}[A-Z0-9]{2,2}([A-Z0-9]{3,3}){0,1}": "TGUHIDJ1",
        r"[A-Z0-9]{18,18}[0-9]{2,2}": "ABCDEFGHIJKLMNOPQR12",
        r"[A-Z]{2,2}[0-9]{2,2}[a-zA-Z0-9]{1,30}": "ID12ABC",
        r"[a-zA-Z0-9]{4}": "AB12",
        r"[A-Z0-9]{4}": "U000",
        r"\d{4}": "0300",
        r"\+[0-9]{1,3}-[0-9()+\-]{1,30}": "+62-8123",
        r"[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}": "12345678-1234-4234-8234-123456789012",
    }
    if leaf.pattern:
        return by_pattern[leaf.pattern]
    length = max(leaf.length_min, 1)
    if leaf.length_max >= 0:
        length = source.randint(length, min(leaf.length_max, length + 12))
    return "".join(source.choice("Abc <&>'\"é漢\t") for _ in range(length))


@pytest.mark.parametrize("definition", sorted(documents()))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(st.integers(0, 2**32))
def test_any_tree_of_the_schema_survives_both_ways(definition: str, seed: int) -> None:
    """Not only what we send: anything the standard allows is valid, and the same in both forms."""
    schema = codec.schema_for(definition)
    assert schema is not None
    document = random_tree(schema, schema.root, random.Random(seed))
    assert check(schema, document, "Document") == ()
    tree = message.tree_of(whole(definition, document))
    for wire in WIRES:
        assert codec.decode(codec.encode(tree, wire)) == tree


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("definition", sorted(documents()))
def test_every_document_of_ours_is_valid(definition: str, wire: str) -> None:
    """And says what it was made to say."""
    received = message.read(sealed(definition, wire))
    assert isinstance(received, Received), received
    assert received.message == whole(definition, documents()[definition])


@pytest.mark.parametrize("wire", WIRES)
def test_signature_covers_everything(wire: str) -> None:
    """Change one character anywhere, header or document, and it no longer holds."""
    body = sealed(transfer.DEFINITION, wire)
    for before, after in (
        (b"1234500.50", b"1234500.51"),
        (b"FASTIDJA", b"FASTIDJB"),
        (b"9980000001", b"9980000002"),
        (b"CLEAR", b"CLEAS"),
        (b"678Z", b"679Z"),
    ):
        assert before in body
        received = message.read(body.replace(before, after))
        assert isinstance(received, Received)
        assert not message.is_signed_by(received, KEY.public_key()), before


def test_no_signature_is_no_signature() -> None:
    """A message without one is readable and signed by nobody."""
    tree = message.tree_of(whole(status.REQUEST, documents()[status.REQUEST]))
    received = message.read(codec.encode(tree, "json"))
    assert isinstance(received, Received)
    assert not message.is_signed_by(received, KEY.public_key())


def test_golden_json() -> None:
    """The envelope, the header and the body of a transfer by proxy, part by part."""
    read = json.loads(sealed(transfer.DEFINITION, "json"))["BusMsg"]
    head = read["AppHdr"]
    assert head["Fr"] == {"FIId": {"FinInstnId": {"Othr": {"Id": "SIHBIDJ1"}}}}
    assert head["To"] == {"FIId": {"FinInstnId": {"Othr": {"Id": "FASTIDJA"}}}}
    assert (head["BizMsgIdr"], head["MsgDefIdr"], head["BizSvc"]) == (
        NUMBER,
        "pacs.008.001.08",
        "CLEAR",
    )
    assert head["CreDt"] == "2021-12-12T03:04:05.678Z"
    body = read["Document"]["FIToFICstmrCdtTrf"]
    assert body["GrpHdr"]["NbOfTxs"] == "1"
    assert body["GrpHdr"]["SttlmInf"] == {"SttlmMtd": "CLRG"}
    (tx,) = body["CdtTrfTxInf"]
    assert tx["PmtId"]["EndToEndId"] == NUMBER
    assert tx["PmtTpInf"] == {"LclInstrm": {"Prtry": "02"}, "CtgyPurp": {"Prtry": "11099"}}
    assert tx["IntrBkSttlmAmt"] == {"Value": "1234500.50", "Ccy": "IDR"}
    assert tx["ChrgBr"] == "DEBT"
    assert tx["Dbtr"]["Id"] == {"PrvtId": {"Othr": [{"Id": "3171010101800001"}]}}
    assert tx["CdtrAcct"] == {
        "Id": {"Othr": {"Id": "9980000001"}},
        "Tp": {"Prtry": "SVGS"},
        "Prxy": {"Tp": {"Prtry": "01"}, "Id": "6281299980001"},
    }
    assert tx["SplmtryData"][0]["Envlp"]["Dtl"]["Dbtr"] == {
        "Tp": "01",
        "RsdntSts": "01",
        "TwnNm": "0300",
    }


def test_golden_xml() -> None:
    """Namespaces, attribute currency, and parts in the order the standard has them."""
    root = etree.fromstring(sealed(transfer.DEFINITION, "xml"))
    names = {
        "h": "urn:iso:std:iso:20022:tech:xsd:head.001.001.01",
        "d": "urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08",
    }
    assert root.xpath("string(h:AppHdr/h:BizMsgIdr)", namespaces=names) == NUMBER
    amount = root.xpath("//d:IntrBkSttlmAmt", namespaces=names)[0]
    assert (amount.text, amount.get("Ccy")) == ("1234500.50", "IDR")
    order = [
        etree.QName(one).localname for one in root.xpath("//d:CdtTrfTxInf/*", namespaces=names)
    ]
    assert order == [
        "PmtId",
        "PmtTpInf",
        "IntrBkSttlmAmt",
        "ChrgBr",
        "Dbtr",
        "DbtrAcct",
        "DbtrAgt",
        "CdtrAgt",
        "Cdtr",
        "CdtrAcct",
        "RmtInf",
        "SplmtryData",
    ]


def test_reports_say_what_they_were_made_of() -> None:
    """Every field of a report survives."""
    assert status.read_report(status.document_of_report(REPORT), NOW) == REPORT


def test_copies_are_marked() -> None:
    """CpyDplct travels in the header."""
    sent = whole(transfer.DEFINITION, transfer.document_of(TRANSFER), copy="DUPL")
    received = message.read(message.sealed(sent, KEY, "xml"))
    assert isinstance(received, Received)
    assert isinstance(received.message, Message)
    assert received.message.copy == "DUPL"


# ---- hostile ---------------------------------------------------------------------------------

GOOD = sealed(transfer.DEFINITION, "xml")
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, (b"&%c;" % (97 + n)) * 10) for n in range(9))
    + b"]><BusMsg>&j;</BusMsg>"
)
DEEP = b"<BusMsg>" + b"<a>" * 9_000 + b"</a>" * 9_000 + b"</BusMsg>"


def inside(payload: bytes) -> bytes:
    """The good message with this in place of the payee's name."""
    return GOOD.replace(b"SARI &amp; WULANDARI &lt;1&gt;", payload)


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        BOMB.decode().encode("utf-16"),
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x +AFs- +ADwAIQ-ENTITY a "b"+AD4AXQA+-<BusMsg/>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><BusMsg/>',
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + inside(b"&e;"),
        b'<!DOCTYPE x [<!ENTITY e "b">]>' + GOOD.replace(b'Ccy="IDR"', b'Ccy="&e;"'),
        inside(b"&undeclared;"),
        inside(b"<a><b/></a>"),
        inside(
            b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'
        ),
        DEEP,
        b"<BusMsg>" + b"<a>" * 200 + b"</a>" * 200 + b"</BusMsg>",
        GOOD.replace(b"</Document>", b"<a>" * 60 + b"</a>" * 60 + b"</Document>"),
        GOOD + b" " * BODY_BYTES_MAX,
        GOOD[:-1],
        GOOD[: len(GOOD) // 2],
        GOOD.replace(b"<Document ", b'<Document a="1" '),
        GOOD.replace(b"<ChrgBr>", b"text<ChrgBr>"),
        GOOD.replace(b'pacs.008.001.08"', b'pacs.008.001.99"'),
        GOOD.replace(b"</BusMsg>", b"<More/></BusMsg>"),
        b"<a xmlns='urn:x'/>",
        b"<",
        b"\xef\xbb\xbf<BusMsg/>",
        b"\0",
        b"[" * 60_000,
        b'{"BusMsg":' * 5_000,
        b'{"BusMsg":{"AppHdr":{},"Document":1e400}}',
        b'{"BusMsg":{"AppHdr":{"A":1},"Document":{}}}',
        b'{"BusMsg":{"AppHdr":{},"Document":{},"Third":{}}}',
        b'{"BusMsg":null}',
    ],
)
def test_hostile_bytes_are_refused_fast(body: bytes) -> None:
    """No entity is expanded, no file is opened, nothing takes long and nothing is raised."""
    began = time.perf_counter()
    found = message.read(body)
    assert isinstance(found, Unreadable)
    assert found.faults
    assert time.perf_counter() - began < 2
    assert b"root:" not in msgspec.json.encode(found)


def test_the_good_message_of_those_is_good() -> None:
    """Or the list above would prove nothing."""
    assert isinstance(message.read(GOOD), Received)
    assert isinstance(message.read(inside(b"RATNA")), Received)


def test_declared_encoding_is_not_believed() -> None:
    """Bytes are UTF-8, whatever a declaration says."""
    lying = GOOD.replace(b"encoding='UTF-8'", b"encoding='ISO-8859-1'")
    received = message.read(lying)
    assert lying != GOOD
    assert isinstance(received, Received)
    read = transfer.read(received.message.document)
    assert isinstance(read, CreditTransfer)
    assert read.note == 'uang kos "mei" é'


def test_comments_and_instructions_are_as_if_they_were_not_there() -> None:
    """They cannot split a name in two."""
    body = inside(b"RA<!-- x -->TN<?php y ?>A")
    received = message.read(body)
    assert isinstance(received, Received)
    read = transfer.read(received.message.document)
    assert isinstance(read, CreditTransfer)
    assert read.creditor.name == "RATNA"
