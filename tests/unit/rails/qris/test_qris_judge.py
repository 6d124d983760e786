"""The rules: every listed code is judged as listed, and every rule has a code that breaks it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tangguh.rails.qris import judge
from tangguh.rails.qris.codec import parse
from tangguh.rails.qris.message import Reading
from unit.rails.qris.payloads import (
    DYNAMIC_FIELDS,
    MALFORMED,
    STATIC_FIELDS,
    TRANSFER_FIELDS,
    VALID,
    Malformed,
    Valid,
    changed,
    template,
    write,
)

RULE_MODULES = ("judge", "payee", "page", "cpm")
ACCOUNT = {
    "00": "ID.CO.BANKDKI.WWW",
    "01": "936001113000000018",
    "02": "000300000001",
    "03": "UMI",
}
REPOSITORY = {"00": "ID.CO.QRIS.WWW", "02": "ID1025000000012", "03": "UMI"}
BENEFICIARY = {"00": "ID.CO.ASTRAPAY.WWW", "01": "9360082230002001355", "02": "200135"}
UNIQUE = {"00": "00", "01": "TG0H0C8UCRIWF0NZAC12QWXC"}


def codes(reading: Reading) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Only the codes of what was found."""
    return (
        tuple(finding.code for finding in reading.errors),
        tuple(finding.code for finding in reading.warnings),
    )


@pytest.mark.parametrize("vector", VALID.values(), ids=VALID)
def test_listed_valid_codes_are_accepted(vector: Valid) -> None:
    """Codes from the street are payable, with a warning where they depart from the book."""
    reading = parse(vector.payload)
    assert (str(reading.kind), *codes(reading)) == (vector.kind, (), vector.warnings)
    assert reading.code is not None


@pytest.mark.parametrize("vector", MALFORMED.values(), ids=MALFORMED)
def test_listed_malformed_codes_are_refused_for_the_listed_reason(vector: Malformed) -> None:
    """A refused code says why, and there is nothing to pay."""
    reading = parse(vector.payload)
    assert (str(reading.kind), codes(reading)[0]) == (vector.kind, vector.errors)
    assert reading.code is None


def test_findings_name_the_field_and_speak_english() -> None:
    """Each finding is a code, a field and a sentence."""
    for vector in MALFORMED.values():
        for finding in parse(vector.payload).errors:
            assert finding.field
            assert finding.detail.endswith(".")
            assert finding.detail.isascii()


def test_the_readme_names_every_code_of_the_rules() -> None:
    """A code that leaves the house is written down; those of one field stand for all fields."""
    sources = Path(judge.__file__).parent
    readme = (sources / "README.md").read_text("utf-8")
    text = "".join((sources / f"{name}.py").read_text("utf-8") for name in RULE_MODULES)
    named = re.findall(r'(?:refuse|warn|Finding)\(\s*"([a-z_0-9]+)"', text)
    assert len(set(named)) > 30
    assert [code for code in named if f"`{code}`" not in readme] == []


