"""``tangguh bifast decode``: what it prints and how it exits."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tangguh.cli.decode.bifast import app
from tangguh.rails.bifast import proxy, session, status, transfer
from tangguh.rails.bifast.grammar.codec import BODY_BYTES_MAX
from unit.rails.bifast.papers import NUMBER, documents, sealed


class Run:
    """One run of the command: what it printed and its exit code."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> None:
        with pytest.raises(SystemExit) as stopped:
            app(["decode", *arguments])
        self.exit_code = stopped.value.code
        printed = capsys.readouterr()
        self.output, self.trouble = printed.out, printed.err

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.splitlines()]


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Put bytes on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.mark.parametrize("wire", ["json", "xml"])
def test_a_transfer_from_a_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, wire: str
) -> None:
    """Every key of the contract, and the facts."""
    (tmp_path / "m").write_bytes(sealed(transfer.DEFINITION, wire))
    run = Run(capsys, str(tmp_path / "m"))
    assert run.exit_code == 0
    [document] = run.documents
    facts = document.pop("facts")
    assert document == {
        "valid": True,
        "message": "pacs.008.001.08",
        "end_to_end_id": NUMBER,
        "amount_minor": 1_234_500_50,
        "errors": [],
        "form": wire,
        "business_number": NUMBER,
        "from": "SIHBIDJ1",
        "to": "FASTIDJA",
        "service": "CLEAR",
        "copy": "",
        "created_at": "2021-12-12T03:04:05.678Z",
        "signed": True,
    }
    assert (facts["kind"], facts["amount"]) == ("110", "1234500.50")
    assert facts["creditor"]["name"] == "SARI & WULANDARI <1>"


def test_a_report_says_what_it_means(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the bank would make of it."""
    feed(monkeypatch, sealed(status.REPORT, "xml"))
    [document] = Run(capsys, "-").documents
    assert document["facts"]["meaning"] == "accepted"
    assert document["end_to_end_id"] == NUMBER


@pytest.mark.parametrize("definition", sorted(documents()))
def test_every_message_can_be_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, definition: str
) -> None:
    """Standard or not."""
    feed(monkeypatch, sealed(definition, "json"))
    run = Run(capsys)
    assert run.exit_code == 0
    [document] = run.documents
    assert (document["valid"], document["message"]) == (True, definition)
    assert document["facts"]


def test_one_message_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blank lines are skipped, a bad one among good ones is seen and shown."""
    lines = [
        sealed(definition, "json")
        for definition in (transfer.DEFINITION, proxy.LOOK_UP, session.ASK)
    ]
    feed(monkeypatch, b"\n".join([lines[0], b"", b"{}", lines[1], lines[2], b""]))
    run = Run(capsys)
    assert run.exit_code == 1
    assert [one["valid"] for one in run.documents] == [True, False, True, True]


def test_json_over_many_lines_is_one_message(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a person writes it."""
    feed(
        monkeypatch, json.dumps(json.loads(sealed(transfer.DEFINITION, "json")), indent=2).encode()
    )
    run = Run(capsys)
    assert run.exit_code == 0
    assert len(run.documents) == 1


def test_invalid_says_where_and_why(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Path and rule; exit 1."""
    feed(monkeypatch, sealed(transfer.DEFINITION, "xml").replace(b'Ccy="IDR"', b'Ccy="idr"'))
    run = Run(capsys)
    assert run.exit_code == 1
    [document] = run.documents
    assert document["message"] == "pacs.008.001.08"
    assert document["errors"][0]["path"].endswith("CdtTrfTxInf[0].IntrBkSttlmAmt.Ccy")
    assert document["errors"][0]["rule"] == "pattern"


def test_bifasts_own_rules_count(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Valid by the standard is not enough."""
    feed(monkeypatch, sealed(transfer.DEFINITION, "xml").replace(b"DEBT", b"SHAR"))
    run = Run(capsys)
    assert run.exit_code == 1
    assert [
        (one["rule"], one["path"].rpartition(".")[2]) for one in run.documents[0]["errors"]
    ] == [("enumeration", "ChrgBr")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"\xff\xfe",
        b"<BusMsg/>",
        b"{" * 10_000,
        b"x" * (BODY_BYTES_MAX * 3),
        b"1" * (BODY_BYTES_MAX * 3),
    ],
)
def test_rubbish_is_one_invalid_message(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    """Whatever it is, and however long."""
    feed(monkeypatch, data)
    run = Run(capsys)
    assert run.exit_code == 1
    assert [one["valid"] for one in run.documents] == [False]


def test_no_such_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, and nothing on standard output."""
    run = Run(capsys, "/nowhere/at/all")
    assert run.exit_code == 2
    assert run.output == ""
    assert "cannot be read" in run.trouble


def test_output_is_ascii(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing a message holds can steer a terminal."""
    feed(
        monkeypatch,
        sealed(transfer.DEFINITION, "json").replace(b"uang kos", "\\u001b[2Jé漢".encode()),
    )
    assert Run(capsys).output.isascii()
