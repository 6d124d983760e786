"""Every fault names its path and its rule."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tangguh.core.errors import Misconfigured
from tangguh.rails.bifast import message, proxy, status, transfer
from tangguh.rails.bifast.grammar import codec, proprietary, standard
from tangguh.rails.bifast.grammar.schema import FAULTS_MAX, Group, Leaf, check
from tangguh.rails.bifast.message import Unreadable
from tangguh.rails.bifast.transfer import CreditTransfer
from unit.rails.bifast.papers import NOW, REPORT, TRANSFER, documents, whole

TX = ("FIToFICstmrCdtTrf", "CdtTrfTxInf", 0)
DELETE = object()


def changed(definition: str, path: tuple[str | int, ...], value: Any) -> Any:
    """The document with one part replaced, or taken away."""
    document = copy.deepcopy(documents()[definition])
    node: Any = document
    for step in path[:-1]:
        node = node[step]
    if value is DELETE:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return document


def faults_of(definition: str, path: tuple[str | int, ...], value: Any) -> list[tuple[str, str]]:
    """Path and rule of each fault of the changed document."""
    schema = codec.schema_for(definition)
    assert schema is not None
    return [
        (fault.path, fault.rule)
        for fault in check(schema, changed(definition, path, value), "Document")
    ]


@pytest.mark.parametrize(
    ("path", "value", "at", "rule"),
    [
        ((*TX, "PmtId", "EndToEndId"), DELETE, "CdtTrfTxInf[0].PmtId.EndToEndId", "required"),
        ((*TX, "PmtId", "EndToEndId"), "X" * 36, "CdtTrfTxInf[0].PmtId.EndToEndId", "length"),
        ((*TX, "PmtId", "EndToEndId"), "", "CdtTrfTxInf[0].PmtId.EndToEndId", "length"),
        ((*TX, "PmtId", "EndToEndId"), {"A": "B"}, "CdtTrfTxInf[0].PmtId.EndToEndId", "form"),
        ((*TX, "PmtId", "EndToEndId"), ["A"], "CdtTrfTxInf[0].PmtId.EndToEndId", "repeats"),
        ((*TX, "IntrBkSttlmAmt", "Ccy"), "idr", "CdtTrfTxInf[0].IntrBkSttlmAmt.Ccy", "pattern"),
        ((*TX, "IntrBkSttlmAmt", "Ccy"), DELETE, "CdtTrfTxInf[0].IntrBkSttlmAmt.Ccy", "required"),
        (
            (*TX, "IntrBkSttlmAmt", "Value"),
            "1.123456",
            "CdtTrfTxInf[0].IntrBkSttlmAmt.Value",
            "digits",
        ),
        (
            (*TX, "IntrBkSttlmAmt", "Value"),
            "1" * 19,
            "CdtTrfTxInf[0].IntrBkSttlmAmt.Value",
            "digits",
        ),
        ((*TX, "IntrBkSttlmAmt", "Value"), "-1.00", "CdtTrfTxInf[0].IntrBkSttlmAmt.Value", "range"),
        ((*TX, "IntrBkSttlmAmt", "Value"), "1e3", "CdtTrfTxInf[0].IntrBkSttlmAmt.Value", "form"),
        ((*TX, "IntrBkSttlmAmt", "Value"), "NaN", "CdtTrfTxInf[0].IntrBkSttlmAmt.Value", "form"),
        ((*TX, "IntrBkSttlmAmt"), "1.00", "CdtTrfTxInf[0].IntrBkSttlmAmt", "form"),
        ((*TX, "ChrgBr"), "FREE", "CdtTrfTxInf[0].ChrgBr", "enumeration"),
        ((*TX, "Surprise"), "1", "CdtTrfTxInf[0].Surprise", "unknown"),
        ((*TX, "Dbtr"), DELETE, "CdtTrfTxInf[0].Dbtr", "required"),
        ((*TX, "Dbtr", "Nm"), "N" * 141, "CdtTrfTxInf[0].Dbtr.Nm", "length"),
        ((*TX, "Dbtr", "Nm"), "a\x00b", "CdtTrfTxInf[0].Dbtr.Nm", "character"),
        ((*TX, "CdtrAcct", "Id"), {}, "CdtTrfTxInf[0].CdtrAcct.Id", "choice"),
        ((*TX, "CdtrAcct", "Id", "IBAN"), "ID00A", "CdtTrfTxInf[0].CdtrAcct.Id", "choice"),
        ((*TX, "SplmtryData"), {}, "CdtTrfTxInf[0].SplmtryData", "repeats"),
        (("FIToFICstmrCdtTrf", "CdtTrfTxInf"), [], "CdtTrfTxInf", "required"),
        (("FIToFICstmrCdtTrf", "GrpHdr", "CreDtTm"), "yesterday", "GrpHdr.CreDtTm", "form"),
        (
            ("FIToFICstmrCdtTrf", "GrpHdr", "CreDtTm"),
            "2025-02-30T00:00:00",
            "GrpHdr.CreDtTm",
            "form",
        ),
        (("FIToFICstmrCdtTrf", "GrpHdr", "NbOfTxs"), "one", "GrpHdr.NbOfTxs", "pattern"),
        (
            ("FIToFICstmrCdtTrf", "GrpHdr", "SttlmInf", "SttlmMtd"),
            "CASH",
            "GrpHdr.SttlmInf.SttlmMtd",
            "enumeration",
        ),
    ],
)
def test_standard_faults(path: tuple[str | int, ...], value: Any, at: str, rule: str) -> None:
    """What ISO 20022 asks of a pacs.008."""
    assert (f"Document.FIToFICstmrCdtTrf.{at}", rule) in faults_of(transfer.DEFINITION, path, value)


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        (("Regn", "RegnTp"), "GONE", "enumeration"),
        (("Regn", "Prxy", "Tp"), "09", "enumeration"),
        (("Regn", "Prxy", "Val"), DELETE, "required"),
        (("Regn", "PrxyRegn", "Acct", "Tp", "Prtry"), "GOLD", "enumeration"),
        (("Regn", "PrxyRegn", "Agt", "FinInstnId", "Othr", "Id"), "bank", "pattern"),
        (("GrpHdr", "MsgId"), "", "length"),
        (("Extra",), "1", "unknown"),
    ],
)
def test_faults_of_the_schemes_own_messages(path: tuple[str, ...], value: Any, rule: str) -> None:
    """What BI-FAST's own proxy messages ask."""
    where = ".".join(("Document", "PrxyRegn", *path))
    assert (where, rule) in faults_of(proxy.REGISTRATION, ("PrxyRegn", *path), value)