_STATIC_BREAKS = [
    ({"01": "13"}, ("initiation_unknown",)),
    ({"00": "02"}, ("format_indicator_unknown",)),
    ({"00": None}, ("format_indicator_missing",)),
    ({"52": None}, ("field_52_missing",)),
    ({"52": "58A2"}, ("mcc_malformed",)),
    ({"52": "٥٨١٢"}, ("field_52_not_ascii", "mcc_malformed")),
    ({"53": None}, ("field_53_missing",)),
    ({"53": "IDR"}, ("currency_malformed",)),
    ({"58": None}, ("field_58_missing",)),
    ({"58": "id"}, ("country_malformed",)),
    ({"58": "||"}, ("country_malformed", "field_58_has_bar")),
    ({"59": None}, ("field_59_missing",)),
    ({"59": ""}, ("field_59_empty",)),
    ({"59": "A|B"}, ("field_59_has_bar",)),
    ({"59": "WARUNG \x1b[2J"}, ("control_character",)),
    ({"59": "WARUNG \u202egnuraw"}, ("control_character",)),
    ({"59": "X" * 26}, ("field_59_too_long",)),
    ({"60": None}, ("field_60_missing",)),
    ({"60": "X" * 16}, ("field_60_too_long",)),
    ({"61": "12345678901"}, ("field_61_too_long",)),
    ({"26": None, "51": None}, ("merchant_account_missing",)),
    ({"26": "nothing like fields"}, ("template_26_broken",)),
    ({"26": template(ACCOUNT) + "0203abc"}, ("duplicate_26_02",)),
    ({"26": template({**ACCOUNT, "02": ""})}, ("field_26_02_empty",)),
    ({"26": template({**ACCOUNT, "01": "93600111"[:7]})}, ("pan_malformed",)),
    ({"26": template({**ACCOUNT, "01": "9360011130000000A8"})}, ("pan_malformed",)),
    ({"26": template({**ACCOUNT, "01": "9" * 20})}, ("field_26_01_too_long",)),
    ({"26": template({**ACCOUNT, "00": "X" * 33})}, ("field_26_00_too_long",)),
    ({"26": template({**ACCOUNT, "02": "X" * 16})}, ("field_26_02_too_long",)),
    ({"26": template({**ACCOUNT, "03": "UM"})}, ("criteria_malformed",)),
    (
        {"26": template({"05": "x"})},
        tuple(f"field_26_{field}_missing" for field in ("00", "01", "02", "03")),
    ),
    ({"51": template({"00": "ID.CO.QRIS.WWW"})}, ("field_51_02_missing",)),
    ({"51": template({"02": "ID1025000000012"})}, ("field_51_00_missing",)),
    ({"51": template(REPOSITORY | {"00": "X" * 33})}, ("field_51_00_too_long",)),
    ({"51": template(REPOSITORY | {"02": "X" * 16})}, ("field_51_02_too_long",)),
    ({"51": template(REPOSITORY | {"03": "X"})}, ("criteria_malformed",)),
    ({"62": "0703A0"}, ("template_62_broken",)),
    ({"62": template({"07": "X" * 26})}, ("field_62_07_too_long",)),
    ({"62": template({"09": "MM"})}, ("consumer_data_malformed",)),
    ({"62": template({"09": "AX"})}, ("consumer_data_malformed",)),
    ({"62": template({"99": "X" * 92})}, ("field_62_99_too_long",)),
    ({"62": template({"99": template({"00": "X" * 33, "01": "x"})})}, ("field_62_99_00_too_long",)),
    ({"64": "00"}, ("template_64_broken",)),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "errors"), _STATIC_BREAKS)
