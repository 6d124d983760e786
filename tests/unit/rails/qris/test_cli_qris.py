"""``tangguh qris parse``: what it prints and how it exits."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest

from tangguh.cli.decode.qris import app, judgement
from unit.rails.qris.payloads import (
    CPM_MALFORMED,
    CPM_VALID,
    DYNAMIC_FIELDS,
    MALFORMED,
    VALID,
    changed,
)

S2 = VALID["S2"].payload


class Run:
    """One run of the command: what it printed and its exit code."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> None:
        with pytest.raises(SystemExit) as stopped:
            app(["parse", *arguments])
        self.exit_code = stopped.value.code
        self.output = capsys.readouterr().out

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.splitlines()]


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Put bytes on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_one_valid_code_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    """Every key of the contract, fields by name, amounts both ways, exit 0."""
    run = Run(capsys, "--json", S2)
    assert run.exit_code == 0
    [document] = run.documents
    fields = document.pop("fields")
    assert document == {"valid": True, "kind": "dynamic", "errors": [], "warnings": []}
    assert (fields["amount_minor"], fields["amount"]) == (2_500_000, "25000.00")
    assert (fields["merchant_name"], fields["acquirer"]) == ("WARUNG UJI JAKARTA", "Bank DKI")
    assert fields["nmid"] == "ID1025000000012"
    assert fields["additional"] == {"bill_number": "INV0001", "terminal_label": "A01"}


def test_an_invalid_code_says_why_and_exits_1(capsys: pytest.CaptureFixture[str]) -> None:
    """Errors carry code, field and detail; the fields are still shown."""
    run = Run(capsys, MALFORMED["B6"].payload, "--json")
    [document] = run.documents
    assert (run.exit_code, document["valid"]) == (1, False)
    assert document["errors"] == [
        {
            "code": "field_59_too_long",
            "field": "59",
            "detail": "Field 59 has 26 characters; it may have 25.",
        }
    ]
    assert [warning["code"] for warning in document["warnings"]] == ["repository_51_missing"]
    assert document["fields"]["merchant_name"] == "AHASS Hayati Sungai Rumbai"


def test_each_line_of_input_is_one_document(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines are judged apart; the newline of any system is not part of a code, a space is."""
    s1 = VALID["S1"].payload.encode()
    lines = [s1, s1 + b"\r", s1 + b" ", b"", b"\xff\xfe", CPM_VALID["GoPay"].encode()]
    feed(monkeypatch, b"\n".join(lines))
    run = Run(capsys, "--json", "-")
    assert run.exit_code == 1
    assert [document["valid"] for document in run.documents] == [
        True,
        True,
        False,
        False,
        False,
        True,
    ]
    assert [document["kind"] for document in run.documents][-1] == "cpm"
    assert run.documents[3]["errors"][0]["code"] == "payload_empty"
    assert run.documents[4]["errors"][0]["code"] == "payload_not_text"


def test_all_valid_lines_exit_0(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listed valid codes, one per line, with a newline at the end; - is the default."""
    feed(monkeypatch, "".join(f"{vector.payload}\n" for vector in VALID.values()).encode())
    run = Run(capsys, "--json")
    assert (run.exit_code, len(run.documents)) == (0, len(VALID))


def test_nothing_at_all_is_not_valid(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty input must not pass for a good one."""
    feed(monkeypatch, b"")
    run = Run(capsys, "--json")
    assert (run.exit_code, len(run.documents)) == (1, 1)


def test_an_endless_line_is_refused_and_the_next_one_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Megabytes without a newline are one refusal, whatever their length."""
    for size in (4_095, 4_096, 8_192, 3_000_000):
        feed(monkeypatch, b"9" * size + b"\n" + S2.encode())
        run = Run(capsys, "--json")
        assert [document["valid"] for document in run.documents] == [False, True]
        assert run.documents[0]["errors"][0]["code"] == "payload_too_long"


@pytest.mark.parametrize("payload", ["--help-me", "-x", "", "\udcff\udcfe", "\x1b[2J"])
def test_odd_arguments_are_judged_like_any(
    payload: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What looks like an option or cannot be decoded is a bad code, not a crash."""
    run = Run(capsys, "--json", payload)
    assert (run.exit_code, run.documents[0]["valid"]) == (1, False)


def test_a_person_reads_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Verdict first, then what is wrong, then what the code says."""
    run = Run(capsys, VALID["V1"].payload)
    assert run.output.startswith("VALID  dynamic\n")
    assert "merchant_name                      Tims Donuts" in run.output
    assert "tip.percent                        0.70" in run.output
    assert "total                              503500.00" in run.output
    run = Run(capsys, MALFORMED["M8"].payload)
    assert run.output.startswith("NOT VALID  static\n")
    assert "error    crc_lower_case: " in run.output


def test_a_code_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences and letters beyond ASCII are shown, not sent."""
    hostile = changed(DYNAMIC_FIELDS, {"59": "A\x1b[2JB\u202eé"})
    for arguments in ([hostile], [hostile, "--json"]):
        output = Run(capsys, *arguments).output
        assert output.isascii()
        assert "\x1b" not in output


@pytest.mark.parametrize("name", ["V3", "V7", "V8", "V12", "V4"])
def test_fields_of_every_kind_have_names(name: str) -> None:
    """Nothing empty is listed, and everything can be written as JSON."""
    fields = judgement(VALID[name].payload)["fields"]
    assert json.loads(json.dumps(fields)) == fields
    assert not any(value in ("", None, {}, []) for value in fields.values())


def test_what_only_some_codes_have() -> None:
    """Prompts, tips, beneficiaries and unnamed fields appear where there are any."""
    assert judgement(VALID["V3"].payload)["fields"]["tip"] == {"kind": "prompt"}
    assert "total" not in judgement(VALID["V3"].payload)["fields"]
    assert judgement(VALID["V7"].payload)["fields"]["prompts"] == ["bill_number"]
    fixed = judgement(VALID["V8"].payload)["fields"]
    assert fixed["tip"] == {"kind": "fixed", "fixed_minor": 50_000, "fixed": "500.00"}
    assert (fixed["total_minor"], fixed["total"]) == (150_000, "1500.00")
    transfer = judgement(VALID["V12"].payload)["fields"]["transfer"]
    assert transfer["customer_pan"] == "9360082230002001355"
    assert judgement(VALID["V4"].payload)["fields"]["additional"]["unnamed"]["98"]


def test_a_customers_code() -> None:
    """The token and whose customer it is; a broken one has no fields to show."""
    verdict = judgement(CPM_VALID["Bank DKI"])
    assert (verdict["valid"], verdict["kind"]) == (True, "cpm")
    assert verdict["fields"]["token"] == "2503290001JKTTOKEN00000001"
    assert (verdict["fields"]["issuer"], verdict["fields"]["holder_name"]) == ("Bank DKI", "BUDI")
    broken = judgement(CPM_MALFORMED["only the format"][0])
    assert (broken["valid"], broken["fields"]) == (False, {})
