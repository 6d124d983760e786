"""What a code says, amounts and tips, and writing codes that read back the same."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tangguh.core.order import ToQris
from tangguh.rails.qris import tlv
from tangguh.rails.qris.codec import as_dynamic, encode, parse
from tangguh.rails.qris.message import (
    NO_ADDITIONAL,
    NO_TIP,
    Account,
    Additional,
    Kind,
    Language,
    QrisCode,
    Repository,
    Tip,
    TipKind,
    Transfer,
    tip_due,
    to_payee,
    total_minor,
)
from tangguh.rails.qris.nns import MEMBERS, name_of
from tangguh.rails.qris.payee import CRITERIA, PURPOSES
from unit.rails.qris.payloads import VALID, changed

S1_CODE = QrisCode(
    kind=Kind.STATIC,
    initiation="11",
    accounts=(Account("26", "ID.CO.BANKDKI.WWW", "936001113000000018", "000300000001", "UMI"),),
    repository=Repository("ID.CO.QRIS.WWW", "ID1025000000012", "UMI"),
    category_code="5812",
    currency="360",
    country="ID",
    merchant_name="WARUNG UJI JAKARTA",
    merchant_city="JAKARTA PUSAT",
    postal_code="10110",
    additional=Additional(terminal_label="A01"),
)


def read(name: str) -> QrisCode:
    """The code of a listed valid payload."""
    code = parse(VALID[name].payload).code
    assert code is not None
    return code


def test_a_static_code_says_who_is_paid() -> None:
    """Every fact of the printed code of a small merchant."""
    assert parse(VALID["S1"].payload).code == S1_CODE
    assert name_of(S1_CODE.nns) == name_of(S1_CODE.accounts[0].nns) == "Bank DKI"


def test_a_dynamic_code_says_how_much() -> None:
    """Rp25,000 is 2,500,000 sen, and the bill has its number."""
    code = read("S2")
    assert (code.kind, code.amount_minor) == (Kind.DYNAMIC, 2_500_000)
    assert code.additional.bill_number == "INV0001"


def test_a_transfer_says_who_receives() -> None:
    """The beneficiary is in 40, the purpose and the data used once in 62."""
    code = read("V12")
    assert code.transfer == Transfer("ID.CO.ASTRAPAY.WWW", "9360082230002001355", "200135")
    assert (code.transfer.nns, code.nns, code.merchant_id) == ("93600822", "93600822", "200135")
    assert (code.additional.purpose, code.additional.proprietary_guid) == ("DMCT", "00")
    assert code.additional.proprietary_data == "TG0H0C8UCRIWF0NZAC12QWXC"


def test_three_asterisks_ask_the_payer() -> None:
    """The app must ask for the bill number; a terminal to be asked for is no terminal."""
    assert read("V7").additional.prompts == ("bill_number",)
    asked = parse(changed(tlv.walk(VALID["S1"].payload).values, {"62": "0703***"})).seen
    assert (asked.terminal, asked.additional.prompts) == ("", ("terminal_label",))


def test_the_payee_is_what_was_scanned() -> None:
    """The order carries the whole payload and the facts the customer saw."""
    payload = VALID["S1"].payload
    assert to_payee(S1_CODE, payload) == ToQris(
        payload=payload,
        merchant_pan="936001113000000018",
        merchant_id="000300000001",
        nmid="ID1025000000012",
        acquirer="93600111",
        merchant_name="WARUNG UJI JAKARTA",
        merchant_city="JAKARTA PUSAT",
        category_code="5812",
        criteria="UMI",
        terminal="A01",
    )


def test_a_code_with_only_the_repository_still_names_the_merchant() -> None:
    """Without an acquirer's template the criteria come from the repository."""
    code = parse(changed(tlv.walk(VALID["S1"].payload).values, {"26": None})).code
    assert code is not None
    assert (code.merchant_pan, code.nns, code.merchant_id) == ("", "", "")
    assert (code.criteria, code.nmid) == ("UMI", "ID1025000000012")