@pytest.mark.parametrize(
    ("path", "value", "at", "rule"),
    [
        ((*TX, "IntrBkSttlmAmt", "Ccy"), "USD", "IntrBkSttlmAmt", "digits"),
        ((*TX, "IntrBkSttlmAmt", "Value"), "10.5", "IntrBkSttlmAmt", "digits"),
        ((*TX, "IntrBkSttlmAmt", "Value"), "10", "IntrBkSttlmAmt", "digits"),
        ((*TX, "ChrgBr"), "SHAR", "ChrgBr", "enumeration"),
        ((*TX, "PmtTpInf", "CtgyPurp", "Prtry"), "99999", "PmtTpInf.CtgyPurp.Prtry", "pattern"),
        ((*TX, "PmtTpInf", "LclInstrm"), DELETE, "PmtTpInf.LclInstrm.Prtry", "required"),
        ((*TX, "PmtId", "TxId"), DELETE, "PmtId.TxId", "required"),
        ((*TX, "CdtrAgt", "FinInstnId"), {}, "CdtrAgt.FinInstnId.Othr.Id", "required"),
        ((*TX, "CdtrAcct"), DELETE, "CdtrAcct.Id.Othr.Id", "required"),
        (
            (*TX, "SplmtryData", 0, "Envlp", "Dtl", "Dbtr", "Tp"),
            "77",
            "SplmtryData[0].Envlp.Dtl.Dbtr.Tp",
            "enumeration",
        ),
        (
            (*TX, "SplmtryData", 0, "Envlp", "Dtl", "Else"),
            "1",
            "SplmtryData[0].Envlp.Dtl.Else",
            "unknown",
        ),
        (
            (*TX, "PmtTpInf", "CtgyPurp", "Prtry"),
            "01199",
            "SplmtryData[0].Envlp.Dtl.RltdEndToEndId",
            "required",
        ),
    ],
)
def test_faults_of_bifast_itself(
    path: tuple[str | int, ...], value: Any, at: str, rule: str
) -> None:
    """What the scheme asks beyond the standard: valid there, refused here."""
    assert faults_of(transfer.DEFINITION, path, value) == []
    found = transfer.read(changed(transfer.DEFINITION, path, value))
    assert isinstance(found, tuple)
    assert (f"Document.FIToFICstmrCdtTrf.CdtTrfTxInf[0].{at}", rule) in [
        (fault.path, fault.rule) for fault in found
    ]


def test_two_transactions_are_one_too_many() -> None:
    """One message, one transfer."""
    document = copy.deepcopy(documents()[transfer.DEFINITION])
    document["FIToFICstmrCdtTrf"]["CdtTrfTxInf"] *= 2
    assert isinstance(transfer.read(document), tuple)