def test_a_static_code_broken_in_one_thing(
    changes: dict[str, str | None], errors: tuple[str, ...]
) -> None:
    """One change, and exactly the rule it breaks."""
    assert codes(parse(changed(STATIC_FIELDS, changes)))[0] == errors


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"54": "1000,00"}, ("amount_malformed",)),
        ({"54": "1 000"}, ("amount_malformed",)),
        ({"54": "1.000.00"}, ("amount_malformed",)),
        ({"54": "1.000"}, ("amount_malformed",)),
        ({"54": "-1000"}, ("amount_malformed",)),
        ({"54": "+1000"}, ("amount_malformed",)),
        ({"54": "1e6"}, ("amount_malformed",)),
        ({"54": ".50"}, ("amount_malformed",)),
        ({"54": "0.00"}, ("amount_not_positive",)),
        ({"54": "00000000001000"}, ("field_54_too_long",)),
        ({"54": ""}, ("field_54_empty",)),
        ({"55": "04"}, ("tip_indicator_unknown",)),
        ({"55": "03"}, ("tip_percent_missing_57",)),
        ({"56": "500"}, ("tip_fixed_not_asked",)),
        ({"55": "01", "57": "5"}, ("tip_percent_not_asked",)),
        ({"55": "02", "56": "0"}, ("tip_fixed_not_positive",)),
        ({"55": "02", "56": "5x"}, ("tip_fixed_malformed",)),
        ({"55": "02", "56": "00000000000500"}, ("field_56_too_long",)),
        ({"55": "03", "57": "0.00"}, ("tip_percent_not_positive",)),
        ({"55": "03", "57": "100"}, ("tip_percent_too_large",)),
        ({"55": "03", "57": "5%"}, ("tip_percent_malformed",)),
        ({"55": "03", "57": "001.00"}, ("field_57_too_long",)),
    ],
)
def test_a_dynamic_code_with_wrong_money(
    changes: dict[str, str | None], errors: tuple[str, ...]
) -> None:
    """Amounts and tips are plain decimals above zero, and a tip is there when it is asked for."""
    payload = changed(DYNAMIC_FIELDS, changes)
    assert codes(parse(payload))[0] == errors


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"01": "11"}, ("transfer_not_dynamic",)),
        ({"01": None}, ("transfer_not_dynamic",)),
        ({"52": "5812"}, ("transfer_mcc_not_4829",)),
        ({"62": None}, ("transfer_purpose_unknown", "transfer_unique_data_malformed")),
        ({"62": template({"08": "GIFT", "99": template(UNIQUE)})}, ("transfer_purpose_unknown",)),
        ({"62": template({"08": "BOOK"})}, ("transfer_unique_data_malformed",)),
        (
            {"62": template({"08": "BOOK", "99": template({**UNIQUE, "01": "7 chars"})})},
            ("transfer_unique_data_malformed",),
        ),
        ({"40": template({**BENEFICIARY, "01": "936008223000200"})}, ("transfer_pan_too_short",)),
        ({"40": template({**BENEFICIARY, "04": "SHORT"})}, ("transfer_bic_malformed",)),
        ({"40": template({**BENEFICIARY, "02": "X" * 16})}, ("field_40_02_too_long",)),
        ({"40": template({"00": "ID"})}, ("field_40_01_missing", "field_40_02_missing")),
    ],
)
def test_a_transfer_code_broken_in_one_thing(
    changes: dict[str, str | None], errors: tuple[str, ...]
) -> None:
    """A transfer is dynamic, has category 4829, a purpose, a beneficiary and unique data."""
    assert codes(parse(changed(TRANSFER_FIELDS, changes)))[0] == errors


@pytest.mark.parametrize(
    ("changes", "warnings"),
    [
        ({"54": "5000"}, ("static_with_amount",)),
        ({"51": None}, ("repository_51_missing",)),
        ({"26": None}, ("acquirer_missing",)),
        ({"26": None, "51": None, "02": "4111"}, ("repository_51_missing", "acquirer_missing")),
        ({"61": "1011"}, ("postal_code_unusual",)),
        ({"59": "***"}, ("field_59_not_filled",)),
        ({"64": template({"01": "WARUNG"})}, ("language_malformed",)),
        ({"26": template({**ACCOUNT, "01": "936009990000000018"})}, ("nns_unknown",)),
        ({"26": template({**ACCOUNT, "01": "411111111111111118"})}, ("pan_not_domestic",)),
        ({"26": template({**ACCOUNT, "01": "9360011130000000"})}, ("pan_length_unusual",)),
        ({"26": template({**ACCOUNT, "01": "9360011130000000180"})}, ("pan_check_digit_wrong",)),
        ({"26": template({**ACCOUNT, "03": "XYZ"})}, ("criteria_unknown",)),
        ({"51": template(REPOSITORY | {"00": "ID.X"})}, ("repository_guid_unknown",)),
        ({"51": template(REPOSITORY | {"02": "0" * 15})}, ("nmid_unusual",)),
        ({"62": template({"99": "free text"})}, ("proprietary_data_unstructured",)),
    ],
)  # fmt: skip
def test_departures_that_are_payable(
    changes: dict[str, str | None], warnings: tuple[str, ...]
) -> None:
    """What real acquirers print must not keep a customer from paying."""
    assert codes(parse(changed(STATIC_FIELDS, changes))) == ((), warnings)


