"""The lint: every rule refuses its mutant, and a good message passes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.known import Known, Tristate
from tangguh.core.outcome import Refused
from tangguh.notices.assurance import Assurance, Assured, assure
from tangguh.notices.gsm7 import fits, plain, units_of
from tangguh.notices.lint import RULES, Said, faults_of

GOOD = {
    "id": Said(
        title="Transfer BI-FAST kami hentikan sementara",
        what="Mitra kami belum menjawab 31 dari 100 percobaan.",
        where="Uang yang belum pasti ditahan di rekening Anda.",
        next="Kami mencocokkan setiap transaksi dengan mitra.",
        by_when="Kabar berikutnya paling lambat 14.05 WIB.",
        do="Jangan kirim ulang.",
        sms="Kabar berikutnya paling lambat 14.05 WIB.",
    ),
    "en": Said(
        title="BI-FAST transfers are paused",
        what="Our partner has not answered 31 of 100 tries.",
        where="Money not yet certain is on hold in your account.",
        next="We are matching every payment with the partner.",
        by_when="Next word by 14:05 WIB.",
        do="Please do not send it again.",
        sms="Next word by 14:05 WIB.",
    ),
}
NOW = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
GREEN = Assurance(
    proved_at=NOW - timedelta(minutes=5), proof_holds=True,
    matched_at=NOW - timedelta(hours=5), match_holds=True,
    sight=Known(Tristate.YES, NOW - timedelta(seconds=5)),
)  # fmt: skip


def rules_broken(language: str, ticket: str = "", assured: Any = None, **changes: Any) -> set[Any]:
    said = msgspec.structs.replace(GOOD[language], **changes)
    found = faults_of(said, language, ticket=ticket, assured=assured)
    return {(fault.field, fault.rule) for fault in found}


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_good_message_passes(language: str) -> None:
    assert faults_of(GOOD[language], language) == []


@pytest.mark.parametrize(
    ("language", "field", "text", "rule"),
    [
        ("id", "what", "Terjadi kesalahan pada 3 transaksi.", "banned"),
        ("id", "what", "Sistem  sibuk sejak 09.00 WIB.", "banned"),
        ("id", "do", "Coba beberapa saat lagi.", "banned"),
        ("id", "next", "Kami segera memperbaikinya.", "banned"),
        ("id", "next", "Kami memperbaikinya sece\u00adpatnya.", "banned"),
        ("id", "next", "Kami ｓｅｇｅｒａ memperbaikinya.", "banned"),
        ("en", "what", "Something went wrong.", "banned"),
        ("en", "next", "We will mend it soon.", "banned"),
        ("id", "title", "Transfer gagal", "alone"),
        ("id", "sms", "Transfer gagal pukul 09.00 WIB.", "alone"),
        ("en", "title", "Your payment failed", "alone"),
        ("id", "what", "Sebagian nasabah terdampak.", "without_number"),
        ("en", "what", "Some customers are affected. There are 2 routes.", "without_number"),
        ("id", "what", "Ada pemeliharaan layanan.", "without_ticket"),
        ("en", "what", "This is maintenance.", "without_ticket"),
        ("id", "where", "Uang Anda aman.", "without_proof"),
        ("en", "where", "Your money is safe since 14:05 WIB.", "without_proof"),
        ("id", "what", "Layanan kembali!", "mark"),
        ("id", "what", "Layanan kembali ✅.", "emoji"),
        ("id", "what", "Layanan kembali 🙏.", "emoji"),
        ("id", "what", "Uang anda ditahan.", "address"),
        ("id", "what", "kata " * 21 + ".", "long"),
        ("id", "title", "", "missing"),
        ("id", "title", "x" * 71, "long"),
        ("id", "title", "Rp54.000 Anda ditahan", "amount"),
        ("id", "what", "", "missing"),
        ("id", "where", "", "missing"),
        ("id", "where", "-", "missing"),
        ("id", "where", "Semua baik saja.", "not_about_money"),
        ("id", "next", "", "missing"),
        ("id", "by_when", "", "missing"),
        ("id", "by_when", "Kabar berikutnya hari ini.", "without_time"),
        ("en", "by_when", "Next word in 3 working days.", "without_time"),
        ("id", "do", "", "missing"),
        ("id", "sms", "a" * 161, "long"),
        ("id", "sms", "Kabar paling lambat 14.05 WIB…", "alphabet"),
    ],
)
def test_each_rule_refuses_its_mutant(language: str, field: str, text: str, rule: str) -> None:
    assert (field, rule) in rules_broken(language, **{field: text})


def test_every_word_of_the_lists_is_refused() -> None:
    """Whole and in any case, wherever it stands."""
    for family in ("banned", "alone", "without_number", "without_ticket", "assured"):
        for language, words in getattr(RULES, family).items():
            for word in words:
                said = f"Kata: {word.upper()}, begitu."
                assert rules_broken(language, title=said), word
                assert not rules_broken(language, do="Baca kata ini."), word


def test_what_may_be_said_under_a_condition() -> None:
    """A failure with where the money is; some customers with how many; maintenance with a ticket."""
    assert rules_broken("id", what="Transfer gagal dikirim pukul 09.00 WIB.") == set()
    assert rules_broken("id", what="Sebagian nasabah, 1.204 orang, terdampak.") == set()
    assert rules_broken("id", what="Ada pemeliharaan layanan.", ticket="CHG-17") == set()
    assert rules_broken("id", what="Keamanan aplikasi tidak berubah.") == set()
    assert rules_broken("id", by_when="Paling lambat 3 Apr 2026.") == set()


def test_without_money_the_four_questions_are_not_asked() -> None:
    bare = {"where": "", "next": "", "by_when": "", "do": "", "about_money": False}
    assert rules_broken("id", **bare) == set()
    assert ("what", "alone") in rules_broken("id", **bare | {"what": "Langganan gagal dibuat."})


@pytest.mark.parametrize("language", ["id", "en"])
def test_safe_is_said_only_as_computed(language: str) -> None:
    """The sentence with its times passes; the same words anywhere else do not."""
    assured = assure(GREEN, language, now=NOW)
    assert isinstance(assured, Assured)
    what = GOOD[language].what
    assert rules_broken(language, assured=assured, what=f"{what} {assured.text}") == set()
    assert ("what", "without_proof") in rules_broken(language, what=f"{what} {assured.text}")
    for words in (assured.text.partition(":")[0] + ".", assured.text.replace("20 Mar", "21 Mar")):
        assert ("what", "without_proof") in rules_broken(language, assured=assured, what=words)
    assert ("sms", "without_proof") in rules_broken(language, assured=assured, sms=assured.text)


def test_the_sentence_has_both_times() -> None:
    said = assure(GREEN, "id", now=NOW)
    assert isinstance(said, Assured)
    assert said.text == (
        "Uang Anda aman: pembukuan terbukti seimbang 20 Mar 2026 pukul 11.55 WIB, "
        "dan cocok dengan jaringan 20 Mar 2026 pukul 07.00 WIB."
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"proof_holds": False}, "proof"),
        ({"match_holds": False}, "match"),
        ({"proved_at": None}, "proof"),
        ({"matched_at": None}, "match"),
        ({"proved_at": NOW - timedelta(hours=1, seconds=1)}, "proof"),
        ({"matched_at": NOW - timedelta(hours=26, seconds=1)}, "match"),
        ({"proved_at": NOW + timedelta(seconds=1)}, "proof"),
        ({"sight": None}, "sight"),
        ({"sight": Known(Tristate.UNKNOWN, NOW)}, "sight"),
        ({"sight": Known(Tristate.NO, NOW)}, "sight"),
        ({"sight": Known(Tristate.YES, NOW - timedelta(seconds=21))}, "sight"),
        ({"sight": Known(Tristate.YES, NOW + timedelta(seconds=1))}, "sight"),
    ],
)
def test_nothing_is_assured_that_is_not_green_and_fresh(
    changes: dict[str, Any], field: str
) -> None:
    refused = assure(msgspec.structs.replace(GREEN, **changes), "id", now=NOW)
    assert isinstance(refused, Refused)
    assert refused.field == field


def test_units_of_an_sms() -> None:
    """Escaped characters cost two; what is not in the alphabet cannot be sent as one."""
    assert units_of("abc") == 3
    assert units_of("[€]") == 6
    assert units_of("é") == 1
    assert units_of("ý") is None
    assert fits("a" * 160)
    assert not fits("a" * 161)
    assert not fits("€" * 81)


@given(st.text(max_size=60))
def test_whatever_a_name_is_it_can_be_written_in_an_sms(text: str) -> None:
    """One unit a character, nothing outside the alphabet."""
    written = plain(text)
    assert units_of(written) == len(written)
