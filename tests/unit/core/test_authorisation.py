"""The ledger's leave for one message: what it covers, and what is said first when it does not."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core import authorisation
from tangguh.core.authorisation import (
    BAD_SIGNATURE,
    EXPIRED,
    MISSING,
    AuthorisationKey,
    Facts,
    creditor_of,
    read,
    verify,
)
from tangguh.core.errors import Misconfigured
from tangguh.core.order import (
    Payee,
    ToAccount,
    ToBank,
    ToBiller,
    ToCash,
    ToMerchant,
    ToPurse,
    ToQris,
    ToWallet,
)

NOON = datetime(2025, 3, 29, 5, 0, tzinfo=UTC)
LATER = NOON + timedelta(seconds=120)
KEY = AuthorisationKey.fresh()
PLAIN = Facts(
    reference="20250329TGUHIDJ1010O0200000001",
    rail="bifast",
    debtor=10_000_000_011,
    creditor="998:9980000001",
    amount_minor=600_000_00,
)
TOKEN = KEY.authorise(PLAIN, LATER)
WORDS = st.text(max_size=40)
FACTS = st.builds(
    Facts,
    reference=WORDS,
    rail=WORDS,
    debtor=st.integers(0, 2**63 - 1),
    creditor=WORDS,
    amount_minor=st.integers(0, 2**63 - 1),
)


def test_covers_what_was_signed_until_it_expires() -> None:
    """Good to the last microsecond, and not at the instant itself."""
    assert verify(KEY.public, TOKEN, PLAIN, NOON) is None
    assert verify(KEY.public, TOKEN, PLAIN, LATER - timedelta(microseconds=1)) is None
    assert verify(KEY.public, TOKEN, PLAIN, LATER) == EXPIRED


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"reference": "20250329TGUHIDJ1010O0200000002"}, "reference"),
        ({"rail": "iso8583"}, "rail"),
        ({"debtor": 10_000_000_012}, "debtor"),
        ({"creditor": "998:9980000003"}, "creditor"),
        ({"creditor": "014:9980000001"}, "creditor"),
        ({"amount_minor": 600_000_01}, "amount_minor"),
        ({"creditor": "x", "amount_minor": 1}, "creditor"),
    ],
)
def test_names_the_first_field_that_differs(change: dict[str, object], named: str) -> None:
    """Also when it has expired: what differs says more."""
    other = msgspec.structs.replace(PLAIN, **change)
    assert verify(KEY.public, TOKEN, other, NOON) == named
    assert verify(KEY.public, TOKEN, other, LATER) == named


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("", MISSING),
        ("x", BAD_SIGNATURE),
        ("!!!!", BAD_SIGNATURE),
        ("A" * 10_000, BAD_SIGNATURE),
        (TOKEN[:-4], BAD_SIGNATURE),
        (AuthorisationKey.fresh().authorise(PLAIN, LATER), BAD_SIGNATURE),
        (base64.urlsafe_b64encode(msgspec.msgpack.encode({"a": 1})).decode(), BAD_SIGNATURE),
    ],
)
def test_what_the_ledger_did_not_sign_is_nothing(token: str, said: str) -> None:
    """Missing, no token at all, cut, too long, or by another key."""
    assert verify(KEY.public, token, PLAIN, NOON) == said


@given(facts=FACTS, token=st.text(max_size=400))
def test_no_text_raises(facts: Facts, token: str) -> None:
    """Whatever stands in the header."""
    assert verify(KEY.public, token, facts, NOON) in (MISSING, BAD_SIGNATURE)


@given(signed=FACTS, said=FACTS)
def test_any_changed_field_is_refused_and_named(signed: Facts, said: Facts) -> None:
    """For any two messages: the first field in which they differ, or none."""
    token = KEY.authorise(signed, LATER)
    assert token.isascii()
    assert token.isprintable()
    differing = [
        name for name in Facts.__struct_fields__ if getattr(signed, name) != getattr(said, name)
    ]
    assert verify(KEY.public, token, said, NOON) == (differing[0] if differing else None)
    assert verify(KEY.public, token, signed, NOON) is None


@given(facts=FACTS, data=st.data())
def test_each_field_alone(facts: Facts, data: st.DataObject) -> None:
    """One field changed is that field's name."""
    name = data.draw(st.sampled_from(Facts.__struct_fields__))
    other = data.draw(FACTS.filter(lambda one: getattr(one, name) != getattr(facts, name)))
    changed = msgspec.structs.replace(facts, **{name: getattr(other, name)})
    assert verify(KEY.public, KEY.authorise(facts, LATER), changed, NOON) == name


@given(position=st.integers(0, len(TOKEN) - 1), letter=st.sampled_from("AZaz09-_"))
def test_a_changed_letter_is_no_other_authorisation(position: int, letter: str) -> None:
    """A token that was changed is refused, or says the very same."""
    changed = TOKEN[:position] + letter + TOKEN[position + 1 :]
    found = read(changed)
    if verify(KEY.public, changed, PLAIN, NOON) is None:
        assert found == read(TOKEN)


@pytest.mark.parametrize(
    ("payee", "text"),
    [
        (ToBank(bank="998", account="9980000001", name="SARI"), "998:9980000001"),
        (
            ToBank(bank="998", account="1", proxy_type="01", proxy="62812", inquiry="i"),
            "998:1",
        ),
        (
            ToQris(
                payload="p", merchant_pan="9360", merchant_id="m", nmid="n", acquirer="a",
                merchant_name="w", merchant_city="c", category_code="5499",
            ),
            "9360",
        ),
        (ToWallet(wallet="gopay", number="0812", session="s"), "gopay:0812"),
        (ToBiller(biller="water", customer_no="77", bill="B1"), "water:77:B1"),
        (ToBiller(biller="water", customer_no="7:7", bill="B1"), "water:7%3A7:B1"),
        (ToBiller(biller="water", customer_no="7", bill="7:B1"), "water:7:7%3AB1"),
        (ToCash(terminal="ATM00001", acquirer="999", rrn="1"), "ATM00001"),
        (ToAccount(11), "11"),
        (ToPurse(account_id=12, number="6"), "12"),
        (
            ToMerchant(merchant_id="M", nmid="n", merchant_name="w", merchant_city="c"),
            "M",
        ),
    ],
)  # fmt: skip
def test_each_payee_has_one_text(payee: Payee, text: str) -> None:
    """Names, sessions and inquiries are not part of it."""
    assert creditor_of(payee) == text


def test_keys_of_another_kind_are_refused() -> None:
    """A key that is no key, or not Ed25519, says so by its place and never by its content."""
    other = ec.generate_private_key(ec.SECP256R1())
    private = other.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = other.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for load, pem in (
        (authorisation.load_key, private),
        (authorisation.load_key, b"nothing"),
        (authorisation.load_public, public),
        (authorisation.load_public, b"nothing"),
    ):
        with pytest.raises(Misconfigured, match="at here"):
            load(pem, "here")


def test_keys_from_pem_are_the_same_keys() -> None:
    """What was written is what signs."""
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    token = authorisation.load_key(pem, "here").authorise(PLAIN, LATER)
    assert verify(authorisation.load_public(public, "here"), token, PLAIN, NOON) is None