@pytest.mark.parametrize(
    ("tip", "amount_minor", "typed_minor", "total"),
    [
        (NO_TIP, 100_000, 0, 100_000),
        (NO_TIP, 100_000, 5_000, 100_000),
        (Tip(TipKind.PROMPT), 100_000, 5_000, 105_000),
        (Tip(TipKind.FIXED, fixed_minor=50_000), 100_000, 0, 150_000),
        (Tip(TipKind.FIXED, fixed_minor=50_000), 100_000, 7, 150_000),
        (Tip(TipKind.PERCENT, basis_points=70), 50_000_000, 0, 50_350_000),
        (Tip(TipKind.PERCENT, basis_points=70), 70, 0, 70),
        (Tip(TipKind.PERCENT, basis_points=70), 72, 0, 73),
        (Tip(TipKind.PERCENT, basis_points=5_000), 1, 0, 2),
        (Tip(TipKind.PERCENT, basis_points=1), 4_999, 0, 4_999),
        (Tip(TipKind.PERCENT, basis_points=1), 5_000, 0, 5_001),
        (Tip(TipKind.PERCENT, basis_points=9_999), 100, 0, 200),
    ],
)
def test_what_the_payer_pays(tip: Tip, amount_minor: int, typed_minor: int, total: int) -> None:
    """A fixed tip is added, a percentage rounded half up to the sen, a typed one only if asked."""
    code = QrisCode(tip=tip)
    assert total_minor(code, amount_minor, typed_minor) == total


@given(st.integers(1, 10**15), st.integers(1, 9_999))
def test_a_percentage_is_never_more_than_half_a_sen_off(amount: int, points: int) -> None:
    """Rounding moves less than the smallest coin, and half goes up."""
    due = tip_due(QrisCode(tip=Tip(TipKind.PERCENT, basis_points=points)), amount)
    assert -5_000 < due * 10_000 - amount * points <= 5_000


@pytest.mark.parametrize("name", [name for name in VALID if name != "V16"])
def test_listed_codes_are_written_as_they_were_read(name: str) -> None:
    """Character for character, CRC included."""
    assert encode(read(name)) == VALID[name].payload


def test_a_code_out_of_order_is_written_in_order() -> None:
    """V16 keeps its facts; only the order of its fields changes."""
    code = read("V16")
    again = parse(encode(code))
    assert again.code == code
    assert "fields_out_of_order" not in [finding.code for finding in again.warnings]


def test_a_static_code_made_dynamic() -> None:
    """The cashier's till asks for one amount with one bill number."""
    code = as_dynamic(S1_CODE, 2_500_000, bill_number="INV0001")
    assert encode(code) == VALID["S2"].payload
    assert as_dynamic(S1_CODE, 1).additional == S1_CODE.additional


@pytest.mark.parametrize(
    ("minor", "text"), [(2_500_000, "540525000"), (2_500_050, "540825000.50"), (5, "54040.05")]
)
def test_amounts_have_sen_only_when_there_are_any(minor: int, text: str) -> None:
    """Rp25,000 is written 25000."""
    assert text in encode(as_dynamic(S1_CODE, minor))


def test_what_does_not_fit_is_not_written() -> None:
    """Additional data of more than 99 characters has no field to go to."""
    wordy = Additional(bill_number="x" * 50, store_label="x" * 50)
    with pytest.raises(tlv.CannotEncode):
        encode(QrisCode(additional=wordy))


# ---- properties

_ANS = st.characters(min_codepoint=0x20, max_codepoint=0x7E, blacklist_characters="|")
_CRITERIA = st.sampled_from(sorted(CRITERIA))


def ans(longest: int, shortest: int = 1) -> st.SearchStrategy[str]:
    """Printable ASCII without the bar."""
    return st.text(_ANS, min_size=shortest, max_size=longest)


def digits(count: int) -> st.SearchStrategy[str]:
    """Exactly so many digits."""
    return st.text("0123456789", min_size=count, max_size=count)


