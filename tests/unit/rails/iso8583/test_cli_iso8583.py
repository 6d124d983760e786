"""``tangguh iso8583 decode``: what people paste, what they see, how it exits."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.cli.decode.iso8583 import app, judgement
from tangguh.rails.iso8583.fields import Dialect
from tangguh.rails.iso8583.framing.frames import framed
from tangguh.rails.iso8583.message import decode, encode
from unit.rails.iso8583.test_iso8583_golden import GOLDEN, golden

FORMS = {
    "ascii": lambda name: golden(name),
    "hex": lambda name: golden(name).hex().encode(),
    "ascii with length": lambda name: framed(golden(name)),
    "hex with length": lambda name: framed(golden(name)).hex().encode(),
    "length in hex": lambda name: GOLDEN[name][0].encode() + b" " + golden(name),
}


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("form", FORMS)
def test_any_form_is_understood(name: str, form: str) -> None:
    verdict = judgement(FORMS[form](name))
    assert verdict["valid"], verdict
    assert verdict["mti"] == GOLDEN[name][1][:4]


def test_secrets_are_masked_unless_asked_for() -> None:
    assert judgement(golden("G3"))["fields"]["2"] == "936001*********0183"
    assert judgement(golden("G3"))["fields"]["52"] == "*" * 16
    clear = judgement(golden("G3"), clear=True)["fields"]
    assert clear["2"] == "9360011130000000183"
    assert clear["52"] == "98350FB9BEC93643"


def test_a_cut_message_shows_what_it_holds_and_why_not_more() -> None:
    verdict = judgement(golden("G3")[:80])
    assert not verdict["valid"]
    assert verdict["mti"] == "0200"
    assert verdict["fields"]["2"] == "936001*********0183"
    assert verdict["errors"][0]["rule"] == "layout"


def test_a_message_without_what_it_needs_is_not_valid() -> None:
    message = decode(golden("G3"))
    raw = encode(message.with_fields({37: ""}))  # type: ignore[union-attr]
    assert isinstance(raw, bytes)
    verdict = judgement(raw)
    assert [one["field"] for one in verdict["errors"]] == ["37"]


def test_other_dialects_are_read_when_named() -> None:
    dialect = Dialect(text="cp500", bitmap="binary")
    message = decode(golden("G6"))
    raw = encode(message, dialect)  # type: ignore[arg-type]
    assert isinstance(raw, bytes)
    assert judgement(raw.hex().encode(), dialect)["valid"]
    assert not judgement(raw.hex().encode())["valid"]


@given(st.binary(max_size=300))
def test_anything_gets_a_judgement_in_ascii(line: bytes) -> None:
    verdict = judgement(line)
    assert json.dumps(verdict).isascii()
    assert verdict["valid"] or verdict["errors"]


def run(tokens: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        app(tokens)
    return int(ended.value.code or 0)


def test_one_message_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decode", golden("G1").decode()]) == 0
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert printed["fields"] == {"7": "0329040000", "11": "000001", "33": "111", "70": "001"}


def test_many_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = b"\n".join((golden("G1"), b"rubbish", golden("G3").hex().encode(), b"0" * 20_000))

    class Standard:
        buffer = io.BytesIO(lines + b"\n")

    monkeypatch.setattr("sys.stdin", Standard())
    assert run(["decode", "-"]) == 1
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["valid"] for one in printed] == [True, False, True, False]


def test_clear_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decode", golden("G3").decode(), "--clear"]) == 0
    assert "9360011130000000183" in capsys.readouterr().out
    assert run(["decode", golden("G3").decode()]) == 0
    assert "9360011130000000183" not in capsys.readouterr().out
