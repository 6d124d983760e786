"""One list of people: every simulated network knows the same ones, and nobody real is shown."""

from __future__ import annotations

from tangguh.customers.seed import demo
from tangguh.demo.merchants import CODES
from tangguh.demo.neighbours import NEIGHBOURS
from tangguh.rails.banks import BY_BIC
from tangguh.rails.qris.codec import parse
from tangguh.rails.qris.nns import passes_luhn
from tangguh.sim.bifast.participants import PARTICIPANTS, demo_customers
from tangguh.sim.cards import directory
from tangguh.sim.qris.merchants import demo_merchants
from tangguh.sim.wallets.wallet import accounts
from unit.rails.qris.payloads import MALFORMED, VALID

SEED = 3


def test_bifast_and_the_card_switch_know_the_same_accounts() -> None:
    """Account for account the same name and state, whichever network one pays over."""
    by_hub = {
        (BY_BIC[one.bank].code, one.account): (one.name, one.state) for one in demo_customers()
    }
    by_switch = {(one.bank, one.account): (one.name, one.state) for one in directory.CUSTOMERS}
    assert by_hub == by_switch
    assert len(by_hub) == sum(len(one.accounts) for one in NEIGHBOURS)
    assert {BY_BIC[bic].name for bic in PARTICIPANTS} == set(PARTICIPANTS.values())


def test_an_alias_a_wallet_and_a_card_belong_to_one_person() -> None:
    """Whoever answers to a mobile number does so at every network, under one name."""
    aliases = {
        value: one.name for one in demo_customers() for kind, value in one.proxies if kind == "01"
    }
    wallets = {number: (name, state) for number, name, state in accounts(SEED)}
    for number, name in aliases.items():
        assert wallets[number] == (name, "open")
    for one in NEIGHBOURS:
        if one.phone:
            assert wallets[one.phone] == (one.name, one.state)
    owners = {(one.bank, one.account): one.name for one in directory.CUSTOMERS}
    for card in directory.CARDS:
        assert passes_luhn(card.pan)
        held = next(one for one in NEIGHBOURS if one.card and one.card.pan == card.pan)
        assert owners[card.bank, card.account] == held.name


def test_the_banks_own_people_have_wallets_under_the_numbers_they_log_in_with() -> None:
    """The same seed gives the bank and the wallets the same people."""
    customers, _, _ = demo(SEED)
    wallets = {number: name for number, name, _ in accounts(SEED)}
    people = [one for one in customers if one.phone in wallets]
    assert len(people) == 56
    assert all(wallets[one.phone] == one.full_name.upper() for one in people)


def test_no_number_belongs_to_two_people() -> None:
    """Phones, e-mail addresses and accounts are each of one."""
    phones = [number for number, _, _ in accounts(SEED)]
    mails = [one.email for one in NEIGHBOURS if one.email]
    held = [(account.bic, account.number) for one in NEIGHBOURS for account in one.accounts]
    for numbers in (phones, mails, held):
        assert len(set(numbers)) == len(numbers)


def test_the_demo_shows_no_merchant_of_the_public_examples() -> None:
    """Merchants' names, numbers and ids of published codes are test vectors and nothing else.

    What was built for these tests (the codes of a bank's own test merchant, the standard's
    example) is nobody's.
    """
    built = {"S1", "S2", "V11", "M1"}
    published = [one.payload for label, one in VALID.items() if label not in built]
    published += [one.payload for label, one in MALFORMED.items() if label.startswith("B")]
    seen = [parse(payload).seen for payload in published]
    taken = {one.merchant_name for one in seen if one} | {one.nmid for one in seen if one}
    taken |= {account.pan for one in seen if one for account in one.accounts}
    taken -= {"", "000000000000000"}
    shown = {fact for one in demo_merchants() for fact in (one.name, one.nmid, one.pan) if fact}
    assert shown & taken == set()
    assert set(CODES.values()) & set(published) == set()


def test_an_invented_code_has_the_make_of_the_published_one() -> None:
    """The same acquirer, kind, tip and warnings, so that a demo meets what a street has."""
    for label, payload in CODES.items():
        ours, theirs = parse(payload), parse(VALID[label].payload)
        assert ours.errors == ()
        assert ours.seen is not None
        assert theirs.seen is not None
        assert [one.code for one in ours.warnings] == [one.code for one in theirs.warnings]
        for fact in ("kind", "nns", "tip", "amount_minor", "category_code", "merchant_city"):
            assert getattr(ours.seen, fact) == getattr(theirs.seen, fact), (label, fact)