_PANS = st.builds(str.__add__, st.sampled_from(sorted(MEMBERS)), digits(10))
_TIPS = st.one_of(
    st.just(NO_TIP),
    st.just(Tip(TipKind.PROMPT)),
    st.builds(Tip, st.just(TipKind.FIXED), fixed_minor=st.integers(1, 10**9)),
    st.builds(Tip, st.just(TipKind.PERCENT), basis_points=st.integers(1, 9_999)),
)
_ADDITIONAL = st.one_of(
    st.just(NO_ADDITIONAL),
    st.builds(Additional, bill_number=ans(25), terminal_label=st.just("***") | ans(25)),
    st.builds(Additional, unnamed=st.tuples(st.tuples(st.just("98"), ans(40)))),
    st.builds(Additional, proprietary_guid=ans(32), proprietary_data=ans(50)),
    st.builds(Additional, consumer_data=st.sampled_from(["A", "ME", "EMA"])),
)  # fmt: skip
_REPOSITORIES = st.builds(
    Repository,
    st.just("ID.CO.QRIS.WWW"),
    st.builds("ID{}{}".format, st.sampled_from(["10", "20"]), digits(11)),
    st.just("") | _CRITERIA,
)
_COMMON = {
    "currency": st.just("360"),
    "country": st.just("ID"),
    "merchant_name": ans(25),
    "merchant_city": ans(15),
    "postal_code": digits(5),
}
_MERCHANT = _COMMON | {
    "accounts": st.lists(
        st.builds(
            Account,
            st.integers(26, 39).map(str),
            st.just("00") | ans(32),
            _PANS,
            ans(15),
            _CRITERIA,
        ),
        min_size=1,
        max_size=2,
        unique_by=lambda account: account.field,
    ).map(lambda accounts: tuple(sorted(accounts, key=lambda account: account.field))),
    "repository": st.none() | _REPOSITORIES,
    "category_code": digits(4),
    "tip": _TIPS,
    "additional": _ADDITIONAL,
    "language": st.none() | st.builds(Language, st.just("en"), ans(12), ans(9)),
}
_STATIC = st.builds(QrisCode, kind=st.just(Kind.STATIC), initiation=st.just("11"), **_MERCHANT)
_DYNAMIC = st.builds(
    QrisCode,
    kind=st.just(Kind.DYNAMIC),
    initiation=st.sampled_from(["12", ""]),
    amount_minor=st.integers(1, 10**12),
    unnamed=st.just(()) | st.tuples(st.tuples(st.just("80"), ans(20))),
    **_MERCHANT,
)
_TRANSFER = st.builds(
    QrisCode,
    kind=st.just(Kind.TRANSFER),
    initiation=st.just("12"),
    category_code=st.just("4829"),
    amount_minor=st.none() | st.integers(1, 10**12),
    transfer=st.builds(Transfer, ans(32), _PANS, ans(15), st.just("") | ans(11, shortest=8)),
    additional=st.builds(
        Additional,
        purpose=st.sampled_from(sorted(PURPOSES)),
        proprietary_guid=st.just("00"),
        proprietary_data=ans(64, shortest=8),
    ),
    **_COMMON,
)
_CODES = st.one_of(_STATIC, _DYNAMIC, _TRANSFER).filter(lambda code: len(encode(code)) <= 512)


@given(_CODES)
def test_a_written_code_reads_back_the_same(code: QrisCode) -> None:
    """Writing and reading are each other's inverse, and in ascending order."""
    payload = encode(code)
    reading = parse(payload)
    assert (reading.errors, reading.code) == ((), code)
    fields = list(tlv.walk(payload).values)
    assert all(
        one < next_one or next_one == "63" for one, next_one in pairwise(fields) if one != "63"
    )
    assert encode(reading.seen) == payload


_MUTATED_FROM = st.sampled_from([vector.payload for vector in VALID.values()])


@settings(max_examples=500)
@given(_MUTATED_FROM, st.integers(0, 511), st.characters() | _ANS)
def test_one_changed_character_does_not_go_unseen(payload: str, at: int, character: str) -> None:
    """A misread character is refused, unless the CRC is right for the text as it now is."""
    at %= len(payload)
    mutated = payload[:at] + character + payload[at + 1 :]
    if mutated != payload and parse(mutated).valid:
        assert mutated == tlv.seal(mutated[:-8])


@settings(max_examples=300)
@given(st.text(max_size=600) | st.binary(max_size=600))
def test_any_text_gets_an_answer(payload: str | bytes) -> None:
    """Reading never raises, and a refusal says which field and why."""
    reading = parse(payload)
    assert reading.valid == (reading.code is not None)
    assert all(finding.field and finding.detail for finding in reading.errors)
