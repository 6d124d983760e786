"""What the field really sends is read, losslessly; what it says is judged as strictly as before."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tangguh.cli.decode.bifast import judgement
from tangguh.rails.bifast import message, proxy, status, transfer
from tangguh.rails.bifast.message import Received, Unreadable
from tangguh.rails.bifast.transfer import CreditTransfer
from unit.rails.bifast.papers import KEY, TRANSFER, sealed
from unit.rails.bifast.shapes import BARE, LOOKED_UP, REGISTERED, REJECT, SHAPES, as_json, order_of


def test_there_is_one_for_each_named_oddity() -> None:
    assert len(SHAPES) + len(BARE) >= 23


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_of_the_field_decodes(name: str) -> None:
    definition, body = SHAPES[name]
    received = message.read(body)
    assert isinstance(received, Received), received
    said = judgement(body)
    assert said["valid"], said
    assert said["message"] == definition
    if definition == transfer.DEFINITION:
        found = transfer.read(received.message.document)
        assert isinstance(found, CreditTransfer)
        assert found.amount_minor == TRANSFER.amount_minor
        assert found.end_to_end_id == TRANSFER.end_to_end_id
    elif definition == LOOKED_UP:
        answer = proxy.read_looked_up(received.message.document)
        assert (answer.account, answer.bank, answer.name) == ("9980000001", "UJIAIDJ1", "SARI")
        assert (answer.proxy, answer.registration) == ("6281299980001", "R77")
    elif definition == REGISTERED:
        assert proxy.read_registered(received.message.document).registration == "R77"
    elif definition == REJECT:
        assert status.read_reject(received.message.document).reason == "U215"


@pytest.mark.parametrize("name", BARE)
def test_a_bare_document_is_judged_on_the_command_line(name: str) -> None:
    definition, body = BARE[name]
    said = judgement(body)
    assert (said["valid"], said["message"], said["signed"]) == (True, definition, False), said


@pytest.mark.parametrize("name", BARE)
def test_a_bare_document_is_no_message_on_the_wire(name: str) -> None:
    """Nobody signed it: the door takes none."""
    assert isinstance(message.read(BARE[name][1]), Unreadable)


@pytest.mark.parametrize(
    ("written", "minor"),
    [("1234500", 123450000), ("1234500.5", 123450050), ("9007199254740993.01", None),
     ("0.07", 7), ("1e3", None), ("1234500.505", None), ("-5", None)],
)  # fmt: skip
def test_a_number_never_passes_through_a_float(written: str, minor: int | None) -> None:
    """The digits are those that were written, beyond what a double can hold too."""
    body = SHAPES["an amount as a number"][1].replace(b"1234500.5", written.encode())
    received = message.read(body)
    found: Any = received
    if isinstance(received, Received):
        found = transfer.read(received.message.document)
    if minor is None:
        assert not isinstance(found, CreditTransfer) or found.amount_minor == 900719925474099301
    else:
        assert found.amount_minor == minor


def test_an_empty_part_that_must_be_there_is_still_missed() -> None:
    def without(parts: Any) -> None:
        order_of(parts)["PmtId"]["EndToEndId"] = ""

    assert isinstance(message.read(as_json(transfer.DEFINITION, without)), Unreadable)


def test_a_part_given_twice_is_refused() -> None:
    body = as_json(transfer.DEFINITION, lambda _: None)
    twice = body.replace(b'"ChrgBr": "DEBT"', b'"ChrgBr": "DEBT", "ChrgBr": "DEBT"')
    assert twice != body
    assert isinstance(message.read(twice), Unreadable)


def test_a_look_up_that_contradicts_itself_is_refused() -> None:
    """Both spellings, and they differ: neither is believed."""
    body = SHAPES["a look-up with its proxy again"][1]
    other = body.replace(
        b'"Val": "6281299980001"}, "OrgnlRegnTp"', b'"Val": "62899"}, "OrgnlRegnTp"'
    )
    assert other != body
    assert isinstance(message.read(other), Unreadable)


@pytest.mark.parametrize("wire", ["json", "xml"])
def test_the_signature_covers_what_was_sent_not_what_was_mended(wire: str) -> None:
    body = sealed(transfer.DEFINITION, wire)
    received = message.read(body)
    assert isinstance(received, Received)
    assert message.is_signed_by(received, KEY.public_key())
    if wire == "json":
        tree = json.loads(body)
        order_of(tree["BusMsg"])["RmtInf"] = {"Ustrd": []}
        changed = message.read(json.dumps(tree).encode())
        assert isinstance(changed, Received)
        assert not message.is_signed_by(changed, KEY.public_key())


@pytest.mark.parametrize(
    ("field", "poison"), [("Nm", "SA\u202eRI"), ("Nm", "SA\u200bRI"), ("Nm", "SA\x85RI")]
)
def test_a_name_that_cannot_be_shown_is_made_fit(field: str, poison: str) -> None:
    def change(parts: Any) -> None:
        order_of(parts)["Dbtr"][field] = poison

    received = message.read(as_json(transfer.DEFINITION, change))
    assert isinstance(received, Received)
    found = transfer.read(received.message.document)
    assert isinstance(found, CreditTransfer)
    assert found.debtor.name in {"SA\ufffdRI", "SARI", "SA RI"}


@pytest.mark.parametrize("poison", ["108\u202e", "1\u200b08", "108\x00"])
def test_a_number_that_cannot_be_shown_is_refused_by_name(poison: str) -> None:
    def change(parts: Any) -> None:
        order_of(parts)["DbtrAcct"]["Id"]["Othr"]["Id"] = poison

    received = message.read(as_json(transfer.DEFINITION, change))
    assert isinstance(received, Unreadable)
    assert any("DbtrAcct.Id.Othr.Id" in fault.path for fault in received.faults)