def test_a_report_speaks_of_one_transfer_by_its_id() -> None:
    """Without one it is no answer."""
    for path in (
        ("FIToFIPmtStsRpt", "TxInfAndSts", 0, "OrgnlEndToEndId"),
        ("FIToFIPmtStsRpt", "TxInfAndSts", 0, "TxSts"),
        ("FIToFIPmtStsRpt", "TxInfAndSts"),
    ):
        assert isinstance(status.read_report(changed(status.REPORT, path, DELETE), NOW), tuple)
    path = ("FIToFIPmtStsRpt", "TxInfAndSts", 0, "OrgnlTxRef", "IntrBkSttlmAmt", "Value")
    assert isinstance(status.read_report(changed(status.REPORT, path, "12.345"), NOW), tuple)
    assert isinstance(
        status.read_request(changed(status.REQUEST, ("FIToFIPmtStsReq", "TxInf"), DELETE), NOW),
        tuple,
    )


def test_header_faults() -> None:
    """The header is judged like the document, and all faults come at once."""
    tree = message.tree_of(whole(status.REPORT, status.document_of_report(REPORT)))
    head = tree["AppHdr"]
    del head["BizMsgIdr"]
    head["CreDt"] = "2021-12-12"
    head["CpyDplct"] = "TWICE"
    head["Fr"] = {"FIId": {"FinInstnId": {}}}
    found = message.read(codec.encode(tree, "json"))
    assert isinstance(found, Unreadable)
    assert {(fault.path, fault.rule) for fault in found.faults} >= {
        ("AppHdr.BizMsgIdr", "required"),
        ("AppHdr.CreDt", "pattern"),
        ("AppHdr.CreDt", "form"),
        ("AppHdr.CpyDplct", "enumeration"),
        ("AppHdr.Fr.FIId.FinInstnId.Othr.Id", "required"),
    }


@pytest.mark.parametrize(
    "definition",
    ["pacs.009.001.09", "pain.001.001.09", "head.001.001.01", "", "supplementary", "../../etc"],
)
def test_other_messages_are_none_of_ours(definition: str) -> None:
    """A definition we do not use is refused by name."""
    assert codec.schema_for(definition) is None
    tree = message.tree_of(whole(definition, {}))
    found = message.read(codec.encode(tree, "json"))
    assert isinstance(found, Unreadable)
    assert "AppHdr.MsgDefIdr" in {fault.path for fault in found.faults}


def test_a_flood_of_faults_is_cut() -> None:
    """Nobody reads a million."""
    schema = codec.schema_for(transfer.DEFINITION)
    assert schema is not None
    assert len(check(schema, {f"x{n}": "1" for n in range(10_000)}, "Document")) == FAULTS_MAX


def test_too_deep() -> None:
    """Depth has an end, in the open part too."""
    node: Any = "x"
    for _ in range(40):
        node = {"A": node}
    found = faults_of(transfer.DEFINITION, (*TX, "SplmtryData", 0, "Envlp"), node)
    assert "depth" in {rule for _, rule in found}


def test_schema_knows_what_the_standard_says() -> None:
    """Spot checks against the published message definitions."""
    schema = standard.schema_of(transfer.DEFINITION)
    amount = schema.shape("ActiveCurrencyAndAmount")
    assert isinstance(amount, Group)
    assert amount.parts["Ccy"].role == "attribute"
    value = schema.shape(amount.parts["Value"].kind)
    assert isinstance(value, Leaf)
    assert (value.form, value.digits_max, value.fraction_max) == ("decimal", 18, 5)
    party = schema.shape("Party38Choice")
    assert isinstance(party, Group)
    assert party.choice
    for definition in standard.STANDARD:
        assert standard.schema_of(definition).namespace.endswith(definition)


def test_unknown_schema_is_a_mistake_of_ours() -> None:
    """Misconfigured, at once."""
    for read in (standard.schema_of, proprietary.schema_of):
        with pytest.raises(Misconfigured):
            read("pacs.999.001.01")


@pytest.mark.parametrize(
    ("proxy_type", "value", "right"),
    [
        ("01", "6281299980001", True),
        ("01", "081299980001", False),
        ("01", "+6281299980001", False),
        ("02", "a@b.id", True),
        ("02", "a b@c.id", False),
        ("03", "IPT-1", True),
        ("09", "6281299980001", False),
        ("", "", False),
    ],
)
def test_forms_of_proxies(proxy_type: str, value: str, right: bool) -> None:
    """62 and digits, an address, an id."""
    assert proxy.is_proxy(proxy_type, value) is right


def test_names_of_people_become_plain() -> None:
    """One line, no control characters, cut where the standard cuts."""
    assert transfer.plain("  A\r\nB\x00C  ", 140) == "A B C"
    assert len(transfer.plain("x" * 500, 140)) == 140
    long = CreditTransfer(
        **{
            **{name: getattr(TRANSFER, name) for name in TRANSFER.__struct_fields__},
            "note": "y\n" * 300,
        }
    )
    schema = standard.schema_of(transfer.DEFINITION)
    assert check(schema, transfer.document_of(long), "Document") == ()