@pytest.mark.parametrize(
    "changes",
    [
        {"54": "1000."},
        {"54": "1000.5"},
        {"54": "0.01"},
        {"55": "03", "57": "00.01"},
        {"55": "03", "57": "99.99"},
        {"01": None},
        {"26": template({**ACCOUNT, "01": "9360011130000000183"})},
        {"62": template({"09": "EMA"})},
        {"65": "anything", "79": "at all", "80": "éüß", "99": "!"},
        {"64": template({"00": "zh", "01": "小店", "02": "雅加达"})},
    ],
)
def test_what_the_standard_allows(changes: dict[str, str | None]) -> None:
    """Edges of the rules, from the inside."""
    assert codes(parse(changed(DYNAMIC_FIELDS, changes))) == ((), ())


def test_a_dynamic_code_without_amount_is_only_odd() -> None:
    """The payer types the amount then."""
    reading = parse(changed(DYNAMIC_FIELDS, {"54": None}))
    assert codes(reading) == ((), ("dynamic_without_amount",))


def test_a_transfer_that_also_names_a_merchant_is_told() -> None:
    """The beneficiary in 40 counts, but somebody should look."""
    payload = changed(TRANSFER_FIELDS, {"26": template(ACCOUNT)})
    assert "transfer_with_merchant" in codes(parse(payload))[1]


def test_a_code_from_abroad_is_judged_by_common_rules_only() -> None:
    """Another country's account templates are that country's affair, and so is its currency."""
    fields = {
        "00": "01",
        "01": "11",
        "29": template({"00": "A000000677010111", "01": "0066812345678"}),
        "52": "5812",
        "53": "764",
        "58": "TH",
        "59": "SOMTAM",
        "60": "BANGKOK",
    }
    reading = parse(write(fields))
    assert codes(reading) == ((), ("cross_border",))
    assert reading.seen.unnamed == (("29", fields["29"]),)
    assert codes(parse(changed(fields, {"29": None})))[0] == ("merchant_account_missing",)
    assert codes(parse(changed(fields, {"40": "x"})))[0] == ()


S1 = VALID["S1"].payload


@pytest.mark.parametrize(
    ("payload", "errors"),
    [
        ("", ("payload_empty",)),
        (b"", ("payload_empty",)),
        (S1.encode() + b"\xff", ("payload_not_text",)),
        ("\udc80" + S1, ("payload_not_text",)),
        ("9" * 513, ("payload_too_long",)),
        (b"9" * 513, ("payload_too_long",)),
        (b"\xff" * 3_000_000, ("payload_too_long",)),
        (S1[:-8], ("crc_missing",)),
        (S1[:-1], ("truncated",)),
        (S1[:-4] + "XYZW", ("crc_malformed",)),
        (S1[:-8] + "6305" + "7BFD1", ("crc_malformed",)),
        (S1 + S1[-8:], ("duplicate_63", "data_after_crc")),
        (S1 + " ", ("tag_malformed",)),
        (" " + S1, ("tag_malformed", "crc_wrong")),
        ("https://example.com/pay", ("tag_malformed",)),
        (S1.replace("5802ID", "58ZZID"), ("length_malformed", "crc_wrong")),
        (S1.lower()[:-4] + S1[-4:], ("crc_wrong", "country_malformed")),
    ],
)
def test_text_that_is_no_code(payload: str | bytes, errors: tuple[str, ...]) -> None:
    """What a camera or a hostile sticker may bring gets an answer too."""
    assert codes(parse(payload))[0] == errors


def test_bytes_and_text_are_read_alike() -> None:
    """A code from a file is judged like one from a camera."""
    assert parse(S1.encode()) == parse(S1)


def test_a_payload_of_exactly_512_characters_is_read() -> None:
    """The limit itself is allowed."""
    fields = dict(STATIC_FIELDS) | {"80": "x" * 99, "81": "x" * 99}
    room = 512 - len(write(fields)) - 4
    payload = write(fields | {"82": "x" * room})
    assert (len(payload), parse(payload).valid) == (512, True)
    longer = write(fields | {"82": "x" * (room + 1)})
    assert codes(parse(longer))[0] == ("payload_too_long",)
